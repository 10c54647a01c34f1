"""The tabular network: today's default for tables, an ensemble of multilayer perceptrons in one.

Gorishniy, Y., Kotelnikov, A. & Babenko, A. (2025). TabM: advancing tabular deep learning with
parameter-efficient ensembling. ICLR. Numbers are embedded piece by piece (Gorishniy, Y., Rubachev,
I. & Babenko, A. (2022). On embeddings for numerical features in tabular deep learning. NeurIPS),
and members share their weights up to scales (Wen, Y., Tran, D. & Ba, J. (2020). BatchEnsemble: an
alternative approach to efficient ensemble and lifelong learning. ICLR).

What was new: many perceptrons trained at once, at the cost of little more than one, because they
share their weight matrices; each learns from its own loss, and only their answers are averaged.

Where rows are few (`FEW_ROWS`), members share nothing instead, and each learns without another
fifth of the rows: what it says of those is an honest judgement of when to stop, of how sure to be
(Krogh, A. & Vedelsby, J. (1995). Neural network ensembles, cross validation, and active learning.
NIPS 7), and of how much each of four networks and a forest of decision trees should say: a linear
one, one that adds products of two columns (Rendle, S. (2010). Factorization machines. ICDM), one
that adds a hidden layer to those, and one of two hidden layers; the forest (Breiman, L. (2001).
Random forests. Machine Learning 45, 5-32) is grown on the same rows once they have learned.

Equation -> here:

* Gorishniy et al. 2022, eq. 1, how far a number reaches into each interval -> `pieces`
* the same, section 3.4, linear layers on the pieces, one for each column   -> `NumberEmbeddings`
* Wen et al. 2020, section 3, ((x o r_i) W) o s_i, with a bias b_i          -> `SharedLinear`
* Gorishniy et al. 2025, section 3, scales start at 1 but for the first -> `SharedPerceptrons`
* the same, the mean of the members' answers                               -> `mean_answer`
* Krogh & Vedelsby 1995, members judged on the rows that they did not see  -> `OutOfFold`
* Rendle 2010, section III, products of every two features       -> `SeparatePerceptrons.products`
* members for few rows, with gates on the columns                -> `SeparatePerceptrons`
* Breiman 2001, trees of members for few rows                              -> `Forest`
* networks picked again and again, as their answers to unseen rows say     -> `OutOfFold.weigh`

**Departures**

1. Gorishniy et al. 2025, section 4: width, depth, rate and decay are tuned for each table there;
   here they follow from the number of rows and the time (`SIZES`, `recommend`, `recipe_for`).
   What is done for few rows was chosen on a few hundred rows each of adult, HIGGS, letter, splice
   and ESOL, judged by the others, and on folds of breast cancer, wine and diabetes; which four
   networks there are, on fifths of the rows to learn from of HIGGS and splice, and looked over
   on such of ESOL, diabetes, breast cancer, wine and iris. That a forest joins them was chosen on
   fifths of the rows to learn from of HIGGS and splice; two folds of tox21 were looked at too. How
   fine the bounds of many rows are was chosen on one fifth of adult's rows to learn from. HIGGS's
   and adult's own test rows played no part.
2. Section 3 encodes categories as one-hot vectors; here each has an embedding, which is the same
   first layer with a factor of lower rank when a category has many values (one-hot for few rows).
3. Gorishniy et al. 2022, section 3.2: intervals are bounded by quantiles of the values; here half
   of the bounds are quantiles of the distinct values, for columns that are mostly zero. There are
   the more of them the more rows there are (one for 200, 49 at least and 257 at most), so that
   single values that mean much, such as sums that tax forms bring about, are told apart.
4. Wide tables (more than `MOST_EMBEDDED` places together) get narrower embeddings; bits of
   fingerprints and indicators of missing values are not embedded.
5. The units that dropout leaves out of a row are the same for all members, which takes a fraction
   of the random numbers.
6. Training stops with a cosine schedule at the planned step, and the weights kept are those that
   did best on rows set aside, instead of stopping after 16 epochs without progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge, Le
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Count, CountOrNone, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.table_feed import MemberFeed, TableFeed
from samoyed.layers.forest import Forest
from samoyed.layers.separate_perceptrons import SeparatePerceptrons, columns_of
from samoyed.layers.shared_perceptrons import SharedPerceptrons, flat_width
from samoyed.training.best_weights import BestWeights, on_rows, watched
from samoyed.training.out_of_fold import OutOfFold, held_out, mean_answer, set_aside, tempered

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
        num_members: how many perceptrons there are.
        width: units of each hidden layer.
        depth: hidden layers.
        embedding: numbers that stand for one column.
        dropout: share of the hidden units that are left out in training.
        num_folds: where more than 0, members share nothing, see the columns through gates, and
            each learns without one of so many parts of the rows: what suits few rows. There are
            then four such networks (`KINDS`) and a forest; `depth` and `embedding` say nothing.
        num_pieces: intervals of a column of numbers that such members see.
        num_factors: rank of the weights that such members have for products of two columns.
        num_trees: of the forest that each such member has besides; 0 for none.
        num_leaves: that such a tree may have.
    """

    num_members: Count = 8
    width: Count = 256
    depth: Annotated[int, Ge(0), Le(1000)] = 2
    embedding: Count = 12
    dropout: Share = 0.1
    num_folds: CountOrNone = 0
    num_pieces: Count = 8
    num_factors: Count = 16
    num_trees: CountOrNone = 0
    num_leaves: Count = 128


