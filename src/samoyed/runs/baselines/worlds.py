"""Three honest ways to play without deep learning: at random, stubbornly, and by a lucky line.

Each is scored on the fresh episodes on which the network is scored; choices are made on others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.metrics.intervals import bootstrap
from samoyed.worlds.episodes import Episode, ValuesOf, fresh_seeds, play_episodes
from samoyed.worlds.scan import WorldSource

NUM_TEST = 100  # episodes
NUM_TRIAL = 10  # episodes in which a candidate is compared with others
MAX_CANDIDATES = 200
SEARCH_MOVES = 150_000  # the search for a linear policy ends after so many moves


def measure(data: WorldSource, seed: int = 0) -> list[tuple[str, Score]]:
    """Play at random, with the best single action, and with the best of random linear policies.

    Args:
        data: the world.
        seed: of the episodes and of the search.

    Returns:
        (name, mean return over 100 fresh episodes).
    """
    seeds = fresh_seeds(0, "score", NUM_TEST)
    rows = [("random play", _mean_return(_play(data, seeds, None, seed), seed))]
    action = _best_action(data, seed)
    episodes = _play(data, seeds, _constant(action, data.spec.num_actions), seed)
    name = f"always {data.spec.action_names[action]}"
    rows.append((name, _mean_return(episodes, seed)))
    weights, num_tried = _best_line(data, seed)
    episodes = _play(data, seeds, _line(weights), seed)
    rows.append((f"best of {num_tried} random linear policies", _mean_return(episodes, seed)))
    return rows


def _play(
    data: WorldSource, seeds: Sequence[int], values_of: ValuesOf | None, seed: int
) -> list[Episode]:
    """Play with these values, or at random where there are none."""
    chosen = values_of or _constant(0, data.spec.num_actions)
    return play_episodes(data, seeds, chosen, epsilon=float(values_of is None), seed=seed)


def _mean_return(episodes: Sequence[Episode], seed: int) -> Score:
    returns = [episode.earned for episode in episodes]
    return Score("mean_return", float(np.mean(returns)), *bootstrap(returns, seed), len(returns))


def _constant(action: int, num_actions: int) -> ValuesOf:
    """Return values that make one action the best, always."""
    row = np.zeros(num_actions)
    row[action] = 1.0
    return lambda observations: np.tile(row, (len(observations), 1))


def _line(weights: np.ndarray) -> ValuesOf:
    """Return values that are linear in the observation; weights (D + 1, A), the bias last."""

    def values_of(observations: np.ndarray) -> np.ndarray:
        flat = observations.reshape(len(observations), -1).astype(np.float64)
        return flat @ weights[:-1] + weights[-1]

    return values_of


def _best_action(data: WorldSource, seed: int) -> int:
    """Return the action that earns most when nothing else is done."""
    num_actions = data.spec.num_actions
    seeds = fresh_seeds(seed, "constant", NUM_TRIAL)
    earned = [
        np.mean([e.earned for e in _play(data, seeds, _constant(action, num_actions), seed)])
        for action in range(num_actions)
    ]
    return int(np.argmax(earned))


def _best_line(data: WorldSource, seed: int) -> tuple[np.ndarray, int]:
    """Return the best of random linear policies, and how many were tried."""
    generator = numpy_generator(seed, "lines")
    seeds = fresh_seeds(seed, "lines", NUM_TRIAL)
    size = (int(np.prod(data.spec.observation_shape)) + 1, data.spec.num_actions)
    best, most = np.zeros(size), -np.inf
    num_tried = num_moves = 0
    while num_tried < MAX_CANDIDATES and num_moves < SEARCH_MOVES:
        weights = generator.standard_normal(size)
        episodes = _play(data, seeds, _line(weights), seed)
        earned = float(np.mean([episode.earned for episode in episodes]))
        num_moves += sum(len(episode.actions) for episode in episodes)
        num_tried += 1
        if earned > most:
            best, most = weights, earned
    return best, num_tried
