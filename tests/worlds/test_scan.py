import sys
import types
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from samoyed.core.errors import DataError, MissingExtra, SamoyedError
from samoyed.worlds.gym import MAX_MOVES, make_world
from samoyed.worlds.scan import is_world_name, scan_world


class Strange(gymnasium.Env):
    """A world that can be made strange in one way."""

    def __init__(self, way: str = "", seen: Any = None, done: Any = None) -> None:
        if way == "constructor":
            raise RuntimeError("no display found")
        self.way = way
        self.observation_space = seen or spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space = done or spaces.Discrete(2)
        self.moves = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.moves = 0
        return self.observe(), {}

    def observe(self) -> Any:
        if self.way == "nan" and self.moves == 3:
            return np.array([0.0, np.nan], np.float32)
        if self.way == "shape":
            return np.zeros(5, np.float32)
        if self.way == "chance":
            return np.random.default_rng().random(2, np.float32)
        return self.np_random.random(2, np.float32)

    def step(self, action: int) -> Any:
        self.moves += 1
        if self.way == "step" and self.moves == 2:
            raise ZeroDivisionError("division by zero")
        reward = float("inf") if self.way == "reward" else float(action)
        return self.observe(), reward, self.moves % 7 == 0, False, {}


@pytest.fixture
def strange() -> Iterator[Any]:
    def register(name: str, limit: int | None = 50, **settings: Any) -> str:
        gymnasium.register(
            name, entry_point=Strange, max_episode_steps=limit, kwargs=settings, order_enforce=False
        )
        return name

    before = dict(gymnasium.registry)
    yield register
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def refused(name: str) -> SamoyedError:
    with pytest.raises(SamoyedError) as caught:
        scan_world(name)
    error = caught.value
    assert error.place == name.strip() or not name.strip()
    assert error.expected
    assert error.found
    return error


def test_cart_pole_is_described() -> None:
    source = scan_world("CartPole-v1")
    assert source.spec.observation_shape == (4,)
    assert not source.spec.is_pixels
    assert source.spec.action_names == ("left", "right")
    assert source.warnings == ()
    assert source.kind == "world"
    assert any("4 numbers" in line for line in source.describe())
    assert any("left, right" in line for line in source.describe())


def test_catch_is_built_in_in_any_case() -> None:
    source = scan_world("Catch")
    assert source.spec.observation_shape == (1, 24, 24)
    assert source.name == source.path == "catch"
    assert any("built in" in line for line in source.describe())


def test_the_fingerprint_is_of_the_content() -> None:
    assert scan_world("catch").fingerprint == scan_world("catch").fingerprint
    assert scan_world("catch").fingerprint != scan_world("CartPole-v1").fingerprint
    assert len(scan_world("catch").fingerprint) == 64


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CartPol-v1", "CartPole-v1"),
        ("Cartpole-v1", "CartPole-v1"),
        ("AcroBot-v1", "Acrobot-v1"),
        ("catsh-v0", ""),
        ("cacth", "catch"),
        ("Quux-v3", "gymnasium.farama.org"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    error = refused(name)
    assert isinstance(error, DataError)
    assert hint in error.hint


def test_a_missing_version_is_named() -> None:
    error = refused("CartPole")
    assert "no version" in error.found
    assert "CartPole-v1" in error.hint


def test_a_version_that_does_not_exist_lists_those_that_do() -> None:
    error = refused("CartPole-v7")
    assert "CartPole-v0, CartPole-v1" in error.expected
    assert error.hint == "use CartPole-v1"


def test_a_malformed_id_is_refused() -> None:
    for name in ("Cart Pole!", "a//b-v1", ""):
        assert "Name-v0" in refused(name).expected


def test_an_unknown_namespace_is_refused() -> None:
    assert "CartPole-v1" in refused("gyms/CartPole-v1").hint


def test_a_module_that_cannot_be_imported_is_named() -> None:
    error = refused("nosuchmodule:World-v0")
    assert isinstance(error, MissingExtra)
    assert "nosuchmodule" in error.found


def test_continuous_actions_are_refused() -> None:
    error = refused("Pendulum-v1")
    assert "Discrete" in error.expected
    assert "Box(-2.0, 2.0, (1,), float32)" in error.found


def test_observations_that_are_no_box_are_refused() -> None:
    assert "Discrete(16)" in refused("FrozenLake-v1").found
    assert "Tuple" in refused("Blackjack-v1").found


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        (spaces.Box(0.0, 1.0, (3, 3), np.float32), None),
        (spaces.Box(0.0, 1.0, (), np.float32), None),
        (spaces.Dict({"a": spaces.Discrete(2)}), None),
        (None, spaces.Discrete(1)),
        (None, spaces.MultiDiscrete([2, 2])),
    ],
)
def test_unsuitable_spaces_are_refused(strange: Any, seen: Any, done: Any) -> None:
    assert isinstance(refused(strange("Odd-v0", seen=seen, done=done)), DataError)


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ("nan", "nan in an observation"),
        ("shape", "(5,)"),
        ("reward", "a reward of inf"),
        ("step", "ZeroDivisionError: division by zero"),
        ("constructor", "RuntimeError: no display found"),
    ],
)
def test_a_world_that_misbehaves_is_named(strange: Any, way: str, found: str) -> None:
    assert found in refused(strange("Odd-v0", way=way)).found


