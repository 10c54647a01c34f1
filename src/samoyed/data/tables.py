"""Read a table to learn from: which column is asked for, what the others hold, what is held out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from warnings import warn

import numpy as np

from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import Column, ColumnKind, TableSpec, TargetSpec
from samoyed.data import table_target as targeting
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.labelled_table import text_column, text_of_table
from samoyed.data.labelled_text import LabelledSource
from samoyed.data.pair_columns import is_columns
from samoyed.data.table_dates import spelled
from samoyed.data.table_encoding import RawRows, encode, fit_column, read_raw, unknown_values
from samoyed.data.table_files import Cells, read_cells
from samoyed.data.table_inputs import choose_inputs, guesses_of, named_inputs
from samoyed.data.table_rows import UNNAMED, Rows, aligned, rows_of, without
from samoyed.data.table_split import copies, digests_of, split, strata_of, suspicions
from samoyed.data.table_summary import describe, how_written
from samoyed.data.table_values import Guess

MIN_ROWS = 10


@dataclass(frozen=True)
class TableAsk:
    """What a user says about a table.

    Args:
        target: names or numbers from 1 of the target columns, separated by commas.
        test: the file of the official test part, or None to hold out a fifth.
        input: names or numbers of the columns to learn from, "all but NAMES", or None for all.
        task: classify, regress, classify_several, or None to let the target decide.
    """

    target: str | None = None
    test: str | None = None
    input: str | None = None
    task: str | None = None


@dataclass(frozen=True, eq=False)
class TableData:
    """A table as vectors.

    Args:
        spec: the columns, and how a row is laid out.
        target: what is asked.
        train: rows to learn from.
        test: rows that are held out.
    """

    spec: TableSpec
    target: TargetSpec
    train: Rows
    test: Rows


@dataclass(frozen=True, eq=False)
class TableSource:
    """A table that was read, typed and split.

    Args:
        name: the file's name without ending.
        path: the file.
        spec: the columns that are used, with statistics of the training part.
        target: what is asked.
        why: why the target asks this.
        cells: the table, without the rows that were left out.
        splits: (N,) TRAIN or TEST for each of its rows.
        test: the official test part, or None.
        lines: what `describe` says.
        warnings: suspicious things, with names.
        skipped: "file:line: reason" for rows left out.
        fingerprint: of the content and of what was asked, hexadecimal.
    """

    name: str
    path: str
    spec: TableSpec
    target: TargetSpec
    why: str
    cells: Cells
    splits: np.ndarray
    test: Cells | None
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    kind: ClassVar[str] = "table"

    @property
    def asked(self) -> str:
        """Return what `--task` calls the question."""
        return targeting.QUESTIONS[self.target.kind]

    @property
    def num_train(self) -> int:
        """Return how many rows there are to learn from."""
        return int((self.splits == TRAIN).sum())

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        return list(self.lines)

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every cell.

        Raises:
            DataError: where nothing could be held out.
        """
        if self.test is None and (self.splits == TRAIN).all():
            raise DataError(
                self.path, "rows that differ, so that a fifth of them can be held out",
                f"{len(self.splits):,} rows, of each class one, or copies of one",
                "Add other rows, or give a test file with --test.",
            )  # fmt: skip
        return []

    def load(self) -> TableData:
        """Encode every row.

        Raises:
            DataError: where nothing could be held out.
        """
        self.verify()
        whole = rows_of(self.spec, self.target, self.cells)
        train = whole.some(np.flatnonzero(self.splits == TRAIN))
        if self.test is not None:
            return TableData(
                self.spec, self.target, train, rows_of(self.spec, self.target, self.test)
            )
        test = whole.some(np.flatnonzero(self.splits == TEST))
        return TableData(self.spec, self.target, train, test)

    def raw(self) -> tuple[RawRows, RawRows]:
        """Return the rows of `load`, to learn from and held out, as numbers before encoding."""
        whole, _ = read_raw(self.spec, self.cells)
        train = whole.some(self.splits == TRAIN)
        if self.test is not None:
            return train, read_raw(self.spec, self.test)[0]
        return train, whole.some(self.splits == TEST)


