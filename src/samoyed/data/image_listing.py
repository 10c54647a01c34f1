"""From pictures that folders or tables name to a source: headers, classes, split, warnings.

However people name their pictures and labels, it ends in a `Found`; `source_of` does the rest.
Shapes: N pictures, K classes or labels.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samoyed.core.errors import DataError, misspelt
from samoyed.core.spec import LabelSpec
from samoyed.data.image_files import Files
from samoyed.data.image_layout import list_folder, natural
from samoyed.data.image_parts import part_in
from samoyed.data.image_reasons import Bad, BadPicture, error_of, lines_of, named, nearly_same
from samoyed.data.image_source import TEST, TRAIN, VALIDATION, ImageSource
from samoyed.data.image_split import hold_out, strata_of, suspicions
from samoyed.data.image_summary import describe, gray_bits, natural_size, suspicious_shapes
from samoyed.data.pixels import SUFFIXES, Inspection, in_parallel, inspect


class UnknownClass(BadPicture):
    """Why pictures of a class cannot be used to measure a run that does not know it."""


class Known(NamedTuple):
    """What a finished run knows, where pictures are there to measure it on.

    Args:
        labels: its classes or labels.
        is_several: whether its pictures have any number of them.
    """

    labels: tuple[str, ...]
    is_several: bool


@dataclass(frozen=True)
class Entry:
    """A picture that a folder or a row of a table names.

    Args:
        path: of the file.
        labels: its class, or all its labels.
        split: TRAIN, VALIDATION or TEST.
        unknown: labels of which nobody said whether it has them.
    """

    path: str
    labels: tuple[str, ...]
    split: int = TRAIN
    unknown: tuple[str, ...] = ()


@dataclass
class Found:
    """What a scan has gathered.

    Args:
        root: where the data is, for messages and names.
        entries: the pictures.
        has_official_split: whether the data says what is held out.
        is_several: whether pictures have any number of labels, not one class each.
        classes: their order, where the data gives it; else the order of names.
        place_of: (split, class) -> where the pictures of a class are.
        split_name: of a split, as the data calls it.
        known: what a run knows that is to be measured; one class is enough then.
    """

    root: Path
    entries: list[Entry] = field(default_factory=list)
    has_official_split: bool = False
    is_several: bool = False
    classes: tuple[str, ...] | None = None
    place_of: Callable[[int, str], str | Path] = lambda split, label: ""
    split_name: Callable[[int], str] = lambda split: ("train/", "valid/", "test/")[split]
    known: Known | None = None
    bad: list[Bad] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PictureFile:
    """A picture whose header has been read."""

    entry: Entry
    name: str
    header: Inspection


def source_of(found: Found, *, on_bad: str, seed: int) -> ImageSource:
    """Read the headers of all pictures that were found and describe what is there.

    Raises:
        DataError: there is only one class or label, nothing to hold out, or, unless bad files are
            skipped, something that cannot be used.
    """
    files = _inspected(found)
    files = _drop_unusable(files, found)
    if found.bad and on_bad == "stop":
        raise error_of(found.bad)
    classes = _classes(files, found)
    targets = _targets(files, classes, found)
    digests = [file.header.digest for file in files]
    splits = np.array([file.entry.split for file in files], np.int8)
    if not found.has_official_split:
        splits = hold_out(strata_of(targets), digests, seed)
    rows = np.argsort(splits, kind="stable")  # so that each split is one piece of the array
    files, targets, splits = [files[i] for i in rows], targets[rows], splits[rows]
    digests = [digests[i] for i in rows]
    names = [file.name for file in files]
    if not (splits == TEST).any() and found.known is None:
        raise DataError(
            found.root, "pictures to hold out",
            "none: in every class all are copies of one picture", "Add pictures.",
        )  # fmt: skip
    headers = [file.header for file in files]
    spec, sizes = natural_size(headers)
    bits, dark = gray_bits(headers, names)
    spec = replace(spec, gray_bits=bits)
    warnings = found.warnings + dark + suspicions(targets, splits, digests, names, classes)
    warnings += suspicious_shapes(headers, names, spec) + nearly_same(classes)
    if found.ignored:
        ignored = [os.path.relpath(path, found.root) for path in found.ignored]
        loose = [name for name in ignored if os.path.splitext(name)[1].lower() in SUFFIXES]
        others = [name for name in ignored if name not in loose]
        for what, names_of in (("pictures in no class's folder", loose), ("not pictures", others)):
            if names_of:
                warnings.append(f"{what}, ignored, {len(names_of):,}: {named(names_of)}")
    fingerprint = _fingerprint(classes, targets, splits, digests)
    lines = describe(targets, splits, classes, spec, found.has_official_split, seed, sizes)
    return ImageSource(
        name=_name_of(found.root), path=str(found.root), spec=spec, labels=LabelSpec(classes),
        has_official_test=found.has_official_split, targets=targets, splits=splits, names=names,
        lines=(*found.lines, *lines), suspicions=tuple(warnings),
        left_out=(*found.skipped, *lines_of(found.bad)), fingerprint=fingerprint,
        contents=Files(tuple(file.entry.path for file in files), fingerprint, on_bad),
        digests=digests,
    )  # fmt: skip


def settle_validation(found: Found) -> None:
    """Hold the validation part out where there is no test part, and say so.

    Raises:
        DataError: nothing is left to learn from.
    """
    present = {entry.split for entry in found.entries}
    if VALIDATION in present and TEST not in present:
        found.entries = [
            Entry(e.path, e.labels, TEST if e.split == VALIDATION else e.split, e.unknown)
            for e in found.entries
        ]
        name = found.split_name(VALIDATION)
        found.warnings.append(f"{name} is what is held out, as there is no test part")
        present = present - {VALIDATION} | {TEST}
    found.has_official_split = TEST in present
    if found.entries and TRAIN not in present and found.known is None:
        raise DataError(
            found.root, "pictures to learn from", "none: all are held out", "Add a train part."
        )


def _inspected(found: Found) -> list[PictureFile]:
    """Read all headers; what is bad goes to `found.bad`."""
    folder = found.root if found.root.is_dir() else found.root.parent
    headers = in_parallel(inspect, [entry.path for entry in found.entries])
    files = []
    for entry, header in zip(found.entries, headers, strict=True):
        if isinstance(header, BadPicture):
            found.bad.append((entry.path, header))
        else:
            files.append(PictureFile(entry, os.path.relpath(entry.path, folder), header))
    return files


def _drop_unusable(files: list[PictureFile], found: Found) -> list[PictureFile]:
    """Leave out classes that cannot be learned, or that only the held-out part knows."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for file in files:
        for label in file.entry.labels:
            counts[file.entry.split, label] += 1
    if found.known is not None:
        return files if found.is_several else _drop_strangers(files, found, found.known)
    known = {label for split, label in counts if split == TRAIN}
    if found.is_several:
        strange = sorted({label for _, label in counts} - known)
        if strange:
            found.warnings.append(
                f"labels that no picture to learn from has, left out: {named(strange)}"
            )
        return files
    dropped = set()
    for (split, label), count in counts.items():
        if not found.has_official_split and count < 2:
            found.bad.append((found.place_of(split, label), BadPicture(
                f"{count} picture" + _of_class(found, label), "Add pictures or remove it.",
                "at least 2 pictures of each class, one to learn from and one to test with",
            )))  # fmt: skip
            dropped.add((split, label))
        elif label not in known:
            train = found.split_name(TRAIN)
            found.bad.append((found.place_of(split, label), BadPicture(
                f"class {label!r} with {count:,} pictures, which {train} does not have",
                f"Add it to {train} or rename it.{misspelt(label, known)}",
                f"one of the {len(known)} classes of {train}: {named(sorted(known))}",
            )))  # fmt: skip
            dropped.add((split, label))
    return [f for f in files if (f.entry.split, f.entry.labels[0]) not in dropped]


