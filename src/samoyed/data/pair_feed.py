"""Batches of sentence pairs of like length, as many as a budget of units allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import END, PAD, START, UNKNOWN_UNIT, PairSpec, UnitSpec
from samoyed.data import bpe
from samoyed.data.pairs import Pairs

MINGLED = 2  # source lengths that count as the same, so that batches differ from pass to pass


def encoded(
    pairs: Pairs, spec: PairSpec
) -> tuple[list[np.ndarray], list[np.ndarray]]:  # fmt: skip
    """Return the units of each sentence: sources end in `END`, targets stand between both marks."""
    source = sources(pairs.source, spec)
    of_target = bpe.encoder(spec.target)
    target = [np.array([START, *of_target(s), END], dtype=np.int64) for s in pairs.target]
    return source, target


def sources(sentences: Sequence[str], spec: PairSpec) -> list[np.ndarray]:
    """Return the units of each sentence to be translated, `END` last."""
    of_source = bpe.encoder(spec.source)
    return [np.array([*of_source(s), END], dtype=np.int64) for s in sentences]


def unknown_share(sentences: Sequence[str], units: UnitSpec) -> float:
    """Return which share of the units that sentences are written in is not known."""
    encode = bpe.encoder(units)
    codes = [code for sentence in sentences for code in encode(sentence)]
    return codes.count(UNKNOWN_UNIT) / max(1, len(codes))


def padded(rows: Sequence[np.ndarray]) -> Int[Tensor, "B T"]:
    """Lay rows out side by side, filled up with `PAD` at their ends."""
    width = max(len(row) for row in rows)
    out = np.full((len(rows), width), PAD, dtype=np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return torch.from_numpy(out)


class PairFeed:
    """Pairs of like length side by side; a pure function of the seed and the step.

    In every pass the pairs are ordered by length, those of (nearly) the same lengths at random, and
    cut where the budget is full; the batches come in a random order.

    Args:
        source: N sentences' units.
        target: N translations' units.
        batch_units: at most so many units in a batch, filling and both sides counted; a pair that
            is longer is a batch of its own.
        batch_size: at most so many pairs in a batch.
        seed: of the orders.
    """

    def __init__(
        self, source: Sequence[np.ndarray], target: Sequence[np.ndarray], batch_units: int,
        batch_size: int, seed: int,
    ) -> None:  # fmt: skip
        self.source, self.target, self.seed = source, target, seed
        self.lengths = np.array([[len(s), len(t)] for s, t in zip(source, target, strict=True)])
        self.key = self.lengths[:, 1] * 100_000 + self.lengths[:, 0] // MINGLED
        order = np.lexsort((self.lengths[:, 0], self.key))
        self.ends = _cut(_widest(self.lengths, self.key)[order], batch_units, batch_size)
        self.steps_per_epoch = len(self.ends)
        self._epoch = -1
        self._rows: list[np.ndarray] = []

    def places(self, step: int) -> np.ndarray:
        """Return which pairs are in the batch of this step."""
        epoch, index = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            random = numpy_generator(self.seed, "pairs", epoch)
            order = np.lexsort((random.permutation(len(self.key)), self.key))
            rows = np.split(order, self.ends[:-1])
            self._rows = [rows[k] for k in random.permutation(len(rows))]
            self._epoch = epoch
        return self._rows[index]

    def batch(self, step: int) -> Batch:
        """Return (B, S) source units and (B, T) target units with both marks."""
        places = self.places(step)
        return Batch(
            padded([self.source[k] for k in places]), padded([self.target[k] for k in places])
        )  # fmt: skip

    def waste(self) -> float:
        """Return which share of one pass's units is filling."""
        filled = 0
        for step in range(self.steps_per_epoch):
            lengths = self.lengths[self.places(step)]
            filled += int((lengths.max(axis=0) * len(lengths)).sum())
        return 1 - int(self.lengths.sum()) / filled


def _widest(lengths: Int[np.ndarray, "N 2"], key: Int[np.ndarray, " N"]) -> np.ndarray:
    """Return (N, 2) the largest lengths of the pairs that count as equally long as each."""
    _, group = np.unique(key, return_inverse=True)
    widest = np.zeros((int(group.max(initial=-1)) + 1, 2), lengths.dtype)
    np.maximum.at(widest, group, lengths)
    return widest[group]


def _cut(lengths: np.ndarray, batch_units: int, batch_size: int) -> list[int]:
    """Return where each batch ends, for pairs in this order."""
    ends: list[int] = []
    first, widest = 0, np.zeros(2, dtype=np.int64)
    for place, length in enumerate(lengths):
        wider = np.maximum(widest, length)
        num = place - first + 1
        if place > first and (wider.sum() * num > batch_units or num > batch_size):
            ends.append(place)
            first, wider = place, length
        widest = wider
    ends.append(len(lengths))
    return ends
