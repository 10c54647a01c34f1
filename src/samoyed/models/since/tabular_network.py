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
* Gorishniy et al. 2025, section 3, scales start at 1 but for the first    -> `TabularNetwork`
* the same, the mean of the members' answers                               -> `mean_answer`

**Departures**

1. Gorishniy et al. 2025, section 4: width, depth, rate and decay are tuned for each table there;
   here they follow from the number of rows and the time (`SIZES`, `recommend`, `recipe_for`).
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
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Recipe

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
        num_members: how many perceptrons share the weights.
        width: units of each hidden layer.
        depth: hidden layers.
        embedding: numbers that stand for one column.
        dropout: share of the hidden units that are left out in training.
    """

    num_members: int = 8
    width: int = 256
    depth: int = 2
    embedding: int = 12
    dropout: float = 0.1


SIZES: dict[str, dict[str, Any]] = {
    "small": {"num_members": 4, "embedding": 8},
    "medium": {},
    "large": {"num_members": 16, "width": 384, "depth": 3, "embedding": 16},
}
"""Named sizes: how they differ from `Config`'s defaults."""

MOST_EMBEDDED = 2048  # places of all embeddings together
MULTIPLICATIONS_PER_S = 8e9  # assumed: multiplications of forward passes, while training
ENOUGH_EPOCHS = 20  # a larger size is worth its time once it can read the data this often
UNHURRIED_S = 120.0  # how long training may take where nobody said
STEPS = 3000  # what suffices for a table of moderate size
FEWEST_EPOCHS, MOST_EPOCHS = 12, 150

# Legend for shapes: B batch, D columns of numbers, C columns of categories, T intervals,
# E embedding, M members, I inputs and O outputs of a layer, K answers, W an encoded row.


def build(config: Config, spec: TableSpec, target: TargetSpec) -> TabularNetwork:
    """Build the network for these columns and this question."""
    return TabularNetwork(config, spec, target)


def recommend(spec: TableSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: the largest one that reads the rows `ENOUGH_EPOCHS` times in the given time.

    Args:
        spec: the columns.
        num_train: how many rows there are to learn from.
        seconds: how long training may take, or None for `UNHURRIED_S`.

    Returns:
        A key of `SIZES`; the smallest when none is fast enough.
    """
    chosen = next(iter(SIZES))
    for name, changes in SIZES.items():
        work = num_train * multiplications(replace(Config(), **changes), spec)
        if (seconds or UNHURRIED_S) * MULTIPLICATIONS_PER_S >= ENOUGH_EPOCHS * work:
            chosen = name
    return chosen


def multiplications(config: Config, spec: TableSpec) -> int:
    """Return how many multiplications one row takes on its way through the members."""
    inputs = flat_width(spec, embedding_width(config, spec))
    return config.num_members * config.width * (inputs + (config.depth - 1) * config.width)


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many rows."""
    batch_size = 64 if num_train < 2_000 else 128 if num_train < 10_000 else 256
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(STEPS * batch_size / num_train)))
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
        """Return ((x o r_i) W) o s_i + b_i for each member i.

        The scales are multiplied into the matrix, once for a batch, rather than into its rows.
        """
        scaled = self.weight * self.r[:, :, None] * self.s[:, None, :]  # (M, I, O)
        return torch.baddbmm(self.bias[:, None, :], x, scaled)


class TabularNetwork(nn.Module):
    """Embeddings, layers that the members share, and a last layer for each.

    Args:
        config: the dials.
        spec: the columns.
        target: the question.
    """

    offsets: Tensor

    def __init__(self, config: Config, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.kind = target.kind
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
        shape = (config.num_members, config.width, target.num_outputs)
        self.last = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.last_bias = nn.Parameter(torch.zeros(config.num_members, target.num_outputs))

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

    def _leave_out(self, x: Float[Tensor, "M B O"]) -> Float[Tensor, "M B O"]:
        """Drop units in training: the same ones for all members, but others for every row."""
        if not self.training or self.dropout == 0:
            return x
        return x * F.dropout(torch.ones_like(x[0]), self.dropout)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K) in training, else their mean (B, K)."""
        answers = self.members(rows)
        return Logits(answers if self.training else mean_answer(answers, self.kind))


def mean_answer(answers: Float[Tensor, "B M K"], kind: str) -> Float[Tensor, "B K"]:
    """Return the mean over members: of probabilities, as logits, or of numbers."""
    if kind == "number":
        return answers.mean(1)
    if kind == "classes":
        return answers.float().log_softmax(2).logsumexp(1) - math.log(answers.shape[1])
    return answers.float().sigmoid().mean(1).logit(eps=1e-6)


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
