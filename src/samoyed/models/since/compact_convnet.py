"""The compact ConvNet: today's default for pictures, sized for minutes on a few processor cores.

He, K., Zhang, X., Ren, S. & Sun, J. (2016). Deep residual learning for image recognition. CVPR,
770-778. Its parts are the common ground since the review: rectified linear units (Nair & Hinton
2010), batch normalisation (Ioffe & Szegedy 2015), blocks with a shortcut, and a mean over places
in front of one linear layer.

What was new: blocks learn what to add to their input (eq. 1), so that depth costs nothing in
trainability.

Equation or figure -> here:

* eq. 1 and figure 2, y = F(x) + x                 -> `Residual`
* section 3.4, convolution, normalisation, rectification -> `Normalised`
* table 1, resolution halves as the width doubles  -> `Config.widths`, `Level`
* He et al. 2015, eq. 10, weights from N(0, 2 / F) -> `_begin`

The time of a small ConvNet on a processor goes into reading and writing maps at high resolution,
not into arithmetic. So the first layer steps by two pixels, maps are pooled before they are
normalised and rectified (a quarter of the memory traffic, and for the maximum the same result as
pooling after them), and the few channels that remain at high resolution are kept narrow.

**Departures**

1. Table 1: one 5 x 5 (7 x 7 there) convolution, then levels that each halve the resolution by
   maximum pooling instead of stepping convolutions, and few levels: `SIZES` has 4 to 11 weighted
   layers instead of 18 to 152, for speed.
2. Figure 2: the last rectification of a block is left out, as in the authors' later analysis (He et
   al. 2016, Identity mappings in deep residual networks, ECCV, figure 4).
3. Section 3.4: weight decay, schedule and length are `RECIPE`'s, tuned for minutes, not for 60 x
   10^4 steps.
4. The head reads the maximum as well as the mean over places, since a few places decide in small
   pictures.
5. Section 3.4 tests on ten crops; here a picture is judged by the mean of its features and of its
   mirror image's, which is the mean of both scores, where pictures are mirrored in training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Share, Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import MULTIPLICATIONS_PER_S, UNHURRIED_S, multiplications
from samoyed.layers.convolution import Convolution

REFERENCE = Reference(
    title="Deep residual learning for image recognition",
    authors="He, K., Zhang, X., Ren, S. & Sun, J.",
    year=2016,
    venue="Proceedings of CVPR, 770-778",
    url="https://doi.org/10.1109/CVPR.2016.90",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1e-2, batch_size=256, epochs=12, momentum=0.9,
    weight_decay=0.05, schedule="linear", warmup=0.2,
)  # fmt: skip

FEW_EXAMPLES = 20_000
FEW_RECIPE = replace(RECIPE, batch_size=64, learning_rate=5e-3)
"""Few examples make few steps of large batches: smaller batches, and as many more steps."""

SMALLEST_MAP = 4  # maps are halved while they are larger than this many pixels
SMALL_PICTURE = 16  # below this side the first layer does not step by two


@dataclass(frozen=True)
class Config:
    """What can be dialled.

    Args:
        widths: number of maps after the first layer and after each level.
        depth: residual blocks per level.
        largest_side: larger pictures are scaled down to this many pixels.
        dropout: share of the features in front of the last layer that are left out.
        is_mirrored: whether a picture is judged together with its mirror image, which takes twice
            as long; None does so where training pictures are mirrored, as `samoyed train` does
            unless told otherwise.
    """

    widths: Sizes = (24, 64, 128)
    depth: Annotated[int, Ge(0), Le(1000)] = 0
    largest_side: Annotated[int, Gt(0), Le(4096)] = 64
    dropout: Share = 0.0
    is_mirrored: bool | None = False


SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    "medium": {"widths": (32, 64, 128, 256), "depth": 1},
    "large": {"widths": (48, 96, 192, 384), "depth": 1, "largest_side": 96},
}
"""Named sizes: how they differ from `Config`'s defaults."""

ENOUGH_EPOCHS = 12  # a larger size is worth its time once it can read the data this often
FEWEST_STEPS = 400  # and, where pictures are few, once it can take so many steps

