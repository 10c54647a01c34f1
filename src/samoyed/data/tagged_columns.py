"""Columns of words and tags: CoNLL's many forms, and CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samoyed.core.errors import DataError, OptionError
from samoyed.data.text_files import Reading, read_file

LOOKED_AT = 3000  # lines from which a form is told
NEARLY = 0.9  # of the lines have it: the others are mistakes
MOST_COLUMNS = 16
MOST_TAGS = 400
LONGEST_SENTENCE = 120  # mean number of words, beyond which empty lines divide no sentences
WORD_NAMES = ("word", "words", "token", "tokens", "form", "sentence", "text")
TAG_NAMES = (
    "ner_tags", "ner_tag", "ner", "tags", "tag", "iob", "bio", "entity", "entities", "labels",
    "label", "word_labels", "chunk", "chunk_tags", "pos_tags", "pos", "upos", "xpos",
)  # fmt: skip
DOCUMENT = "-DOCSTART-"
UNIVERSAL_NAMES = (
    "id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc",
)  # fmt: skip
UNIVERSAL_COLUMNS = len(UNIVERSAL_NAMES)
COMMENTS = ("# ", "#\t")
LEFT_OUT = "; its sentence is left out"
"""Follows the reason why a line is bad, where bad ones are skipped."""

BLANKS = " \t\r"  # between columns; other spaces are parts of words, as in "10\u00a0000"


@dataclass(frozen=True)
class Sentence:
    """One sentence as it was read.

    Args:
        words: its words.
        tags: one for each.
        lines: on which each stands.
        path: of its file.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    lines: tuple[int, ...]
    path: str

    @property
    def place(self) -> str:
        """Return file and line."""
        return f"{self.path}:{self.lines[0]}"


Parts = Mapping[str, Sequence[Sentence]]
"""Sentences to learn from, to look at and to be measured on, by the names of these parts."""


@dataclass(frozen=True)
class Columns:
    """How a file's lines are set.

    Args:
        num: of columns.
        word: place of the word, from 0.
        tag: place of the tag.
        is_tabbed: whether tabs alone divide columns, so that words may hold spaces.
        is_universal: whether it is CoNLL-U.
    """

    num: int
    word: int
    tag: int
    is_tabbed: bool
    is_universal: bool = False

    def describe(self) -> str:
        """Return it in words."""
        form = "CoNLL-U" if self.is_universal else f"{self.num} columns"
        return f"{form}, the words in column {self.word + 1}, the tags in column {self.tag + 1}"

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line."""
        return _cells(line, self.is_tabbed)


def _cells(line: str, is_tabbed: bool) -> list[str]:
    r"""Cut a line at tabs, or at blanks and tabs.

    >>> _cells("10\u00a0000  O", is_tabbed=False)
    ['10\xa0000', 'O']
    """
    return line.split("\t") if is_tabbed else re.split(r"[ \t]+", line.strip(BLANKS))


def looks_tagged(name: str, text: str) -> bool:
    r"""Tell whether a file holds a word and its tags in every line, and empty lines between.

    >>> looks_tagged("x", "He PRP B-NP\nruns VBZ B-VP\n\nShe PRP B-NP\nsits VBZ B-VP\n\n" * 3)
    True
    >>> looks_tagged("x", "It was\nthe best\nof times\n")
    False
    """
    if name.lower().removesuffix(".gz").endswith((".conllu", ".conll")):
        return True
    lines = text.split("\n")[:LOOKED_AT]
    filled = [line for line in lines if line.strip() and not line.startswith(COMMENTS)]
    if len(filled) < 4 or len(filled) == len(lines):
        return False
    columns = columns_of(filled)
    if columns is None:
        return False
    rows = [c for line in filled if len(c := columns.cells(line)) == columns.num]
    num_gaps = sum(not line.strip() for line in lines[: len(lines) - 1])
    if num_gaps == 0 or len(filled) / num_gaps > LONGEST_SENTENCE or len(filled) < 2 * num_gaps:
        return False
    tags, found = {row[columns.tag] for row in rows}, {row[columns.word] for row in rows}
    is_few = len(tags) <= max(3, min(MOST_TAGS, len(rows) // 3)) and len(found) > len(tags)
    return is_few and all(" " not in tag for tag in tags)


def columns_of(filled: Sequence[str]) -> Columns | None:
    """Tell how lines are set, from those that are not empty; None where they differ too much."""
    for is_tabbed in (True, False):
        rows = [_cells(line, is_tabbed) for line in filled]
        [(num, often)] = Counter(map(len, rows)).most_common(1)
        if not 2 <= num <= MOST_COLUMNS or often < NEARLY * len(rows):
            continue
        whole = [row for row in rows if len(row) == num]
        is_counted = num > 2 and sum(_is_number(row[0]) for row in whole) >= NEARLY * len(whole)
        if is_tabbed and num == UNIVERSAL_COLUMNS and is_counted:
            return Columns(num, 1, 3, True, True)
        return Columns(num, 1 if is_counted else 0, num - 1, is_tabbed)
    return None


def _is_number(cell: str) -> bool:
    return cell.replace("-", "").replace(".", "").isdigit()


def read_columns(
    path: Path, on_bad: str, notes: list[str], skipped: list[str], known: Columns | None = None,
    word: str | None = None, tag: str | None = None,
) -> tuple[list[Sentence], Reading, Columns]:  # fmt: skip
    """Read a file of words and tags in columns.

    Args:
        path: the file, plain or gz.
        on_bad: "stop" raises at the first bad line, "skip" leaves its sentence out and lists it.
        notes: takes what was put right.
        skipped: takes "file:line: reason".
        known: how the lines are set, where the training file has told it.
        word: the word's column from 1 or CoNLL-U's name of it, where the user has said it.
        tag: the tag's column, likewise.

    Returns:
        The sentences, what was read, and how the lines are set.

    Raises:
        DataError: with file and line.
        OptionError: for what is no column.
    """
    reading = read_file(path, is_western_allowed=True)
    notes += reading.notes
    lines = reading.text.split("\n")
    columns = known or _told(path, lines, word, tag)
    sentences: list[Sentence] = []
    held: list[tuple[str, str, int]] = []
    is_bad = False
    usual = _usual(lines, columns)
    for number, line in enumerate([*lines, ""], 1):
        if not line.strip(BLANKS) or line.startswith(DOCUMENT):
            if held and not is_bad:
                words, tags, places = zip(*held, strict=True)
                sentences.append(Sentence(words, tags, places, str(path)))
            held, is_bad = [], False
            continue
        is_first = not (held or is_bad or sentences)
        if is_first and _names_columns(line, columns, usual):
            continue
        if not held and _is_comment(line, columns, usual):
            continue
        try:
            pair = _pair(line, f"{path}:{number}", columns)
        except DataError as error:
            if on_bad == "stop":
                raise
            skipped.append(f"{path}:{number}: {error.found}{LEFT_OUT}")
            is_bad = True
            continue
        if pair is not None and held and columns.is_universal and _begins(line):
            raise DataError(
                f"{path}:{number}", "word 1 of a sentence, after an empty line",
                f"no empty line before it: {line[:60]!r}", "Put an empty line between sentences.",
            )  # fmt: skip
        if pair is not None:
            held.append((*pair, number))
    return sentences, reading, columns


def _usual(lines: Sequence[str], columns: Columns) -> set[str]:
    """Return the tags of the lines that begin with no sign of a comment."""
    rows = [columns.cells(line) for line in lines[1:] if line and not line.startswith(COMMENTS)]
    return {row[columns.tag].strip(BLANKS) for row in rows if len(row) == columns.num}


def _names_columns(line: str, columns: Columns, usual: Collection[str]) -> bool:
    """Tell whether a line is a header, such as `token label`."""
    cells = [cell.strip(BLANKS) for cell in columns.cells(line)]
    if len(cells) != columns.num or cells[columns.tag] in usual:
        return False
    return cells[columns.word].lower() in WORD_NAMES and cells[columns.tag].lower() in TAG_NAMES


def _is_comment(line: str, columns: Columns, usual: Collection[str]) -> bool:
    """Tell whether a line at a sentence's beginning speaks of it, though it fills the columns."""
    if not line.startswith(COMMENTS):
        return False
    last = columns.cells(line)[-1].strip(BLANKS)
    return last not in usual or "=" in last


