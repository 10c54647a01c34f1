"""What a run about texts is asked: texts as they are said, or files of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from samoyed.core.errors import DataError, did_you_mean, first_names
from samoyed.data import words
from samoyed.data.labelled_folders import texts_in
from samoyed.data.labelled_lines import Form, without_labels
from samoyed.data.table_files import Cells, is_table_name, read_cells
from samoyed.data.table_jsonl import SUFFIX
from samoyed.data.text_files import read_file

LONGEST_PATH = 4096
MOSTLY = 0.5  # of the cells
COLUMN = "text"
"""What a column or a field of texts is called where the run learned from none."""

_NAME = re.compile(
    r"^\S+\.(?:txt|text|csv|tsv|jsonl?|conllu?|gz|zip|pdf|docx?|jpe?g|png|gif|webp|md|html?)$",
    re.IGNORECASE,
)


class Said(str):
    """A text that is never the name of a file, whatever is called so: it was piped in."""

    __slots__ = ()


def is_file(given: str) -> bool:
    """Tell whether an input names a file rather than being a text.

    >>> is_file("a sentence of many words " * 99), is_file("x" * 999)
    (False, False)
    """
    return _may_be_path(given) and _is_there(Path(given)) and not Path(given).is_dir()


def is_folder(given: str) -> bool:
    """Tell whether an input names a folder rather than being a text."""
    return _may_be_path(given) and _is_there(Path(given)) and Path(given).is_dir()


def _may_be_path(given: str) -> bool:
    is_said = isinstance(given, Said) or not given.strip()
    return not is_said and len(given) < LONGEST_PATH and "\n" not in given and "\0" not in given


def _is_there(path: Path) -> bool:
    """Tell whether there is such a file or folder; a text may be too long for a name."""
    try:
        return path.exists()
    except OSError:
        return False


def refuse_no_text(given: str) -> None:
    """Raise for what is plainly no text: a folder, or the name of a file that is not there.

    Raises:
        DataError: naming it.
    """
    if is_folder(given):
        raise DataError(
            given, "a text, or a file with a text in every line", "a folder",
            "Name the files in it; what is a text all the same may be piped in.",
        )  # fmt: skip
    refuse_missing(given)


def refuse_missing(given: str) -> None:
    """Raise for the name of a file that is not there.

    Raises:
        DataError: naming it.
    """
    if isinstance(given, Said) or not _NAME.search(given) or _is_there(Path(given)):
        return
    folder = Path(given).parent
    siblings = [path.name for path in folder.glob("*")] if _is_there(folder) else []
    raise DataError(
        given, "a text, or a file that is there", "the name of a file, and no such file",
        did_you_mean(Path(given).name, siblings).strip()
        or "Check its spelling; what is a text all the same may be piped in.",
    )  # fmt: skip


def texts_of(
    inputs: Sequence[str], column: str = "", *, is_whole: bool = False,
    form: Form | None = None, labels: Collection[str] = (),
) -> list[tuple[str, str]]:  # fmt: skip
    """Return what each text is called in its answer, and the text.

    Args:
        inputs: each is a text, or names a file with a text in every line, a table or JSON lines.
        column: of texts, in the table that the run learned from, or nothing.
        is_whole: whether a file is one text, as where the run learned from a folder for each
            class; then an input may name a folder of them too.
        form: of the labelled lines that the run learned from: their labels are no parts of texts.
        labels: the run's classes.

    Raises:
        DataError: for a file that cannot be read or holds no text, or an input without a word.
    """
    texts: list[tuple[str, str]] = []
    plain = partial(without_labels, form=form, labels=labels)
    piped = iter(plain([given for given in inputs if isinstance(given, Said)]))
    for given in inputs:
        if isinstance(given, Said):
            given = Said(next(piped))
        else:
            [given] = plain([given])
        if is_whole and is_folder(given):
            texts += [_whole(path) for path in _files_in(Path(given))]
        elif is_file(given):
            texts += _in_file(Path(given), column, plain, is_whole=is_whole)
        elif not words.split(given):
            raise DataError(
                "input", "a text, or a file with a text in every line", repr(given), "write a word"
            )
        else:
            refuse_no_text(given)
            texts.append(_named(given))
    return texts


def _named(text: str) -> tuple[str, str]:
    """Return a text on one line, which is called what it says."""
    line = " ".join(text.split())
    return line, line


def _files_in(folder: Path) -> list[Path]:
    found = texts_in(folder)
    if not found:
        raise DataError(
            folder, "a folder with .txt files, as the run learned from", "none in it",
            "Name the files, or give the texts the ending .txt.",
        )  # fmt: skip
    return found


def _whole(path: Path) -> tuple[str, str]:
    """Return a file that is one text; it is called by its path."""
    text = read_file(path, is_western_allowed=True).text.strip()
    if not words.split(text):
        raise DataError(path, "a text", "not a word", "Leave the file out, or fill it.")
    return str(path), text


def _in_file(
    path: Path, column: str, plain: Callable[[Sequence[str]], list[str]], *, is_whole: bool
) -> list[tuple[str, str]]:
    """Return the texts of a file; `plain` takes the labels from its lines."""
    if is_table_name(path.name) or path.name.lower().removesuffix(".gz").endswith(SUFFIX):
        return [_named(text) for text in _in_table(path, column)]
    if is_whole:
        return [_whole(path)]
    lines = read_file(path, is_western_allowed=True).text.split("\n")
    texts = [_named(line) for line in plain([line for line in lines if line.strip()])]
    if not texts:
        raise DataError(path, "a text in every line", "empty lines alone")
    return texts


def _in_table(path: Path, column: str) -> Iterator[str]:
    """Yield the texts of a table or of JSON lines.

    Raises:
        DataError: where no column is known to hold them, or a cell is empty.
    """
    name = column or COLUMN
    cells = _cells(path, name)
    if name not in cells.names:
        wordy = [] if column else [n for n in cells.names if _is_wordy(cells.column(n))]
        if len(wordy) != 1 and (len(cells.names) > 1 or cells.has_header):
            raise _no_column(path, cells, name, is_learned=bool(column))
        name = wordy[0] if len(wordy) == 1 else cells.names[0]
    for row, text in enumerate(cells.column(name)):
        if not words.split(text):
            raise DataError(
                cells.where(row, name), "a text", repr(text) if text else "an empty cell",
                "Fill it, or leave the row out.",
            )  # fmt: skip
        yield text


def _is_wordy(column: Sequence[str]) -> bool:
    """Tell whether most cells have several words, as texts have and classes and numbers have not.

    >>> _is_wordy(["a fine film", "dull"] * 2), _is_wordy(["good", "2024"])
    (False, False)
    >>> _is_wordy(["a fine film", "so dull"])
    True
    """
    return sum(len(cell.split()) > 1 for cell in column) > MOSTLY * len(column)


def _cells(path: Path, name: str) -> Cells:
    """Read a table; its first line is a header if it names the column, or looks like one."""
    cells = read_cells(path, known=("",))
    if cells.has_header:
        return cells
    first = [column[0] for column in cells.columns]
    if name in first:
        return read_cells(path, known=first)
    return read_cells(path) if len(first) > 1 else cells


def _no_column(path: Path, cells: Cells, name: str, *, is_learned: bool) -> DataError:
    """Return the error for a table whose texts stand in a column that nobody knows."""
    learned = ", as in the table that the run learned from" if is_learned else ""
    hint = f"Name the column of texts {name!r}"
    hint += " in the first line" if not path.name.lower().endswith((SUFFIX, f"{SUFFIX}.gz")) else ""
    if path.name.lower().endswith((".tsv", ".tab")):
        cut = f"cut -f 1 {shlex.quote(str(path))} > texts.txt"
        hint += f", or cut it out into a file with a text in every line: {cut} takes the first"
    return DataError(
        path, f"a column {name!r} of texts{learned}",
        "the columns " + first_names(list(cells.names)), hint + ".",
    )  # fmt: skip
