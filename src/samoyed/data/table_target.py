"""Which column is the target, which question it asks, and its values as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from samoyed.core.errors import DataError, OptionError, did_you_mean
from samoyed.core.spec import TargetSpec
from samoyed.data.table_files import Cells, label
from samoyed.data.table_numbers import as_number
from samoyed.data.table_oddities import quantity_of
from samoyed.data.table_values import Guess, by_case, is_missing, parse_numbers

QUESTIONS = {"classes": "classify", "number": "regress", "binaries": "classify_several"}
"""What `--task` calls the kinds of `TargetSpec`."""

MOST_NUMBERED_CLASSES = 20  # whole numbers of at most so many values are classes,
ROWS_PER_CLASS = 20  # if each occurs about so often
ALL_BUT = "all but "


def resolve(option: str, asked: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that an option names, by name or by number from 1.

    >>> resolve("--target", "2, a", ("a", "b", "c"))
    ('b', 'a')

    Raises:
        OptionError: for a column that does not exist.
    """
    if asked in names:
        return (asked,)
    found: list[str] = []
    for part in (part.strip() for part in asked.split(",")):
        if part in names:
            name = part
        elif part.isdecimal() and 1 <= int(part) <= len(names):
            name = names[int(part) - 1]
        else:
            raise OptionError(
                option, f"a column's name, or its number from 1 to {len(names)}", repr(part),
                did_you_mean(part, names).strip() or f"The columns: {listed(names)}",
            )  # fmt: skip
        if name in found:
            raise OptionError(option, "each column once", f"{name!r} twice")
        found.append(name)
    return tuple(found)


def resolve_target(asked: str, cells: Cells) -> tuple[str, ...]:
    """Return the names of the target columns.

    Raises:
        OptionError: for one that does not exist; where it is in a first row that was taken for
            values, saying so.
    """
    try:
        return resolve("--target", asked, cells.names)
    except OptionError:
        first = [column[0] for column in cells.columns]
        part = next((part.strip() for part in asked.split(",") if part.strip() in first), None)
        if cells.has_header or part is None:
            raise
        raise OptionError(
            "--target", f"a column's name, or its number from 1 to {len(first)}",
            f"{part!r}, which is in the first row, line {cells.lines[0]}; but that was taken for "
            "values like the others, and not for a header",
            "Give every column a name in words that is no value below it; or, if there is no "
            f"header, the number: --target {first.index(part) + 1}",
        ) from None  # fmt: skip


def listed(names: Sequence[str], limit: int = 30) -> str:
    """List names, the first so many."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def choose_question(
    cells: Cells, targets: Sequence[str], guesses: Mapping[str, Guess], task: str | None
) -> tuple[str, str]:
    """Return the kind of target, as in `TargetSpec`, and why.

    Raises:
        DataError: for a target that asks nothing.
        OptionError: for a task that does not fit it.
    """
    for name in targets:
        if guesses[name].num_distinct == 0:
            raise DataError(
                f"{cells.path}, {label(name, cells.names)}", "a target with values in it",
                f"no value in any of {len(cells):,} rows", "Choose another --target.",
            )  # fmt: skip
    if task is not None and task not in QUESTIONS.values():
        raise OptionError(
            "--task", "for a table: " + ", ".join(QUESTIONS.values()), repr(task),
            did_you_mean(task, QUESTIONS.values()).strip(),
        )  # fmt: skip
    if len(targets) > 1 or task == "classify_several":
        _require_pairs(cells, targets, guesses, task)
        return "binaries", f"{len(targets)} columns of two values each"
    [name] = targets
    if task != "classify":
        _refuse_quantity(cells, name, guesses[name])
    kind, why = _kind_of_one(cells, name, guesses[name])
    if task is None or QUESTIONS[kind] == task:
        return kind, why
    words = [c for c in cells.column(name) if not is_missing(c) and as_number(c) is None]
    if task == "regress" and words and guesses[name].kind != "number":
        raise OptionError("--task", f"classify, as {name!r} holds words: {words[0]!r}", "regress")
    return ("number" if task == "regress" else "classes"), "as asked"


def _refuse_quantity(cells: Cells, name: str, found: Guess) -> None:
    """Raise for numbers with a currency, a unit or odd signs, which would silently be classes.

    Raises:
        DataError: naming one, and how to write it.
    """
    if found.kind in ("number", "date", "empty") or found.form:
        return
    if example := quantity_of(cells.column(name)):
        raise DataError(
            f"{cells.path}, {label(name, cells.names)}",
            "plain numbers, such as 1234.5, or classes", f"numbers written as {example!r}",
            "Write them plainly to learn how much it is; or take each for a class of its own with "
            "--task classify.",
        )  # fmt: skip


def _kind_of_one(cells: Cells, name: str, found: Guess) -> tuple[str, str]:
    """Decide whether one target's values are classes or a quantity."""
    total = len(cells) - found.num_missing
    if found.kind == "date":
        raise DataError(
            f"{cells.path}, {label(name, cells.names)}", "a class or a number to learn", "dates",
            "Write the date as a number, or choose another --target.",
        )  # fmt: skip
    values = [cell for cell in set(cells.column(name)) if not is_missing(cell)]
    numbers = [as_number(value, found.form) for value in values]
    if any(number is None for number in numbers) and found.kind != "number":
        return "classes", "its values are words"
    if found.num_distinct <= 2:
        return "classes", f"it has {found.num_distinct} values"
    are_whole = all(number is not None and number.is_integer() for number in numbers)
    is_often = found.num_distinct * ROWS_PER_CLASS <= total
    if are_whole and found.num_distinct <= MOST_NUMBERED_CLASSES and is_often:
        return "classes", (
            f"it has {found.num_distinct} different whole numbers; as a quantity: --task regress"
        )
    return "number", f"it has {found.num_distinct:,} different numbers"


