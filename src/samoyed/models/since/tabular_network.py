"""The tabular network: today's default for tables, an ensemble of multilayer perceptrons in one.

Gorishniy, Y., Kotelnikov, A. & Babenko, A. (2025). TabM: advancing tabular deep learning with
parameter-efficient ensembling. ICLR. Numbers are embedded piece by piece (Gorishniy, Y., Rubachev,
I. & Babenko, A. (2022). On embeddings for numerical features in tabular deep learning. NeurIPS),
and members share their weights up to scales (Wen, Y., Tran, D. & Ba, J. (2020). BatchEnsemble: an
alternative approach to efficient ensemble and lifelong learning. ICLR).

What was new: many perceptrons trained at once, at the cost of little more than one, because they
share their weight matrices; each learns from its own loss, and only their answers are averaged.

Equation -> here:

* Gorishniy et al. 2022, eq. 1, how far a number reaches into each interval -> `pieces`
* the same, section 3.4, linear layers on the pieces, one for each column   -> `NumberEmbeddings`
* Wen et al. 2020, section 3, ((x o r_i) W) o s_i, with a bias b_i          -> `SharedLinear`
* Gorishniy et al. 2025, section 3, scales start at 1 but for the first    -> `Perceptrons`
* the same, the mean of the members' answers                               -> `mean_answer`
* Krogh & Vedelsby 1995, each network tried on the rows it did not see     -> `set_aside`, `stages`

**Departures**

1. Gorishniy et al. 2025, section 4: width, depth, rate and decay are tuned for each table there;
   here they follow from the number of rows and the time (`SIZES`, `recommend`, `recipe_for`).
   Dropout, the number of networks and the epochs for few rows were chosen on a fifth of the rows
   to learn from of HIGGS, ESOL and breast cancer, one or two splits each; never on test rows.
2. Section 3 encodes categories as one-hot vectors; here each has an embedding, which is the same
   first layer with a factor of lower rank when a category has many values.
3. Gorishniy et al. 2022, section 3.2: intervals are bounded by quantiles of the values; here half
   of the bounds are quantiles of the distinct values, for columns that are mostly zero.
4. Wide tables (more than `MOST_EMBEDDED` places together) get narrower embeddings; bits of
   fingerprints and indicators of missing values are not embedded.
5. The units that dropout leaves out of a row are the same for all members, which takes a fraction
   of the random numbers.
6. Training stops with a cosine schedule at the planned step, and the weights kept are those that
   did best on rows set aside, instead of stopping after 16 epochs without progress.
7. Where rows are few, the answer is the mean of several such networks, each trained without another
   part of the rows, by which its weights are chosen (Krogh, A. & Vedelsby, J. (1995). Neural
   network ensembles, cross validation, and active learning. NIPS 7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.table_feed import TableFeed
from samoyed.training.best_weights import BestWeights

REFERENCE = Reference(
    title="TabM: advancing tabular deep learning with parameter-efficient ensembling",
    authors="Gorishniy, Y., Kotelnikov, A. & Babenko, A.",
    year=2025,
    venue="International Conference on Learning Representations",
    url="https://openreview.net/forum?id=Sd4wYYOhmY",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=8e-3, batch_size=256, epochs=30, momentum=0.9,
    weight_decay=3e-3, schedule="cosine", warmup=0.03, clip_norm=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """What can be dialled.

    Args:
        num_networks: how many such networks are trained, each without another part of the rows.
        num_members: how many perceptrons share the weights of one network.
        width: units of each hidden layer.
        depth: hidden layers.
        embedding: numbers that stand for one column.
        dropout: share of the hidden units that are left out in training.
    """

    num_networks: Annotated[int, Gt(0), Le(100)] = 1
    num_members: Count = 8
    width: Count = 256
    depth: Annotated[int, Ge(0), Le(1000)] = 2
    embedding: Count = 12
    dropout: Share = 0.1


SIZES: dict[str, dict[str, Any]] = {
    "small": {"num_members": 4, "embedding": 8},
    "several": {"num_networks": 4, "num_members": 4, "embedding": 8, "dropout": 0.3},
    "medium": {},
    "large": {"num_members": 16, "width": 384, "depth": 3, "embedding": 16},
}
"""Named sizes: how they differ from `Config`'s defaults."""

