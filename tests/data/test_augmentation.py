"""Variations: exact where they can be, bounded where they are random, chosen by the data."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from samoyed.core.errors import OptionError
from samoyed.core.spec import ImageSpec
from samoyed.data import augmentation
from samoyed.data.augmentation import VARIATIONS, Augmentation, choose, recognised, warps


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(num=40, channels=3, side=28):
    return torch.rand(num, channels, side, side, generator=generator(5))


@pytest.mark.parametrize("name", VARIATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_variation_varies_keeps_the_shape_and_leaves_the_input_alone(name, channels):
    given = pictures(channels=channels)
    before = given.clone()
    found = Augmentation((name,))(given, generator())
    assert found.shape == given.shape
    assert found.dtype == given.dtype
    assert torch.equal(given, before)
    assert not torch.equal(found, given)
    assert 0 <= found.min() <= found.max() <= 1
    assert torch.equal(found, Augmentation((name,))(given, generator())), "same seed, same result"
    assert not torch.equal(found, Augmentation((name,))(given, generator(1)))


def test_no_variation_changes_nothing():
    given = pictures()
    assert torch.equal(Augmentation(())(given, generator()), given)


def test_shift_moves_by_whole_pixels_and_repeats_the_border():
    given = pictures(num=200, channels=1)
    found = Augmentation(("shift",))(given, generator())
    rows = np.arange(28)
    moves = set()
    for one, moved in zip(given[:, 0].numpy(), found[:, 0].numpy(), strict=True):
        matches = [
            (dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)
            if np.array_equal(
                moved, one[np.clip(rows + dy, 0, 27)][:, np.clip(rows + dx, 0, 27)]
            )
        ]  # fmt: skip
        assert len(matches) == 1
        moves.update(matches)
    assert len(moves) == 25, "all shifts of up to two pixels occur"


@pytest.mark.parametrize("names", [("flip",), ("flip", "affine"), ("flip", "crop")])
def test_flip_mirrors_about_half(names):
    num = 400
    ramp = torch.linspace(0, 1, 28).expand(num, 1, 28, 28)
    found = Augmentation(names)(ramp, generator())
    is_mirrored = found[..., -1].mean((1, 2)) < found[..., 0].mean((1, 2))
    assert 0.4 < is_mirrored.float().mean() < 0.6
    if names == ("flip",):
        assert torch.equal(found[is_mirrored], ramp[is_mirrored].flip(3))


def test_without_flip_nothing_is_mirrored():
    ramp = torch.linspace(0, 1, 28).expand(200, 1, 28, 28)
    for names in (("shift",), ("affine",), ("crop",)):
        found = Augmentation(names)(ramp, generator())
        assert (found[..., -1].mean((1, 2)) > found[..., 0].mean((1, 2))).all()


def test_crops_stay_inside_the_picture_and_are_large_enough():
    matrices = warps(2000, ("crop",), generator())
    assert (matrices[:, 0, 1] == 0).all()
    assert (matrices[:, 1, 0] == 0).all()
    for axis in (0, 1):
        part, shift = matrices[:, axis, axis], matrices[:, axis, 2]
        assert (part + shift.abs() <= 1 + 1e-6).all()
        assert part.min() >= augmentation.CROP / np.sqrt(augmentation.PROPORTION) - 1e-6
        assert part.max() <= 1


def test_affine_turns_by_no_more_than_it_says():
    matrices = warps(2000, ("affine",), generator())
    turn = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]).rad2deg()
    assert 9 < turn.abs().max() <= augmentation.TURN_DEGREES + 1e-4
    assert matrices[:, :, 2].abs().max() <= 2 * augmentation.SHIFT + 1e-6
    identity = torch.eye(2, 3).expand_as(matrices)
    assert (matrices.mean(0) - identity[0]).abs().max() < 0.02, "nothing on average"


def test_colour_keeps_gray_gray_and_order():
    gray = torch.rand(50, 1, 8, 8, generator=generator(3)).expand(50, 3, 8, 8)
    found = Augmentation(("colour",))(gray, generator())
    torch.testing.assert_close(found[:, 0], found[:, 2])
    order = gray[:, 0].flatten(1).argsort(1)
    assert (found[:, 0].flatten(1).gather(1, order).diff(dim=1) >= 0).all()


def test_cutout_greys_a_square_in_about_half():
    given = pictures(num=400, channels=1, side=32)
    found = Augmentation(("cutout",))(given, generator())
    changed = (found != given)[:, 0]
    share = changed.flatten(1).any(1).float().mean()
    assert 0.4 < share < 0.6
    for hole in changed[changed.flatten(1).any(1)]:
        rows, columns = hole.any(1).sum(), hole.any(0).sum()
        assert hole.sum() == rows * columns, "a full rectangle"
        assert max(rows, columns) <= 8


def test_gray_characters_are_not_mirrored():
    digits = load_digits()
    images = (digits.images * 15.9).astype(np.uint8)[:, None]
    choice = choose(ImageSpec(1, 8, 8), images, digits.target)
    assert "flip" not in choice.names
    assert "not mirrored" in choice.describe()


def test_mirroring_is_tried_on_the_data():
    digits = load_digits()
    gray = (digits.images * 15.9).astype(np.uint8)[:, None]
    colour = np.repeat(gray, 3, axis=1)
    plain, mirrored = recognised(colour, digits.target)
    assert plain > 0.9 > mirrored + 0.2
    choice = choose(ImageSpec(3, 8, 8), colour, digits.target)
    assert "flip" not in choice.names
    assert "are not mirrored" in choice.reason


def arrows(num=2000, num_classes=20):
    """Pictures of `num_classes` colours; the first colour has arrows, to the left or the right."""
    random = np.random.default_rng(0)
    labels = random.integers(0, num_classes, num)
    images = random.integers(0, 60, (num, 3, 16, 16), dtype=np.uint8)
    colours = random.integers(60, 255, (num_classes, 3))
    colours[1] = colours[0]
    images[:] += (colours[labels] // 2)[..., None, None].astype(np.uint8)
    marks = np.broadcast_to(random.random((num_classes, 16, 8)) < 0.5, (num_classes, 16, 8))
    marks = np.concatenate([marks, marks[..., ::-1]], axis=2)  # alike on both sides
    head = np.tril(np.ones((8, 8), bool))
    marks[0, :, :] = marks[1, :, :] = False
    marks[0, 4:12, 2:10], marks[1, 4:12, 6:14] = head, head[:, ::-1]
    images += (marks[labels] * 60)[:, None].astype(np.uint8)
    return images, labels


def test_two_classes_of_many_that_are_mirror_images_forbid_mirroring():
    images, labels = arrows()
    plain, mirrored = recognised(images, labels)
    assert mirrored > augmentation.ENOUGH_AGREEMENT * plain, "in all it hardly shows"
    names = ["left", "right", *(f"colour {index}" for index in range(18))]
    choice = choose(ImageSpec(3, 16, 16), images, labels, names)
    assert "flip" not in choice.names
    assert "left and right" in choice.reason
    # without the two, nothing speaks against it
    others = labels > 1
    assert "flip" in choose(ImageSpec(3, 16, 16), images[others], labels[others] - 2).names


def patterns(num=900, num_classes=30, is_two_sided=False):
    """Smooth patterns, one for each class, under any light, large shadows and much noise."""
    random = np.random.default_rng(0)
    labels = random.integers(0, num_classes, num)
    shapes = torch.from_numpy(random.random((num_classes, 1, 4, 4)))
    shapes = torch.nn.functional.interpolate(shapes, (16, 16), mode="bilinear")
    if is_two_sided:
        shapes = (shapes + shapes.flip(3)) / 2
    light = random.uniform(20, 120, (num, 1, 1, 1))
    noise = random.normal(0, 40, (num, 3, 16, 16))
    shadows = torch.from_numpy(random.normal(0, 100, (num, 1, 3, 3)))
    noise += torch.nn.functional.interpolate(shadows, (16, 16), mode="bilinear").numpy()
    pixels = 60 + shapes.numpy()[labels] * light + noise
    return pixels.clip(0, 255).astype(np.uint8), labels


def test_a_linear_model_sees_that_mirroring_harms_where_a_neighbour_is_blind():
    images, labels = patterns()
    plain, _ = recognised(images, labels)
    assert plain < 0.1, "a nearest neighbour knows hardly any"
    before, after = augmentation.linear_agreements(images, labels)
    assert len(before) == len(images)
    assert before.mean() > 1.5 * after.mean()
    choice = choose(ImageSpec(3, 16, 16), images, labels)
    assert "flip" not in choice.names
    assert "a linear model knows" in choice.reason
    images, labels = patterns(is_two_sided=True)
    assert "flip" in choose(ImageSpec(3, 16, 16), images, labels).names


def test_the_linear_model_is_ridge_regression():
    from sklearn.linear_model import Ridge

    images, labels = patterns(80, 4)
    before, _ = augmentation.linear_agreements(images, labels)
    small, classes = augmentation._small(images, labels, 0)
    x = torch.nn.functional.normalize(small.flatten(1), dim=1).numpy()
    y = np.eye(4)[classes.numpy()]
    for known, asked, found in ((slice(40), slice(40, None), before[:40]),
                                (slice(40, None), slice(40), before[40:])):  # fmt: skip
        shares = y[known].mean(0)
        model = Ridge(alpha=augmentation.RIDGE, fit_intercept=False).fit(
            x[known], y[known] - shares
        )
        answers = (model.predict(x[asked]) + shares).argmax(1)
        assert np.array_equal(answers == classes[asked].numpy(), found.numpy() == 1)


def test_swapped_counts_both_ways_and_ignores_chance():
    truths = torch.tensor([0] * 20 + [1] * 20 + [2] * 20)
    mirrored = torch.tensor([1] * 10 + [0] * 10 + [0] * 10 + [1] * 10 + [2] * 20)
    assert augmentation.swapped(truths, mirrored, truths) == (0, 1)
    few = truths.clone()
    few[:5] = 1
    assert augmentation.swapped(truths, few, truths) is None
    assert augmentation.swapped(mirrored, mirrored, truths) is None


def test_a_few_pictures_do_not_forbid_mirroring_by_chance():
    differences = torch.tensor([1.0] * 6 + [-1.0] * 3 + [0.0] * 30)
    assert not augmentation.is_beyond_chance(differences)
    assert augmentation.is_beyond_chance(differences.repeat(12))


def test_pictures_whose_colour_decides_may_be_mirrored():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    images = random.integers(0, 120, (300, 3, 16, 16), dtype=np.uint8)
    # A bright disc in the class's colour, anywhere.
    for image, label in zip(images, labels, strict=True):
        y, x = random.integers(0, 10, 2)
        image[label, y : y + 6, x : x + 6] = 255
    choice = choose(ImageSpec(3, 16, 16), images, labels)
    assert "flip" in choice.names


def test_unknown_variations_are_refused_with_a_suggestion():
    with pytest.raises(OptionError, match="Did you mean 'flip'"):
        Augmentation(("flipp",))
