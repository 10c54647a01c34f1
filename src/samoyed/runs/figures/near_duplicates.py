"""Held-out pictures that nearly are pictures learned from, as pairs to look at.

A picture that was learned from and is tested again measures memory. Copies of one file never stand
on both sides of a split made here; nearly equal pictures (the next frame of a film, another size,
other compression) may. Pictures are compared as 16 x 16 grey ones by their correlation, which does
not see brightness or contrast, and held-out ones also mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int

from samoyed.data.feeds import made_of
from samoyed.data.image_source import ImageData
from samoyed.metrics.intervals import wilson
from samoyed.runs.drawing import Figure
from samoyed.runs.drawing_thumbnails import picture_pairs

SIDE = 16  # pixels of a compared picture
NEARLY_EQUAL = 0.985  # correlation from which two photographs are taken for one
MOST_HELD_OUT, MOST_LEARNED = 2_000, 60_000  # pictures compared
CHUNK = 1024
NUM_PAIRS = 8

# Legend for shapes: N held-out pictures, M learned ones, D numbers of a compared picture.


@dataclass(frozen=True, eq=False)
class Nearest:
    """The most alike learned picture of every held-out one.

    Args:
        rows: (N,) which held-out pictures were compared.
        partners: (N,) the learned picture most like each.
        alike: (N,) their correlation.
        is_mirrored: (N,) whether the partner is more like the mirrored picture.
    """

    rows: Int[np.ndarray, " N"]
    partners: Int[np.ndarray, " N"]
    alike: Float[np.ndarray, " N"]
    is_mirrored: Bool[np.ndarray, " N"]


def near_duplicates_figure(data: ImageData, answers: np.ndarray) -> Figure | None:
    """Show the pairs that are most alike, and what the score is without them.

    Args:
        data: the pictures.
        answers: (N,) the class that the model gives each held-out picture.

    Returns:
        None where there is nothing on one of the two sides.
    """
    if len(data.train) == 0 or len(data.test) == 0:
        return None
    found = nearest_learned(data.test.images, data.train.images)
    order = np.argsort(-found.alike, kind="stable")[:NUM_PAIRS]
    names = data.labels.names
    pairs = []
    for i in order:
        row, partner = int(found.rows[i]), int(found.partners[i])
        mine, other = names[data.test.labels[row]], names[data.train.labels[partner]]
        same = mine if mine == other else f"held out: {mine}, learned: {other}"
        mirrored = ", mirrored" if found.is_mirrored[i] else ""
        text = f"{same}; {100 * found.alike[i]:.1f} % alike{mirrored}"
        pairs.append((data.test.images[row], data.train.images[partner], text))
    return Figure(
        "Held out, yet seen before?", _caption(found, data, answers), picture_pairs(pairs)
    )


def _caption(found: Nearest, data: ImageData, answers: np.ndarray) -> str:
    """Say how many pairs there are, and what the score is without them."""
    is_copy = found.alike >= NEARLY_EQUAL
    num, every = int(is_copy.sum()), len(found.rows)
    of = f"{every:,} held-out pictures" + (" looked at" if every < len(data.test) else "")
    seen = (
        "The held-out pictures (left) that are most like a learned one (right), compared by the "
        f"correlation of small grey copies. {num:,} of {of} are nearly equal to a learned "
        f"picture ({100 * NEARLY_EQUAL:.1f} % or more alike)"
    )
    if num == 0:
        return seen + ": the score is not one of memory."
    labels = data.test.labels[found.rows]
    conflicts = int((data.train.labels[found.partners] != labels)[is_copy].sum())
    told = f", {conflicts:,} of them under another class" if conflicts else ""
    if num == every:
        return f"{seen}{told}. With pictures as simple as these, that may mean little."
    right = (answers[found.rows] == labels)[~is_copy]
    low, high = wilson(int(right.sum()), len(right))
    return (
        f"{seen}{told}. Among the others, {100 * right.mean():.1f} % of the answers are "
        f"right ({100 * low:.1f} to {100 * high:.1f} %): the score without such pairs."
    )


def nearest_learned(held_out: np.ndarray, learned: np.ndarray) -> Nearest:
    """Find the most alike learned picture for each held-out one, as it is or mirrored.

    Args:
        held_out: (N, C, H, W) uint8.
        learned: (M, C, H, W) uint8.
    """
    rows, known = _spread(len(held_out), MOST_HELD_OUT), _spread(len(learned), MOST_LEARNED)
    mine = torch.cat([compared(held_out, rows), compared(held_out, rows, mirror=True)])
    best = torch.full((len(mine),), -2.0)
    partner = torch.zeros(len(mine), dtype=torch.int64)
    for start in range(0, len(known), CHUNK):
        alike = mine @ compared(learned, known[start : start + CHUNK]).T
        value, index = alike.max(dim=1)
        is_better = value > best
        best = torch.where(is_better, value, best)
        partner = torch.where(is_better, index + start, partner)
    plain, mirrored = best.view(2, -1).numpy()
    partners = known[partner.view(2, -1).numpy()]
    is_mirrored = mirrored > plain + 1e-4
    return Nearest(
        rows, np.where(is_mirrored, partners[1], partners[0]),
        np.maximum(plain, mirrored).astype(np.float64), is_mirrored,
    )  # fmt: skip


def compared(images: np.ndarray, rows: np.ndarray, *, mirror: bool = False) -> torch.Tensor:
    """Return (N, D) small grey pictures of mean 0 and length 1; 0 for pictures of one colour."""

    def shrink(pictures: torch.Tensor) -> torch.Tensor:
        grey = pictures.mean(dim=1, keepdim=True)
        size = tuple(min(SIDE, side) for side in grey.shape[2:])
        small = F.interpolate(grey, size, mode="bilinear", antialias=True, align_corners=False)
        flat = (small.flip(3) if mirror else small).flatten(1)
        centred = flat - flat.mean(dim=1, keepdim=True)
        length = centred.norm(dim=1, keepdim=True)
        return torch.where(length > 1e-3, centred / length.clamp_min(1e-9), 0.0)

    return made_of(images, shrink, rows)


def _spread(num: int, most: int) -> np.ndarray:
    """Return at most `most` of `num` rows, evenly spread."""
    return np.unique(np.linspace(0, num - 1, min(num, most)).astype(np.int64))
