"""RandAugment's operations against the Python Imaging Library, whose operations they are."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy.ndimage import map_coordinates

from samoyed.data import rand_augment
from samoyed.data.rand_augment import LARGEST, OPERATIONS, rand_augmented

SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])


def levels(channels=3, seed=0):
    """Four smooth pictures of 24 x 20 at whole levels, one of them without much contrast."""
    random = np.random.default_rng(seed)
    rough = random.integers(0, 256, (4, channels, 8, 8)).astype(np.float32)
    smooth = torch.nn.functional.interpolate(
        torch.from_numpy(rough), (24, 20), mode="bilinear", align_corners=False
    )
    smooth[3] = smooth[3] / 4 + 90
    return smooth.round().to(torch.uint8)


def as_pil(picture):
    array = picture.permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def as_levels(image, channels):
    return torch.from_numpy(np.array(image).reshape(24, 20, channels)).permute(2, 0, 1)


def largest_difference(name, pil_operation, channels, magnitude=9.0):
    given = levels(channels)
    found = OPERATIONS[name](given.float() / 255, SIGNS, magnitude) * 255
    expected = torch.stack(
        [
            as_levels(pil_operation(as_pil(picture), sign), channels).float()
            for picture, sign in zip(given, SIGNS.tolist(), strict=True)
        ]
    )
    return (found - expected).abs().max().item()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "pil_operation", "tolerance"),
    [
        ("identity", lambda image, sign: image, 1e-3),
        ("equalize", lambda image, sign: ImageOps.equalize(image), 1e-3),
        ("auto_contrast", lambda image, sign: ImageOps.autocontrast(image), 1.01),
        ("solarize", lambda image, sign: ImageOps.solarize(image, 256 - 0.9 * 256), 1e-3),
        ("posterize", lambda image, sign: ImageOps.posterize(image, 5), 1e-3),
        ("brightness", lambda i, s: ImageEnhance.Brightness(i).enhance(1 + 0.81 * s), 1.01),
        ("contrast", lambda i, s: ImageEnhance.Contrast(i).enhance(1 + 0.81 * s), 1.6),
        ("sharpness", lambda i, s: ImageEnhance.Sharpness(i).enhance(1 + 0.81 * s), 2.1),
    ],
)
def test_as_the_imaging_library_does_it(name, pil_operation, tolerance, channels):
    assert largest_difference(name, pil_operation, channels) <= tolerance


def test_colour_as_the_imaging_library_does_it():
    def pil_operation(image, sign):
        return ImageEnhance.Color(image).enhance(1 + 0.81 * sign)

    assert largest_difference("colour", pil_operation, 3) <= 2.1


def test_an_even_picture_stays_even():
    even = torch.full((4, 3, 8, 8), 0.4)
    for name in ("auto_contrast", "equalize"):
        assert torch.equal(OPERATIONS[name](even, SIGNS, 9.0), even)


@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_geometry_equals_interpolation_pixel_by_pixel(name):
    given = levels(1).float() / 255
    found = OPERATIONS[name](given, SIGNS, 9.0)
    rows, columns = np.meshgrid(np.arange(24) - 11.5, np.arange(20) - 9.5, indexing="ij")
    for picture, sign, one in zip(given[:, 0].numpy(), SIGNS.tolist(), found[:, 0], strict=True):
        amount = sign * LARGEST[name] * 0.9
        y, x = rows, columns
        if name == "rotate":
            y = np.sin(amount) * columns + np.cos(amount) * rows
            x = np.cos(amount) * columns - np.sin(amount) * rows
        elif name == "shear_x":
            x = columns + amount * rows
        elif name == "shear_y":
            y = rows + amount * columns
        elif name == "translate_x":
            x = columns + amount * 20
        else:
            y = rows + amount * 24
        expected = map_coordinates(picture, [y + 11.5, x + 9.5], order=1, mode="nearest")
        np.testing.assert_allclose(one.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_stays_in_range_and_leaves_the_input_alone(name):
    given = levels().float() / 255
    before = given.clone()
    for magnitude in (0.0, 5.0, 10.0):
        found = OPERATIONS[name](given, SIGNS, magnitude)
        assert 0 <= found.min() <= found.max() <= 1
        assert found.shape == given.shape
    assert torch.equal(given, before)


def test_there_are_fourteen_and_each_is_drawn(monkeypatch):
    assert len(OPERATIONS) == 14
    seen = dict.fromkeys(OPERATIONS, 0)

    def counting(name):
        def operation(pictures, signs, magnitude):
            seen[name] += len(pictures)
            return pictures

        return operation

    monkeypatch.setattr(rand_augment, "OPERATIONS", {name: counting(name) for name in OPERATIONS})
    num = 2800
    rand_augmented(torch.zeros(num, 1, 2, 2), torch.Generator().manual_seed(0))
    assert sum(seen.values()) == rand_augment.NUM_OPERATIONS * num
    assert all(abs(count - 400) < 90 for count in seen.values())
