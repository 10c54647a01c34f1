"""Texts that a finished run is measured on: one is enough, of one class too, and none held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError, first_names, first_of
from samoyed.core.spec import LabelSpec
from samoyed.data import labelled_folders, labelled_table, labelled_text
from samoyed.data import table_target as targeting
from samoyed.data.labelled_lines import FORMS, Form, record_of
from samoyed.data.table_files import Cells, is_table_name, read_cells
from samoyed.data.tables import TableAsk
from samoyed.data.tagged_text import scan_tagged_text
from samoyed.data.text_files import read_file
from samoyed.data.text_kinds import kind_of_texts
from samoyed.data.trees import scan_trees

MOSTLY = 0.5  # of the cells of a column are classes that the run knows
KINDS = {"classify_text": "labelled_text", "tag": "tagged_text", "classify_trees": "trees"}
"""What each task about texts takes."""


def scan_measured(data: str, task: Any, config: Mapping[str, Any], on_bad: str) -> Any:
    """Return the texts of a path for a run to be measured on, or None where they are none.

    Args:
        data: a file or a folder.
        task: of the run.
        config: the run's config.json: what was said about columns holds here too.
        on_bad: "stop" raises at the first bad line or file, "skip" leaves it out and lists it.

    Raises:
        DataError: for a bad line or file, or nothing to measure on.
    """
    if task.name not in KINDS:
        return None
    path = Path(data).expanduser()
    said = TableAsk(**config.get("about_table", {}))
    if task.name == "classify_text":
        if path.is_file() and is_table_name(path.name):
            return _of_table(path, said, task.labels, on_bad)
        if path.is_dir() and _is_one_class(path, task.labels):
            return _source(path, _one_class(path, on_bad), task.labels, on_bad)
    if kind_of_texts(path, TableAsk(task=task.name)) != KINDS[task.name]:
        return None
    if task.name == "tag":
        return scan_tagged_text(
            path, word=said.input, tag=said.target, on_bad=on_bad, known=task.tags
        )
    if task.name == "classify_trees":
        return scan_trees(path, on_bad=on_bad, known=task.labels)
    form = form_by(path, task.labels) if path.is_file() else None
    return _source(path, labelled_text.gather(path, on_bad, form), task.labels, on_bad)


def form_by(path: Path, labels: LabelSpec) -> Form | None:
    """Tell how label and text are set in a file's lines: as most lines have a known label.

    A file of one line, or of one class, does not tell it by itself.
    """
    lines = read_file(path, is_western_allowed=True).text.split("\n")
    counts: dict[Form, int] = {}
    for form in FORMS:
        for line in lines:
            try:
                known = (
                    bool(line.strip()) and record_of(line, "", form, False).label in labels.names
                )
            except DataError:
                known = False
            counts[form] = counts.get(form, 0) + known
    best = max(FORMS, key=lambda form: counts[form])
    return best if counts[best] else None


def _of_table(path: Path, said: TableAsk, known: LabelSpec, on_bad: str) -> Any:
    """Read a table's column of text and its target; where nobody said, both are looked for.

    Raises:
        DataError: when no column holds the run's classes.
    """
    cells = read_cells(path, on_bad)
    if said.target is None:
        target = _of_classes(cells, known)
    else:
        [target] = targeting.resolve("--target", said.target, cells.names)
    if said.input is not None:
        [column] = targeting.resolve("--input", said.input, cells.names)
    else:
        others = [name for name in cells.names if name != target]
        column = max(others, key=lambda name: sum(map(len, cells.column(name))), default=target)
    gathered = labelled_table.gather(cells, replace(said, test=None), column, target, on_bad)
    return _source(path, gathered, known, on_bad)


def _of_classes(cells: Cells, known: LabelSpec) -> str:
    """Return the column of which most cells are the run's classes.

    Raises:
        DataError: when there is none.
    """
    shares = {
        name: sum(cell in known.names for cell in cells.column(name)) / max(1, len(cells))
        for name in cells.names
    }
    best = max(cells.names, key=shares.__getitem__)
    if shares[best] <= MOSTLY:
        raise DataError(
            cells.path, f"a column with the run's classes ({first_names(known.names)}) and one "
            "with texts", f"the columns {first_names(cells.names)}",
            "Name a table that has both; samoyed predict asks about texts alone.",
        )  # fmt: skip
    return best


def _is_one_class(path: Path, labels: LabelSpec) -> bool:
    inside = [p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return len(inside) == 1 and inside[0] in labels.names


def _one_class(path: Path, on_bad: str) -> labelled_text.Gathered:
    gathered = labelled_text.Gathered(f"texts of one class, in {path}")
    gathered.parts["train"] = labelled_folders.read_classes(
        path, labelled_folders.classes_in(path), on_bad, gathered.notes, gathered.skipped,
        gathered.digest,
    )  # fmt: skip
    return gathered


def _source(
    path: Path, gathered: labelled_text.Gathered, known: LabelSpec, on_bad: str
) -> Any:  # fmt: skip
    """Return what was gathered as a source, whatever its classes are, or of the known ones."""
    parts = gathered.parts
    records = parts.get("test") or parts.get("train", [])
    if on_bad == "skip":
        records = labelled_text.of_known(records, known, on_bad, gathered.skipped)
    if not records:
        told = f"; left out: {first_of(gathered.skipped)}" if gathered.skipped else ""
        raise DataError(
            path, f"texts of the run's classes: {first_names(known.names)}", f"none{told}"
        )
    labels = LabelSpec(labelled_text.ordered({record.label for record in records}))
    has_test = bool(parts.get("test"))
    held = {"train": [] if has_test else records, "test": records if has_test else []}
    return labelled_text.LabelledSource(
        path.name.split(".")[0] if path.is_file() else path.resolve().name, str(path),
        gathered.how, held, labels, has_test, tuple(gathered.notes), (), tuple(gathered.skipped),
        gathered.digest.hexdigest(),
    )  # fmt: skip
