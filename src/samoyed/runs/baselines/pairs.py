"""Three honest ways to translate without a net: copy, look up the nearest, word by word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.pairs import PairData
from samoyed.metrics.translation import bleu

ROUNDS = 5
"""Of expectation and maximisation; the dictionary hardly changes after them."""

MOST_PAIRS = 100_000
_WORD = re.compile(r"\w+|[^\w\s]")


def measure(data: PairData, seed: int = 0) -> list[tuple[str, Score]]:
    """Score the baselines on the held-out pairs, by BLEU."""
    truths = data.test.target
    train = data.train.some(range(min(len(data.train), MOST_PAIRS)))
    return [
        ("copying the source", bleu(data.test.source, truths)),
        ("nearest training sentence", bleu(
            nearest(train.source, train.target, data.test.source), truths)),
        ("word-by-word dictionary", bleu(
            word_by_word(train.source, train.target, data.test.source), truths)),
    ]  # fmt: skip


def nearest(known: Sequence[str], answers: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Return the translation of the known sentence whose words are most alike (TF-IDF)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(token_pattern=_WORD.pattern, sublinear_tf=True)
    rows = counted.fit_transform(known)
    found: list[str] = []
    for start in range(0, len(asked), 100):
        likeness = counted.transform(asked[start : start + 100]) @ rows.T
        found += [answers[k] for k in np.asarray(likeness.argmax(axis=1)).ravel()]
    return found


def word_by_word(
    known: Sequence[str], answers: Sequence[str], asked: Sequence[str]
) -> list[str]:  # fmt: skip
    """Replace every word by its likeliest translation, in the order of the source."""
    best = dictionary([_WORD.findall(s) for s in known], [_WORD.findall(s) for s in answers])
    found = []
    for sentence in asked:
        text = " ".join(best.get(word, word) for word in _WORD.findall(sentence))
        found.append(re.sub(r" ([.,!?;:])", r"\1", text))
    return found


def dictionary(source: Sequence[list[str]], target: Sequence[list[str]]) -> dict[str, str]:
    """Return each source word's likeliest translation (IBM model 1, Brown et al. 1993).

    Model 1 of target words given source words, by expectation and maximisation from the uniform
    start; every sentence has an empty word besides.
    """
    likely: dict[str, dict[str, float]] = {}
    for round_ in range(ROUNDS):
        counts: defaultdict[str, defaultdict[str, float]]
        counts = defaultdict(lambda: defaultdict(float))
        for words, translated in zip(source, target, strict=True):
            words = ["", *words]
            for out in translated:
                shares = [likely[w].get(out, 0.0) if round_ else 1.0 for w in words]
                total = sum(shares)
                for word, share in zip(words, shares, strict=True):
                    if share > 1e-4 * total:
                        counts[word][out] += share / total
        likely = {}
        for word, row in counts.items():
            whole = sum(row.values())
            likely[word] = {out: n / whole for out, n in row.items()}
    return {word: max(row, key=lambda out: (row[out], out)) for word, row in likely.items() if word}
