"""Phrases: words that stand together more often than by chance become one word.

Mikolov, T. et al. (2013), Distributed representations of words and phrases and their
compositionality, sec. 4, eq. 6: score(a, b) = (count(ab) - delta) / (count(a) count(b)). As in the
authors' program the score is multiplied by the number of words, so that one threshold serves texts
of any length, and several passes find phrases of more than two words.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int

JOINT = "_"
"""What stands between the words of a phrase."""

MOST_PAIRS = 1 << 22
"""Of more different pairs the rarest are forgotten before more of the text is read."""

# N words of the text, V of the vocabulary, P phrases


def find_phrases(
    pieces: Iterable[np.ndarray], num_words: int, *, delta: float, threshold: float
) -> Int[np.ndarray, "P 2"]:
    """Return the pairs of neighbours whose score is above the threshold, the most frequent first.

    Args:
        pieces: of the text; numbers from `num_words` on are no words, and no phrase holds them.
        num_words: V.
        delta: the discount: pairs of rare words are no phrases.
        threshold: of the score times the number of words.
    """
    keys = together = np.zeros(0, np.int64)
    counts = np.zeros(num_words, np.int64)
    for codes in pieces:
        keys, together = _without_rare(keys, together)
        keys, together = _added(keys, together, *_pairs_in(codes, num_words))
        counts += np.bincount(codes[codes < num_words], minlength=num_words)
    one, two = np.divmod(keys, num_words)
    scores = (together - delta) / (counts[one] * counts[two]) * counts.sum()
    chosen = np.flatnonzero(scores > threshold)
    chosen = chosen[np.argsort(-together[chosen], kind="stable")]
    return np.stack([one[chosen], two[chosen]], axis=1)


def _pairs_in(codes: np.ndarray, num_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each pair of neighbours, sorted, and how often it stands there."""
    left, right = codes[:-1].astype(np.int64), codes[1:].astype(np.int64)
    is_inside = (left < num_words) & (right < num_words)
    return np.unique((left * num_words + right)[is_inside], return_counts=True)


def _added(
    keys: np.ndarray, times: np.ndarray, new: np.ndarray, new_times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add counts to counts, both by sorted keys."""
    if not len(keys):
        return new, new_times
    keys, times = np.concatenate([keys, new]), np.concatenate([times, new_times])
    order = np.argsort(keys, kind="stable")  # merges two sorted runs
    keys, times = keys[order], times[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[starts], np.add.reduceat(times, starts)


def _without_rare(keys: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forget the rarest pairs of a long text, which are too many to remember, until few are left.

    As the authors' program does; what is forgotten may come again and counts anew.
    """
    least = 1
    while len(keys) > MOST_PAIRS:
        is_kept = times > least
        keys, times, least = keys[is_kept], times[is_kept], least + 1
    return keys, times


def join_phrases(
    codes: Int[np.ndarray, " N"], pairs: Int[np.ndarray, "P 2"], numbers: Int[np.ndarray, " P"]
) -> np.ndarray:
    """Put the phrase's number in place of its two words; from the left, where phrases overlap.

    >>> join_phrases(np.array([0, 1, 2, 1, 2]), np.array([[0, 1], [1, 2]]), np.array([7, 8]))
    array([7, 2, 8])
    """
    if not len(pairs) or len(codes) < 2:
        return codes
    base = int(max(codes.max(), pairs.max())) + 1
    keys = pairs[:, 0].astype(np.int64) * base + pairs[:, 1]
    order = np.argsort(keys)
    asked = codes[:-1].astype(np.int64) * base + codes[1:]
    place = np.minimum(np.searchsorted(keys[order], asked), len(keys) - 1)
    is_start = _from_the_left(keys[order][place] == asked)
    joined = codes.copy()
    joined[:-1][is_start] = numbers[order][place][is_start]
    return np.delete(joined, np.flatnonzero(is_start) + 1)


@lru_cache(maxsize=8)
def phrases_among(symbols: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return which pairs of words make which words of a vocabulary: (P, 2) and (P,)."""
    known = {symbol: code for code, symbol in enumerate(symbols)}
    pairs, numbers = [], []
    for symbol, code in known.items():
        place = symbol.find(JOINT, 1)
        while place > 0:
            one, two = known.get(symbol[:place]), known.get(symbol[place + 1 :])
            if one is not None and two is not None:
                pairs.append((one, two))
                numbers.append(code)
            place = symbol.find(JOINT, place + 1)
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(numbers, np.int64)


def _from_the_left(is_pair: Bool[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
    """Keep every other of each run of pairs, beginning with its first: those do not overlap."""
    places = np.arange(len(is_pair))
    before = np.maximum.accumulate(np.where(is_pair, -1, places))  # last place without a pair
    return is_pair & ((places - before) % 2 == 1)
