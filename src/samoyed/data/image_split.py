"""Hold out a fifth of each class, and notice what is suspicious about a split."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from samoyed.data.image_reasons import named
from samoyed.data.image_source import LEFT_OUT, TEST, TRAIN, VALIDATION

TEST_SHARE = 0.2
_NEAR = 0.05  # from it on either side a share is no fifth
_FEW = 5  # examples of a class to learn from at which it is named
_IMBALANCE = 10.0  # largest class over smallest


def hold_out(targets: np.ndarray, digests: Sequence[Hashable], seed: int) -> np.ndarray:
    """Choose a fifth of each class, at least one picture but never all, to be held out.

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
        held = []
        for _, group in sorted(groups):
            if len(group) <= room:
                held.append(group)
                room -= len(group)
        if len(held) < len(groups):
            splits[[i for group in held for i in group]] = TEST
    return splits


def held_out_in_words(num: int, total: int, what: str) -> str:
    """Say how many examples `hold_out` chose, and why that is a fifth or not.

    Args:
        num: that are held out.
        total: of all.
        what: one of them is.

    >>> held_out_in_words(20, 100, "text"), held_out_in_words(1, 100, "text")
    ('20, a fifth, copies kept on one side', '1, less than a fifth, as copies stay on one side')
    >>> held_out_in_words(0, 9, "text")
    'none, as each class has one text, or copies of one that stay on one side'
    >>> held_out_in_words(3, 6, "text")
    '3, more than a fifth, as one text of each class is taken at least'
    """
    if num == 0:
        return f"none, as each class has one {what}, or copies of one that stay on one side"
    if num < (TEST_SHARE - _NEAR) * total:
        return f"{num:,}, less than a fifth, as copies stay on one side"
    if num > (TEST_SHARE + _NEAR) * total:
        return f"{num:,}, more than a fifth, as one {what} of each class is taken at least"
    return f"{num:,}, a fifth, copies kept on one side"


def strata_of(targets: np.ndarray) -> np.ndarray:
    """Return (N,) the class of each picture, or of several labels the rarest that it has.

    Pictures without any label are a class of their own, K.

    >>> strata_of(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])).tolist()
    [1, 0, 2]
    """
    if targets.ndim == 1:
        return targets
    has = np.nan_to_num(targets) > 0.5
    rarest_first = np.argsort(has.sum(axis=0), kind="stable")
    first = has[:, rarest_first].argmax(axis=1)
    return np.where(has.any(axis=1), rarest_first[first], targets.shape[1])


def count_labels(targets: np.ndarray, num_labels: int) -> np.ndarray:
    """Return (K,) how many pictures have each class or label.

    >>> count_labels(np.array([0, 2, 2]), 3).tolist()
    [1, 0, 2]
    """
    if targets.ndim == 1:
        return np.bincount(targets, minlength=num_labels)
    return np.nansum(targets, axis=0).astype(np.int64)


def suspicions(
    targets: np.ndarray,
    splits: np.ndarray,
    digests: Sequence[Hashable],
    names: Sequence[str],
    classes: Sequence[str],
) -> list[str]:
    """Return warnings, with names, about copies, rare classes and imbalance."""
    counts = count_labels(targets[splits == TRAIN], len(classes))
    tested = count_labels(targets[splits == TEST], len(classes))
    found = _copies(targets, splits, digests, names)
    few = [f"{classes[k]} ({n})" for k, n in enumerate(counts) if n <= _FEW]
    if few:
        found.append(f"classes with {_FEW} or fewer examples to learn from: {named(few)}")
    if (splits == VALIDATION).any():
        looked_at = count_labels(targets[splits == VALIDATION], len(classes))
        unseen = [classes[k] for k, n in enumerate(looked_at) if n == 0]
        if unseen:
            found.append(f"classes without a validation example: {named(unseen)}")
    untested = [classes[k] for k, n in enumerate(tested) if n == 0]
    if untested:
        found.append(f"classes without a test example: {named(untested)}")
    large, small = int(counts.argmax()), int(counts.argmin())
    if counts[small] and counts[large] > _IMBALANCE * counts[small]:
        found.append(
            f"unequal classes: {counts[large]:,} examples of {classes[large]}, "
            f"{counts[small]:,} of {classes[small]}"
        )
    if targets.ndim == 2:
        found += _about_lists(targets[splits == TRAIN], classes)
    return found


def _about_lists(targets: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Name labels that every picture to learn from has, and labels that always go together."""
    known = ~np.isnan(targets)
    always = [labels[k] for k in range(len(labels)) if (targets[known[:, k], k] > 0.5).all()]
    found = [f"labels that every picture to learn from has: {named(always)}"] if always else []
    columns: dict[bytes, list[str]] = defaultdict(list)
    for k, label in enumerate(labels):
        if label not in always and np.nansum(targets[:, k]) > 0:
            columns[targets[:, k].tobytes()].append(label)
    same = [" = ".join(group) for group in columns.values() if len(group) > 1]
    return found + ([f"labels that always go together: {named(same)}"] if same else [])


def _two_of(names: Sequence[str], values: Sequence[Any]) -> str:
    """Name the first and the first that differs from it in these values.

    >>> _two_of(["a.png", "b.png", "c.png"], [0, 0, 1])
    'a.png = c.png'
    """
    return f"{names[0]} = {next(n for n, v in zip(names, values, strict=True) if v != values[0])}"


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
    num_plain = 0
    for group in groups.values():
        if len(group) == 1:
            continue
        sides = [int(splits[i]) for i in group]
        answers = [targets[i].tobytes() for i in group]
        here = [names[i] for i in group]
        if TRAIN in sides and {*sides} & {TEST, VALIDATION}:
            across.append(_two_of(here, [side == TRAIN for side in sides]))
        if len({*answers}) > 1:
            doubtful.append(_two_of(here, answers))
        elif len({*sides}) == 1:
            plain.append(" = ".join(here[:2]))
            num_plain += len(group) - 1
    found = []
    if across:
        found.append(f"same picture to learn from and held out, {len(across):,}: {named(across)}")
    if doubtful:
        how = "in two classes" if targets.ndim == 1 else "with other labels"
        found.append(f"same picture {how}, {len(doubtful):,}: {named(doubtful)}")
    if plain:
        found.append(f"copies of another picture in a split, {num_plain:,}: {named(plain)}")
    return found
