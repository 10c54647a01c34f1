"""What people know of words: how alike two are, and which one is to the third as b is to a.

* A file of likeness: `word word number` in every line, between blanks, tabs or commas (WordSim-353,
  SimLex-999, MEN); a first line whose third column is no number is a heading.
* A file of analogies: four words in every line, `: name` before each part (Mikolov et al. 2013).
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from samoyed.core.errors import DataError
from samoyed.data.text_files import read_file


def read_likeness(path: str | Path) -> list[tuple[str, str, float]]:
    """Return (word, word, how alike people find them).

    Raises:
        DataError: with file and line.
    """
    found = []
    for number, line in _lines(path):
        parts = re.split(r"[\s,;]+", line)
        try:
            one, two, value = parts[0], parts[1], float(parts[2])
            if not math.isfinite(value):
                raise ValueError
        except (IndexError, ValueError):
            if number == 1 and len(parts) >= 3:
                continue  # a heading
            raise DataError(
                f"{path}:{number}", "two words and a number", repr(line[:80]),
                "for questions of four words, --set analogies=FILE",
            ) from None  # fmt: skip
        found.append((one, two, value))
    return _enough(path, found, "pairs of words with a number")


def read_analogies(path: str | Path) -> list[tuple[str, str, str, str]]:
    """Return questions (a, b, c, d): a is to b as c to d.

    Raises:
        DataError: with file and line.
    """
    found = []
    for number, line in _lines(path):
        if line.startswith(":"):
            continue
        words = line.split()
        if len(words) != 4:
            raise DataError(
                f"{path}:{number}", "four words, or `: name` of a part", repr(line[:80]),
                "for pairs of words with a number, --set similarity=FILE",
            )  # fmt: skip
        found.append((words[0], words[1], words[2], words[3]))
    return _enough(path, found, "questions of four words")


def files_in(said: str) -> list[str]:
    """Return the files that a dial names, with commas between them.

    >>> files_in("a.txt, b.txt")
    ['a.txt', 'b.txt']
    """
    return [name.strip() for name in said.split(",") if name.strip()]


def _lines(path: str | Path) -> list[tuple[int, str]]:
    """Return the lines that hold something, with their numbers.

    Raises:
        DataError: for what is no text.
    """
    target = Path(path).expanduser()
    if not target.is_file():
        raise DataError(path, "a file of questions about words", "no such file")
    text = read_file(target, is_western_allowed=True).text
    lines = enumerate(text.split("\n"), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _enough(path: str | Path, found: list, what: str) -> list:
    if not found:
        raise DataError(path, what, "none")
    return found
