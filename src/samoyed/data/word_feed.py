"""Batches of texts of like length: little padding, and a pure function of (seed, step)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator

POOL = 50  # batches that are sorted by length together
ENDS = 0.05  # noise on the lengths, so that a text meets others in every epoch


@runtime_checkable
class Rows(Protocol):
    """Texts, or trees, as numbers."""

    @property
    def lengths(self) -> np.ndarray:
        """Return (N,) how long each is."""
        ...

    def __len__(self) -> int: ...

    def padded(self, rows: np.ndarray) -> Tensor:
        """Return (B, L, C) of these, zeros behind their ends."""
        ...


Targets = Callable[[np.ndarray], Tensor]
"""Rows -> what should come out, (B,) or (B, L)."""


@dataclass
class WordFeed:
    """Shuffled batches; every epoch sees every text once, the last batch may be smaller.

    In each epoch the texts are shuffled, sorted by length within pools of some batches, and the
    batches are shuffled again.

    Args:
        rows: the texts.
        targets: what should come out.
        batch_size: B.
        seed: decides the orders.
    """

    rows: Rows
    targets: Targets
    batch_size: int
    seed: int
    _held: dict[int, list[np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches an epoch has."""
        return math.ceil(len(self.rows) / self.batch_size)

    def batch(self, step: int) -> Batch:
        """Return the batch of this step: (B, L, C) and its targets."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch not in self._held:
            self._held.clear()
            self._held[epoch] = self._batches(epoch)
        chosen = self._held[epoch][place]
        return Batch(self.rows.padded(chosen), self.targets(chosen))

    def _batches(self, epoch: int) -> list[np.ndarray]:
        generator = numpy_generator(self.seed, "words", epoch)
        order = generator.permutation(len(self.rows))
        noisy = self.rows.lengths * generator.uniform(1 - ENDS, 1 + ENDS, len(self.rows))
        size = POOL * self.batch_size
        batches = []
        for start in range(0, len(order), size):
            pool = order[start : start + size]
            pool = pool[np.argsort(noisy[pool], kind="stable")]
            batches += [pool[i : i + self.batch_size] for i in range(0, len(pool), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]


def by_length(rows: Rows, words_at_once: int = 1 << 15) -> list[np.ndarray]:
    """Return batches of rows of like length, of so many words each with their padding."""
    order = np.argsort(rows.lengths, kind="stable")
    batches, start = [], 0
    lengths = np.maximum(rows.lengths[order], 1)
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * lengths[end] <= words_at_once:
            end += 1
        batches.append(order[start:end])
        start = end
    return batches
