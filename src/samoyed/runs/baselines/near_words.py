"""Two honest ways to foretell near words without vectors: how frequent they are, and counting.

Both learn from the training part alone and answer the very question that the vectors are scored on.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from samoyed.core.reference import Score
from samoyed.data.near_words import NearData, Words, near_pairs
from samoyed.metrics.nearness import perplexity_of
from samoyed.tasks.embed import MOST_SCORED

MOST_LEARNED = 4_000_000
"""Words at the end of the training part that pairs are counted in."""

MOST_CHOSEN = 20_000
"""Words of the validation part that the weight is chosen by."""

WEIGHTS = (30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
"""How many made-up pairs, spread as words are, stand beside a word's own: the best is chosen."""

Pairs = tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]
"""The words given, and the words to foretell."""


def measure(data: NearData, seed: int = 0) -> list[tuple[str, Score]]:
    """Score the baselines on the held-out words.

    Args:
        data: the text.
        seed: of the windows and of the intervals' bootstrap.

    Returns:
        (name, perplexity).
    """
    ask = near_pairs if data.question == "near" else previous
    held = data.test.first(MOST_SCORED)
    num_words = len(data.spec) - 2
    shares = (data.counts + 1.0) / (data.counts + 1.0).sum()
    asked, known = ask(held, seed), ask(_last(data.train, MOST_LEARNED), seed)
    chosen_by = ask(data.valid.first(MOST_CHOSEN), seed)
    times = _counted(known, num_words)
    weights = WEIGHTS if len(chosen_by[0]) else WEIGHTS[3:4]
    weight = min(weights, key=lambda w: float(_surprise(times, shares, chosen_by, w).sum()))
    alone = firsts(held) if data.question == "middle" else held.codes[:0]  # without a predecessor
    counting = np.append(_surprise(times, shares, asked, weight), -np.log(shares[alone]))
    frequent = -np.log(shares[np.append(asked[1], alone)])
    name = "counted pairs" if data.question == "near" else "counts after the word before"
    return [
        ("word frequencies", perplexity_of(data.question, frequent, len(held), seed)),
        (f"{name}, smoothed", perplexity_of(data.question, counting, len(held), seed)),
    ]


def previous(words: Words, seed: int = 0) -> Pairs:
    """Return every word's predecessor in its sentence, and the word; the seed decides nothing."""
    is_inside = words.sentences[1:] == words.sentences[:-1]
    return words.codes[:-1][is_inside], words.codes[1:][is_inside]


def firsts(words: Words) -> np.ndarray:
    """Return the first word of each sentence that has another one."""
    is_same = words.sentences[1:] == words.sentences[:-1]
    is_first = np.append(True, ~is_same)[: len(words)] & np.append(is_same, False)[: len(words)]
    return words.codes[is_first]


def _counted(pairs: Pairs, num_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorted keys of pairs, how often each occurs, and how often each given word."""
    keys, times = np.unique(pairs[0] * num_words + pairs[1], return_counts=True)
    return keys, times, np.bincount(pairs[0], minlength=num_words)


def _surprise(
    counted: tuple[np.ndarray, np.ndarray, np.ndarray], shares: Float[np.ndarray, " V"],
    pairs: Pairs, weight: float,
) -> Float[np.ndarray, " P"]:  # fmt: skip
    """Return -log (c(a, b) + w p(b)) / (c(a) + w) of each pair (MacKay & Peto 1995)."""
    keys, times, totals = counted
    asked = pairs[0] * len(shares) + pairs[1]
    place = np.minimum(np.searchsorted(keys, asked), max(0, len(keys) - 1))
    own = np.where(keys[place] == asked, times[place], 0) if len(keys) else np.zeros(len(asked))
    likely = (own + weight * shares[pairs[1]]) / (totals[pairs[0]] + weight)
    return -np.log(likely)


def _last(words: Words, num: int) -> Words:
    return Words(words.codes[-num:], words.sentences[-num:])
