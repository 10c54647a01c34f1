"""How well near words are foretold, and how well vectors agree with what people know of words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from samoyed.core.reference import Score
from samoyed.metrics.intervals import Z_95, wilson
from samoyed.metrics.language import BLOCK_LENGTH, block_interval

FIELLER = 1.06  # variance of Fisher's z of a rank correlation, times n - 3


def perplexity_of(question: str, nats: np.ndarray, num_places: int, seed: int = 0) -> Score:
    """Score e to the power of the mean surprise; the interval is of blocks of consecutive words.

    Args:
        question: "near" or "middle".
        nats: (P,) surprise of each foretold word, in the text's order.
        num_places: words of the text that these are of.
        seed: of the interval's bootstrap.
    """
    per_place = max(1, round(len(nats) / max(1, num_places)))
    low, high = block_interval(nats, block_length=BLOCK_LENGTH * per_place, seed=seed)
    value = float(np.mean(nats)) if len(nats) else math.nan
    value, low, high = (math.exp(number) for number in (value, low, high))
    return Score(f"{question}_perplexity", value, low, high, len(nats), is_higher_better=False)


def spearman(name: str, people: Sequence[float], vectors: Sequence[float]) -> Score:
    """Score Spearman's rank correlation of two judgements.

    Its interval is that of Fisher's z with Fieller's variance (Fieller, Hartley & Pearson 1957,
    Tests for rank correlation coefficients, Biometrika 44:470).

    Args:
        name: of the list of pairs.
        people: (P,) one number for each pair.
        vectors: (P,) another one.
    """
    from scipy.stats import rankdata

    num = len(people)
    ranks = [rankdata(values) for values in (people, vectors)]
    if num < 2 or any(np.ptp(rank) == 0 for rank in ranks):
        return Score(f"{name}_rank_correlation", math.nan, -1.0, 1.0, num)
    value = float(np.corrcoef(*ranks)[0, 1])
    if num < 4 or abs(value) >= 1:
        return Score(f"{name}_rank_correlation", value, -1.0, 1.0, num)
    half = Z_95 * math.sqrt(FIELLER / (num - 3))
    low, high = (math.tanh(math.atanh(value) + side * half) for side in (-1, 1))
    return Score(f"{name}_rank_correlation", value, low, high, num)


def analogy_accuracy(name: str, num_right: int, num: int) -> Score:
    """Score the share of questions whose fourth word was found."""
    low, high = wilson(num_right, num)
    return Score(f"{name}_accuracy", num_right / num if num else math.nan, low, high, num)


def answered(
    vectors: Float[np.ndarray, "V D"], questions: Int[np.ndarray, "Q 3"], rows_at_once: int = 1000
) -> Int[np.ndarray, " Q"]:
    """Return d of a : b = c : d, the word nearest to b - a + c besides those three (3CosAdd).

    Mikolov, T., Yih, W. & Zweig, G. (2013), Linguistic regularities in continuous space word
    representations, NAACL, sec. 4.

    Args:
        vectors: of length one.
        questions: (a, b, c) of each.
        rows_at_once: how many questions are asked together.
    """
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(questions), rows_at_once):
        a, b, c = questions[start : start + rows_at_once].T
        cosines = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T
        for asked in (a, b, c):
            cosines[np.arange(len(a)), asked] = -np.inf
        found.append(cosines.argmax(axis=1))
    return np.concatenate(found)
