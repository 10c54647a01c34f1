"""Multi-column networks: the mean of many nets that see the same picture prepared differently.

Ciresan, D., Meier, U., Masci, J. & Schmidhuber, J. (2012). Multi-column deep neural network for
traffic sign classification. Neural Networks 32, 333-338.

What was new: columns that differ in how the picture's contrast was prepared err differently, so
that their plain average is better than any of them, and better than people at traffic signs.

Paper -> here:

* the column: 7 x 7 to 100 maps, 4 x 4 to 150, 4 x 4 to 250, each followed by a maximum of
  2 x 2 fields, then 300 units and the classes -> `column`
* colour pictures are prepared in their intensity alone -> `in_intensity`
* Imadjust, Histeq, Adapthisteq, Conorm -> `data.contrast`, `PREPARATIONS`
* the mean of what the columns say    -> `mean_log_probability`
* five preparations, five nets each  -> `Config.preparations`, `Config.num_repeats`

Parameters of one column for 43 signs in colour: 14,800 + 240,150 + 600,250 + 675,300 + 12,943 =
1,543,443; twenty-five have 38,586,075.

**Departures**

1. All columns learn at once, from the same batches and, where pictures are varied, the same
   variations, which come before the preparation; in the paper each column is trained by itself on
   distortions of prepared pictures. Columns share nothing, and the loss is the sum of their own
   cross-entropies, so that each descends its own.
2. Intensity is the luma of ITU-R 601 instead of CIE Lab's lightness; the change of intensity is
   added to red, green and blue.
3. Constants that the paper does not print: the standard deviations of the two Gaussians, and the
   clip limit of the tiles, for which Matlab's default rule stands.
4. The paper descends one picture at a time at a rate that falls from 0.001 by 0.7 % an epoch;
   `RECIPE` takes batches, AdamW and a rate that falls to zero.
5. Without `--set augmentation=affine` training pictures are not distorted; the paper moves, turns
   and scales them.
6. The size "small" is ours, for processors. Where layers have fewer inputs than in the paper first
   weights are as much larger as keeps the layers' sums as large (`first_bound`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.numbers import Count
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.data.contrast import (
    contrast_normalized,
    equalized,
    equalized_in_tiles,
    in_intensity,
    stretched,
)

REFERENCE = Reference(
    title="Multi-column deep neural network for traffic sign classification",
    authors="Ciresan, D., Meier, U., Masci, J. & Schmidhuber, J.",
    year=2012,
    venue="Neural Networks 32, 333-338",
    review=53,
    url="https://doi.org/10.1016/j.neunet.2012.02.023",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1e-3, batch_size=64, epochs=15, momentum=0.9,
    weight_decay=0.0, schedule="cosine",
)  # fmt: skip

AUGMENTATION = "affine"
"""The paper's kind of distortion, as `--set augmentation=` takes it."""

AMPLITUDE, SLOPE = 1.7159, 2 / 3  # of the squashing function
WEIGHT_BOUND = 0.05  # first weights are drawn from U(-0.05, 0.05)
FAN_INS = (3 * 49, 100 * 16, 150 * 16, 250 * 9, 300)  # of the paper's layers


@dataclass(frozen=True)
class Config:
    """The sizes of the paper.

    Args:
        side: pixels.
        num_maps: of the three convolutions.
        num_hidden: units of the fully connected layer.
        preparations: keys of `PREPARATIONS`, one group of columns each.
        num_repeats: columns for each preparation; they differ in their first weights.
        num_tiles: along each side, of the adaptive preparation; they divide `side`.
    """

    side: Annotated[int, Ge(30), Le(1024)] = 48
    num_maps: tuple[Count, Count, Count] = (100, 150, 250)
    num_hidden: Count = 300
    preparations: tuple[str, ...] = ("original", "imadjust", "histeq", "adapthisteq", "conorm")
    num_repeats: Annotated[int, Gt(0), Le(100)] = 5
    num_tiles: Count = 8

    def __post_init__(self) -> None:
        unknown = sorted(set(self.preparations) - set(PREPARATIONS))
        if unknown or not self.preparations:
            raise ValueError("preparations are some of " + ", ".join(PREPARATIONS))
        if self.num_repeats < 1:
            raise ValueError("num_repeats is 1 or more")
        if self.side % self.num_tiles or self.side < 30:
            raise ValueError("side is at least 30 and a multiple of num_tiles")


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {"side": 32, "num_maps": (32, 48, 64), "num_hidden": 100, "num_repeats": 1},
}
"""Named sizes: how they differ from `Config`'s defaults."""

FIELDS = (7, 4, 4)  # of the three convolutions, each followed by 2 x 2 maxima
MULTIPLICATIONS_PER_S = 1.2e10  # assumed: multiplications of forward passes, while training
ENOUGH_EPOCHS = 15
UNHURRIED_S = 180.0  # how long training may take where nobody said

# Legend for shapes: B batch, C channels or maps, H rows, W columns, N columns, K classes.


