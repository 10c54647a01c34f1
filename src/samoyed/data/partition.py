"""A text in pieces of few different words: each batch is told in which of all words its own are.

Jean et al. (2015), On using very large target vocabulary for neural machine translation, ACL, sec.
3: the training part is read from its beginning, and a piece ends where one more stretch of it
would bring the different words to foretell above a number. The words of a piece, and words drawn
besides, are the subset among which its words are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator

BLOCK = 256
"""Steps in which pieces are cut; none reaches over the end of such a block."""


@dataclass(frozen=True)
class SubsetBatch(Batch):
    """A batch, and words with all of its targets among them.

    Args:
        subset: words in rising order, none twice; the same for all rows.
        num_read: how many targets the piece of the batch holds.
    """

    subset: np.ndarray | None = None
    num_read: int = 0


@dataclass(frozen=True)
class Piece:
    """Consecutive batches.

    Args:
        first: which batch it begins with.
        last: which it ends with.
        words: (W,) the different words to foretell in them, in rising order.
        num_read: how many words there are to foretell.
    """

    first: int
    last: int
    words: np.ndarray
    num_read: int


def pieces_of(targets: list[np.ndarray], most: int) -> list[Piece]:
    """Cut batches, in their order, into pieces of at most so many different words.

    A batch that holds more of them is a piece by itself.

    Args:
        targets: the words to foretell in each batch.
        most: different words in a piece.

    >>> [p.words.tolist() for p in pieces_of([np.array([3, 1]), np.array([1]), np.array([2])], 2)]
    [[1, 3], [2]]
    """
    found: list[Piece] = []
    for index, words in enumerate(targets):
        both = np.union1d(found[-1].words, words) if found else words
        if found and len(both) <= most:
            found[-1] = Piece(found[-1].first, index, both, found[-1].num_read + words.size)
        else:
            found.append(Piece(index, index, np.unique(words), words.size))
    return found


class PartitionedFeed:
    """The batches of another feed, each with its subset; a pure function of the seed and the step.

    Args:
        feed: of batches with targets.
        num_symbols: V.
        most: different words in a piece.
        num_drawn: words drawn for each piece from all of them; those of the piece may be among
            them.
        seed: of the draws.
    """

    def __init__(self, feed: Any, num_symbols: int, most: int, num_drawn: int, seed: int) -> None:
        self.feed = feed
        self.num_symbols, self.most = num_symbols, most
        self.num_drawn, self.seed = min(num_drawn, num_symbols), seed
        self._block, self._pieces = -1, [Piece(0, 0, np.zeros(0, dtype=np.int64), 0)]
        self._subset = -1, np.zeros(0, dtype=np.int64)

    def batch(self, step: int) -> SubsetBatch:
        """Return the batch of this step with the words of its piece and those drawn for it."""
        batch, block = self.feed.batch(step), step // BLOCK
        if block != self._block:
            steps = range(block * BLOCK, (block + 1) * BLOCK)
            targets = [self.feed.batch(s).targets.numpy() for s in steps]
            self._block, self._pieces = block, pieces_of(targets, self.most)
        piece = next(p for p in self._pieces if p.last >= step % BLOCK)
        first = block * BLOCK + piece.first
        if first != self._subset[0]:
            generator = numpy_generator(self.seed, "drawn", first)
            drawn = generator.choice(self.num_symbols, self.num_drawn, replace=False)
            self._subset = first, np.union1d(piece.words, drawn)
        return SubsetBatch(
            batch.inputs, batch.targets, batch.is_start, self._subset[1], piece.num_read
        )
