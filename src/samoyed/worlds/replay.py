"""The replay memory: what was seen and done, kept once, drawn at random.

Mnih et al. (2015), Methods, "Training algorithm": experiences are stored and minibatches are drawn
uniformly from them, which breaks the correlations of consecutive moves and smooths the data over
many past behaviours.

Each world writes a stream of entries. An entry is an observation with what followed it (action,
reward, whether that was terminal); the last observation of an episode is an entry that nothing
follows, so it is never drawn. Since the next observation of an entry is simply the next entry,
every frame is stored once, and stacks of frames are put together when they are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from samoyed.core.batch import Transitions
from samoyed.core.spec import WorldSpec

_TENSORS = ("observations", "actions", "rewards", "is_terminal", "is_playable", "ages", "newest")


# N worlds, T entries in the ring of each, k observations in a stack
class ReplayMemory:
    """A ring of entries for each of several worlds.

    Pixels are kept as uint8, vectors as float32. Memory is claimed from the system only as the
    rings fill.

    Args:
        spec: of the worlds.
        size: entries in all worlds together; at least 2 + stack for each.
        stack: how many consecutive observations the network sees at once.
        num_worlds: how many worlds write.
    """

    def __init__(self, spec: WorldSpec, size: int, stack: int = 1, num_worlds: int = 1) -> None:
        length = max(size // num_worlds, stack + 2)
        rings = (num_worlds, length)
        self.stack = stack
        self.observations = np.zeros(
            (*rings, *spec.observation_shape), dtype=np.uint8 if spec.is_pixels else np.float32
        )
        self.actions = np.zeros(rings, dtype=np.int64)
        self.rewards = np.zeros(rings, dtype=np.float32)
        self.is_terminal = np.zeros(rings, dtype=np.bool_)
        self.is_playable = np.zeros(rings, dtype=np.bool_)  # a move followed this entry
        self.ages = np.zeros(rings, dtype=np.int32)  # moves since the episode began
        self.newest = np.full(num_worlds, -1, dtype=np.int64)  # entries written so far, less one

    @property
    def num_moves(self) -> int:
        """Return how many moves can be drawn."""
        return int(self.is_playable.sum())

    @property
    def num_filled(self) -> int:
        """Return how many entries of the longest ring are in use."""
        return int(min(self.newest.max() + 1, self.actions.shape[1]))

    def begin(self, world: int, observation: np.ndarray) -> None:
        """Write the first observation of an episode."""
        self._write(world, observation, 0)

    def add(
        self,
        world: int,
        action: int,
        reward: float,
        is_terminal: bool,
        next_observation: np.ndarray,
    ) -> None:
        """Write the move that followed the newest observation of a world, and what was seen next.

        When the episode is over, by its rules or by a time limit, `begin` must come next.
        """
        here = int(self.newest[world]) % self.actions.shape[1]
        self.actions[world, here] = action
        self.rewards[world, here] = reward
        self.is_terminal[world, here] = is_terminal
        self._write(world, next_observation, int(self.ages[world, here]) + 1)
        self.is_playable[world, here] = True

    def _write(self, world: int, observation: np.ndarray, age: int) -> None:
        """Put an observation in the place of the oldest entry of a world's ring."""
        length = self.actions.shape[1]
        self.newest[world] += 1
        here = int(self.newest[world]) % length
        self.observations[world, here] = observation
        self.ages[world, here] = age
        for gone in range(self.stack):  # the entry itself, and those whose stack it was part of
            self.is_playable[world, (here + gone) % length] = False

    def latest(self) -> np.ndarray:
        """Return what each world shows now, stacked: (N, D) or (N, k * C, H, W)."""
        worlds = np.arange(len(self.newest))
        return self._stacked(worlds, self.newest % self.actions.shape[1], self.stack)

    def sample(self, num: int, generator: np.random.Generator) -> Transitions:
        """Draw moves uniformly, with replacement.

        Args:
            num: how many.
            generator: where the randomness comes from.

        Raises:
            ValueError: when there is no move to draw.
        """
        worlds, places = self._draw(num, generator)
        seen = self._stacked(worlds, places, self.stack)
        seen_next = self._stacked(worlds, (places + 1) % self.actions.shape[1], self.stack)
        return Transitions(
            torch.from_numpy(seen),
            torch.from_numpy(self.actions[worlds, places]),
            torch.from_numpy(self.rewards[worlds, places]),
            torch.from_numpy(seen_next),
            torch.from_numpy(self.is_terminal[worlds, places]),
        )

    def _draw(self, num: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw entries until `num` of them have a move."""
        if not self.is_playable.any():
            raise ValueError("the replay memory holds no moves yet")
        found: list[np.ndarray] = []
        num_found = 0
        filled = self.num_filled
        while num_found < num:
            drawn = generator.integers(0, len(self.newest) * filled, size=num + num // 8 + 4)
            worlds, places = np.divmod(drawn, filled)
            good = np.flatnonzero(self.is_playable[worlds, places])
            found.append(np.stack((worlds[good], places[good])))
            num_found += len(good)
        chosen = np.concatenate(found, axis=1)[:, :num]
        return chosen[0], chosen[1]

    def _stacked(self, worlds: np.ndarray, places: np.ndarray, stack: int) -> np.ndarray:
        """Return observations with those before them, oldest first; zeros before an episode."""
        if stack == 1:
            return self.observations[worlds, places]
        back = np.arange(stack - 1, -1, -1)
        frames = self.observations[
            worlds[:, None], (places[:, None] - back) % self.actions.shape[1]
        ]
        frames[back > self.ages[worlds, places][:, None]] = 0
        return frames.reshape(len(frames), -1, *frames.shape[3:])

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part of the rings, as views: to be written before the next move."""
        filled = self.num_filled
        held = {name: torch.from_numpy(getattr(self, name)) for name in _TENSORS}
        return {k: v if k == "newest" else v[:, :filled] for k, v in held.items()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: when it was saved by a memory of another shape.
        """
        length = self.actions.shape[1]
        filled = state["actions"].shape[1]
        newest = state["newest"].numpy()
        if newest.shape != self.newest.shape or not (
            filled == length or newest.max() + 1 == filled < length
        ):
            raise ValueError(
                f"a replay memory of {len(self.newest)} x {length} entries cannot hold one of "
                f"{len(newest)} x {filled}"
            )
        self.newest[:] = newest
        self.is_playable[:] = False
        for name in _TENSORS:
            if name != "newest":
                getattr(self, name)[:, :filled] = state[name].numpy()
