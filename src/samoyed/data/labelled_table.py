"""A table whose target is a class and whose one column to read is free text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from samoyed.core.errors import DataError
from samoyed.data.labelled_lines import Labelled
from samoyed.data.labelled_text import Gathered, LabelledSource, source_of
from samoyed.data.table_files import Cells, read_cells
from samoyed.data.table_values import Guess, is_missing

if TYPE_CHECKING:
    from samoyed.data.tables import TableAsk


def text_column(
    guesses: Mapping[str, Guess], targets: Sequence[str], asked: Sequence[str] | None
) -> str | None:
    """Return the column that is to be read as text, or None where it is a table like others.

    Args:
        guesses: what every column holds.
        targets: the columns to learn.
        asked: the columns that `--input` names, or None.
    """
    if asked is not None:
        return asked[0] if len(asked) == 1 and guesses[asked[0]].kind == "text" else None
    others = [name for name in guesses if name not in targets]
    usable = [name for name in others if guesses[name].kind in ("number", "date", "category")]
    texts = [name for name in others if guesses[name].kind == "text"]
    return texts[0] if len(texts) == 1 and not usable else None


def text_of_table(
    cells: Cells, ask: TableAsk, column: str, target: str, on_bad: str, seed: int
) -> LabelledSource:
    """Return the texts of a table.

    Raises:
        DataError: with line and column.
    """
    gathered = gather(cells, ask, column, target, on_bad)
    return source_of(Path(cells.path), gathered, on_bad, seed)


def gather(cells: Cells, ask: TableAsk, column: str, target: str, on_bad: str) -> Gathered:
    """Read every text of a table, and of its test file.

    Raises:
        DataError: with line and column.
    """
    gathered = Gathered(
        f"{len(cells):,} rows of {cells.path}: column {column!r} is read as text, column "
        f"{target!r} is its class",
        notes=list(cells.notes), skipped=list(cells.skipped), column=column,
    )  # fmt: skip
    gathered.digest.update(f"{cells.fingerprint}\0{column}\0{target}".encode())
    gathered.parts["train"] = _records(cells, column, target, on_bad, gathered.skipped)
    if ask.test is not None:
        test = read_cells(ask.test, on_bad, cells.names if cells.has_header else ("",))
        for name in (column, target):
            if name not in test.names:
                raise DataError(
                    ask.test, f"a column {name!r}, as in {cells.path}",
                    "the columns " + ", ".join(test.names),
                )  # fmt: skip
        gathered.skipped += test.skipped
        gathered.parts["test"] = _records(test, column, target, on_bad, gathered.skipped)
        gathered.digest.update(test.fingerprint.encode())
        gathered.how += f"; test part {ask.test}"
    return gathered


def _records(
    cells: Cells, column: str, target: str, on_bad: str, skipped: list[str]
) -> list[Labelled]:
    records = []
    rows = zip(cells.column(target), cells.column(column), strict=True)
    for i, (label, text) in enumerate(rows):
        if is_missing(label):
            skipped.append(f"{cells.where(i, target)}: no class")
        elif several := _several(label):
            if on_bad == "stop":
                raise DataError(
                    cells.where(i, target), "one class", several,
                    "A text is learned with one class: write one, or leave such rows out with "
                    "--on-bad skip.",
                )  # fmt: skip
            skipped.append(f"{cells.where(i, target)}: {several}")
        elif not text.strip():
            if on_bad == "stop":
                raise DataError(
                    cells.where(i, column), "a text", "an empty cell",
                    "Fill it, or leave such rows out with --on-bad skip.",
                )  # fmt: skip
            skipped.append(f"{cells.where(i, column)}: no text")
        else:
            records.append(Labelled(label, text, cells.where(i)))
    return records


def _several(label: str) -> str:
    """Say that a label is a list, as lines of JSON may hold it, or return nothing.

    >>> _several('["a", "b"]'), _several("[a] b")
    ('a list of 2: ["a", "b"]', '')
    """
    if not label.startswith("["):
        return ""
    try:
        found = json.loads(label)
    except ValueError:
        return ""
    return f"a list of {len(found)}: {label[:60]}" if isinstance(found, list) else ""
