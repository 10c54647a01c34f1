"""How numbers are written: plainly, with a decimal comma, or with signs between thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NEARLY_ALL = 0.99  # of the values are written in one way: the others are mistakes
ENOUGH = 100  # values, for a share of 99 % to mean anything

EXAMPLES = {"decimal comma": "1.234,5 is 1234.5", "thousands": "1,234.5 is 1234.5"}
"""What each form makes of a number, for people."""

_PATTERNS = {
    "decimal comma": re.compile(r"[-+]?(\d*,\d+|\d+|[1-9]\d{0,2}(\.\d{3})+(,\d+)?)"),
    "thousands": re.compile(r"[-+]?([1-9]\d{0,2}(,\d{3})+(\.\d+)?|\d+(\.\d*)?|\.\d+)"),
}
_POINTED = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}")
_SMALL = re.compile(r"[-+]?\d{1,3}")


def as_number(cell: str, form: str = "") -> float | None:
    """Return the number a cell says, or None where it says none.

    Args:
        cell: what is written.
        form: how it must be written: "decimal comma" (1.234,5), "thousands" (1,234.5), or "" for
            numbers as Python writes them.

    >>> as_number("1e3"), as_number("3,5", "decimal comma"), as_number("x"), as_number("1_000")
    (1000.0, 3.5, None, None)
    >>> as_number("3,5", "thousands"), as_number("1.250", "decimal comma")
    (None, 1250.0)
    """
    if pattern := _PATTERNS.get(form):
        if not pattern.fullmatch(cell):
            return None
        if form == "decimal comma":
            cell = cell.replace(".", "").replace(",", ".")
        else:
            cell = cell.replace(",", "")
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def fewest(total: int) -> float:
    """Return how many of so many values must be written in one way for the rest to be mistakes."""
    return NEARLY_ALL * total if total >= ENOUGH else total


def number_form(values: Mapping[str, int], delimiter: str = "") -> str:
    """Return how the numbers of a column are written, of which a few may be mistakes.

    Where a comma could be either sign, it stands between thousands, unless semicolons separate the
    cells: who writes those has a decimal comma.

    >>> number_form({"1,500": 1, "3": 1}), number_form({"1,500": 1, "3": 1}, ";")
    ('thousands', 'decimal comma')
    >>> number_form({"0,126": 1, "3,995": 1}), number_form({"1.250": 1, "950": 1}, ";")
    ('decimal comma', 'decimal comma')

    Args:
        values: each distinct value, and how often it occurs.
        delimiter: what separates the cells.
    """
    is_semicolon = delimiter == ";"
    if any("," in value or value.count(".") > 1 for value in values):
        forms = ["thousands", "decimal comma"]
        if is_semicolon:
            forms.reverse()
        fitting = {
            form: sum(n for value, n in values.items() if _PATTERNS[form].fullmatch(value))
            for form in forms
        }
        best = max(forms, key=fitting.__getitem__)
        num_plain = sum(n for value, n in values.items() if as_number(value) is not None)
        if fitting[best] >= fewest(sum(values.values())) and fitting[best] > num_plain:
            return best
    return "decimal comma" if is_semicolon and points_may_group(values) else ""


def points_may_group(values: Iterable[str]) -> tuple[str, str] | None:
    """Return a number with a point and one without, where points may stand between thousands.

    Three digits follow every point, one to three precede it, and all other numbers are whole and
    below 1000.

    >>> points_may_group(["950", "1.250"]), points_may_group(["950", "1.25"])
    (('1.250', '950'), None)
    >>> points_may_group(["0.950", "1.250", "3"]), points_may_group(["1.250", "3.750"])
    (None, None)
    """
    pointed = whole = ""
    for value in values:
        if _POINTED.fullmatch(value):
            pointed = pointed or value
        elif _SMALL.fullmatch(value):
            whole = whole or value
        elif as_number(value) is not None:
            return None
    return (pointed, whole) if pointed and whole else None