# Legend for shapes: B batch, C maps, H rows, W columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return the pictures' own size and colours, scaled down to `largest_side` if they are larger.

    >>> accepts(Config(largest_side=64), ImageSpec(3, 100, 200))
    ImageSpec(channels=3, height=32, width=64)
    """
    scale = min(1.0, config.largest_side / max(spec.height, spec.width))
    height, width = (max(8, round(side * scale)) for side in (spec.height, spec.width))
    return ImageSpec(channels=3 if spec.channels == 3 else 1, height=height, width=width)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> CompactConvNet:
    """Build the network for pictures of this size and these classes."""
    return CompactConvNet(config, spec, len(labels))


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: the largest one that reads the data `ENOUGH_EPOCHS` times in the given time.

    It must also come to `FEWEST_STEPS` steps: with fewer, a small network has learned more.

    Args:
        spec: natural size of the pictures.
        num_train: how many there are to learn from.
        seconds: how long training may take, or None for `UNHURRIED_S`.

    Returns:
        A key of `SIZES`; the smallest when none is fast enough.
    """
    chosen = next(iter(SIZES))
    num_read = max(ENOUGH_EPOCHS * num_train, FEWEST_STEPS * recipe_for(num_train).batch_size)
    for name, changes in SIZES.items():
        config = replace(Config(), **changes)
        taken = accepts(config, spec)
        with torch.device("meta"):  # shapes without numbers
            net = build(config, taken, LabelSpec(("one", "other")))
        needed_s = num_read * multiplications(net, taken) / MULTIPLICATIONS_PER_S
        if needed_s <= (seconds or UNHURRIED_S):
            chosen = name
    return chosen


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many examples."""
    return FEW_RECIPE if num_train < FEW_EXAMPLES else RECIPE


class Normalised(nn.Module):
    """A convolution, pooling or none, batch normalisation and rectification.

    Args:
        num_inputs: maps in.
        num_outputs: maps out.
        side: of the square kernels.
        stride: of the convolution.
        is_pooled: whether the maximum of each 2 x 2 field is taken.
    """

    def __init__(
        self, num_inputs: int, num_outputs: int, *, side: int = 3, stride: int = 1,
        is_pooled: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.convolution = Convolution(num_inputs, num_outputs, side, stride=stride, bias=False)
        self.normalisation = nn.BatchNorm2d(num_outputs)
        self.is_pooled = is_pooled

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D I J"]:
        """Return non-negative maps."""
        maps = self.convolution(maps)
        if self.is_pooled:
            maps = F.max_pool2d(maps, 2)
        return F.relu(self.normalisation(maps), inplace=True)


class Residual(nn.Module):
    """Two convolutions whose result is added to the input: y = F(x) + x (eq. 1).

    F ends in a normalisation whose scale begins at zero, so that the block begins as the identity.

    Args:
        width: C, maps in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Normalised(width, width)
        self.second = Convolution(width, width, 3, bias=False)
        self.normalisation = nn.BatchNorm2d(width)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Add what the block has learned."""
        return maps + self.normalisation(self.second(self.first(maps)))


class Level(nn.Sequential):
    """One resolution: widen the maps, halve their sides where there is room, refine.

    Args:
        num_inputs: maps in.
        num_outputs: maps out.
        depth: residual blocks.
        is_pooled: whether the sides are halved.
    """

    def __init__(self, num_inputs: int, num_outputs: int, depth: int, is_pooled: bool) -> None:
        blocks = (Residual(num_outputs) for _ in range(depth))
        super().__init__(Normalised(num_inputs, num_outputs, is_pooled=is_pooled), *blocks)


class CompactConvNet(nn.Module):
    """A first layer, levels of falling resolution, and a linear layer.

    Args:
        config: the dials.
        spec: size and colours of the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        side = min(spec.height, spec.width)
        is_small = side < SMALL_PICTURE
        first, *widths = config.widths
        self.stem = Normalised(
            spec.channels, first, side=3 if is_small else 5, stride=1 if is_small else 2,
            is_pooled=not is_small,
        )  # fmt: skip
        side = side if is_small else (side + 1) // 4
        levels, width = [], first
        for next_width in widths:
            is_pooled = side > SMALLEST_MAP
            levels.append(Level(width, next_width, config.depth, is_pooled))
            side, width = side // 2 if is_pooled else side, next_width
        self.levels = nn.Sequential(*levels)
        self.dropout = nn.Dropout(config.dropout)
        self.is_mirrored = config.is_mirrored
        self.classes = nn.Linear(2 * width, num_classes)
        _begin(self)

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> Logits:
        """Return (B, K) for pictures in [0, 1]."""
        is_doubled = bool(self.is_mirrored) and not self.training
        if is_doubled:
            pictures = torch.cat([pictures, pictures.flip(3)])
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        maps = self.levels(self.stem(normalize(pictures)))
        features = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        if is_doubled:
            features = features.view(2, -1, features.shape[1]).mean(0)
        return Logits(self.classes(self.dropout(features)))

    def scale_scores(self, factor: float) -> None:
        """Multiply all scores from now on."""
        self.classes.weight.mul_(factor)
        self.classes.bias.mul_(factor)


def normalize(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Bring [0, 1] to [-2, 2]: about zero mean and unit variance for photos."""
    return pictures * 4 - 2


def _begin(model: nn.Module) -> None:
    """Draw initial weights: N(0, 2 / F) for filters, blocks as identities, classes alike."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
        elif isinstance(module, Residual):
            nn.init.zeros_(module.normalisation.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
            nn.init.normal_(module.weight, std=0.01)
