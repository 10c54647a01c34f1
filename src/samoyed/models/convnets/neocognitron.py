"""The neocognitron: planes of simple and complex cells that organise themselves, without a teacher.

Fukushima, K. & Miyake, S. (1982). Neocognitron: a new algorithm for pattern recognition tolerant of
deformations and shifts in position. Pattern Recognition 15(6), 455-469; the simulated network is
that of Fukushima (1980), Biological Cybernetics 36, 193-202, which prints sizes and constants.

What was new: the architecture of every convolutional network since. Simple cells that find the same
feature everywhere because the cells of a plane share their inputs, complex cells that forgive its
exact place, and stages of both that see more and more. It had no back-propagation.

Equation -> here:

* S-cells, r phi[(1 + sum a u) / (1 + r / (1 + r) b v) - 1]      -> `SimpleCells.forward`
* v-cells, the root of the weighted mean square of a field       -> `SimpleCells.inhibition`
* C-cells, psi[(1 + sum d u) / (1 + mean over planes of it) - 1] -> `ComplexCells.forward`
* psi[x] = x / (alpha + x) for positive x                        -> `saturated`
* one seed cell a plane at most: the largest of the columns' largest cells -> `seeds`
* reinforcement of a seed cell's inputs, q c u to each a and q v to b -> `reinforcement`
* layers learn one after the other, from the input on -> `stages`

The rule of reinforcement is a step of gradient descent. With the seeds held fixed, minus q times
what arrives at them, sum a c u + b v, has just these increments as its negative gradient; plain
descent at the rate 1 on one picture at a time adds them to a and b. So the network learns in the
same loop as every other, without a gradient ever passing through a layer.

Sizes of the three stages on 16 x 16 pixels: S 16, C 10, S 8, C 6, S 2, C 1 cells along a side, 24
planes each. Variable inputs: 24 (25 + 1) + 24 (600 + 1) + 24 (600 + 1) = 29,472.

**Departures**

1. The shapes of the fixed inputs c and d, which fall with the distance from the centre of the
   field, and the first values of the inputs a, small and positive, are not printed; `FALL_C`,
   `FALL_D` (the best of four pairs on five drawn digits, shifted) and `SMALL` are ours.
2. The paper looks which cell of the last layer answers to which pattern. Here a last stage counts
   the labels of the pictures to which each of the 24 last cells responds most; its table of counts
   names them. A picture to which none responds is rejected: all classes are equally likely.
3. The paper shows five patterns twenty times each, a hundred presentations a layer. Where there
   are more pictures each layer sees so many of them, however long training may take: inputs grow
   with every reinforcement, and cells become choosier with them.
4. The printed constants belong to a few thin-lined patterns; on many pictures of thick strokes the
   second layer finds everything alike. The sizes "strokes" and "smooth" have more planes and are
   choosier, the latter for pictures smaller than 16 pixels, which enlarging has smoothed. They
   were chosen in a dozen short runs by looking at held-out pictures: 1,000 of MNIST and the
   bundled digits.
5. Pictures of any size and colour are brought to 16 x 16 gray.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Count, LargeCount, Positive
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import DESCENT, Recipe, Stage, constant

REFERENCE = Reference(
    title="Neocognitron: a new algorithm for pattern recognition tolerant of deformations and "
    "shifts in position",
    authors="Fukushima, K. & Miyake, S.",
    year=1982,
    venue="Pattern Recognition 15(6), 455-469",
    review=46,
    url="https://doi.org/10.1016/0031-3203(82)90024-3",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=1.0, batch_size=64, epochs=20, momentum=0.0,
    weight_decay=0.0, schedule="constant", precision="float32",
)  # fmt: skip

SIDE = 16  # pixels
FIELD = 5  # of S-cells, and of C-cells but for the last
SPACING = 2  # C-cells are half as dense as the S-cells they look at
MARGINS = (2, 1, 0)  # how far the fields of each S-layer reach over the border
OVERHANG = (4, 3)  # how far those of C-layers do, before and after
SIDES = ((16, 10), (8, 6), (2, 1))  # cells along the side of S and C layers
FALL_C, FALL_D = 0.7, 0.8  # of fixed inputs, from one cell to the next
SMALL = 1e-3  # largest first value of the inputs a


@dataclass(frozen=True)
class Config:
    """The constants of the simulation (Fukushima 1980).

    Args:
        num_planes: K, of every layer.
        selectivity: r of each stage: the larger, the more alike an input must be.
        gain: q of each stage, the size of a reinforcement.
        saturation: alpha of the C-cells.
        num_presentations: how many pictures each layer learns from at most.
    """

    num_planes: Count = 24
    selectivity: tuple[Positive, Positive, Positive] = (4.0, 1.5, 1.5)
    gain: tuple[Positive, Positive, Positive] = (1.0, 16.0, 16.0)
    saturation: Positive = 0.5
    num_presentations: LargeCount = 100

    def __post_init__(self) -> None:
        if self.num_planes < 1 or self.num_presentations < 1:
            raise ValueError("num_planes and num_presentations are 1 or more")
        if min(*self.selectivity, *self.gain, self.saturation) <= 0:
            raise ValueError("selectivity, gain and saturation are positive")


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "strokes": {"num_planes": 100, "selectivity": (4.0, 4.0, 1.5), "num_presentations": 300},
    "smooth": {"num_planes": 100, "selectivity": (8.0, 8.0, 3.0), "num_presentations": 300},
}
"""Named sizes: how they differ from `Config`'s defaults."""

