"""N-grams with modified Kneser-Ney smoothing, counted.

Reference: Chen & Goodman (1999), An empirical study of smoothing techniques for language modeling,
Computer Speech and Language 13:359; every count is discounted, and what is taken away goes
to the shorter n-grams, whose counts are of how many different symbols stand before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_UNUSUAL_DISCOUNTS = (0.5, 1.0, 1.5)

# G n-grams, C contexts, K n-grams of the text, V symbols, N places of a text


@dataclass(frozen=True)
class Level:
    """The n-grams of one length.

    Args:
        grams: (G,) sorted numbers of the n-grams: the place of the first n - 1 symbols among the
            shorter n-grams of the text, times V, plus the last symbol.
        counts: (G,) how often each is counted, above 0.
        contexts: (C,) sorted places of the contexts among the shorter n-grams.
        firsts: (C + 1,) where each context's n-grams begin among `grams`, and G.
        known: (K,) sorted numbers of all n-grams of the text, also of those that only its first
            symbols make, which have no count.
        discounts: (3,) what is taken from n-grams that are counted once, twice, more often.
    """

    grams: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    firsts: np.ndarray
    known: np.ndarray
    discounts: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """Return (G,) what is left of each one's share of its context after the discount."""
        totals = np.repeat(self._totals, np.diff(self.firsts))
        return (self.counts - self._taken) / totals

    @cached_property
    def held_back(self) -> np.ndarray:
        """Return (C,) the share of each context that goes to the shorter n-grams."""
        return np.add.reduceat(self._taken, self.firsts[:-1]) / self._totals

    @cached_property
    def _taken(self) -> np.ndarray:
        return self.discounts[np.minimum(self.counts, 3) - 1]

    @cached_property
    def _totals(self) -> np.ndarray:
        return np.add.reduceat(self.counts, self.firsts[:-1])


@dataclass(frozen=True)
class KneserNey:
    """Interpolated n-grams with modified Kneser-Ney discounts (Chen & Goodman 1999).

    As KenLM counts (Heafield et al. 2013, Scalable modified Kneser-Ney language model estimation,
    sec. 3): with an end of sentences no n-gram reaches over it; it is foreseen like any word, and
    n-grams that begin with it, as the beginning of the next sentence, keep their full counts.

    Args:
        num_symbols: V.
        levels: the n-grams of length 1, 2, ..., the order.
        end: the symbol that ends a sentence, or None for a stream without.
    """

    num_symbols: int
    levels: tuple[Level, ...]
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
) -> Level:
    """Sort the n-grams under their contexts and choose the discounts."""
    contexts, firsts = np.unique(grams // num_symbols, return_index=True)
    firsts = np.append(firsts, len(grams))
    return Level(grams, counts, contexts, firsts, known, np.array(_discounts(counts)))


def _discounts(counts: np.ndarray) -> tuple[float, ...]:
    """Return what is taken from n-grams seen once, twice, more often (TR-10-98, eq. 26).

    Where a number of occurrences from 1 to 4 does not occur, fixed ones are used.
    """
    n1, n2, n3, n4 = (int((counts == times).sum()) for times in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return _UNUSUAL_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    is_usual = all(0 < d < times for times, d in enumerate(found, start=1))
    return found if is_usual else _UNUSUAL_DISCOUNTS
