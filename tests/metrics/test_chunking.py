"""Chunks counted by a slow re-telling of conlleval, word by word."""

import random

import numpy as np
import pytest

from samoyed.data.tag_schemes import spans_of
from samoyed.metrics import chunking


def conlleval(truth, answers):
    """Count as Tjong Kim Sang's script does: go through the words, keeping a chunk open.

    Returns right, answered and true chunks.
    """

    def parted(tag):
        return ("O", "") if tag == "O" else (tag[0], tag[2:])

    def ends(before, kind_before, tag, kind):
        if (before, tag) in (("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")):
            return True
        return before != "O" and kind_before != kind

    def starts(before, kind_before, tag, kind):
        if (before, tag) in (("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")):
            return True
        return tag != "O" and kind_before != kind

    right = answered = true = 0
    is_open = False
    before = (("O", ""), ("O", ""))
    for one, two in [*zip(truth, answers, strict=True), ("O", "O")]:
        now = parted(one), parted(two)
        end = [ends(*before[k], *now[k]) for k in (0, 1)]
        start = [starts(*before[k], *now[k]) for k in (0, 1)]
        if is_open:
            if all(end) and before[0][1] == before[1][1]:
                is_open = False
                right += 1
            elif end[0] != end[1] or now[0][1] != now[1][1]:
                is_open = False
        if all(start) and now[0][1] == now[1][1]:
            is_open = True
        true += start[0]
        answered += start[1]
        before = now
    return right, answered, true


@pytest.mark.parametrize("seed", range(200))
def test_counts_are_those_of_conlleval(seed):
    rng = random.Random(seed)
    tags = ["O", "B-NP", "I-NP", "B-VP", "I-VP"]
    truth = rng.choices(tags, k=rng.randint(1, 12))
    answers = [tag if rng.random() < 0.7 else rng.choice(tags) for tag in truth]
    found = chunking.counts([spans_of(truth)], [spans_of(answers)])
    assert tuple(found[0]) == conlleval(truth, answers)


def test_scores_of_known_counts():
    found = np.array([[2, 4, 3], [1, 1, 2]])
    assert chunking.precision(found) == 3 / 5
    assert chunking.recall(found) == 3 / 5
    assert chunking.f1(found) == 3 / 5
    assert chunking.f1(np.zeros((1, 3), np.int64)) == 0.0


def test_a_perfect_answer_scores_one():
    spans = [[("NP", 0, 2)], [], [("VP", 1, 2), ("NP", 2, 5)]]
    assert chunking.f1(chunking.counts(spans, spans)) == 1.0
