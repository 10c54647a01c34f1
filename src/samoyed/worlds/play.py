"""A feed that plays: it acts with the present network, remembers, and deals from the memory.

All randomness is a pure function of (seed, step), and an episode is a pure function of its seed
and the actions: so a restart needs, of the worlds, only the number of the episode and the actions
done in it. They are done again, and what is seen at the end must be what was seen before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from samoyed.core.batch import Transitions
from samoyed.core.errors import RunError
from samoyed.core.seeding import numpy_generator
from samoyed.decoding.epsilon_greedy import epsilon_greedy
from samoyed.worlds.episodes import ValuesOf
from samoyed.worlds.replay import ReplayMemory
from samoyed.worlds.scan import episode_seed
from samoyed.worlds.world import Step, World


class PlayedWorlds:
    """Worlds in the middle of their episodes.

    Args:
        worlds: N copies of one world.
        seed: episode e of world w begins with a seed that follows from (seed, w, e).
    """

    def __init__(self, worlds: Sequence[World], seed: int) -> None:
        self.worlds = list(worlds)
        self.seed = seed
        self.episodes = [-1] * len(self.worlds)
        self.actions: list[list[int]] = [[] for _ in self.worlds]
        self.observations: list[np.ndarray] = [np.zeros(0)] * len(self.worlds)
        self.earned = [0.0] * len(self.worlds)
        self.num_moves = 0
        self.returns: list[tuple[int, float, int]] = []

    def __len__(self) -> int:
        return len(self.worlds)

    def begin(self, index: int) -> np.ndarray:
        """Begin the next episode of a world and return its first observation."""
        self.episodes[index] += 1
        self.actions[index] = []
        self.earned[index] = 0.0
        observation = self.worlds[index].reset(self._seed_of(index))
        self.observations[index] = observation
        return observation

    def move(self, index: int, action: int) -> Step:
        """Do one action in a world; a finished episode is added to `returns`."""
        step = self.worlds[index].step(action)
        self.actions[index].append(action)
        self.observations[index] = step.observation
        self.earned[index] += step.reward
        self.num_moves += 1
        if step.is_terminal or step.is_truncated:
            finished = (self.num_moves, self.earned[index], len(self.actions[index]))
            self.returns.append(finished)
        return step

    def _seed_of(self, index: int) -> int:
        return episode_seed(self.seed, "world", index, "episode", self.episodes[index])

    def state_dict(self) -> dict[str, Any]:
        """Return where each world stands, and (moves so far, return, length) of past episodes."""
        done = [action for actions in self.actions for action in actions]
        return {
            "num_moves": self.num_moves,
            "episodes": torch.tensor(self.episodes),
            "lengths": torch.tensor([len(actions) for actions in self.actions]),
            "actions": torch.tensor(done, dtype=torch.int64),
            "observations": torch.from_numpy(np.stack(self.observations)),
            "returns": torch.tensor(self.returns, dtype=torch.float64).reshape(-1, 3),
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Bring each world back to where it stood by playing its episode again.

        Raises:
            RunError: when a world shows something else than it did before.
        """
        done = iter(state["actions"].tolist())
        lengths = state["lengths"].tolist()
        for index, episode in enumerate(state["episodes"].tolist()):
            self.episodes[index] = episode - 1
            self.begin(index)
            for _ in range(lengths[index]):
                step = self.move(index, next(done))
                if step.is_terminal or step.is_truncated:
                    break
            saved = state["observations"][index].numpy()
            is_same = np.array_equal(self.observations[index], saved)
            if not is_same or len(self.actions[index]) != lengths[index]:
                raise RunError(
                    self.worlds[index].spec.name,
                    f"what was seen after {lengths[index]} moves of episode {episode} to be seen "
                    "again when the same moves are made from the same seed",
                    "something else: this world is not deterministic",
                    "such a run cannot be resumed exactly; start over with --fresh",
                )
        self.num_moves = int(state["num_moves"])
        self.returns = [(int(m), r, int(n)) for m, r, n in state["returns"].tolist()]


class PlayFeed:
    """Play some moves, then deal a mini-batch of remembered ones (Algorithm 1).

    The first batch is preceded by `learning_starts` moves. To be asked for steps in order.

    Args:
        worlds: where to play; each makes the same number of moves.
        memory: where to remember.
        values_of: the values by which to act, of the network as it is now.
        epsilon: moves made so far -> exploration rate.
        batch_size: moves in a batch.
        moves_per_batch: moves made before each batch, in all worlds together.
        learning_starts: moves made before the first batch.
        seed: of the exploration and of the drawing.
    """

    def __init__(
        self,
        worlds: PlayedWorlds,
        memory: ReplayMemory,
        values_of: ValuesOf,
        *,
        epsilon: Callable[[int], float],
        batch_size: int,
        moves_per_batch: int,
        learning_starts: int,
        seed: int,
    ) -> None:
        if moves_per_batch % len(worlds) or moves_per_batch < 1:
            raise ValueError(
                f"{moves_per_batch} moves for each update cannot be shared by {len(worlds)} worlds"
            )
        self.worlds = worlds
        self.memory = memory
        self.values_of = values_of
        self.epsilon = epsilon
        self.batch_size = batch_size
        self.moves_per_batch = moves_per_batch
        self.learning_starts = learning_starts
        self.seed = seed

    @property
    def returns(self) -> list[tuple[int, float, int]]:
        """Return (moves so far, return, length) of each finished episode of training."""
        return self.worlds.returns

    def tells(self) -> dict[str, float]:
        """Return what is worth logging: the mean of the last 100 episodes, epsilon, moves done."""
        last = [earned for _, earned, _ in self.returns[-100:]]
        mean = {"training_return": sum(last) / len(last)} if len(last) == 100 else {}
        moves = self.worlds.num_moves
        return {**mean, "epsilon": self.epsilon(moves), "moves": float(moves)}

    def batch(self, step: int) -> Transitions:
        """Play, remember, and draw the mini-batch of this step."""
        generator = numpy_generator(self.seed, "play", step)
        if self.worlds.num_moves == 0:
            for index in range(len(self.worlds)):
                self.memory.begin(index, self.worlds.begin(index))
            while self.worlds.num_moves < self.learning_starts:
                self._move_all(generator)
        for _ in range(self.moves_per_batch // len(self.worlds)):
            self._move_all(generator)
        return self.memory.sample(self.batch_size, generator)

    def _move_all(self, generator: np.random.Generator) -> None:
        """Make one move in every world."""
        rate = self.epsilon(self.worlds.num_moves)
        if rate >= 1.0:
            num_actions = self.worlds.worlds[0].spec.num_actions
            chosen = generator.integers(0, num_actions, size=len(self.worlds))
        else:
            chosen = epsilon_greedy(self.values_of(self.memory.latest()), rate, generator)
        for index, action in enumerate(chosen.tolist()):
            step = self.worlds.move(index, action)
            self.memory.add(index, action, step.reward, step.is_terminal, step.observation)
            if step.is_terminal or step.is_truncated:
                self.memory.begin(index, self.worlds.begin(index))
