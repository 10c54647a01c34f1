"""Simard's convolutional network: as simple as it can be, fed with distorted pictures.

Simard, P. Y., Steinkraus, D. & Platt, J. C. (2003). Best practices for convolutional neural
networks applied to visual document analysis. ICDAR, 958-963.

What was new: training on elastically distorted pictures matters more than the network does
(`data.elastic`), and with them a network without any of the usual special devices is enough: no
momentum, no weight decay, no structure-dependent rates, no averaging layers, no fine-tuned shape.
A convolution and its sub-sampling are one layer that steps by two pixels.

Paper -> here:

* section 2, elastic distortions, sigma 4 and alpha 34 -> `data.elastic`, `AUGMENTATION`
* cross-entropy rather than squared errors             -> the loss of the task
* each layer's side is (n - 3) / 2 of the one before; 28 pixels are padded to 29, so
  that it is whole: 29, 13, 5                          -> `padded`, `SimardConvNet`
* 5 maps, 50 maps, 100 hidden units, K outputs -> `Config`

Parameters for ten classes: 5 (25 + 1) + 50 (125 + 1) + 100 (1,250 + 1) + 10 (100 + 1) = 132,540.
The paper prints no count.

**Departures**

1. The paper descends one example at a time at the rate 0.005, three tenths of it after every
   hundred epochs, without momentum. `RECIPE` takes batches, AdamW and a rate that falls to zero
   within the epochs there are.
2. Without `--set augmentation=elastic` training pictures are not distorted. The paper's 0.4 %
   (elastic) and 0.6 % (affine) belong to distorted ones; it prints no number without.
3. Squashing function and first weights are ours: LeCun et al.'s (1998) 1.7159 tanh(2a / 3), and
   uniform weights of standard deviation 1 / sqrt(F), F the fan-in, which suit it.
4. Pictures of any size and colour are brought to 28 x 28 gray first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe

REFERENCE = Reference(
    title="Best practices for convolutional neural networks applied to visual document analysis",
    authors="Simard, P. Y., Steinkraus, D. & Platt, J. C.",
    year=2003,
    venue="Proceedings of ICDAR, 958-963",
    review=49,
    url="https://doi.org/10.1109/ICDAR.2003.1227801",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=64, epochs=30, momentum=0.9,
    weight_decay=0.0, schedule="cosine",
)  # fmt: skip

AUGMENTATION = "elastic"
"""The variation of the paper's best row (section 2), as `--set augmentation=` takes them."""

SIDE = 28  # pixels, before padding
FIELD, STRIDE = 5, 2  # of both convolutions
AMPLITUDE, SLOPE = 1.7159, 2 / 3  # of the squashing function


@dataclass(frozen=True)
class Config:
    """The sizes of the paper's convolutional network.

    Args:
        num_maps: of the two convolutional layers.
        num_hidden: units of the fully connected layer.
    """

    num_maps: tuple[Count, Count] = (5, 50)
    num_hidden: Count = 100


# Legend for shapes: B batch, C maps, H rows, W columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: 28 x 28, gray."""
    return ImageSpec(channels=1, height=SIDE, width=SIDE)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> SimardConvNet:
    """Build the network for these classes."""
    return SimardConvNet(config, len(labels))


def squash(a: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Return 1.7159 tanh(2a / 3)."""
    return AMPLITUDE * torch.tanh(SLOPE * a)


def padded(pictures: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 1 29 29"]:
    """Bring pixels from [0, 1] to [-1, 1] and add a row and a column of background."""
    return F.pad(pictures * 2 - 1, (0, 1, 0, 1), value=-1.0)


def side_after(side: int) -> int:
    """Return how many units a line of n pixels becomes: (n - 3) / 2.

    >>> side_after(29), side_after(side_after(29))
    (13, 5)
    """
    return (side - FIELD) // STRIDE + 1


class SimardConvNet(nn.Module):
    """Two convolutions that step by two pixels, a hidden layer and the classes.

    Args:
        config: the sizes.
        num_classes: K.
    """

    def __init__(self, config: Config, num_classes: int) -> None:
        super().__init__()
        first, second = config.num_maps
        places = side_after(side_after(SIDE + 1)) ** 2
        self.first = nn.Conv2d(1, first, FIELD, STRIDE)
        self.second = nn.Conv2d(first, second, FIELD, STRIDE)
        self.hidden = nn.Linear(second * places, config.num_hidden)
        self.classes = nn.Linear(config.num_hidden, num_classes)
        for layer in (self.first, self.second, self.hidden, self.classes):
            _begin(layer)

    def forward(self, pictures: Float[Tensor, "B 1 28 28"]) -> Logits:
        """Return (B, K) for pictures in [0, 1]."""
        maps = squash(self.first(padded(pictures)))  # (B, 5, 13, 13)
        maps = squash(self.second(maps))  # (B, 50, 5, 5)
        return Logits(self.classes(squash(self.hidden(maps.flatten(1)))))


def _begin(layer: nn.Conv2d | nn.Linear) -> None:
    """Draw weights from U(-b, b) with standard deviation 1 / sqrt(F); biases are zero."""
    bound = (3 / layer.weight[0].numel()) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