def scan_table(
    path: str | Path, ask: TableAsk, *, on_bad: str = "stop", seed: int = 0
) -> TableSource | LabelledSource:
    """Read a table, find out what its columns are, and split it.

    Where the target is a class and the one column to read is free text, it is labelled text.

    Args:
        path: a CSV, TSV, ARFF or Parquet file.
        ask: the target and what else the user said.
        on_bad: "stop" raises at the first bad row, "skip" leaves bad rows out and lists them.
        seed: which fifth is held out where there is no test file.

    Raises:
        DataError: the table cannot be learned from, with file, line and column.
        OptionError: what was asked does not fit the table.
        MissingExtra: for Parquet without polars, or molecules without RDKit.
    """
    cells = read_cells(path, on_bad)
    guesses = guesses_of(cells)
    if ask.target is None:
        raise OptionError(
            str(path), "--target, the column to learn",
            f"a table of {len(cells):,} rows; its columns: {_columns(cells, guesses)}",
            "\n            or ".join(_commands(path, cells, guesses)),
        )  # fmt: skip
    targets = targeting.resolve_target(ask.target, cells)
    task = "classify" if ask.task == "classify_text" else ask.task
    kind, why = targeting.choose_question(cells, targets, guesses, task)
    named = named_inputs(ask.input, cells)
    if kind == "classes" and (column := text_column(guesses, targets, named)) is not None:
        return text_of_table(cells, ask, column, targets[0], on_bad, seed)
    skipped: list[str] = list(cells.skipped)
    notes: list[str] = []
    cells = _only_labelled(cells, targets, notes)
    _refuse_few(path, cells)
    chosen = choose_inputs(cells, ask.input, targets, guesses)
    cells = _without_strays(cells, chosen, guesses, targets, kind, on_bad, skipped)
    _refuse_few(path, cells)
    digests = digests_of(cells, [name for name, _ in chosen])
    test, splits, target, answers = _held_out(cells, ask, targets, kind, guesses, digests, seed,
                                              on_bad, skipped, notes, chosen)  # fmt: skip
    columns = _fitted(cells, chosen, guesses, np.flatnonzero(splits == TRAIN).tolist())
    spec = TableSpec(columns, cells.names, cells.has_header)
    if test is not None:
        test = _without_bad(test, spec, on_bad, skipped)
    other = digests_of(test, [name for name, _ in chosen]) if test is not None else []
    warnings = [
        *copies(cells, digests, targets, test, other),
        *([] if test is None else unknown_values(spec, test, read_raw(spec, test)[0])),
        *suspicions(cells, columns, guesses, target, answers, splits, test is not None),
    ]
    return TableSource(
        Path(path).name.split(".")[0], str(path), spec, target, why, cells, splits, test,
        tuple(describe(cells, spec, target, why, splits, test, guesses, notes, answers, seed)),
        tuple(warnings), tuple(skipped),
        "-".join([cells.fingerprint, test.fingerprint if test is not None else "fifth"]),
    )  # fmt: skip


def _fitted(
    cells: Cells, chosen: Sequence[tuple[str, ColumnKind]], guesses: Mapping[str, Guess],
    rows: Sequence[int],
) -> tuple[Column, ...]:  # fmt: skip
    """Return the columns with their statistics, those of the rows to learn from."""
    columns = []
    for name, kind in chosen:
        written = cells.column(name)
        columns.append(fit_column(name, kind, guesses[name].form, [written[i] for i in rows]))
    return tuple(columns)


def scan_unasked(path: str | Path, *, on_bad: str = "stop") -> list[str]:
    """Say what is in a table of which nobody said what to learn."""
    cells = read_cells(path, on_bad)
    guesses = guesses_of(cells)
    lines = [*cells.notes]
    for i, (name, found) in enumerate(guesses.items(), 1):
        missing = f", {found.num_missing:,} missing" if found.num_missing else ""
        shown = ", ".join(e if len(e) <= 20 else e[:17] + "..." for e in found.examples)
        kind = found.kind + (f" ({how_written(found)})" if found.form else "")
        lines.append(f"  {i:>3}  {name}: {kind}, {found.num_distinct:,} distinct{missing}; {shown}")
    first, *others = _commands(path, cells, guesses)
    return [
        *lines, "a table needs to be told which column to learn: --target NAME, or its number",
        f"to train: {first}", *[f"      or: {command}" for command in others],
    ]  # fmt: skip


