"""Shallow models on the same table, measured on the same held-out rows.

What a network has to beat: always the commonest class, gradient-boosted trees, a random forest and
a linear model, all from scikit-learn with its own defaults except where a line below says
otherwise. Trees are given missing numbers as missing; the linear model gets categories as one-hot
vectors. Where all rows would take minutes, a random part is learned from and the name says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import TableSpec
from samoyed.data.table_rows import Rows
from samoyed.data.tables import TableData
from samoyed.runs.baselines.commonest import COMMONEST, accuracy

_BOOSTED_VALUES = 8_000_000  # rows x columns (x classes) that boosted trees learn from
_FOREST_VALUES = 4_000_000
_LINEAR_VALUES = 20_000_000
_MOST_BOOSTED_CATEGORIES = 255  # of one column: a limit of scikit-learn's histograms

Fit = Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""Targets of the training rows -> a function from inputs to answers."""


def measure(data: TableData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model and return the task's headline score of each.

    Args:
        data: encoded rows; `train` is learned from, `test` is held out.
        seed: of the forests, and of which part is learned from where it is not all.

    Returns:
        One (name, score) for each model.
    """
    from threadpoolctl import threadpool_limits

    found: list[tuple[str, Score]] = []
    if data.target.kind == "classes":
        truth = data.test.targets
        num_right = int((truth == np.bincount(data.train.targets).argmax()).sum())
        found.append((COMMONEST, accuracy(num_right, len(truth))))
    num_outputs = len(data.target.names) if data.target.kind == "classes" else 1
    for name, budget, is_one_hot, make in _models(data, seed):
        train, test = (_inputs(rows, data.spec, is_one_hot) for rows in (data.train, data.test))
        factor = num_outputs if name == "boosted trees" and num_outputs > 2 else 1
        limit = max(200, budget // (train.shape[1] * factor))
        rows = _part(len(train), limit, seed)
        label = name if len(rows) == len(train) else f"{name} ({len(rows):,} rows)"
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):
            warnings.simplefilter("ignore")  # the linear model may end before full convergence
            found.append((label, _score(data, make, train[rows], rows, test, seed)))
    return found


def _models(data: TableData, seed: int) -> list[tuple[str, int, bool, Callable[[], Any]]]:
    """Return name, budget of values, whether inputs are one-hot, and how to make each model."""
    from sklearn import ensemble, linear_model

    is_number = data.target.kind == "number"
    first = data.spec.width - len(data.spec.categories)
    few = [
        first + i for i, column in enumerate(data.spec.categories)
        if len(column.categories) < _MOST_BOOSTED_CATEGORIES
    ]  # fmt: skip

    def boosted() -> Any:
        kind = (
            ensemble.HistGradientBoostingRegressor if is_number
            else ensemble.HistGradientBoostingClassifier
        )  # fmt: skip
        return kind(categorical_features=few or None, random_state=seed)

    def forest() -> Any:
        kind = ensemble.RandomForestRegressor if is_number else ensemble.RandomForestClassifier
        return kind(n_jobs=1, random_state=seed)

    def linear() -> Any:
        return linear_model.RidgeCV() if is_number else linear_model.LogisticRegression(
            max_iter=200
        )  # fmt: skip

    name = "ridge regression" if is_number else "logistic regression"
    return [
        ("boosted trees", _BOOSTED_VALUES, False, boosted),
        ("random forest", _FOREST_VALUES, False, forest),
        (name, _LINEAR_VALUES, True, linear),
    ]


def _score(
    data: TableData, make: Callable[[], Any], inputs: np.ndarray, rows: np.ndarray,
    test: np.ndarray, seed: int,
) -> Score:  # fmt: skip
    """Fit on some rows and return the headline score on the held-out ones."""
    from samoyed.tasks.table_regress import number_scores
    from samoyed.tasks.table_several import several_scores

    targets, truth = data.train.targets[rows], data.test.targets
    if data.target.kind == "binaries":
        values = np.zeros(truth.shape)
        for t in range(truth.shape[1]):
            known = ~np.isnan(targets[:, t])
            if len(np.unique(targets[known, t])) > 1:
                model = make().fit(inputs[known], targets[known, t])
                values[:, t] = model.predict_proba(test)[:, 1]
        return several_scores(truth, values, data.target.columns, seed)[0]
    answers = make().fit(inputs, targets).predict(test)
    if data.target.kind == "number":
        return number_scores(truth, answers, seed)[0]
    return accuracy(int((answers == truth).sum()), len(truth))


def _inputs(rows: Rows, spec: TableSpec, is_one_hot: bool) -> np.ndarray:
    """Return (N, D): with missing numbers as NaN, or with categories as one-hot vectors."""
    num, end = len(spec.numbers), spec.width - len(spec.categories)
    if not is_one_hot:
        inputs = rows.inputs.copy()
        for flag, column in enumerate(spec.flagged, num):
            inputs[inputs[:, flag] > 0, spec.numbers.index(column)] = np.nan
        return inputs
    hot = [
        rows.inputs[:, end + i, None] == np.arange(len(column.categories) + 1)
        for i, column in enumerate(spec.categories)
    ]
    return np.concatenate([rows.inputs[:, :end], *hot], axis=1, dtype=np.float32)


def _part(num: int, limit: int, seed: int) -> np.ndarray:
    """Return `limit` random rows, or all."""
    if num <= limit:
        return np.arange(num)
    limit -= limit % 1000 if limit > 1000 else 0
    return np.sort(numpy_generator(seed, "baselines").permutation(num)[:limit])
