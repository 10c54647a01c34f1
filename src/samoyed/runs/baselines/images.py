"""Shallow models on the pixels themselves, measured on the same held-out pictures.

What a deep model has to beat: always the commonest class, a linear model, the nearest neighbours,
and for small data a support vector machine with a Gaussian kernel, all from scikit-learn with its
own defaults except where a line below says otherwise. Large pictures are scaled down to 32 pixels;
where even that is more than a few seconds can hold, a random part of the examples is learned from
and the name says so.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.data.cache import is_mapped
from samoyed.data.images import ImageData
from samoyed.runs.baselines import image_labels
from samoyed.runs.baselines.commonest import COMMONEST, accuracy
from samoyed.runs.baselines.pixels import part_of, pixels, pixels_of, scaled_in_place

_LINEAR_VALUES = 50_000_000  # examples x pixels that a linear model learns from
_LINEAR_VALUES_OF_LARGE = 25_000_000  # the same, of pictures that may not fit in memory
_PAIR_VALUES = 80_000_000_000  # examples x held out x pixels that are compared
_STRENGTHS = (1e-3, 3e-2, 1.0)  # scikit-learn's C: the inverse of the weight decay
_TRIAL_EXAMPLES = 5_000  # on which the strength is chosen
_SVM_EXAMPLES = 5_000
_SVM_WIDTH = 100  # numbers per example, more are projected on principal components
_NUM_NEIGHBOURS = 5
_CHUNK_ROWS = 1024


def measure(data: ImageData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model and return its accuracy with Wilson's interval.

    Args:
        data: decoded pictures; `train` is learned from, `test` is held out.
        seed: which part is learned from where it is not all.

    Returns:
        One (name, accuracy) for each model; of lists of labels, the mean average precision.
    """
    if data.train.labels.ndim == 2:
        return image_labels.measure(data, seed)
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    num, width = len(data.train), pixels_of(data.train)
    pairs = _PAIR_VALUES // (width * max(1, len(data.test)))
    values = _LINEAR_VALUES_OF_LARGE if is_mapped(data.train.images) else _LINEAR_VALUES
    linear = _linear(data, seed)
    neighbours = KNeighborsClassifier(min(_NUM_NEIGHBOURS, num), algorithm="brute")
    models: list[tuple[str, Any, int]] = [
        ("logistic regression", linear, values // width),
        (f"{neighbours.n_neighbors} nearest neighbours", neighbours, pairs),
    ]
    if num <= _SVM_EXAMPLES:
        name, machine = "support vector machine, Gaussian kernel", SVC()
        if width > _SVM_WIDTH:
            few = PCA(min(_SVM_WIDTH, num), svd_solver="randomized", random_state=seed)
            name += f", on {few.n_components} principal components"
            machine = make_pipeline(few, machine)
        models.append((name, machine, num))
    num_commonest = int((data.test.labels == np.bincount(data.train.labels).argmax()).sum())
    scores = [(COMMONEST, accuracy(num_commonest, len(data.test)))]
    for name, model, limit in models:
        rows = part_of(data.train.labels, max(1, limit), seed)
        label = name if len(rows) == num else f"{name} ({len(rows):,} examples)"
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):  # threads cost more here
            warnings.simplefilter("ignore")  # fifty steps may end before full convergence
            model.fit(pixels(data.train, rows), data.train.labels[rows])
            num_right = _num_right(model, data)
        scores.append((label, accuracy(num_right, len(data.test))))
    return scores


def _num_right(model: Any, data: ImageData) -> int:
    """Count right answers on the held-out pictures, a part of them at a time."""
    count = 0
    for first in range(0, len(data.test), _CHUNK_ROWS):
        rows = np.arange(first, min(len(data.test), first + _CHUNK_ROWS))
        count += int((model.predict(pixels(data.test, rows)) == data.test.labels[rows]).sum())
    return count


class Linear:
    """Logistic regression on columns of mean 0 and variance 1; what it is given is changed.

    Args:
        strength: scikit-learn's C.
    """

    def __init__(self, strength: float) -> None:
        from sklearn.linear_model import LogisticRegression

        self.model = LogisticRegression(C=strength, max_iter=50)
        self.scaler: Any = None

    def fit(self, inputs: np.ndarray, labels: np.ndarray) -> Linear:
        """Learn from (N, D) inputs of (N,) classes."""
        self.scaler = scaled_in_place(inputs)
        self.model.fit(inputs, labels)
        return self

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return (N,) classes."""
        return self.model.predict(self.scaler.transform(inputs))


def _linear(data: ImageData, seed: int) -> Any:
    """Return a linear model with the strength that does best on a fifth of the training data."""
    from threadpoolctl import threadpool_limits

    labels = data.train.labels
    rows = part_of(labels, _TRIAL_EXAMPLES, seed)
    rows = numpy_generator(seed, "baselines", "trial").permutation(rows)
    check, fit = np.split(rows, [max(1, len(rows) // 5)])
    if len(np.unique(labels[fit])) < 2:
        return Linear(1.0)
    scores = []
    inputs, checked = pixels(data.train, fit), pixels(data.train, check)
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")
        for strength in _STRENGTHS:
            trial = Linear(strength).fit(inputs.copy(), labels[fit])
            scores.append(float((trial.predict(checked.copy()) == labels[check]).mean()))
    return Linear(_STRENGTHS[int(np.argmax(scores))])
