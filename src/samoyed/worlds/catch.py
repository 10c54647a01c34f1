"""Catch: a ball falls, a paddle moves, 24 x 24 pixels. A whole pixel game in one small file.

Mnih, V., Heess, N., Graves, A. & Kavukcuoglu, K. (2014). Recurrent models of visual attention.
NIPS 27, section 4.2: a single-pixel ball falls from the top of a 24 x 24 screen and bounces off
its sides; a paddle two pixels wide at the bottom moves left, stays or moves right. When the ball
reaches the bottom the reward is 1 if it meets the paddle and 0 if not, and the game starts again.

The paper leaves open where ball and paddle start and how steeply the ball falls. Here both columns
are uniform, and in each row the ball moves -1, 0 or 1 columns, uniform and constant over the
episode up to its bounces. Pixels are 0 or 255. Every ball can be caught.
"""

from __future__ import annotations

import numpy as np

from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import WorldSpec
from samoyed.worlds.world import Step

SIZE = 24
PADDLE_WIDTH = 2
CATCH_SPEC = WorldSpec("catch", (1, SIZE, SIZE), True, 3, ("left", "stay", "right"))


class Catch:
    """The game of Catch; an episode is SIZE - 1 moves long."""

    def __init__(self) -> None:
        self.row = self.column = self.slope = self.paddle = 0

    @property
    def spec(self) -> WorldSpec:
        """Return what is seen and what can be done."""
        return CATCH_SPEC

    def reset(self, seed: int) -> np.ndarray:
        """Throw the ball of this seed and return the first screen, (1, 24, 24)."""
        generator = numpy_generator(seed, "catch")
        self.row = 0
        self.column = int(generator.integers(SIZE))
        self.slope = int(generator.integers(-1, 2))
        self.paddle = int(generator.integers(SIZE - PADDLE_WIDTH + 1))
        return self._screen()

    def step(self, action: int) -> Step:
        """Move the paddle by action - 1, then let the ball fall by one row."""
        self.paddle = min(max(self.paddle + action - 1, 0), SIZE - PADDLE_WIDTH)
        if not 0 <= self.column + self.slope < SIZE:
            self.slope = -self.slope
        self.column += self.slope
        self.row += 1
        is_down = self.row == SIZE - 1
        is_caught = is_down and self.paddle <= self.column < self.paddle + PADDLE_WIDTH
        return Step(self._screen(), float(is_caught), is_down, False)

    def render(self) -> np.ndarray:
        """Return the screen, (24, 24, 3)."""
        return np.repeat(self._screen()[0, :, :, None], 3, axis=2)

    def _screen(self) -> np.ndarray:
        screen = np.zeros(CATCH_SPEC.observation_shape, dtype=np.uint8)
        screen[0, SIZE - 1, self.paddle : self.paddle + PADDLE_WIDTH] = 255
        screen[0, self.row, self.column] = 255
        return screen