SIZES: dict[str, dict[str, Any]] = {
    "small": {"num_members": 4, "embedding": 8},
    "few": {"num_members": 10, "width": 64, "dropout": 0.2, "num_folds": 5, "num_trees": 40},
    "medium": {},
    "large": {"num_members": 16, "width": 384, "depth": 3, "embedding": 16},
}
"""Named sizes: how they differ from `Config`'s defaults."""

MOST_EMBEDDED = 2048  # places of all embeddings together
MULTIPLICATIONS_PER_S = 8e9  # assumed: multiplications of forward passes, while training
ENOUGH_EPOCHS = 20  # a larger size is worth its time once it can read the data this often
UNHURRIED_S = 120.0  # how long training may take where nobody said
FEW_ROWS = 10_000  # below this, members share nothing: rows that are set aside are missed
STEPS, FEWER_STEPS = 3000, 600  # what suffices for a table of moderate size; for few rows
FEWEST_EPOCHS, MOST_EPOCHS = 12, 80
SMALL_TABLE = 2000  # rows below which batches are small
FEWEST_STEPS_BETWEEN = 10  # looks at the rows set aside
KINDS: dict[str, tuple[str, ...]] = {
    "linear": (),
    "products": ("num_pieces", "num_factors"),
    "hidden layer": ("num_pieces", "num_factors", "width"),
    "two hidden layers": ("num_pieces", "width", "depth"),
}
"""Networks of members that share nothing: which of the dials say more than 0 of each."""

MOST_LOOKS = 40  # at what members say out of fold

# Legend for shapes: B batch, D columns of numbers, C columns of categories, T intervals,
# E embedding, M members, I inputs and O outputs of a layer, K answers, W an encoded row.


def build(config: Config, spec: TableSpec, target: TargetSpec) -> TabularNetwork:
    """Build the network for these columns and this question."""
    return TabularNetwork(config, spec, target)


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    if not config.num_folds:
        why = "members share their weights (num_folds=0), as for many rows"
        return dict.fromkeys(("num_pieces", "num_factors", "num_trees", "num_leaves"), why)
    said = dict.fromkeys(("depth", "embedding"), "members share nothing (num_folds is not 0)")
    return said if config.num_trees else {**said, "num_leaves": "there are no trees (num_trees=0)"}


