"""Labels that are no classes of whole pictures: boxes around objects, and spreadsheets.

People have folders that were made for finding objects in pictures: a text, an XML file or one JSON
file says where each object is. Such a folder cannot be learned from as it is; an error that names
what was seen spares the search for a fault that is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

LACKING_LABELS = ("one class only", "none a picture", "loose files")
"""What errors say that labels of another kind explain."""

_NUMBER = rb"(?:[01]|[01]?\.\d+(?:e-?\d+)?|\d+(?:\.\d+)?e-\d+)"
_YOLO = re.compile(rb"\s*\d+(?:\.0)?((?:[ \t]+" + _NUMBER + rb")+)\s*$")
_VOC = re.compile(rb"<annotation[\s>]")
_COCO = re.compile(rb'"bbox"\s*:\s*\[')
_SHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_FOLDERS = ("labels", "annotations", "Annotations")  # where boxes are kept
_MOST_READ = 1 << 23  # bytes of a JSON file; pictures are often listed before their boxes
_MOST_FILES = 50  # of a suffix, or of a folder of boxes, that are looked into


def hint_of_sheet(files: Iterable[Path]) -> str:
    """Name a spreadsheet among these files, and what helps; else nothing."""
    file = next((file for file in files if file.suffix.lower() in _SHEETS), None)
    if file is None:
        return ""
    return (
        f"{file.name} is a spreadsheet: if it says what the pictures show, save its sheet as "
        f"{file.stem}.csv, with a column of paths and one of labels."
    )


def hint_of_boxes(root: Path, files: Sequence[Path]) -> str:
    """Name a file that holds boxes around objects, and what helps; else nothing.

    Args:
        root: a folder that cannot be read as pictures of classes.
        files: the first of those below it; where there are many, boxes are looked for in the
            folders that usually hold them.
    """
    for file in (*_first_of_each_suffix(files), *_kept_apart(root)):
        if kind := _kind_of_boxes(file):
            return (
                f"{file.name} holds boxes around objects ({kind}), and samoyed learns what a "
                "picture shows as a whole: cut the objects out into a folder for each class, or "
                "add a table of paths and labels (labels.csv) and move the boxes elsewhere."
            )
    return ""


def _first_of_each_suffix(files: Iterable[Path]) -> Iterator[Path]:
    seen: Counter[str] = Counter()
    for file in files:
        seen[file.suffix.lower()] += 1
        if seen[file.suffix.lower()] <= _MOST_FILES:
            yield file


def _kept_apart(root: Path) -> Iterator[Path]:
    """Yield the first files of folders named as those of boxes are, a folder deeper too."""
    for name in _FOLDERS:
        for folder in (root / name, *(inner / name for inner in _folders(root))):
            for place in (folder, *_folders(folder)):
                yield from islice(_files(place), _MOST_FILES)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(inner for inner in place.iterdir() if inner.is_dir())[:_MOST_FILES]
    except OSError:
        return []


def _files(place: Path) -> Iterator[Path]:
    try:
        yield from (file for file in place.iterdir() if file.is_file())
    except OSError:
        return


def _kind_of_boxes(file: Path) -> str:
    """Name the format of a file of boxes, or return nothing."""
    suffix = file.suffix.lower()
    if suffix not in (".txt", ".xml", ".json"):
        return ""
    try:
        with file.open("rb") as opened:
            start = opened.read(_MOST_READ if suffix == ".json" else 4096)
    except OSError:
        return ""
    if suffix == ".txt":
        return "YOLO's format" if _is_yolo(start) else ""
    if suffix == ".xml":
        return "Pascal VOC's format" if _VOC.search(start[:1024]) else ""
    is_long = file.name.startswith("instances_") and b'"file_name"' in start
    return "COCO's format" if is_long or _COCO.search(start) else ""


def _is_yolo(start: bytes) -> bool:
    r"""Tell whether a class, the centre and the sides of a box (or corners) are in a line.

    >>> _is_yolo(b"0 0.5 0.5 0.25 1\n"), _is_yolo(b"1 0 0 1 0\n"), _is_yolo(b"2 .1 .2 .3\n")
    (True, False, False)
    """
    line = next((line for line in start.splitlines() if line.strip()), b"")
    found = _YOLO.match(line)
    numbers = found[1].split() if found else []
    is_box = len(numbers) in (4, 5) or (len(numbers) >= 6 and len(numbers) % 2 == 0)
    return is_box and any(b"." in number for number in numbers)
