"""Which of a folder's files are tables of pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from samoyed.core.errors import DataError, MissingExtra
from samoyed.data.image_columns import find_path_column, label_columns, settle_header
from samoyed.data.image_layout import SPLIT_NAMES, Listing, list_folder
from samoyed.data.image_parts import inside, part_in
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.image_tables import TableFile, read_picture_table
from samoyed.data.pixels import SUFFIXES
from samoyed.data.table_files import Cells, read_text
from samoyed.data.table_jsonl import SUFFIX, read_jsonl_text
from samoyed.data.table_parquet import SUFFIXES as PARQUET
from samoyed.data.table_parquet import read_parquet

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.tsv", "metadata.parquet")
_TABLES = (".csv", ".tsv", ".tab", SUFFIX, *PARQUET)
_HEAD = 1 << 16  # bytes that are looked at
_HEAD_ROWS = 400  # of Parquet


def names_pictures(path: Path) -> bool:
    """Tell by its beginning whether a file is a table of pictures."""
    if path.suffix.lower() not in _TABLES:
        return False
    cells = _head_of(path)
    return cells is not None and find_path_column(cells, path.parent) is not None


def find_tables(root: Path, listing: Listing) -> list[TableFile]:
    """Return the tables that name a folder's pictures, or none where folders are the classes.

    Raises:
        DataError: for several tables of which one cannot tell which is which.
    """
    whole = _metadata_in(root, listing.files)
    if whole is not None:
        return [TableFile(whole)]
    parts, without = [], []
    for folder in listing.folders:
        said = part_in(folder.name)
        split = None if said is None or said.rest else said.split
        inner = None if split is None else _table_in(folder)
        if inner is not None:
            parts.append(TableFile(inner, split))
        elif split is not None:
            without.append(folder)
    if {part.split for part in parts} == {TEST} and all(list_folder(f).folders for f in without):
        return parts  # the others have class folders
    if parts and without:
        raise DataError(
            without[0], f"a {parts[0].path.name}, as in {parts[0].path.parent.name}/", "none",
            "Add it, or move the folder elsewhere.",
        )  # fmt: skip
    if parts:
        return _distinct(root, parts)
    is_loose = any(file.suffix.lower() in SUFFIXES for file in listing.files)
    if not is_loose and not needs_table(listing):
        return []
    return _chosen(root, listing)


def _chosen(root: Path, listing: Listing) -> list[TableFile]:
    """Return those of a folder's tables that say what its pictures show.

    A lone table of the test part says it of that part alone where the other has class folders.
    """
    whole = [
        TableFile(file, _split_in(file.stem))
        for file in listing.files if names_pictures(file) and not _is_answer(file)
    ]  # fmt: skip
    labelled = [table for table in whole if has_labels(table)] or whole
    train = [f for f in listing.folders if (said := part_in(f.name)) and said.split == TRAIN]
    has_classes = any(len(list_folder(inside(folder, TRAIN)).folders) > 1 for folder in train)
    splits = {table.split for table in labelled}
    if TRAIN in splits or (TEST in splits and has_classes):
        labelled = [table for table in labelled if table.split is not None]
    if len(labelled) > 1:
        return _distinct(root, labelled)
    return [
        table if table.split == TEST and has_classes else TableFile(table.path)
        for table in labelled
    ]


def needs_table(listing: Listing) -> bool:
    """Tell whether a folder's folders cannot be classes, so that a table must say what they show.

    That is so of one folder alone, of parts of which one has no class folders, and of numbered
    pieces of one set.
    """
    if len(listing.folders) < 2:
        return True
    parts = [folder for folder in listing.folders if part_in(folder.name) is not None]
    if len(parts) > 1 and any(_is_loose(folder) for folder in parts):
        return True
    plain = {re.sub(r"\d+", "", folder.name.lower()) for folder in listing.folders}
    words = {word for name in plain for word in re.split(r"[-_. ]", name)}
    return len(plain) == 1 and bool(words & {"part", "images", "imgs"})


def refuse_unjoined(root: Path, listing: Listing) -> None:
    """Raise where pictures have no labels, and a table lies there that names none of them.

    Raises:
        DataError: with what the table holds, and what the pictures are called.
    """
    tables = [f for f in listing.files if f.suffix.lower() in _TABLES and not _is_answer(f)]
    if not tables or not needs_table(listing):
        return
    pictures = next((list_folder(f).files for f in listing.folders if _is_loose(f)), [])
    if not pictures:
        return
    cells = _head_of(tables[0])
    if cells is None or not len(cells):
        return
    name = cells.names[0]
    rows = named(cells.column(name))
    raise DataError(
        tables[0], f"a column with the names of the pictures in {pictures[0].parent.name}/, with "
        "or without ending", f"none; the first column, {name!r}, holds {rows}; the pictures are "
        f"called {named([path.name for path in pictures])}",
        "Add such a column, or put the pictures of each class in a folder of its own.",
    )  # fmt: skip


def _is_loose(folder: Path) -> bool:
    """Tell whether a folder, or the one folder in it, holds pictures and no folders."""
    listing = list_folder(folder)
    if len(listing.folders) == 1 and not listing.files:
        listing = list_folder(listing.folders[0])
    return not listing.folders and any(f.suffix.lower() in SUFFIXES for f in listing.files)


def _is_answer(path: Path) -> bool:
    """Tell by its name whether a table is a form for the answers of a competition."""
    return "submission" in path.stem.lower()


def has_labels(table: TableFile) -> bool:
    """Tell whether a table names pictures and says what is on them."""
    cells = _head_of(table.path)
    if cells is None:
        return True  # let the reader say what is wrong
    path = find_path_column(cells, table.path.parent)
    if path is None:
        return False
    return bool(label_columns(cells, [n for n in cells.names if n != path]))


def _table_in(folder: Path) -> Path | None:
    """Return the table of a part: its metadata, or the only one beside loose pictures."""
    listing = list_folder(folder)
    found = _metadata_in(folder, listing.files)
    if found is not None or listing.folders:
        return found
    tables = [file for file in listing.files if names_pictures(file)]
    return tables[0] if len(tables) == 1 and has_labels(TableFile(tables[0])) else None


def _metadata_in(folder: Path, files: Sequence[Path]) -> Path | None:
    found = [file for file in files if file.name.lower() in METADATA]
    if len(found) > 1:
        raise DataError(
            folder, "one table of pictures", named([file.name for file in found]), "Remove one."
        )
    return found[0] if found else None


def _distinct(root: Path, tables: list[TableFile]) -> list[TableFile]:
    """Return tables in the order of splits; each split once."""
    splits = [table.split for table in tables]
    if None in splits or len(set(splits)) < len(splits):
        raise DataError(
            root, "one table of pictures, or one for each split (train.csv, test.csv)",
            named([str(table.path.relative_to(root)) for table in tables]),
            f"Name the one that is meant: {tables[0].path}",
        )  # fmt: skip
    return sorted(tables, key=lambda table: table.split or 0)


def _split_in(stem: str) -> int | None:
    """Return the split that a table's name begins or ends with.

    >>> _split_in("train_labels"), _split_in("labels-test"), _split_in("trains")
    (0, 2, None)
    """
    words = re.split(r"[-_. ]", stem.lower())
    return SPLIT_NAMES.get(words[0], SPLIT_NAMES.get(words[-1]))


def _head_of(path: Path) -> Cells | None:
    """Return the first rows of a table, or None where they cannot be read."""
    try:
        if path.suffix.lower() in PARQUET:
            return read_parquet(path, has_lists=True, most=_HEAD_ROWS)
        with path.open("rb") as file:
            data = file.read(_HEAD)
        if len(data) < _HEAD:
            return read_picture_table(path, "skip")
        text = data[: data.rfind(b"\n")].decode("utf-8", "replace")
        if path.suffix.lower() == SUFFIX:
            return read_jsonl_text(str(path), text, "skip")
        return settle_header(read_text(str(path), text, "skip"))
    except (DataError, OSError, MissingExtra):
        return None
