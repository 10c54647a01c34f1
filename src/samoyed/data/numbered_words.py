"""The words of a text that have vectors, in its order: held in memory, or packed on the disk.

On the disk a word takes four bytes: its number, and in the highest bit whether it is the first of
its sentence. They lie in the cache, found again by the text's content, the vocabulary and the
phrases, and are read a few megabytes at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from samoyed.core.spec import TextSpec
from samoyed.data import cache
from samoyed.data.cache import rows_of

AT_ONCE = 1 << 20
"""So many words of a text on the disk are looked at together."""

_FIRST = np.uint32(1 << 31)

# N words, V of the vocabulary


@dataclass(frozen=True)
class Words:
    """The words of a text that have vectors.

    Args:
        codes: (N,) numbers below V, in the order of the text.
        sentences: (N,) the number of each word's sentence.
    """

    codes: Int[np.ndarray, " N"]
    sentences: Int[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.codes)

    def part(self, start: int, stop: int) -> Words:
        """Return the words from a place to another."""
        return Words(self.codes[start:stop], self.sentences[start:stop])

    def counts(self, num_words: int) -> Int[np.ndarray, " V"]:
        """Return how often each of the V words stands here."""
        return np.bincount(self.codes, minlength=num_words)


@dataclass(frozen=True)
class WordsOnDisk:
    """The same, of a text that memory does not hold.

    Args:
        packed: (N,) uint32, mapped: the words' numbers; 2^31 more where a sentence begins.
        shown: (V,) how often each word stands there.
    """

    packed: np.ndarray
    shown: Int[np.ndarray, " V"]

    def __len__(self) -> int:
        return len(self.packed)

    def part(self, start: int, stop: int) -> Words:
        """Return the words from a place to another; their sentences are numbered from there."""
        found = rows_of(self.packed, slice(start, stop))
        return Words((found & ~_FIRST).astype(np.int64), np.cumsum(found >= _FIRST))

    def counts(self, num_words: int) -> Int[np.ndarray, " V"]:
        """Return how often each of the V words stands there."""
        assert len(self.shown) == num_words
        return self.shown


@dataclass(frozen=True)
class Renumbered:
    """A text on the disk in the numbers of other words; may be gone through again and again.

    Whole sentences come together, and where there are none, what stands between words that have no
    vectors.

    Args:
        codes: (N,) the text, mapped.
        table: the new number of each old one.
        num_words: V; numbers from there on are no words, and V itself ends a sentence.
    """

    codes: np.ndarray
    table: Int[np.ndarray, " O"]
    num_words: int

    def __iter__(self) -> Iterator[np.ndarray]:
        rest = self.table[:0]
        for start in range(0, len(self.codes), AT_ONCE):
            found = self.table[rows_of(self.codes, slice(start, start + AT_ONCE))]
            found = np.concatenate([rest, found])
            ends = np.flatnonzero(found == self.num_words)
            if not len(ends):
                ends = np.flatnonzero(found > self.num_words)
            end = int(ends[-1]) + 1 if len(ends) else len(found)
            yield found[:end]
            rest = found[end:]
        if len(rest):
            yield rest


def counts_in(codes: np.ndarray, num_symbols: int) -> Int[np.ndarray, " V"]:
    """Return how often each symbol stands in a text, which may be mapped."""
    counts = np.zeros(num_symbols, np.int64)
    for start in range(0, len(codes), AT_ONCE):
        counts += np.bincount(rows_of(codes, slice(start, start + AT_ONCE)), minlength=num_symbols)
    return counts


def renumbering(old: TextSpec, new: TextSpec) -> Int[np.ndarray, " O"]:
    """Return each symbol's number in another vocabulary: as it is written, or in small letters.

    >>> renumbering(TextSpec(("A", "a", "b", "?"), "word"), TextSpec(("a", "?"), "word"))
    array([0, 0, 1, 1])
    """
    known = {symbol: number for number, symbol in enumerate(new.symbols)}
    unknown = len(new) - 1
    found = [known.get(s, known.get(s.lower(), unknown)) for s in old.symbols[:-1]]
    return np.array([*found, unknown], np.int64)


def written(
    key: str, pieces: Iterable[np.ndarray], num_words: int, words_in: Callable[[np.ndarray], Words]
) -> WordsOnDisk:
    """Write a text's words to the disk, or find them there.

    Args:
        key: of the cache's entry.
        pieces: the text, some whole sentences at a time.
        num_words: V.
        words_in: returns the words of a piece that have vectors.
    """

    def chunks(facts: dict[str, Any]) -> Iterator[np.ndarray]:
        counts, before, last = np.zeros(num_words, np.int64), 0, -1
        for piece in pieces:
            words = words_in(piece)
            sentences = words.sentences + before
            before += int(np.count_nonzero(piece == num_words))
            counts += words.counts(num_words)
            if len(words):
                is_first = np.diff(sentences, prepend=last) != 0
                last = int(sentences[-1])
                yield words.codes.astype(np.uint32) + _FIRST * is_first
        facts["counts"] = counts.tolist()

    packed, facts = cache.build(key, (), "uint32", chunks)
    return WordsOnDisk(packed, np.array(facts["counts"], np.int64))