def test_a_world_left_to_chance_is_a_warning(strange: Any) -> None:
    [warning] = scan_world(strange("Odd-v0", way="chance")).warnings
    assert "not deterministic" in warning


def test_a_world_without_a_time_limit_is_a_warning_and_gets_one(strange: Any) -> None:
    name = strange("Odd-v0", limit=None)
    [warning] = scan_world(name).warnings
    assert f"{MAX_MOVES:,}" in warning
    world, _ = make_world(name)
    world.reset(0)
    world.num_moves = MAX_MOVES - 1  # type: ignore[attr-defined]
    assert world.step(0).is_truncated


def test_an_outdated_version_is_a_warning() -> None:
    assert any("out of date" in warning for warning in scan_world("CartPole-v0").warnings)


@pytest.mark.parametrize(
    ("name", "package"), [("LunarLander-v3", "box2d"), ("ALE/Pong-v5", "ale-py")]
)
def test_what_a_world_needs_is_named(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("Box2D", "ale_py"):
        monkeypatch.setitem(sys.modules, module, None)
    error = refused(name)
    assert isinstance(error, MissingExtra)
    assert package in error.hint
    assert error.hint.startswith("pip install")


def test_without_gymnasium_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtra) as caught:
        scan_world("CartPole-v1")
    assert caught.value.hint == "pip install 'samoyed-dl[play]'"
    assert scan_world("catch").spec.num_actions == 3  # built in: needs nothing


def test_pixels_become_channels_first(strange: Any) -> None:
    for shape, expected in (((8, 6, 3), (3, 8, 6)), ((8, 6), (1, 8, 6))):
        space = spaces.Box(0, 255, shape, np.uint8)
        name = strange(f"Odd{len(shape)}-v0", seen=space)
        world, _ = make_world(name)
        assert world.spec.observation_shape == expected
        picture = space.sample()
        world.env.unwrapped.observe = lambda picture=picture: picture  # type: ignore[attr-defined]
        seen = world.reset(0)
        assert np.array_equal(seen[0], picture[..., 0] if picture.ndim == 3 else picture)
        assert world.render().shape == (8, 6, 3)  # type: ignore[union-attr]


def test_actions_that_start_elsewhere_are_shifted(strange: Any) -> None:
    world, _ = make_world(strange("Odd-v0", done=spaces.Discrete(3, start=5)))
    world.reset(0)
    assert world.step(2).reward == 7.0


def test_names_are_told_from_files() -> None:
    assert is_world_name("CartPole-v1")
    assert is_world_name("my_module:My-World-v0")
    assert not is_world_name("photos/flowers")
    assert not is_world_name("notes.txt")


def test_a_module_can_bring_its_worlds(strange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    strange("Brought-v0")
    monkeypatch.setitem(sys.modules, "brought_worlds", types.ModuleType("brought_worlds"))
    assert scan_world("brought_worlds:Brought-v0").spec.num_actions == 2
