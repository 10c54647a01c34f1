"""Convolutions of maps of a few places, as one product of matrices.

Where a map is smaller than its kernel, most products of a convolution are with the padding: on
2 x 2 places a 3 x 3 kernel computes 36 of which 16 are real. Written out as a matrix from all
places before to all places after, only the real ones are left, and one large product runs nearer
to the processor's ceiling than a convolution of so little. Where a map is little larger, what each
place sees is gathered, and multiplied at once. The arithmetic is the same sum.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

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


class _Span(NamedTuple):
    """Rows of a map from which the same rows of the kernel lie inside: [first, last) of both."""

    first: int
    last: int
    first_tap: int
    last_tap: int


def _spans(height: int, rows: int) -> list[_Span]:
    """Part the rows of a map, those that see the most of the kernel first.

    >>> [tuple(span) for span in _spans(4, 3)]
    [(1, 3, 0, 3), (0, 1, 1, 3), (3, 4, 0, 2)]
    """
    reach = rows // 2
    taps = [(max(0, reach - y), min(rows, height + reach - y)) for y in range(height)]
    found = [
        _Span(taps.index(both), height - taps[::-1].index(both), *both)
        for both in dict.fromkeys(taps)
    ]
    return sorted(found, key=lambda span: span.first_tap - span.last_tap)


def _gather(
    padded: Float[Tensor, "B H V C"], span: _Span, rows: int, columns: int
) -> Float[Tensor, "BP KLC"]:
    """Return what every place of a span sees through its rows of the kernel.

    Args:
        padded: maps, channels last, with zeros left and right: V is W + L - 1.
        span: of the places.
        rows: of the whole kernel.
        columns: of the kernel.
    """
    batch, _, width, num = padded.shape
    each, down, right, deep = padded.stride()
    num_rows, num_taps = span.last - span.first, span.last_tap - span.first_tap
    width -= columns - 1
    views = padded.as_strided(
        (batch, num_rows, width, num_taps, columns, num),
        (each, down, right, down, right, deep),
        padded.storage_offset() + (span.first + span.first_tap - rows // 2) * down,
    )
    return views.reshape(batch * num_rows * width, num_taps * columns * num)


def _multiply(
    maps: Float[Tensor, "B C H W"], matrix: Float[Tensor, "KLC O"], rows: int, columns: int
) -> tuple[Float[Tensor, "B O H W"], list[Tensor]]:
    """Return what every place sees times the kernel, and what the places of each span see.

    Rows of the kernel that lie outside are not multiplied: on 4 x 4 places a sixth of 3 x 3.
    """
    padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, *[columns // 2] * 2)).contiguous()
    batch, _, height, width = maps.shape
    deep = len(matrix) // rows
    out = padded.new_empty(batch, height, width, matrix.shape[1])
    all_seen = []
    for span in _spans(height, rows):
        seen = _gather(padded, span, rows, columns)
        multiplied = seen @ matrix[span.first_tap * deep : span.last_tap * deep]
        out[:, span.first : span.last] = multiplied.view(batch, -1, width, matrix.shape[1])
        all_seen.append(seen)
    return out.permute(0, 3, 1, 2), all_seen


class _Gathered(torch.autograd.Function):
    """(B, C, H, W), (O, C, K, L) -> (B, O, H, W), channels last in memory."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        num_after, _, rows, columns = weight.shape
        matrix = weight.permute(0, 2, 3, 1).reshape(num_after, -1).t()
        out, all_seen = _multiply(maps, matrix, rows, columns)
        ctx.save_for_backward(weight, *all_seen)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor]:
        weight, *all_seen = ctx.saved_tensors
        [of_out] = gradients
        num_after, num_before, rows, columns = weight.shape
        deep, height = columns * num_before, of_out.shape[2]
        flat = of_out.permute(0, 2, 3, 1)
        of_weight = None
        for span, seen in zip(_spans(height, rows), all_seen, strict=True):
            part = flat[:, span.first : span.last].reshape(-1, num_after).t()
            if span.last_tap - span.first_tap == rows:  # the first, where there is one
                of_weight = part @ seen
                continue
            if of_weight is None:
                of_weight = weight.new_zeros(num_after, rows * deep)
            of_weight[:, span.first_tap * deep : span.last_tap * deep].addmm_(part, seen)
        assert of_weight is not None
        of_maps = None
        if ctx.needs_input_grad[0]:  # what a place gave comes back through the kernel turned round
            turned = weight.flip(2, 3).permute(2, 3, 0, 1).reshape(-1, num_before)
            of_maps, _ = _multiply(of_out, turned, rows, columns)
        return of_maps, of_weight.view(num_after, rows, columns, num_before).permute(0, 3, 1, 2)


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
        total = by_pair.new_empty(num_after, rows, columns, num_before, dtype=ctx.dtype)
        seen = set()
        for after, before, row, column in _pairs(rows, columns, height, width):
            if (row, column) in seen:
                total[:, row, column] += by_pair[after, :, before]
            else:
                total[:, row, column] = by_pair[after, :, before]
                seen.add((row, column))
        for row, column in {*product(range(rows), range(columns))} - seen:
            total[:, row, column] = 0
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
