"""The binary files of CIFAR-10 and CIFAR-100.

Krizhevsky, A. (2009). Learning multiple layers of features from tiny images. Technical report,
University of Toronto. A record is one label byte (CIFAR-100: a coarse and a fine one) and 3,072
pixel bytes: 32 rows of 32 reds, then the greens, then the blues.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data import cache
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN, ArrayContents, ImageSource, row_digests
from samoyed.data.image_split import hold_out, suspicions
from samoyed.data.image_summary import describe

SHAPE = (3, 32, 32)
_NUM_PIXELS = 3 * 32 * 32
_CHUNK_ROWS = 8192
_NAME = re.compile(r"(data_batch_\d+|test_batch|train|test)\.bin", re.IGNORECASE)
_PICKLED = re.compile(r"(data_batch_\d+|test_batch)(\.pkl|\.pickle)?", re.IGNORECASE)
NAMES = {10: "batches.meta.txt", 100: "fine_label_names.txt", 20: "coarse_label_names.txt"}
"""How many classes -> the file with their names, one a line."""


class _File(NamedTuple):
    path: Path
    split: int
    num_rows: int


def is_cifar_name(name: str) -> bool:
    """Tell by its name whether a file is one of CIFAR's.

    >>> is_cifar_name("data_batch_1.bin"), is_cifar_name("train.bin"), is_cifar_name("a.bin")
    (True, True, False)
    """
    return _NAME.fullmatch(name) is not None


def refuse_pickled(root: Path, files: Sequence[Path]) -> None:
    """Raise for the files that are made for Python.

    Raises:
        DataError: naming them.
    """
    pickled = [file.name for file in files if _PICKLED.fullmatch(file.name)]
    if pickled:
        raise DataError(
            root, "CIFAR's binary files (data_batch_1.bin, ...)", f"pickles: {named(pickled)}",
            "Bring the binary version: opening a pickle can run any program that is in it.",
        )  # fmt: skip


def scan_cifar(
    root: Path, paths: Sequence[Path], *, on_bad: str, seed: int, target: str | None = None,
    is_measured: bool = False,
) -> ImageSource:  # fmt: skip
    """Read CIFAR's files.

    Args:
        root: their folder.
        paths: the files.
        on_bad: "stop", or "skip" to leave out a file that is cut off and unknown labels.
        seed: which fifth is held out where there is no test file.
        target: of CIFAR-100: "fine" (100 classes, the default) or "coarse" (20).
        is_measured: whether a run is measured on them, for which a test file is enough.

    Raises:
        DataError: a file is cut off, or holds labels that do not exist.
        OptionError: for another target.
    """
    is_hundred = any(path.stem.lower() in ("train", "test") for path in paths)
    column, num_classes = _question(is_hundred, target)
    files = _files(root, paths, _NUM_PIXELS + 1 + is_hundred)
    if not is_measured and not any(file.split == TRAIN for file in files):
        raise DataError(
            root, f"{'train.bin' if is_hundred else 'data_batch_1.bin'} to learn from",
            named([file.path.name for file in files]), "Add it.",
        )  # fmt: skip
    fingerprint = _fingerprint(files, column)
    images = _images(files, 1 + is_hundred, fingerprint)
    labels = np.concatenate([_labels(file, 1 + is_hundred, column) for file in files])
    splits = np.concatenate([np.full(file.num_rows, file.split, np.int8) for file in files])
    names = [f"{file.path.name}[{i}]" for file in files for i in range(file.num_rows)]
    wrong = np.flatnonzero(labels >= num_classes)
    if len(wrong):
        raise DataError(
            f"{root} ({names[wrong[0]]})", f"a label from 0 to {num_classes - 1}",
            f"{labels[wrong[0]]}; {len(wrong):,} labels in all are too large",
            "Check that the files are CIFAR's and complete.",
        )  # fmt: skip
    digests = row_digests(images, fingerprint)
    has_official_test = any(file.split == TEST for file in files)
    if not has_official_test:
        splits = hold_out(labels, digests, seed)
    classes, notes = _classes(root, num_classes)
    spec = ImageSpec(*SHAPE)
    warnings = (*notes, *_gaps(files), *suspicions(labels, splits, digests, names, classes))
    return ImageSource(
        name=root.resolve().name, path=str(root), spec=spec, labels=LabelSpec(classes),
        has_official_test=has_official_test, targets=labels, splits=splits, names=names,
        lines=describe(labels, splits, classes, spec, has_official_test, seed),
        suspicions=warnings,
        left_out=(), fingerprint=fingerprint, contents=ArrayContents(images, fingerprint),
        digests=digests,
    )  # fmt: skip


def _gaps(files: Sequence[_File]) -> list[str]:
    """Warn of files that are missing between others by their numbers."""
    named_so = (re.match(r"data_batch_(\d+)", file.path.name.lower()) for file in files)
    found = {int(match[1]) for match in named_so if match}
    missing = [f"data_batch_{k}.bin" for k in range(1, max(found, default=0)) if k not in found]
    return [f"missing between the other files: {named(missing)}"] if missing else []


def _question(is_hundred: bool, target: str | None) -> tuple[int, int]:
    """Return which byte of a record is the label, and how many classes there are."""
    known = {"fine": (1, 100), "coarse": (0, 20)} if is_hundred else {}
    if target is None:
        return known.get("fine", (0, 10))
    if target not in known:
        expected = "fine or coarse" if is_hundred else "nothing: CIFAR-10 has one label"
        raise OptionError("--target", expected, repr(target))
    return known[target]


def _files(root: Path, paths: Sequence[Path], record: int) -> list[_File]:
    files = []
    for path in sorted(paths):
        size = os.path.getsize(path)
        if size == 0 or size % record:
            raise DataError(
                path, f"records of {record:,} bytes each",
                f"{size:,} bytes: {size // record:,} records and {size % record:,} bytes more",
                "Copy or download it again.",
            )  # fmt: skip
        split = TEST if path.stem.lower().startswith("test") else TRAIN
        files.append(_File(path, split, size // record))
    return sorted(files, key=lambda file: file.split)


def _records(file: _File, num_labels: int) -> np.ndarray:
    """Return a file's records, mapped: (N, num_labels + 3072) uint8."""
    return np.memmap(file.path, np.uint8, "r", shape=(file.num_rows, num_labels + _NUM_PIXELS))


