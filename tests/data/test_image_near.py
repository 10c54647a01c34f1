"""Copies that were saved again are found across splits; pictures that are only alike are not."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.spec import ImageSpec
from samoyed.data import image_near
from samoyed.data.image_near import near_copies, near_pairs, smallest_grays
from samoyed.data.image_source import LEFT_OUT, TEST, TRAIN, VALIDATION
from samoyed.data.images import scan_images


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def cloud(seed: int, width: int = 64, height: int = 64) -> Image.Image:
    """Return a picture of soft shapes, another for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def resaved(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    return Image.open(buffer)


CHANGES = {
    "saved again": resaved,
    "made smaller": lambda picture: picture.resize((32, 32)),
    "brighter": lambda picture: picture.point(lambda v: min(255, int(1.1 * v + 5))),
    "less contrast": lambda picture: picture.point(lambda v: 60 + v // 2),
    "as it was": lambda picture: picture,
}


def put(root: Path, change) -> Path:
    for i in range(24):
        split = "test" if i % 4 == 3 else "train"
        path = root / split / ("cat", "dog")[i // 12] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cloud(i).save(path)
    change(cloud(5)).save(root / "test" / "dog" / "copy.png", compress_level=1)
    return root


@pytest.mark.parametrize("how", CHANGES)
def test_near_copies_are_named_after_decoding(tmp_path, how):
    source = scan_images(put(tmp_path, CHANGES[how]))
    assert not any("nearly" in warning for warning in source.warnings)
    source.load(ImageSpec(3, 48, 48))
    [warning] = [w for w in source.warnings if "nearly" in w]
    assert warning == (
        "nearly the same picture held out and to learn from, 1: test/dog/copy.png ~ train/cat/5.png"
    )
    again = scan_images(tmp_path)
    assert again.verify() == []  # `samoyed check` looks at small gray ones
    assert warning in again.warnings


def test_what_was_compared_for_other_sides_is_not_taken_up(tmp_path):
    for i in range(40):
        path = tmp_path / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        (cloud(i) if i < 20 else CHANGES["brighter"](cloud(i - 20))).save(path)
    source = scan_images(tmp_path)
    measured = source.to_measure(source.labels)  # all of it, so that there are no two sides
    measured.load(ImageSpec(3, 48, 48))
    assert not any("nearly" in warning for warning in measured.warnings)
    again = scan_images(tmp_path)
    again.load(ImageSpec(3, 48, 48))
    assert any("nearly" in warning for warning in again.warnings)


def test_the_same_file_is_named_only_as_such(tmp_path):
    put(tmp_path, CHANGES["as it was"])
    (tmp_path / "test/dog/copy.png").write_bytes((tmp_path / "train/cat/5.png").read_bytes())
    source = scan_images(tmp_path)
    source.load(ImageSpec(3, 48, 48))
    assert next(w.split(",")[0] for w in source.warnings if "same picture" in w) == (
        "same picture to learn from and held out"
    )
    assert not any("nearly" in warning for warning in source.warnings)


def stacked(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(picture).transpose(2, 0, 1) for picture in pictures])


def test_most_alike_by_brute_force(monkeypatch):
    monkeypatch.setattr(image_near, "_ASKED", 7)
    monkeypatch.setattr(image_near, "_KNOWN", 11)
    images = stacked([cloud(i % 40) for i in range(60)])
    splits = np.array([TRAIN] * 30 + [TEST] * 20 + [VALIDATION] * 8 + [LEFT_OUT] * 2, np.int8)
    pairs, share = near_pairs(images, splits)
    assert share == 1.0
    expected = [(i, i - 40) for i in range(40, 58)]  # 58 and 59 are left out
    assert sorted(map(tuple, pairs.tolist())) == expected


def test_even_pictures_are_not_compared():
    even = [Image.new("RGB", (32, 32), (k, k, k)) for k in (10, 200)]
    images = stacked(even * 2)
    assert smallest_grays(images)[1].all()
    assert len(near_pairs(images, np.array([TRAIN, TRAIN, TEST, TEST], np.int8))[0]) == 0


def test_too_many_to_compare_are_compared_in_part(monkeypatch):
    monkeypatch.setattr(image_near, "MOST_PAIRS", 20 * 5)
    images = stacked([cloud(i % 20) for i in range(40)])
    splits = np.repeat(np.array([TRAIN, TEST], np.int8), 20)
    pairs, share = near_pairs(images, splits)
    assert (len(pairs), share) == (5, 0.25)
    names = [str(i) for i in range(40)]
    [warning] = near_copies(images, splits, (), names, "content")
    assert "5 (of the 25% that were compared): 20 ~ 0" in warning
