"""Classification scores against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from samoyed.metrics import classification as ours


@pytest.fixture(scope="module")
def drawn():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(5, 0.4), size=400)
    targets = np.where(
        generator.random(400) < 0.6, probabilities.argmax(axis=1), generator.integers(0, 5, 400)
    )
    return probabilities, targets


def test_scores_agree_with_scikit_learn(drawn):
    probabilities, targets = drawn
    answers = probabilities.argmax(axis=1)
    assert ours.accuracy(targets, answers) == oracle.accuracy_score(targets, answers)
    confusion = ours.confusion_matrix(targets, answers, 5)
    np.testing.assert_array_equal(confusion, oracle.confusion_matrix(targets, answers))
    precision, recall, f1, support = oracle.precision_recall_fscore_support(targets, answers)
    found = ours.per_class(confusion)
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    np.testing.assert_array_equal(found.support, support)
    expected = oracle.f1_score(targets, answers, average="macro")
    assert ours.macro_f1(confusion) == pytest.approx(expected)
    expected = oracle.log_loss(targets, probabilities, labels=range(5))
    assert ours.log_losses(probabilities, targets).mean() == pytest.approx(expected)


def test_the_perfect_answer_scores_one(drawn):
    _, targets = drawn
    confusion = ours.confusion_matrix(targets, targets, 5)
    assert ours.accuracy(targets, targets) == 1.0
    assert ours.macro_f1(confusion) == 1.0
    certain = np.eye(5)[targets]
    assert ours.calibration_error(certain, targets) == 0.0
    assert ours.log_losses(certain, targets).max() == 0.0


def test_classes_that_never_occur_do_not_divide_by_zero():
    confusion = ours.confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1]), 4)
    found = ours.per_class(confusion)
    np.testing.assert_allclose(found.precision, [1, 1, 0, 0])
    np.testing.assert_allclose(found.recall, [0.5, 1, 0, 0])
    # Class 3 is neither a target nor an answer, so that it does not count.
    assert ours.macro_f1(confusion) == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_calibration_error_by_hand():
    # Two bins: 0.6 said four times and right twice, 0.9 said once and right.
    probabilities = np.array([[0.6, 0.4]] * 4 + [[0.9, 0.1]])
    targets = np.array([0, 0, 1, 1, 0])
    expected = (4 * abs(0.5 - 0.6) + 1 * abs(1.0 - 0.9)) / 5
    assert ours.calibration_error(probabilities, targets) == pytest.approx(expected)
    curve = ours.reliability(probabilities, targets, num_bins=10)
    assert curve.num.tolist() == [0, 0, 0, 0, 0, 4, 0, 0, 1, 0]
    assert curve.accuracy[5] == 0.5
    assert np.isnan(curve.accuracy[0])


def test_a_model_as_often_right_as_it_says_is_calibrated():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.5, 1.0, 200_000)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    honest = (generator.random(200_000) > confidence).astype(int)
    assert ours.calibration_error(probabilities, honest) < 0.01
    boaster = (generator.random(200_000) > 0.5).astype(int)
    assert ours.calibration_error(probabilities, boaster) == pytest.approx(0.25, abs=0.01)


def test_an_impossible_truth_costs_a_finite_price():
    assert ours.log_losses(np.array([[1.0, 0.0]]), np.array([1]))[0] == pytest.approx(100.0)
