"""t-SNE, exact: points laid out in the plane so that neighbours stay neighbours.

Reference: van der Maaten & Hinton (2008), Visualizing data using t-SNE, Journal of Machine Learning
Research 9:2579, the review's reference 103.

What was new. The map's own similarities have the heavy tail of a Student t-distribution with one
degree of freedom, so that what is moderately far may be drawn very far, and the crowding of earlier
maps (SNE, Sammon) goes away; and the cost is symmetric, which makes its gradient short.

Equation -> function

    p_j|i, Gaussian of width sigma_i (eq. 1); Perp(P_i) = 2^H(P_i) by bisection (sec. 2)
                                                                    conditionals, calibrated
    p_ij = (p_j|i + p_i|j) / 2n (sec. 3.1)                          affinities
    q_ij, Student t (eq. 4)                                         student
    C = KL(P || Q) (sec. 3.1) and its gradient (eq. 5)              divergence, gradient
    momentum, adaptive gains, early exaggeration (Algorithm 1, sec. 3.4)  lay_out

Text -> Config: T = 1,000 iterations, momentum 0.5 for the first 250 and 0.8 after, learning rate
100, exaggeration by 4 during the first 50 (sec. 3.4), start from N(0, 1e-4) (Algorithm 1),
perplexity 40 (sec. 4.2).

**Departures**

1. The paper writes its map's start as N(0, 10^-4 I), a variance; the same here, from a seeded
   generator: a standard deviation of 0.01.
2. Gains (the paper cites Jacobs 1988 and gives no numbers, sec. 3.4) grow by 0.2 and shrink by a
   factor 0.8, never below 0.01: the numbers of the authors' own program.
3. The points are not reduced to 30 dimensions by PCA first (sec. 4.2); who calls this may do so.
4. No landmarks and random walks for large n (sec. 5): n^2 numbers must fit into memory. Maps in
   reports are drawn by openTSNE or scikit-learn instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from samoyed.core.reference import Reference

REFERENCE = Reference(
    title="Visualizing data using t-SNE",
    authors="van der Maaten, L. & Hinton, G.",
    year=2008,
    venue="Journal of Machine Learning Research 9, 2579-2605",
    review=103,
    url="https://www.jmlr.org/papers/v9/vandermaaten08a.html",
)

BISECTIONS = 64  # of the logarithm of a width: each halves the error
WIDEST = 60.0  # largest |log beta| looked at
LEAST = 1e-12  # a probability is no smaller, so that its logarithm is finite

# N points, D dimensions they come with


@dataclass(frozen=True)
class Config:
    """The dials, with the paper's values.

    Args:
        perplexity: effective number of neighbours (sec. 4.2: 40).
        iterations: steps of descent (sec. 3.4: 1,000).
        learning_rate: eta (sec. 3.4: 100).
        first_momentum: before `momentum_from` (sec. 3.4: 0.5).
        momentum: from there on (sec. 3.4: 0.8).
        momentum_from: iteration (sec. 3.4: 250).
        exaggeration: factor on P at the beginning (sec. 3.4: 4).
        exaggerated: iterations it lasts (sec. 3.4: 50).
    """

    perplexity: float = 40.0
    iterations: int = 1000
    learning_rate: float = 100.0
    first_momentum: float = 0.5
    momentum: float = 0.8
    momentum_from: int = 250
    exaggeration: float = 4.0
    exaggerated: int = 50


def squared_distances(points: Float[Tensor, "N D"]) -> Float[Tensor, "N N"]:
    """Return ||x_i - x_j||^2."""
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").square()


def conditionals(distances: Float[Tensor, "N N"], beta: Float[Tensor, " N"]) -> Tensor:
    """Return p_j|i of eq. 1, (N, N), a row for each i.

    Args:
        distances: squared, zero on the diagonal.
        beta: 1 / (2 sigma_i^2).
    """
    scaled = -beta[:, None] * distances
    own = torch.eye(len(distances), dtype=torch.bool, device=distances.device)
    return torch.softmax(scaled.masked_fill(own, float("-inf")), dim=1)


def entropies(rows: Float[Tensor, "N N"]) -> Float[Tensor, " N"]:
    """Return H(P_i) of each row in nats."""
    return torch.special.entr(rows).sum(dim=1)


def calibrated(distances: Float[Tensor, "N N"], perplexity: float) -> Float[Tensor, " N"]:
    """Return for every point the beta = 1 / (2 sigma^2) at which Perp(P_i) is the perplexity.

    The entropy falls as beta grows, so its logarithm is found by bisection, for all points at once,
    in units of each point's mean distance.
    """
    unit = distances.sum(dim=1) / max(1, len(distances) - 1)
    unit = torch.where(unit > 0, unit, 1.0)
    low, high = (torch.full_like(unit, sign * WIDEST) for sign in (-1.0, 1.0))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_wide = entropies(conditionals(distances, middle.exp() / unit)) > math.log(perplexity)
        low, high = torch.where(is_wide, middle, low), torch.where(is_wide, high, middle)
    return ((low + high) / 2).exp() / unit


def affinities(points: Float[Tensor, "N D"], perplexity: float) -> Float[Tensor, "N N"]:
    """Return p_ij = (p_j|i + p_i|j) / 2n, which sums to 1.

    Raises:
        ValueError: for a perplexity that so few points cannot have.
    """
    if not 1 <= perplexity <= len(points) - 1:
        raise ValueError(f"perplexity from 1 to {len(points) - 1}, not {perplexity:g}")
    distances = squared_distances(points)
    rows = conditionals(distances, calibrated(distances, perplexity))
    return (rows + rows.t()) / (2 * len(points))


def student(places: Float[Tensor, "N 2"]) -> tuple[Tensor, Tensor]:
    """Return q_ij of eq. 4 and its numerators (1 + ||y_i - y_j||^2)^-1, zero on the diagonal."""
    kernel = 1 / (1 + squared_distances(places))
    kernel.fill_diagonal_(0.0)
    return kernel / kernel.sum(), kernel


def divergence(given: Float[Tensor, "N N"], places: Float[Tensor, "N 2"]) -> Float[Tensor, ""]:
    """Return C = KL(P || Q) in nats (sec. 3.1)."""
    shown, _ = student(places)
    ratio = given.clamp_min(LEAST).log() - shown.clamp_min(LEAST).log()
    return (given * ratio).sum()


def gradient(given: Float[Tensor, "N N"], places: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
    """Return dC/dy_i = 4 sum_j (p_ij - q_ij)(y_i - y_j)(1 + ||y_i - y_j||^2)^-1 (eq. 5)."""
    shown, kernel = student(places)
    pull = (given - shown) * kernel
    return 4 * (pull.sum(dim=1, keepdim=True) * places - pull @ places)


def lay_out(
    points: Float[Tensor, "N D"],
    config: Config | None = None,
    *,
    start: Float[Tensor, "N 2"] | None = None,
    seed: int = 0,
) -> tuple[Float[Tensor, "N 2"], float]:
    """Descend the divergence by Algorithm 1.

    Args:
        points: what to lay out.
        config: the dials.
        start: the first map, or None to draw it.
        seed: of that draw.

    Returns:
        The map, centred, and its divergence, without exaggeration.
    """
    config = config or Config()
    points = points.double()
    given = affinities(points, config.perplexity)
    if start is None:
        generator = torch.Generator().manual_seed(seed)
        start = 0.01 * torch.randn(len(points), 2, generator=generator, dtype=torch.float64)
    places = start.double().clone()
    speed, gains = torch.zeros_like(places), torch.ones_like(places)
    for step in range(config.iterations):
        factor = config.exaggeration if step < config.exaggerated else 1.0
        slope = gradient(factor * given, places)
        is_turning = (slope > 0) == (speed > 0)  # downhill is against the slope
        gains = torch.where(is_turning, gains * 0.8, gains + 0.2).clamp_min(0.01)
        inertia = config.first_momentum if step < config.momentum_from else config.momentum
        speed = inertia * speed - config.learning_rate * gains * slope
        places = places + speed
        places = places - places.mean(dim=0)
    return places, float(divergence(given, places))
