"""Dropout whose random numbers are cheap: eight decisions from one of them.

Reference: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way
to prevent neural networks from overfitting, JMLR 15:1929, sec. 4; scaled while training, as in its
sec. 10. Drawing one random number for every value, as the library does on a processor, takes most
of its time: forward and back, less than a third of it is left.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LEVELS = 256
"""Of a random byte, by which it is told whether a value stays."""


def dropout(values: Float[Tensor, "*N"], share: float, is_training: bool) -> Float[Tensor, "*N"]:
    """Leave out values; the others are scaled up in return.

    Eight of them are told by one random number, a byte each: shares are 256ths (0.1 is 26 / 256).

    Args:
        values: of any shape.
        share: of the values that are left out.
        is_training: whether anything is left out.
    """
    if not is_training or share == 0.0:
        return values
    out = round(share * LEVELS)
    if not 0 < out < LEVELS:
        return F.dropout(values, share)
    drawn = torch.empty(-(-values.numel() // 8), dtype=torch.long, device=values.device)
    drawn.random_(-(2**63), None)
    stays = drawn.view(torch.uint8)[: values.numel()].view(values.shape) >= out
    return values * stays.to(values.dtype).mul_(LEVELS / (LEVELS - out))


class Dropout(nn.Module):
    """A layer that leaves out values while training.

    Args:
        share: of the values that are left out.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Leave out values."""
        return dropout(values, self.share, self.training)

    def extra_repr(self) -> str:
        """Say the share."""
        return f"share={self.share}"
