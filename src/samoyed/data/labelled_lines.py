"""Lines of a label and a text: which form a file has, and its lines, or an error that names one.

Three forms: fastText's `__label__x text`; a label, a space and a text, as in TREC or SST; and two
columns with a tab between them, the label on either side.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from samoyed.core.errors import DataError, first_names
from samoyed.data.scripts import share_unspaced
from samoyed.data.text_files import Reading, read_file

MARK = "__label__"
LOOKED_AT = 5000  # lines from which a form is told
NEARLY = 0.9  # of the lines have it: the others are mistakes
FEWEST_LABELLED = 5  # lines that tell labels before a blank
MARKED = 0.5  # of the lines hold fastText's mark, which no other text does
MOST_CLASSES = 500
LINES_PER_CLASS = 5
LINES_PER_WORD = 20  # for words that may as well begin the lines of any text
MANY_LINES, FEW_WORDS = 200, 20  # so many lines of any text begin with more different words
RAREST = 0.01  # of the lines have the rarest class, if they are certainly classes

_NUMBER = re.compile(r"[-+]?\d{1,3}(?:\.\d)?$")
_TOPIC = re.compile(r"[A-Z]{2,}:[A-Za-z]+$")  # TREC's own files: ABBR:exp

Form = Literal["fasttext", "tab", "tab last", "space"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True)
class Labelled:
    """One text and its class.

    Args:
        label: the class.
        text: the text.
        place: file and line, or the file, as errors name it.
    """

    label: str
    text: str
    place: str


@dataclass(frozen=True)
class Found:
    """What a file's lines look like.

    Args:
        form: how label and text are set.
        is_certain: whether nothing but labelled lines looks like this.
    """

    form: Form
    is_certain: bool


def form_of(text: str) -> Found | None:
    r"""Tell whether a file's text is labelled lines, and of which form.

    >>> form_of("0 so bad\n1 so good\n" * 10)
    Found(form='space', is_certain=True)
    >>> form_of("It was the best\nof times , it was\n" * 9) is None
    True
    """
    lines = [line for line in text.split("\n")[:LOOKED_AT] if line.strip()]
    if len(lines) < 2:
        return None
    enough = NEARLY * len(lines) - 1e-9
    if sum(MARK in line for line in lines) >= MARKED * len(lines):
        return Found("fasttext", True)
    if sum(line.count("\t") == 1 for line in lines) >= enough:
        return _tabbed([line.split("\t") for line in lines if line.count("\t") == 1])
    pairs = [line.split(None, 1) for line in lines]
    heads = [pair[0] for pair in pairs if len(pair) == 2 and _has_letters(pair[1])]
    heads = [head for head in heads if any(map(str.isalnum, head))]  # no dash of a dialogue
    if len(heads) < enough or "\t" in lines[0]:
        return None
    marked = [head for head in heads if _NUMBER.match(head) or _TOPIC.match(head)]
    if len(marked) >= enough and not _counts_up(marked):
        is_certain = len(set(marked)) <= max(2, min(MOST_CLASSES, len(lines) // LINES_PER_CLASS))
        return Found("space", True) if is_certain else None
    counts = Counter(heads)
    is_few = 2 <= len(counts) <= min(MOST_CLASSES, len(lines) // LINES_PER_WORD)
    if not is_few or min(counts.values()) < 2:
        return None
    is_certain = len(lines) >= MANY_LINES and len(counts) <= FEW_WORDS
    is_certain &= min(counts.values()) >= RAREST * len(lines)
    return Found("space", is_certain and not any(head.endswith(":") for head in counts))  # a play


def _tabbed(pairs: list[list[str]]) -> Found | None:
    """Tell on which side the few different values stand."""
    most = max(2, min(MOST_CLASSES, len(pairs) // LINES_PER_CLASS))
    for side, form in ((0, "tab"), (1, "tab last")):
        labels = {pair[side].strip() for pair in pairs}
        others = [pair[1 - side] for pair in pairs]
        is_text = sum(_has_letters(other) and _is_of_words(other) for other in others)
        if len(labels) <= most and is_text >= 0.5 * len(pairs) and len(set(others)) > len(labels):
            return Found("tab" if form == "tab" else "tab last", True)
    return None


def _is_of_words(text: str) -> bool:
    """Tell whether a text has more than one word, also where blanks part none."""
    return " " in text.strip() or share_unspaced(text) > MARKED


def _has_letters(text: str) -> bool:
    return any(c.isalpha() for c in text)


def _counts_up(heads: Sequence[str]) -> bool:
    """Tell whether the numbers are those of verses or of a list: each one more than the last."""
    numbers = [int(head) for head in heads if head.isdigit()]
    steps = sum(b == a + 1 for a, b in itertools.pairwise(numbers))
    return len(numbers) > 2 and steps > 0.5 * (len(numbers) - 1) and len(set(numbers)) > 2


def read_labelled(
    path: Path, on_bad: str, notes: list[str], skipped: list[str], known: Form | None = None
) -> tuple[list[Labelled], Reading, Form]:
    """Read a file of labelled lines.

    Args:
        path: the file, plain or gz.
        on_bad: "stop" raises at the first bad line, "skip" leaves it out and lists it.
        notes: takes what was put right.
        skipped: takes "file:line: reason".
        known: the form, where the training file has told it.

    Returns:
        The lines, what was read, and the form.

    Raises:
        DataError: with file and line.
    """
    reading = read_file(path, is_western_allowed=True)
    notes += reading.notes
    found = form_of(reading.text)
    form = known or (found.form if found else "space")
    marks = _marks_of(reading.text) if form == "space" else False
    records = []
    for number, line in enumerate(reading.text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            records.append(record_of(line, place, form, marks))
        except DataError as error:
            if on_bad == "stop":
                raise
            skipped.append(f"{place}: {error.found}")
    return records, reading, form


def without_labels(
    lines: Sequence[str], form: Form | None, labels: Collection[str]
) -> list[str]:  # fmt: skip
    r"""Return texts without the labels before or behind them, where nearly all lines have one.

    A text may begin with a word that is also a class: before a blank labels are told by many lines
    of several classes. fastText's mark is never a part of a text.

    Args:
        lines: the texts, labelled or not.
        form: how label and text were set where they were learned from; None where they were no
            lines: then only tabs in several lines part classes from their texts.
        labels: the known classes.

    >>> without_labels(["good\ta fine film"], "tab", ["good", "bad"])
    ['a fine film']
    >>> without_labels(["good film", "bad luck"], "space", ["good", "bad"])
    ['good film', 'bad luck']
    """
    if form == "fasttext":
        return [_unmarked(line) for line in lines]
    if form is None:
        plain = without_labels(lines, "tab", labels) if len(lines) > 1 else list(lines)
        is_last = plain == list(lines) and len(lines) > 1
        return without_labels(lines, "tab last", labels) if is_last else plain
    found = [_labelled(line, form, labels) for line in lines]
    told = {record.label for record in found if record is not None}
    num = sum(record is not None for record in found)
    is_doubtful = form == "space" and (len(lines) < FEWEST_LABELLED or len(told) < 2)
    if is_doubtful or num < NEARLY * len(lines):
        return list(lines)
    return [line if r is None else r.text for line, r in zip(lines, found, strict=True)]


def _unmarked(line: str) -> str:
    """Return a line without fastText's labels, or as it is where nothing else is in it."""
    text = " ".join(word for word in line.split() if not word.startswith(MARK))
    return text if MARK in line and text else line


