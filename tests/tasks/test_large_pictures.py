"""Large decoded files are read a few pictures at a time, wherever pictures are looked at."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.data import cache, feeds
from samoyed.data.image_source import Pictures
from samoyed.runs.baselines.pixels import pixels
from samoyed.runs.figures.near_duplicates import nearest_learned
from samoyed.tasks.picture_training import looked_at, predict_logits


class OnlyRead(np.memmap):
    """A mapped file of which no more than a row may be looked at."""

    def __getitem__(self, index):
        if not isinstance(index, slice) or index != slice(None, 1):
            raise AssertionError(f"{index} of a large file was mapped")
        return super().__getitem__(index)


class Means(nn.Module):
    """Answers with the mean of each colour."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, inputs: torch.Tensor) -> Batch:
        self.sizes.append(len(inputs))
        return SimpleNamespace(values=inputs.mean((2, 3)))


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A mapped file that counts as large, and the same pictures in memory."""
    held = np.random.default_rng(0).integers(0, 256, (60, 3, 40, 40), np.uint8)
    held[59] = held[3, :, :, ::-1]
    np.save(tmp_path / "large.npy", held)
    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")
    monkeypatch.setattr(cache, "_LARGE", 1)
    monkeypatch.setattr(feeds, "VALUES_AT_ONCE", 7 * 3 * 40 * 40)
    return mapped.view(OnlyRead), held


def test_a_guarded_file_refuses_to_be_mapped(images):
    with pytest.raises(AssertionError, match="was mapped"):
        images[0][np.array([1, 2])]


def test_answers_about_a_large_file_are_those_about_its_pictures(images):
    mapped, held = images
    rows = np.array([5, 0, 59, 7])
    expected = held.astype(np.float64).mean((2, 3)) / 255
    np.testing.assert_allclose(predict_logits(Means(), mapped), expected, atol=1e-6)
    np.testing.assert_allclose(
        predict_logits(Means(), mapped, rows=rows), expected[rows], atol=1e-6
    )


def test_what_is_made_of_pictures_is_in_their_order(images):
    mapped, held = images
    rows, sizes = np.array([5, 0, 59, 7, 7, 3, 2, 1, 0]), []

    def make(pictures):
        sizes.append(len(pictures))
        return pictures.amax((2, 3))

    expected = torch.from_numpy(held).amax((2, 3)) / 255
    torch.testing.assert_close(feeds.made_of(mapped, make), expected)
    torch.testing.assert_close(feeds.made_of(mapped, make, rows), expected[rows])
    assert sizes == [7] * 8 + [4, 7, 2]
    sizes.clear()
    feeds.made_of(held, make, rows, at_most=4)
    assert sizes == [4, 4, 1]


def test_a_quick_look_names_rows_and_copies_no_picture(images):
    mapped, _ = images
    part = Pictures(mapped, np.zeros(60, np.int64), [""] * 60)
    data = SimpleNamespace(test=part, validation=None)
    found, rows = looked_at(data, 4)
    assert found is part
    assert rows.tolist() == [0, 19, 39, 59]
    assert looked_at(data, None)[1].tolist() == list(range(60))


def test_near_copies_and_shallow_models_read_a_few_pictures_at_a_time(images, monkeypatch):
    mapped, held = images
    sizes = []
    as_floats = feeds.as_floats
    monkeypatch.setattr(
        feeds, "as_floats", lambda pictures: sizes.append(len(pictures)) or as_floats(pictures)
    )
    found = nearest_learned(mapped, mapped)
    assert max(sizes) == 7
    assert found.partners.tolist() == [*range(3), 3, *range(4, 60)]
    in_memory = nearest_learned(held, held)
    np.testing.assert_allclose(found.alike, in_memory.alike, atol=1e-6)
    part = Pictures(mapped, np.zeros(60, np.int64), [""] * 60)
    plain = Pictures(held, part.labels, part.names)
    np.testing.assert_array_equal(pixels(part), pixels(plain))
