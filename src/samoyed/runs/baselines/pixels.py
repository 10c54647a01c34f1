"""Pictures as rows of small numbers, for shallow models: only as many as these can learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec
from samoyed.data import cache
from samoyed.data.feeds import rows_at_once
from samoyed.data.image_resample import fit_arrays
from samoyed.data.images import Pictures

SIDE = 32  # pixels, of the longer side at most
_SCALED_ROWS = 1024


def small_size(pictures: Pictures) -> ImageSpec:
    """Return the size that pictures are scaled to."""
    channels, height, width = pictures.images.shape[1:]
    factor = min(1.0, SIDE / max(height, width))
    return ImageSpec(channels, max(1, round(height * factor)), max(1, round(width * factor)))


def pixels_of(pictures: Pictures) -> int:
    """Return how many numbers a picture becomes."""
    return int(np.prod(small_size(pictures).shape))


def pixels(pictures: Pictures, rows: np.ndarray | None = None) -> np.ndarray:
    """Return (N, D) float32 in [0, 1] of all pictures, or of these rows, ascending.

    Memory beside the result stays constant: large pictures are made small a few at a time.
    """
    size = small_size(pictures)
    rows = np.arange(len(pictures)) if rows is None else rows
    flat = np.empty((len(rows), int(np.prod(size.shape))), np.float32)
    step = rows_at_once(pictures.images)
    for first in range(0, len(rows), step):
        piece = rows[first : first + step]
        fitted = fit_arrays(cache.rows_of(pictures.images, piece), size)
        flat[first : first + step] = fitted.reshape(len(fitted), -1) / np.float32(255)
    return flat


def scaled_in_place(inputs: np.ndarray) -> Any:
    """Bring every column to mean 0 and variance 1, in place; return the scaler that did.

    It is fitted to a few rows at a time: to all at once it needs twice their memory again.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(copy=False)
    for first in range(0, len(inputs), _SCALED_ROWS):
        scaler.partial_fit(inputs[first : first + _SCALED_ROWS])
    scaler.transform(inputs)
    return scaler


def part_of(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Return `limit` random rows with every class among them, or all rows, ascending."""
    if len(labels) <= limit:
        return np.arange(len(labels))
    limit -= limit % 1000 if limit > 1000 else 0
    order = numpy_generator(seed, "baselines").permutation(len(labels))
    firsts = np.unique(labels[order], return_index=True)[1]
    is_first = np.zeros(len(labels), bool)
    is_first[firsts] = True
    chosen = np.concatenate([order[is_first], order[~is_first]])[: max(limit, len(firsts))]
    return np.sort(chosen)
