"""Labels that are no classes of whole pictures: boxes around objects, and spreadsheets.

People have folders that were made for finding objects in pictures: a text, an XML file or one JSON
file says where each object is. Such a folder cannot be learned from as it is; an error that names
what was seen spares the search for a fault that is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

YOLO_LINE = re.compile(rb"\s*\d+(\s+(0|1|[01]?\.\d+)(e-?\d+)?){4,}\s*$")
_SHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_MOST_READ = 1 << 23  # bytes of a JSON file; pictures are listed before their boxes
_MOST_FILES = 50  # of each suffix that are looked into


def hint_of_labels(files: Iterable[Path]) -> str:
    """Say which of these files hold boxes, or are spreadsheets, and what helps; else nothing.

    Args:
        files: of a folder that cannot be read as pictures of classes.
    """
    seen: dict[str, int] = {}
    for file in files:
        suffix = file.suffix.lower()
        seen[suffix] = seen.get(suffix, 0) + 1
        if suffix in _SHEETS:
            return (
                f"{file.name} is a spreadsheet: if it says what the pictures show, save its sheet "
                f"as {file.stem}.csv, with a column of paths and one of labels."
            )
        if seen[suffix] <= _MOST_FILES and (kind := _kind_of_boxes(file)):
            return (
                f"{file.name} holds boxes around objects ({kind}), and samoyed learns what a "
                "picture shows as a whole: cut the objects out into a folder for each class, or "
                "add a table of paths and labels (labels.csv) and move the boxes elsewhere."
            )
    return ""


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
        lines = start.splitlines()[:1]
        return "YOLO's format" if lines and YOLO_LINE.match(lines[0]) else ""
    if suffix == ".xml":
        return "Pascal VOC's format" if b"<annotation" in start[:1024] else ""
    return "COCO's format" if b'"annotations"' in start and b'"bbox"' in start else ""
