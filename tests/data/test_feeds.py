"""Feeds: every example once per epoch, and nothing but seed and step decides a batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samoyed.data.augmentation import Augmentation
from samoyed.data.feeds import PictureFeed, ShuffledOrder, as_floats, num_steps


def drawn(num=10, side=6, channels=1):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (num, channels, side, side), dtype=np.uint8)
    return images, np.arange(num, dtype=np.int64)


@settings(max_examples=40, deadline=None)
@given(num=st.integers(1, 30), batch=st.integers(1, 70), seed=st.integers(0, 2**40))
def test_every_epoch_holds_every_example_once(num, batch, seed):
    order = ShuffledOrder(num, seed)
    steps = -(-3 * num // batch)
    stream = np.concatenate([order.rows(step * batch, batch) for step in range(steps)])
    assert len(stream) == steps * batch
    for epoch in range(3):
        assert sorted(stream[epoch * num : (epoch + 1) * num]) == list(range(num))


def test_epochs_and_seeds_have_orders_of_their_own():
    order = ShuffledOrder(50, 3)
    first, second = order.rows(0, 50), order.rows(50, 50)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, ShuffledOrder(50, 4).rows(0, 50))
    assert np.array_equal(first, order.rows(0, 50)), "going back gives the same"


def test_a_batch_depends_on_seed_and_step_only():
    images, labels = drawn()
    augment = Augmentation(("affine", "cutout"))
    walked = PictureFeed(images, labels, 4, seed=1, augment=augment)
    steps = [walked.batch(step) for step in range(8)]
    fresh = PictureFeed(images, labels, 4, seed=1, augment=augment).batch(7)
    assert torch.equal(steps[7].inputs, fresh.inputs)
    assert torch.equal(steps[7].targets, fresh.targets)
    other = PictureFeed(images, labels, 4, seed=2, augment=augment).batch(7)
    assert not torch.equal(other.inputs, fresh.inputs)


def test_pictures_and_labels_stay_together():
    images, labels = drawn(num=20)
    feed = PictureFeed(images, labels, 7, seed=0)
    for step in range(6):
        batch = feed.batch(step)
        for picture, label in zip(batch.inputs, batch.targets, strict=True):
            expected = torch.from_numpy(images[label]).float() / 255
            torch.testing.assert_close(picture, expected)


def test_as_floats_is_exact_channels_last_and_takes_read_only_maps(tmp_path):
    images, _ = drawn(num=3, channels=3)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    floats = as_floats(mapped)
    np.testing.assert_allclose(floats.numpy(), images / 255, atol=1e-7)
    assert floats.is_contiguous(memory_format=torch.channels_last)
    floats.zero_()
    assert np.array_equal(np.load(tmp_path / "images.npy"), images)


@pytest.mark.parametrize(("num", "batch", "epochs", "steps"), [
    (60_000, 128, 1, 469), (60_000, 256, 0.5, 117), (5, 64, 1, 1), (100, 10, 2.5, 25),
])  # fmt: skip
def test_number_of_steps(num, batch, epochs, steps):
    assert num_steps(num, batch, epochs) == steps


def test_steps_per_epoch_is_whole_and_at_least_one():
    images, labels = drawn()
    assert PictureFeed(images, labels, 4, seed=0).steps_per_epoch == 2
    assert PictureFeed(images, labels, 64, seed=0).steps_per_epoch == 1
