"""Tables of words and tags: a word in every row and its sentence's number, or a sentence a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from samoyed.core.errors import DataError, OptionError, did_you_mean, first_names
from samoyed.data import tagged_columns
from samoyed.data.table_files import Cells, is_table_name, read_text
from samoyed.data.tagged_columns import (
    LEFT_OUT,
    MOST_TAGS,
    NEARLY,
    TAG_NAMES,
    WORD_NAMES,
    Sentence,
)
from samoyed.data.text_files import Reading, read_file

SENTENCE_NAME = re.compile(r"(sentence|sent)[ _.-]?(#|id|idx|index|no|nr|num|number)?")
LOOKED_AT = 400  # rows from which the layout is told
FEWEST_WORDS = 3  # a sentence on average, where rows are sentences
_MEND = "Mend the row, or leave such sentences out with --on-bad skip."


@dataclass(frozen=True)
class TableColumns:
    """Which columns hold what.

    Args:
        word: of words, or of whole sentences.
        tag: of their tags.
        sentence: of the sentences' numbers, or None where each row is a sentence.
        others: that could be asked for as tags.
    """

    word: str
    tag: str
    sentence: str | None
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return it in words."""
        row = "a sentence" if self.sentence is None else "a word"
        told = f"a table with {row} in every row, the words in {self.word!r}, the tags in "
        told += repr(self.tag)
        if self.sentence is not None:
            told += f", the sentences by {self.sentence!r}"
        return told + (f" (also there: {', '.join(self.others)})" if self.others else "")


def looks_tagged(name: str, text: str, word: str | None = None, tag: str | None = None) -> bool:
    r"""Tell whether a table holds words and tags, by the names of its columns and its first rows.

    >>> looks_tagged("a.csv", "Sentence #,Word,Tag\n1,He,O\n,ran,O\n2,Ann,B-PER\n,sat,O\n")
    True
    >>> looks_tagged("a.csv", "text,label\nIt was good,yes\nIt was not,no\n")
    False
    """
    if not is_table_name(name):
        return False
    try:
        cells = read_text(name, "\n".join(text.split("\n")[:LOOKED_AT]), "skip")
    except DataError:
        return False
    said = [column for column in (word, tag) if column is not None]
    return set(said) <= set(cells.names) and columns_of(cells, word, tag) is not None


def holds_columns(name: str, text: str, word: str | None = None, tag: str | None = None) -> bool:
    r"""Tell whether a file is named as a table and yet holds columns with empty lines between.

    >>> holds_columns("a.tsv", "He\tO\nran\tO\n\nAnn\tB-PER\nsat\tO\n\n" * 2)
    True
    >>> holds_columns("a.tsv", "He\tO\nran\tO\nAnn\tB-PER\nsat\tO\n" * 2)
    False
    """
    if not is_table_name(name) or looks_tagged(name, text, word, tag):
        return False
    return tagged_columns.looks_tagged(name, text)


def columns_of(cells: Cells, word: str | None = None, tag: str | None = None) -> (
    TableColumns | None
):  # fmt: skip
    """Tell which columns hold what, with what the user says of it; None where they do not."""
    if not cells.has_header:
        return None
    words = [word] if word else _named(cells, WORD_NAMES)
    tags = [tag] if tag else _named(cells, TAG_NAMES)
    number = _number_of(cells)
    for held in words:
        others = [name for name in tags if name != held]
        if number not in (None, held) and others and _is_in_runs(cells.column(number or "")):
            return TableColumns(held, others[0], number, tuple(others[1:]))
        fitting = [name for name in others if _are_sentences(cells, held, name)]
        if fitting:
            return TableColumns(held, fitting[0], None, tuple(fitting[1:]))
    return None


def _number_of(cells: Cells) -> str | None:
    """Return the column that numbers the sentences."""
    return next((n for n in cells.names if SENTENCE_NAME.fullmatch(n.lower().strip())), None)


