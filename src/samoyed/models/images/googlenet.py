"""GoogLeNet, the Inception network: 22 weighted layers, a ninth of AlexNet's weights.

Szegedy, C., Liu, W., Jia, Y., Sermanet, P., Reed, S., Anguelov, D., Erhan, D., Vanhoucke, V. &
Rabinovich, A. (2015). Going deeper with convolutions. Proceedings of CVPR, 1-9 (arXiv 1409.4842,
2014).

What was new: modules that look at fields of 1, 3 and 5 pixels and at the pooled maps side by side,
and 1 x 1 convolutions that first reduce the number of maps, so that depth and width grow while the
arithmetic does not; and a mean over places in front of a single linear layer.

Equation or figure -> here:

* figure 2(b), a module with reductions              -> `Inception`
* table 1, widths of the nine modules                -> `TABLE_1`, `Widths`
* figure 3, the stem, and pooling between modules    -> `GoogLeNet`
* section 5, the auxiliary heads on 4a and 4d        -> `Head`, `HEADED`
* section 5, losses of the heads weighted by 0.3     -> `loss`, `HEAD_WEIGHT`
* section 6, Polyak averaging of the weights         -> `RECIPE`

Parameters for 3 colours and 1000 classes: 6,998,552 that answer, and 6,379,728 in the two heads,
which are left out of the answer. Table 1 prints weights in units of 1024, rounded, and some of them
do not follow from its own widths: 463K for 4c, where they give 497K, and 2.7K for the first layer,
where the 7 x 7 kernels it names give 9.2K. The widths are taken here.

**Departures**

1. The paper prints no initial weights: N(0, 2 / F) here, F the fan-in (He et al. 2015), so that 22
   layers learn without the batch normalisation that came a year later; `is_normalised` turns off
   the two local response normalisations of figure 3, whose constants, not printed, are AlexNet's.
2. Section 5: the training set's mean is subtracted; here [0, 1] is brought to [-2, 2].
3. Section 6 trains asynchronously on many machines, the rate falling by 4 % every 8 epochs, and
   prints neither rate nor batch nor length: those of `RECIPE` are ours, with a cosine, Nesterov's
   momentum, and an exponential average of the weights for Polyak's (none in short training).
4. Sections 6 and 7: patches of 8 to 100 % of the picture, distorted colours, and 144 crops in the
   test are left out; variations are the task's (`--set augmentation=...`), a picture is shown once,
   whole.
5. `small` is ours: all modules a quarter as wide, for pictures of 32 pixels; the first layer steps
   by one pixel, with kernels of 5 x 5, so that modules 3, 4 and 5 see maps of 8, 4 and 2 pixels;
   the heads have 128 units and pool 4 x 4 places. Its recipe (AdamW) is for minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Lt
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import HeadedLogits
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import is_worth_full_size
from samoyed.layers.local_response import LocalResponse
from samoyed.layers.rectified import centre, draw_weights

REFERENCE = Reference(
    title="Going deeper with convolutions",
    authors="Szegedy, C., Liu, W., Jia, Y., Sermanet, P., Reed, S., Anguelov, D., Erhan, D., "
    "Vanhoucke, V. & Rabinovich, A.",
    year=2015,
    venue="Proceedings of CVPR, 1-9",
    review=4,
    url="https://doi.org/10.1109/CVPR.2015.7298594",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.01, batch_size=128, epochs=60, momentum=0.9,
    weight_decay=2e-4, schedule="cosine", average=0.9999,
)  # fmt: skip

MANY_EXAMPLES = 500_000  # from here on `RECIPE`
SMALL_RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=64, epochs=20, momentum=0.9,
    weight_decay=0.01, schedule="cosine", warmup=0.05, clip_norm=5.0,
)  # fmt: skip


class Widths(NamedTuple):
    """Maps of one module's convolutions, in the order of table 1's columns."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pooled: int

    @property
    def total(self) -> int:
        """Return how many maps leave the module."""
        return self.one + self.three + self.five + self.pooled


STEM = (64, 64, 192)  # maps of the three convolutions in front of the modules (table 1)
TABLE_1 = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
POOLED = ("3b", "4e")  # modules that maximum pooling follows
HEADED = ("4a", "4d")  # modules whose output the auxiliary heads read
HEAD_MAPS = 128  # of a head, after its reduction (section 5)
HEAD_WEIGHT = 0.3


