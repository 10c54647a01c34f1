"""What the cells of a table say: missing, a number, a date, a category, or something else."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from samoyed.data.table_dates import as_days, date_form, exchanged
from samoyed.data.table_numbers import as_number, fewest, number_form

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "null"})
"""Cells that stand for no value, in small letters; beside them Python's None, written so."""

IDENTIFIER_SHARE = 0.9  # distinct values per value, from which a column of words tells rows apart
MIXED_DISTINCT = 0.2  # numbers per value, from which different words are not names of rows
FEW_ROWS = 20  # below this, distinct values are no surprise
TEXT_LENGTH = 30  # characters
TEXT_WORDS = 5

_CODE = re.compile(r"0\d+$")
_COUNTS = re.compile(r"(^|[_ -])(id|index|row|nr|no|number)$", re.IGNORECASE)
_COUNTS_TOO = re.compile(r"[a-z0-9](Id|ID|Index|Row|Nr|No|Number)$")  # CustomerId, rowNumber

Kind = Literal["number", "date", "category", "text", "identifier", "constant", "empty"]


@dataclass(frozen=True)
class Guess:
    """What a column's values seem to be.

    Args:
        kind: number, date and category are used; the others are named and left out.
        form: how numbers or dates are written, as in `core.spec.Column`.
        other_form: how the dates may be written as well, with day and month exchanged.
        num_missing: how many cells hold no value.
        num_distinct: how many different values there are.
        strays: rows that hold no number, in a column that otherwise holds numbers.
        is_mixed: most values are numbers, but not nearly all.
        examples: a few values.
    """

    kind: Kind
    form: str = ""
    other_form: str = ""
    num_missing: int = 0
    num_distinct: int = 0
    strays: tuple[int, ...] = ()
    is_mixed: bool = False
    examples: tuple[str, ...] = ()


def is_missing(cell: str) -> bool:
    """Tell whether a cell holds no value.

    >>> is_missing("?"), is_missing("NA"), is_missing("0"), is_missing("None"), is_missing("none")
    (True, True, False, True, False)
    """
    return len(cell) <= 4 and (cell.lower() in MISSING or cell == "None")


def by_case(values: Sequence[str]) -> dict[str, str]:
    """Return each value by its small letters, where no other has the same.

    >>> by_case(["True", "False", "a", "A"])
    {'true': 'True', 'false': 'False'}
    """
    folded = [value.casefold() for value in values]
    counts = Counter(folded)
    return {key: value for key, value in zip(folded, values, strict=True) if counts[key] == 1}


def guess(name: str, cells: Sequence[str], declared: str = "", delimiter: str = "") -> Guess:
    """Find out what the values of a column are.

    Args:
        name: of the column.
        cells: its cells, stripped.
        declared: "number" or "category" where the file itself says so.
        delimiter: what separates the cells of the table, which tells how numbers are written.
    """
    counts = Counter(cells)
    num_missing = sum(n for cell, n in counts.items() if is_missing(cell))
    values = {cell: n for cell, n in counts.items() if not is_missing(cell)}
    examples = tuple(value for value, _ in Counter(values).most_common(3))
    if not values:
        return Guess("empty", num_missing=num_missing)
    form = "" if declared else number_form(values, delimiter)
    found = _kind(name, cells, values, declared, form)
    kind: Kind = "constant" if len(values) == 1 and not num_missing else found.kind
    return replace(
        found, kind=kind, num_missing=num_missing, num_distinct=len(values), examples=examples
    )


def _kind(
    name: str, cells: Sequence[str], values: dict[str, int], declared: str, form: str
) -> Guess:
    """Decide what the values are, leaving out the missing ones."""
    total = sum(values.values())
    num_numbers = sum(n for value, n in values.items() if as_number(value, form) is not None)
    if declared == "category":
        return Guess(_word_kind(values, total))
    is_code = any(_CODE.match(value) for value in values) and len({len(v) for v in values}) == 1
    if num_numbers == total and not is_code:
        return Guess("identifier" if _counts_rows(name, cells, values, form) else "number", form)
    if (num_numbers >= fewest(total) and not is_code) or declared == "number":
        strays = tuple(
            i for i, cell in enumerate(cells)
            if not is_missing(cell) and as_number(cell, form) is None
        )  # fmt: skip
        return Guess("number", form, strays=strays)
    date = date_form(values)
    if date:
        wrong = {value for value in values if as_days(value, date) is None}
        strays = tuple(i for i, cell in enumerate(cells) if cell in wrong)
        return Guess("date", date, exchanged(date, values.keys() - wrong), strays=strays)
    word_kind = _word_kind(values, total)
    share = MIXED_DISTINCT if word_kind == "identifier" else 0.5
    return Guess(word_kind, is_mixed=num_numbers > share * total and not is_code)


def _word_kind(values: dict[str, int], total: int) -> Kind:
    """Tell categories from free text and from names of rows."""
    length = sum(map(len, values)) / len(values)
    words = sum(value.count(" ") + 1 for value in values) / len(values)
    if total >= FEW_ROWS and len(values) > IDENTIFIER_SHARE * total:
        return "text" if length > TEXT_LENGTH or words > 2 else "identifier"
    if words >= TEXT_WORDS and len(values) > 0.3 * total and total >= FEW_ROWS:
        return "text"
    return "category"


def _counts_rows(name: str, cells: Sequence[str], values: dict[str, int], form: str) -> bool:
    """Tell whether whole numbers, all distinct, number the rows."""
    num = len(cells)
    if num < FEW_ROWS or len(values) != num:
        return False
    numbers = np.array([as_number(cell, form) for cell in cells])
    if not np.all(np.isfinite(numbers)) or not np.all(numbers == np.rint(numbers)):
        return False
    is_named = bool(_COUNTS.search(name) or _COUNTS_TOO.search(name))
    steps = np.diff(numbers)
    is_dense = bool(numbers.max() - numbers.min() + 1 == num)
    return is_named or is_dense or bool(np.all(steps == steps[0]))


def parse_numbers(cells: Sequence[str], kind: str, form: str) -> tuple[np.ndarray, list[int]]:
    """Return (N,) float64 with NaN where nothing is said, and the rows that say something else.

    Infinite numbers are among the latter.
    """
    if kind != "date" and not form and (plain := _plain_numbers(cells)) is not None:
        return plain, []
    known: dict[str, float | None] = {}
    values = np.full(len(cells), np.nan)
    bad = []
    for i, cell in enumerate(cells):
        if cell not in known:
            read = as_days(cell, form) if kind == "date" else as_number(cell, form)
            known[cell] = math.nan if is_missing(cell) else read
        value = known[cell]
        if value is None or math.isinf(value):
            bad.append(i)
        else:
            values[i] = value
    return values, bad


def _plain_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return finite numbers as Python writes them, or NaN; None where a cell is anything else."""
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    is_plain = not np.isinf(values).any() and "_" not in "".join(cells)
    return values if is_plain else None
