import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, log_loss

from samoyed.metrics import labelling


def drawn(seed: int, num: int = 200, num_labels: int = 5, decimals: int = 1):
    rng = np.random.default_rng(seed)
    targets = (rng.random((num, num_labels)) < rng.uniform(0.1, 0.6, num_labels)).astype(float)
    chances = np.round(np.clip(targets * 0.3 + rng.random(targets.shape) * 0.7, 0, 1), decimals)
    return targets, chances


@pytest.mark.parametrize("decimals", [1, 6])  # with many ties, and without
def test_average_precision_is_that_of_scikit_learn(decimals):
    targets, chances = drawn(0, decimals=decimals)
    found = labelling.average_precisions(targets, chances)(None)
    oracle = [average_precision_score(t, c) for t, c in zip(targets.T, chances.T, strict=True)]
    np.testing.assert_allclose(found, oracle)


def test_weights_count_as_copies():
    targets, chances = drawn(1, num=40)
    rows = np.random.default_rng(2).integers(0, 40, 40)
    weights = np.bincount(rows, minlength=40).astype(float)
    found = labelling.average_precisions(targets, chances)(weights)
    copied = labelling.average_precisions(targets[rows], chances[rows])(None)
    np.testing.assert_allclose(found, copied)


def test_unknown_answers_count_nowhere():
    targets, chances = drawn(3)
    targets[::3, 1] = np.nan
    known = ~np.isnan(targets[:, 1])
    found = labelling.average_precisions(targets, chances)(None)[1]
    assert found == pytest.approx(average_precision_score(targets[known, 1], chances[known, 1]))
    counts = labelling.label_counts(targets, chances)
    assert counts.f1[1] == pytest.approx(f1_score(targets[known, 1], chances[known, 1] > 0.5))
    losses = labelling.binary_losses(targets, chances.clip(0.01, 0.99))
    assert losses[0] == pytest.approx(np.mean([
        log_loss([t], [c], labels=[0, 1])
        for t, c in zip(targets[0], chances[0].clip(0.01, 0.99), strict=True) if t == t
    ]))  # fmt: skip


def test_a_label_nobody_has_has_no_average_precision():
    targets, chances = drawn(4)
    targets[:, 2] = 0
    assert np.isnan(labelling.average_precisions(targets, chances)(None)[2])
    assert np.isfinite(labelling.average_precisions(targets, chances)(None)[[0, 1, 3, 4]]).all()


def test_f1_is_that_of_scikit_learn():
    targets, chances = drawn(5)
    counts = labelling.label_counts(targets, chances)
    answers = chances > 0.5
    assert counts.macro_f1 == pytest.approx(f1_score(targets, answers, average="macro"))
    assert counts.micro_f1 == pytest.approx(f1_score(targets, answers, average="micro"))
    np.testing.assert_allclose(counts.f1, f1_score(targets, answers, average=None))
