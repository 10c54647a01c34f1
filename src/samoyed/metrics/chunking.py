"""How well chunks are found: precision, recall and F1 as `conlleval` counts them.

Tjong Kim Sang, E. & Buchholz, S. (2000). Introduction to the CoNLL-2000 shared task: chunking. A
chunk is right when its type, its first and its last word are. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

Span = tuple[str, int, int]
"""(type, first word, word after the last)."""


def counts(truth: Iterable[Sequence[Span]], answers: Iterable[Sequence[Span]]) -> np.ndarray:
    """Return (N, 3) of each sentence: right chunks, answered ones, true ones.

    >>> counts([[("NP", 0, 2)]], [[("NP", 0, 2), ("VP", 2, 3)]]).tolist()
    [[1, 2, 1]]
    """
    rows = [
        (len(set(true) & set(answered)), len(answered), len(true))
        for true, answered in zip(truth, answers, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def f1(found: np.ndarray) -> float:
    """Return F1 of (N, 3) counts: the harmonic mean of precision and recall, 0 where nothing is.

    >>> round(f1(np.array([[1, 2, 1]])), 3)
    0.667
    """
    right, answered, true = found.sum(axis=0)
    return float(2 * right / (answered + true)) if answered + true else 0.0


def precision(found: np.ndarray) -> float:
    """Return which share of the answered chunks is right."""
    right, answered, _ = found.sum(axis=0)
    return float(right / answered) if answered else 0.0


def recall(found: np.ndarray) -> float:
    """Return which share of the true chunks is found."""
    right, _, true = found.sum(axis=0)
    return float(right / true) if true else 0.0
