"""Which files of a folder are not used, in words: nothing is left out in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from samoyed.core.errors import first_names

_ABOUT = re.compile(
    r"(?:readme|licen[cs]e|copying|citation)\b|.*\.(?:md|html?|pdf)$", re.IGNORECASE
)


_LITTER = frozenset([
    "thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx", "$recycle.bin", "@eadir",
    "system volume information", "lost+found", "found.000", "#recycle", "@tmp", "__pycache__",
])  # fmt: skip


def is_litter(name: str) -> bool:
    """Tell by its name whether a file or folder is hidden, or what systems and archivers leave.

    >>> is_litter(".git"), is_litter("@eaDir"), is_litter("rose")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in _LITTER


def is_about(name: str) -> bool:
    """Tell by its name whether a file speaks of the data instead of being a part of it.

    >>> is_about("README"), is_about("notes.md"), is_about("train.txt")
    (True, True, False)
    """
    return bool(_ABOUT.match(name))


def left_out(folder: Path, used: Collection[Path], what: str) -> tuple[str, ...]:
    """Say which files of a folder are not used, in one warning or none.

    Args:
        folder: what was named; of a file nothing is left out.
        used: the files that are read.
        what: the folder was taken for, in words.
    """
    if not folder.is_dir():
        return ()
    known = {os.path.abspath(path) for path in used}
    others = [path for path in _files(folder) if os.path.abspath(path) not in known]
    others.sort(key=os.path.exists)  # links that lead nowhere first
    if not others:
        return ()
    shown = first_names([_told(path, folder) for path in others], most=8)
    num = "1 file" if len(others) == 1 else f"{len(others):,} files"
    return (
        f"{num} not used, as the folder is read as {what}: {shown}; to learn from "
        f"{'it' if len(others) == 1 else 'one of them'} give it by name",
    )


def _files(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and speaks of no other, litter left out, in order."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        for name in sorted(names):
            if not is_litter(name) and not is_about(name):
                yield Path(place, name)


def _told(path: Path, folder: Path) -> str:
    name = str(path.relative_to(folder))
    return name if path.exists() else f"{name} (a link that leads nowhere)"
