"""How well scores rank the examples that are over those that are not. Pure numpy functions."""

from __future__ import annotations

import math

import numpy as np


def roc_auc(targets: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the receiver operating characteristic.

    Hanley, J. A. & McNeil, B. J. (1982). The meaning and use of the area under a ROC curve.
    Radiology 143, 29-36: the chance that a random positive has a higher score than a random
    negative, ties counted half; from the sum of ranks.

    Args:
        targets: (N,) 0 or 1.
        scores: (N,) higher for more likely 1.

    Returns:
        A number in [0, 1], or NaN where one of the two is absent.

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    is_positive = np.asarray(targets) > 0.5
    num_positive = int(is_positive.sum())
    num_negative = len(is_positive) - num_positive
    if num_positive == 0 or num_negative == 0:
        return math.nan
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of each group of ties, from 1
    total = float(ranks[inverse][is_positive].sum())
    return (total - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative)
