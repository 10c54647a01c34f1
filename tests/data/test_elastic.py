"""Elastic distortions against SciPy's filter and interpolation, picture by picture."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from samoyed.data.augmentation import Augmentation, warps
from samoyed.data.elastic import (
    dials_of,
    displacements,
    smoothed_displacements,
    smoothing,
    typical_displacement,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def slow_elastic(picture, noise, sigma, alpha):
    """Distort one (C, H, W) array the way the paper's section 2 says, with SciPy."""
    to_the_right, down = (
        gaussian_filter(part, sigma, mode="constant", cval=0.0, truncate=4.0) * alpha
        for part in noise
    )
    rows, columns = np.meshgrid(*(np.arange(s) for s in picture.shape[1:]), indexing="ij")
    places = [rows + down, columns + to_the_right]
    return np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in picture])


@pytest.mark.parametrize("shape", [(1, 29, 29), (3, 20, 34), (1, 64, 48)])
def test_a_batch_is_distorted_as_scipy_distorts_its_pictures_one_by_one(shape):
    given = torch.rand(5, *shape, generator=generator(3))
    # The same random numbers in the same order: warps draw first, then the field.
    drawn = generator(7)
    names = ("elastic",)
    found = Augmentation(names)(given, drawn)
    again = generator(7)
    matrices = warps(5, names, again)
    assert torch.equal(matrices, torch.eye(2, 3).expand(5, 2, 3)), "nothing but the field moves"
    noise = torch.rand(5, 2, *shape[1:], generator=again).double().numpy() * 2 - 1
    scale = min(shape[1:]) / 29
    for picture, field, distorted in zip(given.double().numpy(), noise, found, strict=True):
        expected = slow_elastic(picture, field, 4 * scale, 34 * scale**2)
        np.testing.assert_allclose(distorted.numpy(), expected, atol=2e-4)


def test_smoothing_is_the_gaussian_of_scipy():
    line = np.random.default_rng(0).uniform(-1, 1, 40)
    expected = gaussian_filter(line, 3.3, mode="constant", truncate=4.0)
    found = smoothing(40, 3.3).double().numpy() @ line
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_papers_dials_belong_to_29_pixels():
    assert dials_of(29, 29) == (4.0, 34.0)
    field = displacements(400, 29, 29, generator())
    inner = field[:, :, 12:17, 12:17]
    assert inner.std().item() == pytest.approx(typical_displacement(29, 29), rel=0.1)
    assert typical_displacement(29, 29) == pytest.approx(1.38, abs=0.01)


@pytest.mark.parametrize("side", [15, 58, 87])
def test_other_sizes_are_distorted_as_much_relative_to_their_side(side):
    assert typical_displacement(side, side) / side == pytest.approx(
        typical_displacement(29, 29) / 29
    )
    field = displacements(60, side, side, generator())
    middle = slice(2 * side // 5, 3 * side // 5)
    found = field[:, :, middle, middle].std().item()
    assert found == pytest.approx(typical_displacement(side, side), rel=0.2)


def test_neighbours_move_together_and_distant_pixels_do_not():
    field = displacements(300, 29, 29, generator())[:, 0, 14]
    centred = field - field.mean(0)
    covariance = (centred.T @ centred)[14] / centred[:, 14].square().sum()
    # Smoothed noise is correlated like exp(-d^2 / (4 sigma^2)).
    assert covariance[15].item() == pytest.approx(np.exp(-1 / 64), abs=0.05)
    assert covariance[18].item() == pytest.approx(np.exp(-16 / 64), abs=0.12)
    assert abs(covariance[28].item()) < 0.2


def test_directions_and_pictures_move_independently():
    field = displacements(400, 29, 29, generator())[:, :, 14, 14]
    assert abs(torch.corrcoef(field.T)[0, 1].item()) < 0.15
    assert field.std(0).min() > 0


def test_no_displacement_changes_nothing():
    noise = torch.zeros(2, 2, 10, 10)
    assert torch.equal(smoothed_displacements(noise, 2.0, 34.0), noise)


def test_elastic_and_affine_are_read_in_one_go():
    """Both together differ from each alone, and a constant picture stays what it is."""
    flat = torch.full((4, 1, 28, 28), 0.3)
    found = Augmentation(("affine", "elastic"))(flat, generator())
    torch.testing.assert_close(found, flat)
    given = torch.rand(4, 1, 28, 28, generator=generator(2))
    both = Augmentation(("affine", "elastic"))(given, generator())
    alone = Augmentation(("affine",))(given, generator())
    assert not torch.allclose(both, alone)
