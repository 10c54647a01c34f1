import importlib.util
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from samoyed.worlds.atari import AtariWorld, area_weights, luminance

HEIGHT, WIDTH = 210, 160


class FakeALE:
    """What gymnasium's wrapper asks of the emulator."""

    def __init__(self, game: Any) -> None:
        self.game = game

    def lives(self) -> int:
        return 3

    def getScreenGrayscale(self, out: np.ndarray) -> None:  # noqa: N802
        out[...] = self.game.screen()


class FakeGame(gymnasium.Env):
    """Grey screens full of noise, one per frame; the reward of a frame is its number."""

    def __init__(self, last_frame: int = 1000) -> None:
        self.observation_space = spaces.Box(0, 255, (HEIGHT, WIDTH), np.uint8)
        self.action_space = spaces.Discrete(3)
        self.ale = FakeALE(self)
        self.last_frame = last_frame
        self.frame = 0
        self.resets = 0

    def get_action_meanings(self) -> list[str]:
        return ["NOOP", "FIRE", "UP"]

    def screen(self) -> np.ndarray:
        noise = np.random.default_rng([self.frame, self.resets])
        return noise.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.frame = 0
        self.resets = 1
        return self.screen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.frame += 1
        return self.screen(), float(self.frame), self.frame >= self.last_frame, False, {}


def small(frames: list[np.ndarray]) -> np.ndarray:
    """The slow reference: each output pixel is the mean over its rectangle, cell by cell."""
    newest = np.maximum(frames[0], frames[1]).astype(np.float64)
    out = np.zeros((84, 84))
    for i in range(84):
        top, bottom = i * HEIGHT / 84, (i + 1) * HEIGHT / 84
        for j in range(84):
            left, right = j * WIDTH / 84, (j + 1) * WIDTH / 84
            total = 0.0
            for y in range(int(top), min(HEIGHT, int(np.ceil(bottom - 1e-9)))):
                high = min(bottom, y + 1) - max(top, y)
                for x in range(int(left), min(WIDTH, int(np.ceil(right - 1e-9)))):
                    total += high * (min(right, x + 1) - max(left, x)) * newest[y, x]
            out[i, j] = total / ((bottom - top) * (right - left))
    return out


def assert_rounded(found: np.ndarray, exact: np.ndarray) -> None:
    """Equal to the rounded reference, but where that lies on the edge between two numbers."""
    is_edge = np.abs(exact - np.floor(exact) - 0.5) < 1e-3
    assert is_edge.mean() < 0.02
    assert np.array_equal(found[~is_edge], np.rint(exact[~is_edge]))
    assert np.abs(found - exact).max() < 0.502


def test_the_first_observation_is_after_the_no_ops() -> None:
    game = FakeGame()
    world = AtariWorld("fake", game, ("noop", "fire", "up"))
    seen = world.reset(5)
    assert seen.shape == (1, 84, 84)
    assert seen.dtype == np.uint8
    assert 1 <= game.frame <= 30
    assert_rounded(seen[0], small([game.screen(), np.zeros((HEIGHT, WIDTH))]))
    frames = set()
    for seed in range(200):
        world.reset(seed)
        frames.add(game.frame)
    assert frames == set(range(1, 31))


def test_four_frames_make_a_move_and_two_of_them_the_picture() -> None:
    game = FakeGame()
    world = AtariWorld("fake", game, ("noop", "fire", "up"), max_no_ops=0)
    world.reset(0)
    step = world.step(1)
    assert game.frame == 4
    assert step.reward == 1 + 2 + 3 + 4
    fourth = game.screen()
    game.frame = 3
    third = game.screen()
    assert_rounded(step.observation[0], small([third, fourth]))


def test_a_game_that_ends_within_the_four_frames_stops_there() -> None:
    game = FakeGame(last_frame=6)
    world = AtariWorld("fake", game, ("noop", "fire", "up"), max_no_ops=0)
    world.reset(0)
    assert not world.step(0).is_terminal
    step = world.step(0)
    assert game.frame == 6
    assert step.is_terminal
    assert step.reward == 5 + 6


def test_luminance_is_that_of_television() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert luminance(colours).tolist() == [[76, 150, 29, 255]]
    grey = np.arange(4, dtype=np.uint8).reshape(2, 2)
    assert luminance(grey) is grey


@pytest.mark.parametrize(("num_in", "num_out"), [(210, 84), (160, 84), (84, 84), (7, 3)])
def test_areas_share_everything_out(num_in: int, num_out: int) -> None:
    weights = area_weights(num_in, num_out)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights.sum(axis=0), num_out / num_in)


@pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="needs opencv")
@pytest.mark.parametrize("last_frame", [1000, 9, 10, 11])
def test_it_is_byte_for_byte_the_wrapper_of_gymnasium(last_frame: int) -> None:
    class Named(FakeGame):
        _frameskip = 1

    theirs = gymnasium.wrappers.AtariPreprocessing(Named(last_frame), noop_max=0)
    ours = AtariWorld("fake", FakeGame(last_frame), ("noop", "fire", "up"), max_no_ops=0)
    assert np.array_equal(theirs.reset(seed=1)[0], ours.reset(1)[0])
    for _ in range(5):
        observation, reward, is_terminal, _, _ = theirs.step(2)
        step = ours.step(2)
        assert np.array_equal(observation, step.observation[0])
        assert (reward, is_terminal) == (step.reward, step.is_terminal)
        if is_terminal:
            break
