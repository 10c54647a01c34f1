"""Cells of a table as labels: one, a list of them, or a yes or no for each.

Shapes: N pictures, K labels.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PLURAL = frozenset(["labels", "tags", "categories", "classes", "genres", "targets", "attributes"])
_YES = frozenset(["1", "1.0", "true", "yes"])
_NO = frozenset(["0", "0.0", "false", "no"])
_MINUS = frozenset(["-1", "-1.0"])  # "no" where no 0 is, "not known" beside one
_SEPARATORS = {"|": "bars", ";": "semicolons", ",": "commas"}


class Several(NamedTuple):
    """Lists of labels.

    Args:
        rows: for each cell its labels, or the reason why it holds none, as text.
        how: how they are written, in words.
    """

    rows: list[tuple[str, ...] | str]
    how: str


def lists_in(name: str, cells: Sequence[str]) -> Several | None:
    """Read cells as lists of labels, or return None where they hold one label each.

    A list is JSON (or as Python prints it), or labels with | or ; between them, where at least one
    of these labels stands in another cell too; in a column with the name of many things (labels,
    tags) whatever stands elsewhere, and also with commas.

    >>> lists_in("label", ["a|b", "a", ""]).rows
    [('a', 'b'), ('a',), ()]
    >>> lists_in("label", ["a, b", "a"]) is None, lists_in("label", ["red;blue", "green"]) is None
    (True, True)
    """
    filled = [cell for cell in cells if cell]
    if not filled:
        return None
    if sum(cell.startswith("[") for cell in filled) * 2 > len(filled):
        return Several([_from_list(cell) for cell in cells], "lists")
    is_plural = name.lower() in PLURAL
    marks = [m for m in _SEPARATORS if m != "," or is_plural]
    mark = next((m for m in marks if _separates(m, filled, is_plural)), None)
    if mark is None:
        return None
    rows: list[tuple[str, ...] | str] = [_once(cell.split(mark)) for cell in cells]
    num = sum(mark in cell for cell in filled)
    return Several(
        rows, f"labels separated by {_SEPARATORS[mark]} in {num:,} row{'s' if num > 1 else ''}; "
        f"where {mark} belongs to a name, write another sign",
    )  # fmt: skip


def _separates(mark: str, cells: Sequence[str], is_plural: bool) -> bool:
    """Tell whether a sign stands between labels: if one of them stands in another cell too."""
    with_mark = {cell for cell in cells if mark in cell}
    if is_plural or not with_mark:
        return bool(with_mark)
    seen = Counter(label for cell in {*cells} for label in _once(cell.split(mark)))
    return any(seen[label] > 1 for cell in with_mark for label in _once(cell.split(mark)))


def signs_in(cells: Sequence[str]) -> str:
    """Say where labels hold signs that could stand between labels and do not.

    >>> signs_in(["red;blue", "green"])
    'one label each; ; belongs to the label in 1 row, as no part of it stands alone'
    """
    said = "one label each"
    for mark in "|;":
        if num := sum(mark in cell for cell in cells):
            rows = f"{num:,} row{'s' if num > 1 else ''}"
            said += f"; {mark} belongs to the label in {rows}, as no part of it stands alone"
    return said


def _from_list(cell: str) -> tuple[str, ...] | str:
    """Return the labels of a written list, or what is wrong with it."""
    if not cell:
        return ()
    try:
        found = json.loads(cell)
    except ValueError:
        try:
            found = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return f"a list that cannot be read: {cell[:40]!r}"
    if not isinstance(found, list) or not all(isinstance(x, str | int) for x in found):
        return f"no list of labels: {cell[:40]!r}"
    return _once([str(label) for label in found])


def _once(labels: Sequence[str]) -> tuple[str, ...]:
    """Return each label once, without blanks."""
    return tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))


def is_yes_or_no(cells: Sequence[str]) -> bool:
    """Tell whether a column answers a question with yes and no.

    >>> is_yes_or_no(["0", "1", ""]), is_yes_or_no(["0", "2"]), is_yes_or_no(["", ""])
    (True, False, False)
    """
    values = {cell.lower() for cell in cells} - {""}
    return bool(values) and values <= _YES | _NO | _MINUS


def answers_of(columns: Sequence[Sequence[str]]) -> np.ndarray:
    """Read columns of yes and no.

    Args:
        columns: K columns of N cells.

    Returns:
        (N, K) float32 of 0, 1, and NaN where the cell is empty, or -1 in a table that says no
        with 0.
    """
    has_zeros = any(cell.lower() in _NO for column in columns for cell in column)
    minus = np.nan if has_zeros else 0.0
    values = dict.fromkeys(_YES, 1.0) | dict.fromkeys(_NO, 0.0) | dict.fromkeys(_MINUS, minus)
    rows = [[values.get(cell.lower(), np.nan) for cell in column] for column in columns]
    return np.array(rows, np.float32).T
