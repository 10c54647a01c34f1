"""Rows of a table as vectors, and tables that bring the columns a model knows."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from samoyed.core.errors import DataError, misspelt
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.data.table_encoding import RawRows, encode, lay_out, read_raw, unknown_values
from samoyed.data.table_files import Cells, read_cells
from samoyed.data.table_target import encode_target, listed

UNNAMED = "no header names its columns, so they are taken in the order of the training table"


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows.

    Args:
        inputs: (N, W) float32, laid out as the `TableSpec` says.
        targets: (N,) int64 classes, (N,) float64 numbers in their own units, or (N, T) float32 of
            0, 1 and NaN.
        names: where each row stands: file and line.
    """

    inputs: np.ndarray
    targets: np.ndarray
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.inputs)

    def some(self, rows: np.ndarray) -> Rows:
        """Return these rows."""
        return Rows(self.inputs[rows], self.targets[rows], [self.names[i] for i in rows])


def rows_of(spec: TableSpec, target: TargetSpec, cells: Cells) -> Rows:
    """Encode all rows of a table that was checked before."""
    inputs, _ = encode(spec, cells)
    targets, _, _ = encode_target(target, cells)
    return Rows(inputs, targets, [cells.where(i) for i in range(len(cells))])


def without(cells: Cells, rows: Collection[int]) -> Cells:
    """Return a table without some of its rows."""
    if not rows:
        return cells
    kept = [i for i in range(len(cells)) if i not in rows]
    columns = tuple(tuple(column[i] for i in kept) for column in cells.columns)
    return replace(cells, columns=columns, lines=[cells.lines[i] for i in kept])


def aligned(cells: Cells, spec: TableSpec, target: TargetSpec, *, needs_target: bool) -> Cells:
    """Return a table under the names that the model knows its columns by.

    Columns are matched by name where both tables have a header, else by position; a table without
    a header may lack the target columns, unless they are needed.

    Raises:
        DataError: when a column that is needed is not there.
    """
    needed = [column.name for column in spec.columns]
    needed += list(target.columns) if needs_target else []
    if cells.has_header:
        missing = [name for name in needed if name not in cells.names]
        if not missing:
            return cells
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        if set(missing) <= set(target.columns):
            raise _unanswered(cells.path, f"a column {missing[0]!r}{more}, the answers")
        unused = [name for name in cells.names if name not in needed]
        raise DataError(
            cells.path,
            f"a column {missing[0]!r}{more}, as the model learned from",
            f"the columns {listed(cells.names)}",
            misspelt(missing[0], unused).strip()
            or "The names must be the same; a column that is not known later is no column to learn "
            f"from: --input {shlex.quote(f'all but {missing[0]}')}.",
        )
    num = len(cells.names)
    others = tuple(name for name in spec.names if name not in target.columns)
    able = [spec.names, *([] if needs_target else [others])]
    able += [tuple(needed)] if spec.has_header and not needs_target else []
    names = next((names for names in able if len(names) == num), None)
    if names is not None:
        unnamed = (f"{UNNAMED}: {listed(names)}",) if spec.has_header else ()
        return replace(cells, names=names, notes=(*cells.notes, *unnamed))
    if needs_target and num == len(others):
        raise _unanswered(cells.path, f"{len(spec.names)} columns, the answers among them")
    raise DataError(
        cells.path, f"{len(spec.names)} columns, as the model learned from"
        + ("" if needs_target else f", or {len(others)} without the target"),
        f"{num} columns",
        "Bring the columns in the same order, or under a header with their names.",
    )  # fmt: skip


def _unanswered(path: str, expected: str) -> DataError:
    """Return the error for rows to measure on that lack nothing but their answers."""
    return DataError(
        path, expected, "all other columns and no answers, which scores need",
        f"Leave it out here; its rows are answered by: samoyed predict RUN {shlex.quote(path)}",
    )  # fmt: skip


def read_rows(
    paths: Sequence[str], spec: TableSpec, target: TargetSpec
) -> tuple[np.ndarray, list[str]]:
    """Read rows to answer for, encoded; see `read_raw_rows`.

    Returns:
        (N, W) float32, and N names: file and line.
    """
    raw, names = read_raw_rows(paths, spec, target)
    return lay_out(spec, raw), names


def read_raw_rows(
    paths: Sequence[str], spec: TableSpec, target: TargetSpec
) -> tuple[RawRows, list[str]]:
    """Read rows to answer for, with or without their targets.

    Args:
        paths: tables; "-" is standard input.
        spec: the columns of the model.
        target: the target columns, which need not be there.

    Returns:
        The rows, and N names: file and line.

    Raises:
        DataError: for what cannot be read, with line and column.
    """
    if not paths:
        raise DataError("inputs", "at least one table", "none", "Name a file, or - for input.")
    pieces, names = [], []
    for path in paths:
        cells = read_cells(path, "stop", spec.names if spec.has_header else ("",))
        cells = aligned(cells, spec, target, needs_target=False)
        if spec.has_header and not cells.has_header:
            warnings.warn(f"{path}: {UNNAMED}: {listed(cells.names)}", stacklevel=2)
        raw, bad = read_raw(spec, cells)
        if bad:
            raise DataError(
                cells.where(bad[0].row, bad[0].column.name),
                f"a {bad[0].column.kind}, as the model learned from", repr(bad[0].cell),
                "Mend it, or leave the cell empty where the value is not known.",
            )  # fmt: skip
        for unknown in unknown_values(spec, cells, raw):
            warnings.warn(unknown, stacklevel=2)
        pieces.append(raw)
        names += [cells.where(i) for i in range(len(cells))]
    parts = zip(*((raw.numbers, raw.bits, raw.indices) for raw in pieces), strict=True)
    return RawRows(*(np.concatenate(part) for part in parts)), names