FEW_PATTERNS = 50  # so many are for the paper's own size

# Legend for shapes: B batch, I planes below, K planes, H rows, W columns, N classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: 16 x 16, gray."""
    return ImageSpec(channels=1, height=SIDE, width=SIDE)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> Neocognitron:
    """Build the network for these classes."""
    return Neocognitron(config, len(labels))


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose the paper's size for a few patterns, and for more by whether they are enlarged."""
    if num_train <= FEW_PATTERNS:
        return "paper"
    return "smooth" if max(spec.height, spec.width) < SIDE else "strokes"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train; the same for any number of examples."""
    return RECIPE


def falling(side: int, fall: float) -> Float[Tensor, "F F"]:
    """Return fixed inputs of a field: `fall` to the power of the distance from its centre."""
    places = torch.arange(side) - (side - 1) / 2
    return fall ** (places.square()[:, None] + places.square()).sqrt()


def saturated(x: Float[Tensor, "*S"], alpha: float) -> Float[Tensor, "*S"]:
    """Return psi[x]: x / (alpha + x) where x is positive, else 0."""
    positive = x.clamp(min=0)
    return positive / (alpha + positive)


class SimpleCells(nn.Module):
    """S-cells: each plane finds one feature of the layer below, wherever it is.

    Args:
        num_inputs: planes below.
        num_planes: K.
        selectivity: r.
        margin: how far fields reach over the border.
    """

    c: Tensor

    def __init__(self, num_inputs: int, num_planes: int, selectivity: float, margin: int) -> None:
        super().__init__()
        self.r, self.margin = selectivity, margin
        c = falling(FIELD, FALL_C)
        self.register_buffer("c", c / (c.sum() * num_inputs), persistent=False)
        self.a = nn.Parameter(torch.rand(num_planes, num_inputs, FIELD, FIELD) * SMALL)
        self.b = nn.Parameter(torch.zeros(num_planes))

    def inhibition(self, below: Float[Tensor, "B I H W"]) -> Float[Tensor, "B 1 J L"]:
        """Return v: the root of the mean square of all planes in a field, weighted by c."""
        weights = self.c.expand(1, below.shape[1], -1, -1)
        return F.conv2d(below.square(), weights, padding=self.margin).clamp(min=0).sqrt()

    def forward(self, below: Float[Tensor, "B I H W"]) -> Float[Tensor, "B K J L"]:
        """Return the cells' activity, zero or more."""
        excitation = F.conv2d(below, self.a, padding=self.margin)
        shunt = self.r / (1 + self.r) * self.b[:, None, None] * self.inhibition(below)
        return self.r * F.relu((1 + excitation) / (1 + shunt) - 1)

    def reinforced_input(self, below: Float[Tensor, "B I H W"]) -> Float[Tensor, "B K J L"]:
        """Return sum a c u + b v for every cell; its slopes are what a seed cell's inputs gain."""
        excitation = F.conv2d(below, self.a * self.c, padding=self.margin)
        return excitation + self.b[:, None, None] * self.inhibition(below)


