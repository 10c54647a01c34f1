"""What a world is: something that shows an observation, takes an action and pays a reward."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import WorldSpec


class Step(NamedTuple):
    """What one action brought.

    `is_terminal`: the episode is over by the world's own rules, nothing more can be earned.
    `is_truncated`: it was only cut short (a time limit), so what would have followed still counts.
    """

    observation: np.ndarray
    reward: float
    is_terminal: bool
    is_truncated: bool


@runtime_checkable
class World(Protocol):
    """A game with discrete actions; the same seed and the same actions give the same episode.

    Observations are float32 (D,) or uint8 (C, H, W), as `spec` says, and are never changed after
    they were handed out.
    """

    @property
    def spec(self) -> WorldSpec:
        """Return what is seen and what can be done."""
        ...

    def reset(self, seed: int) -> np.ndarray:
        """Begin the episode of this seed and return its first observation."""
        ...

    def step(self, action: int) -> Step:
        """Do one action, 0 <= action < spec.num_actions."""
        ...

    def render(self) -> np.ndarray | None:
        """Return a picture of the present state, uint8 (H, W, 3), or None where there is none."""
        ...


def check_observation(observation: np.ndarray, spec: WorldSpec) -> None:
    """Check shape, kind and finiteness of an observation.

    Raises:
        DataError: naming the world and what it gave instead.
    """
    if observation.shape != spec.observation_shape:
        raise DataError(
            spec.name, f"observations of the shape it declares, {spec.observation_shape}",
            f"one of shape {observation.shape}", "repair the world's observation_space",
        )  # fmt: skip
    if not spec.is_pixels and not np.isfinite(observation).all():
        raise DataError(
            spec.name, "observations that are finite numbers",
            f"{observation[~np.isfinite(observation)][0]} in an observation",
            "repair the world: nothing can be learned from such numbers",
        )  # fmt: skip
