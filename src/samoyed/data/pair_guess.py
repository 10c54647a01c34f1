"""Whether a file holds sentence pairs, though nobody said so: from its first lines."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from samoyed.data.pair_columns import HEADS, LANGUAGES, language_of

LOOKED_AT_BYTES = 1 << 18
LEAST_LINES = 5
LEAST_TABBED = 0.95  # of the lines must have as many tabs as most
LEAST_DISTINCT = 0.3  # of the cells of a column of sentences; classes are fewer
LEAST_WORDS = 1.3  # in a cell of a column of sentences, on average

_NUMBERED = re.compile(r"\S*\d\S*")  # what numbers a line, and is no Indonesian

_JSON = (".jsonl", ".ndjson", ".json")
_COLUMNS = (".tsv", ".tab", ".txt")


def are_pairs(file: Path) -> bool:
    """Tell whether a file surely holds sentence pairs.

    JSON lines do with a `translation`, or with texts in two fields that are named as languages;
    columns with tabs do where a first line names them as languages, or source and target, or
    where two of them are sentences of different languages.
    """
    name = file.name.lower().removesuffix(".gz")
    if name.endswith(_JSON):
        return _is_pair_json(first_lines(file))
    return name.endswith(_COLUMNS) and _are_pair_columns(first_lines(file))


def first_lines(file: Path) -> list[str]:
    """Return the first whole lines of a text file, plain or .gz; none where it is no text."""
    try:
        with (gzip.open if file.name.endswith(".gz") else open)(file, "rb") as stream:
            start = stream.read(LOOKED_AT_BYTES)
    except (OSError, EOFError, zlib.error):
        return []  # whoever reads all of it says what is wrong
    if b"\0" in start:
        return []
    lines = start.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in lines[:-1] or lines if line.strip()]


def _is_pair_json(lines: Sequence[str]) -> bool:
    try:
        first = json.loads(lines[0]) if lines else None
    except ValueError:
        return False
    if not isinstance(first, dict):
        return False
    if isinstance(first.get("translation"), dict):
        return True
    spoken = [key for key, value in first.items()
              if key.lower() in LANGUAGES and isinstance(value, str)
              and not (key == "id" and _NUMBERED.fullmatch(value))]  # fmt: skip
    return len(spoken) > 1


def _are_pair_columns(lines: Sequence[str]) -> bool:
    cells = [line.split("\t") for line in lines]
    widths = [len(row) for row in cells]
    width = max(set(widths), key=widths.count, default=0)
    whole = [row for row in cells if len(row) == width]
    if width < 2 or len(cells) < LEAST_LINES or len(whole) < LEAST_TABBED * len(cells):
        return False
    spoken = [
        language_of(column)
        for column in zip(*whole[1:], strict=True) if _are_sentences(column)
    ]  # fmt: skip
    if sum(cell.strip().lower() in HEADS for cell in cells[0]) > 1:
        return len(spoken) > 1
    return len({name for name in spoken if name is not None}) > 1


def _are_sentences(column: Sequence[str]) -> bool:
    num_words = sum(cell.count(" ") + 1 for cell in column)
    num_lettered = sum(any(c.isalpha() for c in cell) for cell in column)
    return (
        num_words >= LEAST_WORDS * len(column)
        and len(set(column)) >= LEAST_DISTINCT * len(column)
        and num_lettered >= 0.9 * len(column)
    )
