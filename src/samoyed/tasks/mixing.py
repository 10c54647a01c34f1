"""The average of a model's probabilities and those of counted n-grams.

A net and n-grams err in different places, so their average is better than either (Bengio et al.
2003, sec. 4.2). How much of it the net is, is chosen on the validation part, and scored on the test
part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.text import TextData
from samoyed.layers.kneser_ney import KneserNey
from samoyed.metrics import language

NUM_ROUNDS = 100


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
    counted = KneserNey.learn(data.train, len(data.spec), order, data.spec.end)
    share = best_share(2.0**-valid_bits, counted.probabilities(data.train[-order:], data.valid))
    likely = counted.probabilities(data.train[-order:], data.test)
    bits = -np.log2(share * 2.0**-test_bits + (1 - share) * likely)
    score = language.perplexity(language.bits_per_character(bits, seed=seed))
    return replace(score, name="mixed_perplexity")
