"""Folders that are parts by their names, and folders that only sound so."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError
from samoyed.data.image_parts import part_in
from samoyed.data.image_source import TEST, TRAIN, VALIDATION
from samoyed.data.images import scan_images
from samoyed.opening import open_source


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def fill(root: Path, places: dict[str, int]) -> Path:
    """Write so many pictures into each place, no two alike."""
    generator = np.random.default_rng(0)
    for place, num in places.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        for i in range(num):
            pixels = generator.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(root / place / f"{i}.png")
    return root


PARTS = {"train": TRAIN, "val": VALIDATION, "test": TEST}


@pytest.mark.parametrize("name", [
    "train", "Training", "seg_train", "Final_Test", "validation_set", "train_images", "trainData",
    "TestSet", "images-val", "test1", "01_train", "Final Training",
])  # fmt: skip
def test_names_of_parts(name: str):
    wanted = next(split for word, split in PARTS.items() if word in name.lower())
    assert part_in(name) == (wanted, "")


@pytest.mark.parametrize("name", ["rose", "trainers", "contest", "train_test", "latest", "strain"])
def test_names_that_are_no_parts(name: str):
    assert part_in(name) is None


@pytest.mark.parametrize(("train", "test"), [
    ("seg_train/seg_train", "seg_test/seg_test"), ("Final_Training/Images", "Final_Test/Images"),
    ("train_images", "test_images"), ("training", "validation_set"), ("my_train", "my_test"),
    ("Train/data/train", "Test"),
])  # fmt: skip
def test_parts_under_other_names(tmp_path: Path, train: str, test: str):
    places = {f"{train}/cat": 5, f"{train}/dog": 6, f"{test}/cat": 2, f"{test}/dog": 3}
    source = scan_images(fill(tmp_path, places))
    assert source.labels.names == ("cat", "dog")
    assert (source.num_train, source.num_test, source.has_official_test) == (11, 5, True)
    assert source.lines[0] == f"parts:    {train}/ to learn from, {test}/ held out"
    held = [n for n, s in zip(source.names, source.splits, strict=True) if s == TEST]
    assert all(name.startswith(test) for name in held)


def test_a_third_folder_beside_the_parts_is_told_of(tmp_path: Path):
    places = {"seg_train/a": 5, "seg_train/b": 5, "seg_test/a": 2, "seg_test/b": 2, "seg_pred": 3}
    source = scan_images(fill(tmp_path, places))
    assert source.num_train + source.num_test == 14
    assert "folders beside the parts, not used: seg_pred/" in source.warnings


@pytest.mark.parametrize("places", [
    {"bus": 4, "car": 4, "train": 4}, {"bus/a": 4, "car/a": 4, "train/a": 4},
    {"bus": 4, "car": 4, "train/steam": 2, "train/fast": 2},
])  # fmt: skip
def test_a_train_among_vehicles_is_a_class(tmp_path: Path, places: dict[str, int]):
    source = scan_images(fill(tmp_path, places))
    assert source.labels.names == ("bus", "car", "train")
    assert source.num_train + source.num_test == 12


def test_words_that_sound_like_parts_are_classes(tmp_path: Path):
    source = scan_images(fill(tmp_path, {"train station": 4, "test tube": 4, "rose": 4}))
    assert source.labels.names == ("rose", "test tube", "train station")


def test_two_sets_of_parts_are_refused(tmp_path: Path):
    places = {f"{kind}_{part}/{k}": 3 for kind in ("dogs", "birds") for part in ("train", "test")
              for k in "ab"}  # fmt: skip
    with pytest.raises(DataError, match=r"2 sets of parts: birds_test/, dogs_test/"):
        scan_images(fill(tmp_path, places))


def test_parts_without_classes_name_what_can_be_done(tmp_path: Path):
    fill(tmp_path, {"train/a": 6, "train/b": 6, "test": 5})
    with pytest.raises(DataError) as refused:
        scan_images(tmp_path)
    assert refused.value.place == str(tmp_path / "test")
    assert f"To learn from train/ alone, name {tmp_path / 'train'}." in refused.value.hint
    assert scan_images(tmp_path / "train").labels.names == ("a", "b")  # as it says
    with pytest.raises(DataError, match="5 loose files and no folder"):
        scan_images(fill(tmp_path / "loose", {"seg_train": 5, "seg_test": 5}))


@pytest.mark.parametrize("name", [
    "__MACOSX", ".ipynb_checkpoints", "$RECYCLE.BIN", ".git", "@eaDir", "System Volume Information",
])  # fmt: skip
def test_what_systems_leave_is_neither_class_nor_picture(tmp_path: Path, name: str):
    places = {"a": 5, "b": 5, name: 7, f"a/{name}": 3, f"{name}/deep": 2}
    source = open_source(str(fill(tmp_path, places)))
    assert source.labels.names == ("a", "b")
    assert len(source.names) == 10
    assert not [warning for warning in source.warnings if name in warning]
