"""Folders of texts: one folder for each class, or files named train, dev and test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from samoyed.core.errors import DataError
from samoyed.data.labelled_lines import Labelled
from samoyed.data.left_out import is_about, is_litter
from samoyed.data.text_files import read_file

SMALL_BYTES = 32_768  # a text of a class, not a book
MANY = 5  # texts of each class, from which a folder of folders is plainly labelled
UNLABELLED = ("unsup", "unlabeled", "unlabelled")
DECODED_TWICE = "UTF-8 that was read as Windows-1252"  # in the notes of whoever reads a file
SHORTEST_HASH = 20  # letters and digits; an ending has fewer
PROBED, PROBED_BYTES = 20, 4096  # files of a class whose beginnings are looked at

Part = Literal["train", "validation", "test"]
_NAMES: dict[Part, str] = {
    "validation": "testa|dev|devel|valid|val|validation|development",
    "test": "testb|test|testing|eval|evaluation|heldout",
    "train": "train|training",
}
_PARTS = {part: re.compile(rf"(?<![a-z])(?:{names})(?![a-z])") for part, names in _NAMES.items()}


def part_of(name: str) -> Part | None:
    """Tell from a file's or folder's name which part of the data it is.

    >>> [part_of(n) for n in ("stsa.binary.dev", "eng.testb", "TREC.train.all", "README")]
    ['validation', 'test', 'train', None]
    """
    small = name.lower()
    return next((part for part, pattern in _PARTS.items() if pattern.search(small)), None)


def named_parts(folder: Path) -> dict[Part, Path]:
    """Return the files of a folder that are named train, dev or test, where there is a train.

    Raises:
        DataError: for two files of the same part.
    """
    found: dict[Part, Path] = {}
    for path in sorted(folder.iterdir()):
        part = None if path.name.startswith(".") or not path.is_file() else part_of(path.name)
        if part is None:
            continue
        if part in found:
            raise DataError(
                folder, f"one file of the {part} part", f"{found[part].name} and {path.name}",
                "Move one of them elsewhere, or name the files: samoyed train FILE --test FILE",
            )  # fmt: skip
        found[part] = path
    return found if "train" in found else {}


def class_folders(folder: Path) -> dict[Part, dict[str, list[Path]]]:
    """Return for each part the classes and their files, or nothing where it is no such folder.

    Args:
        folder: holds one folder for each class, or train/ and test/ with such folders.
    """
    parts = part_folders(folder)
    if parts["train"] == folder and len(_folders(folder)) < 2:
        return {}
    return {part: classes_in(path) for part, path in parts.items()}


def part_folders(folder: Path) -> dict[Part, Path]:
    """Return where each part's classes lie: in train/, test/ and so on, or all in the folder.

    Whatever lies beside parts that hold classes belongs to none of them.
    """
    inside = _folders(folder)
    parts = {part: path for path in inside if (part := part_of(path.name))}
    if "train" not in parts:
        return {"train": folder}
    others = [p for p in inside if part_of(p.name) is None and p.name not in UNLABELLED]
    if not any(map(texts_in, others)) or looks_labelled(classes_in(parts["train"])):
        return parts
    return {"train": folder}


def _folders(folder: Path) -> list[Path]:
    return sorted(
        p for p in folder.iterdir()
        if p.is_dir() and not is_litter(p.name)
    )  # fmt: skip


def classes_in(folder: Path) -> dict[str, list[Path]]:
    """Return the texts of every folder in this one; files without endings where all are texts."""
    inside = _folders(folder)
    found = {inner.name: texts_in(inner) for inner in inside}
    if any(found.values()):
        return found
    unnamed = {inner.name: _unnamed(inner) for inner in inside}
    return found if None in unnamed.values() else {k: v or [] for k, v in unnamed.items()}


def _unnamed(folder: Path) -> list[Path] | None:
    """Return the files of a folder if none has an ending and they are texts; else None.

    Numbers and hashes behind a point are no endings: mails are stored so.
    """
    found = []
    for path in folder.rglob("*"):
        if path.name.startswith(".") or is_about(path.name) or not path.is_file():
            continue
        ending = path.suffix[1:]
        if ending and not ending.isdigit() and len(ending) < SHORTEST_HASH:
            return None
        found.append(path)
    found.sort()
    return found if all(map(_is_text, found[:PROBED])) else None


def _is_text(path: Path) -> bool:
    """Tell by its beginning whether a file may be a text."""
    with path.open("rb") as file:
        start = file.read(PROBED_BYTES)
    return b"\0" not in start and not start.startswith(b"\x1f\x8b")


def texts_in(folder: Path) -> list[Path]:
    """Return the files of a folder, and of those in it, that are texts by their names."""
    names = (".txt", ".txt.gz", ".text")
    return sorted(
        path for path in folder.rglob("*")
        if path.name.lower().endswith(names) and not path.name.startswith(".") and path.is_file()
    )  # fmt: skip


def looks_labelled(classes: Mapping[str, Sequence[Path]]) -> bool | None:
    """Tell whether these are classes of texts; None where it may as well be one text in files."""
    groups = [files for name, files in classes.items() if files and name not in UNLABELLED]
    if len(groups) < 2:
        return False
    sizes = sorted(path.stat().st_size for files in groups for path in files[:200])
    is_small = sizes[len(sizes) // 2] <= SMALL_BYTES
    fewest = min(len(files) for files in groups)
    if is_small and fewest >= MANY:
        return True
    return None if is_small and fewest >= 2 else False


def read_classes(
    folder: Path, classes: Mapping[str, Sequence[Path]], on_bad: str, notes: list[str],
    skipped: list[str], digest: hashlib._Hash,
) -> list[Labelled]:  # fmt: skip
    """Read one part's texts.

    Raises:
        DataError: for a class without a text, or a file that is empty or no text.
    """
    records = []
    western: list[str] = []
    twice: list[str] = []
    for label, files in classes.items():
        if label in UNLABELLED:
            notes.append(f"{folder / label}: {len(files):,} texts without a label are left out")
            continue
        if not files:
            raise DataError(
                folder / label, "a folder of .txt files, as the others", "none in it",
                "Remove the folder, or put the texts of its class there.",
            )  # fmt: skip
        for path in files:
            try:
                reading = read_file(path, is_western_allowed=True)
                if not reading.text.strip():
                    raise DataError(path, "a text", "spaces alone", "Remove the file or fill it.")
            except DataError as error:
                if on_bad == "stop":
                    raise
                skipped.append(f"{path}: {error.found}")
                continue
            digest.update(f"{label}\0{len(reading.data)}\0".encode() + reading.data)
            western += [path.name] if any("not UTF-8" in n for n in reading.notes) else []
            twice += [str(path)] if any(DECODED_TWICE in n for n in reading.notes) else []
            records.append(Labelled(label, reading.text.strip(), str(path)))
    if western:
        notes.append(f"{len(western):,} files are not UTF-8 and read as Windows-1252")
    if twice:
        notes.append(
            f"{len(twice):,} files hold {DECODED_TWICE} and saved again (first: {twice[0]}); "
            "mend them where they were read"
        )
    return records
