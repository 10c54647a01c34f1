"""What was found in a table, in plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.table_dates import spelled
from samoyed.data.table_files import Cells
from samoyed.data.table_numbers import EXAMPLES
from samoyed.data.table_target import QUESTIONS, listed
from samoyed.data.table_values import Guess

_MOST_NAMED = 12


def describe(
    cells: Cells, spec: TableSpec, target: TargetSpec, why: str, splits: np.ndarray,
    test: Cells | None, guesses: Mapping[str, Guess], notes: Sequence[str], answers: np.ndarray,
    seed: int,
) -> list[str]:  # fmt: skip
    """Return the lines of `TableSource.describe`."""
    return [
        f"table: {cells.notes[0]}", *cells.notes[1:], *notes, _target(target, why, answers),
        *_columns(spec, guesses, len(cells)), _split(cells, splits, test, target, seed),
    ]  # fmt: skip


def _target(target: TargetSpec, why: str, answers: np.ndarray) -> str:
    question = QUESTIONS[target.kind].replace("_", " ")
    if target.kind == "classes":
        counts = np.bincount(answers, minlength=len(target.names))
        order = np.argsort(-counts, kind="stable")
        shown = [f"{target.names[k]} ({counts[k]:,})" for k in order]
        what = f"{len(target.names)} classes: {listed(shown, _MOST_NAMED)}"
        name = target.columns[0]
    elif target.kind == "number":
        low, middle, high = np.quantile(answers, (0, 0.5, 1))
        form = f" ({EXAMPLES[target.form]})" if target.form else ""
        what = f"numbers from {low:g} to {high:g}, median {middle:g}{form}"
        name = target.columns[0]
    else:
        shown = [
            f"{column} ({np.nansum(answers[:, t]):,.0f} of {(~np.isnan(answers[:, t])).sum():,} "
            f"are {target.names[2 * t + 1]})"
            for t, column in enumerate(target.columns)
        ]
        name, what = "several", "; ".join(shown[:_MOST_NAMED])
    return f"target: {name}: {what}. To {question}, as {why}"


def _columns(spec: TableSpec, guesses: Mapping[str, Guess], num_rows: int) -> list[str]:
    """Say which columns are numbers, dates, categories and molecules, and where values miss."""
    lines = []
    for kind, plural in (("number", "numbers"), ("date", "dates"), ("molecule", "molecules")):
        names = [c.name + _form(guesses[c.name]) for c in spec.columns if c.kind == kind]
        if names:
            lines.append(f"{plural} ({len(names)}): {listed(names, _MOST_NAMED)}")
    nums = {c.name: guesses[c.name].num_distinct for c in spec.categories}
    words = [f"{name} ({n:,} {'value' if n == 1 else 'values'})" for name, n in nums.items()]
    if words:
        lines.append(f"categories ({len(words)}): {listed(words, _MOST_NAMED)}")
    gaps = [
        f"{c.name} ({guesses[c.name].num_missing:,})"
        for c in spec.columns
        if guesses[c.name].num_missing
    ]
    if gaps:
        lines.append(f"missing values, of {num_rows:,}: {listed(gaps, _MOST_NAMED)}")
    return lines


def _form(guess: Guess) -> str:
    return f" ({how_written(guess)})" if guess.form and guess.kind in ("number", "date") else ""


def how_written(guess: Guess) -> str:
    """Say in words how a column's numbers or dates are read, where that is not as Python does."""
    if guess.form in EXAMPLES:
        return EXAMPLES[guess.form]
    doubt = f"; {spelled(guess.other_form)} would fit as well" if guess.other_form else ""
    return spelled(guess.form) + doubt


def _split(
    cells: Cells, splits: np.ndarray, test: Cells | None, target: TargetSpec, seed: int
) -> str:
    num_train = int((splits == TRAIN).sum())
    if test is not None:
        return f"split: {num_train:,} rows to learn from; {len(test):,} in {test.path} to test on"
    each = " of each class" if target.kind == "classes" else ""
    return (
        f"split: {num_train:,} rows to learn from; a fifth{each} is held out, "
        f"{int((splits == TEST).sum()):,} rows (seed {seed})"
    )
