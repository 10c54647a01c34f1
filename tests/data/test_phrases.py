"""Phrases beside the paper's score written out, and joining beside a loop."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from samoyed.core.spec import TextSpec
from samoyed.data.near_words import joined, with_phrases, words_in
from samoyed.data.phrases import find_phrases, join_phrases, phrases_among

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 8, 500)  # 6 words, the end of a sentence, the unknown


@pytest.mark.parametrize(("delta", "threshold"), [(0.0, 1.0), (3.0, 0.5), (5.0, 0.4)])
def test_the_score_is_the_paper_equation(delta: float, threshold: float):
    found = {tuple(pair) for pair in find_phrases([CODES], 6, delta=delta, threshold=threshold)}
    words = [int(code) for code in CODES]
    one, two = Counter(words), Counter(itertools.pairwise(words))
    total = sum(one[word] for word in range(6))
    wanted = {
        (a, b) for a in range(6) for b in range(6)
        if (two[a, b] - delta) / (one[a] * one[b]) * total > threshold
    }  # fmt: skip
    assert found == wanted
    assert 0 < len(wanted) < 36


def test_joining_goes_from_the_left():
    pairs, numbers = np.array([[0, 1], [1, 0], [2, 2]]), np.array([10, 11, 12])
    table = {(0, 1): 10, (1, 0): 11, (2, 2): 12}
    wanted, place = [], 0
    while place < len(CODES):
        pair = tuple(CODES[place : place + 2].tolist())
        wanted.append(table.get(pair, int(CODES[place])))
        place += 1 + (pair in table)
    assert join_phrases(CODES, pairs, numbers).tolist() == wanted


def test_a_vocabulary_says_which_pairs_make_its_phrases():
    symbols = ("new", "york", "new_york", "times", "new_york_times", "_", "a_b")
    pairs, numbers = phrases_among(symbols)
    assert {(*p, n) for p, n in zip(pairs.tolist(), numbers.tolist(), strict=True)} == {
        (0, 1, 2), (2, 3, 4),
    }  # fmt: skip


def test_passes_make_longer_phrases_and_other_text_is_joined_alike():
    rng = np.random.default_rng(1)
    names = ("new", "york", "times", "a", "b", "c", "d", "<eos>", "<unk>")
    rows = [[0, 1, 2, 7] if rng.random() < 0.3 else [*rng.integers(3, 7, 4), 7] for _ in range(400)]
    train = np.concatenate(rows)
    spec = TextSpec(names, "word")
    one = with_phrases(spec, [train], 1, delta=5, threshold=3)
    two = with_phrases(spec, [train], 2, delta=5, threshold=3)
    assert set(one.symbols) - set(names) == {"new_york", "york_times"}
    assert "new_york_times" in two.symbols
    assert two.symbols[-2:] == names[-2:]
    text = np.array([0, 1, 2, len(two) - 2, 3, len(two) - 1, 4])
    words = words_in(text, two, 2)
    assert [two.symbols[code] for code in words.codes] == ["new_york_times", "a", "b"]
    assert words.sentences.tolist() == [0, 1, 1]
    assert joined(text, two, 0) is text
