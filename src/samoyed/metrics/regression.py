"""How far answered numbers are from right ones. Pure functions of numpy arrays, both (N,)."""

from __future__ import annotations

import numpy as np


def root_mean_squared_error(targets: np.ndarray, answers: np.ndarray) -> float:
    """Return the root of the mean squared distance, in the numbers' own unit.

    >>> round(root_mean_squared_error(np.array([0.0, 0.0]), np.array([3.0, 4.0])), 4)
    3.5355
    """
    return float(np.sqrt(np.mean(np.square(targets - answers))))


def mean_absolute_error(targets: np.ndarray, answers: np.ndarray) -> float:
    """Return the mean distance, in the numbers' own unit.

    >>> mean_absolute_error(np.array([0.0, 0.0]), np.array([3.0, -4.0]))
    3.5
    """
    return float(np.mean(np.abs(targets - answers)))


def r_squared(targets: np.ndarray, answers: np.ndarray) -> float:
    """Return which share of the variance is explained: 1 at best, 0 for answering the mean.

    Where the targets do not vary, 1 for perfect answers and 0 for others.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    0.0
    """
    rest = float(np.sum(np.square(targets - answers)))
    total = float(np.sum(np.square(targets - targets.mean())))
    if total == 0 or targets.min() == targets.max():  # a mean's last digit may be off
        return 1.0 if rest == 0 else 0.0
    return 1 - rest / total