def _begins(line: str) -> bool:
    """Tell whether a line of CoNLL-U is a sentence's first word."""
    return line.split("\t", 1)[0].strip() == "1"


def _told(path: Path, lines: Sequence[str], word: str | None, tag: str | None) -> Columns:
    """Return how a file's lines are set, with what the user says of it."""
    asked = [_place(option, said) for option, said in (("--input", word), ("--target", tag))]
    filled = [line for line in lines if line.strip() and not line.startswith(COMMENTS)]
    columns = columns_of(filled[:LOOKED_AT]) if filled else None
    if columns is None:
        raise DataError(
            path, "in every line a word and its tag, divided by spaces or tabs, and an empty line "
            "after each sentence",
            "lines with one column alone" if all(len(line.split()) < 2 for line in filled)
            else "lines with different numbers of columns",
            "Write a word and its tag in each line; --task continue_text reads a text without.",
        )  # fmt: skip
    for option, said, place in zip(("--input", "--target"), (word, tag), asked, strict=True):
        if place is not None and not 1 <= place <= columns.num:
            raise DataError(
                path, f"columns from 1 to {columns.num}", f"column {place} asked for",
                f"the first line: {filled[0][:60]!r}",
            )  # fmt: skip
        if said is not None and not said.isdigit() and not columns.is_universal:
            raise _no_number(option, said)
    first, last = asked
    return Columns(
        columns.num, columns.word if first is None else first - 1,
        columns.tag if last is None else last - 1, columns.is_tabbed, columns.is_universal,
    )  # fmt: skip


def _place(option: str, said: str | None) -> int | None:
    """Return the number of a column that was asked for, from 1."""
    if said is None:
        return None
    if said.lower() in UNIVERSAL_NAMES:
        return UNIVERSAL_NAMES.index(said.lower()) + 1
    if not said.isdigit():
        raise _no_number(option, said)
    return int(said)


def _no_number(option: str, said: str) -> OptionError:
    return OptionError(
        option, "the number of a column, from 1", repr(said),
        "count them from the left; only those of CoNLL-U have names, such as upos",
    )  # fmt: skip


def _pair(line: str, place: str, columns: Columns) -> tuple[str, str] | None:
    """Return word and tag of a line; None for comments and what is no word."""
    cells = [cell.strip(BLANKS) for cell in columns.cells(line)]
    if line.startswith("#") and (columns.is_universal or len(cells) != columns.num):
        return None
    if len(cells) != columns.num or not all(cells):
        empty = cells.count("")
        num = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
        num += f", not {columns.num}" if len(cells) != columns.num else ""
        raise DataError(
            place, f"{columns.num} columns, as on the other lines: the word in column "
            f"{columns.word + 1}, its tag in column {columns.tag + 1}",
            num + (f", {empty} of them empty" if empty else "") + f": {line[:60]!r}",
            "Mend the line, put an empty line between sentences, or leave its sentence out with "
            "--on-bad skip.",
        )  # fmt: skip
    if columns.is_universal and not cells[0].isdigit():
        return None  # 3-4 stands for two words that follow, 3.1 for one that is not there
    return cells[columns.word], cells[columns.tag]