MOST_EMBEDDED = 2048  # places of all embeddings together
MULTIPLICATIONS_PER_S = 8e9  # assumed: multiplications of forward passes, while training
ENOUGH_EPOCHS = 20  # a larger size is worth its time once it can read the data this often
UNHURRIED_S = 120.0  # how long training may take where nobody said
FEW_ROWS = 10_000  # below this, several networks: what one sets aside is missed
STEPS, FEWER_STEPS = 3000, 2000  # what suffices for a table of moderate size; for few rows
FEWEST_EPOCHS, MOST_EPOCHS = 12, 80
FEWEST_SET_ASIDE = 12  # rows; fewer would choose by luck
MOST_SET_ASIDE = 4000
SMALL_TABLE = 5000  # rows below which more of them are set aside
FEWEST_STEPS_BETWEEN = 10  # looks at the rows set aside

# Legend for shapes: B batch, D columns of numbers, C columns of categories, T intervals,
# E embedding, M members, I inputs and O outputs of a layer, K answers, W an encoded row.


def build(config: Config, spec: TableSpec, target: TargetSpec) -> TabularNetwork:
    """Build the network for these columns and this question."""
    return TabularNetwork(config, spec, target)


def recommend(spec: TableSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: several networks for few rows, else the largest one that the time allows.

    A size is allowed when it can read the rows `ENOUGH_EPOCHS` times in the given time.

    Args:
        spec: the columns.
        num_train: how many rows there are to learn from.
        seconds: how long training may take, or None for `UNHURRIED_S`.

    Returns:
        A key of `SIZES`; the smallest when none is fast enough.
    """
    work = {n: num_train * multiplications(replace(Config(), **c), spec) for n, c in SIZES.items()}
    affordable = (seconds or UNHURRIED_S) * MULTIPLICATIONS_PER_S / ENOUGH_EPOCHS
    names = ["several"] if num_train < FEW_ROWS else ["medium", "large"]
    return next((n for n in reversed(names) if work[n] <= affordable), next(iter(SIZES)))


def multiplications(config: Config, spec: TableSpec) -> int:
    """Return how many multiplications one row takes on its way through the members."""
    inputs = flat_width(spec, embedding_width(config, spec))
    members = config.num_networks * config.num_members
    return members * config.width * (inputs + (config.depth - 1) * config.width)


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many rows."""
    sizes = {500: 32, 2_000: 64, FEW_ROWS: 128}
    batch_size = next((size for rows, size in sizes.items() if num_train < rows), 256)
    steps = FEWER_STEPS if num_train < FEW_ROWS else STEPS
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(steps * batch_size / num_train)))
    return replace(RECIPE, batch_size=batch_size, epochs=epochs)