def _drop_strangers(files: list[PictureFile], found: Found, known: Known) -> list[PictureFile]:
    """Leave out classes that the run which is measured does not know."""
    counts = Counter((file.entry.split, file.entry.labels[0]) for file in files)
    strange = {(split, label): num for (split, label), num in counts.items()
               if label not in known.labels}  # fmt: skip
    for (split, label), num in strange.items():
        found.bad.append((found.place_of(split, label), UnknownClass(
            f"class {label!r} with {_pictures(num)}, which the run does not know",
            "Name data with the run's classes alone, train again with this one"
            + misspelt(label, known.labels).replace(" Did you mean", ", rename it to")
            .rstrip("?"),
            f"one of the run's classes: {named(known.labels)}",
        )))  # fmt: skip
    return [f for f in files if (f.entry.split, f.entry.labels[0]) not in strange]


def _pictures(num: int) -> str:
    return "1 picture" if num == 1 else f"{num:,} pictures"


def _of_class(found: Found, label: str) -> str:
    """Name the class where the place does not."""
    return "" if os.path.basename(found.place_of(TRAIN, label)) == label else f" of class {label!r}"


def _classes(files: list[PictureFile], found: Found) -> tuple[str, ...]:
    """Return the names of classes or labels in order; too few are an error."""
    learned = [file for file in files if file.entry.split == TRAIN or found.known is not None]
    present = {label for file in learned for label in file.entry.labels}
    order = found.classes or sorted(present, key=natural)
    classes = tuple(label for label in order if label in present)
    if found.known is not None and found.is_several and learned:
        return (*found.known.labels, *(c for c in classes if c not in found.known.labels))
    if len(classes) >= (1 if found.is_several or found.known is not None else 2):
        return classes
    if found.known is not None:
        raise _none_known(found, found.known)
    expected = "at least two classes, each with pictures"
    skipped = f" ({len(found.bad):,} bad ones left out)" if found.bad else ""
    if not classes:
        what = "no label in any row" if found.is_several and learned else "no usable picture"
        raise DataError(found.root, expected, f"{what}{skipped}", "Check the files.")
    raise DataError(
        found.root, expected, f"one class only, {classes[0]!r}{skipped}",
        _hint_of_one(found, classes[0]),
    )  # fmt: skip


