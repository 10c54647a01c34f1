"""Whole episodes, played to see how good a policy is or to look at one; nothing is learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from samoyed.core.seeding import numpy_generator
from samoyed.decoding.epsilon_greedy import epsilon_greedy
from samoyed.worlds.replay import ReplayMemory
from samoyed.worlds.scan import WorldSource, episode_seed

NUM_WORLDS = 16  # episodes that go on at the same time

ValuesOf = Callable[[np.ndarray], np.ndarray]
"""Observations (B, ...), stacked as the policy sees them -> values (B, A) of the actions."""


@dataclass
class Episode:
    """What happened in one episode.

    Args:
        seed: the seed it began with.
        rewards: (T,) of each move.
        actions: (T,) what was done.
        values: T rows of (A,), what each action seemed worth; empty unless recorded.
        observations: T + 1 of what was seen; empty unless recorded.
        frames: pictures, (H, W, 3); empty unless recorded and where the world draws none.
    """

    seed: int
    rewards: list[float] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)
    observations: list[np.ndarray] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    @property
    def earned(self) -> float:
        """Return the sum of rewards."""
        return float(sum(self.rewards))


def fresh_seeds(seed: int, purpose: str, num: int) -> list[int]:
    """Return seeds of `num` episodes that belong to this purpose."""
    return [episode_seed(seed, purpose, index) for index in range(num)]


def play_episodes(
    source: WorldSource,
    seeds: Sequence[int],
    values_of: ValuesOf,
    *,
    stack: int = 1,
    epsilon: float = 0.0,
    seed: int = 0,
    is_recorded: bool = False,
) -> list[Episode]:
    """Play one episode from each seed, several at a time.

    Args:
        source: the world.
        seeds: of the episodes.
        values_of: the policy's values.
        stack: how many observations the policy sees at once.
        epsilon: how often an action is drawn at random.
        seed: of these random actions.
        is_recorded: whether to keep what was seen.

    Returns:
        The episodes in the order of the seeds.
    """
    episodes = [Episode(s) for s in seeds]
    num = min(NUM_WORLDS, len(seeds))
    worlds = [source.make() for _ in range(num)]
    memory = ReplayMemory(source.spec, 0, stack, num)
    generator = numpy_generator(seed, "explore")
    waiting = iter(episodes)
    playing: dict[int, Episode] = {}

    def begin(index: int) -> None:
        episode = next(waiting, None)
        if episode is None:
            playing.pop(index, None)
            return
        playing[index] = episode
        observation = worlds[index].reset(episode.seed)
        memory.begin(index, observation)
        if is_recorded:
            _record(episode, observation, worlds[index].render())

    for index in range(num):
        begin(index)
    while playing:
        order = list(playing)
        values = values_of(memory.latest()[order])
        chosen = epsilon_greedy(values, epsilon, generator)
        for row, index in enumerate(order):
            episode, action = playing[index], int(chosen[row])
            step = worlds[index].step(action)
            memory.add(index, action, step.reward, step.is_terminal, step.observation)
            episode.actions.append(action)
            episode.rewards.append(step.reward)
            if is_recorded:
                episode.values.append(values[row].copy())
                _record(episode, step.observation, worlds[index].render())
            if step.is_terminal or step.is_truncated:
                begin(index)
    return episodes


def _record(episode: Episode, observation: np.ndarray, frame: np.ndarray | None) -> None:
    episode.observations.append(observation)
    if frame is not None:
        episode.frames.append(frame)
