"""Pictures that a table names by less than their path: an id, or a name without its folder.

So `labels.csv` with `id,breed` beside `train/0001.jpg`, as data for competitions comes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from samoyed.data.image_parts import part_in
from samoyed.data.image_reasons import BadPicture, named
from samoyed.data.image_source import TRAIN
from samoyed.data.left_out import is_litter
from samoyed.data.pixels import SUFFIXES

ENOUGH = 0.5  # share of names that must be those of pictures
_SAMPLE = 200  # names that are looked up to tell
_DEEPEST = 3  # folders below the table's
_MOST_FILES = 2_000_000
_MOST_OTHERS = 20_000  # files among which no picture is: a table in somebody's home


class Beside:
    """The pictures below a folder, by their names.

    Args:
        folder: the table's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Return paths, relative to the folder, by name with ending and without."""
        found: dict[str, list[str]] = defaultdict(list)
        seen = 0
        for place, folders, files in os.walk(self.folder):
            inner = os.path.relpath(place, self.folder)
            depth = 0 if inner == "." else inner.count(os.sep) + 1
            folders[:] = sorted(f for f in folders if depth < _DEEPEST and not is_litter(f))
            seen += len(files)
            for name in files if inner != "." else ():
                stem, ending = os.path.splitext(name)
                if ending.lower() in SUFFIXES and not is_litter(name):
                    path = f"{inner}{os.sep}{name}"
                    found[name].append(path)
                    found[stem].append(path)
                    if stem.isdecimal() and stem != str(int(stem)):
                        found[str(int(stem))].append(path)  # 7 for 0007.png
            if seen > (_MOST_FILES if found else _MOST_OTHERS):
                break
        return found

    def find(self, name: str) -> list[str]:
        """Return the pictures that a name may mean, relative to the folder."""
        plain = name.replace("\\", "/")
        found = self._by_name.get(plain.rsplit("/", 1)[-1], [])
        if "/" not in plain:
            return found
        words = plain.strip("./").split("/")
        is_elsewhere = plain.startswith("/") or plain[1:2] == ":"  # a path of another machine
        for first in range(len(words) if is_elsewhere else 1):
            tail = "/" + "/".join(words[first:])
            fitting = [path for path in found if _ends_in(path, tail)]
            if fitting:
                return fitting
        return []

    def knows(self, names: Sequence[str]) -> bool:
        """Tell whether at least half of these are names of pictures."""
        some = [name for name in dict.fromkeys(names) if name][:_SAMPLE]
        num = sum(bool(self.find(name)) for name in some)
        return bool(some) and num >= ENOUGH * len(some)


class Joined:
    """Names of a table, joined to the pictures beside it.

    Args:
        beside: the pictures.
        split: of the table, where its name or folder says so.
    """

    def __init__(self, beside: Beside, split: int | None) -> None:
        self.beside = beside
        self.split = split
        self.missing: list[str] = []
        self.places: dict[str, int] = defaultdict(int)

    def path(self, name: str) -> str | BadPicture | None:
        """Return the picture that a name means, why that cannot be told, or None for no picture."""
        found = self.beside.find(name)
        if len(found) > 1:
            wanted = TRAIN if self.split is None else self.split
            found = [path for path in found if _split_of(path) == wanted] or found
        if not found:
            self.missing.append(name)
            return None
        if len(found) > 1:
            return BadPicture(
                f"{name!r}, which {len(found):,} pictures are called: {named(found)}",
                "Write the path of the picture.", "the name of one picture",
            )  # fmt: skip
        self.places[os.path.dirname(found[0])] += 1
        return os.path.join(self.beside.folder, found[0])

    def line(self, column: str) -> str:
        """Say what was joined to what."""
        num = sum(self.places.values())
        where = named([f"{place}/" for place in self.places])
        return f"joined:   {num:,} values of {column!r} name pictures in {where}"

    def bad(self, column: str, num_rows: int) -> BadPicture | None:
        """Return what is wrong where some names are those of no picture, in one for all."""
        if not self.missing:
            return None
        where = named([f"{place}/" for place in self.places])
        return BadPicture(
            f"{len(self.missing):,} of {num_rows:,} values of {column!r} name no picture in "
            f"{where}: {named(self.missing)}",
            "Add the pictures or take the rows out.", "names of pictures that are there",
        )  # fmt: skip


def _ends_in(path: str, tail: str) -> bool:
    return f"/{path}".endswith(tail) or f"/{os.path.splitext(path)[0]}".endswith(tail)


def _split_of(path: str) -> int | None:
    said = [part for name in path.split(os.sep)[:-1] if (part := part_in(name)) is not None]
    return said[0].split if said else None