def _none_known(found: Found, known: Known) -> DataError:
    """Return the error for data in which a run finds nothing to be measured on."""
    others = lines_of([bad for bad in found.bad if not isinstance(bad[1], UnknownClass)])
    counts = Counter(label for entry in found.entries for label in entry.labels)
    strange = sorted(counts.keys() - set(known.labels), key=natural)
    told, hint = "no usable picture", "Check the files."
    if strange:
        shown = [f"{name} ({_pictures(counts[name])})" for name in strange]
        told = f"none of them, but {'classes' if len(strange) > 1 else 'a class'} that the run "
        told += f"does not know: {named(shown)}"
        meant = (misspelt(name, known.labels).replace("?", f" by {name!r}?")
                 for name in strange)  # fmt: skip
        hint = "Name data with the run's classes, or train again with these."
        hint += next(filter(None, meant), "")
    left = f"; left out as bad: {len(others):,} (first: {others[0]})" if others else ""
    expected = f"pictures of the run's classes: {named(known.labels)}"
    return DataError(found.root, expected, told + left, hint)


def _hint_of_one(found: Found, label: str) -> str:
    """Say where the classes may be: in folders further in, or in the names of the pictures."""
    place = Path(found.place_of(TRAIN, label))
    if found.place_of(TRAIN, label) == "" or not place.is_dir():
        return "Add pictures of each other class."
    while len(inner := list_folder(place).folders) == 1:
        place = inner[0]
    names = [folder.name for folder in inner]
    if names and all(part_in(name) is not None for name in names):
        return f"{named(names)} are parts: name {place}."
    if names:
        return f"If {named(names)} are the classes, name {place}."
    starts = {re.split(r"[-_. ]*\d", Path(entry.path).name)[0] for entry in found.entries} - {""}
    told = f", as their names begin with {named(sorted(starts))}" if 1 < len(starts) <= 20 else ""
    return (
        "Add pictures of each other class, each in a folder of its own; or where these show "
        f"several{told}, put them in such folders, or add a table of paths and labels (labels.csv)."
    )


def _targets(
    files: Sequence[PictureFile], classes: Sequence[str], found: Found
) -> np.ndarray:  # fmt: skip
    """Return (N,) int64 classes, or (N, K) float32: 1 has the label, 0 has not, NaN not known."""
    order = {label: k for k, label in enumerate(classes)}
    if not found.is_several:
        return np.array([order[file.entry.labels[0]] for file in files], np.int64)
    targets = np.zeros((len(files), len(classes)), np.float32)
    if found.known is not None and found.classes is not None:  # columns that this table lacks
        targets[:, [label not in found.classes for label in classes]] = np.nan
    for row, file in zip(targets, files, strict=True):
        row[[order[label] for label in file.entry.labels if label in order]] = 1
        row[[order[label] for label in file.entry.unknown if label in order]] = np.nan
    return targets


def _fingerprint(
    classes: Sequence[str], targets: np.ndarray, splits: np.ndarray, digests: Sequence[str]
) -> str:
    content = hashlib.blake2b(repr((classes, targets.tolist(), splits.tolist())).encode())
    content.update("".join(digests).encode())
    return content.hexdigest()[:40]


def _name_of(root: Path) -> str:
    """Return a short name for titles: the folder's, or the table's without its ending."""
    whole = root.resolve()
    return whole.name if whole.is_dir() else whole.stem
