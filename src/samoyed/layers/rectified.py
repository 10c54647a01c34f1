"""How deep networks of rectified linear units begin: input around zero, weights that keep its size.

He, K., Zhang, X., Ren, S. & Sun, J. (2015). Delving deep into rectifiers: surpassing human-level
performance on ImageNet classification. ICCV, 1026-1034; section 2.2. A rectifier drops half of what
comes in, so the weights of a unit with F inputs are drawn from N(0, 2 / F) (eq. 10): then the size
of the activities is the same in every layer, however many there are.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

LAST_STD = 0.01

# Legend for shapes: B batch, C channels, H rows, W columns.


def centre(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Bring [0, 1] to [-2, 2], channels last in memory.

    That is about zero mean and unit variance for photos, whatever they show.
    """
    return pictures.contiguous(memory_format=torch.channels_last) * 4 - 2


def draw_weights(model: nn.Module, *lasts: nn.Linear) -> None:
    """Draw the weights of all convolutions and linear layers from N(0, 2 / F); biases are zero.

    Filters are laid out channels last, as their maps are.

    Args:
        model: with what is to be drawn.
        lasts: the layers that answer: nothing is rectified after them, and all classes should be
            alike at first, so that their weights are small, of standard deviation `LAST_STD`.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
    for last in lasts:
        nn.init.normal_(last.weight, std=LAST_STD)
