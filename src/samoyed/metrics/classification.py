"""How good answers of one class out of K are. Pure functions of numpy arrays.

N examples, K classes. `targets` and `answers` are (N,) integers in [0, K); `probabilities` is
(N, K) with rows that sum to 1. The rows of a confusion matrix are true classes, its columns
answers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ClassScores(NamedTuple):
    """How well each class is recognised, all (K,).

    Args:
        precision: of the examples answered k, the share that are k; 0 where k was never answered.
        recall: of the examples that are k, the share answered k; 0 where there are none.
        f1: harmonic mean of the two; 0 where both are.
        support: how many examples are k.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


class Reliability(NamedTuple):
    """Confidence against accuracy, bin by bin, all (B,); NaN where a bin is empty.

    Args:
        confidence: mean probability of the answers in the bin.
        accuracy: share of them that is right.
        num: how many there are.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    num: np.ndarray


def accuracy(targets: np.ndarray, answers: np.ndarray) -> float:
    """Return the share of right answers.

    >>> accuracy(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]))
    0.75
    """
    return float(np.mean(targets == answers))


def confusion_matrix(targets: np.ndarray, answers: np.ndarray, num_classes: int) -> np.ndarray:
    """Count (K, K): how often true class r was answered c.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    pairs = np.asarray(targets, dtype=np.int64) * num_classes + np.asarray(answers)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def per_class(confusion: np.ndarray) -> ClassScores:
    """Return precision, recall and F1 of each class from a confusion matrix (K, K)."""
    right = np.diag(confusion).astype(np.float64)
    answered, support = confusion.sum(axis=0), confusion.sum(axis=1)
    precision = _ratio(right, answered)
    recall = _ratio(right, support)
    return ClassScores(precision, recall, _ratio(2 * right, answered + support), support)


def macro_f1(confusion: np.ndarray) -> float:
    """Return the mean F1 over the classes that occur, as a true class or as an answer."""
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    return float(per_class(confusion).f1[occurs].mean()) if occurs.any() else 0.0


def log_losses(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return (N,): minus the natural logarithm of the true class's probability, at most 100."""
    chosen = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    return -np.log(np.maximum(chosen, np.exp(-100.0)))


def reliability(probabilities: np.ndarray, targets: np.ndarray, num_bins: int = 15) -> Reliability:
    """Group the answers by confidence into bins of equal width.

    Guo, C., Pleiss, G., Sun, Y. & Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML, section 2: bin m holds confidences in ((m - 1) / M, m / M].
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == targets
    bins = np.clip(np.ceil(confidences * num_bins).astype(int) - 1, 0, num_bins - 1)
    num = np.bincount(bins, minlength=num_bins)
    filled = np.where(num > 0, num, np.nan)
    return Reliability(
        np.bincount(bins, weights=confidences, minlength=num_bins) / filled,
        np.bincount(bins, weights=is_right, minlength=num_bins) / filled,
        num,
    )


def calibration_error(probabilities: np.ndarray, targets: np.ndarray, num_bins: int = 15) -> float:
    """Return the expected calibration error (Guo et al. 2017, eq. 3).

    The mean distance between confidence and accuracy over the bins, weighted by their sizes:
    0 for a model that is right as often as it says.
    """
    curve = reliability(probabilities, targets, num_bins)
    distance = np.nan_to_num(np.abs(curve.accuracy - curve.confidence))
    return float((distance * curve.num).sum() / max(1, curve.num.sum()))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
