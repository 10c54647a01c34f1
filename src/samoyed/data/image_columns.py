"""Which columns of a table name the pictures, their labels, and the split."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from samoyed.core.errors import DataError, OptionError
from samoyed.data.image_beside import Beside, Joined
from samoyed.data.image_labels import PLURAL, is_yes_or_no
from samoyed.data.pixels import SUFFIXES
from samoyed.data.table_files import Cells
from samoyed.data.table_target import listed, resolve

PATH_NAMES = (
    "file_name", "filename", "file", "path", "filepath", "file_path", "image_path", "image_name",
    "image", "img", "picture", "photo", "image_id", "id", "name", "fname",
)  # fmt: skip
LABEL_NAMES = (
    "label", "class", "category", "target", "tag", "y", "species", "breed", "class_name",
    "label_name", "fine_label", "class_id", "classid", "label_id", "category_id", "category_name",
    "diagnosis", "dx", "kind", "type",
)  # fmt: skip
SPLIT_NAMES = ("split", "set", "partition", "subset", "fold_name")
_SAMPLE = 400  # rows that are looked at
_ENOUGH = 0.5  # share of cells that must look like pictures
_NEARLY = 0.9  # share of cells that are 0 or 1, from which the others are mistakes


class Columns(NamedTuple):
    """What the columns of a table are for.

    Args:
        path: names the picture.
        labels: one column of labels, or a column of yes and no for each label.
        is_yes_no: whether it is the second.
        split: says train, validation or test.
        unused: the others.
    """

    path: str
    labels: tuple[str, ...]
    is_yes_no: bool
    split: str | None
    unused: tuple[str, ...]


def find_path_column(cells: Cells, folder: Path) -> str | None:
    """Return the column whose cells name pictures: by their endings, or because they are there.

    They may be there in folders beside the table too, under a name that no other picture has.
    """
    shares = {name: _share_of_pictures(cells.column(name)) for name in cells.names}
    fitting = [name for name in cells.names if shares[name] > _ENOUGH]
    if fitting:
        return min(fitting, key=lambda name: _rank(name, PATH_NAMES))
    named = [name for name in cells.names if _rank(name, PATH_NAMES) < 1000]
    named.sort(key=lambda name: _rank(name, PATH_NAMES))
    for name in named:
        some = [cell for cell in cells.column(name)[:_SAMPLE] if cell][:20]
        if any(os.path.isfile(locate(folder, cell)) for cell in some):
            return name
    beside = Beside(folder)
    return next((name for name in named if beside.knows(cells.column(name))), None)


def settle_header(cells: Cells) -> Cells:
    """Return the table with its first row read as a header if and only if it names no picture.

    A header of words above columns of words looks like any row; a picture's path does not.
    """
    if cells.has_header:
        if not any(_is_picture(name) for name in cells.names):
            return cells
        columns = zip(cells.names, cells.columns, strict=True)
        return replace(
            cells, names=tuple(f"column {i + 1}" for i in range(len(cells.names))),
            has_header=False, columns=tuple((name, *column) for name, column in columns),
            lines=(max(1, cells.lines[0] - 1), *cells.lines),
        )  # fmt: skip
    first = [column[0] for column in cells.columns]
    is_named = len(set(first)) == len(first) and all(first)
    shares = [_share_of_pictures(column[1:]) for column in cells.columns]
    place = max(range(len(first)), key=shares.__getitem__)
    if shares[place] <= _ENOUGH or _is_picture(first[place]) or not is_named:
        return cells
    return replace(
        cells, names=tuple(first), has_header=True, lines=cells.lines[1:],
        columns=tuple(column[1:] for column in cells.columns),
    )  # fmt: skip


def find_columns(cells: Cells, folder: Path, target: str | None = None) -> Columns:
    """Return what each column is for.

    Args:
        cells: the table.
        folder: where its paths begin.
        target: the label columns, as `--target` names them, or None to find them.

    Raises:
        DataError: where pictures or labels cannot be told.
        OptionError: for a target that does not exist.
    """
    path = find_path_column(cells, folder)
    if path is None:
        raise DataError(
            cells.path, "a column with the paths of pictures, such as file_name",
            f"none; the columns: {listed(cells.names)}",
            "Name pictures by their paths, relative to the table.",
        )  # fmt: skip
    split = next((n for n in cells.names if n.lower() in SPLIT_NAMES and n != path), None)
    rest = [n for n in cells.names if n not in (path, split)]
    labels = _asked(cells, target, path) if target is not None else label_columns(cells, rest)
    if not labels:
        raise DataError(
            cells.path, "a column of labels, such as label, or several columns of 0 and 1",
            f"no such column beside {path!r}" + (f": {listed(rest)}" if rest else ""),
            f"Say which it is with --target {shlex.quote(_likeliest(cells, rest))}." if rest
            else "Add one.",
        )  # fmt: skip
    is_yes_no = len(labels) > 1
    unused = tuple(n for n in rest if n not in labels)
    return Columns(path, labels, is_yes_no, split if split not in labels else None, unused)


def _likeliest(cells: Cells, names: Sequence[str]) -> str:
    """Return the column that holds the fewest different values, but more than one."""
    nums = {name: len({*cells.column(name)} - {""}) for name in names}
    return min(names, key=lambda name: (nums[name] < 2, nums[name]))


def label_columns(cells: Cells, rest: Sequence[str]) -> tuple[str, ...]:
    """Return the label columns among these: by name, as the only one left, or all of 0 and 1.

    Raises:
        DataError: for a column of 0 and 1, beside others, that holds something else.
    """
    ranked = [name for name in rest if _rank(name, (*LABEL_NAMES, *PLURAL)) < 1000]
    if ranked:
        return (min(ranked, key=lambda name: _rank(name, (*LABEL_NAMES, *sorted(PLURAL)))),)
    yes_no = [name for name in rest if is_yes_or_no(cells.column(name))]
    if yes_no:
        _refuse_nearly(cells, [name for name in rest if name not in yes_no])
    if len(yes_no) > 1:
        return tuple(yes_no)
    filled = [name for name in rest if name and any(cells.column(name))]
    return tuple(filled) if len(filled) == 1 else ()


def _refuse_nearly(cells: Cells, names: Sequence[str]) -> None:
    """Raise for a column that would be one of labels but for a few cells."""
    for name in names:
        column = cells.column(name)
        bad = [i for i, cell in enumerate(column) if cell and not is_yes_or_no([cell])]
        if 0 < len(bad) <= (1 - _NEARLY) * sum(map(bool, column)):
            row = bad[0]
            raise DataError(
                cells.where(row, name), "0 or 1, as in the other rows and columns of labels",
                repr(column[row]), "Mend it, or name the columns of labels with --target.",
            )  # fmt: skip


def locate(folder: Path, cell: str) -> str:
    """Return the path that a cell means; with a picture's ending where only that is missing."""
    path = os.path.join(folder, cell)
    if os.path.lexists(path):
        return path
    if "\\" in cell:
        turned = os.path.join(folder, cell.replace("\\", "/"))
        if os.path.lexists(turned):
            return turned
    if not _is_picture(cell):
        for suffix in (".jpg", ".png", ".jpeg", *sorted(SUFFIXES)):
            if os.path.lexists(path + suffix):
                return path + suffix
    return path


