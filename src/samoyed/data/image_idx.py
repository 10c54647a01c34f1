"""A folder with IDX files of pictures and of labels, as MNIST and its relatives come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data import cache
from samoyed.data.idx import IdxHeader, idx_rows, read_idx, read_idx_header
from samoyed.data.image_listing import Known
from samoyed.data.image_reasons import named
from samoyed.data.image_source import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    ArrayContents,
    ImageSource,
    row_digests,
)
from samoyed.data.image_split import hold_out, suspicions
from samoyed.data.image_summary import describe

_SPLITS = {
    "train": TRAIN, "t10k": TEST, "test": TEST,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION,
}  # fmt: skip
_NAME = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test|validation|valid|val|dev)?[-_.]?"
    r"(?P<what>images|labels)[-_.]idx\d(?:[-_.]\w+)?(?:\.gz)?",
    re.IGNORECASE,
)
_CHUNK_BYTES = 16 << 20


class IdxFile(NamedTuple):
    """What a file's name says."""

    path: Path
    set: str
    split: int | None
    is_images: bool


@dataclass(frozen=True)
class _Part:
    """One split's two files."""

    split: int
    images: IdxHeader
    labels: np.ndarray
    label_path: Path


def find_idx_files(files: Sequence[Path]) -> list[IdxFile]:
    """Return those files whose names are those of IDX files of pictures or labels."""
    found = []
    for path in files:
        match = _NAME.fullmatch(path.name)
        if match:
            split = match["split"]
            number = None if split is None else _SPLITS[split.lower()]
            name = match["set"].rstrip("-_.")
            found.append(IdxFile(path, name, number, match["what"].lower() == "images"))
    return found


def scan_idx(
    root: Path, files: Sequence[IdxFile], *, on_bad: str, seed: int, known: Known | None = None
) -> ImageSource:
    """Read IDX files; unpacking them is all there is to decode, and is done once.

    Args:
        root: their folder.
        files: the files.
        on_bad: "stop", or "skip" to leave out unknown labels.
        seed: which fifth is held out where there is no test part.
        known: what a run knows that is to be measured on them; a test part is enough then.

    Raises:
        DataError: a file is damaged, missing, or does not fit its partner.
    """
    parts = _parts(root, files, known is not None)
    shape = _row_shape(parts)
    fingerprint = _fingerprint(parts)
    images = _images(parts, shape, fingerprint)
    labels = np.concatenate([part.labels for part in parts])
    splits = np.concatenate([np.full(len(p.labels), p.split, np.int8) for p in parts])
    names = [
        f"{name}[{i}]"
        for name, number in ((part.images.path.name, len(part.labels)) for part in parts)
        for i in range(number)
    ]
    values = np.unique(labels if known is not None else labels[splits == TRAIN])
    if len(values) < 2 and known is None:
        raise DataError(
            parts[0].label_path, "at least two different labels", f"only {values[0]}",
            "Bring examples of another class.",
        )  # fmt: skip
    left_out = _unknown_labels(parts, labels, splits, values, names, on_bad)
    targets = np.searchsorted(values, labels).clip(max=len(values) - 1).astype(np.int64)
    digests = row_digests(images, fingerprint)
    has_official_test = any(part.split == TEST for part in parts)
    if not has_official_test:
        keep = splits == TRAIN
        splits[keep] = hold_out(targets[keep], [digests[i] for i in np.flatnonzero(keep)], seed)
    classes = tuple(str(value) for value in values)
    spec = ImageSpec(*shape)
    return ImageSource(
        name=root.resolve().name, path=str(root), spec=spec, labels=LabelSpec(classes),
        has_official_test=has_official_test, targets=targets, splits=splits, names=names,
        lines=describe(targets, splits, classes, spec, has_official_test, seed),
        suspicions=tuple(suspicions(targets, splits, digests, names, classes)),
        left_out=left_out, fingerprint=fingerprint, contents=ArrayContents(images, fingerprint),
        digests=digests,
    )  # fmt: skip


def _parts(root: Path, files: Sequence[IdxFile], is_measured: bool) -> list[_Part]:
    """Pair the files of each split; a plain file goes before its gzipped twin."""
    sets = sorted({file.set for file in files})
    if len(sets) > 1:
        raise DataError(
            root, "the IDX files of one data set", f"those of {len(sets)}: {named(sets)}",
            "Put the files of each set in a folder of their own.",
        )  # fmt: skip
    chosen: dict[tuple[int, bool], Path] = {}
    for file in sorted(files, key=lambda f: f.path.suffix == ".gz"):
        split = TRAIN if file.split is None else file.split
        twin = chosen.setdefault((split, file.is_images), file.path)
        if twin.name.removesuffix(".gz") != file.path.name.removesuffix(".gz"):
            raise DataError(
                root, "one IDX file for each part", f"{twin.name} and {file.path.name}",
                "Remove one of them.",
            )  # fmt: skip
    parts = []
    for split in sorted({split for split, _ in chosen}):
        both = [chosen.get((split, is_images)) for is_images in (True, False)]
        images, labels = both
        if images is None or labels is None:
            present = next(path for path in both if path is not None)
            missing = "labels" if labels is None else "pictures"
            raise DataError(
                root, f"an IDX file of {missing} beside {present.name}", "none",
                f"Add it; its name is that of {present.name} with "
                f"{'labels and idx1' if labels is None else 'images and idx3'}.",
            )  # fmt: skip
        parts.append(_part(split, images, labels))
    if parts[0].split != TRAIN and not is_measured:
        raise DataError(
            root, "IDX files to learn from (train-images..., train-labels...)",
            f"only {parts[0].images.path.name}", "Add them.",
        )  # fmt: skip
    return parts