def _labels(file: _File, num_labels: int, column: int) -> np.ndarray:
    return np.asarray(_records(file, num_labels)[:, column]).astype(np.int64)


def _images(files: Sequence[_File], num_labels: int, fingerprint: str) -> np.ndarray:
    """Return the pictures of all files, one after the other: (N, 3, 32, 32) uint8."""

    def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
        for file in files:
            records = _records(file, num_labels)
            for first in range(0, file.num_rows, _CHUNK_ROWS):
                pixels = records[first : first + _CHUNK_ROWS, num_labels:]
                yield np.asarray(pixels).reshape(-1, *SHAPE)

    return cache.build(cache.key_of("cifar", fingerprint), SHAPE, "uint8", chunks)[0]


def _classes(root: Path, num: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the classes, and what is wrong with the file that should hold them."""
    numbers = tuple(str(k) for k in range(num))
    path = root / NAMES[num]
    if not path.exists():
        return numbers, (f"no {path.name}: classes go by their numbers",)
    names = tuple(n.strip() for n in path.read_text("utf-8", "replace").splitlines() if n.strip())
    if len(names) != num or len(set(names)) != num:
        found = f"{len(set(names))} names, not {num}: classes go by their numbers"
        return numbers, (f"{path.name} holds {found}",)
    return names, ()


def _fingerprint(files: Sequence[_File], column: int) -> str:
    content = hashlib.blake2b(f"cifar {column}".encode(), digest_size=20)
    for file in files:
        with file.path.open("rb") as opened:
            content.update(f"{file.split}".encode())
            content.update(hashlib.file_digest(opened, "blake2b").digest())
    return content.hexdigest()
