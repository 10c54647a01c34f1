"""The contrast of pictures, prepared in four ways, on whole batches at once.

Ciresan, D., Meier, U., Masci, J. & Schmidhuber, J. (2012). Multi-column deep neural network for
traffic sign classification. Neural Networks 32, 333-338, names them after Matlab's
functions: Imadjust (`stretched`), Histeq (`equalized`), Adapthisteq (`equalized_in_tiles`) and
Conorm, a difference of Gaussians (`contrast_normalized`).

Legend for shapes: B batch, C channels, H rows, W columns, R rows of pixels, P pixels, L levels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

SATURATED = 0.01  # of the pixels, at either end
NUM_LEVELS = 256  # of the histograms
CLIP = 0.01  # of a tile's pixels: how far a count may rise above an even histogram's
GAUSSIANS = (1.0, 2.0)  # pixels: standard deviations of the inner and the outer
FILTER_REACH = 2  # 5 x 5 pixels
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue


def luma(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
    """Return the intensity of every pixel."""
    if pictures.shape[1] == 1:
        return pictures
    return (pictures * pictures.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def in_intensity(change: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    """Change the intensity of pictures in [0, 1] and leave the differences of colours alone."""
    before = luma(pictures)
    return (pictures + (change(before) - before)).clamp(0, 1)


def stretched(intensity: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Imadjust: the darkest and the brightest hundredth become 0 and 1; an even picture stays."""
    ordered = intensity.flatten(1).sort(1).values
    last = ordered.shape[1] - 1
    cut = round(SATURATED * last)
    low, high = (ordered[:, i].view(-1, 1, 1, 1) for i in (cut, last - cut))
    result = ((intensity - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    return torch.where(high > low, result, intensity)


def equalized(intensity: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Histeq: a level becomes the share of the pixels that are not brighter."""
    levels = _levels_of(intensity)
    return cumulative(levels.flatten(1)).gather(1, levels.flatten(1)).view_as(intensity)


def equalized_in_tiles(
    intensity: Float[Tensor, "B 1 H W"], num_tiles: int
) -> Float[Tensor, "B 1 H W"]:
    """Adapthisteq: equalise by the histograms of the nearest tiles (Zuiderveld 1994).

    Between the centres of four tiles what their histograms say is interpolated bilinearly. Counts
    above the clip limit are spread over all levels, so that noise in even tiles stays noise.
    """
    num, _, height, width = intensity.shape
    levels = _levels_of(intensity)
    tiles = levels.view(num, num_tiles, height // num_tiles, num_tiles, width // num_tiles)
    in_tiles = tiles.transpose(2, 3).flatten(3)  # (B, T, T, pixels)
    num_pixels = in_tiles.shape[3]
    even = math.ceil(num_pixels / NUM_LEVELS)
    limit = even + round(CLIP * (num_pixels - even))
    tables = cumulative(in_tiles.flatten(0, 2), limit).view(num, -1)  # (B, T T L)
    rows, columns = (_neighbours(side, num_tiles, levels.device) for side in (height, width))
    result = torch.zeros_like(levels, dtype=intensity.dtype)
    for tile_y, weight_y in rows:
        for tile_x, weight_x in columns:
            tile = tile_y[:, None] * num_tiles + tile_x
            found = tables.gather(1, (tile * NUM_LEVELS + levels).flatten(1)).view_as(levels)
            result += found * (weight_y[:, None] * weight_x).to(result.dtype)
    return result.unsqueeze(1)


def cumulative(levels: Int[Tensor, "R P"], limit: int | None = None) -> Float[Tensor, "R L"]:
    """Return for every level the share of a row's pixels at or below it, counts clipped."""
    counts = torch.zeros(levels.shape[0], NUM_LEVELS, device=levels.device)
    counts.scatter_add_(1, levels, torch.ones_like(levels, dtype=counts.dtype))
    if limit is not None:
        excess = (counts - limit).clamp(min=0)
        counts = counts - excess + excess.sum(1, keepdim=True) / NUM_LEVELS
    return counts.cumsum(1) / levels.shape[1]


def _levels_of(intensity: Float[Tensor, "B 1 H W"]) -> Int[Tensor, "B H W"]:
    return (intensity[:, 0] * (NUM_LEVELS - 1)).round().long().clamp(0, NUM_LEVELS - 1)


def _neighbours(side: int, num_tiles: int, device: Any) -> list[tuple[Tensor, Tensor]]:
    """Return for every pixel of a line the tile before it and the one after, with their weights."""
    pixels = torch.arange(side, device=device) + 0.5
    place = pixels * num_tiles / side - 0.5  # in tiles, 0 at the centre of the first
    before = place.floor()
    share = place - before
    return [
        (tile.clamp(0, num_tiles - 1).long(), weight)
        for tile, weight in ((before, 1 - share), (before + 1, share))
    ]


def difference_of_gaussians() -> Float[Tensor, "5 5"]:
    """Return the filter: inner minus outer Gaussian, each with sum 1; gain at most 1."""
    offsets = torch.arange(-FILTER_REACH, FILTER_REACH + 1, dtype=torch.float32)
    squares = offsets.square()[:, None] + offsets.square()
    inner, outer = (torch.exp(-squares / (2 * s**2)) for s in GAUSSIANS)
    difference = inner / inner.sum() - outer / outer.sum()
    return difference / difference.clamp(min=0).sum()


def contrast_normalized(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Conorm: filter every channel, the border repeated; edges remain, within [-1, 1]."""
    channels = pictures.shape[1]
    weights = difference_of_gaussians().to(pictures).expand(channels, 1, -1, -1)
    framed = F.pad(pictures, (FILTER_REACH,) * 4, mode="replicate")
    return F.conv2d(framed, weights, groups=channels)