def _part(split: int, image_path: Path, label_path: Path) -> _Part:
    images = read_idx_header(image_path)
    if images.dtype != "uint8" or len(images.shape) not in (3, 4):
        what = "labels" if len(images.shape) == 1 else f"{len(images.shape)} axes"
        raise DataError(
            f"{image_path} (byte 2)", "pictures: bytes (08) on 3 axes, or 4 with colour",
            f"{what} of {np.dtype(images.dtype).name}",
            "Check that pictures and labels have not changed their names.",
        )  # fmt: skip
    header = read_idx_header(label_path)
    if np.dtype(header.dtype).kind == "f" or len(header.shape) != 1:
        raise DataError(
            f"{label_path} (byte 2)", "labels: whole numbers (08 to 0c) on 1 axis",
            f"{np.dtype(header.dtype).name} on {len(header.shape)} axes",
            "Check that pictures and labels have not changed their names.",
        )  # fmt: skip
    if header.shape[0] != images.shape[0]:
        raise DataError(
            label_path, f"{images.shape[0]:,} labels, one for each picture of {image_path.name}",
            f"{header.shape[0]:,} labels", "Check that both files belong together.",
        )  # fmt: skip
    labels = read_idx(label_path).astype(np.int64)
    if labels.min() < 0:
        i = int(labels.argmin())
        raise DataError(
            f"{label_path} (label {i})", "labels from 0 up", str(labels[i]), "Correct the label."
        )
    return _Part(split, images, labels, label_path)


def _row_shape(parts: Sequence[_Part]) -> tuple[int, int, int]:
    """Return (C, H, W), the same for all parts."""
    first = parts[0].images
    for part in parts[1:]:
        if part.images.shape[1:] != first.shape[1:]:
            raise DataError(
                part.images.path, f"pictures of {_by(first.shape[1:])} as in {first.path.name}",
                f"pictures of {_by(part.images.shape[1:])}", "Bring files of the same set.",
            )  # fmt: skip
    axes = first.shape[1:]
    if len(axes) == 2:
        channels, height, width = 1, *axes
    elif axes[2] in (1, 3):
        height, width, channels = axes
    elif axes[0] in (1, 3):
        channels, height, width = axes
    else:
        raise DataError(
            first.path, "1 or 3 colours on the second or last axis", f"pictures of {_by(axes)}",
            "Store gray pictures on 3 axes.",
        )  # fmt: skip
    return channels, height, width


def _by(lengths: Sequence[int]) -> str:
    return " x ".join(map(str, lengths))


def _images(parts: Sequence[_Part], shape: tuple[int, int, int], fingerprint: str) -> np.ndarray:
    """Return all parts' pictures, one after the other: (N, C, H, W) uint8."""

    def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
        for part in parts:
            for rows in idx_rows(part.images, max(1, _CHUNK_BYTES // int(np.prod(shape)))):
                if rows.shape[1:] == (*shape[1:], shape[0]):  # colours last
                    rows = np.moveaxis(rows, -1, 1)
                yield rows.reshape(-1, *shape)

    return cache.build(cache.key_of("idx", fingerprint), shape, "uint8", chunks)[0]


def _unknown_labels(
    parts: Sequence[_Part], labels: np.ndarray, splits: np.ndarray, values: np.ndarray,
    names: Sequence[str], on_bad: str,
) -> tuple[str, ...]:  # fmt: skip
    """Find examples whose label the training part does not have; leave them out if wanted."""
    rows = np.flatnonzero(~np.isin(labels, values))
    if not len(rows):
        return ()
    if on_bad == "stop":
        part = next(p for p in parts if p.split == splits[rows[0]])
        i = int(np.flatnonzero(part.labels == labels[rows[0]])[0])
        raise DataError(
            f"{part.label_path} (label {i})",
            f"one of the labels to learn from: {named([str(v) for v in values])}",
            f"{labels[rows[0]]}; {len(rows):,} labels in all are unknown",
            "Correct them, or leave these examples out with --on-bad skip.",
        )  # fmt: skip
    splits[rows] = LEFT_OUT
    return tuple(
        f"{names[i]}: label {labels[i]} is not among those to learn from" for i in rows.tolist()
    )


def _fingerprint(parts: Sequence[_Part]) -> str:
    """Hash the files as they lie on the disk, without unpacking them."""
    content = hashlib.blake2b(digest_size=20)
    for part in parts:
        for path in (part.images.path, part.label_path):
            with path.open("rb") as file:
                content.update(f"{part.split}".encode())
                content.update(hashlib.file_digest(file, "blake2b").digest())
    return content.hexdigest()
