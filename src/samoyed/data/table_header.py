"""The names of a table's columns: whether its first row holds them, and where it stands again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from samoyed.core.errors import DataError
from samoyed.data.table_numbers import as_number
from samoyed.data.table_values import is_missing

_MANY_NUMBERED = 5  # columns, from which a first row 0, 1, 2, ... is no row by chance
_SENTENCE = 3  # words
_FIRST_ROWS = 1000  # below the first, that tell whether it is like them
_FEWEST_BELOW = 5  # rows, for a word that none of them holds to be no value


def header_of(rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Return the names in the first row, or None where it is a row like the others.

    It names columns when none of its cells is a number, and either some column holds numbers
    below it, or most of its cells occur nowhere below it. Years and other numbers may be among the
    names where the words beside them are plainly no values of their columns.

    >>> header_of([["a", "b"], ["1", "x"]]), header_of([["1", "x"], ["2", "y"]])
    (('a', 'b'), None)
    >>> header_of([["land", "2019", "2020", "mark"], *[[k, "3", "4", k] for k in "xyxyxy"]])
    ('land', '2019', '2020', 'mark')
    """
    first, below = rows[0], rows[1 : _FIRST_ROWS + 1]
    if len(first) >= _MANY_NUMBERED and list(first) in (_counted(first, 0), _counted(first, 1)):
        return tuple(first)  # numbers in the place of names, as some programs write them
    if any(as_number(cell) is not None for cell in first):
        return _with_numbers(first, below)
    if sum(not cell for cell in first) > len(first) / 2 or "?" in first:
        return None
    names = tuple(cell or f"column {i + 1}" for i, cell in enumerate(first))
    if not below:
        return names
    columns = list(zip(*below, strict=True))
    if _names_numbers([cell or "unnamed" for cell in first], below):
        return names
    unseen = sum(cell not in cells for cell, cells in zip(first, columns, strict=True))
    looks_named = all(re.search(r"[A-Za-z_]", cell) for cell in first if cell)
    is_value = all(map(_is_sentence_among, first, columns))
    return names if looks_named and unseen > len(first) / 2 and not is_value else None


def _is_sentence_among(cell: str, below: Sequence[str]) -> bool:
    """Tell whether a cell is of three words or more, as most of those below it are."""
    if len(cell.split()) < _SENTENCE or cell.endswith("?"):
        return False
    return sum(len(other.split()) >= _SENTENCE for other in below) > len(below) / 2


def _with_numbers(first: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Return names among which are numbers, or None where the row may as well be one of values.

    The cells differ. Each word occurs nowhere below it, in a column that holds numbers or whose
    values repeat. The numbers go in equal steps; or they occur nowhere below them either, and there
    are at least two words.
    """
    words = [i for i, cell in enumerate(first) if cell and as_number(cell) is None]
    is_repeated = len(set(first)) < len(first)
    if is_repeated or len(below) < _FEWEST_BELOW or any(c and is_missing(c) for c in first):
        return None
    columns = list(zip(*below, strict=True))
    for i in words:
        values = [cell for cell in columns[i] if not is_missing(cell)]
        is_above_numbers = sum(as_number(v) is not None for v in values) > len(values) / 2
        is_repeating = len(set(values)) <= len(values) / 2
        if first[i] in values or not (is_above_numbers or is_repeating):
            return None
    numbers = {i: number for i, c in enumerate(first) if (number := as_number(c)) is not None}
    steps = {after - before for before, after in pairwise(numbers.values())}
    is_series = len(numbers) > 2 and len(steps) == 1
    is_unseen = len(words) > 1 and not any(first[i] in columns[i] for i in numbers)
    if words and (is_series or is_unseen):
        return tuple(cell or f"column {i + 1}" for i, cell in enumerate(first))
    return None


def _counted(cells: Sequence[str], start: int) -> list[str]:
    return [str(number) for number in range(start, start + len(cells))]


def known_header(
    path: str, rows: Sequence[Sequence[str]], known: Sequence[str], line: int
) -> tuple[str, ...] | None:
    """Return the first row where it names columns that are known, in whatever order or case.

    Raises:
        DataError: where it plainly is a header and names others.
    """
    first = rows[0]
    enough = max(1, len(first) / 2)
    by_case = {name.casefold(): name for name in known if name not in first}
    names = [cell if cell in known else by_case.get(cell.casefold(), cell) for cell in first]
    if sum(name in known for name in names) >= enough:
        return tuple(names)
    if any(known) and len(rows) > 1 and _names_numbers(first, rows[1 : _FIRST_ROWS + 1]):
        shown = ", ".join(known[:6]) + (" ..." if len(known) > 6 else "")
        raise DataError(
            f"{path}:{line}", f"a header with the names that the model learned from: {shown}",
            ", ".join(first[:6]) + (" ..." if len(first) > 6 else ""),
            "Rename the columns, or remove the header if they are the same in the same order.",
        )  # fmt: skip
    return None


def _names_numbers(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row without a number stands above a column of numbers."""
    if any(as_number(cell) is not None or is_missing(cell) for cell in first):
        return False
    for cells in zip(*below, strict=True):
        values = [cell for cell in cells if not is_missing(cell)]
        if values and sum(as_number(cell) is not None for cell in values) > len(values) / 2:
            return True
    return False


def without_header(
    path: str, rows: list[list[str]], lines: list[int], on_bad: str
) -> tuple[list[list[str]], list[int], list[str]]:
    """Leave out the header, also where it stands again further below.

    Raises:
        DataError: where it does, unless bad rows are skipped.
    """
    again = [i for i, row in enumerate(rows[1:], 1) if row == rows[0]]
    if not again:
        return rows[1:], lines[1:], []
    if on_bad != "skip":
        raise DataError(
            f"{path}:{lines[again[0]]}", "a row of values", "the header again"
            + (f", and in {len(again) - 1:,} more lines" if len(again) > 1 else ""),
            "Remove the line, or leave bad rows out with --on-bad skip.",
        )  # fmt: skip
    kept = [i for i, row in enumerate(rows) if row != rows[0]]
    skipped = [f"{path}:{lines[i]}: the header again" for i in again]
    return [rows[i] for i in kept], [lines[i] for i in kept], skipped


def refuse_repeated(path: str, names: Sequence[str], line: int) -> None:
    """Raise for a header that gives two columns the same name.

    Raises:
        DataError: naming both.
    """
    for i, name in enumerate(names):
        if name in names[:i]:
            first = list(names).index(name) + 1
            raise DataError(
                f"{path}:{line}", "a different name for every column",
                f"{name!r} for column {first} and column {i + 1}", "Rename one of them.",
            )  # fmt: skip
