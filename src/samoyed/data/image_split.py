"""Hold out a fifth of each class, and notice what is suspicious about a split."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from samoyed.data.image_reasons import named
from samoyed.data.image_source import LEFT_OUT, TEST, TRAIN, VALIDATION

TEST_SHARE = 0.2
_FEW = 5  # examples of a class to learn from at which it is named
_IMBALANCE = 10.0  # largest class over smallest


def hold_out(targets: np.ndarray, digests: Sequence[Hashable], seed: int) -> np.ndarray:
    """Choose a fifth of each class, at least one picture, to be held out.

    Pictures are ordered by a hash of the seed and their content, so that neither names nor order
    matter, a new picture hardly moves the others, and copies stay on the same side.

    Args:
        targets: (N,) class of each picture.
        digests: N content hashes.
        seed: another seed, another choice.

    Returns:
        (N,) int8 of TRAIN and TEST.
    """
    copies: dict[Hashable, list[int]] = defaultdict(list)
    for i, digest in enumerate(digests):
        copies[digest].append(i)
    classes: dict[int, list[tuple[bytes, list[int]]]] = defaultdict(list)
    for digest, group in copies.items():
        mixed = hashlib.blake2b(f"{seed}:{digest}".encode(), digest_size=16).digest()
        classes[int(targets[group[0]])].append((mixed, group))
    splits = np.full(len(targets), TRAIN, np.int8)
    for groups in classes.values():
        room = max(1, round(TEST_SHARE * sum(len(group) for _, group in groups)))
        for _, group in sorted(groups):
            if len(group) <= room:
                splits[group] = TEST
                room -= len(group)
    return splits


def suspicions(
    targets: np.ndarray,
    splits: np.ndarray,
    digests: Sequence[Hashable],
    names: Sequence[str],
    classes: Sequence[str],
) -> list[str]:
    """Return warnings, with names, about copies, rare classes and imbalance."""
    counts = np.bincount(targets[splits == TRAIN], minlength=len(classes))
    tested = np.bincount(targets[splits == TEST], minlength=len(classes))
    found = _copies(targets, splits, digests, names)
    few = [f"{classes[k]} ({n})" for k, n in enumerate(counts) if n <= _FEW]
    if few:
        found.append(f"classes with {_FEW} or fewer examples to learn from: {named(few)}")
    untested = [classes[k] for k, n in enumerate(tested) if n == 0]
    if untested:
        found.append(f"classes without a test example: {named(untested)}")
    large, small = int(counts.argmax()), int(counts.argmin())
    if counts[small] and counts[large] > _IMBALANCE * counts[small]:
        found.append(
            f"unequal classes: {counts[large]:,} examples of {classes[large]}, "
            f"{counts[small]:,} of {classes[small]}"
        )
    return found


def _copies(
    targets: np.ndarray, splits: np.ndarray, digests: Sequence[Hashable], names: Sequence[str]
) -> list[str]:
    """Name the pictures that are there twice: across splits, across classes, or otherwise."""
    if len(set(digests)) == len(digests):
        return []
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i, digest in enumerate(digests):
        if splits[i] != LEFT_OUT:
            groups[digest].append(i)
    across: list[str] = []
    doubtful: list[str] = []
    plain: list[str] = []
    for group in groups.values():
        if len(group) == 1:
            continue
        both = " = ".join(names[i] for i in group[:2])
        sides = {int(splits[i]) for i in group}
        if TRAIN in sides and sides & {TEST, VALIDATION}:
            across.append(both)
        if len({int(targets[i]) for i in group}) > 1:
            doubtful.append(both)
        elif len(sides) == 1:
            plain.append(both)
    found = []
    if across:
        found.append(f"same picture to learn from and held out, {len(across):,}: {named(across)}")
    if doubtful:
        found.append(f"same picture in two classes, {len(doubtful):,}: {named(doubtful)}")
    if plain:
        found.append(f"same picture twice in a split, {len(plain):,}: {named(plain)}")
    return found