@dataclass(frozen=True)
class Config:
    """The sizes of table 1 and section 5; output layers follow the classes of the data.

    Args:
        narrowing: every width of table 1 is divided by this.
        side: of the square input, in pixels.
        first_kernel: side of the first convolution's kernels.
        first_stride: distance between the first convolution's fields.
        head_units: of the fully connected layer of each auxiliary head.
        is_headed: whether there are auxiliary heads.
        is_normalised: whether responses are normalised in the stem.
        dropout: share of the features in front of the last layer that are left out.
        head_dropout: the same in the auxiliary heads.
    """

    narrowing: Annotated[int, Gt(0)] = 1
    side: Annotated[int, Ge(24)] = 224
    first_kernel: Annotated[int, Gt(0)] = 7
    first_stride: Annotated[int, Gt(0)] = 2
    head_units: Annotated[int, Gt(0)] = 1024
    is_headed: bool = True
    is_normalised: bool = True
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.4
    head_dropout: Annotated[float, Ge(0), Lt(1)] = 0.7


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {
        "narrowing": 4, "side": 32, "first_kernel": 5, "first_stride": 1, "head_units": 128,
    },
}  # fmt: skip
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, C and D maps, H and I rows, W and J columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: squares, colours kept.

    >>> accepts(Config(), ImageSpec(3, 500, 375))
    ImageSpec(channels=3, height=224, width=224)
    """
    return ImageSpec(3 if spec.channels == 3 else 1, config.side, config.side)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> GoogLeNet:
    """Build the network for pictures of this size and these classes."""
    return GoogLeNet(config, spec, len(labels))


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: the paper's for large pictures and time for enough passes through the data.

    Args:
        spec: natural size of the pictures.
        num_train: how many there are to learn from.
        seconds: how long training may take, or None for a few minutes.

    Returns:
        A key of `SIZES`.
    """
    taken = accepts(Config(), spec)
    with torch.device("meta"):
        net = build(Config(), taken, LabelSpec(("one", "other")))
    is_worth = is_worth_full_size(net, taken, spec, num_train, seconds, RECIPE.epochs)
    return "paper" if is_worth else "small"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many examples."""
    return RECIPE if num_train >= MANY_EXAMPLES else SMALL_RECIPE


def rectified(
    num_inputs: int, num_outputs: int, kernel: int, *, stride: int = 1
) -> nn.Sequential:  # fmt: skip
    """Return a convolution that keeps the size of its maps, up to the stride, and a rectifier."""
    convolution = nn.Conv2d(num_inputs, num_outputs, kernel, stride, padding=kernel // 2)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


class Inception(nn.Module):
    """Figure 2(b): four ways through the same maps, their results side by side.

    Args:
        num_inputs: C, maps in.
        widths: of the convolutions.
    """

    def __init__(self, num_inputs: int, widths: Widths) -> None:
        super().__init__()
        self.one = rectified(num_inputs, widths.one, 1)
        self.three = nn.Sequential(
            rectified(num_inputs, widths.reduce_three, 1),
            rectified(widths.reduce_three, widths.three, 3),
        )
        self.five = nn.Sequential(
            rectified(num_inputs, widths.reduce_five, 1),
            rectified(widths.reduce_five, widths.five, 5),
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), rectified(num_inputs, widths.pooled, 1)
        )

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        """Return the maps of all four ways."""
        return torch.cat([self.one(maps), self.three(maps), self.five(maps), self.pooled(maps)], 1)


class Head(nn.Module):
    """An auxiliary classifier: pooled, reduced to 128 maps, two linear layers (section 5).

    Args:
        config: the dials.
        num_inputs: C, maps in.
        side: H and W of the maps.
        num_classes: K.
    """

    def __init__(self, config: Config, num_inputs: int, side: int, num_classes: int) -> None:
        super().__init__()
        num_maps = HEAD_MAPS // config.narrowing
        self.reduce = rectified(num_inputs, num_maps, 1)
        field = min(5, side)
        self.pooling = nn.AvgPool2d(field, stride=3)
        num_places = ((side - field) // 3 + 1) ** 2
        self.hidden = nn.Linear(num_places * num_maps, config.head_units)
        self.dropout = nn.Dropout(config.head_dropout)
        self.classes = nn.Linear(config.head_units, num_classes)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Return logits."""
        maps = self.reduce(self.pooling(maps)).contiguous()
        logits: Tensor = self.classes(self.dropout(F.relu(self.hidden(maps.flatten(1)))))
        return logits


class GoogLeNet(nn.Module):
    """Figure 3: a stem, nine modules, a mean over places, and a linear layer.

    Args:
        config: the dials.
        spec: size and colours of the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        first, second, width = (n // config.narrowing for n in STEM)
        halving = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.stem = nn.Sequential(
            rectified(spec.channels, first, config.first_kernel, stride=config.first_stride),
            halving,
            LocalResponse() if config.is_normalised else nn.Identity(),
            rectified(first, second, 1),
            rectified(second, width, 3),
            LocalResponse() if config.is_normalised else nn.Identity(),
            halving,
        )
        side = math.ceil(config.side / config.first_stride) // 8  # of the maps that the heads read
        self.inceptions, self.heads = nn.ModuleDict(), nn.ModuleDict()
        for name, printed in TABLE_1.items():
            widths = Widths(*(n // config.narrowing for n in printed))
            self.inceptions[name] = Inception(width, widths)
            width = widths.total
            if config.is_headed and name in HEADED:
                self.heads[name] = Head(config, width, side, num_classes)
        self.dropout = nn.Dropout(config.dropout)
        self.classes = nn.Linear(width, num_classes)
        answering = [head.classes for head in self.heads.values() if isinstance(head, Head)]
        draw_weights(self, self.classes, *answering)

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> HeadedLogits:
        """Return (B, K) for pictures in [0, 1], and those of the heads while training."""
        maps, auxiliary = self.stem(centre(pictures)), []
        for name, inception in self.inceptions.items():
            maps = inception(maps)
            if self.training and name in self.heads:
                auxiliary.append(self.heads[name](maps))
            if name in POOLED:
                maps = F.max_pool2d(maps, 3, stride=2, ceil_mode=True)
        features = self.dropout(maps.mean((2, 3)))
        return HeadedLogits(self.classes(features), tuple(auxiliary))


def loss(output: HeadedLogits, targets: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Return what training descends: the cross-entropy, plus 0.3 times that of each head."""
    total = F.cross_entropy(output.values.float(), targets)
    for logits in output.auxiliary:
        total = total + HEAD_WEIGHT * F.cross_entropy(logits.float(), targets)
    return total
