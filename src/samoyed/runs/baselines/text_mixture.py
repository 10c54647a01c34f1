"""A language model of words and the n-grams beside it, mixed: each knows what the other misses.

The probability of a word is w times the net's plus 1 - w times the n-grams' (Jelinek & Mercer 1980,
as Bengio et al. 2003, sec. 4.2, and Mikolov et al. 2010 mix theirs). The weight is chosen on the
part of the text that is there for choices, never on the one that is scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.text import TextData
from samoyed.metrics.language import bits_per_character, perplexity
from samoyed.runs.baselines.text import WORD_ORDER, learn_ngrams

Foresight = Callable[[np.ndarray, int], np.ndarray]
"""(the text with a lead, the length of the lead) -> (N,) bits of each word after the lead."""

LEAD = 257
CHOICES = 100_000
"""At most so many words are looked at to choose the weight."""

STEPS = 40


def mixed_with_ngrams(
    foresee: Foresight, data: TextData, seed: int = 0
) -> tuple[Score, float] | None:
    """Score the mixture on the held-out part.

    Args:
        foresee: the net's surprise.
        data: the text, in words.
        seed: of the interval's bootstrap.

    Returns:
        The perplexity and the net's weight in it; None where there is nothing to choose it on.
    """
    if data.spec.unit != "word" or len(data.valid) < 100:
        return None
    recent, model = learn_ngrams(data)
    valid = data.valid[-CHOICES:]
    before = np.concatenate([recent[-LEAD:], data.valid[:-CHOICES]])[-LEAD:]

    def both(lead: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bits = foresee(np.concatenate([lead, codes]), len(lead))
        return np.exp2(-bits), model.probabilities(lead[-WORD_ORDER:], codes)

    weight = best_weight(*both(before, valid))
    ours, theirs = both(data.train[-LEAD:], data.test)
    score = perplexity(bits_per_character(-np.log2(mixture(weight, ours, theirs)), seed=seed))
    return replace(score, name=f"perplexity_mixed_with_{WORD_ORDER}-grams"), weight


def best_weight(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the weight of the first under which the words were likeliest, by EM.

    Args:
        ours: (N,) probabilities that one model gave the words.
        theirs: (N,) those of the other.
    """
    weight = 0.5
    for _ in range(STEPS):
        both = mixture(weight, ours, theirs)
        weight = float(np.mean(weight * ours / both))
    return weight


def mixture(weight: float, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the mixed probabilities, (N,)."""
    return np.maximum(weight * ours + (1 - weight) * theirs, np.finfo(np.float64).tiny)
