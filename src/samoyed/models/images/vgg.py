"""VGG, ConvNets of 11 to 19 weighted layers with nothing but 3 x 3 kernels.

Simonyan, K. & Zisserman, A. (2015). Very deep convolutional networks for large-scale image
recognition. International Conference on Learning Representations (arXiv 1409.1556, 2014).

What was new: depth as the only thing that changes from one configuration to the next. A stack of
two 3 x 3 convolutions sees the field of one of 5 x 5, and three that of 7 x 7, with fewer weights
(27 C^2 in place of 49 C^2) and more rectifications on the way (section 2.3).

Equation or figure -> here:

* table 1, configurations A to E                     -> `CONFIGURATIONS`, `Config.configuration`
* table 1, 64 maps doubling to 512                   -> `Config.width`, `LEVEL_WIDTHS`
* section 2.1, 2 x 2 pooling after each of 5 levels  -> `maps_of`
* section 2.1, A-LRN's normalisation, with AlexNet's constants -> `layers.local_response`
* section 2.1, two layers of 4096 units, dropout     -> `VGG.hidden`
* section 4.1, B with one 5 x 5 per pair of 3 x 3    -> `CONFIGURATIONS["B-5x5"]`

Parameters for 3 colours and 1000 classes, which table 2 prints in millions: A and A-LRN 132,863,336
(133), B 133,047,848 (133), C 133,638,952 (134), D 138,357,544 (138), E 143,667,240 (144). D is the
default; D and E are known as VGG-16 and VGG-19.

**Departures**

1. Section 2.1: the mean colour of the training set is subtracted; here [0, 1] is brought to
   [-2, 2], as a network does not know its training set.
2. Section 3.1 draws weights with a variance of 0.01 and has the deeper configurations begin with
   layers of a trained A; a note says that Glorot & Bengio's rule later did without. Here all begin
   with N(0, 2 / F), F the fan-in, and learn from scratch (He et al. 2015, who reckon with
   rectifiers); only the last layer begins small.
3. Section 3.1: the rate falls along a cosine instead of by 10 whenever the held-out accuracy stops
   improving, and the momentum is Nesterov's.
4. Section 3.1 to 3.2: jittered scales and colours in training, and dense evaluation at several
   scales, are left out; variations are the task's (`--set augmentation=...`), and a picture is
   scaled to the input's size and shown once, whole.
5. `small` is ours: the same layers a quarter as wide, for pictures of 32 pixels, with 128 units in
   place of 4096. Its recipe is for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import is_worth_full_size
from samoyed.layers.convolution import Convolution
from samoyed.layers.dropout import Dropout
from samoyed.layers.local_response import LocalResponse
from samoyed.layers.rectified import centre, draw_weights

REFERENCE = Reference(
    title="Very deep convolutional networks for large-scale image recognition",
    authors="Simonyan, K. & Zisserman, A.",
    year=2015,
    venue="International Conference on Learning Representations",
    review=65,
    url="https://arxiv.org/abs/1409.1556",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.01, batch_size=256, epochs=74, momentum=0.9,
    weight_decay=5e-4, schedule="cosine",
)  # fmt: skip
"""Section 3.1."""

MANY_EXAMPLES = 500_000  # from here on the paper's recipe
SMALL_RECIPE = replace(RECIPE, batch_size=64, epochs=20, warmup=0.05, clip_norm=5.0)

LEVEL_WIDTHS = (1, 2, 4, 8, 8)  # of each level's maps, in units of `Config.width`

# Table 1: for each level, the sides of its kernels.
CONFIGURATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "A-LRN": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
    "B-5x5": ((5,), (5,), (5,), (5,), (5,)),
}


@dataclass(frozen=True)
class Config:
    """The sizes of table 1; the output layer follows the classes of the data.

    Args:
        configuration: a column of table 1, or "B-5x5", the shallow net that section 4.1 compares
            with B.
        width: maps of the first level.
        full: units of each of the two fully connected layers.
        side: of the square input, in pixels.
        dropout: share of the fully connected layers' activities that are left out (section 3.1).
    """

    configuration: Literal["A", "A-LRN", "B", "C", "D", "E", "B-5x5"] = "D"
    width: Count = 64
    full: Count = 4096
    side: Annotated[int, Ge(32), Le(1024)] = 224
    dropout: Share = 0.5


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {"width": 16, "full": 128, "side": 32},
}
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, C maps, H rows, W columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: squares, colours kept.

    >>> accepts(Config(), ImageSpec(3, 500, 375))
    ImageSpec(channels=3, height=224, width=224)
    """
    return ImageSpec(3 if spec.channels == 3 else 1, config.side, config.side)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> VGG:
    """Build the network for pictures of this size and these classes."""
    return VGG(config, spec, len(labels))


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: the paper's for large pictures and time for its passes through the data.

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
    """Return how to train on this many examples: the paper's way where there are as many."""
    return RECIPE if num_train >= MANY_EXAMPLES else SMALL_RECIPE


def maps_of(config: Config, num_channels: int) -> nn.Sequential:
    """Return the convolutions of a configuration: (B, C, H, W) -> (B, 8 width, H / 32, W / 32)."""
    layers: list[nn.Module] = []
    width = num_channels
    for factor, kernels in zip(LEVEL_WIDTHS, CONFIGURATIONS[config.configuration], strict=True):
        for kernel in kernels:
            next_width = factor * config.width
            layers += [Convolution(width, next_width, kernel), nn.ReLU(inplace=True)]
            width = next_width
        if config.configuration == "A-LRN" and factor == 1:
            layers += [LocalResponse(), nn.MaxPool2d(2)]
        else:  # the largest, rectified, is the largest of the rectified: a quarter of the work
            layers.insert(-1, nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """A column of table 1.

    Args:
        config: the dials.
        spec: size and colours of the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        self.maps = maps_of(config, spec.channels)
        num_features = LEVEL_WIDTHS[-1] * config.width * (config.side // 32) ** 2
        full = config.full
        self.hidden = nn.Sequential(
            nn.Flatten(),
            nn.Linear(num_features, full), nn.ReLU(), Dropout(config.dropout),
            nn.Linear(full, full), nn.ReLU(), Dropout(config.dropout),
        )  # fmt: skip
        self.classes = nn.Linear(full, num_classes)
        draw_weights(self, self.classes)

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> Logits:
        """Return (B, K) for pictures in [0, 1]."""
        return Logits(self.classes(self.hidden(self.maps(centre(pictures)).contiguous())))
