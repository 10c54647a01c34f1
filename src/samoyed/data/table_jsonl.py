"""Lines of JSON, one object a line, as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError
from samoyed.data.json_lines import parse
from samoyed.data.table_files import Cells, hash_of
from samoyed.data.text_files import read_file

SUFFIX = ".jsonl"
_EXPECTED = 'a JSON object, such as {"file_name": "1.png", "label": "cat"}'


def read_jsonl(path: str | Path, on_bad: str = "stop") -> Cells:
    """Read a table whose rows are JSON objects; a key that a row lacks is an empty cell.

    Args:
        path: the file; it may be compressed with gzip.
        on_bad: "stop" raises at the first bad line, "skip" leaves it out and lists it.

    Raises:
        DataError: for a line that is no object, with its number.
    """
    return read_jsonl_text(str(path), read_file(Path(path)).text, on_bad)


def read_jsonl_text(path: str, text: str, on_bad: str = "stop") -> Cells:
    """Read a table of JSON objects from its text, as `read_jsonl` does.

    Raises:
        DataError: for a line that is no object, with its number.
    """
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    skipped: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _object(line)
        if isinstance(found, dict):
            rows.append({str(key): _cell(value) for key, value in found.items()})
            lines.append(number)
        elif on_bad == "skip":
            skipped.append(f"{path}:{number}: {found}")
        else:
            raise DataError(
                f"{path}:{number}", _EXPECTED, found,
                "Mend the line, or leave bad lines out with --on-bad skip.",
            )  # fmt: skip
    if not rows:
        raise DataError(path, "a table with a row for each example", "no row")
    names = tuple(dict.fromkeys(key for row in rows for key in row))
    columns = tuple(tuple(row.get(name, "") for row in rows) for name in names)
    return Cells(
        path, names, True, columns, lines, {}, (f"{len(rows):,} lines of JSON",),
        tuple(skipped), hash_of(text),
    )  # fmt: skip


def _object(line: str) -> dict[str, Any] | str:
    """Return the object of a line, or what is there instead."""
    try:
        found = parse(line)
    except ValueError as error:
        return f"a line that is no JSON object ({error}): {line.strip()[:40]!r}"
    return found if isinstance(found, dict) else f"a JSON {type(found).__name__}: {line[:40]!r}"


def _cell(value: Any) -> str:
    """Write a value as a cell of text.

    >>> _cell("a"), _cell(None), _cell(True), _cell(["a", "b"]), _cell(2)
    ('a', '', '1', '["a", "b"]', '2')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