class ComplexCells(nn.Module):
    """C-cells: each looks at a neighbourhood of one plane, inhibited by all planes' mean.

    Args:
        side: of the neighbourhood.
        saturation: alpha.
        is_last: one cell a plane, which sees all of it.
    """

    d: Tensor

    def __init__(self, side: int, saturation: float, is_last: bool) -> None:
        super().__init__()
        self.alpha, self.is_last = saturation, is_last
        self.register_buffer("d", falling(side, FALL_D), persistent=False)

    def forward(self, cells: Float[Tensor, "B K H W"]) -> Float[Tensor, "B K J L"]:
        """Return the cells' activity, from 0 to below 1."""
        if not self.is_last:
            cells = F.pad(cells, OVERHANG * 2)
        num_planes = cells.shape[1]
        weights = self.d.expand(num_planes, 1, -1, -1)
        excitation = F.conv2d(cells, weights, stride=SPACING, groups=num_planes)
        inhibition = excitation.mean(1, keepdim=True)
        return saturated((1 + excitation) / (1 + inhibition) - 1, self.alpha)


class StageOfCells(nn.Module):
    """A layer of S-cells and the C-cells above it.

    Args:
        config: the constants.
        index: which stage, from 0.
    """

    def __init__(self, config: Config, index: int) -> None:
        super().__init__()
        is_last = index == len(SIDES) - 1
        num_inputs = config.num_planes if index else 1
        selectivity, margin = config.selectivity[index], MARGINS[index]
        self.simple = SimpleCells(num_inputs, config.num_planes, selectivity, margin)
        side = SIDES[index][0] if is_last else FIELD
        self.complex = ComplexCells(side, config.saturation, is_last)
        self.column_side = min(FIELD, SIDES[index][0])
        self.gain = config.gain[index]

    def forward(self, below: Float[Tensor, "B I H W"]) -> Float[Tensor, "B K J L"]:
        """Return the activity of the C-cells."""
        return self.complex(self.simple(below))


