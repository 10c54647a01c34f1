"""What is piped in: paths of pictures, a table, or a prompt, as the run's task takes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from samoyed.core.errors import DataError, OptionError

TABLE_TASKS = ("classify_table", "regress_table", "classify_several")


def from_standard_input(asked: list[str], task: str) -> list[str]:
    """Read the inputs from standard input where none, or "-", were given."""
    if task == "play" or (asked and asked != ["-"]):
        return asked
    if not asked and sys.stdin.isatty():
        raise OptionError(
            "inputs", "pictures, folders or --prompt", "nothing", "give some, or pipe them in"
        )
    if task == "continue_text":
        return [sys.stdin.read()]
    if task in TABLE_TASKS:
        return ["-"]
    if task == "classify":
        return _paths_from(sys.stdin)
    return [line.rstrip("\n") for line in sys.stdin if line.strip()]


def _paths_from(lines: Iterable[str]) -> list[str]:
    """Read one path a line; a picture itself, piped in, is no list of paths."""
    paths = []
    for line in lines:
        if "\0" in line:
            raise DataError(
                "standard input", "paths of pictures, one on each line", "binary data",
                "ls photos/*.jpg | samoyed predict RUN, or name the picture instead",
            )  # fmt: skip
        paths.append(line.rstrip("\n"))
    return [path for path in paths if path.strip()]
