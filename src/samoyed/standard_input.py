"""What is asked, and what of it is piped in: paths, a table, a prompt, as the task takes them."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from samoyed.core.errors import DataError, OptionError
from samoyed.data.asked_texts import Said, refuse_missing
from samoyed.piped_in import as_file

TABLE_TASKS = ("classify_table", "regress_table", "classify_several")


# What one line of standard input is, for the tasks that take it line by line.
LINES = {
    "embed": "words, one on each line",
    "classify_text": "a text in every line",
    "tag": "a sentence in every line",
    "classify_trees": "a sentence or a tree in every line",
    "translate": "sentences, one on each line",
    "remember": "numbers or sequences, one on each line",
    "complete": "a subject and a relation in every line",
}


def all_asked(
    inputs: Sequence[str], near: str | None, analogy: tuple[str, str, str] | None, task: str, *,
    folder: Path | None = None, known: Sequence[str] = (),
) -> list[str]:  # fmt: skip
    """Return everything that is asked: the inputs, what is piped in, and questions about words.

    Args:
        inputs: as they were given; "-", or none at all, reads standard input.
        near: a word whose neighbours are asked for.
        analogy: three words.
        task: of the run.
        folder: where standard input is kept that is laid out as a file is, to be read as that.
        known: names of columns that the run learned from.

    Raises:
        OptionError: for a question that the run cannot be asked, or nothing to answer.
        DataError: for the name of a file that is not there, or an empty text.
    """
    questions = about_words(near, analogy, task)
    if task in LINES:
        _refuse_strange(inputs)
    if questions and not inputs:
        return questions
    return from_standard_input(list(inputs), task, folder, known) + questions


def _refuse_strange(inputs: Sequence[str]) -> None:
    """Raise for what is no text: the name of a file that is not there, or nothing.

    Raises:
        DataError: naming it.
    """
    for said in inputs:
        refuse_missing(said)
        if not said.strip():
            raise DataError("inputs", "a text", repr(said), "Write it between quotation marks.")


def from_standard_input(
    asked: list[str], task: str, folder: Path | None = None, known: Sequence[str] = ()
) -> list[str]:
    """Read standard input where no input, or "-", was given.

    Raises:
        OptionError: when nothing is given and nothing piped in, or "-" stands there twice.
    """
    if task == "play" or (asked and "-" not in asked):
        return asked
    if not asked and sys.stdin.isatty():
        expected = LINES.get(task, "pictures, folders or --prompt")
        raise OptionError("inputs", expected, "nothing", "give some, or pipe them in")
    if asked.count("-") > 1:
        raise OptionError("inputs", "- once: standard input ends", "- twice", "leave one out")
    if task in TABLE_TASKS:
        return asked or ["-"]
    place = asked.index("-") if asked else 0
    return [*asked[:place], *_piped(task, folder, known), *asked[place + 1 :]]


def _piped(task: str, folder: Path | None, known: Sequence[str]) -> Sequence[str]:
    """Return the inputs in standard input."""
    if task == "continue_text":
        return [_read("a text")]
    if task in LINES:
        return _texts(task, folder, known)
    return _paths_in(_read("paths of pictures, one on each line"))


def _texts(task: str, folder: Path | None, known: Sequence[str]) -> Sequence[str]:
    """Return the texts of standard input, or the file that it was kept in.

    Raises:
        DataError: when there are none.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(newline="\n")  # a lone carriage return ends no line
    text = _read(LINES[task])
    if not (text if task == "translate" else text.strip()):
        raise DataError(
            "standard input", LINES[task], "nothing", "Pipe some in, or name a file: samoyed "
            "predict RUN FILE",
        )  # fmt: skip
    file = "" if folder is None else as_file(text, folder, task, known)
    return [file] if file else _lines(text, task)


def _lines(text: str, task: str) -> list[Said]:
    r"""Return the lines, which end in `\n` or `\r\n` and nowhere else.

    A translator is given the empty ones too, so that as many lines come out as went in.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    is_kept = task == "translate"
    return [Said(line.removesuffix("\r")) for line in lines if is_kept or line.strip()]


def about_words(
    near: str | None, analogy: tuple[str, str, str] | None, task: str
) -> list[str]:  # fmt: skip
    """Write `--near` and `--analogy` as the questions that word vectors are asked.

    >>> about_words(None, ("king", "man", "woman"), "embed")
    ['king man woman']

    Raises:
        OptionError: for a run about something else, or a word with a blank in it.
    """
    asked = []
    for option, words in (("--near", near), ("--analogy", analogy)):
        if words is None:
            continue
        parts = (words,) if isinstance(words, str) else words
        if task != "embed":
            raise OptionError(
                option, "a run about word vectors", f"one to {task.replace('_', ' ')}",
                "samoyed train TEXT --task embed makes one",
            )  # fmt: skip
        for word in parts:
            if len(word.split()) != 1:
                raise OptionError(option, "single words", repr(word), "phrases have _ in them")
        asked.append(" ".join(parts))
    return asked


def _read(what: str) -> str:
    """Read all of standard input as text."""
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as error:
        raise DataError(
            "standard input", f"{what}, in UTF-8", f"the byte {error.object[error.start]:02x} at "
            f"byte {error.start}", "name files as arguments: samoyed predict RUN FILE",
        ) from None  # fmt: skip
    return text


def _paths_in(text: str) -> list[str]:
    """Return one path for each line; a picture itself, piped in, is no list of paths."""
    if "\0" in text:
        raise DataError(
            "standard input", "paths of pictures, one on each line", "binary data",
            "ls photos/*.jpg | samoyed predict RUN, or name the picture instead",
        )  # fmt: skip
    return [line for line in text.splitlines() if line.strip()]
