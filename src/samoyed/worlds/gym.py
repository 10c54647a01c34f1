"""Gymnasium's worlds: an id in, a `World` out, or one message that says what is wrong with it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np

from samoyed.core.errors import DataError, MissingExtra, SamoyedError, did_you_mean
from samoyed.core.spec import WorldSpec
from samoyed.worlds.atari import AtariWorld
from samoyed.worlds.world import Step, World, check_observation

MAX_MOVES = 10_000  # an episode of a world without a time limit is cut here
_ID = re.compile(r"^(?:[\w.]+:)?(?:(?P<space>[\w-]+)/)?(?P<name>[\w.]+(?:-[\w.]+)*?)(?P<v>-v\d+)?$")
_ACTION_NAMES = {
    "CartPole": ("left", "right"),
    "MountainCar": ("left", "coast", "right"),
    "Acrobot": ("negative torque", "none", "positive torque"),
    "LunarLander": ("nothing", "left engine", "main engine", "right engine"),
}
_INSTALL = {
    "box2d": "pip install swig 'gymnasium[box2d]'",
    "mujoco": "pip install 'gymnasium[mujoco]'",
    "pygame": "pip install 'gymnasium[classic-control]'",
    "ale": "pip install ale-py",
    "jax": "pip install 'gymnasium[jax]'",
}


class GymWorld:
    """A Gymnasium environment with discrete actions, behind the `World` protocol.

    Args:
        env: the environment; its episodes must end, by themselves or by a time limit.
        spec: what is seen and what can be done.
    """

    def __init__(self, env: Any, spec: WorldSpec) -> None:
        self.env = env
        self.spec = spec
        self.first_action = int(env.action_space.start)
        self.is_unlimited = env.spec is None or env.spec.max_episode_steps is None
        self.num_moves = 0
        self.newest: np.ndarray | None = None

    def reset(self, seed: int) -> np.ndarray:
        """Begin the episode of this seed."""
        observation, _ = self.env.reset(seed=seed)
        self.num_moves = 0
        return self._convert(observation)

    def step(self, action: int) -> Step:
        """Do one action."""
        given = self.env.step(self.first_action + action)
        observation, reward, is_terminal, is_truncated, _ = given
        self.num_moves += 1
        is_late = self.is_unlimited and self.num_moves >= MAX_MOVES
        if not np.isfinite(reward):
            raise DataError(
                self.spec.name, "rewards that are finite numbers", f"a reward of {reward}"
            )
        return Step(
            self._convert(observation), float(reward), bool(is_terminal),
            bool(is_truncated) or is_late,
        )  # fmt: skip

    def render(self) -> np.ndarray | None:
        """Return the newest frame where observations are pixels; nothing is drawn otherwise."""
        if self.newest is None or not self.spec.is_pixels:
            return None
        frame = self.newest.transpose(1, 2, 0)
        return np.repeat(frame[:, :, :1], 3, axis=2) if frame.shape[2] != 3 else frame

    def _convert(self, observation: Any) -> np.ndarray:
        """Copy an observation into the shape and kind of the spec."""
        if self.spec.is_pixels:
            array = np.array(observation, dtype=np.uint8)
            array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy()
        else:
            array = np.array(observation, dtype=np.float32)
        check_observation(array, self.spec)
        self.newest = array
        return array


def load_gymnasium() -> ModuleType:
    """Import gymnasium.

    Raises:
        MissingExtra: with the install line.
    """
    try:
        import gymnasium
    except ImportError:
        raise MissingExtra.of("gymnasium", "play", "worlds to play") from None
    return gymnasium


def make_world(name: str, built_in: Iterable[str] = ()) -> tuple[World, list[str]]:
    """Make the world of a Gymnasium id.

    Args:
        name: the id, with its version: "CartPole-v1", "ALE/Pong-v5".
        built_in: further names to suggest for a misspelt one.

    Returns:
        The world, and warnings in words.

    Raises:
        DataError: for an id that is malformed or unknown, or a world of an unsuitable kind.
        MissingExtra: when gymnasium or what the world needs is not installed.
    """
    gymnasium = load_gymnasium()
    is_atari = name.startswith("ALE/")
    settings: dict[str, Any] = {}
    if is_atari:
        _register_atari(name)
        settings = {"frameskip": 1, "repeat_action_probability": 0.0, "obs_type": "grayscale"}
    _check_id(name, [*gymnasium.registry, *built_in])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            env = gymnasium.make(name, disable_env_checker=True, **settings)
        except Exception as error:
            raise _explain(name, error, gymnasium, built_in) from error
    said = [_plain(str(warning.message)) for warning in caught]
    if is_atari:
        names = tuple(meaning.lower() for meaning in env.unwrapped.get_action_meanings())
        return AtariWorld(name, env, names), said
    world = GymWorld(env, _spec_of(name, env, gymnasium))
    if world.is_unlimited:
        said.append(f"{name} has no time limit: episodes are cut after {MAX_MOVES:,} moves")
    return world, said


def _register_atari(name: str) -> None:
    """Let ale_py add its games to the registry."""
    try:
        import ale_py  # noqa: F401
    except ImportError:
        raise MissingExtra(
            name, "ale-py installed, for Atari games", "not installed", _INSTALL["ale"]
        ) from None


def _check_id(name: str, known: list[str]) -> None:
    """Check that an id is well-formed and has its version."""
    match = _ID.match(name)
    if match is None:
        raise DataError(
            name or "the name of a world", "[namespace/]Name-v0, a Gymnasium id", repr(name),
            did_you_mean(name, known).strip() or "see gymnasium.farama.org for the names",
        )  # fmt: skip
    if match["v"] is None:
        versions = [k for k in known if re.fullmatch(re.escape(name) + r"-v\d+", k, re.IGNORECASE)]
        newest = max(versions, key=lambda k: int(k.rpartition("-v")[2]), default=None)
        hint = f"Did you mean '{newest}'?" if newest else did_you_mean(name, known).strip()
        raise DataError(name, "a Gymnasium id with its version, Name-v0", "no version", hint)


def _explain(name: str, error: Exception, gymnasium: ModuleType, built_in: Iterable[str]) -> Any:
    """Turn what gymnasium raised into an error with a remedy."""
    text = _plain(str(error))
    known = [*gymnasium.registry, *built_in]
    if isinstance(error, SamoyedError):
        return error
    if isinstance(error, (gymnasium.error.VersionNotFound, gymnasium.error.DeprecatedEnv)):
        stem = name.rpartition("-v")[0]
        versions = [k for k in known if re.fullmatch(re.escape(stem) + r"-v\d+", k)]
        newest = max(versions, key=lambda k: int(k.rpartition("-v")[2]), default="")
        return DataError(
            name, "a version that exists: " + ", ".join(sorted(versions)), f"'{name}'",
            f"use {newest}" if newest else text,
        )  # fmt: skip
    if isinstance(error, gymnasium.error.UnregisteredEnv):
        hint = did_you_mean(name, known).strip() or "see gymnasium.farama.org for the names"
        return DataError(name, "the name of a world", "no world of this name", hint)
    if isinstance(error, (gymnasium.error.DependencyNotInstalled, ImportError)):
        lowered = text.lower()
        lines = [line for key, line in _INSTALL.items() if re.search(rf"\b{key}", lowered)]
        return MissingExtra(
            name, "everything this world needs installed", text,
            lines[0] if lines else "install what is named above",
        )  # fmt: skip
    return DataError(
        name, "a world that can be made", f"{type(error).__name__}: {text}",
        "the world's own code raised this; repair it or choose another world",
    )  # fmt: skip


def _spec_of(name: str, env: Any, gymnasium: ModuleType) -> WorldSpec:
    """Describe an environment, or say why it is of an unsuitable kind."""
    seen, done = env.observation_space, env.action_space
    if not isinstance(done, gymnasium.spaces.Discrete):
        raise DataError(
            name, "discrete actions, a Discrete space", _plain(repr(done)),
            "the deep Q-network chooses among a few actions; CartPole-v1 is such a world",
        )  # fmt: skip
    if done.n < 2:
        raise DataError(name, "at least two actions to choose from", f"{done.n}")
    is_box = isinstance(seen, gymnasium.spaces.Box)
    is_pixels = is_box and seen.dtype == np.uint8 and len(seen.shape) in (2, 3)
    if not is_box or not (is_pixels or len(seen.shape) == 1) or 0 in seen.shape:
        raise DataError(
            name, "observations that are a vector or 8-bit pixels: Box(D,), Box(H, W, C)",
            _plain(repr(seen)), "wrap the world so that it gives one of these, e.g. one-hot",
        )  # fmt: skip
    shape = tuple(int(size) for size in seen.shape)
    if is_pixels:
        shape = (1, *shape) if len(shape) == 2 else (shape[2], shape[0], shape[1])
    num_actions = int(done.n)
    stem = name.rpartition("-v")[0].rpartition("/")[2]
    names = _ACTION_NAMES.get(stem, ())
    if len(names) != num_actions:
        names = tuple(f"action {i}" for i in range(num_actions))
    return WorldSpec(name, shape, bool(is_pixels), num_actions, names)


def _plain(text: str) -> str:
    """Drop colour codes, gymnasium's "WARN:" and line breaks."""
    return " ".join(re.sub(r"\x1b\[\d+m|WARN:", "", text).split())