def _labelled(line: str, form: Form, labels: Collection[str]) -> Labelled | None:
    """Return a labelled line of a known class, or None."""
    try:
        record = record_of(line, "", form, is_marked=False)
    except DataError:
        return None
    return record if record.label in labels else None


def _marks_of(text: str) -> bool:
    """Tell whether the labels of `label text` lines are numbers or topics, not any word."""
    heads = [line.split(None, 1)[0] for line in text.split("\n")[:LOOKED_AT] if line.strip()]
    return sum(bool(_NUMBER.match(h) or _TOPIC.match(h)) for h in heads) >= NEARLY * len(heads)


def record_of(line: str, place: str, form: Form, is_marked: bool) -> Labelled:
    """Read one line."""
    if form == "fasttext":
        return _fasttext(line, place)
    if form in ("tab", "tab last"):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 2 or not all(cells):
            raise DataError(
                place, "a label and a text with one tab between them, as on the other lines",
                f"{len(cells)} cells, {sum(not c for c in cells)} of them empty: {_shown(line)}",
                "Mend the line, or leave bad lines out with --on-bad skip.",
            )  # fmt: skip
        label, text = cells if form == "tab" else reversed(cells)
        return Labelled(label, text, place)
    label, _, text = line.strip().partition(" ")
    if "\t" in label:
        label, _, text = line.strip().partition("\t")
    if is_marked and not (_NUMBER.match(label) or _TOPIC.match(label)):
        raise DataError(
            place, "a label at the beginning of the line, such as 0 or 1, as on the other lines",
            f"{label!r}", "Mend the line, or leave bad lines out with --on-bad skip.",
        )  # fmt: skip
    if not text.strip():
        raise DataError(
            place, "a label, a space and a text", f"the label {label!r} without a text",
            "Mend the line, or leave bad lines out with --on-bad skip.",
        )  # fmt: skip
    return Labelled(label, text.strip(), place)


def _fasttext(line: str, place: str) -> Labelled:
    words = line.split()
    labels = [word for word in words if word.startswith(MARK)]
    if len(labels) > 1:
        raise DataError(
            place, "one label for each text", f"{len(labels)}: {first_names(labels)}",
            "A text with several labels cannot be learned from here: keep the one that matters, "
            "or leave such lines out with --on-bad skip.",
        )  # fmt: skip
    text = " ".join(word for word in words if not word.startswith(MARK))
    if not labels or labels[0] == MARK:
        raise DataError(
            place, f"{MARK}NAME in the line, as on the others", _shown(line),
            "Mend the line, or leave bad lines out with --on-bad skip.",
        )  # fmt: skip
    if not text:
        raise DataError(
            place, "a label and a text", f"the label {labels[0]} without a text",
            "Mend the line, or leave bad lines out with --on-bad skip.",
        )  # fmt: skip
    return Labelled(labels[0].removeprefix(MARK), text, place)


def _shown(line: str, most: int = 60) -> str:
    return repr(line if len(line) <= most else line[: most - 1] + "…")