def embedding_width(config: Config, spec: TableSpec) -> int:
    """Return E: narrower than `config.embedding` where there are many columns."""
    num_columns = len(spec.numbers) + len(spec.categories)
    return max(1, min(config.embedding, MOST_EMBEDDED // max(1, num_columns)))


def flat_width(spec: TableSpec, embedding: int) -> int:
    """Return how many numbers the first layer sees."""
    num_embedded = len(spec.numbers) + len(spec.categories)
    return num_embedded * embedding + len(spec.flagged) + spec.num_bits


def pieces(
    numbers: Float[Tensor, "B D"], low: Float[Tensor, "D T"], high: Float[Tensor, "D T"]
) -> Float[Tensor, "B D T"]:
    """Return how far each number reaches into each interval (Gorishniy et al. 2022, eq. 1).

    0 before the interval, 1 behind it, and linear inside; the first one goes on below 0 and the
    last one above 1. Intervals of no width give 0.
    """
    width = high - low
    reach = (numbers[:, :, None] - low) / width.clamp(min=1e-12)
    index = torch.arange(low.shape[1], device=low.device)
    is_last = index == (width > 0).sum(1, keepdim=True) - 1  # (D, T)
    floor = torch.where(index == 0, -math.inf, 0.0)
    ceiling = torch.where(is_last, math.inf, 1.0)
    reach = torch.minimum(torch.maximum(reach, floor), ceiling)
    return torch.where(width > 0, reach, 0.0)


class NumberEmbeddings(nn.Module):
    """Each number to E numbers: a line, and what the pieces add to it.

    The pieces' weights start at zero, so that every column begins as a straight line.

    Args:
        edges: for each column the bounds of its intervals, ascending.
        embedding: E.
    """

    low: Tensor
    high: Tensor

    def __init__(self, edges: list[tuple[float, ...]], embedding: int) -> None:
        super().__init__()
        most = max(2, *(len(bounds) for bounds in edges)) if edges else 2
        padded = [(bounds or (0.0,)) + ((bounds or (0.0,))[-1],) * most for bounds in edges]
        bounds = torch.tensor([row[:most] for row in padded]).view(len(edges), most)
        self.register_buffer("low", bounds[:, :-1], persistent=False)
        self.register_buffer("high", bounds[:, 1:], persistent=False)
        self.line = nn.Parameter(torch.empty(len(edges), embedding).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(len(edges), embedding).uniform_(-1, 1))
        self.weight = nn.Parameter(torch.zeros(len(edges), most - 1, embedding))

    def forward(self, numbers: Float[Tensor, "B D"]) -> Float[Tensor, "B D E"]:
        """Embed."""
        reached = pieces(numbers, self.low, self.high).transpose(0, 1)  # (D, B, T)
        bent = torch.bmm(reached, self.weight).transpose(0, 1)
        return numbers[:, :, None] * self.line + self.bias + bent


class SharedLinear(nn.Module):
    """One weight matrix for all members, with scales and a bias for each (Wen et al. 2020).

    Args:
        num_members: M.
        num_inputs: I.
        num_outputs: O.
    """

    def __init__(self, num_members: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        bound = num_inputs**-0.5
        self.weight = nn.Parameter(torch.empty(num_inputs, num_outputs).uniform_(-bound, bound))
        self.r = nn.Parameter(torch.ones(num_members, num_inputs))
        self.s = nn.Parameter(torch.ones(num_members, num_outputs))
        bias = torch.empty(num_outputs).uniform_(-bound, bound)
        self.bias = nn.Parameter(bias.repeat(num_members, 1))

    def forward(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "M B O"]:
        """Return ((x o r_i) W) o s_i + b_i for each member i, with one product for all of them."""
        product = (x * self.r[:, None, :]).flatten(0, 1) @ self.weight  # (M B, O)
        scaled = product.view(len(x), -1, product.shape[1])
        return torch.addcmul(self.bias[:, None, :], scaled, self.s[:, None, :])


class Perceptrons(nn.Module):
    """Embeddings, layers that the members share, and a last layer for each.

    Args:
        config: the dials.
        spec: the columns.
        num_outputs: K.
    """

    offsets: Tensor

    def __init__(self, config: Config, spec: TableSpec, num_outputs: int) -> None:
        super().__init__()
        self.num_numbers, self.num_categories = len(spec.numbers), len(spec.categories)
        width = embedding_width(config, spec)
        sizes = [len(column.categories) + 1 for column in spec.categories]
        starts = torch.tensor([sum(sizes[:i]) for i in range(len(sizes))], dtype=torch.long)
        self.register_buffer("offsets", starts, persistent=False)
        if spec.numbers:
            self.numbers = NumberEmbeddings([c.edges for c in spec.numbers], width)
        if spec.categories:
            self.categories = nn.Embedding(sum(sizes), width)
            nn.init.uniform_(self.categories.weight, -1.0, 1.0)
        inputs = [flat_width(spec, width)] + [config.width] * (config.depth - 1)
        self.layers = nn.ModuleList(
            SharedLinear(config.num_members, num, config.width) for num in inputs
        )
        first = self.layers[0]
        assert isinstance(first, SharedLinear)
        _scatter(first.r, self.num_numbers, inputs[0], self.num_categories, width)
        self.dropout = config.dropout
        bound = config.width**-0.5
        shape = (config.num_members, config.width, num_outputs)
        self.last = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.last_bias = nn.Parameter(torch.zeros(config.num_members, num_outputs))

    def features(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B I"]:
        """Return what the first layer sees: embedded numbers, plain ones, embedded categories."""
        end = rows.shape[1] - self.num_categories
        found = [rows[:, self.num_numbers : end]]
        if self.num_numbers:
            found.insert(0, self.numbers(rows[:, : self.num_numbers]).flatten(1))
        if self.num_categories:
            found.append(self.categories(rows[:, end:].long() + self.offsets).flatten(1))
        return torch.cat(found, dim=1)

    def activations(self, rows: Float[Tensor, "B W"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer."""
        x = self.features(rows).expand(len(self.last), -1, -1)  # (M, B, I)
        found = []
        for layer in self.layers:
            x = self._leave_out(F.relu(layer(x), inplace=True))
            found.append(x)
        return found

    def members(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
        """Return each member's answer."""
        x = self.activations(rows)[-1]
        return torch.baddbmm(self.last_bias[:, None, :], x, self.last).transpose(0, 1)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K)."""
        return Logits(self.members(rows))

    def _leave_out(self, x: Float[Tensor, "M B O"]) -> Float[Tensor, "M B O"]:
        """Drop units in training: the same ones for all members, but others for every row."""
        if not self.training or self.dropout == 0:
            return x
        return x * F.dropout(torch.ones_like(x[0]), self.dropout)


class TabularNetwork(nn.Module):
    """Networks of perceptrons, and the mean of all their members' answers.

    Args:
        config: the dials.
        spec: the columns.
        target: the question.
    """

    shares: Tensor

    def __init__(self, config: Config, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.kind = target.kind
        self.networks = nn.ModuleList(
            Perceptrons(config, spec, target.num_outputs) for _ in range(config.num_networks)
        )
        num = config.num_networks
        self.register_buffer("shares", torch.full((num,), 1 / num))

    def count_first(self, num: int) -> None:
        """Let only the first networks answer, while the others are not trained yet."""
        self.shares.zero_()[:num] = 1 / num

    def activations(self, rows: Float[Tensor, "B W"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer of the first network."""
        first = self.networks[0]
        assert isinstance(first, Perceptrons)
        return first.activations(rows)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K) in training, else their mean (B, K)."""
        answers = [network(rows).values for network in self.networks]
        if self.training:
            return Logits(torch.cat(answers, dim=1))
        weights = (self.shares / answers[0].shape[1]).repeat_interleave(answers[0].shape[1])
        return Logits(mean_answer(torch.cat(answers, dim=1), weights, self.kind))


def mean_answer(
    answers: Float[Tensor, "B M K"], weights: Float[Tensor, " M"], kind: str
) -> Float[Tensor, "B K"]:
    """Return the weighted mean over members: of probabilities, as logits, or of numbers."""
    weights = weights[:, None]
    if kind == "number":
        return (answers * weights).sum(1)
    if kind == "classes":
        return (answers.float().log_softmax(2) + weights.log()).logsumexp(1)
    return (answers.float().sigmoid() * weights).sum(1).logit(eps=1e-6)


def stages(
    model: nn.Module, config: Config, feed: TableFeed, stage: Stage, seed: int
) -> Iterator[Stage]:
    """Yield one stage for each network: rows set aside decide which of its weights are kept.

    Args:
        model: the networks.
        config: their dials.
        feed: of all rows to learn from.
        stage: how to descend on them.
        seed: decides which rows are set aside.
    """
    assert isinstance(model, TabularNetwork)
    folds = set_aside(len(feed.inputs), config.num_networks, seed)
    for k, (network, aside) in enumerate(zip(model.networks, folds, strict=True)):
        learned = feed.some(np.setdiff1d(np.arange(len(feed.inputs)), aside))
        only = replace(
            stage, name=f"network {k + 1}" if len(folds) > 1 else stage.name, feed=learned,
            objective=partial(_of_network, network=network, objective=stage.objective),
            optimizer=partial(_for_network, network=network, optimizer=stage.optimizer),
            steps=max(1, round(stage.steps * len(learned.inputs) / len(feed.inputs))),
            before=partial(_begin, num=k + 1),
        )  # fmt: skip
        if len(aside):
            batch = feed.some(aside).whole()
            every = max(FEWEST_STEPS_BETWEEN, learned.steps_per_epoch)
            best = BestWeights(network, batch, stage.objective, every)
            only = replace(only, after_step=best.after_step, after=best.after, keeps={"best": best})
        yield only


def _begin(model: nn.Module, num: int) -> None:
    assert isinstance(model, TabularNetwork)
    model.count_first(num)


def _of_network(model: nn.Module, batch: Batch, network: nn.Module, objective: Objective) -> Tensor:
    return objective(network, batch)


def _for_network(
    model: nn.Module, network: nn.Module, optimizer: Callable[[nn.Module], Optimizer]
) -> Optimizer:
    return optimizer(network)


def set_aside(num: int, num_networks: int, seed: int) -> list[np.ndarray]:
    """Return for each network the rows that it does not learn from, ascending.

    Several networks have a part of their own each, which together are all rows; one network has
    a tenth or so; none are set aside where they would be too few to choose by.
    """
    share = 1 / num_networks if num_networks > 1 else 0.15 if num < SMALL_TABLE else 0.1
    count = round(share * num)
    if count < FEWEST_SET_ASIDE:
        return [np.zeros(0, np.int64)] * num_networks
    order = numpy_generator(seed, "set aside").permutation(num)
    pieces = np.array_split(order, num_networks) if num_networks > 1 else [order[:count]]
    return [np.sort(piece[:MOST_SET_ASIDE]) for piece in pieces]


def _scatter(r: Tensor, num_numbers: int, num_inputs: int, num_categories: int, width: int) -> None:
    """Draw the members' first scales from N(0, 1), one for each column, so that members differ."""
    num_plain = num_inputs - (num_numbers + num_categories) * width
    with torch.no_grad():
        columns = [torch.randn(len(r), n) for n in (num_numbers, num_plain, num_categories)]
        numbers, plain, categories = columns
        r.copy_(
            torch.cat(
                [
                    numbers.repeat_interleave(width, 1), plain,
                    categories.repeat_interleave(width, 1),
                ],
                dim=1,
            )
        )  # fmt: skip
