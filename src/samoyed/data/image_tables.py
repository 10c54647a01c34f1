"""Pictures that a table names: path and label, label lists, or yes and no for each label.

A row names a picture by its path, relative to the table. What it is:

* one class: `label` (or class, category, target, species ...), or the only other column
* any number of labels: `["a", "b"]`, `a|b` or `a;b` in that column, or a column of 0 and 1 for each
  label, an empty cell where the answer is not known

A `split` column says train, validation or test; so do the folders that hold the tables, and the
tables' own names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samoyed.core.errors import DataError, did_you_mean
from samoyed.data.image_beside import Joined
from samoyed.data.image_columns import Columns, find_columns, joined, locate, settle_header
from samoyed.data.image_labels import answers_of, lists_in, signs_in
from samoyed.data.image_layout import SPLIT_NAMES, walk
from samoyed.data.image_listing import Entry, Found, Known, settle_validation, source_of
from samoyed.data.image_reasons import BadPicture, named
from samoyed.data.image_source import TRAIN, ImageSource
from samoyed.data.table_files import Cells, label, read_cells
from samoyed.data.table_jsonl import SUFFIX, read_jsonl
from samoyed.data.table_parquet import SUFFIXES as PARQUET
from samoyed.data.table_parquet import read_parquet

_MOST_SINGLE = 0.5  # share of labels that may stand in one row only before they are no classes
_FEW_CLASSES = 20  # below which that is not asked
_PARTS = ("the train part", "the validation part", "the test part")


class TableFile(NamedTuple):
    """A table of pictures, and which split it is, where its name or folder says so."""

    path: Path
    split: int | None = None


@dataclass(frozen=True)
class _Part:
    """A table that was read, and what its columns are for."""

    table: TableFile
    cells: Cells
    columns: Columns


class _Labels(NamedTuple):
    """What the rows of all parts say.

    Args:
        rows: labels of each row, or why there are none.
        unknown: labels of each row of which nothing is known.
        is_several: whether rows have any number of labels.
        classes: the order of the labels, where the table gives it.
        how: how they are written, in words.
    """

    rows: Sequence[tuple[str, ...] | str]
    unknown: Sequence[tuple[str, ...]]
    is_several: bool
    classes: tuple[str, ...] | None
    how: str


def read_picture_table(path: Path, on_bad: str = "stop") -> Cells:
    """Read a table, lines of JSON, or Parquet, which may hold lists of labels."""
    if path.suffix.lower() in PARQUET:
        return read_parquet(path, has_lists=True)
    is_json = path.name.lower().removesuffix(".gz").endswith(SUFFIX)
    return read_jsonl(path, on_bad) if is_json else settle_header(read_cells(path, on_bad))


def scan_picture_tables(
    root: Path, tables: Sequence[TableFile], *, on_bad: str, seed: int, target: str | None = None,
    known: Known | None = None, warnings: tuple[str, ...] = (),
) -> ImageSource:  # fmt: skip
    """Read tables of pictures and describe what they name.

    Args:
        root: the folder that was given, or the table.
        tables: the tables.
        on_bad: "stop" or "skip".
        seed: which fifth is held out.
        target: the label columns, as `--target` names them.
        known: what a run knows that is to be measured on them.
        warnings: what was noticed before.

    Raises:
        DataError: for what cannot be used, with the table's line.
        OptionError: for a target that does not exist.
    """
    parts = []
    for table in tables:
        cells = read_picture_table(table.path, on_bad)
        parts.append(_Part(table, cells, find_columns(cells, table.path.parent, target)))
    labels = _labels_of(parts)
    is_several = labels.is_several or (known is not None and known.is_several)
    found = Found(root, is_several=is_several, classes=labels.classes, known=known)
    found.warnings += warnings
    found.place_of = lambda split, label: str(parts[0].table.path)
    found.split_name = lambda split: _PARTS[split]
    found.skipped = [line for part in parts for line in part.cells.skipped]
    found.lines = [_line_of(part, labels) for part in parts]
    _gather(parts, labels, found)
    if root.is_dir():
        _mention_unnamed({table.path.parent for table in tables}, found)
    settle_validation(found)
    return source_of(found, on_bad=on_bad, seed=seed)


def add_rows(table: TableFile, found: Found, on_bad: str) -> None:
    """Add the pictures that a table names to those of class folders.

    Raises:
        DataError: for what cannot be used, or any number of labels for a picture.
    """
    cells = read_picture_table(table.path, on_bad)
    part = _Part(table, cells, find_columns(cells, table.path.parent))
    labels = _labels_of([part])
    if labels.is_several:
        raise DataError(
            table.path, "one class for each picture, as the folders to learn from have",
            labels.how, "Name a class for each picture.",
        )  # fmt: skip
    found.skipped += cells.skipped
    found.lines.append(_line_of(part, labels))
    _gather([part], labels, found)


def _labels_of(parts: Sequence[_Part]) -> _Labels:
    """Read the labels of all rows of all parts, one part after the other.

    Raises:
        DataError: the parts do not agree, or the labels are no classes.
    """
    first = parts[0]
    for part in parts[1:]:
        if sorted(part.columns.labels) != sorted(first.columns.labels):
            raise DataError(
                part.table.path,
                f"the label columns of {first.table.path.name}: {named(first.columns.labels)}",
                f"{named(part.columns.labels)}", "Name the same columns in both.",
            )  # fmt: skip
    names = first.columns.labels
    columns = [[c for part in parts for c in part.cells.column(name)] for name in names]
    if first.columns.is_yes_no:
        return _from_answers(names, answers_of(columns))
    [cells] = columns
    several = lists_in(names[0], cells)
    nothing: list[tuple[str, ...]] = [()] * len(cells)
    if several is not None:
        is_several = any(len(row) != 1 for row in several.rows if isinstance(row, tuple))
        return _Labels(several.rows, nothing, is_several, None, several.how)
    rows = [(cell,) if cell else "no label" for cell in cells]
    _refuse_unique(first, names[0], cells)
    return _Labels(rows, nothing, False, None, signs_in(cells))


def _from_answers(names: Sequence[str], answers: np.ndarray) -> _Labels:
    has, unknown = answers > 0.5, np.isnan(answers)
    rows = [tuple(names[k] for k in np.flatnonzero(row).tolist()) for row in has]
    gaps = [tuple(names[k] for k in np.flatnonzero(row).tolist()) for row in unknown]
    is_several = bool(unknown.any() or (has.sum(axis=1) != 1).any())
    return _Labels(rows, gaps, is_several, tuple(names), "a column of yes and no for each label")


def _refuse_unique(part: _Part, name: str, cells: Sequence[str]) -> None:
    """Raise where labels do not repeat, as names and measurements do not."""
    distinct = set(cells) - {""}
    single = len(distinct) / max(1, len(cells))
    if len(distinct) > _FEW_CLASSES and single > _MOST_SINGLE:
        raise DataError(
            f"{part.table.path}, {label(name, part.cells.names)}",
            "labels that several pictures share",
            f"{len(distinct):,} different ones in {len(cells):,} rows: {named(sorted(distinct))}",
            f"Say with --target which column holds the labels: {named(part.columns.unused)}."
            if part.columns.unused else "Write one of a few classes for each picture (low, high): "
            "neither numbers nor names are learned from pictures.",
        )  # fmt: skip


def _gather(parts: Sequence[_Part], labels: _Labels, found: Found) -> None:
    """Turn rows into entries; what is bad goes to `found.bad`."""
    seen: dict[str, tuple[str, tuple[str, ...], int]] = {}
    again: list[str] = []
    offset = 0
    for part in parts:
        folder = part.table.path.parent
        join = joined(part.cells, part.columns.path, folder, part.table.split)
        for row, split in enumerate(_splits(part, found)):
            said = labels.rows[offset + row]
            place = part.cells.where(row)
            if split is None:
                continue
            if isinstance(said, str):
                found.bad.append((place, BadPicture(
                    said, "Mend the row.", f"a label in {label_name(part, labels)}",
                )))  # fmt: skip
                continue
            cell = part.cells.column(part.columns.path)[row]
            path = _path_of(folder, cell, join)
            if path is None:
                continue
            if isinstance(path, BadPicture):
                found.bad.append((place, path))
                continue
            key = os.path.normpath(path)
            before = seen.setdefault(key, (place, said, split))
            if before == (place, said, split):
                found.entries.append(Entry(path, said, split, labels.unknown[offset + row]))
            elif before[1:] == (said, split):
                again.append(f"{cell} ({os.path.basename(place)})")
            else:
                found.bad.append((place, _contradiction(cell, said, before)))
        offset += len(part.cells)
        if join is not None:
            found.lines.append(join.line(part.columns.path))
            if (missing := join.bad(part.columns.path, len(part.cells))) is not None:
                found.bad.append((part.table.path, missing))
    if again:
        found.warnings.append(
            f"rows that name a picture again, left out, {len(again):,}: {named(again)}"
        )


def _splits(part: _Part, found: Found) -> Iterator[int | None]:
    """Yield the split of each row, None where it cannot be told."""
    column = part.columns.split
    if part.table.split is not None or column is None:
        split = TRAIN if part.table.split is None else part.table.split
        yield from [split] * len(part.cells)
        return
    for row, cell in enumerate(part.cells.column(column)):
        told = SPLIT_NAMES.get(cell.lower())
        if told is None:
            found.bad.append((part.cells.where(row, column), BadPicture(
                repr(cell) if cell else "an empty cell",
                f"Correct it.{did_you_mean(cell, SPLIT_NAMES)}", "train, validation or test",
            )))  # fmt: skip
        yield told


def _path_of(folder: Path, cell: str, join: Joined | None) -> str | BadPicture | None:
    """Return a cell's picture, why it has none, or None where that is told for all at once."""
    if join is not None and cell and "://" not in cell:
        return join.path(cell)
    path = locate(folder, cell)
    problem = _problem(folder, cell, path)
    return path if problem is None else problem


