"""What the data is: small frozen descriptions that travel from the reader to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OnBad = Literal["stop", "skip"]
"""What to do with a bad file."""


@dataclass(frozen=True)
class ImageSpec:
    """Pictures of one size: `channels` x `height` x `width`, 8 bits a value."""

    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (channels, height, width)."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class LabelSpec:
    """The classes, in the order of the model's outputs."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class TextSpec:
    """The units a text is made of: here single characters, in the order of the model's outputs."""

    symbols: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.symbols)


@dataclass(frozen=True)
class WorldSpec:
    """A world that is played: what is seen in one step and what can be done.

    Args:
        name: Gymnasium id or the name of a built-in world.
        observation_shape: shape of one observation: (D,) numbers or (C, H, W) pixels.
        is_pixels: whether observations are 8-bit pixels.
        num_actions: how many discrete actions there are.
        action_names: one name per action.
    """

    name: str
    observation_shape: tuple[int, ...]
    is_pixels: bool
    num_actions: int
    action_names: tuple[str, ...]
