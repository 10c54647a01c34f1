import numpy as np
import pytest

from samoyed.decoding.epsilon_greedy import epsilon_at, epsilon_greedy


def test_epsilon_falls_along_a_line_and_stays() -> None:
    moves = np.arange(0, 2_000_000, 50_000)
    found = [epsilon_at(int(m), 1.0, 0.1, 1_000_000) for m in moves]
    assert np.allclose(found, np.interp(moves, [0, 1_000_000], [1.0, 0.1]))
    assert epsilon_at(0, 1.0, 0.1, 0) == pytest.approx(0.1)


def test_without_exploration_the_best_is_done() -> None:
    values = np.random.default_rng(0).normal(size=(50, 6))
    done = epsilon_greedy(values, 0.0, np.random.default_rng(1))
    assert done.tolist() == [int(np.argmax(row)) for row in values]


def test_frequencies_are_those_of_the_definition() -> None:
    values = np.tile([0.0, 3.0, 1.0, 2.0], (200_000, 1))
    done = epsilon_greedy(values, 0.4, np.random.default_rng(0))
    shares = np.bincount(done, minlength=4) / len(done)
    assert np.allclose(shares, [0.1, 0.7, 0.1, 0.1], atol=0.005)


def test_equal_values_give_the_first_action() -> None:
    assert epsilon_greedy(np.zeros((3, 4)), 0.0, np.random.default_rng(0)).tolist() == [0, 0, 0]


def test_the_randomness_does_not_depend_on_the_values() -> None:
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    epsilon_greedy(np.zeros((4, 3)), 0.5, one)
    epsilon_greedy(np.ones((4, 3)), 0.0, other)
    assert one.random() == other.random()
