"""What is piped in: paths of pictures, a table, or a prompt, as the run's task takes them."""

from __future__ import annotations

import sys
from pathlib import Path

from samoyed.core.errors import DataError, OptionError
from samoyed.data.pair_files import read_lines

TABLE_TASKS = ("classify_table", "regress_table", "classify_several")


def from_standard_input(asked: list[str], task: str) -> list[str]:
    """Read the inputs from standard input where none, or "-", were given."""
    if task == "play" or (asked and asked != ["-"]):
        return asked
    if not asked and sys.stdin.isatty():
        raise OptionError(
            "inputs", "pictures, folders or --prompt", "nothing", "give some, or pipe them in"
        )
    if task in TABLE_TASKS:
        return ["-"]
    if task == "continue_text":
        return [_read("a text")]
    if task == "embed":
        return [line for line in _read("words, one on each line").split("\n") if line.strip()]
    if task in ("classify_text", "tag", "classify_trees"):
        return [line for line in _read("a text in every line").split("\n") if line.strip()]
    if task == "translate":
        return [line for line in _read("sentences, one on each line").splitlines() if line.strip()]
    return _paths_in(_read("paths of pictures, one on each line"))


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


def lines_of_files(asked: list[str]) -> list[str]:
    """Put the lines of a text file in place of its name; what names no file is a sentence."""
    sentences: list[str] = []
    for text in asked:
        if len(text) < 1000 and Path(text).is_file():
            sentences += [line for line in read_lines(Path(text))[0] if line.strip()]
        else:
            sentences.append(text)
    return sentences


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
