"""Preprocessing of Atari 2600 frames: the map from 210 x 160 screens to 84 x 84 observations.

Mnih et al. (2015), Methods, "Preprocessing" and "Training details": the action is repeated over
four frames; each pixel is the maximum over the last two of them (sprites flicker); luminance;
84 x 84; up to 30 actions of doing nothing at the start. Stacking the last four observations is
left to the replay memory, which then stores each frame once.

Byte for byte what `gymnasium.wrappers.AtariPreprocessing` gives: the maximum is taken after the
luminance (the paper: before), and the picture shrinks by averaging areas (the paper only says
"rescale"). After a game that ends within the four frames, the maximum is over the latest
frames that were kept, as there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from samoyed.core.spec import WorldSpec
from samoyed.worlds.world import Step

SCREEN_SIZE = 84
FRAME_SKIP = 4
MAX_NO_OPS = 30
NO_OP = 0
MAX_MOVES = 27_000  # 30 minutes of play at 60 frames a second


def luminance(frame: np.ndarray) -> np.ndarray:
    """Turn (H, W, 3) colours into (H, W) grey levels (ITU-R BT.601); grey frames pass through."""
    if frame.ndim == 2:
        return frame
    weights = np.array([0.2989, 0.5870, 0.1140])
    return np.rint(frame.astype(np.float64) @ weights).astype(np.uint8)


def area_weights(num_in: int, num_out: int) -> np.ndarray:
    """Return the (num_out, num_in) matrix that averages equal stretches of the input.

    >>> area_weights(3, 2).round(2).tolist()
    [[0.67, 0.33, 0.0], [0.0, 0.33, 0.67]]
    """
    scale = num_in / num_out
    edges = np.arange(num_out + 1) * scale
    starts, stops = edges[:-1, None], edges[1:, None]
    cells = np.arange(num_in)[None]
    overlap = np.minimum(stops, cells + 1) - np.maximum(starts, cells)
    return np.clip(overlap, 0, None) / scale


class AtariWorld:
    """An Atari game as the deep Q-network sees it.

    Args:
        name: the id of the game.
        env: a Gymnasium environment that shows (H, W) or (H, W, 3) uint8 frames, one per step.
        action_names: the names of its actions; the first does nothing.
        max_no_ops: how many times at most to do nothing at the start.
        frame_skip: over how many frames an action is repeated.
        size: height and width of the observations.
    """

    def __init__(
        self,
        name: str,
        env: Any,
        action_names: tuple[str, ...],
        *,
        max_no_ops: int = MAX_NO_OPS,
        frame_skip: int = FRAME_SKIP,
        size: int = SCREEN_SIZE,
    ) -> None:
        self.env = env
        self.max_no_ops = max_no_ops
        self.frame_skip = frame_skip
        height, width = env.observation_space.shape[:2]
        self.rows = area_weights(height, size).astype(np.float32)
        self.columns = area_weights(width, size).astype(np.float32).T
        self.frames = np.zeros((2, height, width), dtype=np.uint8)
        self.num_moves = 0
        self.spec = WorldSpec(name, (1, size, size), True, len(action_names), action_names)

    def reset(self, seed: int) -> np.ndarray:
        """Begin a game, doing nothing for a number of frames that the seed decides."""
        frame, _ = self.env.reset(seed=seed)
        num_no_ops = 0
        if self.max_no_ops > 0:
            num_no_ops = int(self.env.unwrapped.np_random.integers(1, self.max_no_ops + 1))
        for _ in range(num_no_ops):
            frame, _, is_terminal, is_truncated, _ = self.env.step(NO_OP)
            if is_terminal or is_truncated:
                frame, _ = self.env.reset(seed=seed)
        self.frames[0] = luminance(frame)
        self.frames[1] = 0
        self.num_moves = 0
        return self._observe()

    def step(self, action: int) -> Step:
        """Repeat the action over `frame_skip` frames and add up the rewards."""
        earned = 0.0
        is_terminal = is_truncated = False
        for frame_index in range(self.frame_skip):
            frame, reward, is_terminal, is_truncated, _ = self.env.step(action)
            earned += float(reward)
            if is_terminal or is_truncated:
                break
            if frame_index == self.frame_skip - 2:
                self.frames[1] = luminance(frame)
            elif frame_index == self.frame_skip - 1:
                self.frames[0] = luminance(frame)
        self.num_moves += 1
        is_late = self.num_moves >= MAX_MOVES
        return Step(self._observe(), earned, bool(is_terminal), bool(is_truncated) or is_late)

    def render(self) -> np.ndarray:
        """Return the newest frame, (H, W, 3)."""
        return np.repeat(self.frames.max(axis=0)[:, :, None], 3, axis=2)

    def _observe(self) -> np.ndarray:
        """Return the maximum of the two newest frames, made small: (1, size, size)."""
        newest = self.frames.max(axis=0) if self.frame_skip > 1 else self.frames[0]
        small = self.rows @ newest.astype(np.float32) @ self.columns
        return np.rint(small).astype(np.uint8)[None]
