"""How well a text was foreseen: bits per character, perplexity, accuracy, with their intervals.

All are means over the characters of a held-out text. Neighbouring characters are foreseen alike, so
the intervals come from resampling blocks of consecutive characters (the moving parts of Künsch
1989 in their simplest form, blocks side by side), not single characters.
"""

from __future__ import annotations

import math

import numpy as np

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator

BLOCK_LENGTH = 500
"""Characters in a block: a paragraph or so."""

NUM_RESAMPLES = 2_000
LEVEL = 0.95


def block_interval(
    values: np.ndarray,
    *,
    block_length: int = BLOCK_LENGTH,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % interval of the mean by a bootstrap over blocks of consecutive values.

    Args:
        values: (N,) one number per character, in the text's order.
        block_length: characters in a block; short texts get shorter blocks, at least 8 of them
            where there are as many characters.
        num_resamples: how many texts are put together from blocks drawn with replacement.
        seed: of the draw.

    Returns:
        The 2.5 % and 97.5 % quantiles of the resampled means.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return math.nan, math.nan
    length = max(1, min(block_length, len(values) // 8))
    starts = np.arange(0, len(values), length)
    sums = np.add.reduceat(values, starts)
    sizes = np.diff(np.append(starts, len(values)))
    random = numpy_generator(seed, "block bootstrap")
    means = np.empty(num_resamples)
    for index in range(num_resamples):
        chosen = random.integers(0, len(starts), len(starts))
        means[index] = sums[chosen].sum() / sizes[chosen].sum()
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bits_per_character(surprise: np.ndarray, *, seed: int = 0) -> Score:
    """Score the mean surprise.

    Args:
        surprise: (N,) -log2 of the probability each character was given.
        seed: of the interval's bootstrap.
    """
    low, high = block_interval(surprise, seed=seed)
    value = float(np.mean(surprise, dtype=np.float64))
    return Score("bits_per_character", value, low, high, len(surprise), is_higher_better=False)


def per_character(bits: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the bits of whole characters from those of the bytes of their UTF-8.

    Args:
        bits: (N,) surprise of each byte.
        codes: (N,) the bytes; bytes of 0b10xxxxxx go on with a character.
    """
    starts = np.flatnonzero((np.asarray(codes) & 0xC0) != 0x80)
    starts = np.union1d(starts, [0]) if len(bits) else starts
    return np.add.reduceat(bits, starts) if len(bits) else bits


def perplexity(bits: Score) -> Score:
    """Score 2 to the power of the bits: between how many characters one might as well draw lots.

    >>> perplexity(Score("bits_per_character", 2.0, 1.0, 3.0, 10, False)).value
    4.0
    """
    return Score(
        "perplexity", 2.0**bits.value, 2.0**bits.low, 2.0**bits.high, bits.num,
        is_higher_better=False,
    )  # fmt: skip


def accuracy(is_right: np.ndarray, *, seed: int = 0) -> Score:
    """Score the share of characters that were the model's first guess.

    Args:
        is_right: (N,) one truth value per character, in the text's order.
        seed: of the interval's bootstrap.
    """
    low, high = block_interval(is_right, seed=seed)
    return Score("accuracy", float(np.mean(is_right)), low, high, len(is_right))
