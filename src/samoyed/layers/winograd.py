"""Convolutions with 3 x 3 kernels by a quarter of the multiplications, on tiles of 4 x 4 places.

Lavin, A. & Gray, S. (2016). Fast algorithms for convolutional neural networks. CVPR, after
Winograd, S. (1980). Arithmetic complexity of computations. SIAM.

Four places of a sequence that three weights slide over are the coefficients of a product of
polynomials, turned round. Its values at six points, one of them infinity, are six products instead
of twelve, and lead back to it; in two directions 36 instead of 144. What is added around them
grows with the number of maps, the products with its square, so that it pays for many maps.

Equation -> here (Lavin & Gray 2016):

* eq. 8, Y = A^T [(G g G^T) o (B^T d B)] A, with all rows of g and d as one vector -> `_Winograd`
* section 4.3, F(4 x 4, 3 x 3): tiles of 6 x 6 that overlap by two                  -> `_tiles`
* eq. 12, the sum over maps as 36 products of matrices                             -> `torch.bmm`
* the matrices A, B and G, from the points instead of printed                      -> `transforms`
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

OUT, TAPS = 4, 3  # places of a tile after, weights of a kernel, in one direction
IN = OUT + TAPS - 1  # places of a tile before
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0)  # where polynomials are evaluated, beside infinity
FEWEST_TILES = 64  # with fewer, reading the transformed weights is what takes the time
FEWEST_MAPS = 60  # C O / (C + O): with fewer, what is around the products takes as long as they
FEWEST_PLACES = 0.5  # share of the tiles' places that are places of the maps

# Legend for shapes: B batch, C maps before, O maps after, H rows, W columns, T tiles of all maps,
# I x J tiles of one map.


def pays(batch: int, height: int, width: int, num_before: int, num_after: int) -> bool:
    """Return whether training is faster this way than by the library's convolution."""
    each = _num_tiles(height) * _num_tiles(width)
    is_wide = num_before * num_after >= FEWEST_MAPS * (num_before + num_after)
    is_filled = height * width >= FEWEST_PLACES * OUT * OUT * each
    return is_wide and is_filled and batch * each >= FEWEST_TILES


def convolve_in_tiles(
    maps: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "O C 3 3"],
    bias: Float[Tensor, " O"] | None,
) -> Float[Tensor, "B O H W"]:
    """Convolve with padding that keeps the size.

    In float32 values differ from the plain sum's by about 1e-5 of the largest.

    Args:
        maps: of any size.
        weight: of 3 x 3 kernels.
        bias: one for each map, or None.

    Returns:
        Maps that lie channels last in memory.
    """
    out: Tensor = _Winograd.apply(maps, weight)
    return out if bias is None else out + bias[:, None, None]