def _commands(path: str | Path, cells: Cells, guesses: Mapping[str, Guess]) -> list[str]:
    """Return how to learn from a table; where two columns are texts alone, also how to translate.

    One may be the other in another language, of which neither a name nor a frequent word tells.
    """
    train = f"samoyed train {shlex.quote(str(path))}"
    commands = [f"{train} --target {_likely_target(cells, guesses)}"]
    kinds = [guess.kind for guess in guesses.values()]
    one, *others = [place for place, kind in enumerate(kinds, 1) if kind == "text"] or [0]
    if others and not {"number", "category"} & {*kinds} and is_columns(Path(path)):
        two = others[0]
        commands.append(
            f"{train} --from {one} --to {two}  # if column {two} translates column {one}"
        )
    return commands


def _refuse_few(path: str | Path, cells: Cells) -> None:
    if len(cells) < MIN_ROWS:
        raise DataError(
            path, f"at least {MIN_ROWS} rows", f"{len(cells)} usable ones", "Bring more rows."
        )


def _columns(cells: Cells, guesses: Mapping[str, Guess]) -> str:
    shown = [f"{i} {n} ({g.kind})" for i, (n, g) in enumerate(guesses.items(), 1)]
    return targeting.listed([s.replace(f" column {s.split()[0]} ", " ") for s in shown], 40)


def _likely_target(cells: Cells, guesses: Mapping[str, Guess]) -> str:
    """Return a column that may be the target: one of the usual name, else the last that can."""
    usual = ("target", "class", "label", "outcome", "survived", "price", "quality")
    able = [n for n in cells.names if guesses[n].kind in ("number", "category")]
    last = next((n for n in able if n.lower() in usual), (able or list(cells.names))[-1])
    if not cells.has_header:
        return str(cells.names.index(last) + 1)
    return last if last.replace("_", "").replace("-", "").isalnum() else f'"{last}"'


def _only_labelled(cells: Cells, targets: Sequence[str], notes: list[str]) -> Cells:
    """Leave out the rows without any target."""
    rows = targeting.labelled_rows(cells, targets)
    num = len(cells) - len(rows)
    if num == 0:
        return cells
    out = set(range(len(cells))) - set(rows.tolist())
    some = {cells.column(name)[i] for name in targets for i in sorted(out)[:1000]} - {""}
    said = f" ({', '.join(map(repr, sorted(some)))})" if some else ""
    told = "1 row has" if num == 1 else f"{num:,} rows have"
    notes.append(f"{told} no value in {', '.join(targets)}{said} and count for nothing")
    return without(cells, out)


def _without_strays(
    cells: Cells, chosen: Sequence[tuple[str, ColumnKind]], guesses: Mapping[str, Guess],
    targets: Sequence[str], kind: str, on_bad: str, skipped: list[str],
) -> Cells:  # fmt: skip
    """Leave out the rows whose cells are not what their column holds, or raise for the first."""
    columns = [Column(name, held, form=guesses[name].form) for name, held in chosen]
    asked = [
        Column(t, "number", form=guesses[t].form) for t in targets
        if guesses[t].kind == "number" and (guesses[t].strays or kind == "number")
    ]  # fmt: skip
    spec = TableSpec((*(c for c in columns if c.kind != "category"), *asked), cells.names)
    return _without_bad(cells, spec, on_bad, skipped)


def _without_bad(cells: Cells, spec: TableSpec, on_bad: str, skipped: list[str]) -> Cells:
    """Leave out the rows that cannot be encoded, or raise for the first.

    Raises:
        DataError: naming line, column and value.
    """
    _, bad = encode(spec, cells)
    if not bad:
        return cells
    if on_bad == "skip":
        skipped += [f"{cells.where(b.row, b.column.name)}: {b.cell!r}" for b in bad]
        return without(cells, {b.row for b in bad})
    first = min(bad, key=lambda found: found.row)
    expected = {
        "number": "a finite number, as in the other rows",
        "date": f"a date like the others ({spelled(first.column.form)})",
        "molecule": "a molecule as SMILES",
    }[first.column.kind]  # fmt: skip
    more = f" (and {len(bad) - 1:,} more cells like it)" if len(bad) > 1 else ""
    found = "no molecule" if not first.cell else repr(first.cell)
    raise DataError(
        cells.where(first.row, first.column.name),
        expected,
        found + more,
        "Mend it, leave the cell empty, or leave bad rows out with --on-bad skip.",
    )