class ColumnLogits(NamedTuple):
    """What all columns say together, (B, K), and each by itself, (B, N, K)."""

    values: Tensor
    columns: Tensor


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return squares of the configured side, gray or coloured as the pictures are."""
    return ImageSpec(3 if spec.channels == 3 else 1, config.side, config.side)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> MultiColumnNetwork:
    """Build the columns for these classes."""
    return MultiColumnNetwork(config, spec, len(labels))


def recipe_for(num_train: int) -> Recipe:
    """Return how to train; the same for any number of examples."""
    return RECIPE


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose the paper's size where it reads the data `ENOUGH_EPOCHS` times in the given time."""
    config = Config()
    epoch = num_train * multiplications(config, accepts(config, spec).channels)
    epochs = (seconds or UNHURRIED_S) * MULTIPLICATIONS_PER_S / epoch
    return "paper" if epochs >= ENOUGH_EPOCHS else "small"


def sides(side: int) -> list[tuple[int, int]]:
    """Return the side of the maps of each convolution, before and after their maxima.

    >>> sides(48), sides(32)
    ([(42, 21), (18, 9), (6, 3)], [(26, 13), (10, 5), (2, 1)])
    """
    found = []
    for field in FIELDS:
        before = side - field + 1
        side = before // 2
        found.append((before, side))
    return found


def multiplications(config: Config, channels: int) -> int:
    """Return how many multiplications one picture takes in the convolutions of all columns."""
    inputs = (channels, *config.num_maps)
    one = sum(
        inputs[i] * inputs[i + 1] * FIELDS[i] ** 2 * before**2
        for i, (before, _) in enumerate(sides(config.side))
    )
    return one * len(config.preparations) * config.num_repeats


def _centred(pictures: Tensor) -> Tensor:
    return pictures * 2 - 1


PREPARATIONS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "original": lambda pictures, tiles: _centred(pictures),
    "imadjust": lambda pictures, tiles: _centred(in_intensity(stretched, pictures)),
    "histeq": lambda pictures, tiles: _centred(in_intensity(equalized, pictures)),
    "adapthisteq": lambda pictures, tiles: _centred(
        in_intensity(lambda intensity: equalized_in_tiles(intensity, tiles), pictures)
    ),
    "conorm": lambda pictures, tiles: contrast_normalized(pictures),
}
"""Name -> (pictures in [0, 1], tiles along a side) -> what a column sees, in [-1, 1]."""


def first_bound(fan_in: int, fan_in_of_paper: int) -> float:
    """Return the bound of first weights that keeps sums as large as in the paper's layer.

    >>> first_bound(1600, 1600), first_bound(400, 1600)
    (0.05, 0.1)
    """
    return WEIGHT_BOUND * math.sqrt(fan_in_of_paper / fan_in)


class Squash(nn.Module):
    """The scaled hyperbolic tangent."""

    def forward(self, a: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
        """Return 1.7159 tanh(2a / 3)."""
        return AMPLITUDE * torch.tanh(SLOPE * a)


def column(config: Config, channels: int, num_classes: int) -> nn.Sequential:
    """Build one net.

    Maxima are taken before squashing, which is the same as after it and squashes a quarter of them.

    Args:
        config: the sizes.
        channels: of its pictures.
        num_classes: K.
    """
    layers: list[nn.Module] = []
    inputs = (channels, *config.num_maps)
    for i, side in enumerate(FIELDS):
        layers += [nn.Conv2d(inputs[i], inputs[i + 1], side), nn.MaxPool2d(2), Squash()]
    num_features = config.num_maps[-1] * sides(config.side)[-1][1] ** 2
    layers += [nn.Flatten(), nn.Linear(num_features, config.num_hidden), Squash()]
    layers.append(nn.Linear(config.num_hidden, num_classes))
    weighted = [layer for layer in layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    for layer, fan_in in zip(weighted, FAN_INS, strict=True):
        bound = first_bound(layer.weight[0].numel(), fan_in)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound)
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return nn.Sequential(*layers)


class MultiColumnNetwork(nn.Module):
    """The columns and their mean.

    Args:
        config: the sizes.
        spec: the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.columns = nn.ModuleList(
            column(config, spec.channels, num_classes)
            for _ in range(len(config.preparations) * config.num_repeats)
        )

    @torch.no_grad()
    def prepared(self, pictures: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B C H W"]]:
        """Return the pictures as each preparation shows them."""
        return [
            PREPARATIONS[name](pictures, self.config.num_tiles) for name in self.config.preparations
        ]

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> ColumnLogits:
        """Return what the columns say of pictures in [0, 1], together and each by itself."""
        seen = self.prepared(pictures.contiguous(memory_format=torch.channels_last))
        every = [net(seen[i // self.config.num_repeats]) for i, net in enumerate(self.columns)]
        logits = torch.stack(every, dim=1)
        return ColumnLogits(mean_log_probability(logits), logits)


def mean_log_probability(logits: Float[Tensor, "B N K"]) -> Float[Tensor, "B K"]:
    """Return the logarithm of the mean of the columns' probabilities."""
    return logits.log_softmax(2).logsumexp(1) - math.log(logits.shape[1])


def loss(output: ColumnLogits, targets: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Return the sum of the columns' own cross-entropies."""
    logits = output.columns
    every = F.cross_entropy(logits.flatten(0, 1), targets.repeat_interleave(logits.shape[1]))
    return every * logits.shape[1]