def _require_pairs(
    cells: Cells, targets: Sequence[str], guesses: Mapping[str, Guess], task: str | None
) -> None:
    for name in targets:
        num = guesses[name].num_distinct
        if num != 2:
            values = sorted({c for c in cells.column(name) if not is_missing(c)})
            raise DataError(
                f"{cells.path}, {label(name, cells.names)}",
                "exactly two values, as in every one of several targets"
                if task is None or len(targets) > 1 else "exactly two values",
                f"{num:,}: {listed(values, 5)}",
                "Give one --target with many values, or several with two values each.",
            )  # fmt: skip


def fit_target(
    cells: Cells, targets: Sequence[str], kind: str, guesses: Mapping[str, Guess],
    rows: np.ndarray,
) -> TargetSpec:  # fmt: skip
    """Return the target with its classes, or its scale, from the training rows.

    Raises:
        DataError: when there is one class only, or as many as rows.
    """
    columns = tuple(targets)
    if kind == "binaries":
        pairs = [_sorted({c for c in cells.column(t) if not is_missing(c)}) for t in targets]
        return TargetSpec("binaries", columns, tuple(value for pair in pairs for value in pair))
    [name] = targets
    place = f"{cells.path}, {label(name, cells.names)}"
    written = cells.column(name)
    if kind == "number":
        form = guesses[name].form
        values, bad = parse_numbers(written, "number", form)
        if bad:
            raise DataError(
                cells.where(bad[0], name), "a finite number", repr(written[bad[0]]),
                "Mend it, or leave bad rows out with --on-bad skip.",
            )  # fmt: skip
        known = values[rows]
        spread = float(known.std())
        if spread == 0:
            raise DataError(place, "numbers that differ", f"{known[0]:g} in every row")
        return TargetSpec("number", columns, (), float(known.mean()), spread, form)
    counts = Counter(_canonical(written[i]) for i in rows)
    if len(counts) == 1:
        raise DataError(
            place, "at least two classes", f"one only, {next(iter(counts))!r}, in every row",
            "There is nothing to learn; choose another --target.",
        )  # fmt: skip
    if len(counts) > 0.5 * len(rows):
        raise DataError(
            place, "classes that occur several times", f"{len(counts):,} different values in "
            f"{len(rows):,} rows", "An identifier cannot be learned; choose another --target, or "
            "--task regress if its values are a quantity.",
        )  # fmt: skip
    return TargetSpec("classes", columns, _sorted(counts))


def _canonical(cell: str) -> str:
    """Write a number in one way, so that 1 and 1.0 are one class."""
    number = as_number(cell)
    return cell if number is None or (cell[:1] == "0" and cell[1:2].isdigit()) else f"{number:.12g}"


def _sorted(values: Sequence[str] | set[str] | Counter[str]) -> tuple[str, ...]:
    """Sort numbers as numbers and words as words."""
    numbers = {value: as_number(value) for value in values}
    if all(number is not None for number in numbers.values()):
        return tuple(sorted(values, key=lambda value: (numbers[value], value)))
    return tuple(sorted(values))


def labelled_rows(cells: Cells, targets: Sequence[str]) -> np.ndarray:
    """Return the rows in which at least one target has a value."""
    has_value = np.zeros(len(cells), bool)
    for name in targets:
        has_value |= np.array([not is_missing(cell) for cell in cells.column(name)], bool)
    return np.flatnonzero(has_value)


def encode_target(target: TargetSpec, cells: Cells) -> tuple[np.ndarray, list[int], list[str]]:
    """Encode the targets of rows.

    Returns:
        classes: (N,) int64; number: (N,) float64 in the target's own units; binaries: (N, T)
        float32 of 0 and 1, NaN where nothing is known. Then the rows that hold none of the known
        values, and notes.
    """
    if target.kind == "binaries":
        return _encode_pairs(target, cells)
    [name] = target.columns
    written = cells.column(name)
    if target.kind == "number":
        values, bad = parse_numbers(written, "number", target.form)
        missing = [i for i in np.flatnonzero(np.isnan(values)).tolist() if i not in set(bad)]
        return values, sorted([*bad, *missing]), []
    index = {value: k for k, value in enumerate(target.names)}
    folded = by_case(target.names)
    codes = np.zeros(len(cells), np.int64)
    unknown, num_dotted = [], 0
    for i, cell in enumerate(written):
        value = cell if cell in index else _canonical(cell)
        if value not in index and value.rstrip(".").rstrip() in index:
            value = value.rstrip(".").rstrip()
            num_dotted += 1
        value = value if value in index else folded.get(value.casefold(), value)
        if value in index:
            codes[i] = index[value]
        else:
            unknown.append(i)
    notes = (
        [f"{cells.path}: {num_dotted:,} labels end in a dot, which is not part of their class"]
        if num_dotted else []
    )  # fmt: skip
    return codes, unknown, notes


def _encode_pairs(target: TargetSpec, cells: Cells) -> tuple[np.ndarray, list[int], list[str]]:
    answers = np.full((len(cells), len(target.columns)), np.nan, np.float32)
    unknown: set[int] = set()
    for t, name in enumerate(target.columns):
        index = {value: k for k, value in enumerate(target.names[2 * t : 2 * t + 2])}
        for i, cell in enumerate(cells.column(name)):
            if is_missing(cell):
                continue
            value = cell if cell in index else _canonical(cell)
            if value in index:
                answers[i, t] = index[value]
            else:
                unknown.add(i)
    return answers, sorted(unknown), []