def _problem(folder: Path, cell: str, path: str) -> BadPicture | None:
    """Return why a path cannot be that of a picture, or None."""
    expected = "the path of a picture, relative to the table"
    if not cell:
        return BadPicture("an empty path", "Name the picture.", expected)
    if "://" in cell:
        return BadPicture(f"an address: {cell}", "Download it first.", expected)
    if os.path.isdir(path):
        return BadPicture(f"a folder: {cell}", "Name a file.", expected)
    if not os.path.lexists(path):
        return BadPicture(f"{cell}, which does not exist", _where_else(folder, cell), expected)
    return None


def _where_else(folder: Path, cell: str) -> str:
    """Say where a missing picture may be: in a folder beside the table, or under a like name."""
    try:
        beside = sorted(p for p in folder.iterdir() if p.is_dir())
        inner = next((p for p in beside if (p / cell).exists()), None)
        if inner is not None:
            return f"It is in {inner.name}/: write {inner.name}/{cell}."
        siblings = os.listdir((folder / cell).parent)
    except OSError:
        return "Check the spelling, and that paths begin beside the table."
    same = [name for name in siblings if name.lower() == os.path.basename(cell).lower()]
    if same:
        return f"It is called {same[0]} there: capitals count."
    hint = did_you_mean(os.path.basename(cell), siblings)
    return f"Check the spelling.{hint}" if hint else (
        "Check the spelling, and that paths begin beside the table."
    )  # fmt: skip


