"""Batches of labelled pictures, in another order every epoch: a pure function of (seed, step)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator, torch_generator
from samoyed.data.cache import rows_of

VALUES_AT_ONCE = 1 << 22  # floats of pictures that are looked at together

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""(B, C, H, W) float pictures in [0, 1] and where random numbers come from -> the same, varied."""


@dataclass
class ShuffledOrder:
    """An endless stream of examples: epoch after epoch, each in an order of its own.

    Batches are slices of the stream, so that they all have the same size, a batch may reach over
    the end of an epoch, and every example is seen once before any is seen again.

    Args:
        num: how many examples there are.
        seed: decides the orders.
    """

    num: int
    seed: int
    _orders: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def rows(self, start: int, count: int) -> np.ndarray:
        """Return (count,) int64: which examples stand at `start`, start + 1, ... of the stream.

        >>> order = ShuffledOrder(3, seed=0)
        >>> sorted(order.rows(0, 3).tolist()), sorted(order.rows(3, 3).tolist())
        ([0, 1, 2], [0, 1, 2])
        """
        pieces = []
        while count > 0:
            epoch, offset = divmod(start, self.num)
            piece = self._order(epoch)[offset : offset + count]
            pieces.append(piece)
            start, count = start + len(piece), count - len(piece)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _order(self, epoch: int) -> np.ndarray:
        """Return the permutation of this epoch; only the newest is kept, the rest is redone."""
        if epoch not in self._orders:
            self._orders.clear()
            generator = numpy_generator(self.seed, "order", epoch)
            self._orders[epoch] = generator.permutation(self.num)
        return self._orders[epoch]


@dataclass
class PictureFeed:
    """Shuffled batches of pictures, varied on the way.

    Args:
        images: (N, C, H, W) uint8, possibly memory-mapped.
        labels: (N,) int64.
        batch_size: B, pictures per batch.
        seed: decides the order and the variations.
        augment: how the pictures of a batch are varied, or None.
        only: (M,) indices of the pictures to draw from; all of them by default.
    """

    images: np.ndarray
    labels: np.ndarray
    batch_size: int
    seed: int
    augment: Augment | None = None
    only: np.ndarray | None = None

    def __post_init__(self) -> None:
        self._order = ShuffledOrder(len(self), self.seed)

    def __len__(self) -> int:
        return len(self.labels if self.only is None else self.only)

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches come closest to one epoch."""
        return num_steps(len(self), self.batch_size, 1)

    def batch(self, step: int) -> Batch:
        """Return the batch of this step: (B, C, H, W) float in [0, 1] and (B,) labels."""
        rows = self._order.rows(step * self.batch_size, self.batch_size)
        if self.only is not None:
            rows = self.only[rows]
        inputs = as_floats(rows_of(self.images, rows))
        if self.augment is not None:
            inputs = self.augment(inputs, torch_generator(self.seed, "augment", step))
        return Batch(inputs, torch.from_numpy(self.labels[rows]))


def as_floats(images: np.ndarray) -> Tensor:
    """Turn (B, C, H, W) uint8 into floats in [0, 1], channels last in memory.

    The array is copied, so that read-only memory maps do for input.
    """
    pixels = torch.from_numpy(np.array(images.transpose(0, 2, 3, 1), order="C"))
    return pixels.permute(0, 3, 1, 2).to(torch.float32).mul_(1 / 255)


def rows_at_once(images: np.ndarray) -> int:
    """Return how many of these (N, C, H, W) pictures make 16 MB of floats, at least one.

    >>> rows_at_once(np.empty((9, 3, 224, 224), np.uint8))
    27
    """
    return max(1, VALUES_AT_ONCE // math.prod(images.shape[1:]))


def made_of(
    images: np.ndarray, make: Callable[[Tensor], Tensor], rows: np.ndarray | None = None,
    at_most: int | None = None,
) -> Tensor:  # fmt: skip
    """Return (N, ...) what `make` makes of all these pictures, or of some, a few at a time.

    All is written into one piece of memory. A list of small pieces would lie between the large
    ones that come and go, so that the C library could not join and use their memory again.

    Args:
        images: (M, C, H, W) uint8, possibly memory-mapped.
        make: (B, C, H, W) floats in [0, 1] -> (B, ...) something smaller.
        rows: (N,) which pictures; all of them by default.
        at_most: B; as many as make 16 MB of floats by default.
    """
    num, step = len(images) if rows is None else len(rows), rows_at_once(images)
    step = step if at_most is None else min(step, at_most)
    found: Tensor | None = None
    for start in range(0, max(1, num), step):
        piece = slice(start, start + step)
        made = make(as_floats(rows_of(images, piece if rows is None else rows[piece])))
        found = made.new_empty(num, *made.shape[1:]) if found is None else found
        found[piece] = made
    assert found is not None
    return found


def num_steps(num_examples: int, batch_size: int, epochs: float) -> int:
    """Return how many batches make this many epochs, at least one.

    >>> num_steps(60_000, 128, 2.0)
    938
    """
    return max(1, round(epochs * num_examples / batch_size))
