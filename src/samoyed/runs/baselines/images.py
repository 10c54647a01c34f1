"""Shallow models on the pixels themselves, measured on the same held-out pictures.

What a deep model has to beat: a linear model, the nearest neighbours, and for small data a support
vector machine with a Gaussian kernel, all from scikit-learn with its own defaults except where a
line below says otherwise. Large pictures are scaled down to 32 pixels; where even that is more
than a few seconds can hold, a random part of the examples is learned from and the name says so.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec
from samoyed.data.image_resample import fit_arrays
from samoyed.data.images import ImageData, Pictures
from samoyed.metrics.intervals import wilson

_SIDE = 32  # pixels
_LINEAR_VALUES = 50_000_000  # examples x pixels that a linear model learns from
_PAIR_VALUES = 80_000_000_000  # examples x held out x pixels that are compared
_STRENGTHS = (1e-3, 3e-2, 1.0)  # scikit-learn's C: the inverse of the weight decay
_TRIAL_EXAMPLES = 5_000  # on which the strength is chosen
_SVM_EXAMPLES = 5_000
_SVM_WIDTH = 100  # numbers per example, more are projected on principal components
_NUM_NEIGHBOURS = 5
_CHUNK_ROWS = 4096


def measure(data: ImageData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model and return its accuracy with Wilson's interval.

    Args:
        data: decoded pictures; `train` is learned from, `test` is held out.
        seed: which part is learned from where it is not all.

    Returns:
        One (name, accuracy) for each model.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    inputs, held_out = _pixels(data.train), _pixels(data.test)
    num, width = inputs.shape
    pairs = _PAIR_VALUES // (width * max(1, len(held_out)))
    linear = _linear(inputs, data.train.labels, seed)
    neighbours = KNeighborsClassifier(min(_NUM_NEIGHBOURS, num), algorithm="brute")
    models: list[tuple[str, Any, int]] = [
        ("logistic regression", linear, _LINEAR_VALUES // width),
        (f"{neighbours.n_neighbors} nearest neighbours", neighbours, pairs),
    ]
    if num <= _SVM_EXAMPLES:
        name, machine = "support vector machine, Gaussian kernel", SVC()
        if width > _SVM_WIDTH:
            few = PCA(min(_SVM_WIDTH, num), svd_solver="randomized", random_state=seed)
            name += f", on {few.n_components} principal components"
            machine = make_pipeline(few, machine)
        models.append((name, machine, num))
    scores = []
    for name, model, limit in models:
        rows = _part(data.train.labels, max(1, limit), seed)
        label = name if len(rows) == num else f"{name} ({len(rows):,} examples)"
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):  # threads cost more here
            warnings.simplefilter("ignore")  # fifty steps may end before full convergence
            model.fit(inputs[rows], data.train.labels[rows])
            is_right = model.predict(held_out) == data.test.labels
        scores.append((label, accuracy(int(is_right.sum()), len(is_right))))
    return scores


def _linear(inputs: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """Return a linear model with the strength that does best on a fifth of the training data."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    def model(strength: float) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=50))

    rows = _part(labels, _TRIAL_EXAMPLES, seed)
    rows = numpy_generator(seed, "baselines", "trial").permutation(rows)
    check, fit = np.split(rows, [max(1, len(rows) // 5)])
    if len(np.unique(labels[fit])) < 2:
        return model(1.0)
    scores = []
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")
        for strength in _STRENGTHS:
            trial = model(strength).fit(inputs[fit], labels[fit])
            scores.append(trial.score(inputs[check], labels[check]))
    return model(_STRENGTHS[int(np.argmax(scores))])


def accuracy(num_right: int, num: int) -> Score:
    """Return the share of right answers with its 95 % interval."""
    low, high = wilson(num_right, num)
    return Score("accuracy", num_right / num, low, high, num)


def _pixels(pictures: Pictures) -> np.ndarray:
    """Return (N, D) float32 in [0, 1], longer side at most 32 pixels."""
    channels, height, width = pictures.images.shape[1:]
    factor = min(1.0, _SIDE / max(height, width))
    size = ImageSpec(channels, max(1, round(height * factor)), max(1, round(width * factor)))
    flat = np.empty((len(pictures), int(np.prod(size.shape))), np.float32)
    for first in range(0, len(pictures), _CHUNK_ROWS):
        rows = slice(first, first + _CHUNK_ROWS)
        fitted = fit_arrays(pictures.images[rows], size)
        flat[rows] = fitted.reshape(len(fitted), -1) / np.float32(255)
    return flat


def _part(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Return `limit` random rows with every class among them, or all rows."""
    if len(labels) <= limit:
        return np.arange(len(labels))
    limit -= limit % 1000 if limit > 1000 else 0
    order = numpy_generator(seed, "baselines").permutation(len(labels))
    firsts = np.unique(labels[order], return_index=True)[1]
    is_first = np.zeros(len(labels), bool)
    is_first[firsts] = True
    chosen = np.concatenate([order[is_first], order[~is_first]])[: max(limit, len(firsts))]
    return np.sort(chosen)