class Neocognitron(nn.Module):
    """Three stages, and a table of what their last cells were seen to respond to.

    Args:
        config: the constants.
        num_classes: N.
    """

    def __init__(self, config: Config, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(StageOfCells(config, index) for index in range(len(SIDES)))
        self.counts = nn.Parameter(torch.zeros(config.num_planes, num_classes))

    def layer(self, index: int) -> StageOfCells:
        """Return one stage, from 0 at the input."""
        layer = self.layers[index]
        assert isinstance(layer, StageOfCells)
        return layer

    @torch.no_grad()
    def climb(
        self, pictures: Float[Tensor, "B 1 16 16"], num_layers: int
    ) -> Float[Tensor, "B I H W"]:
        """Return what stage `num_layers` sees."""
        activity = pictures
        for index in range(num_layers):
            activity = self.layer(index)(activity)
        return activity

    def respond(self, pictures: Float[Tensor, "B 1 16 16"]) -> Float[Tensor, "B K"]:
        """Return the activity of the last C-cells, one of each plane."""
        return self.climb(pictures, len(self.layers)).flatten(1)

    def forward(self, pictures: Float[Tensor, "B 1 16 16"]) -> Logits:
        """Return (B, N): how often each class was counted at the winner, one count added to each.

        Pictures in [0, 1]. Where no cell responds all classes are alike.
        """
        shares = (self.counts + 1).log().log_softmax(1)
        return Logits(winners(self.respond(pictures)) @ shares)


def winners(responses: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """Return 1 for the cell that responds most, 0 for the others and where none responds.

    >>> winners(torch.tensor([[0.1, 0.7, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    best, index = responses.max(1, keepdim=True)
    return torch.zeros_like(responses).scatter(1, index, (best > 0).to(responses.dtype))


def seeds(activity: Float[Tensor, "B K H W"], column_side: int) -> Bool[Tensor, "B K H W"]:
    """Return which cells are seeds: at most one of each plane and picture.

    A column holds the cells of all planes in a square of `column_side`; columns overlap, one for
    every square that lies within the layer. The most active cell of a column is a candidate. Of
    the candidates in one plane the most active is the seed.
    """
    strongest, plane = activity.max(1)
    _, place = F.max_pool2d(strongest[:, None], column_side, stride=1, return_indices=True)
    is_candidate = torch.zeros_like(strongest, dtype=torch.bool).flatten(1)
    is_candidate = is_candidate.scatter(1, place.flatten(1), True)
    planes = torch.arange(activity.shape[1], device=activity.device)[:, None]
    mine = (plane.flatten(1)[:, None] == planes) & is_candidate[:, None]
    scores = strongest.flatten(1)[:, None] * mine
    best, index = scores.max(2, keepdim=True)
    return torch.zeros_like(mine).scatter(2, index, best > 0).view_as(activity)


def reinforcement(model: nn.Module, batch: Batch, *, index: int) -> Tensor:
    """Return minus what arrives at the seeds of a stage, times q; its gradient is the rule."""
    assert isinstance(model, Neocognitron)
    layer = model.layer(index)
    below = model.climb(batch.inputs, index)
    with torch.no_grad():
        is_seed = seeds(layer.simple(below), layer.column_side)
    return -layer.gain * (layer.simple.reinforced_input(below) * is_seed).sum()


def naming(model: nn.Module, batch: Batch) -> Tensor:
    """Return minus the counts of this batch's winners and labels; its gradient adds one to each."""
    assert isinstance(model, Neocognitron)
    assert batch.targets is not None
    rows = model.counts[:, batch.targets].T  # (B, K)
    return -(winners(model.respond(batch.inputs)) * rows).sum()


@runtime_checkable
class EpochFeed(Protocol):
    """A feed that knows how many steps make one sweep through its pictures."""

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches one sweep has."""
        ...

    def batch(self, step: int) -> Batch:
        """Return the batch of this step."""
        ...


@dataclass
class OneByOne:
    """The pictures of another feed's batches, each as a batch of its own, and then empty batches.

    Args:
        feed: the other feed; all its batches have the same size.
        num_shown: after so many pictures nothing more is shown.
    """

    feed: EpochFeed
    num_shown: int
    _newest: tuple[int, Batch] | None = field(default=None, init=False, repr=False)

    def batch(self, step: int) -> Batch:
        """Return picture `step` of the stream, or none."""
        size = len(self._batch(0)) if self._newest is None else len(self._newest[1])
        if step >= self.num_shown:
            return Batch(self._batch(0).inputs[:0])
        batch = self._batch(step // size)
        row = slice(step % size, step % size + 1)
        targets = None if batch.targets is None else batch.targets[row]
        return Batch(batch.inputs[row], targets)

    def _batch(self, step: int) -> Batch:
        if self._newest is None or self._newest[0] != step:
            self._newest = (step, self.feed.batch(step))
        return self._newest[1]


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    why = "cells are added and reinforced; nothing is descended"
    return dict.fromkeys((*DESCENT, "label_smoothing"), why)


def stages(
    model: Neocognitron, config: Config, feed: EpochFeed, name: Stage, seed: int
) -> Iterator[Stage]:
    """Yield one stage for each layer, from the input on, and the naming of the last cells.

    Args:
        model: the network.
        config: its constants.
        feed: plain pictures; layers do not look at their labels.
        name: the task's own stage; its feed and its number of epochs are kept.
        seed: not needed; nothing is drawn.
    """
    size = len(feed.batch(0))
    presentations = min(config.num_presentations, name.steps * size)
    for index in range(len(model.layers)):
        yield Stage(
            name=f"layer {index + 1}",
            feed=OneByOne(feed, config.num_presentations),
            objective=partial(reinforcement, index=index),
            optimizer=partial(_adding, index=index),
            steps=presentations,
        )
    yield replace(
        name, name="naming", objective=naming, optimizer=partial(_adding, index=None),
        rate=constant, steps=feed.steps_per_epoch, clip_norm=None,
    )  # fmt: skip


def _adding(model: nn.Module, *, index: int | None) -> torch.optim.Optimizer:
    """Return descent at the rate 1 on the inputs of one stage's S-cells, or on the counts."""
    assert isinstance(model, Neocognitron)
    chosen = [model.counts] if index is None else list(model.layer(index).parameters())
    return torch.optim.SGD(chosen, lr=1.0)
