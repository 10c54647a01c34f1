import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data.images import ImageData, Pictures
from samoyed.metrics.intervals import bootstrap, wilson
from samoyed.runs.baselines import images as baselines
from samoyed.runs.baselines.pixels import part_of, pixels, pixels_of


def digits(num: int = 600) -> ImageData:
    bunch = load_digits()
    images = np.rint(bunch.images[:num, None] * (255 / 16)).astype(np.uint8)
    labels = bunch.target[:num].astype(np.int64)
    names = [str(i) for i in range(num)]
    cut = num - 150
    return ImageData(
        ImageSpec(1, 8, 8), LabelSpec(tuple("0123456789")),
        Pictures(images[:cut], labels[:cut], names[:cut]),
        Pictures(images[cut:], labels[cut:], names[cut:]),
    )  # fmt: skip


def test_shallow_models_on_digits():
    data = digits()
    scores = dict(baselines.measure(data))
    always = scores.pop("always the commonest class")
    commonest = np.bincount(data.train.labels).argmax()
    assert always.value == pytest.approx(np.mean(data.test.labels == commonest))
    assert list(scores) == [
        "logistic regression", "5 nearest neighbours", "support vector machine, Gaussian kernel",
    ]  # fmt: skip
    flat = [split.images.reshape(len(split), -1) / 255 for split in (data.train, data.test)]
    oracle = KNeighborsClassifier(5).fit(flat[0], data.train.labels)
    right = oracle.predict(flat[1]) == data.test.labels
    assert scores["5 nearest neighbours"].value == pytest.approx(right.mean())
    linear = LogisticRegression(max_iter=1000).fit(flat[0], data.train.labels)
    assert abs(scores["logistic regression"].value - linear.score(flat[1], data.test.labels)) < 0.04
    for score in scores.values():
        assert (score.low, score.high) == wilson(score.value * 150, 150)
        assert score.num == 150
        assert 0.75 < score.value < 1  # other writers than those learned from
        assert score.is_higher_better


def test_same_again():
    assert baselines.measure(digits(), seed=3) == baselines.measure(digits(), seed=3)


def test_name_says_how_many_examples(monkeypatch):
    monkeypatch.setattr(baselines, "_LINEAR_VALUES", 64 * 100)
    monkeypatch.setattr(baselines, "_PAIR_VALUES", 64 * 150 * 120)
    monkeypatch.setattr(baselines, "_SVM_EXAMPLES", 10)
    names = [name for name, _ in baselines.measure(digits())]
    assert names[1:] == [
        "logistic regression (100 examples)", "5 nearest neighbours (120 examples)",
    ]  # fmt: skip


def test_every_class_stays_in_a_part():
    labels = np.array([0] * 990 + list(range(1, 11)))
    for seed in range(5):
        rows = part_of(labels, 20, seed)
        assert len(rows) == 20
        assert set(labels[rows].tolist()) == set(range(11))
    assert len(part_of(labels, 2000, 0)) == 1000


def test_large_pictures_are_scaled_down():
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 90, 60), np.uint8)
    pictures = Pictures(images, np.zeros(4, np.int64), ["a"] * 4)
    found = pixels(pictures)
    assert found.shape == (4, pixels_of(pictures)) == (4, 3 * 32 * 21)
    assert 0 <= found.min() <= found.max() <= 1
    np.testing.assert_array_equal(pixels(pictures, np.array([1, 3])), found[[1, 3]])


def test_wilson_against_its_defining_equation():
    for successes, num in ((1, 10), (50, 100), (9905, 10_000), (3, 7)):
        low, high = wilson(successes, num)
        p_hat = successes / num
        for p in (low, high):
            assert (p_hat - p) ** 2 == pytest.approx(1.96**2 * p * (1 - p) / num, rel=1e-9)
        assert 0 < low < p_hat < high < 1
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_bootstrap_of_a_normal_mean():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    low, high = bootstrap(values)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.05)
    assert high == pytest.approx(values.mean() + half, abs=0.05)
    assert bootstrap(values) == (low, high)
    assert bootstrap(values, seed=1) != (low, high)
    assert bootstrap([2.5]) == (2.5, 2.5)
    assert all(np.isnan(bootstrap([])))
