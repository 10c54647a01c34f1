"""Cells to vectors: a pure function of the cells and of statistics of the training part.

Numbers are brought to a robust scale and clipped smoothly, as in Holzmüller, D., Grinsztajn, L. &
Steinwart, I. (2024). Better by default: strong pre-tuned MLPs and boosted trees on tabular data.
NeurIPS, section 3: z = (x - median) / interquartile range, then z / sqrt(1 + (z / 3)^2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from samoyed.core.spec import Column, ColumnKind, TableSpec
from samoyed.data.image_reasons import named
from samoyed.data.table_files import Cells
from samoyed.data.table_molecules import NUM_BITS, fingerprints
from samoyed.data.table_values import by_case, is_missing, parse_numbers

FEWEST_EDGES, MOST_EDGES = 49, 257  # of the intervals that an encoding by pieces may use,
ROWS_PER_EDGE = 200  # and between the two one for so many rows
MOST_CATEGORIES = 1000
RARE = 2  # a value that occurs fewer times is treated as unknown, where there are many values
MANY_CATEGORIES = 30
CLIP = 3.0
MOST_SHOWN = 3  # values of a column


class Bad(NamedTuple):
    """A cell that is not what its column holds."""

    row: int
    column: Column
    cell: str


def fit_column(name: str, kind: ColumnKind, form: str, cells: Sequence[str]) -> Column:
    """Return a column with the statistics of these cells, those of the training part."""
    if kind == "molecule":
        return Column(name, kind, num_bits=NUM_BITS)
    if kind == "category":
        return Column(name, kind, categories=_categories(cells))
    values, _ = parse_numbers(cells, kind, form)
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return Column(name, kind, True, form)
    low, centre, high = np.quantile(known, (0.25, 0.5, 0.75))
    scale = float(high - low) or float(known.std()) or 1.0
    column = Column(name, kind, len(known) < len(values), form, float(centre), scale)
    encoded = clip_smoothly((known - centre) / scale)
    return Column(name, kind, column.has_missing, form, float(centre), scale, edges=_edges(encoded))


def _categories(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the values worth an index of their own, in order; missing ones are "" together."""
    counts = Counter("" if is_missing(cell) else cell for cell in cells)
    if len(counts) > MANY_CATEGORIES:
        counts = Counter({value: n for value, n in counts.items() if n >= RARE})
    return tuple(sorted(value for value, _ in counts.most_common(MOST_CATEGORIES)))


