"""Parquet, read with polars."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from samoyed.core.errors import DataError, MissingExtra
from samoyed.data.table_files import Cells

SUFFIXES = (".parquet", ".pq")


def read_parquet(path: Path, *, has_lists: bool = False, most: int | None = None) -> Cells:
    """Read a Parquet file; nulls become missing cells.

    Args:
        path: the file.
        has_lists: whether columns may hold lists of words or numbers, which are written as JSON.
        most: only so many of the first rows are read.

    Raises:
        DataError: for a file that is no Parquet, or holds lists or structures.
        MissingExtra: without polars.
    """
    try:
        import polars as pl
    except ImportError:
        raise MissingExtra.of("polars", "tabular", "Parquet files") from None
    try:
        content = path.read_bytes()
        frame = pl.read_parquet(content, n_rows=most)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            path,
            "a Parquet file",
            str(error).split("\n")[0][:200],
            "Copy or write it again; a table of text is named .csv.",
        ) from None
    if frame.height == 0:
        raise DataError(path, "a table with a row for each example", "no row")
    names, columns, declared = [], [], {}
    for series in frame.get_columns():
        kind = series.dtype
        if has_lists and isinstance(kind, pl.List) and not kind.inner.is_nested():
            cells = (None if v is None else v.to_list() for v in series)
            names.append(series.name)
            columns.append(tuple("" if v is None else json.dumps(v, default=str) for v in cells))
            continue
        if kind.is_nested() or kind == pl.Binary:
            raise DataError(
                f"{path}, column {series.name!r}", "numbers, words, dates or truth values",
                f"values of type {kind}", "Leave the column out of the file, or write it as text.",
            )  # fmt: skip
        if kind.is_numeric():
            declared[series.name] = "number"
        elif kind in (pl.Categorical, pl.Enum, pl.Boolean):
            declared[series.name] = "category"
        names.append(series.name)
        columns.append(tuple("" if v is None else str(v).strip() for v in series.to_list()))
    found = f"Parquet: {frame.height:,} rows of {frame.width} columns"
    return Cells(
        str(path), tuple(names), True, tuple(columns), range(1, frame.height + 1), declared,
        (found,), (), hashlib.blake2b(content, digest_size=20).hexdigest(),
    )  # fmt: skip
