"""How far a measured number can be trusted: 95 % intervals for proportions and for means."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from samoyed.core.seeding import numpy_generator

Z_95 = 1.96  # standard normal quantile of 0.975
_RESAMPLED_VALUES = 1 << 22  # how many drawn values are held at once: 32 MiB of float64


def wilson(successes: float, num: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion.

    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    JASA 22, 209-212: the proportions p whose own normal approximation reaches `successes / num`,
    that is the roots of (p_hat - p)^2 = z^2 p (1 - p) / num.

    Args:
        successes: how many of the `num` trials succeeded.
        num: how many trials there were.
        z: the normal quantile; 1.96 for 95 %.

    Returns:
        (low, high) within [0, 1]; (0, 1) when nothing was tried.

    >>> low, high = wilson(50, 100)
    >>> round(low, 4), round(high, 4)
    (0.4038, 0.5962)
    """
    if num <= 0:
        return 0.0, 1.0
    p = successes / num
    share = z * z / num
    centre = (p + share / 2) / (1 + share)
    half = z * math.sqrt(p * (1 - p) / num + share / (4 * num)) / (1 + share)
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= num else min(1.0, centre + half)
    return low, high


def bootstrap(values: ArrayLike, seed: int = 0, num_resamples: int = 1000) -> tuple[float, float]:
    """Return the percentile bootstrap's 95 % interval of a mean.

    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, section 13.3. Values that
    depend on each other (consecutive characters) must be averaged over blocks first.

    Args:
        values: (N,) independent measurements.
        seed: of the resampling.
        num_resamples: how many means are drawn.

    Returns:
        (low, high); (nan, nan) for no values, and (v, v) for a single one.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    if flat.size == 0:
        return math.nan, math.nan
    generator = numpy_generator(seed, "bootstrap")
    rows_at_once = max(1, _RESAMPLED_VALUES // flat.size)
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, rows_at_once):
        stop = min(num_resamples, start + rows_at_once)
        drawn = generator.integers(0, flat.size, size=(stop - start, flat.size))
        means[start:stop] = flat[drawn].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
