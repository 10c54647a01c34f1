"""Held-out pictures that are nearly the same as one that is learned from.

A copy that was saved again, made smaller or a little brighter is another file with other pixels,
and measures memory all the same. Every picture is averaged down to grays of 8 x 8; without their
mean and scaled to length one, the most alike pair of a held-out and a learned picture is the one
with the largest product. What looks like a pair there is looked at again, at the size at hand.

Legend for shapes: N pictures, T of them held out, C channels, H rows, W columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from samoyed.core.spec import ImageSpec
from samoyed.data import cache
from samoyed.data.feeds import as_floats, made_of, rows_at_once
from samoyed.data.image_reasons import named
from samoyed.data.image_source import LEFT_OUT, TRAIN

LOOK = ImageSpec(1, 32, 32)  # the size that `samoyed check` looks at
SIDE = 8  # of the smallest grays
ENOUGH = 0.985  # correlation of the smallest grays from which a pair is looked at again
SAME = 0.99  # correlation at the size at hand from which a pair is nearly the same
BLURRED_FROM = 48  # pixels
FEWEST_GRAYS = 6.0  # standard deviation of grays of 0 to 255 below which nothing can be told
MOST_PAIRS = 1_000_000_000  # of a held-out and a learned picture that are compared
_ASKED, _KNOWN = 1024, 16_384  # pictures that are compared at once


def near_copies(
    images: np.ndarray, splits: np.ndarray, digests: Sequence[Hashable], names: Sequence[str],
    content: str,
) -> list[str]:  # fmt: skip
    """Return a warning that names the pairs, or nothing.

    Args:
        images: (N, C, H, W) uint8, often mapped.
        splits: (N,) TRAIN, VALIDATION, TEST or LEFT_OUT.
        digests: N content hashes: pairs with the same one are named elsewhere; or nothing.
        names: N names.
        content: names what the array holds, for the cache.
    """
    facts: cache.Facts = {}

    def chunks(found: cache.Facts) -> Iterator[np.ndarray]:
        pairs, share = near_pairs(images, splits)
        found["share"] = share
        yield pairs

    sides = hashlib.sha256(splits.tobytes()).hexdigest()
    key = cache.key_of("near copies", content, sides, ENOUGH, SAME, MOST_PAIRS)
    pairs, facts = cache.build(key, (2,), "int64", chunks)
    seen = [
        f"{names[held]} ~ {names[known]}" for held, known in pairs.tolist()
        if not digests or digests[held] != digests[known]
    ]  # fmt: skip
    if not seen:
        return []
    part = "" if facts["share"] == 1 else f" (of the {facts['share']:.0%} that were compared)"
    return [
        f"nearly the same picture held out and to learn from, {len(seen):,}{part}: {named(seen)}"
    ]


def near_pairs(images: np.ndarray, splits: np.ndarray) -> tuple[np.ndarray, float]:
    """Return for each held-out picture the learned one that is nearly the same, if there is one.

    Returns:
        (M, 2) int64 rows of held-out and learned pictures; and which share of the held-out
        pictures was compared.
    """
    known = np.flatnonzero(splits == TRAIN)
    held = np.flatnonzero((splits != TRAIN) & (splits != LEFT_OUT))
    most = max(1, MOST_PAIRS // max(1, len(known)))
    asked = held[np.unique(np.linspace(0, len(held) - 1, min(most, len(held))).astype(np.int64))]
    if not len(known) or not len(asked):
        return np.empty((0, 2), np.int64), 1.0
    directions, is_plain = smallest_grays(images)
    best, where = _most_alike(directions[asked], directions[known])
    likely = np.flatnonzero((best >= ENOUGH) & ~is_plain[asked])
    pairs = np.stack([asked[likely], known[where[likely]]], axis=1)
    is_same = correlations(images, pairs) >= SAME
    return pairs[is_same].astype(np.int64), len(asked) / len(held)


def smallest_grays(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, 64) float32 of length one, without mean, and (N,) which are nearly one gray."""

    def shrink(pictures: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(pictures.mean(1, keepdim=True), SIDE).flatten(1)

    grays = made_of(images, shrink)
    grays -= grays.mean(1, keepdim=True)
    is_plain = grays.std(1, correction=0) * 255 < FEWEST_GRAYS
    return F.normalize(grays, dim=1).numpy(), is_plain.numpy()


def _most_alike(asked: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of `asked` the largest product with a row of `known`, and its place.

    The place is looked for only where the product is enough.
    """
    best = torch.full((len(asked),), -1.0)
    where = torch.zeros(len(asked), dtype=torch.int64)
    for start in range(0, len(known), _KNOWN):
        block = torch.from_numpy(known[start : start + _KNOWN]).T
        for first in range(0, len(asked), _ASKED):
            rows = slice(first, first + _ASKED)
            products = torch.from_numpy(asked[rows]) @ block
            largest = products.amax(1)
            better = torch.nonzero(largest > best[rows].clamp(min=ENOUGH)).flatten()
            where[first + better] = products[better].argmax(1) + start
            best[rows] = torch.maximum(best[rows], largest)
    return best.numpy(), where.numpy()


def correlations(images: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return (M,) the correlation of the grays of each of (M, 2) pairs."""
    step = rows_at_once(images)
    found = np.empty(len(pairs), np.float32)
    for first in range(0, len(pairs), step):
        some = pairs[first : first + step]
        one, other = (_blurred(as_floats(cache.rows_of(images, some[:, k]))) for k in (0, 1))
        found[first : first + step] = F.cosine_similarity(one, other, dim=1).numpy()
    return found


def _blurred(pixels: Tensor) -> Tensor:
    """Average neighbouring grays of large pictures, where saving again leaves noise; no mean."""
    gray = pixels.mean(1, keepdim=True)
    if min(gray.shape[2:]) >= BLURRED_FROM:
        gray = F.avg_pool2d(gray, 2)
    flat = gray.flatten(1)
    return flat - flat.mean(1, keepdim=True)