def _edges(values: np.ndarray) -> tuple[float, ...]:
    """Return quantiles of the values and of the distinct values, so that both are told apart."""
    num = min(MOST_EDGES, max(FEWEST_EDGES, len(values) // ROWS_PER_EDGE))
    distinct = np.unique(values)
    if len(distinct) <= num:
        return tuple(np.unique(distinct.astype(np.float32)).tolist())
    shares = np.linspace(0, 1, num // 2 + 1)
    both = np.concatenate([np.quantile(values, shares), np.quantile(distinct, shares)])
    return tuple(np.unique(both.astype(np.float32)).tolist())


def clip_smoothly(z: np.ndarray) -> np.ndarray:
    """Return z / sqrt(1 + (z / 3)^2): almost z near zero, never beyond 3.

    >>> clip_smoothly(np.array([0.0, 1e9])).tolist()
    [0.0, 3.0]
    """
    return z / np.hypot(1, z / CLIP)


@dataclass(frozen=True, eq=False)
class RawRows:
    """Rows as numbers, before any statistic touches them.

    Args:
        numbers: (N, D) float64 as written, dates as days since 1970, NaN where nothing is said.
        bits: (N, M) uint8, those of fingerprints.
        indices: (N, C) int64, an index per category, 0 for a value that training never showed.
    """

    numbers: np.ndarray
    bits: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def some(self, rows: np.ndarray | slice) -> RawRows:
        """Return these rows."""
        return RawRows(self.numbers[rows], self.bits[rows], self.indices[rows])


def read_raw(spec: TableSpec, cells: Cells) -> tuple[RawRows, list[Bad]]:
    """Turn the cells of every row into numbers.

    Args:
        spec: columns; of their statistics only the known categories matter.
        cells: a table that has these columns.

    Returns:
        The rows, and the cells that could not be read, whose places are NaN or zero.
    """
    numbers: list[np.ndarray] = []
    bits: list[np.ndarray] = []
    indices: list[np.ndarray] = []
    bad: list[Bad] = []
    for column in spec.columns:
        written = cells.column(column.name)
        wrong: list[int] = []
        if column.is_number:
            values, wrong = parse_numbers(written, column.kind, column.form)
            numbers.append(values[:, None])
        elif column.kind == "molecule":
            found, wrong = fingerprints(written)
            bits.append(found)
        else:
            indices.append(_indices(column, written)[:, None])
        bad += [Bad(i, column, written[i]) for i in wrong]
    parts = [
        np.concatenate([np.empty((len(cells), 0)), *pieces], axis=1).astype(kind)
        for pieces, kind in ((numbers, np.float64), (bits, np.uint8), (indices, np.int64))
    ]
    return RawRows(*parts), bad


def lay_out(spec: TableSpec, raw: RawRows) -> np.ndarray:
    """Return (N, W) float32, laid out as `TableSpec` says; a missing number is 0."""
    centre = np.array([column.centre for column in spec.numbers])
    scale = np.array([column.scale for column in spec.numbers])
    encoded = np.nan_to_num(clip_smoothly((raw.numbers - centre) / scale))
    is_flagged = np.array([column.has_missing for column in spec.numbers], dtype=bool)
    flags = np.isnan(raw.numbers[:, is_flagged])
    pieces = [piece.astype(np.float32) for piece in (encoded, flags, raw.bits, raw.indices)]
    return np.concatenate(pieces, axis=1)


def encode(spec: TableSpec, cells: Cells) -> tuple[np.ndarray, list[Bad]]:
    """Encode every row.

    Args:
        spec: columns with their statistics.
        cells: a table that has these columns.

    Returns:
        (N, W) float32, laid out as `TableSpec` says, and the cells that could not be read, whose
        places are zero.
    """
    raw, bad = read_raw(spec, cells)
    return lay_out(spec, raw), bad


def _indices(column: Column, cells: Sequence[str]) -> np.ndarray:
    """Return (N,) the index of each value, 0 for one that training never showed.

    Capitals and small letters are the same where that leaves one value: spreadsheets write True as
    TRUE.
    """
    index = {value: k for k, value in enumerate(column.categories, 1)}
    folded = by_case(column.categories)
    missing = index.get("", 0)
    known: dict[str, int] = {}
    for cell in set(cells):
        value = cell if cell in index else folded.get(cell.casefold(), cell)
        known[cell] = missing if is_missing(cell) else index.get(value, 0)
    return np.array([known[cell] for cell in cells], dtype=np.int64)


def unknown_values(spec: TableSpec, cells: Cells, raw: RawRows) -> list[str]:
    """Warn of values of categories that the model does not know, with the number of their rows.

    Args:
        spec: the columns.
        cells: the rows as they are written.
        raw: the same rows, read.
    """
    found = []
    for column, indices in zip(spec.categories, raw.indices.T, strict=True):
        written = cells.column(column.name)
        values = Counter(written[i] for i in np.flatnonzero(indices == 0))
        values = Counter({cell: n for cell, n in values.items() if not is_missing(cell)})
        if values:
            some = [repr(cell) for cell, _ in values.most_common(MOST_SHOWN)]
            more = ", ..." if len(values) > MOST_SHOWN else ""
            found.append(
                f"column {column.name!r} in {values.total():,} of {len(cells):,} rows "
                f"({', '.join(some)}{more})"
            )
    if not found:
        return []
    return [
        f"{cells.path}: values that the model does not know, so that their columns say nothing of "
        f"these rows: {named(found)}"
    ]
