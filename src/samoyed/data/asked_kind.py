"""What is given and is of another kind than is asked for: pictures of other runs, runs as data."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from samoyed.core.errors import DataError, OptionError, first_names
from samoyed.core.spec import TableSpec
from samoyed.data.asked_texts import is_file
from samoyed.data.image_reasons import HEAD_BYTES, picture_format

_OF_RUNS = ("config.json", "data.json", "events.jsonl")
_TABLE = ("tables", "Give a .csv, .tsv, .data, .arff, .jsonl or .parquet file", "rows.csv")
_SENTENCE = (
    "sentences", "Give a sentence, or a file with one in every line", '"A sentence of yours ."',
)  # fmt: skip
_ABOUT = {
    "classify_table": _TABLE,
    "regress_table": _TABLE,
    "classify_several": _TABLE,
    "classify_text": (
        "texts", "Give a text, or a file with a text in every line", '"A text of yours"',
    ),
    "tag": _SENTENCE,
    "classify_trees": _SENTENCE,
    "translate": _SENTENCE,
    "continue_text": ("texts", "Give the beginning of a text", '"Once upon"'),
    "embed": ("words", "Give words", "WORD"),
    "complete": ("facts", "Give a subject and a relation", '"SUBJECT, RELATION"'),
    "remember": ("sequences", "Give a number or a sequence", "7"),
}  # fmt: skip
"""Task -> what a run that has it is about, what to give it, and an example."""


def refuse_pictures(
    inputs: Sequence[str], run: str | Path, task: str, table: TableSpec | None = None, *,
    is_measured: bool = False,
) -> None:  # fmt: skip
    """Raise for a file that is a picture by its first bytes, where the run is not about pictures.

    Args:
        inputs: what the run is asked, or the data that it is to be measured on.
        run: its folder, or a file that was exported.
        task: of the run.
        table: the columns that it learned from, of a run about tables.
        is_measured: whether it is to be measured on them, and not to answer for them.

    Raises:
        DataError: naming the first such file.
    """
    if task not in _ABOUT:
        return
    about, give, _ = _ABOUT[task]
    give += _with_columns(table)
    if is_measured:
        give = "Give data of the kind that it learned from"
    for given in inputs:
        if form := _format_of(given):
            raise DataError(
                given, f"{about}, which {run} is about", f"a picture ({form}, by its first bytes)",
                f"{give}. Pictures are for a run that learned from pictures.",
            )  # fmt: skip


def refuse_run(data: str | Path) -> None:
    """Raise for the folder of a run where data is meant.

    Raises:
        DataError: naming it.
    """
    folder = Path(data).expanduser()
    if folder.is_dir() and all((folder / name).is_file() for name in _OF_RUNS):
        name = shlex.quote(str(data))
        raise DataError(
            data, "data to learn from or to be measured on", "the folder of a run, as `samoyed "
            "train` writes it", f"Name the data; samoyed evaluate {name} scores the run, samoyed "
            f"predict {name} INPUT asks it.",
        )  # fmt: skip


def nothing_given(run: str | Path, task: str) -> OptionError:
    """Return the error for a run that is to explain what it makes of nothing."""
    about, give, example = _ABOUT.get(task, ("something to explain", "Give some", "INPUT"))
    found = "none (standard input is not read)"
    return OptionError("inputs", about, found, f"{give}: samoyed explain {run} {example}")


def _with_columns(table: TableSpec | None) -> str:
    """Say which columns a table needs."""
    if table is None:
        return ""
    if not table.has_header:
        return " with its columns in the same order"
    return f" with the columns {first_names([column.name for column in table.columns], most=6)}"


def _format_of(given: str) -> str:
    """Return the format of a picture that an input names, or nothing."""
    if not is_file(given) or not Path(given).is_file():
        return ""
    try:
        with Path(given).open("rb") as file:
            return picture_format(file.read(HEAD_BYTES))
    except OSError:
        return ""  # whoever reads it says what is wrong
