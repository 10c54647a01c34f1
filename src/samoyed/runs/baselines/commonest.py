"""Always the commonest class: the least that a classifier has to beat."""

from __future__ import annotations

from samoyed.core.reference import Score
from samoyed.metrics.intervals import wilson

COMMONEST = "always the commonest class"
"""Its name among the baselines."""


def accuracy(num_right: int, num: int) -> Score:
    """Return the share of right answers with its 95 % interval."""
    low, high = wilson(num_right, num)
    return Score("accuracy", num_right / num, low, high, num)
