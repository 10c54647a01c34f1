"""AlexNet's colours: against NumPy's eigenvectors, and along the first component most of all."""

import numpy as np
import torch

from samoyed.data.colouring import PCA_STD, along_components, covariance_of, pca_coloured


def photos(num=30, seed=0):
    """Pictures whose channels rise and fall together, as those of photos do."""
    generator = torch.Generator().manual_seed(seed)
    gray = torch.rand(num, 1, 12, 12, generator=generator)
    return (0.2 + 0.5 * gray + 0.1 * torch.rand(num, 3, 12, 12, generator=generator)).clamp(0, 1)


def test_the_covariance_is_that_of_all_pixels():
    pictures = photos()
    pixels = pictures.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy()
    np.testing.assert_allclose(covariance_of(pictures), np.cov(pixels.T, bias=True), atol=1e-6)


def test_what_is_added_follows_section_4_1():
    covariance = covariance_of(photos())
    values, vectors = np.linalg.eigh(covariance.double().numpy())
    for k in range(3):
        amounts = torch.zeros(1, 3)
        amounts[0, k] = 0.7
        found = along_components(covariance, amounts)[0].double().numpy()
        expected = vectors[:, k] * 0.7 * values[k]
        sign = np.sign(found @ expected)  # an eigenvector may point either way
        np.testing.assert_allclose(found, sign * expected, atol=1e-6)


def test_every_pixel_of_a_picture_gets_the_same():
    pictures = photos()
    added = pca_coloured(pictures, torch.Generator().manual_seed(0)) - pictures
    assert (added.amax((2, 3)) - added.amin((2, 3))).max() < 1e-6
    assert (added[0] - added[1]).abs().max() > 1e-4, "pictures draw on their own"


def test_the_size_of_the_change():
    pictures = photos(num=2000)
    added = (pca_coloured(pictures, torch.Generator().manual_seed(0)) - pictures)[..., 0, 0]
    values, vectors = np.linalg.eigh(covariance_of(pictures).double().numpy())
    along = added.double().numpy() @ vectors
    np.testing.assert_allclose(along.std(0), PCA_STD * values, rtol=0.1, atol=1e-6)


def test_gray_pictures_change_in_brightness():
    pictures = photos()[:, :1]
    found = pca_coloured(pictures, torch.Generator().manual_seed(0))
    variance = pictures.var(correction=0)
    assert 0 < (found - pictures).abs().max() < 0.5 * variance
