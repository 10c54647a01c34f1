"""From a world's name to a source: what is seen, what can be done, and whether it can be trusted.

`scan_world` plays a few moves, twice with the same seed, before anything is learned: a world whose
observations are not what it declares is an error, one that does not repeat itself is a warning.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from samoyed.core.errors import DataError, SamoyedError
from samoyed.core.seeding import derive_seed, numpy_generator
from samoyed.core.spec import WorldSpec
from samoyed.worlds.catch import Catch
from samoyed.worlds.gym import make_world
from samoyed.worlds.world import World, check_observation

BUILT_IN: dict[str, type[World]] = {"catch": Catch}
TRIAL_MOVES = 100
_SEED_BITS = 31  # gymnasium takes seeds of at most 32 bits


@dataclass(frozen=True)
class WorldSource:
    """A world that can be made any number of times.

    Args:
        name: as it was asked for.
        spec: what is seen and what can be done.
        warnings: suspicious things.
        skipped: always empty; here because every source has it.
        fingerprint: hash of the spec and of what the first moves brought.
        trial_return: mean return of the episodes of the trial, by random play, or None.
    """

    kind: ClassVar[str] = "world"
    name: str
    spec: WorldSpec
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    trial_return: float | None = None

    @property
    def path(self) -> str:
        """Return the name: a world has no file."""
        return self.name

    def make(self) -> World:
        """Make one world."""
        return _open(self.name)[0]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has played."""
        return []

    def describe(self) -> list[str]:
        """Say in plain lines what was found."""
        spec = self.spec
        shape = " x ".join(str(n) for n in spec.observation_shape)
        origin = "built in" if self.name in BUILT_IN else "from Gymnasium"
        kind = f"{shape} pixels of 8 bits" if spec.is_pixels else f"{shape} numbers"
        shown = ", ".join(spec.action_names[:8]) + (", ..." if spec.num_actions > 8 else "")
        lines = [
            f"a world to play, {origin}: {self.name}",
            f"seen at each step: {kind}",
            f"{spec.num_actions} actions: {shown}",
        ]
        if self.trial_return is not None:
            lines.append(f"random play earns about {self.trial_return:.4g} an episode")
        return lines


def is_world_name(name: str) -> bool:
    """Tell whether a name looks like a world's rather than like a file's; imports nothing.

    >>> is_world_name("CartPole-v1"), is_world_name("ALE/Pong-v5"), is_world_name("photos")
    (True, True, False)
    """
    return name.lower() in BUILT_IN or re.search(r"^[\w.:/-]+-v\d+$", name) is not None


def scan_world(
    name: str, *, on_bad: Literal["stop", "skip"] = "stop", seed: int = 0
) -> WorldSource:
    """Find out what a world is by making it and playing a few moves.

    Args:
        name: a built-in world ("catch") or a Gymnasium id with its version ("CartPole-v1").
        on_bad: has no effect: a world has no single records to skip.
        seed: of the trial episodes.

    Raises:
        DataError: when there is no such world, or not one of a suitable kind.
        MissingExtra: when something it needs is not installed.
    """
    name = name.strip()
    name = name.lower() if name.lower() in BUILT_IN else name
    world, said = _open(name)
    first, returns = _trial(world, seed)
    second, _ = _trial(_open(name)[0], seed)
    warnings = list(dict.fromkeys(said))
    if first != second:
        warnings.append(
            f"{name} is not deterministic: the same seed and actions gave different observations, "
            "so a run cannot be resumed exactly"
        )
    content = hashlib.sha256(repr(world.spec).encode() + first.encode()).hexdigest()
    mean = float(np.mean(returns)) if returns else None
    return WorldSource(name, world.spec, tuple(warnings), (), content, mean)


def episode_seed(seed: int, *path: int | str) -> int:
    """Return the seed of an episode: a pure function of where it stands."""
    return derive_seed(seed, *path) % (1 << _SEED_BITS)


def _open(name: str) -> tuple[World, list[str]]:
    if name in BUILT_IN:
        return BUILT_IN[name](), []
    return make_world(name, BUILT_IN)


def _trial(world: World, seed: int) -> tuple[str, list[float]]:
    """Play random moves; return a hash of all that was seen and the returns of whole episodes.

    Raises:
        DataError: when the world's own code fails.
    """
    try:
        return _play_trial(world, seed)
    except SamoyedError:
        raise
    except Exception as error:
        raise DataError(
            world.spec.name, f"a world that can be played for {TRIAL_MOVES} moves",
            f"{type(error).__name__}: {error}",
            "the world's own code raised this; repair it or choose another world",
        ) from error  # fmt: skip


def _play_trial(world: World, seed: int) -> tuple[str, list[float]]:
    generator = numpy_generator(seed, "trial")
    content = hashlib.sha256()
    returns: list[float] = []
    earned = 0.0
    observation = world.reset(episode_seed(seed, "trial", 0))
    for _ in range(TRIAL_MOVES):
        check_observation(observation, world.spec)
        content.update(observation.tobytes())
        step = world.step(int(generator.integers(world.spec.num_actions)))
        observation = step.observation
        earned += step.reward
        content.update(np.float64(step.reward).tobytes())
        if step.is_terminal or step.is_truncated:
            returns.append(earned)
            earned = 0.0
            observation = world.reset(episode_seed(seed, "trial", len(returns)))
    return content.hexdigest(), returns
