"""Scores of numbers and of rankings against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics

from samoyed.metrics import ranking, regression


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_numbers_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, answers = rng.normal(3, 2, 50), rng.normal(3, 2, 50)
    root = regression.root_mean_squared_error(truth, answers)
    assert root == pytest.approx(metrics.root_mean_squared_error(truth, answers))
    mean = regression.mean_absolute_error(truth, answers)
    assert mean == pytest.approx(metrics.mean_absolute_error(truth, answers))
    share = regression.r_squared(truth, answers)
    assert share == pytest.approx(metrics.r2_score(truth, answers))


@pytest.mark.parametrize("seed", range(5))
def test_area_under_the_curve_is_that_of_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    truth, scores = rng.integers(0, 2, 60), rng.integers(0, 8, 60) / 8
    found = ranking.roc_auc(truth, scores)
    assert found == pytest.approx(metrics.roc_auc_score(truth, scores))


def test_edges():
    ones = np.ones(3)
    assert regression.r_squared(ones, ones) == 1.0
    assert regression.r_squared(ones, 2 * ones) == 0.0
    same = np.full(3, -3.3)  # whose mean may be off in the last digit
    assert regression.r_squared(same, 2 * same) == 0.0
    assert math.isnan(ranking.roc_auc(ones, np.arange(3.0)))
    assert ranking.roc_auc(np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0])) == 1.0
