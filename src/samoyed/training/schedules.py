"""How the learning rate moves over a stage: pure functions of the progress in [0, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from samoyed.core.stage import Recipe, constant


def cosine(progress: float, final: float = 0.0) -> float:
    """Fall from 1 to `final` along half a cosine (Loshchilov & Hutter 2017, eq. 5).

    >>> cosine(0.0), round(cosine(0.5), 3)
    (1.0, 0.5)
    """
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))


def linear(progress: float, final: float = 0.0) -> float:
    """Fall from 1 to `final` along a straight line."""
    return 1 - (1 - final) * progress


def with_warmup(progress: float, shape: Callable[[float], float], warmup: float) -> float:
    """Rise from 0 to 1 in the first `warmup` of the stage, then follow `shape`."""
    if progress < warmup:
        return max(progress, 1e-3) / warmup
    return shape((progress - warmup) / (1 - warmup)) if warmup < 1 else 1.0


def of(recipe: Recipe) -> Callable[[float], float]:
    """Return the recipe's schedule."""
    shape = {"constant": constant, "cosine": cosine, "linear": linear}[recipe.schedule]
    return partial(with_warmup, shape=shape, warmup=recipe.warmup) if recipe.warmup else shape