def _named(cells: Cells, names: Sequence[str]) -> list[str]:
    """Return the columns of these names, in the order of the names."""
    lowered = {name.lower().strip(): name for name in cells.names}
    return [lowered[name] for name in names if name in lowered]


def _is_in_runs(numbers: Sequence[str]) -> bool:
    """Tell whether sentences have several rows on average."""
    return 2 * len(_starts(numbers[:LOOKED_AT])) <= len(numbers[:LOOKED_AT])


def _starts(numbers: Sequence[str]) -> list[int]:
    """Return the rows where another sentence begins: empty cells go on with the one before."""
    found = []
    last = None
    for row, number in enumerate(numbers):
        if row == 0 or (number and number != last):
            found.append(row)
        last = number or last
    return found


def _are_sentences(cells: Cells, word: str, tag: str) -> bool:
    """Tell whether rows hold a sentence each, and as many tags as words, of few kinds."""
    rows = [
        (_items(words), _items(tags))
        for words, tags in zip(
            cells.column(word)[:LOOKED_AT], cells.column(tag)[:LOOKED_AT], strict=True
        )
    ]
    num_words = sum(len(words) for words, _ in rows)
    num_fitting = sum(len(words) == len(tags) for words, tags in rows)
    kinds = {tag for _, tags in rows for tag in tags}
    return (
        num_words >= FEWEST_WORDS * len(rows)
        and num_fitting >= NEARLY * len(rows)
        and len(kinds) <= min(MOST_TAGS, max(3, num_words // 3))
    )


def _items(cell: str) -> list[str]:
    """Return what a cell lists: between blanks, or as Python writes a list.

    >>> _items("A dog ran"), _items("['O', 'B-PER']"), _items("[]")
    (['A', 'dog', 'ran'], ['O', 'B-PER'], [])
    """
    if cell.startswith("[") and cell.endswith("]"):
        try:
            value = ast.literal_eval(cell)
        except (ValueError, SyntaxError):
            return cell.split()
        if all(isinstance(item, str) and item.strip() for item in value):
            return [item.strip() for item in value]
    return cell.split()


def read_table_sentences(
    path: Path, on_bad: str, notes: list[str], skipped: list[str],
    known: TableColumns | None = None, word: str | None = None, tag: str | None = None,
) -> tuple[list[Sentence], Reading, TableColumns]:  # fmt: skip
    """Read a table of words and tags.

    Args:
        path: CSV or TSV, plain or gz.
        on_bad: "stop" raises at the first bad row, "skip" leaves its sentence out and lists it.
        notes: takes what was put right.
        skipped: takes "file:line: reason".
        known: the columns, where the training file has told them.
        word: the column of words, where the user has said it.
        tag: the column of tags, where the user has said it.

    Returns:
        The sentences, what was read, and the columns.

    Raises:
        DataError: with file and line.
        OptionError: for a column that is not there.
    """
    reading = read_file(path, is_western_allowed=True)
    cells = read_text(str(path), reading.text, on_bad, [], (known.word, known.tag) if known else ())
    notes += [note for note in (*reading.notes, *cells.notes) if "line ends" not in note]
    skipped += cells.skipped
    columns = _here(cells, known) if known else _told(cells, word, tag)
    read = _by_row if columns.sentence is None else _by_number
    sentences = read(cells, columns, _skipping(skipped) if on_bad == "skip" else _stopping)
    return sentences, reading, columns


def words_to_tag(path: Path) -> list[list[str] | str] | None:
    """Return the words of each sentence of a table, tagged or not; None where it holds none.

    A sentence that is not cut into words comes as it is written.
    """
    text = read_file(path, is_western_allowed=True).text
    if holds_columns(path.name, text):
        return None
    cells = read_text(str(path), text, "skip")
    columns = columns_of(cells)
    if columns is None:
        words, number = _named(cells, WORD_NAMES), _number_of(cells)
        if not cells.has_header or not words:
            return None
        if number in (None, words[0]):
            return [text for text in cells.column(words[0]) if text.strip()]
        columns = TableColumns(words[0], words[0], number)
    read = _by_number if columns.sentence else _by_row
    return [list(sentence.words) for sentence in read(cells, columns, _stopping)]


def refuse_other(path: Path, text: str) -> None:
    """Raise for a table with a header whose columns are about something else than words.

    Raises:
        DataError: with its columns.
    """
    if holds_columns(path.name, text):
        return
    try:
        cells = read_text(str(path), text, "skip")
    except DataError:
        return  # lines that are no table
    if cells.has_header and len(cells.names) > 1:
        raise DataError(
            path, "a column of words or sentences, such as “word” or “sentence”, or a sentence in "
            "every line", f"the columns {first_names(cells.names)}",
            "Name the column so, or cut it out into a file with a sentence in every line.",
        )  # fmt: skip


def _told(cells: Cells, word: str | None, tag: str | None) -> TableColumns:
    """Return the columns, or raise for what is missing."""
    for option, said in (("--input", word), ("--target", tag)):
        if said is not None and said not in cells.names:
            raise OptionError(
                option, f"a column of {cells.path}: {first_names(list(cells.names))}", repr(said),
                did_you_mean(said, cells.names).strip(),
            )  # fmt: skip
    found = columns_of(cells, word, tag)
    if found is None:
        raise DataError(
            cells.path, "a column of words, one of tags and one of the sentences' numbers, such as "
            "Sentence,Word,Tag; or a sentence and as many tags in every row",
            "the columns " + first_names(list(cells.names)),
            "Name the columns so, or choose with --input WORDS --target TAGS.",
        )  # fmt: skip
    return found


def _here(cells: Cells, known: TableColumns) -> TableColumns:
    """Return known columns, or raise where a file does not have them."""
    for name in filter(None, (known.word, known.tag, known.sentence)):
        if name not in cells.names:
            raise DataError(
                cells.path, f"a column {name!r}, as in the training file",
                "the columns " + first_names(list(cells.names)),
            )  # fmt: skip
    return known


Report = Callable[[str, str, str], None]
"""Takes a bad place, what was expected and what was found; raises, or takes note of it."""


def _stopping(place: str, expected: str, found: str) -> None:
    raise DataError(place, expected, found, _MEND)


def _skipping(skipped: list[str]) -> Report:
    def skip(place: str, expected: str, found: str) -> None:
        skipped.append(f"{place}: {found}{LEFT_OUT}")

    return skip


def _by_row(cells: Cells, columns: TableColumns, report: Report) -> list[Sentence]:
    """Return the sentences of rows that hold one each."""
    found = []
    pairs = zip(cells.column(columns.word), cells.column(columns.tag), strict=True)
    for row, (words, tags) in enumerate((_items(a), _items(b)) for a, b in pairs):
        if not words or len(words) != len(tags):
            report(
                cells.where(row), f"as many tags in {columns.tag!r} as words in {columns.word!r}",
                f"{len(words)} words and {len(tags)} tags",
            )  # fmt: skip
            continue
        lines = (cells.lines[row],) * len(words)
        found.append(Sentence(tuple(words), tuple(tags), lines, cells.path))
    return found


def _by_number(cells: Cells, columns: TableColumns, report: Report) -> list[Sentence]:
    """Return the sentences of rows that hold a word each."""
    assert columns.sentence is not None
    words, tags = cells.column(columns.word), cells.column(columns.tag)
    starts = _starts(cells.column(columns.sentence))
    found = []
    for first, last in zip(starts, [*starts[1:], len(words)], strict=True):
        rows = range(first, last)
        empty = [
            (row, name) for row in rows for name in (columns.word, columns.tag)
            if not (words if name == columns.word else tags)[row]
        ]  # fmt: skip
        if empty:
            row, name = empty[0]
            report(cells.where(row, name), "a word and its tag", "an empty cell")
            continue
        lines = tuple(cells.lines[row] for row in rows)
        found.append(Sentence(words[first:last], tags[first:last], lines, cells.path))
    return found