def recommend(spec: TableSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: separate members for few rows, else the largest one that time allows.

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
    names = ["few"] if num_train < FEW_ROWS else ["medium", "large"]
    return next((n for n in reversed(names) if work[n] <= affordable), next(iter(SIZES)))


def multiplications(config: Config, spec: TableSpec) -> int:
    """Return how many multiplications one row takes on its way through the members."""
    if config.num_folds:
        num = len(columns_of(spec, config.num_pieces))
        each = 2 * (config.width + config.num_factors) * num + config.width**2
        return config.num_members * each
    inputs = flat_width(spec, embedding_width(config, spec))
    return config.num_members * config.width * (inputs + (config.depth - 1) * config.width)


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many rows."""
    if num_train < FEW_ROWS:
        batch_size = min(num_train, 64 if num_train < SMALL_TABLE else 128)
        epochs = FEWER_STEPS * batch_size / num_train
        return replace(
            RECIPE, batch_size=batch_size, epochs=epochs, learning_rate=3e-3, weight_decay=1.0
        )
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(STEPS * 256 / num_train)))
    return replace(RECIPE, batch_size=256, epochs=epochs)


def embedding_width(config: Config, spec: TableSpec) -> int:
    """Return E: narrower than `config.embedding` where there are many columns."""
    num_columns = len(spec.numbers) + len(spec.categories)
    return max(1, min(config.embedding, MOST_EMBEDDED // max(1, num_columns)))


class TabularNetwork(nn.Module):
    """Networks of perceptrons, for few rows a forest too, and the mean of all members' answers.

    Args:
        config: the dials.
        spec: the columns.
        target: the question.
    """

    shares: Tensor
    sharpness: Tensor

    def __init__(self, config: Config, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.kind = target.kind
        outputs = target.num_outputs
        self.networks = nn.ModuleList(
            [separate(config, spec, outputs, kind) for kind in KINDS]
            if config.num_folds
            else [_shared(config, spec, outputs)]
        )
        self.forest: Forest | None = None
        if config.num_folds and config.num_trees:
            self.forest = Forest(
                spec, config.num_members, outputs, config.num_trees, config.num_leaves, target.kind
            )
        num = len(self.speakers())
        self.register_buffer("shares", torch.full((num,), 1 / num))
        self.register_buffer("sharpness", torch.ones(()))

    def speakers(self) -> list[nn.Module]:
        """Return the networks, and the forest where there is one."""
        return [*self.networks, *([] if self.forest is None else [self.forest])]

    def told(self) -> list[str]:
        """Say whose answers are mixed, the largest share first."""
        shares = dict(zip([*KINDS, "forest"], self.shares.tolist(), strict=False))
        if len(self.shares) == 1 or not max(shares.values()):
            return []
        mixed = sorted(shares.items(), key=lambda one: -one[1])
        said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in mixed if share > 0)
        return [f"mixed, as rows held out in turn say: {said}"]

    def count_first(self, num: int) -> None:
        """Let only the first networks answer, while the others are not trained yet."""
        self.shares.zero_()[:num] = 1 / num

    def activations(self, rows: Float[Tensor, "B W"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer of the last network."""
        last = self.networks[-1]
        assert isinstance(last, (SharedPerceptrons, SeparatePerceptrons))
        return last.activations(rows)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K) in training, else their mean (B, K)."""
        answers = torch.cat([_members(one, rows) for one in self.speakers()], dim=1)
        if self.training:
            return Logits(answers)
        each = answers.shape[1] // len(self.shares)
        mean = mean_answer(answers, (self.shares / each).repeat_interleave(each), self.kind)
        return Logits(mean * self.sharpness)


def separate(config: Config, spec: TableSpec, num_outputs: int, kind: str) -> SeparatePerceptrons:
    """Return a network of members that share nothing, of this kind."""
    dials = {
        "width": config.width, "num_pieces": config.num_pieces, "depth": 2,
        "num_factors": config.num_factors,
    }  # fmt: skip
    said = {name: value if name in KINDS[kind] else 0 for name, value in dials.items()}
    num = config.num_members
    return SeparatePerceptrons(spec, num, num_outputs=num_outputs, dropout=config.dropout, **said)


def _shared(config: Config, spec: TableSpec, num_outputs: int) -> SharedPerceptrons:
    return SharedPerceptrons(
        spec, config.num_members, config.width, config.depth, embedding_width(config, spec),
        config.dropout, num_outputs,
    )  # fmt: skip


def _members(one: nn.Module, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
    assert isinstance(one, (SharedPerceptrons, SeparatePerceptrons, Forest))
    return one.members(rows)


def stages(
    model: nn.Module, config: Config, feed: TableFeed, stage: Stage, seed: int
) -> Iterator[Stage]:
    """Yield the stages: rows that are not learned from decide which weights are kept.

    Args:
        model: the networks.
        config: their dials.
        feed: of all rows to learn from.
        stage: how to descend on them.
        seed: decides which rows are set aside.
    """
    assert isinstance(model, TabularNetwork)
    if config.num_folds:
        yield from _separate_stages(model, config, feed, stage, seed)
        return
    aside = set_aside(len(feed.inputs), seed)
    if not len(aside):
        yield stage
        return
    learned = feed.some(np.setdiff1d(np.arange(len(feed.inputs)), aside))
    every = max(FEWEST_STEPS_BETWEEN, learned.steps_per_epoch)
    unseen = feed.some(aside).whole()
    best = BestWeights(model, on_rows(unseen, stage.objective), every)
    steps = max(1, round(stage.steps * len(learned.inputs) / len(feed.inputs)))
    stage = watched(replace(stage, feed=learned, steps=steps), best)
    yield replace(stage, after=partial(_temper, before=stage.after, unseen=unseen))


def _separate_stages(
    model: TabularNetwork, config: Config, feed: TableFeed, stage: Stage, seed: int
) -> Iterator[Stage]:
    """Yield a stage for each of the networks; the last weighs them."""
    whole = feed.whole()
    assert whole.targets is not None
    num_folds = max(2, min(config.num_folds, config.num_members))
    is_held = held_out(feed.targets, config.num_members, num_folds, seed)
    unseen = OutOfFold(torch.from_numpy(is_held), whole.targets, model.kind)
    for k, (name, network) in enumerate(zip(KINDS, model.networks, strict=True)):
        assert isinstance(network, SeparatePerceptrons)
        is_last = k + 1 == len(KINDS)
        network.fit(whole.inputs)
        features = network.features(whole.inputs.to(model.shares.device)).cpu()
        learned = MemberFeed(features.numpy(), feed.targets, ~is_held, feed.batch_size, seed)
        best = BestWeights(
            network, partial(unseen.loss, features=features),
            max(FEWEST_STEPS_BETWEEN, stage.steps // MOST_LOOKS),
        )  # fmt: skip
        yield replace(
            stage, name=name, feed=learned, keeps={"best": best}, after_step=best.after_step,
            objective=partial(_of_network, network=network, objective=stage.objective),
            optimizer=partial(_for_network, network=network, optimizer=stage.optimizer),
            before=partial(_begin, num=k + 1, features=features, unseen=unseen),
            after=partial(_finish, best=best, rows=whole.inputs, unseen=unseen, seed=seed)
            if is_last else best.after,
            after_s=partial(_forest_s, model, rows=whole.inputs, unseen=unseen)
            if is_last else stage.after_s,
        )  # fmt: skip


def _temper(model: nn.Module, before: Callable[[nn.Module], None] | None, unseen: Batch) -> None:
    """Make the weights that were kept as sure as rows set aside say they may be."""
    assert before is not None
    before(model)
    assert isinstance(model, TabularNetwork)
    assert unseen.targets is not None
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        values = model(unseen.inputs.to(model.sharpness.device)).values
        factor = tempered(values, unseen.targets.to(values.device), model.kind)[1]
    model.train(was_training)
    model.sharpness.fill_(factor)


def _finish(
    model: nn.Module, best: BestWeights, rows: Tensor, unseen: OutOfFold, seed: int
) -> None:
    """Put the best weights in place, grow the forest, weigh all, and temper what they say."""
    best.after(model)
    assert isinstance(model, TabularNetwork)
    if model.forest is not None:
        model.forest.fit(rows, unseen.targets, ~unseen.is_held, seed)
    answers = []
    for one in model.speakers():
        assert isinstance(one, (SeparatePerceptrons, Forest))
        features = one.features(rows.to(model.shares.device)).detach().cpu()
        answers.append(unseen.answers(one, features))
    shares, sharpness = unseen.weigh(*answers)
    model.shares.copy_(shares)
    model.sharpness.fill_(sharpness)


def _forest_s(model: TabularNetwork, rows: Tensor, unseen: OutOfFold) -> float:
    """Estimate the seconds that the forest takes to grow."""
    return model.forest.fit_s(rows, unseen.targets, ~unseen.is_held) if model.forest else 0.0


def _begin(model: nn.Module, num: int, features: Tensor, unseen: OutOfFold) -> None:
    """Let the networks up to this one answer, and open its gates."""
    assert isinstance(model, TabularNetwork)
    model.count_first(num)
    network = model.networks[num - 1]
    assert isinstance(network, SeparatePerceptrons)
    network.open_gates(features, unseen.to_correlate(), ~unseen.is_held)


def _of_network(model: nn.Module, batch: Batch, network: nn.Module, objective: Objective) -> Tensor:
    return objective(network, batch)


def _for_network(
    model: nn.Module, network: nn.Module, optimizer: Callable[[nn.Module], Optimizer]
) -> Optimizer:
    return optimizer(network)
