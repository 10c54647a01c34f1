"""AlexNet, the network that made computer vision change over to ConvNets.

Krizhevsky, A., Sutskever, I. & Hinton, G. E. (2012). ImageNet classification with deep
convolutional neural networks. Advances in Neural Information Processing Systems 25, 1097-1105;
sections 3 to 5.

What was new: eight weighted layers trained on 1.2 million photos within a week, by rectified linear
units, two graphics cards with restricted connections between them, local response normalisation,
overlapping pooling, and dropout in the fully connected layers.

Equation or figure -> here:

* section 3.1, f(x) = max(0, x)                      -> `Maps.forward`
* figure 2, two halves that meet at the third layer  -> `Config.num_halves`, `GROUPED`
* section 3.3, local response normalisation          -> `layers.local_response`
* section 3.4, pooling with s = 2, z = 3             -> `Config.pooling_side`
* section 3.5 and figure 2, the eight layers         -> `Config`, `AlexNet`
* section 4.2, dropout                               -> `AlexNet.classifier`
* section 5, weights from N(0, 0.01), biases of 1    -> `_begin`, `PAPER_FAN_INS`

The printed input of 224 pixels does not give the printed first layer of 55 x 55: (224 - 11) / 4 + 1
is not whole. 227 pixels do, and are taken here. Parameters: 34,944 + 307,456 + 885,120 + 663,936 +
442,624 in the convolutions and 37,752,832 + 16,781,312 + 4,097,000 above them for 1000 classes;
together 60,965,224.

**Departures**

1. Section 2: the mean activity of the training set is subtracted from pixels of 0 to 255; here it
   is the middle of the range, 127.5, as a network does not know its training set.
2. Section 3.3: with the maps on two cards, neighbours across the seam lay out of reach. Here the
   sum runs over the whole layer, as the formula prints it.
3. Section 4.1: training on crops, mirror images and shifted colours, and testing on ten crops, are
   the task's business (`--set augmentation=...`); a picture is shown once, whole.
4. Section 4.2 halves the activities in the test; here they are doubled in training.
5. Section 5: the rate falls along a cosine instead of by 10 three times by hand, and the momentum
   is Nesterov's.
6. `small` is ours: the same eight layers for pictures of 32 pixels, a third as wide, and 256 units
   in place of 4096. Its weights are drawn so that the spread of what a unit receives is that of the
   paper's unit in the same layer, which sums over more inputs; its recipe (AdamW) is for
   minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import is_worth_full_size
from samoyed.layers.dropout import Dropout
from samoyed.layers.local_response import normalise_responses

REFERENCE = Reference(
    title="ImageNet classification with deep convolutional neural networks",
    authors="Krizhevsky, A., Sutskever, I. & Hinton, G. E.",
    year=2012,
    venue="Advances in Neural Information Processing Systems 25, 1097-1105",
    review=1,
    url="https://doi.org/10.1145/3065386",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.01, batch_size=128, epochs=90, momentum=0.9,
    weight_decay=5e-4, schedule="cosine",
)  # fmt: skip
"""Section 5."""

MANY_EXAMPLES = 500_000  # from here on the paper's recipe
SMALL_RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=64, epochs=20, momentum=0.9,
    weight_decay=0.01, schedule="cosine", warmup=0.05, clip_norm=5.0,
)  # fmt: skip

# Of the five convolutions, those whose halves do not see each other (figure 2).
GROUPED = (False, True, False, True, True)
NORMALISED = (True, True, False, False, False)  # section 3.5
POOLED = (True, True, False, False, True)  # section 3.5
BIASED = (False, True, False, True, True)  # biases that begin at 1 (section 5)
PAPER_FAN_INS = (363, 1200, 2304, 1728, 1728, 9216, 4096, 4096)
WEIGHT_STD = 0.01  # section 5
GRAY = 127.5


@dataclass(frozen=True)
class Config:
    """The sizes of section 3.5 and figure 2; the output layer follows the classes of the data.

    Args:
        widths: maps of the five convolutions.
        full: units of each of the two fully connected layers (figure 2).
        side: of the square input, in pixels.
        first_kernel: side of the first convolution's kernels.
        first_stride: distance between the first convolution's fields.
        num_halves: 2 as on two cards, or 1 for one tower that sees everything (section 3.2).
        is_normalised: whether responses are normalised (section 3.3).
        pooling_side: z, 3 so that fields overlap or 2 so that they do not; s is 2 (section 3.4).
        dropout: share of the fully connected layers' inputs that are left out (section 4.2).
    """

    widths: tuple[Count, Count, Count, Count, Count] = (96, 256, 384, 384, 256)
    full: Count = 4096
    side: Annotated[int, Gt(0), Le(1024)] = 227
    first_kernel: Annotated[int, Gt(0), Le(1024)] = 11
    first_stride: Annotated[int, Gt(0), Le(1024)] = 4
    num_halves: Literal[1, 2] = 2
    is_normalised: bool = True
    pooling_side: Literal[2, 3] = 3
    dropout: Share = 0.5

    def __post_init__(self) -> None:
        if any(width % self.num_halves for width in self.widths):
            raise ValueError(f"widths are multiples of num_halves, {self.num_halves}")


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {
        "widths": (32, 64, 96, 96, 64), "full": 256, "side": 32, "first_kernel": 5,
        "first_stride": 1,
    },
}  # fmt: skip
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, C and D maps, H and I rows, W and J columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: squares, colours kept.

    >>> accepts(Config(), ImageSpec(3, 500, 375))
    ImageSpec(channels=3, height=227, width=227)
    """
    return ImageSpec(3 if spec.channels == 3 else 1, config.side, config.side)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> AlexNet:
    """Build the network for pictures of this size and these classes."""
    return AlexNet(config, spec, len(labels))


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


