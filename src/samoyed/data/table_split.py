"""Hold out a fifth of a table, and notice what is suspicious about it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from samoyed.core.spec import Column, TargetSpec
from samoyed.data import table_oddities
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.image_split import hold_out
from samoyed.data.table_files import Cells
from samoyed.data.table_values import Guess, is_missing, parse_numbers

FEW = 5  # rows of a class to learn from, at which it is named
IMBALANCE = 10.0  # largest class over smallest
MUCH_MISSING = 0.5
MANY_VALUES = 0.2  # different words per row, from which a column is named
NUM_STRATA = 10  # of a number that is asked for
SAME = 0.9999  # correlation of a column with the target
NEARLY_TOLD = 0.97  # of the rows have the commonest class of a column's value
FEWEST_TOLD, MOST_COMMON = 100, 0.8  # rows, and share of the commonest class, to say so
MANY_TOLD = 0.1  # different values per row, from which they tell a class by chance


def digests_of(cells: Cells, names: Sequence[str]) -> list[bytes]:
    """Return a hash of each row's inputs."""
    columns = [cells.column(name) for name in names]
    return [
        hashlib.blake2b("\x1f".join(row).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for row in zip(*columns, strict=True)
    ]


def strata_of(kind: str, answers: np.ndarray) -> np.ndarray:
    """Return (N,) int64: the groups that a split keeps the shares of."""
    if kind == "classes":
        return answers.astype(np.int64)
    if kind == "number":
        inner = np.quantile(answers, np.linspace(0, 1, NUM_STRATA + 1)[1:-1])
        return np.searchsorted(np.unique(inner), answers).astype(np.int64)
    return np.nan_to_num(answers[:, 0], nan=2.0).astype(np.int64)


def split(strata: np.ndarray, digests: Sequence[bytes], seed: int) -> np.ndarray:
    """Choose a fifth of each group to be held out; copies stay on one side.

    A group whose only rows would all be held out stays in the training part.

    Args:
        strata: (N,) group of each row.
        digests: N hashes of the rows' inputs.
        seed: another seed, another choice.

    Returns:
        (N,) int8 of TRAIN and TEST.
    """
    return hold_out(strata, digests, seed)


def copies(
    cells: Cells,
    digests: Sequence[bytes],
    targets: Sequence[str],
    other: Cells | None,
    other_digests: Sequence[bytes],
) -> list[str]:
    """Warn of rows that are there twice: with other answers, and in both parts."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, digest in enumerate(digests):
        groups[digest].append(i)
    found = []
    repeated = [group for group in groups.values() if len(group) > 1]
    if repeated:
        answers = list(zip(*(cells.column(name) for name in targets), strict=True))
        differing = [g for g in repeated if len({answers[i] for i in g}) > 1]
        num = sum(len(group) - 1 for group in repeated)
        first = " and ".join(str(cells.lines[i]) for i in repeated[0][:2])
        found.append(
            f"{'1 row repeats' if num == 1 else f'{num:,} rows repeat'} the inputs of another "
            f"(first: lines {first})"
            + ("; a split keeps them on one side" if other is None else "")
        )
        if differing:
            first = " and ".join(str(cells.lines[i]) for i in differing[0][:2])
            found.append(
                f"rows with the same inputs have different targets, in {len(differing):,} "
                f"group{'s' if len(differing) > 1 else ''} (first: lines {first}): no model can "
                "get them all right"
            )
    both = [i for i, digest in enumerate(other_digests) if digest in groups]
    if other is not None and both:
        i = both[0]
        found.append(
            f"{len(both):,} rows of {other.path} have the same inputs as rows to learn from "
            f"(first: line {other.lines[i]} = line {cells.lines[groups[other_digests[i]][0]]}): "
            "the scores will flatter"
        )
    return found


def suspicions(
    cells: Cells, columns: Sequence[Column], guesses: Mapping[str, Guess], target: TargetSpec,
    answers: np.ndarray, splits: np.ndarray, has_official_test: bool = False,
) -> list[str]:  # fmt: skip
    """Warn, with names, of what looks wrong with columns and classes.

    Args:
        cells: all rows.
        columns: the columns that are used.
        guesses: of all columns.
        target: what is asked.
        answers: encoded targets of all rows.
        splits: (N,) TRAIN or TEST.
        has_official_test: whether the held-out rows are another table's.
    """
    used = [*target.columns, *(column.name for column in columns)]
    found = _left_out(cells, {name: g for name, g in guesses.items() if name not in used})
    for name, guess in guesses.items():
        if guess.is_mixed and name not in target.columns:
            found.append(_mixed(cells, name, guess, name in used))
    for column in columns:
        guess = guesses[column.name]
        if column.kind == "category" and guess.num_distinct > max(30, MANY_VALUES * len(cells)):
            found.append(
                f"column {column.name!r} has {guess.num_distinct:,} different values in "
                f"{len(cells):,} rows: those that occur only once are taken as one"
            )
        if guess.num_missing > MUCH_MISSING * len(cells):
            share = guess.num_missing / len(cells)
            found.append(f"column {column.name!r} is missing in {share:.0%} of the rows")
    found += table_oddities.warnings(cells, columns, guesses, target)
    found += leaks(cells, columns, target, answers)
    if target.kind == "classes":
        found += _classes(target, answers, splits, has_official_test)
    elif target.kind == "binaries":
        for t, name in enumerate(target.columns):
            known = answers[:, t][~np.isnan(answers[:, t])]
            if known.mean() < 0.02 or known.mean() > 0.98:
                rare = min(int(known.sum()), int(len(known) - known.sum()))
                found.append(f"target {name!r}: only {rare:,} of {len(known):,} differ")
    return found


def _mixed(cells: Cells, name: str, guess: Guess, is_used: bool) -> str:
    """Say where a column of numbers holds something else, and what becomes of it."""
    row, cell = next(
        (i, c) for i, c in enumerate(cells.column(name))
        if not is_missing(c) and parse_numbers([c], "number", "")[1]
    )  # fmt: skip
    taken = f"its {guess.num_distinct:,} values are taken as categories"
    return f"column {name!r} holds mostly numbers, but {cell!r} in line {cells.lines[row]}: " + (
        taken if is_used else "it is not used until that is mended"
    )


def _left_out(cells: Cells, guesses: Mapping[str, Guess]) -> list[str]:
    """Name the columns that cannot be used, and why."""
    reasons = {
        "identifier": "identifiers, distinct in (nearly) every row, are not used",
        "constant": "constant columns are not used",
        "empty": "columns without any value are not used",
        "text": "columns of free text are not used",
    }
    lines = []
    for kind, reason in reasons.items():
        names = [
            n for n, g in guesses.items()
            if g.kind == kind and not g.is_mixed
            and not (kind == "identifier" and table_oddities.is_written(cells.column(n)))
        ]  # fmt: skip
        if names:
            lines.append(f"{reason}: {named(names)}")
    return lines


def leaks(
    cells: Cells, columns: Sequence[Column], target: TargetSpec, answers: np.ndarray
) -> list[str]:
    """Name the columns that equal the target, determine it, or nearly do."""
    found = []
    for column in columns:
        written = cells.column(column.name)
        if target.kind == "number":
            is_leak = column.is_number and _is_same_number(column, written, answers)
        elif target.kind == "classes":
            is_leak = _determines(written, answers)
            if column.is_number and not is_leak:
                is_leak = _separates(column, written, answers)
        else:
            some = [answers[:, t] for t in range(answers.shape[1])]
            is_leak = any(
                _determines([written[i] for i in np.flatnonzero(~np.isnan(a))], a[~np.isnan(a)])
                for a in some
            )
        share = 1.0 if is_leak else _told(written, answers) if target.kind == "classes" else 0.0
        if share >= NEARLY_TOLD:
            nearly = "" if is_leak else f"nearly (in {share:.1%} of the rows) "
            found.append(
                f"column {column.name!r} {nearly}determines the target "
                f"{', '.join(target.columns)}: will it be known when the model is used? if not: "
                f"--input 'all but {column.name}'"
            )
    return found


def _told(written: Sequence[str], answers: np.ndarray) -> float:
    """Return the share of rows whose class is the commonest of their column's value.

    It is 0 where values are many, or where one class is so common that this says nothing.
    """
    num = len(written)
    if num < FEWEST_TOLD or np.bincount(answers).max() > MOST_COMMON * num:
        return 0.0
    if len(set(written)) > MANY_TOLD * num:
        return 0.0
    best: dict[str, int] = {}
    for (value, _), count in Counter(zip(written, answers.tolist(), strict=True)).items():
        best[value] = max(best.get(value, 0), count)
    return sum(best.values()) / num


def _determines(written: Sequence[str], answers: np.ndarray) -> bool:
    """Tell whether every value of a column goes with one class, and few values say so."""
    values = set(written)
    if len(values) < 2 or len(values) > 0.2 * len(written) or len(written) < 20:
        return False
    pairs = set(zip(written, answers.tolist(), strict=True))
    return len(pairs) == len(values)


def _separates(column: Column, written: Sequence[str], answers: np.ndarray) -> bool:
    """Tell whether thresholds on a number, one fewer than classes, tell all classes apart."""
    values, _ = parse_numbers(written, column.kind, column.form)
    if np.isnan(values).any() or len(values) < 100:
        return False
    num_classes = len(np.unique(answers))
    if num_classes > 10:
        return False
    order = np.argsort(values, kind="stable")
    is_change = answers[order][1:] != answers[order][:-1]
    is_step = values[order][1:] != values[order][:-1]
    return bool(is_change.sum() == num_classes - 1 and np.all(is_step[is_change]))


def _is_same_number(column: Column, written: Sequence[str], answers: np.ndarray) -> bool:
    values, _ = parse_numbers(written, column.kind, column.form)
    known = ~np.isnan(values)
    if known.sum() < 20 or values[known].std() == 0 or answers[known].std() == 0:
        return False
    return bool(abs(np.corrcoef(values[known], answers[known])[0, 1]) > SAME)


def _classes(
    target: TargetSpec, answers: np.ndarray, splits: np.ndarray, has_official_test: bool
) -> list[str]:
    """Warn of rare, untested and unequal classes."""
    names = target.names
    counts = np.bincount(answers[splits == TRAIN], minlength=len(names))
    tested = np.bincount(answers[splits == TEST], minlength=len(names))
    found = []
    few = [f"{names[k]} ({n})" for k, n in enumerate(counts) if n <= FEW]
    if few:
        found.append(f"classes with {FEW} or fewer rows to learn from: {named(few)}")
    untested = [names[k] for k, n in enumerate(tested) if n == 0]
    if untested and not has_official_test:
        found.append(f"classes without a row in the held-out part: {named(untested)}")
    large, small = int(counts.argmax()), int(counts.argmin())
    if counts[small] and counts[large] > IMBALANCE * counts[small]:
        found.append(
            f"unequal classes: {counts[large]:,} rows of {names[large]}, {counts[small]:,} of "
            f"{names[small]}; look at macro F1 beside accuracy"
        )
    return found
