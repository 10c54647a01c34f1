"""How good answers are where an example has any number of K labels. Pure numpy functions.

`targets` is (N, K): 1 has the label, 0 has not, NaN is not known and counts nowhere. `chances` is
(N, K), the probability of each label.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

THRESHOLD = 0.5  # chance above which a label is answered


class LabelCounts(NamedTuple):
    """Answers of each label, all (..., K).

    Args:
        right: has it, and it was answered.
        invented: has it not, and it was answered.
        missed: has it, and it was not answered.
    """

    right: np.ndarray
    invented: np.ndarray
    missed: np.ndarray

    @property
    def f1(self) -> np.ndarray:
        """Return the harmonic mean of precision and recall of each label; 0 where both are."""
        return _ratio(2 * self.right, 2 * self.right + self.invented + self.missed)

    @property
    def precision(self) -> np.ndarray:
        """Return which share of a label's answers are right."""
        return _ratio(self.right, self.right + self.invented)

    @property
    def recall(self) -> np.ndarray:
        """Return which share of those that have a label it was answered for."""
        return _ratio(self.right, self.right + self.missed)

    @property
    def micro_f1(self) -> float:
        """Return the F1 of all labels' decisions together."""
        right, invented, missed = (float(np.sum(each)) for each in self)
        return 2 * right / max(1.0, 2 * right + invented + missed)

    @property
    def macro_f1(self) -> float:
        """Return the mean F1 over the labels that occur, as truth or as answer."""
        occurs = (self.right + self.invented + self.missed) > 0
        return float(self.f1[occurs].mean()) if occurs.any() else 0.0


def decisions(targets: np.ndarray, chances: np.ndarray) -> LabelCounts:
    """Return what came of each decision: three (N, K) arrays of 0 and 1."""
    answered = chances > THRESHOLD
    has, has_not = targets > 0.5, targets < 0.5  # neither where it is NaN
    return LabelCounts(*(np.asarray(each, np.float64) for each in (
        has & answered, has_not & answered, has & ~answered,
    )))  # fmt: skip


def label_counts(targets: np.ndarray, chances: np.ndarray) -> LabelCounts:
    """Return the sums of `decisions` over the examples, each (K,).

    >>> found = label_counts(np.array([[1, 0], [1, 1]]), np.array([[0.9, 0.6], [0.2, 0.7]]))
    >>> found.right.tolist(), found.invented.tolist(), found.missed.tolist()
    ([1.0, 1.0], [0.0, 1.0], [1.0, 0.0])
    """
    return LabelCounts(*(each.sum(axis=0) for each in decisions(targets, chances)))


def average_precisions(
    targets: np.ndarray, chances: np.ndarray
) -> Callable[[np.ndarray | None], np.ndarray]:
    """Return a function from weights of the examples, or None, to each label's average precision.

    Manning, C. D., Raghavan, P. & Schütze, H. (2008). Introduction to Information Retrieval,
    section 8.4: the mean, over those that have the label, of the precision among all that are
    ranked as high or higher. Examples with the same chance share a rank. NaN where no example has
    the label.

    >>> average_precisions(np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.7]]))(None)
    array([0.83333333])
    """
    order = np.argsort(-chances, axis=0, kind="stable")
    ranked = np.take_along_axis(chances, order, axis=0)
    truths = np.take_along_axis(targets, order, axis=0)
    is_known, has = ~np.isnan(truths), np.nan_to_num(truths) > 0.5
    places = np.arange(len(chances))[:, None]
    is_last = np.ones_like(is_known)
    is_last[:-1] = ranked[1:] != ranked[:-1]
    ends = np.where(is_last, places, len(chances))
    ends = np.minimum.accumulate(ends[::-1], axis=0)[::-1]  # the last place of each rank

    def measure(weights: np.ndarray | None = None) -> np.ndarray:
        each = is_known.astype(np.float64) if weights is None else weights[order] * is_known
        found = each * has
        precision = _ratio(np.cumsum(found, axis=0), np.cumsum(each, axis=0))
        sums = (found * np.take_along_axis(precision, ends, axis=0)).sum(axis=0)
        num = found.sum(axis=0)
        return np.where(num > 0, sums / np.maximum(num, 1e-12), np.nan)

    return measure


def binary_losses(targets: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return (N,): minus the logarithm of the truth's probability, the mean over known labels."""
    least = np.exp(-100.0)
    losses = -np.where(
        targets > 0.5, np.log(np.maximum(chances, least)), np.log(np.maximum(1 - chances, least))
    )
    is_known = ~np.isnan(targets)
    return np.where(is_known, losses, 0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; 0 where the denominator is 0."""
    return np.divide(
        numerator, denominator, out=np.zeros(np.shape(numerator)), where=denominator > 0
    )
