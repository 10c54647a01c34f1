"""From action values to actions: mostly the best one, sometimes any."""

from __future__ import annotations

import numpy as np


def epsilon_at(move: int, first: float, final: float, num_moves: int) -> float:
    """Return the exploration rate: a straight line from `first` to `final`, then constant.

    Mnih et al. (2015), Methods, "Training details": 1.0 to 0.1 over the first million frames.

    Args:
        move: how many moves were made.
        first: the rate at the beginning.
        final: the rate at the end.
        num_moves: how long it falls, in moves.

    >>> epsilon_at(50, 1.0, 0.1, 100)
    0.55
    """
    progress = min(1.0, move / num_moves) if num_moves > 0 else 1.0
    return first + (final - first) * progress


def epsilon_greedy(
    values: np.ndarray, epsilon: float, generator: np.random.Generator
) -> np.ndarray:
    """Choose each row's best action, and with probability epsilon a uniform one instead.

    The number of draws does not depend on the values. Among equals the first is best.

    Args:
        values: (B, A) value of each action.
        epsilon: probability of a uniform choice (the best action included).
        generator: where the randomness comes from.

    Returns:
        (B,) actions, int64.
    """
    num, num_actions = values.shape
    is_random = generator.random(num) < epsilon
    anything = generator.integers(0, num_actions, size=num)
    return np.where(is_random, anything, values.argmax(axis=1))
