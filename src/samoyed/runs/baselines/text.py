"""Three honest ways to foresee a text without learning a net: frequencies, n-grams, compression.

All learn from the training part alone and are scored on the held-out tail, in bits per character,
like the net.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.text import TextData
from samoyed.data.units import decode
from samoyed.metrics.language import bits_per_character, per_character, perplexity

ORDER = 6
"""Characters in the longest n-gram: five of context and the one foreseen."""

NGRAM_LIMIT = 8_000_000
LZMA_LIMIT = 4_000_000
"""Of longer training parts only the last so many characters are used, and the name says so."""

_LZMA_DICTIONARY_BYTES = 1 << 26
_UNUSUAL_DISCOUNTS = (0.5, 1.0, 1.5)


def measure(data: TextData, seed: int = 0) -> list[tuple[str, Score]]:
    """Score the baselines on the held-out tail.

    Args:
        data: the text.
        seed: of the intervals' bootstrap.

    Returns:
        (name, bits per character; of words the perplexity); the compressor has no interval, as it
        gives one number for the whole tail, and words that are unknown cannot be compressed.
    """
    num_symbols, unit = len(data.spec), data.spec.unit

    def scored(bits: np.ndarray) -> Score:
        if unit == "byte":
            bits = per_character(bits, data.test)
        score = bits_per_character(bits, seed=seed)
        return perplexity(score) if unit == "word" else score

    unigram = scored(unigram_surprise(data.train, data.test, num_symbols))
    order = longest_order(num_symbols)
    recent = data.train[-NGRAM_LIMIT:]
    model = KneserNey.learn(recent, num_symbols, order)
    ngram = scored(model.surprise(recent[-order:], data.test))
    found = [
        (f"{unit} frequencies", unigram),
        (f"{order}-gram, Kneser-Ney" + _cut(data, NGRAM_LIMIT), ngram),
    ]
    if unit == "word":
        return found
    bits, tail = lzma_bits(data), unigram.num
    return [
        *found,
        ("LZMA compression" + _cut(data, LZMA_LIMIT),
         Score("bits_per_character", bits, bits, bits, tail, is_higher_better=False)),
    ]  # fmt: skip


def _cut(data: TextData, limit: int) -> str:
    return f" (last {limit:,} {data.spec.unit}s)" if len(data.train) > limit else ""


def longest_order(num_symbols: int, order: int = ORDER) -> int:
    """Return the largest order up to `order` whose n-grams fit into 63 bits."""
    while num_symbols**order >= 1 << 63:
        order -= 1
    return order


def unigram_surprise(train: np.ndarray, test: np.ndarray, num_symbols: int) -> np.ndarray:
    """Return the surprise in bits of each tail character under the frequencies, one added."""
    counts = np.bincount(train, minlength=num_symbols) + 1.0
    return -np.log2(counts / counts.sum())[test]


def lzma_bits(data: TextData) -> float:
    """Return by how many bits per tail character the compressed training part grows with it."""
    train = decode(data.train[-LZMA_LIMIT:], data.spec).encode()
    tail = decode(data.test, data.spec).encode()
    grown = _compressed_size(train + tail) - _compressed_size(train)
    return 8 * grown / max(1, len(decode(data.test, data.spec)))


def _compressed_size(text: bytes) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": _LZMA_DICTIONARY_BYTES}]
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length.

    Args:
        grams: (G,) sorted numbers of the n-grams, the oldest symbol the highest digit.
        weights: (G,) what is left of each one's share of its context after the discount.
        contexts: (C,) sorted numbers of the contexts, n - 1 symbols.
        held_back: (C,) share of each context that goes to the shorter n-grams.
    """

    grams: np.ndarray
    weights: np.ndarray
    contexts: np.ndarray
    held_back: np.ndarray


@dataclass(frozen=True)
class KneserNey:
    """Interpolated n-grams with modified Kneser-Ney discounts (Chen & Goodman 1999, sec. 3).

    Args:
        num_symbols: V.
        levels: the n-grams of length 1, 2, ..., the order.
    """

    num_symbols: int
    levels: tuple[_Level, ...]

    @classmethod
    def learn(cls, codes: np.ndarray, num_symbols: int, order: int) -> KneserNey:
        """Count the n-grams of a text.

        The longest are counted as often as they occur; of a shorter one it counts how many
        different symbols stand before it.
        """
        grams, counts = np.unique(_grams(codes, num_symbols, order), return_counts=True)
        levels = [_discounted(grams, counts, num_symbols)]
        for length in range(order - 1, 0, -1):
            grams, counts = np.unique(grams % num_symbols**length, return_counts=True)
            levels.append(_discounted(grams, counts, num_symbols))
        return cls(num_symbols, tuple(reversed(levels)))

    def probabilities(self, lead: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the probability of each of (N,) symbols after those before it.

        Args:
            lead: at least order - 1 symbols before the first.
            codes: (N,) symbols.
        """
        text = np.concatenate([lead, codes])
        likely = np.full(len(codes), 1.0 / self.num_symbols)
        for length, level in enumerate(self.levels, start=1):
            grams = _grams(text, self.num_symbols, length)[-len(codes) :]
            weights = _look_up(level.grams, level.weights, grams, 0.0)
            held = _look_up(level.contexts, level.held_back, grams // self.num_symbols, 1.0)
            likely = weights + held * likely
        return likely

    def surprise(self, lead: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the bits by which each symbol surprises, (N,)."""
        return -np.log2(self.probabilities(lead, codes))


def _grams(codes: np.ndarray, num_symbols: int, length: int) -> np.ndarray:
    """Return the number of every n-gram of the text, (N - length + 1,) int64."""
    num = len(codes) - length + 1
    grams = np.zeros(num, dtype=np.int64)
    for place in range(length):
        grams = grams * num_symbols + codes[place : place + num]
    return grams


def _look_up(
    keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, missing: float
) -> np.ndarray:
    """Return the values of the wanted keys, `missing` where there is no such key."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], missing)


def _discounted(grams: np.ndarray, counts: np.ndarray, num_symbols: int) -> _Level:
    """Take the discounts off the counts and give them to the shorter n-grams."""
    discounts = np.array([0.0, *_discounts(counts)])
    taken = discounts[np.minimum(counts, 3)]
    contexts, first, which = np.unique(grams // num_symbols, return_index=True, return_inverse=True)
    totals = np.add.reduceat(counts, first)
    held_back = np.add.reduceat(taken, first) / totals
    return _Level(grams, (counts - taken) / totals[which], contexts, held_back)


def _discounts(counts: np.ndarray) -> tuple[float, ...]:
    """Return what is taken from n-grams seen once, twice, more often (1999, eq. 26).

    Where a number of occurrences from 1 to 4 does not occur, fixed ones are used.
    """
    n1, n2, n3, n4 = (int((counts == times).sum()) for times in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return _UNUSUAL_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    is_usual = all(0 < d < times for times, d in enumerate(found, start=1))
    return found if is_usual else _UNUSUAL_DISCOUNTS
