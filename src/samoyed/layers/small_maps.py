"""Convolutions of maps of a few places, as one dense product.

Where a map is smaller than its kernel, most products of a convolution are with the padding: on
2 x 2 places a 3 x 3 kernel computes 36 of which 16 are real. Written out as a matrix from all
places before to all places after, only the real ones are left, and one large product runs nearer
to the processor's ceiling than a convolution of so little. The arithmetic is the same sum.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

# Legend for shapes: B batch, C maps before, O maps after, H rows, W columns, K x L the kernel,
# P = H W places.


class Convolution(nn.Conv2d):
    """A convolution that keeps the size, with an odd kernel; its weights are `nn.Conv2d`'s.

    While training, maps of few places are convolved as one dense product.

    Args:
        num_before: C.
        num_after: O.
        kernel: side of the square kernel, odd.
    """

    def __init__(self, num_before: int, num_after: int, kernel: int) -> None:
        super().__init__(num_before, num_after, kernel, padding=kernel // 2)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"]:
        """Convolve."""
        num_places, num_taps = maps.shape[-2:].numel(), self.weight.shape[-2:].numel()
        if not self.training or num_places >= num_taps:
            return super().forward(maps)
        return convolve_densely(maps, self.weight, self.bias)


def convolve_densely(
    maps: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "O C K L"],
    bias: Float[Tensor, " O"] | None,
) -> Float[Tensor, "B O H W"]:
    """Convolve with padding that keeps the size, as a product with a (P O, P C) matrix.

    Args:
        maps: small maps.
        weight: of an odd kernel.
        bias: one for each map, or None.
    """
    height, width = maps.shape[-2:]
    if torch.is_autocast_enabled(maps.device.type):
        weight = weight.to(torch.get_autocast_dtype(maps.device.type))
    matrix = _Spread.apply(weight, height, width)
    flat = maps.permute(0, 2, 3, 1).reshape(len(maps), -1)
    spread_bias = None if bias is None else bias.repeat(height * width)
    out = F.linear(flat, matrix, spread_bias)
    return out.view(len(maps), height, width, -1).permute(0, 3, 1, 2)


class _Spread(torch.autograd.Function):
    """(O, C, K, L) -> (P O, P C): the kernel's weight between every two places, or zero."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, height: int, width: int) -> Tensor:
        ctx.shape, ctx.size, ctx.dtype = weight.shape, (height, width), weight.dtype
        num_after, num_before, rows, columns = weight.shape
        places = height * width
        matrix = weight.new_zeros(places, num_after, places, num_before)
        for after, before, row, column in _pairs(rows, columns, height, width):
            matrix[after, :, before] = weight[:, :, row, column]
        return matrix.view(places * num_after, places * num_before)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        num_after, num_before, rows, columns = ctx.shape
        height, width = ctx.size
        places = height * width
        by_pair = gradients[0].view(places, num_after, places, num_before)
        total = gradients[0].new_zeros(rows, columns, num_after, num_before, dtype=torch.float32)
        for after, before, row, column in _pairs(rows, columns, height, width):
            total[row, column] += by_pair[after, :, before]
        return total.permute(2, 3, 0, 1).to(ctx.dtype), None, None


def _pairs(rows: int, columns: int, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """List (place after, place before, row and column of the kernel) of all real products.

    >>> _pairs(3, 3, 1, 2)
    [(0, 0, 1, 1), (0, 1, 1, 2), (1, 0, 1, 0), (1, 1, 1, 1)]
    """
    found = []
    for after in range(height * width):
        for before in range(height * width):
            (y, x), (v, u) = divmod(after, width), divmod(before, width)
            row, column = v - y + rows // 2, u - x + columns // 2
            if 0 <= row < rows and 0 <= column < columns:
                found.append((after, before, row, column))
    return found