def _contradiction(
    cell: str, said: tuple[str, ...], before: tuple[str, tuple[str, ...], int]
) -> BadPicture:
    place, other, _ = before
    if said == other:
        return BadPicture(
            f"{cell} in another split than in {os.path.basename(place)}", "Remove one of the rows.",
            "each picture in one split",
        )  # fmt: skip
    return BadPicture(
        f"{cell} is {' and '.join(said) or 'nothing'} here and {' and '.join(other) or 'nothing'} "
        f"in {os.path.basename(place)}",
        "Correct it; where a picture has several labels, put them in one row: a|b.",
        "one row for each picture",
    )


def label_name(part: _Part, labels: _Labels) -> str:
    """Name the column of labels."""
    return label(part.columns.labels[0], part.cells.names)


def _line_of(part: _Part, labels: _Labels) -> str:
    """Say what was taken for what."""
    columns = part.columns
    name = repr(columns.labels[0]) if not columns.is_yes_no else f"{len(columns.labels)} columns"
    rest = f"; not used: {named(columns.unused)}" if columns.unused else ""
    return (
        f"table:    {part.table.path.name}, pictures in {columns.path!r}, labels in {name} "
        f"({labels.how}){rest}"
    )


def _mention_unnamed(folders: set[Path], found: Found) -> None:
    """Warn of pictures that lie there and that no row names."""
    known = {os.path.normpath(entry.path) for entry in found.entries}
    known |= {os.path.normpath(str(place)) for place, _ in found.bad}
    unnamed = [
        os.path.relpath(path, found.root)
        for folder in sorted(folders)
        for path in walk(folder).pictures
        if os.path.normpath(path) not in known
    ]
    if unnamed:
        found.warnings.append(
            f"pictures that no row names, ignored, {len(unnamed):,}: {named(unnamed)}"
        )
