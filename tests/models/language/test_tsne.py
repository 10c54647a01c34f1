"""Exact t-SNE beside scikit-learn's, finite differences and sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities

from samoyed.models.language.tsne import (
    Config,
    affinities,
    calibrated,
    conditionals,
    divergence,
    gradient,
    lay_out,
    squared_distances,
    student,
)


def drawn(num: int, size: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, size, generator=generator, dtype=torch.float64)


def digits(num: int) -> torch.Tensor:
    return torch.as_tensor(load_digits().data[:num])


@pytest.mark.parametrize("perplexity", [2.0, 5.0, 30.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_every_row_has_the_perplexity(perplexity: float, scale: float):
    distances = squared_distances(scale * drawn(60, 5))
    rows = conditionals(distances, calibrated(distances, perplexity)).numpy()
    for row in rows:
        entropy = -sum(p * math.log2(p) for p in row if p > 0)
        assert 2**entropy == pytest.approx(perplexity, rel=1e-6)
    assert np.diag(rows).max() == 0


def test_affinities_are_those_of_scikit_learn():
    points = digits(120)
    ours = affinities(points, 20.0)
    distances = squared_distances(points).numpy().astype(np.float32)
    theirs = _joint_probabilities(distances, 20.0, 0)
    upper = ours[torch.triu_indices(120, 120, 1).unbind()].numpy()
    np.testing.assert_allclose(upper, theirs, rtol=2e-3, atol=1e-8)
    assert float(ours.sum()) == pytest.approx(1.0)
    assert torch.equal(ours, ours.t())


def test_similarities_and_divergence_are_the_sums_of_the_paper():
    given, places = affinities(drawn(9, 4), 3.0), drawn(9, 2, seed=1)
    shown, _ = student(places)
    kernels = [
        [0.0 if i == j else 1 / (1 + sum((places[i] - places[j]) ** 2)) for j in range(9)]
        for i in range(9)
    ]
    total = sum(map(sum, kernels))
    cost = 0.0
    for i in range(9):
        for j in range(9):
            assert float(shown[i, j]) == pytest.approx(float(kernels[i][j] / total), abs=1e-12)
            if i != j:
                cost += float(given[i, j] * math.log(given[i, j] / (kernels[i][j] / total)))
    assert float(divergence(given, places)) == pytest.approx(cost, rel=1e-9)


def test_gradient_is_the_finite_difference():
    given, places = affinities(drawn(12, 4), 4.0), drawn(12, 2, seed=1)
    slope, step = gradient(given, places), 1e-6
    for i in range(12):
        for k in range(2):
            moved = torch.zeros_like(places)
            moved[i, k] = step
            up, down = divergence(given, places + moved), divergence(given, places - moved)
            assert float(slope[i, k]) == pytest.approx(float(up - down) / (2 * step), abs=1e-8)


def test_ends_as_low_as_scikit_learn():
    points = digits(200)
    _, ours = lay_out(points, Config(perplexity=30.0))
    theirs = TSNE(perplexity=30.0, method="exact", init="pca", random_state=0).fit(points.numpy())
    assert ours <= 1.02 * theirs.kl_divergence_


def test_a_map_is_centred_and_the_same_for_a_seed():
    points, config = drawn(40, 6), Config(perplexity=8.0, iterations=60)
    one, low = lay_out(points, config, seed=3)
    two, _ = lay_out(points, config, seed=3)
    other, _ = lay_out(points, config, seed=4)
    assert torch.equal(one, two)
    assert not torch.allclose(one, other)
    assert one.mean(dim=0).abs().max() < 1e-9
    assert low == pytest.approx(float(divergence(affinities(points, 8.0), one)))


def test_groups_far_apart_stay_apart():
    centres = 20 * torch.eye(3, dtype=torch.float64)
    points = torch.cat([drawn(15, 3, seed=k) + centres[k] for k in range(3)])
    places, _ = lay_out(points, Config(perplexity=8.0, iterations=300))
    nearest = squared_distances(places).fill_diagonal_(math.inf).argmin(dim=1)
    assert torch.equal(nearest // 15, torch.arange(45) // 15)


def test_equal_points_and_impossible_perplexities():
    assert torch.isfinite(affinities(torch.zeros(10, 3, dtype=torch.float64), 9.0)).all()
    with pytest.raises(ValueError, match="perplexity from 1 to 9"):
        affinities(drawn(10, 3), 10.0)