def normalize(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Bring pixels from [0, 1] to [-127.5, 127.5], channels last in memory."""
    return pictures.contiguous(memory_format=torch.channels_last) * (2 * GRAY) - GRAY


class Maps(nn.Module):
    """A convolution, rectified, then normalised and pooled or not (section 3.5).

    Args:
        convolution: in one piece or in two halves.
        is_normalised: whether responses are normalised.
        pooling_side: z, or 0 for none.
    """

    def __init__(self, convolution: nn.Conv2d, is_normalised: bool, pooling_side: int) -> None:
        super().__init__()
        self.convolution = convolution
        self.is_normalised = is_normalised
        self.pooling_side = pooling_side

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D I J"]:
        """Return non-negative maps."""
        maps = F.relu(self.convolution(maps), inplace=True)
        if self.is_normalised:
            maps = normalise_responses(maps)
        if self.pooling_side:
            maps = F.max_pool2d(maps, self.pooling_side, stride=2)
        return maps


class AlexNet(nn.Module):
    """Figure 2: five convolutions and three fully connected layers.

    Args:
        config: the dials.
        spec: size and colours of the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        widths = config.widths
        kernels = (config.first_kernel, 5, 3, 3, 3)
        layers, width = [], spec.channels
        for i, (next_width, kernel) in enumerate(zip(widths, kernels, strict=True)):
            convolution = nn.Conv2d(
                width, next_width, kernel,
                stride=config.first_stride if i == 0 else 1,
                padding=0 if i == 0 else kernel // 2,
                groups=config.num_halves if GROUPED[i] else 1,
            )  # fmt: skip
            is_normalised = config.is_normalised and NORMALISED[i]
            layers.append(Maps(convolution, is_normalised, config.pooling_side * POOLED[i]))
            width = next_width
        self.maps = nn.Sequential(*layers)
        full = config.full
        self.classifier = nn.Sequential(
            nn.Flatten(),
            Dropout(config.dropout), nn.Linear(width * last_side(config) ** 2, full), nn.ReLU(),
            Dropout(config.dropout), nn.Linear(full, full), nn.ReLU(),
            nn.Linear(full, num_classes),
        )  # fmt: skip
        _begin(self)

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> Logits:
        """Return (B, K) for pictures in [0, 1]."""
        return Logits(self.classifier(self.maps(normalize(pictures)).contiguous()))


def last_side(config: Config) -> int:
    """Return the side of the last maps, after the third pooling.

    >>> last_side(Config())
    6
    """
    side = (config.side - config.first_kernel) // config.first_stride + 1
    for _ in range(sum(POOLED)):
        side = (side - config.pooling_side) // 2 + 1
    return side


def _begin(net: AlexNet) -> None:
    """Draw weights from N(0, 0.01), set the biases of section 5 to 1 and the others to 0.

    A layer of F inputs in place of the paper's P gets 0.01 sqrt(P / F).
    """
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    is_biased = (*BIASED, True, True, False)
    for layer, paper_fan_in, is_one in zip(layers, PAPER_FAN_INS, is_biased, strict=True):
        fan_in = layer.weight[0].numel()
        nn.init.normal_(layer.weight, std=WEIGHT_STD * math.sqrt(paper_fan_in / fan_in))
        assert layer.bias is not None
        nn.init.constant_(layer.bias, float(is_one))
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
