"""Measures of foresight against closed forms."""

import math

import numpy as np
import pytest

from samoyed.metrics.language import accuracy, bits_per_character, block_interval, perplexity


def test_a_coin_costs_one_bit():
    score = bits_per_character(np.ones(1000))
    assert (score.value, score.low, score.high, score.num) == (1.0, 1.0, 1.0, 1000)
    assert not score.is_higher_better
    assert perplexity(score).value == 2.0


def test_a_perfect_answer_scores_nothing_to_foresee():
    assert bits_per_character(np.zeros(10)).value == 0.0
    assert perplexity(bits_per_character(np.zeros(10))).value == 1.0
    assert accuracy(np.ones(10, dtype=bool)).value == 1.0


def test_the_interval_of_independent_numbers_is_the_normal_one():
    values = np.random.default_rng(0).normal(2.0, 1.0, 100_000)
    low, high = block_interval(values, block_length=100)
    half = 1.96 / math.sqrt(len(values))
    assert high - low == pytest.approx(2 * half, rel=0.1)
    assert low < values.mean() < high


def test_neighbours_that_go_together_widen_the_interval():
    values = np.repeat(np.random.default_rng(0).normal(size=200), 100)
    low, high = block_interval(values, block_length=100)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(200), rel=0.15)
    narrow = np.subtract(*block_interval(values, block_length=1)[::-1])
    assert high - low > 7 * narrow


def test_the_interval_is_the_same_for_the_same_seed_only():
    values = np.random.default_rng(0).normal(size=5_003)
    assert block_interval(values, seed=1) == block_interval(values, seed=1)
    assert block_interval(values, seed=1) != block_interval(values, seed=2)


def test_a_few_characters_still_have_an_interval():
    low, high = block_interval(np.array([0.0, 1.0, 2.0]))
    assert 0 <= low <= 1.0 <= high <= 2
    assert all(math.isnan(x) for x in block_interval(np.zeros(0)))


def test_accuracy_counts():
    score = accuracy(np.array([True, False, True, True] * 100))
    assert score.value == 0.75
    assert score.is_higher_better
    assert score.num == 400
