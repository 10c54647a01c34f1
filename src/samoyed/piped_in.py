"""Standard input that is laid out as files are: columns, tables, JSON lines; kept as such a file.

A line of standard input is a sentence or a text by itself. Where all of it has the layout of a file
that the run could be given by name, it is read as that file would be.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from samoyed.core.errors import SamoyedError
from samoyed.data import tagged_columns
from samoyed.data.asked_texts import COLUMN
from samoyed.data.json_lines import parse
from samoyed.data.pair_columns import HEADS
from samoyed.data.tagged_table import SENTENCE_NAME

NAME = "standard input"
LOOKED_AT = 200  # lines from which a layout is told
NEARLY = 0.9  # of the lines have it: the others are mistakes
_DELIMITERS = ("\t", ",", ";")
_MARKED = re.compile(r"^[BIESLUM]-")


@contextmanager
def kept_in_a_file() -> Iterator[Path]:
    """Give a folder for what is piped in; errors call what is there by `NAME`."""
    with TemporaryDirectory() as folder:
        try:
            yield Path(folder)
        except SamoyedError as error:
            for field in ("place", "expected", "found", "hint"):
                setattr(error, field, _called(getattr(error, field), folder))
            raise


def _called(said: str, folder: str) -> str:
    """Write the name of standard input for that of the file it was kept in."""
    for file in Path(folder).glob("*"):
        said = said.replace(f"'{file}'", "FILE").replace(str(file), NAME)
    return said


def as_file(text: str, folder: Path, task: str, known: Sequence[str] = ()) -> str:
    """Write what is piped in as the file that it is laid out as; return its path, or nothing.

    Args:
        text: all of standard input.
        folder: where to write.
        task: of the run: "tag", "translate", "classify_text"; of others every line is asked.
        known: names of columns or fields that the run learned from; of a tagger its tags; of a
            classifier the column of texts or "", and its classes.
    """
    lines = [line for line in text.split("\n", LOOKED_AT)[:LOOKED_AT] if line.strip()]
    suffix = _suffix(text, lines, task, known) if task in _TOLD and lines else ""
    if not suffix:
        return ""
    file = folder / f"{NAME}{suffix}"
    file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    return str(file)


def _suffix(text: str, lines: Sequence[str], task: str, known: Sequence[str]) -> str:
    """Return how the name of a file ends that is laid out as this is, or nothing."""
    if sum(map(_is_object, lines)) >= NEARLY * len(lines):
        return ".jsonl"
    return _TOLD[task](text, lines, known)


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(parse(line), dict)
    except ValueError:
        return False


def _of_sentences(text: str, lines: Sequence[str], known: Sequence[str]) -> str:
    """Tell columns of words and tags, and tables with a word in every row."""
    if tagged_columns.looks_tagged("", text) or _end_in(known, lines):
        return ".conll"
    for delimiter in _DELIMITERS:
        head = _head(lines, delimiter)
        has_words = not {*head}.isdisjoint(tagged_columns.WORD_NAMES)
        named = {*tagged_columns.WORD_NAMES, *tagged_columns.TAG_NAMES}
        if has_words and sum(n in named or bool(SENTENCE_NAME.fullmatch(n)) for n in head) > 1:
            return ".tsv" if delimiter == "\t" else ".csv"
    return ""


def _end_in(tags: Sequence[str], lines: Sequence[str]) -> bool:
    """Tell whether lines are equally many pieces, of which the last are several known tags.

    A tag without a letter may as well be the mark that ends a sentence.

    >>> tags = ["O", "B-NP", "S-NP", "."]
    >>> _end_in(tags, ["He PRP I-NP", "runs VBZ O"]), _end_in(tags, ["He runs .", "She sits ."])
    (True, False)
    """
    rows = [line.split() for line in lines]
    kinds = {_MARKED.sub("", tag) for tag in tags if any(map(str.isalnum, tag))}
    told = [row[-1] for row in rows if len(row) == len(rows[0]) > 1]
    known = [tag for tag in told if _MARKED.sub("", tag) in kinds]
    return len({*known}) > 1 and len(known) >= NEARLY * len(rows)


def _of_pairs(text: str, lines: Sequence[str], known: Sequence[str]) -> str:
    """Tell columns with tabs between them, and with commas where the first line names them."""
    (num, times), *_ = Counter(line.count("\t") for line in lines).most_common(1)
    if num and times >= NEARLY * len(lines):
        return ".tsv"
    head = _head(lines, ",")
    named = {*HEADS, *(name.lower() for name in known)}
    return ".csv" if len(head) > 1 and named.issuperset(head) else ""


def _of_texts(text: str, lines: Sequence[str], known: Sequence[str]) -> str:
    """Tell tables whose first line names the column of texts, or that have one of known classes.

    What is known is the column, or nothing, and behind it the classes.
    """
    columns = {name.lower() for name in known[:1] if name} or {COLUMN}
    for delimiter in _DELIMITERS:
        rows = _rows(lines, delimiter)
        width = len(rows[0]) if rows else 0
        is_even = sum(len(row) == width for row in rows) >= NEARLY * len(rows)
        is_named = not columns.isdisjoint(_head(lines, delimiter))
        if width > 1 and is_even and (is_named or _has_classes(rows, {*known[1:]})):
            return ".tsv" if delimiter == "\t" else ".csv"
    whole, rows = lines[0].strip().strip('"').lower(), _rows(lines, ",")
    is_one = len(rows) > 1 and all(len(row) == 1 for row in rows)
    return ".csv" if is_one and whole in columns else ""


def _has_classes(rows: Sequence[Sequence[str]], classes: set[str]) -> bool:
    """Tell whether single words, names of columns, stand above a column of known classes."""
    names, below = [cell.strip() for cell in rows[0]], rows[1:]
    is_named = len({*names}) == len(names) and all(len(name.split()) == 1 for name in names)
    if not is_named or not below or not classes.isdisjoint(names):
        return False
    columns = zip(*(row for row in below if len(row) == len(names)), strict=True)
    return any({cell.strip() for cell in column} <= classes for column in columns)


def _head(lines: Sequence[str], delimiter: str) -> list[str]:
    """Return the cells of the first line, as names are compared."""
    rows = _rows(lines[:1], delimiter)
    return [cell.strip().lower() for cell in rows[0]] if rows else []


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Cut lines into cells; none where they are no table: a long line, a carriage return in one."""
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []


_TOLD = {"tag": _of_sentences, "translate": _of_pairs, "classify_text": _of_texts}
