"""Folders: what lies in them, and which of it is pictures."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from samoyed.core.errors import DataError
from samoyed.data.image_reasons import UNSUPPORTED, Bad, BadPicture, error_of
from samoyed.data.image_source import TEST, TRAIN, VALIDATION
from samoyed.data.left_out import is_litter
from samoyed.data.pixels import SUFFIXES

SPLIT_NAMES = {
    "train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION,
}  # fmt: skip
_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*",
    b"P1", b"P2", b"P3", b"P4", b"P5", b"P6",
)  # fmt: skip


class Listing(NamedTuple):
    """What lies directly in a folder, by name, without hidden files and systems' litter."""

    folders: list[Path]
    files: list[Path]


@dataclass
class Below:
    """What lies anywhere below a folder.

    Args:
        pictures: files that are meant to be pictures.
        ignored: files that are not.
        bad: what is in the way, with the reason.
    """

    pictures: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def list_folder(path: Path) -> Listing:
    """List a folder in the order of names, numbers in them counted as numbers.

    Raises:
        DataError: it may not be read.
    """
    folders: list[Path] = []
    files: list[Path] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if is_litter(entry.name):
                    continue
                (folders if _is_folder(entry) else files).append(Path(entry.path))
    except OSError as error:
        raise DataError(
            path, "a folder that can be read", f"{error.strerror or error}".lower(),
            "Give yourself permission to read it.",
        ) from error  # fmt: skip
    return Listing(
        sorted(folders, key=lambda path: natural(path.name)),
        sorted(files, key=lambda path: natural(path.name)),
    )


def walk(folder: Path) -> Below:
    """Look through a folder and everything below it; a link back to a folder above is bad."""
    found = Below()
    _walk(folder, (os.path.realpath(folder.parent),), found)
    return found


def pictures_below(folder: Path) -> list[str]:
    """Return every picture below a folder.

    Raises:
        DataError: part of it cannot be read.
    """
    found = walk(folder)
    if found.bad:
        raise error_of(found.bad, can_skip=False)
    return found.pictures


def _walk(folder: Path, above: tuple[str, ...], found: Below) -> None:
    real = os.path.realpath(folder)
    if any(inner == real or inner.startswith(real + os.sep) for inner in above):
        reason = BadPicture(
            f"a link that leads back to {real}", "Remove the link.", "a folder of pictures"
        )
        found.bad.append((folder, reason))
        return
    try:
        listing = list_folder(folder)
    except DataError as error:
        found.bad.append((folder, BadPicture(error.found, error.hint, error.expected)))
        return
    for file in listing.files:
        suffix = file.suffix.lower()
        if suffix in SUFFIXES or (not suffix and _begins_like_picture(file)):
            found.pictures.append(str(file))
        elif suffix in UNSUPPORTED:
            found.bad.append((file, BadPicture(UNSUPPORTED[suffix], "Convert it to PNG or JPEG.")))
        else:
            found.ignored.append(str(file))
    for inner in listing.folders:
        _walk(inner, (*above, real), found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _begins_like_picture(path: Path) -> bool:
    if path.is_symlink() and not path.exists():
        return False
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(_MAGIC)
    except OSError:
        return True  # let the reader say what is wrong with it


def natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts 2.png before 10.png."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() and p.isascii() else (-1, p) for p in parts]
