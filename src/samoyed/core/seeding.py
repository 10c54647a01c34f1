"""Random numbers as a pure function of (seed, where we are), so that nothing has to be saved."""

from __future__ import annotations

import numpy as np
import torch

_MASK = (1 << 64) - 1


def derive_seed(seed: int, *path: int | str) -> int:
    """Mix a seed with a path of numbers and names into 63 bits (splitmix64).

    >>> derive_seed(0, "stage", 1) == derive_seed(0, "stage", 1)
    True
    >>> derive_seed(0, 1, 2) == derive_seed(0, 2, 1)
    False
    """
    state = 0
    for part in (seed, *path):
        number = (
            int.from_bytes(part.encode("utf-8", "surrogatepass"), "little")
            if isinstance(part, str)
            else part
        )
        while True:
            state = (state + 0x9E3779B97F4A7C15 + (number & _MASK)) & _MASK
            state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
            state ^= state >> 31
            number >>= 64
            if number <= 0:
                break
    return state >> 1


def torch_generator(seed: int, *path: int | str) -> torch.Generator:
    """Return a torch generator for this place."""
    return torch.Generator().manual_seed(derive_seed(seed, *path))


def numpy_generator(seed: int, *path: int | str) -> np.random.Generator:
    """Return a numpy generator for this place."""
    return np.random.Generator(np.random.Philox(derive_seed(seed, *path)))


def seed_everything(seed: int, *path: int | str) -> None:
    """Seed torch's global generators (dropout, initialisation) for this place.

    Only the devices in use are seeded: torch's own `manual_seed` looks for all of them each time,
    which takes a hundred times as long.
    """
    number = derive_seed(seed, *path)
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