def joined(cells: Cells, path: str, folder: Path, split: int | None) -> Joined | None:
    """Join a table's names to the pictures beside it, or return None where they are paths.

    Args:
        cells: the table.
        path: the column that names pictures.
        folder: the table's.
        split: of the table, where its name or folder says so.
    """
    names = cells.column(path)
    some = [name for name in names if name][:20]
    if any(os.path.lexists(locate(folder, name)) for name in some):
        return None
    beside = Beside(folder)
    return Joined(beside, split) if beside.knows(names) else None


def _asked(cells: Cells, target: str, path: str) -> tuple[str, ...]:
    labels = resolve("--target", target, cells.names)
    if path in labels:
        raise OptionError("--target", "a column of labels", f"{path!r}, which names the pictures")
    for name in labels if len(labels) > 1 else ():
        if not is_yes_or_no(cells.column(name)):
            raise OptionError(
                "--target", "one column of labels, or several of 0 and 1",
                f"{name!r}, which holds {next(filter(None, cells.column(name)), '')!r}",
            )  # fmt: skip
    return labels


def _is_picture(cell: str) -> bool:
    """Tell by its ending whether a cell is a picture's path."""
    return os.path.splitext(cell)[1].lower() in SUFFIXES


def _share_of_pictures(cells: Sequence[str]) -> float:
    some = [cell for cell in cells[:_SAMPLE] if cell]
    return sum(map(_is_picture, some)) / max(1, len(some))


def _rank(name: str, names: Sequence[str]) -> int:
    """Return where a name stands in a list, or 1000."""
    key = name.lower().strip().replace(" ", "_").replace("-", "_")
    return names.index(key) if key in names else 1000
