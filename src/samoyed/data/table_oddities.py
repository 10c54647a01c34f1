"""Values that are odd beside the others of their column: far away, or written in two ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from samoyed.core.spec import Column, TargetSpec
from samoyed.data.image_reasons import named, nearly_same
from samoyed.data.table_files import Cells
from samoyed.data.table_numbers import as_number, points_may_group
from samoyed.data.table_values import Guess, is_missing, parse_numbers

FAR = 1000.0  # widths of the middle half of a column, from its middle
MOST_READ_AGAIN = 50_000  # rows whose columns are all looked through; of more, the target alone
MOST_COMPARED = 1000  # categories of a column
FIRST_ROWS = 1000  # that tell how a column is written
FEW_FAR = 5  # rows; more than so many are a long tail and no slip
_UNIT = re.compile(r"[%$\u20ac\u00a3]")
_MOSTLY = 0.9  # share of cells
MANY_WRITTEN = 20  # different numbers with a unit, which are no classes
_WRITTEN = re.compile(
    r"[-+]?(?P<before>[$\u20ac\u00a3\u00a5]?)\s?[-+]?\d[\d.,'\u00a0\u202f]*\s?(?P<after>[^\W\d_]{0,8}|%|[$\u20ac\u00a3\u00a5])$"
)
"""A number with a currency, a unit or signs between thousands."""
_GROUPED = re.compile(r"[-+]?\d{1,3}(['\u00a0\u202f .,]\d{3})*([.,]\d+)?")


def warnings(
    cells: Cells, columns: Sequence[Column], guesses: Mapping[str, Guess], target: TargetSpec
) -> list[str]:
    """Name numbers far from all others, numbers with a unit, and classes spelt in two ways.

    Args:
        cells: all rows.
        columns: the columns that are used.
        guesses: of all columns.
        target: what is asked.
    """
    found = []
    is_quick = len(cells) <= MOST_READ_AGAIN
    numbers = [(c.name, c.form) for c in columns if c.kind == "number" and is_quick]
    if target.kind == "number":
        numbers.append((target.columns[0], guesses[target.columns[0]].form))
    for name, form in numbers:
        found += far_away(cells, name, form, name in target.columns)
        if not form and (some := points_may_group(set(cells.column(name)))):
            found.append(
                f"column {name!r} holds {some[0]} beside {some[1]}, and three digits after every "
                "point, which is read as a decimal point: where it stands between thousands, write "
                f"{some[0].replace('.', '')}"
            )
    for column in columns:
        if column.kind == "category" and (unit := unit_of(cells.column(column.name))):
            found.append(
                f"column {column.name!r} holds numbers with {unit!r}, taken as categories: write "
                "them without it to have them read as numbers"
            )
    for column in columns:
        if column.kind == "category" and len(column.categories) <= MOST_COMPARED:
            for said in nearly_same(column.categories):
                found.append(f"column {column.name!r}: {said.replace('classes', 'values', 1)}")
    used = {*target.columns, *(column.name for column in columns)}
    for name, guess in guesses.items():
        if name not in used and guess.kind == "identifier" and is_written(cells.column(name)):
            found.append(
                f"column {name!r} holds numbers that are written as {guess.examples[0]!r}, is not "
                "read as numbers and not used: write them plainly, as 1234.5"
            )
    if target.kind == "classes":
        found += nearly_same(target.names)
    return found


def is_written(cells: Sequence[str]) -> bool:
    """Tell whether nearly all first cells are numbers with one currency or unit, or signs inside.

    >>> is_written(["$1,204", "$955"]), is_written(["1.204,5", "1,204.5"]), is_written(["A1", "A2"])
    (True, True, False)
    >>> is_written(["12b", "14c"]), is_written(["17", "18"]), is_written(["20.0", "21.0"])
    (False, False, False)
    """
    held = [cell for cell in cells[:FIRST_ROWS] if not is_missing(cell)]
    matches = [match for cell in held if (match := _WRITTEN.match(cell))]
    kinds = {(match["before"], match["after"]) for match in matches}
    is_plain = all(as_number(cell) is not None for cell in held)
    return len(matches) >= _MOSTLY * len(held) > 0 and len(kinds) == 1 and not is_plain


def quantity_of(cells: Sequence[str]) -> str:
    """Return one of the cells where they are numbers with a currency, a unit or signs inside.

    A few different words beside numbers, such as 4 stars and 5 stars, may be classes, and so may
    numbers with several points, which are versions.

    >>> quantity_of(["$4,000", "$500"]), quantity_of(["7%", "8%"]), quantity_of(["1.2.3", "1.2.4"])
    ('$4,000', '7%', '')
    >>> quantity_of(["4 stars", "5 stars"]), quantity_of([f"{k} km" for k in range(50)])
    ('', '0 km')
    """
    held = [cell for cell in cells if not is_missing(cell)]
    if not held or not is_written(held):
        return ""
    match = next(match for cell in held if (match := _WRITTEN.match(cell)))
    unit = match["before"] or match["after"]
    if unit.isalpha():
        is_one = len(set(held)) > MANY_WRITTEN
    else:
        is_one = bool(unit) or all(_GROUPED.fullmatch(cell) for cell in held[:FIRST_ROWS])
    return match[0] if is_one else ""


def far_away(cells: Cells, name: str, form: str, is_target: bool) -> list[str]:
    """Name a few numbers that are far from all others of their column, as slips are."""
    values = parse_numbers(cells.column(name), "number", form)[0]
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return []
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
    rows = np.flatnonzero(np.abs(values - middle) > FAR * (high - low)).tolist()
    if high == low or not 0 < len(rows) <= FEW_FAR:
        return []
    what = f"target {name!r}" if is_target else f"column {name!r}"
    each = [f"{cells.column(name)[i]} in line {cells.lines[i]}" for i in rows]
    return [
        f"{what} holds numbers far from all others, half of which lie from {low:g} to {high:g}: "
        f"{named(each)}"
    ]


def unit_of(cells: Sequence[str]) -> str:
    """Return the sign that nearly all cells have beside a number, or nothing.

    >>> unit_of(["5%", "7 %", ""]), unit_of(["$1,000"]), unit_of(["5"]), unit_of(["a%"])
    ('%', '$', '', '')
    """
    held = [cell for cell in cells if not is_missing(cell)]
    signs = {sign for cell in held[:1] for sign in _UNIT.findall(cell)}
    for sign in signs:
        bare = [cell.replace(sign, "").strip().replace(",", "") for cell in held if sign in cell]
        if len(bare) >= _MOSTLY * len(held) and not parse_numbers(bare, "number", "")[1]:
            return sign
    return ""
