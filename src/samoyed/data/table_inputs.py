"""Which columns of a table are learned from, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import ColumnKind
from samoyed.data import table_target as targeting
from samoyed.data.table_files import Cells, label
from samoyed.data.table_molecules import looks_like_smiles
from samoyed.data.table_values import Guess, guess, is_missing


def guesses_of(cells: Cells) -> dict[str, Guess]:
    """Return what each column seems to hold."""
    return {
        name: guess(name, column, cells.declared.get(name, ""), cells.delimiter)
        for name, column in zip(cells.names, cells.columns, strict=True)
    }


def named_inputs(asked: str | None, cells: Cells) -> tuple[str, ...] | None:
    """Return the columns that `--input` names, or None where it names none or those left out."""
    if asked is None or asked.lower().startswith(targeting.ALL_BUT):
        return None
    return targeting.resolve("--input", asked, cells.names)


def choose_inputs(
    cells: Cells, asked: str | None, targets: Sequence[str], guesses: Mapping[str, Guess]
) -> list[tuple[str, ColumnKind]]:
    """Return the columns to learn from, with what they hold.

    Raises:
        DataError: when none is left, or one that was asked for cannot be used.
        OptionError: for a column that does not exist or is the target.
    """
    if asked is None or asked.lower().startswith(targeting.ALL_BUT):
        out = asked[len(targeting.ALL_BUT) :] if asked else ""
        dropped = targeting.resolve("--input", out, cells.names) if out else ()
        chosen: list[tuple[str, ColumnKind]] = []
        for name in cells.names:
            kind = guesses[name].kind
            if name not in (*targets, *dropped) and kind in ("number", "date", "category"):
                chosen.append((name, kind))
        if chosen:
            return chosen
        smiles = [n for n in cells.names if looks_like_smiles(n, cells.column(n)[:50])]
        hint = (
            f"Molecules can be learned from: --input {smiles[0]}" if smiles else
            "Bring a column whose values repeat and differ, or name the columns with --input."
        )  # fmt: skip
        raise DataError(
            cells.path, "at least one column to learn from", "none beside the target and "
            "columns that are identifiers, free text or constant", hint,
        )  # fmt: skip
    names = targeting.resolve("--input", asked, cells.names)
    for name in names:
        if name in targets:
            raise OptionError("--input", "columns other than the target", repr(name))
    return [(name, _asked_kind(cells, name, guesses[name])) for name in names]


def _asked_kind(cells: Cells, name: str, found: Guess) -> ColumnKind:
    """Return as what a column is used that the user asked for by name."""
    if found.kind in ("number", "date"):
        return "date" if found.kind == "date" else "number"
    values = [cell for cell in cells.column(name) if not is_missing(cell)]
    if found.kind in ("text", "identifier", "category") and looks_like_smiles(name, values):
        return "molecule"
    if found.kind in ("text", "empty"):
        raise DataError(
            f"{cells.path}, {label(name, cells.names)}",
            "numbers, categories, dates, or molecules as SMILES",
            "free text" if found.kind == "text" else "no value at all",
            "Leave it out of --input.",
        )
    is_number = found.kind in ("identifier", "constant") and not guess(name, values[:1]).strays
    return "number" if is_number and guess(name, values[:19]).kind == "number" else "category"
