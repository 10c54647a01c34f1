"""Elastic distortions: every pixel moves a little, and its neighbours move along with it.

Simard, P. Y., Steinkraus, D. & Platt, J. C. (2003). Best practices for convolutional neural
networks applied to visual document analysis. ICDAR, 958-963, section 2. Displacements are drawn
from U(-1, 1) for every pixel, in each direction on its own, smoothed with a Gaussian of standard
deviation sigma and multiplied by alpha. A small sigma gives noise, a large one a mere shift, and
one between them looks like uncontrolled oscillations of the muscles of a hand.

The paper's sigma = 4 and alpha = 34 count pixels of a 29 x 29 grid. For pictures s times as large
sigma grows with s, and alpha with its square: the mean of independent displacements under a kernel
s times as wide is 1 / s as large, and it should be s times as large. Then displacements have the
same size relative to the picture, about 1.4 pixels of 29 (standard deviation, each direction).

Legend for shapes: B batch, C channels, H rows, W columns.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

SIDE = 29  # pixels, of the paper's grid
SIGMA = 4.0  # pixels of that grid
ALPHA = 34.0  # of that grid
TRUNCATE = 4.0  # standard deviations after which the Gaussian is cut off


def dials_of(height: int, width: int) -> tuple[float, float]:
    """Return sigma in pixels, and alpha, for pictures of this size; the shorter side decides.

    >>> dials_of(29, 29), dials_of(58, 90)
    ((4.0, 34.0), (8.0, 136.0))
    """
    scale = min(height, width) / SIDE
    return SIGMA * scale, ALPHA * scale**2


def smoothing(side: int, sigma: float) -> Float[Tensor, "S S"]:
    """Return the matrix that smooths a line of `side` numbers with a Gaussian.

    Beyond the ends of the line the numbers are zero. The weights sum to one over the whole kernel,
    so that near the ends a line of ones becomes less than one.
    """
    radius = int(TRUNCATE * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    total = torch.exp(-0.5 * (offsets / sigma).square()).sum()
    places = torch.arange(side, dtype=torch.float64)
    distances = (places[:, None] - places).abs()
    weights = torch.exp(-0.5 * (distances / sigma).square()) / total
    return weights.where(distances <= radius, 0.0).float()


def smoothed_displacements(
    noise: Float[Tensor, "B 2 H W"], sigma: float, alpha: float
) -> Float[Tensor, "B 2 H W"]:
    """Smooth a field of displacements along both sides, and make it alpha times as large.

    Each side is one product with a matrix for the whole batch, which is symmetric.
    """
    height, width = noise.shape[2:]
    across = noise @ (alpha * smoothing(width, sigma))
    return (across.transpose(2, 3) @ smoothing(height, sigma)).transpose(2, 3)


def displacements(
    num: int, height: int, width: int, generator: torch.Generator
) -> Float[Tensor, "B 2 H W"]:
    """Draw one field per picture: how many pixels to the right, and how many down, to look."""
    noise = torch.rand(num, 2, height, width, generator=generator) * 2 - 1
    return smoothed_displacements(noise, *dials_of(height, width))


def as_grid_offsets(field: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B H W 2"]:
    """Turn pixels into parts of half a side, which is what `grid_sample` counts in."""
    height, width = field.shape[2:]
    halves = torch.tensor([width / 2, height / 2], dtype=field.dtype)
    return field.permute(0, 2, 3, 1) / halves


def typical_displacement(height: int, width: int) -> float:
    """Return the standard deviation of a displacement far from the border, in pixels.

    >>> round(typical_displacement(29, 29), 2)
    1.38
    """
    sigma, alpha = dials_of(height, width)
    return alpha * math.sqrt(1 / 3) / (2 * math.sqrt(math.pi) * sigma)
