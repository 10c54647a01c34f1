"""Three honest ways to foresee a text without learning a net: frequencies, n-grams, compression.

All learn from the training part alone and are scored on the held-out tail, in bits per character,
like the net.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass, replace

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.cache import rows_of
from samoyed.data.text import TextData
from samoyed.data.units import decode
from samoyed.metrics.language import bits_per_character, per_character, perplexity

ORDER = 6
"""Characters in the longest n-gram: five of context and the one foreseen."""

WORD_ORDER = 5
"""The same in words."""

NGRAM_LIMIT = 8_000_000
LZMA_LIMIT = 4_000_000
"""Of longer training parts only the last so many characters are used, and the name says so."""

HUGE = 50_000_000
HUGE_LIMIT = 1_000_000
"""From so many units on the text lies on the disk, and the baselines learn from so few of them."""

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

    is_huge = len(data.train) >= HUGE
    cut = _cut(data, HUGE_LIMIT if is_huge else NGRAM_LIMIT)
    if is_huge:
        data = replace(data, train=rows_of(data.train, slice(-HUGE_LIMIT, None)))
    unigram = scored(unigram_surprise(data.train, data.test, num_symbols))
    order = WORD_ORDER if unit == "word" else ORDER
    recent, model = learn_ngrams(data)
    ngram = scored(model.surprise(recent[-order:], data.test))
    found = [
        (f"{unit} frequencies" + (cut if is_huge else ""), unigram),
        (f"{order}-gram, Kneser-Ney" + cut, ngram),
    ]
    if unit == "word":
        return found
    bits, tail = lzma_bits(data), unigram.num
    return [
        *found,
        ("LZMA compression" + (cut if is_huge else _cut(data, LZMA_LIMIT)),
         Score("bits_per_character", bits, bits, bits, tail, is_higher_better=False)),
    ]  # fmt: skip


def learn_ngrams(data: TextData) -> tuple[np.ndarray, KneserNey]:
    """Count the n-grams of a text.

    Returns:
        What they were counted in, the last part of a long text, and the model.
    """
    most = HUGE_LIMIT if len(data.train) >= HUGE else NGRAM_LIMIT
    recent = rows_of(data.train, slice(-most, None))
    order = WORD_ORDER if data.spec.unit == "word" else ORDER
    return recent, KneserNey.learn(recent, len(data.spec), order, data.spec.end)


def _cut(data: TextData, limit: int) -> str:
    return f" (last {limit:,} {data.spec.unit}s)" if len(data.train) > limit else ""


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
    size = _LZMA_DICTIONARY_BYTES
    if len(text) < size // 8:  # it takes ten times its size of memory
        size = max(4096, 1 << (len(text) - 1).bit_length())
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": size}]
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length.

    Args:
        grams: (G,) sorted numbers of the n-grams: the place of the first n - 1 symbols among the
            shorter n-grams, times V, plus the last symbol.
        weights: (G,) what is left of each one's share of its context after the discount.
        known: (K,) sorted numbers of all n-grams of the text, also of those that only its first
            symbols make, which have no weight.
        contexts: (C,) sorted places of the contexts among the shorter n-grams.
        held_back: (C,) share of each context that goes to the shorter n-grams.
    """

    grams: np.ndarray
    weights: np.ndarray
    contexts: np.ndarray
    held_back: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class KneserNey:
    """Interpolated n-grams with modified Kneser-Ney discounts (Chen & Goodman 1999, sec. 3).

    As KenLM counts (Heafield et al. 2013, Scalable modified Kneser-Ney language model estimation,
    sec. 3): with an end of sentences no n-gram reaches over it; it is foreseen like any word, and
    n-grams that begin with it, as the beginning of the next sentence, keep their full counts.

    Args:
        num_symbols: V.
        levels: the n-grams of length 1, 2, ..., the order.
        end: the symbol that ends a sentence, or None for a stream without.
    """

    num_symbols: int
    levels: tuple[_Level, ...]
    end: int | None = None

    @classmethod
    def learn(
        cls, codes: np.ndarray, num_symbols: int, order: int, end: int | None = None
    ) -> KneserNey:
        """Count the n-grams of a text.

        The longest are counted as often as they occur; of a shorter one it counts how many
        different symbols stand before it.
        """
        codes = np.asarray(codes, dtype=np.int64)
        if end is not None:
            codes = np.concatenate([[end], codes])
        numbers: list[np.ndarray] = []
        known: list[np.ndarray] = []
        for length in range(1, order + 1):
            before = _places(known[-1], numbers[-1]) if known else None
            numbers.append(_numbers(codes, num_symbols, length, before, end))
            known.append(np.unique(numbers[-1][numbers[-1] >= 0]))
        levels = []
        for length in range(1, order + 1):
            mine = numbers[length - 1]
            counted = mine[mine >= 0]
            if length < order:  # one occurrence of each longer n-gram; whole counts at beginnings
                _, first = np.unique(numbers[length], return_index=True)
                first = first[numbers[length][first] >= 0]
                is_whole = np.zeros(len(codes), dtype=bool)
                if end is not None and length > 1:
                    is_whole[length - 1 :] = codes[: len(codes) - length + 1] == end
                counted = np.concatenate([mine[first], mine[is_whole & (mine >= 0)]])
            grams, counts = np.unique(counted, return_counts=True)
            levels.append(_discounted(grams, counts, num_symbols, known[length - 1]))
        return cls(num_symbols, tuple(levels), end)

    def probabilities(self, lead: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the probability of each of (N,) symbols after those before it.

        Args:
            lead: the symbols before the first, as many as there are up to order - 1.
            codes: (N,) symbols.
        """
        text = np.concatenate([lead, codes]).astype(np.int64)
        likely = np.full(len(codes), 1.0 / self.num_symbols)
        before: np.ndarray | None = None
        for length, level in enumerate(self.levels, start=1):
            grams = _numbers(text, self.num_symbols, length, before, self.end)
            before = _places(level.known, grams)
            grams = grams[len(lead) :]
            weights = _look_up(level.grams, level.weights, grams, 0.0)
            held = _look_up(level.contexts, level.held_back, grams // self.num_symbols, 1.0)
            likely = weights + held * likely
        return likely

    def surprise(self, lead: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the bits by which each symbol surprises, (N,)."""
        return -np.log2(self.probabilities(lead, codes))


def _numbers(
    codes: np.ndarray, num_symbols: int, length: int, before: np.ndarray | None, end: int | None
) -> np.ndarray:
    """Return the number of the n-gram that ends at each symbol, (N,) int64; -1 where none does.

    Args:
        codes: (N,) the text.
        num_symbols: V.
        length: n.
        before: (N,) the place of the (n - 1)-gram that ends at each symbol; -1 where unknown.
        end: the symbol that n-grams do not reach over.
    """
    if before is None:
        return codes.copy()
    found = np.full(len(codes), -1, dtype=np.int64)
    context = before[:-1]
    found[1:] = np.where(context >= 0, context * num_symbols + codes[1:], -1)
    if end is not None and length > 2:  # the end may stand first, as a beginning, or last
        for back in range(1, length - 1):
            found[back:][codes[: len(codes) - back] == end] = -1
    return found


def _places(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each number stands among the sorted known ones, -1 where it does not."""
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, places, -1)


def _look_up(
    keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, missing: float
) -> np.ndarray:
    """Return the values of the wanted keys, `missing` where there is no such key."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], missing)


def _discounted(
    grams: np.ndarray, counts: np.ndarray, num_symbols: int, known: np.ndarray
) -> _Level:
    """Take the discounts off the counts and give them to the shorter n-grams."""
    discounts = np.array([0.0, *_discounts(counts)])
    taken = discounts[np.minimum(counts, 3)]
    contexts, first, which = np.unique(grams // num_symbols, return_index=True, return_inverse=True)
    totals = np.add.reduceat(counts, first)
    held_back = np.add.reduceat(taken, first) / totals
    return _Level(grams, (counts - taken) / totals[which], contexts, held_back, known)


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
