"""The average of a model's probabilities and those of counted n-grams.

A net and n-grams err in different places, so their average is better than either (Bengio et al.
2003, sec. 4.2). How much of it the net is, is chosen on the validation part, and scored on the test
part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.cache import rows_of
from samoyed.data.text import TextData
from samoyed.layers.kneser_ney import KneserNey
from samoyed.metrics import language

ORDER = 6
"""Characters in the longest n-gram: five of context and the one foreseen."""

WORD_ORDER = 5
"""The same in words."""

NGRAM_LIMIT = 8_000_000
"""Of longer training parts only the last so many symbols are counted."""

HUGE = 50_000_000
HUGE_LIMIT = 1_000_000
"""From so many units on the text lies on the disk, and so few of them are counted."""

NUM_ROUNDS = 100


def learn_ngrams(data: TextData, order: int) -> tuple[np.ndarray, KneserNey]:
    """Count the n-grams of a text.

    Args:
        data: the text.
        order: symbols in the longest.

    Returns:
        What they were counted in, the last part of a long text, and the model.
    """
    most = HUGE_LIMIT if len(data.train) >= HUGE else NGRAM_LIMIT
    recent = rows_of(data.train, slice(-most, None))
    return recent, KneserNey.learn(recent, len(data.spec), order, data.spec.end)


def best_share(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of the first in the average that makes a text likeliest.

    By expectation and maximisation (Jelinek & Mercer 1980), which finds the one maximum.

    Args:
        one: (N,) probabilities that one model gave to the symbols of a text.
        other: (N,) those of the other.

    >>> best_share(np.array([0.5, 0.5]), np.array([0.1, 0.2])) > 0.99
    True
    """
    share = 0.5
    for _ in range(NUM_ROUNDS):
        mine = share * one
        share = float(np.mean(mine / (mine + (1 - share) * other)))
    return share


def mixed_perplexity(
    valid_bits: np.ndarray, test_bits: np.ndarray, data: TextData, order: int, seed: int = 0
) -> Score:
    """Return the test part's perplexity under the average with n-grams.

    Args:
        valid_bits: (K,) by how much the model was surprised by the validation part.
        test_bits: (M,) the same of the test part.
        data: the text.
        order: symbols in the longest n-gram.
        seed: of the interval's bootstrap.
    """
    recent, counted = learn_ngrams(data, order)
    share = best_share(2.0**-valid_bits, counted.probabilities(recent[-order:], data.valid))
    likely = counted.probabilities(data.before_test(order), data.test)
    bits = -np.log2(share * 2.0**-test_bits + (1 - share) * likely)
    score = language.perplexity(language.bits_per_character(bits, seed=seed))
    return replace(score, name="mixed_perplexity")
