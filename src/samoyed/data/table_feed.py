"""Batches of encoded rows, in another order every epoch: a pure function of (seed, step)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from samoyed.core.batch import Batch
from samoyed.data.feeds import ShuffledOrder, num_steps


@dataclass
class TableFeed:
    """Shuffled batches of rows.

    Args:
        inputs: (N, W) float32.
        targets: (N, ...) what should come out.
        batch_size: B, rows per batch; smaller tables are seen several times in one.
        seed: decides the order.
    """

    inputs: np.ndarray
    targets: np.ndarray
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        self._order = ShuffledOrder(len(self.inputs), self.seed)

    def __len__(self) -> int:
        return len(self.inputs)

    def some(self, rows: np.ndarray) -> TableFeed:
        """Return a feed of these rows alone."""
        return TableFeed(self.inputs[rows], self.targets[rows], self.batch_size, self.seed)

    def whole(self) -> Batch:
        """Return all rows, in their own order."""
        return Batch(torch.from_numpy(self.inputs), torch.from_numpy(self.targets))

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches come closest to one epoch."""
        return num_steps(len(self.inputs), self.batch_size, 1)

    def batch(self, step: int) -> Batch:
        """Return the batch of this step: (B, W) and (B, ...)."""
        rows = self._order.rows(step * self.batch_size, self.batch_size)
        return Batch(torch.from_numpy(self.inputs[rows]), torch.from_numpy(self.targets[rows]))


@dataclass
class MemberFeed:
    """Shuffled batches for members that learn from rows of their own.

    Args:
        inputs: (N, I) float32.
        targets: (N, ...) what should come out.
        is_learned: (N, M) which rows each member learns from.
        batch_size: B, rows of each member per batch.
        seed: decides the orders.
    """

    inputs: np.ndarray
    targets: np.ndarray
    is_learned: np.ndarray
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        self._rows = [np.flatnonzero(column) for column in self.is_learned.T]
        self._orders = [ShuffledOrder(len(r), self.seed + m) for m, r in enumerate(self._rows)]

    def batch(self, step: int) -> Batch:
        """Return the batch of this step: (B, M, I), and (B M, ...) in the same order."""
        start = step * self.batch_size
        rows = np.stack(
            [
                own[order.rows(start, self.batch_size)]
                for own, order in zip(self._rows, self._orders, strict=True)
            ],
            axis=1,
        )
        targets = self.targets[rows.reshape(-1)]
        return Batch(torch.from_numpy(self.inputs[rows]), torch.from_numpy(targets))
