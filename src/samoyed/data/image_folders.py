"""A folder per class, with or without a folder per split around them."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from samoyed.core.errors import DataError, did_you_mean
from samoyed.core.spec import LabelSpec
from samoyed.data.image_files import Files
from samoyed.data.image_layout import find_splits, list_folder, walk
from samoyed.data.image_reasons import Bad, BadPicture, error_of, lines_of, named
from samoyed.data.image_source import TEST, TRAIN, VALIDATION, ImageSource
from samoyed.data.image_split import hold_out, suspicions
from samoyed.data.image_summary import describe, natural_size
from samoyed.data.pixels import Inspection, in_parallel, inspect


@dataclass(frozen=True)
class PictureFile:
    """A picture whose header has been read."""

    path: str
    name: str
    label: str
    split: int
    header: Inspection


@dataclass
class _Found:
    """What a scan has gathered so far."""

    candidates: list[tuple[str, str, int]] = field(default_factory=list)  # path, class, split
    bad: list[Bad] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def scan_folders(root: Path, *, on_bad: str, seed: int) -> ImageSource:
    """Read the headers of all pictures below a folder and describe what is there.

    Raises:
        DataError: there is no class folder, only one class, or, unless bad files are skipped,
            something that cannot be used.
    """
    listing = list_folder(root)
    places = find_splits(root, listing.folders)
    found = _Found()
    if places and TEST not in places:
        held_out = places.pop(VALIDATION)
        places[TEST] = held_out
        found.warnings.append(f"{held_out.name}/ is what is held out, as there is no test/")
    if places:
        others = [f.name for f in listing.folders if f not in places.values()]
        found.ignored += [f"{name}/" for name in others] + [str(f) for f in listing.files]
    for split, place in sorted((places or {TRAIN: root}).items()):
        _gather(place, split, found)
    files = _inspected(root, found)
    files = _drop_unusable_classes(root, files, places, found)
    if found.bad and on_bad == "stop":
        raise error_of(found.bad)
    classes = _classes(root, files, found.bad)
    return _source(root, files, classes, bool(places), found, on_bad=on_bad, seed=seed)


def _gather(place: Path, split: int, found: _Found) -> None:
    """Note every picture of every class folder of one split."""
    listing = list_folder(place)
    if not listing.folders and not listing.files:
        raise DataError(
            place, "a folder for each class, with pictures in it", "an empty folder",
            "Put the pictures of each class in a folder of its own, named after the class.",
        )  # fmt: skip
    if not listing.folders:
        raise DataError(
            place, "a folder for each class, with pictures in it",
            f"{len(listing.files):,} loose files and no folder: "
            f"{named([f.name for f in listing.files])}",
            "Put each class in a folder of its own, named after the class.",
        )  # fmt: skip
    found.ignored += [str(file) for file in listing.files]
    for folder in listing.folders:
        below = walk(folder)
        found.ignored += below.ignored
        found.bad += below.bad
        found.candidates += [(path, folder.name, split) for path in below.pictures]
        if not below.pictures and not below.bad:
            what = f"{len(below.ignored):,} files, none a picture" if below.ignored else "no file"
            reason = BadPicture(
                what, "Add pictures or remove the folder.", f"pictures of class {folder.name!r}"
            )
            found.bad.append((folder, reason))


def _inspected(root: Path, found: _Found) -> list[PictureFile]:
    """Read all headers; what is bad goes to `found.bad`."""
    headers = in_parallel(inspect, [path for path, _, _ in found.candidates])
    files = []
    for (path, label, split), header in zip(found.candidates, headers, strict=True):
        if isinstance(header, BadPicture):
            found.bad.append((path, header))
        else:
            files.append(PictureFile(path, os.path.relpath(path, root), label, split, header))
    return files


def _drop_unusable_classes(
    root: Path, files: list[PictureFile], places: dict[int, Path], found: _Found
) -> list[PictureFile]:
    """Leave out classes that cannot be learned, or that only the held-out part knows."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for file in files:
        counts[file.split, file.label] += 1
    known = {label for split, label in counts if split == TRAIN}
    dropped = set()
    for (split, label), count in counts.items():
        if not places and count < 2:
            found.bad.append((root / label, BadPicture(
                f"{count} picture", "Add pictures or remove the folder.",
                "at least 2 pictures of each class, one to learn from and one to test with",
            )))  # fmt: skip
            dropped.add((split, label))
        elif label not in known:
            found.bad.append((places[split] / label, BadPicture(
                f"class {label!r} with {count:,} pictures, which train/ does not have",
                f"Add it to train/ or rename it.{did_you_mean(label, known)}",
                f"one of the {len(known)} classes of train/: {named(sorted(known))}",
            )))  # fmt: skip
            dropped.add((split, label))
    return [file for file in files if (file.split, file.label) not in dropped]


def _classes(root: Path, files: list[PictureFile], bad: list[Bad]) -> tuple[str, ...]:
    """Return the class names in the order of folders; at least two or it is an error."""
    classes = tuple(dict.fromkeys(file.label for file in files if file.split == TRAIN))
    if len(classes) >= 2:
        return classes
    expected = "at least two classes, each a folder with pictures"
    skipped = f" ({len(bad):,} bad ones left out)" if bad else ""
    if not classes:
        raise DataError(root, expected, f"no usable picture{skipped}", "Check the files.")
    inner = [f for f in list_folder(root).folders if f.name == classes[0]]
    nested = [f.name for f in list_folder(inner[0]).folders] if inner else []
    hint = "Add a folder for each other class."
    if nested:
        hint = f"If {named(nested)} are the classes, name {inner[0]}."
    raise DataError(root, expected, f"one class only, {classes[0]!r}{skipped}", hint)


def _source(
    root: Path,
    files: list[PictureFile],
    classes: tuple[str, ...],
    has_official_test: bool,
    found: _Found,
    *,
    on_bad: str,
    seed: int,
) -> ImageSource:
    order = {label: k for k, label in enumerate(classes)}
    targets = np.array([order[file.label] for file in files], np.int64)
    digests = [file.header.digest for file in files]
    splits = np.array([file.split for file in files], np.int8)
    if not has_official_test:
        splits = hold_out(targets, digests, seed)
    rows = np.argsort(splits, kind="stable")  # so that each split is one piece of the array
    files, targets, splits = [files[i] for i in rows], targets[rows], splits[rows]
    digests = [digests[i] for i in rows]
    names = [file.name for file in files]
    if not (splits == TEST).any():
        raise DataError(
            root, "pictures to hold out", "none: in every class all are copies of one picture",
            "Add pictures.",
        )  # fmt: skip
    spec, sizes = natural_size([file.header for file in files])
    warnings = found.warnings + suspicions(targets, splits, digests, names, classes)
    if found.ignored:
        ignored = [os.path.relpath(path, root) for path in found.ignored]
        warnings.append(f"not pictures, ignored, {len(ignored):,}: {named(ignored)}")
    if sizes:
        warnings.append(sizes)
    content = hashlib.blake2b(repr((classes, targets.tolist(), splits.tolist())).encode())
    content.update("".join(digests).encode())
    fingerprint = content.hexdigest()[:40]
    lines = describe(targets, splits, classes, spec, has_official_test, seed)
    return ImageSource(
        name=root.resolve().name, path=str(root), spec=spec, labels=LabelSpec(classes),
        has_official_test=has_official_test, targets=targets, splits=splits, names=names,
        lines=lines, warnings=tuple(warnings), left_out=lines_of(found.bad),
        fingerprint=fingerprint,
        contents=Files(tuple(file.path for file in files), fingerprint, on_bad),
    )  # fmt: skip
