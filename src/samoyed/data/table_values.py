"""What the cells of a table say: missing, a number, a date, a category, or something else."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells that stand for no value, in small letters."""

DATE_FORMS = (
    "iso", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M",
    "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y", "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
)  # fmt: skip

NEARLY_ALL = 0.99  # of the values are numbers: the others are mistakes
ENOUGH = 100  # values, for a share of 99 % to mean anything
IDENTIFIER_SHARE = 0.9  # distinct values per value, from which a column of words tells rows apart
MIXED_DISTINCT = 0.2  # numbers per value, from which different words are not names of rows
FEW_ROWS = 20  # below this, distinct values are no surprise
TEXT_LENGTH = 30  # characters
TEXT_WORDS = 5

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?$")
_MAYBE_DATE = re.compile(r"[\dA-Za-z]{1,4}[-/. ]")
_CODE = re.compile(r"0\d+$")
_COMMA = re.compile(r"[-+]?\d*,\d+$|[-+]?\d+$|[-+]?\d{1,3}(\.\d{3})+,\d+$")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?$|[-+]?\d+(\.\d+)?$")

Kind = Literal["number", "date", "category", "text", "identifier", "constant", "empty"]


@dataclass(frozen=True)
class Guess:
    """What a column's values seem to be.

    Args:
        kind: number, date and category are used; the others are named and left out.
        form: how numbers or dates are written, as in `core.spec.Column`.
        num_missing: how many cells hold no value.
        num_distinct: how many different values there are.
        strays: rows that hold no number, in a column that otherwise holds numbers.
        is_mixed: most values are numbers, but not nearly all.
        examples: a few values.
    """

    kind: Kind
    form: str = ""
    num_missing: int = 0
    num_distinct: int = 0
    strays: tuple[int, ...] = ()
    is_mixed: bool = False
    examples: tuple[str, ...] = ()


def is_missing(cell: str) -> bool:
    """Tell whether a cell holds no value.

    >>> is_missing("?"), is_missing("NA"), is_missing("0")
    (True, True, False)
    """
    return len(cell) <= 4 and cell.lower() in MISSING


def as_number(cell: str, form: str = "") -> float | None:
    """Return the number a cell says, or None where it says none.

    >>> as_number("1e3"), as_number("3,5", "decimal comma"), as_number("x"), as_number("1_000")
    (1000.0, 3.5, None, None)
    """
    if form == "decimal comma":
        cell = cell.replace(".", "").replace(",", ".") if "," in cell else cell
    elif form == "thousands":
        cell = cell.replace(",", "")
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def as_days(cell: str, form: str) -> float | None:
    """Return the days since 1970 that a date says, or None where it is none.

    >>> as_days("1970-01-02", "iso"), as_days("2.1.1970", "%d.%m.%Y"), as_days("x", "iso")
    (1.0, 1.0, None)
    """
    try:
        if form == "iso":
            if not _ISO.match(cell):
                return None
            moment = datetime.fromisoformat(cell)
        else:
            moment = datetime.strptime(cell, form)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.timestamp() / 86_400


def guess(name: str, cells: Sequence[str], declared: str = "") -> Guess:
    """Find out what the values of a column are.

    Args:
        name: of the column.
        cells: its cells, stripped.
        declared: "number" or "category" where the file itself says so.
    """
    counts = Counter(cells)
    num_missing = sum(n for cell, n in counts.items() if is_missing(cell))
    values = {cell: n for cell, n in counts.items() if not is_missing(cell)}
    examples = tuple(value for value, _ in Counter(values).most_common(3))
    if not values:
        return Guess("empty", num_missing=num_missing)
    found = _kind(name, cells, values, declared)
    kind: Kind = found.kind
    if len(values) == 1 and not num_missing:
        kind = "constant"
    return Guess(kind, found.form, num_missing, len(values), found.strays, found.is_mixed, examples)


def _kind(name: str, cells: Sequence[str], values: dict[str, int], declared: str) -> Guess:
    """Decide what the values are, leaving out the missing ones."""
    total = sum(values.values())
    form = "" if declared else _number_form(values)
    num_numbers = sum(n for value, n in values.items() if as_number(value, form) is not None)
    if declared == "category":
        return Guess(_word_kind(values, total))
    is_code = any(_CODE.match(value) for value in values) and len({len(v) for v in values}) == 1
    if num_numbers == total and not is_code:
        return Guess("identifier" if _counts_rows(name, cells, values, form) else "number", form)
    is_nearly = num_numbers >= NEARLY_ALL * total and total >= ENOUGH and not is_code
    if is_nearly or declared == "number":
        strays = tuple(
            i for i, cell in enumerate(cells)
            if not is_missing(cell) and as_number(cell, form) is None
        )  # fmt: skip
        return Guess("number", form, strays=strays)
    date = date_form(values)
    if date:
        wrong = {value for value in values if as_days(value, date) is None}
        strays = tuple(i for i, cell in enumerate(cells) if cell in wrong)
        return Guess("date", date, strays=strays)
    word_kind = _word_kind(values, total)
    share = MIXED_DISTINCT if word_kind == "identifier" else 0.5
    return Guess(word_kind, is_mixed=num_numbers > share * total and not is_code)


def _number_form(values: dict[str, int]) -> str:
    """Return how numbers with commas are written."""
    some = [value for value in values if "," in value]
    if not some:
        return ""
    if all(_THOUSANDS.match(value) for value in values):
        return "thousands"
    if all(_COMMA.match(value) for value in values):
        return "decimal comma"
    return ""


def date_form(values: dict[str, int]) -> str:
    """Return the format in which all values are dates, or nearly all of many; else nothing."""
    first = next(iter(values))
    if not _MAYBE_DATE.match(first) or not any(c.isdigit() for c in first):
        return ""
    total = sum(values.values())
    fewest = NEARLY_ALL * total if total >= ENOUGH else total
    for form in DATE_FORMS:
        missed = 0
        for value, num in values.items():
            missed += num if as_days(value, form) is None else 0
            if total - missed < fewest:
                break
        else:
            return form
    return ""


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
    is_named = bool(re.search(r"(^|[_ ])(id|index|row|nr|no|number)$", name.lower()))
    steps = np.diff(numbers)
    is_dense = bool(numbers.max() - numbers.min() + 1 == num)
    return is_named or is_dense or bool(np.all(steps == steps[0]))


def parse_numbers(cells: Sequence[str], kind: str, form: str) -> tuple[np.ndarray, list[int]]:
    """Return (N,) float64 with NaN where nothing is said, and the rows that say something else.

    Infinite numbers are among the latter.
    """
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
