"""Shallow models of lists of labels, on the pixels, measured on the same held-out pictures.

A linear model for each label, and the labels of the nearest neighbours; both from scikit-learn with
its own defaults except where a line below says otherwise.
"""

from __future__ import annotations

import warnings

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.images import ImageData
from samoyed.runs.baselines.pixels import part_of, pixels, pixels_of
from samoyed.tasks.classify_labels import label_scores

_LINEAR_VALUES = 10_000_000  # examples x pixels x labels / 10 that linear models learn from
_NEIGHBOUR_ROWS = 10_000
_NUM_NEIGHBOURS = 10
_CHUNK_ROWS = 1024


def measure(data: ImageData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model and return its mean average precision with its interval.

    Args:
        data: decoded pictures with (N, K) labels.
        seed: which part is learned from where it is not all.
    """
    num, width = len(data.train), pixels_of(data.train)
    labels = np.nan_to_num(data.train.labels) > 0.5
    held_out = data.test.labels
    shares = np.broadcast_to(labels.mean(axis=0), held_out.shape)
    found = [("always the shares of the labels", label_scores(held_out, shares, seed)[0])]
    budget = _LINEAR_VALUES * 10 // (width * max(10, labels.shape[1]))
    for name, limit, fit in (
        ("a logistic regression for each label", budget, _linear),
        (f"{_NUM_NEIGHBOURS} nearest neighbours", _NEIGHBOUR_ROWS, _neighbours),
    ):
        rows = part_of(np.zeros(num, np.int64), max(1, limit), seed)
        chances = fit(pixels(data.train, rows), labels[rows], data)
        label = name if len(rows) == num else f"{name} ({len(rows):,} examples)"
        found.append((label, label_scores(held_out, chances, seed)[0]))
    return found


def _linear(inputs: np.ndarray, labels: np.ndarray, data: ImageData) -> np.ndarray:
    """Return the chances that a linear model for each label gives the held-out pictures."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    chances = np.empty(data.test.labels.shape)
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")  # fifty steps may end before full convergence
        scaler = StandardScaler().fit(inputs)
        scaled = scaler.transform(inputs)
        models = []
        for k in range(labels.shape[1]):
            if 0 < labels[:, k].sum() < len(labels):
                model = LogisticRegression(C=1e-3, max_iter=50).fit(scaled, labels[:, k])
                models.append((k, make_pipeline(scaler, model)))
            chances[:, k] = labels[:, k].mean()
        for first in range(0, len(data.test), _CHUNK_ROWS):
            rows = np.arange(first, min(len(data.test), first + _CHUNK_ROWS))
            some = pixels(data.test, rows)
            for k, model in models:
                chances[rows, k] = model.predict_proba(some)[:, 1]
    return chances


def _neighbours(inputs: np.ndarray, labels: np.ndarray, data: ImageData) -> np.ndarray:
    """Return which share of a held-out picture's neighbours have each label."""
    from sklearn.neighbors import NearestNeighbors

    num = min(_NUM_NEIGHBOURS, len(inputs))
    finder = NearestNeighbors(n_neighbors=num, algorithm="brute").fit(inputs)
    pieces = []
    for first in range(0, len(data.test), _CHUNK_ROWS):
        rows = np.arange(first, min(len(data.test), first + _CHUNK_ROWS))
        nearest = finder.kneighbors(pixels(data.test, rows), return_distance=False)
        pieces.append(labels[nearest].mean(axis=1))
    return np.concatenate(pieces)
