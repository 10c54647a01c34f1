"""What a file must hold that lays out points in the plane: t-SNE beside scikit-learn's.

Nothing is trained, so the checks of `conformance` do not fit; these compare numbers: with the
definition, with finite differences, and with the objective and the gradient of scikit-learn, which
was written by others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

NUM_POINTS, SIZE = 80, 6
PERPLEXITIES = (2.0, 10.0, 40.0)
STEP = 1e-6  # of finite differences


def facts_of(system: Any) -> Iterator[tuple[str, bool, str]]:
    """Yield (what was checked, whether it holds, what was found) of a layout by t-SNE."""
    points, places = _drawn(SIZE, 0), _drawn(2, 1)
    yield _perplexity(system, points)
    given = system.affinities(points, 10.0)
    yield _affinities(points, given)
    value, slope = _of_scikit_learn(given, places)
    ours = float(system.divergence(given, places))
    yield (
        "divergence is scikit-learn's", abs(ours - value) <= 1e-9 * abs(value),
        f"{ours:.6f} and {value:.6f} nats",
    )  # fmt: skip
    own = system.gradient(given, places)
    far = float((own - slope).abs().max() / slope.abs().max())
    yield "gradient is scikit-learn's", far <= 1e-9, f"largest difference {far:.0e} of the largest"
    yield _finite_differences(system, given, places, own)
    start = 0.01 * places
    config = system.Config(perplexity=10.0, iterations=300)
    made, low = system.lay_out(points, config, start=start)
    again = float(system.divergence(given, made))
    before = float(system.divergence(given, start))
    is_lower = low < 0.8 * before and math.isclose(low, again, rel_tol=1e-9)
    yield "the descent goes down", is_lower, f"from {before:.3f} to {low:.3f} nats in 300 steps"
    centre = float(made.mean(dim=0).abs().max() / made.abs().max())
    yield "the map is centred", centre < 1e-9, f"its mean is {centre:.0e} of its extent"


def _drawn(size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(NUM_POINTS, size, generator=generator, dtype=torch.float64)


def _perplexity(system: Any, points: Tensor) -> tuple[str, bool, str]:
    """Every row of the conditional probabilities has the perplexity that was asked for."""
    distances, worst = system.squared_distances(points), 0.0
    for asked in PERPLEXITIES:
        rows = system.conditionals(distances, system.calibrated(distances, asked)).numpy()
        bits = -(rows * np.log2(np.where(rows > 0, rows, 1.0))).sum(axis=1)
        worst = max(worst, float(np.abs(2**bits / asked - 1).max()))
    return "every row has the perplexity", worst <= 1e-6, f"largest relative error {worst:.0e}"


def _affinities(points: Tensor, given: Tensor) -> tuple[str, bool, str]:
    """The joint probabilities are symmetric, sum to one, and are scikit-learn's."""
    from scipy.spatial.distance import pdist, squareform
    from sklearn.manifold._t_sne import _joint_probabilities

    distances = squareform(pdist(points.numpy(), "sqeuclidean")).astype(np.float32)
    theirs = _joint_probabilities(distances, 10.0, 0)
    upper = given[torch.triu_indices(NUM_POINTS, NUM_POINTS, 1).unbind()].numpy()
    far = float(np.abs(upper - theirs).max() / theirs.max())  # theirs are found to 1e-5 only
    is_sound = torch.equal(given, given.t()) and abs(float(given.sum()) - 1) < 1e-9
    return "affinities are scikit-learn's", is_sound and far < 1e-3, f"largest difference {far:.0e}"


def _of_scikit_learn(given: Tensor, places: Tensor) -> tuple[float, Tensor]:
    """Return scikit-learn's divergence and gradient at these places."""
    from sklearn.manifold._t_sne import _kl_divergence

    upper = given[torch.triu_indices(NUM_POINTS, NUM_POINTS, 1).unbind()].numpy()
    value, slope = _kl_divergence(places.numpy().ravel(), upper, 1, NUM_POINTS, 2)
    return float(value), torch.as_tensor(slope.reshape(NUM_POINTS, 2))


def _finite_differences(
    system: Any, given: Tensor, places: Tensor, own: Tensor
) -> tuple[str, bool, str]:  # fmt: skip
    """The gradient is the slope of the divergence, point by point."""
    worst = 0.0
    for point in range(0, NUM_POINTS, 8):
        for axis in range(2):
            moved = torch.zeros_like(places)
            moved[point, axis] = STEP
            up = system.divergence(given, places + moved)
            down = system.divergence(given, places - moved)
            slope = float(up - down) / (2 * STEP)
            worst = max(worst, abs(slope - float(own[point, axis])))
    return "gradient is the finite difference", worst < 1e-8, f"largest difference {worst:.0e}"
