import numpy as np
import pytest

from samoyed.worlds.catch import PADDLE_WIDTH, SIZE, Catch


def landing_column(screens: list[np.ndarray]) -> int:
    """Where the ball lands, from the first two screens: reflect the straight line at the walls."""
    columns = [int(np.flatnonzero(s[0, row])[0]) for row, s in enumerate(screens)]
    slope = columns[1] - columns[0]
    column = columns[1]
    for _ in range(SIZE - 2):
        if not 0 <= column + slope < SIZE:
            slope = -slope
        column += slope
    return column


def test_the_ball_falls_to_the_bottom_in_23_moves() -> None:
    world = Catch()
    screen = world.reset(3)
    for move in range(1, SIZE):
        assert screen.shape == (1, 24, 24)
        assert screen.dtype == np.uint8
        assert set(np.unique(screen)) == {0, 255}
        assert (screen[0, move - 1] > 0).sum() == 1  # the ball
        assert (screen[0, -1] > 0).sum() == PADDLE_WIDTH
        screen, reward, is_terminal, is_truncated = world.step(1)
        assert is_terminal == (move == SIZE - 1)
        assert not is_truncated
        assert reward == 0 or is_terminal


@pytest.mark.parametrize("seed", range(60))
def test_every_ball_can_be_caught(seed: int) -> None:
    world = Catch()
    screens = [world.reset(seed)]
    screens.append(world.step(1).observation)
    goal = landing_column(screens)
    for _ in range(SIZE - 2):
        left = world.paddle
        action = 0 if goal < left else 2 if goal > left + PADDLE_WIDTH - 1 else 1
        step = world.step(action)
    assert step.is_terminal
    assert step.reward == 1.0


def test_a_ball_beside_the_paddle_earns_nothing() -> None:
    for seed in range(40):
        world = Catch()
        world.reset(seed)
        while not (step := world.step(0)).is_terminal:
            pass
        lit = np.flatnonzero(step.observation[0, -1])
        assert set(lit) >= {0, 1}  # the paddle is at the left wall
        assert step.reward == float(len(lit) == 2)


def test_the_same_seed_gives_the_same_ball_and_others_differ() -> None:
    first = [Catch().reset(seed) for seed in range(20)]
    again = [Catch().reset(seed) for seed in range(20)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({a.tobytes() for a in first}) > 15


def test_all_columns_slopes_and_paddles_occur() -> None:
    seen = set()
    for seed in range(600):
        world = Catch()
        world.reset(seed)
        seen |= {("ball", world.column), ("slope", world.slope), ("paddle", world.paddle)}
    assert seen == (
        {("ball", c) for c in range(24)}
        | {("slope", s) for s in (-1, 0, 1)}
        | {("paddle", p) for p in range(23)}
    )


def test_the_picture_is_the_screen() -> None:
    world = Catch()
    screen = world.reset(0)
    assert np.array_equal(world.render(), np.stack([screen[0]] * 3, axis=2))
