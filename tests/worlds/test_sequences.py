"""Built-in sequences: exactly the papers' problems, drawn again the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samoyed.core.errors import DataError
from samoyed.opening import open_source
from samoyed.worlds.sequences import SYMBOLS, SequenceFeed, adding, scan_sequences, temporal_order


@pytest.mark.parametrize("least", [10, 30, 100])
def test_adding_marks_two_numbers_where_the_paper_does(least: int):
    inputs, answers = adding(500, least + 3, least, np.random.default_rng(0))
    seconds = []
    for row, answer in zip(inputs, answers, strict=True):
        marked = [t for t, (_, mark) in enumerate(row) if mark == 1]
        assert len(marked) == 2
        assert min(marked) < 10
        assert max(marked) < max(10, least // 2 - 1)
        seconds.append(max(marked))
        assert answer == pytest.approx(0.5 + sum(row[t, 0] for t in marked) / 4, abs=1e-6)
        if 0 in marked:
            assert row[0, 0] == 0
        else:
            assert row[0, 1] == -1
        assert row[-1, 1] == -1
        assert sorted(set(row[1:-1, 1].tolist())) == [0.0, 1.0]
        assert np.abs(row[:, 0]).max() <= 1
    assert max(seconds) == least // 2 - 2
    num_zero = float((inputs[:, 0, 1] == 1).mean())  # of two numbers from U(-1, 1), those set to 0
    assert np.var(answers) == pytest.approx((2 - num_zero) / 3 / 16, rel=0.15)


def test_temporal_order_asks_which_came_when():
    inputs, answers = temporal_order(500, 104, 100, np.random.default_rng(0))
    places = []
    for row, answer in zip(inputs, answers, strict=True):
        assert (row.sum(1) == 1).all()
        text = "".join(SYMBOLS[k] for k in row.argmax(1))
        assert (text[0], text[-1]) == ("E", "B")
        held = [(t, letter) for t, letter in enumerate(text) if letter in "XY"]
        assert len(held) == 2
        assert ("XX", "XY", "YX", "YY")[answer] == held[0][1] + held[1][1]
        assert set(text[1:-1]) <= set("abcdXY")
        places.append((held[0][0], held[1][0]))
    first, second = (set(column) for column in zip(*places, strict=True))
    assert first == set(range(10, 21))
    assert second == set(range(50, 61))
    assert np.bincount(answers).min() > 90


def test_a_batch_depends_on_the_seed_and_the_step_alone():
    spec = scan_sequences("adding-50").spec
    one, two = SequenceFeed(spec, 8, 3), SequenceFeed(spec, 8, 3)
    two.batch(0)
    assert torch.equal(one.batch(7).inputs, two.batch(7).inputs)
    assert not torch.equal(one.batch(7).targets, one.batch(8).targets)
    lengths = {one.batch(step).inputs.shape[1] for step in range(100)}
    assert lengths == set(range(50, 56))


def test_the_name_decides_the_problem_and_its_length():
    source = open_source("temporal-order-60")
    assert (source.spec.problem, source.spec.length) == ("temporal-order", 60)
    assert open_source("adding").name == "adding-100"
    held = source.load()
    assert len(held.answers) == 2560
    assert source.fingerprint == scan_sequences("temporal-order-60").fingerprint
    assert source.fingerprint != scan_sequences("temporal-order-61").fingerprint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adding-3", "from 10 to 10,000"),
        ("adding-99999", "from 10 to 10,000"),
        ("addding", "Did you mean 'adding'"),
    ],
)
def test_other_names_and_lengths_are_refused(name: str, said: str):
    with pytest.raises(DataError) as caught:
        open_source(name)
    assert said in str(caught.value)
