"""Preparations of contrast against slow references: sorting, counting and filtering in NumPy."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import nn

from samoyed.data.contrast import (
    contrast_normalized,
    difference_of_gaussians,
    equalized,
    equalized_in_tiles,
    in_intensity,
    luma,
    stretched,
)


def pictures(num, channels=3, side=32, seed=1):
    """Pictures of low contrast with something on them."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand(num, channels, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(rough, (side, side), mode="bilinear", align_corners=False)
    return 0.2 + 0.4 * smooth + 0.1 * torch.rand(num, channels, side, side, generator=generator)


def gray(num=3, side=32, seed=1):
    return pictures(num, channels=1, side=side, seed=seed)


def test_stretched_saturates_a_hundredth_at_either_end():
    given = gray()
    for picture, found in zip(given.numpy(), stretched(given).numpy(), strict=True):
        ordered = np.sort(picture.ravel())
        low, high = ordered[10], ordered[-11]  # of 1,024 pixels
        np.testing.assert_allclose(found, np.clip((picture - low) / (high - low), 0, 1), atol=1e-5)
        assert (found == 0).sum() == (found == 1).sum() == 11


def slow_shares(levels, limit=None):
    """Return what each of 256 levels becomes: a loop over pixels and levels."""
    counts = [0.0] * 256
    for level in levels.ravel():
        counts[level] += 1
    if limit is not None:
        excess = sum(max(0.0, c - limit) for c in counts)
        counts = [min(c, limit) + excess / 256 for c in counts]
    shares, total = [], 0.0
    for count in counts:
        total += count
        shares.append(total / levels.size)
    return shares


def test_equalized_gives_each_level_its_rank():
    given = gray(2)
    for picture, found in zip(given[:, 0].numpy(), equalized(given)[:, 0].numpy(), strict=True):
        levels = np.rint(picture * 255).astype(int)
        shares = slow_shares(levels)
        expected = np.array([[shares[level] for level in row] for row in levels])
        np.testing.assert_allclose(found, expected, atol=1e-6)
        counts, _ = np.histogram(found, bins=4, range=(0, 1))
        assert (abs(counts / found.size - 0.25) < 0.06).all(), "an even histogram"


@pytest.mark.parametrize("side", [32, 48])
def test_equalized_in_tiles_equals_loops_over_pixels(side):
    given = gray(1, side)
    found = equalized_in_tiles(given, 8)[0, 0].numpy()
    levels = np.rint(given[0, 0].numpy() * 255).astype(int)
    wide = side // 8
    limit = 1 + round(0.01 * (wide * wide - 1))
    tables = {
        (r, c): slow_shares(levels[r * wide : (r + 1) * wide, c * wide : (c + 1) * wide], limit)
        for r, c in np.ndindex(8, 8)
    }
    for y, x in np.ndindex(side, side):
        row, column = (y + 0.5) / wide - 0.5, (x + 0.5) / wide - 0.5
        total = 0.0
        for r in (math.floor(row), math.floor(row) + 1):
            for c in (math.floor(column), math.floor(column) + 1):
                weight = (1 - abs(row - r)) * (1 - abs(column - c))
                tile = (min(max(r, 0), 7), min(max(c, 0), 7))
                total += weight * tables[tile][levels[y, x]]
        assert found[y, x] == pytest.approx(total, abs=1e-5)


def test_tiles_bring_out_what_lies_in_the_dark_more_than_the_whole_does():
    noise = 0.2 * torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    picture = noise + 0.1
    picture[..., 24:] += 0.6
    spreads = [
        change(picture)[..., :20].std().item()
        for change in (lambda x: x, equalized, lambda x: equalized_in_tiles(x, 8))
    ]
    assert spreads == sorted(spreads)
    assert spreads[2] > 1.3 * spreads[1]


def test_contrast_normalisation_is_a_difference_of_gaussians():
    given = pictures(2)
    y, x = np.mgrid[-2:3, -2:3]
    gaussians = [np.exp(-(x**2 + y**2) / (2 * s**2)) for s in (1.0, 2.0)]
    kernel = gaussians[0] / gaussians[0].sum() - gaussians[1] / gaussians[1].sum()
    kernel /= kernel[kernel > 0].sum()
    np.testing.assert_allclose(difference_of_gaussians(), kernel, atol=1e-6)
    found = contrast_normalized(given)
    for b, c in np.ndindex(2, 3):
        expected = correlate(given[b, c].double().numpy(), kernel, mode="nearest")
        np.testing.assert_allclose(found[b, c], expected, atol=1e-5)
    assert contrast_normalized(torch.full((1, 1, 8, 8), 0.7)).abs().max() < 1e-6


def test_colours_keep_their_differences():
    given = pictures(2) * 0.5 + 0.2
    found = in_intensity(lambda intensity: intensity + 0.1, given)
    torch.testing.assert_close(found - given, torch.full_like(given, 0.1))
    changed = in_intensity(lambda intensity: 0.4 + 0.2 * intensity, given)
    torch.testing.assert_close(luma(changed), 0.4 + 0.2 * luma(given))
