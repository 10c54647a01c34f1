"""Convolutions of maps of a few places, as one product of matrices.

Where a map is smaller than its kernel, most products of a convolution are with the padding: on
2 x 2 places a 3 x 3 kernel computes 36 of which 16 are real. Written out as a matrix from all
places before to all places after, only the real ones are left, and one large product runs nearer
to the processor's ceiling than a convolution of so little. Where a map is little larger, what each
place sees is gathered, and multiplied at once. The arithmetic is the same sum.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

# Legend for shapes: B batch, C maps before, O maps after, H rows, W columns, K x L the kernel,
# P = H W places.


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
    matrix = _Spread.apply(weight, height, width, number_format(weight))
    flat = maps.permute(0, 2, 3, 1).reshape(len(maps), -1)
    spread_bias = None if bias is None else bias.repeat(height * width)
    out = F.linear(flat, matrix, spread_bias)
    return out.view(len(maps), height, width, -1).permute(0, 3, 1, 2)


def convolve_gathered(
    maps: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "O C K L"],
    bias: Float[Tensor, " O"] | None,
) -> Float[Tensor, "B O H W"]:
    """Convolve with padding that keeps the size: gather (B P, K L C), then multiply.

    Args:
        maps: small maps.
        weight: of an odd kernel.
        bias: one for each map, or None.
    """
    number = number_format(weight)
    out: Tensor = _Gathered.apply(maps.to(number), weight.to(number))
    return out if bias is None else out + bias.to(number)[:, None, None]


def number_format(weight: Tensor) -> torch.dtype:
    """Return the number format that products have now."""
    device = weight.device.type
    is_cast = torch.is_autocast_enabled(device)
    return torch.get_autocast_dtype(device) if is_cast else weight.dtype


def _gather(maps: Float[Tensor, "B C H W"], rows: int, columns: int) -> Float[Tensor, "BP KLC"]:
    """Return what every place sees through a kernel of this size, zeros outside."""
    seen = F.pad(maps.permute(0, 2, 3, 1), (0, 0, *[columns // 2] * 2, *[rows // 2] * 2))
    batch, num, height, width = maps.shape
    each, down, right, deep = seen.stride()
    views = seen.as_strided(
        (batch, height, width, rows, columns, num), (each, down, right, down, right, deep)
    )
    return views.reshape(batch * height * width, rows * columns * num)


class _Gathered(torch.autograd.Function):
    """(B, C, H, W), (O, C, K, L) -> (B, O, H, W), channels last in memory."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        num_after, _, rows, columns = weight.shape
        seen = _gather(maps, rows, columns)
        ctx.save_for_backward(seen, weight)
        out = seen @ weight.permute(0, 2, 3, 1).reshape(num_after, -1).t()
        batch, _, height, width = maps.shape
        return out.view(batch, height, width, num_after).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor]:
        seen, weight = ctx.saved_tensors
        [of_out] = gradients
        num_after, num_before, rows, columns = weight.shape
        batch, _, height, width = of_out.shape
        flat = of_out.permute(0, 2, 3, 1).reshape(-1, num_after)
        of_weight = (flat.t() @ seen).view(num_after, rows, columns, num_before)
        of_maps = None
        if ctx.needs_input_grad[0]:  # what a place gave comes back through the kernel turned round
            turned = weight.flip(2, 3).permute(2, 3, 0, 1).reshape(-1, num_before)
            back = _gather(of_out, rows, columns) @ turned
            of_maps = back.view(batch, height, width, num_before).permute(0, 3, 1, 2)
        return of_maps, of_weight.permute(0, 3, 1, 2)


class _Spread(torch.autograd.Function):
    """(O, C, K, L) -> (P O, P C): the kernel's weight between every two places, or zero."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, height: int, width: int, number: torch.dtype) -> Tensor:
        num_after, num_before, rows, columns = weight.shape
        ctx.shape, ctx.size, ctx.dtype = weight.shape, (height, width), weight.dtype
        places = height * width
        matrix = weight.new_zeros(places, num_after, places, num_before, dtype=number)
        for after, before, row, column in _pairs(rows, columns, height, width):
            matrix[after, :, before] = weight[:, :, row, column]
        return matrix.view(places * num_after, places * num_before)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        num_after, num_before, rows, columns = ctx.shape
        height, width = ctx.size
        places = height * width
        by_pair = gradients[0].view(places, num_after, places, num_before)
        total = by_pair.new_zeros(num_after, rows, columns, num_before, dtype=ctx.dtype)
        for after, before, row, column in _pairs(rows, columns, height, width):
            total[:, row, column] += by_pair[after, :, before]
        return total.permute(0, 3, 1, 2), None, None, None


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