@cache
def transforms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A^T (4, 6), G (6, 3) and B^T (6, 6) of F(4, 3), in one direction.

    A^T holds the powers of the points, G the powers over the products of their differences, B^T
    the coefficients of the polynomials that are zero at all other points.

    >>> transforms()[2][0]
    array([ 4.,  0., -5.,  0.,  1.,  0.])
    """
    points = np.array(POINTS)
    a, g, b = np.zeros((IN, OUT)), np.zeros((IN, TAPS)), np.zeros((IN, IN))
    a[:-1] = points[:, None] ** np.arange(OUT)
    g[:-1] = points[:, None] ** np.arange(TAPS)
    for i, point in enumerate(points):
        others = np.delete(points, i)
        g[i] /= np.prod(point - others)
        b[i, :-1] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1  # at infinity only the highest power is left
    b[-1] = np.poly(points)[::-1]
    return a.T, g, b


def _both_ways(matrix: np.ndarray, like: Tensor) -> Tensor:
    """Return what applies a matrix to the rows and to the columns of flattened tiles."""
    return torch.from_numpy(np.kron(matrix, matrix)).to(like)


def _num_tiles(side: int) -> int:
    return -(-side // OUT)


def _tiles(padded: Float[Tensor, "B P Q C"], rows: int, columns: int) -> Tensor:
    """Return (6, 6, B, I, J, C), overlapping tiles of (B, 4 I + 2, 4 J + 2, C), no copy."""
    each, down, right, deep = padded.stride()
    return padded.as_strided(
        (IN, IN, len(padded), rows, columns, padded.shape[3]),
        (down, right, each, OUT * down, OUT * right, deep),
    )


def _laid_out(maps: Float[Tensor, "B O H W"], rows: int, columns: int) -> Float[Tensor, "16 TO"]:
    """Return tiles that do not overlap, each place of a tile as a row; zeros beyond the maps."""
    batch, num, height, width = maps.shape
    last = F.pad(maps.permute(0, 2, 3, 1), (0, 0, 0, OUT * columns - width, 0, OUT * rows - height))
    tiles = last.reshape(batch, rows, OUT, columns, OUT, num).permute(2, 4, 0, 1, 3, 5)
    return tiles.reshape(OUT * OUT, -1)


def _put_together(
    tiles: Float[Tensor, "36 T C"], batch: int, height: int, width: int
) -> Float[Tensor, "B C H W"]:
    """Return the sum of overlapping tiles, without what reaches beyond the maps."""
    rows, columns = _num_tiles(height), _num_tiles(width)
    num = tiles.shape[-1]
    seen = tiles.new_zeros(batch, OUT * rows + TAPS - 1, OUT * columns + TAPS - 1, num)
    places = _tiles(seen, rows, columns)
    each = tiles.view(places.shape)
    for row in (slice(0, OUT), slice(OUT, IN)):  # in each of these, tiles do not overlap
        for column in (slice(0, OUT), slice(OUT, IN)):
            places[row, column].add_(each[row, column])
    return seen[:, 1 : height + 1, 1 : width + 1].permute(0, 3, 1, 2)


def _is_channels_last(weight: Float[Tensor, "O C 3 3"]) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last)


def _by_tap(weight: Float[Tensor, "O C 3 3"]) -> Float[Tensor, "9 OC"]:
    """Return the weights of each place of the kernel, with as little copying as can be."""
    if _is_channels_last(weight):
        return weight.permute(2, 3, 0, 1).reshape(TAPS * TAPS, -1)
    return weight.reshape(-1, TAPS * TAPS).t()


def _of_taps(
    products: Float[Tensor, "36 O C"], of_weights: Float[Tensor, "36 9"], is_channels_last: bool
) -> Float[Tensor, "O C 3 3"]:
    """Return the gradient of the weights, laid out as they are."""
    flat, shape = products.flatten(1), products.shape[1:]
    if is_channels_last:
        return (of_weights.t() @ flat).view(TAPS, TAPS, *shape).permute(2, 3, 0, 1)
    return (flat.t() @ of_weights).view(*shape, TAPS, TAPS)


class _Winograd(torch.autograd.Function):
    """(B, C, H, W), (O, C, 3, 3) -> (B, O, H, W), channels last in memory."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        to_places, of_weights, of_maps = (_both_ways(m, maps) for m in transforms())
        batch, num_before, height, width = maps.shape
        rows, columns = _num_tiles(height), _num_tiles(width)
        beyond = (0, 0, 1, OUT * columns - width + 1, 1, OUT * rows - height + 1)
        tiles = _tiles(F.pad(maps.permute(0, 2, 3, 1), beyond), rows, columns)
        before = (of_maps @ tiles.reshape(IN * IN, -1)).view(IN * IN, -1, num_before)
        weights = (of_weights @ _by_tap(weight)).view(IN * IN, *weight.shape[:2])
        ctx.save_for_backward(before, weights)
        ctx.size, ctx.is_channels_last = (batch, height, width), _is_channels_last(weight)
        after = torch.bmm(before, weights.transpose(1, 2))
        places = (to_places @ after.flatten(1)).view(OUT, OUT, batch, rows, columns, -1)
        out = places.permute(2, 3, 0, 4, 1, 5).reshape(batch, OUT * rows, OUT * columns, -1)
        return out[:, :height, :width].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        before, weights = ctx.saved_tensors
        [of_out] = gradients
        to_places, of_weights, of_maps = (_both_ways(m, of_out) for m in transforms())
        batch, height, width = ctx.size
        places = _laid_out(of_out, _num_tiles(height), _num_tiles(width))
        after = (to_places.t() @ places).view(IN * IN, -1, weights.shape[1])
        to_maps = to_weight = None
        if ctx.needs_input_grad[0]:
            back = torch.bmm(after, weights)
            tiles = (of_maps.t() @ back.flatten(1)).view_as(back)
            to_maps = _put_together(tiles, batch, height, width)
        if ctx.needs_input_grad[1]:
            products = torch.bmm(after.transpose(1, 2), before)
            to_weight = _of_taps(products, of_weights, ctx.is_channels_last)
        return to_maps, to_weight