def _held_out(
    cells: Cells, ask: TableAsk, targets: Sequence[str], kind: str, guesses: Mapping[str, Guess],
    digests: Sequence[bytes], seed: int, on_bad: str, skipped: list[str], notes: list[str],
    chosen: Sequence[tuple[str, ColumnKind]],
) -> tuple[Cells | None, np.ndarray, TargetSpec, np.ndarray]:  # fmt: skip
    """Return the official test part or None, the split, the target and all answers."""
    every = np.arange(len(cells))
    target = targeting.fit_target(cells, targets, kind, guesses, every)
    answers, _, found = targeting.encode_target(target, cells)
    notes += found
    if ask.test is None:
        splits = split(strata_of(kind, answers), digests, seed)
        if kind == "number":
            rows = np.flatnonzero(splits == TRAIN)
            target = targeting.fit_target(cells, targets, kind, guesses, rows)
        return None, splits, target, answers
    test = read_cells(ask.test, on_bad, cells.names if cells.has_header else ("",))
    skipped += test.skipped
    known = TableSpec(tuple(Column(n, k) for n, k in chosen), cells.names, cells.has_header)
    test = aligned(test, known, target, needs_target=True)
    test = _only_labelled(test, targets, notes)
    _, bad, found = targeting.encode_target(target, test)
    notes += [*[n for n in test.notes if "comment" in n or UNNAMED in n], *found]
    if bad and on_bad != "skip":
        raise unseen(test, target, bad)
    skipped += [f"{test.where(i)}: unknown target" for i in bad]
    test = without(test, set(bad))
    if len(test) == 0:
        raise DataError(ask.test, "rows to test on", "none that can be used")
    return test, np.full(len(cells), TRAIN, np.int8), target, answers


def unseen(cells: Cells, target: TargetSpec, bad: Sequence[int]) -> DataError:
    """Return the error for target values that training did not show."""
    name = target.columns[0]
    written = cells.column(name)
    values = sorted({written[i] for i in bad})
    known = targeting.listed(target.names, 10) if target.names else "a finite number"
    more = f", in {len(bad):,} rows" if len(bad) > 1 else ""
    return DataError(
        cells.where(bad[0], name), f"a target that training showed: {known}",
        f"{targeting.listed([repr(v) for v in values], 5)}{more}",
        "Mend them, or leave those rows out with --on-bad skip.",
    )  # fmt: skip


def scan_held_out(
    path: str | Path, spec: TableSpec, target: TargetSpec, *, on_bad: str = "stop"
) -> TableSource:
    """Read a table to measure a trained model on: every row is held out.

    Raises:
        DataError: for other columns, unknown targets or cells that cannot be read.
    """
    cells = read_cells(path, on_bad, spec.names if spec.has_header else ("",))
    skipped = list(cells.skipped)
    cells = aligned(cells, spec, target, needs_target=True)
    notes: list[str] = []
    cells = _only_labelled(cells, target.columns, notes)
    _, bad, _ = targeting.encode_target(target, cells)
    if bad and on_bad != "skip":
        raise unseen(cells, target, bad)
    written = cells.column(target.columns[0])
    skipped += [f"{cells.where(i)}: unknown target {written[i]!r}" for i in bad]
    cells = _without_bad(without(cells, set(bad)), spec, on_bad, skipped)
    for unknown in unknown_values(spec, cells, read_raw(spec, cells)[0]):
        warn(unknown, stacklevel=2)
    empty = replace(cells, columns=tuple(() for _ in cells.columns), lines=())
    return TableSource(
        Path(path).name.split(".")[0], str(path), spec, target, "as the run asks", empty,
        np.zeros(0, np.int8), cells, (*cells.notes, *notes), (), tuple(skipped), cells.fingerprint,
    )  # fmt: skip
