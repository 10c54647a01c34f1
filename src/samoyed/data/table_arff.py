"""ARFF, the attribute-relation file format of Weka: a header that declares kinds, then rows.

https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import re

from samoyed.core.errors import DataError
from samoyed.data.table_files import Cells, hash_of
from samoyed.data.table_header import refuse_repeated
from samoyed.data.table_numbers import as_number
from samoyed.data.table_values import is_missing

_ATTRIBUTE = re.compile(r"@attribute\s+('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s{]+)\s*(.*)$", re.I)
_CELL = re.compile(
    r"""\s*(?: '((?:[^'\\]|\\.)*)' | "((?:[^"\\]|\\.)*)" | ([^,]*?) )\s*(?:,|$)""", re.X
)
_NUMERIC = ("numeric", "real", "integer")


def looks_like_arff(text: str) -> bool:
    r"""Tell whether a text begins as ARFF does, after comments.

    >>> looks_like_arff("% words\n@relation r"), looks_like_arff("a,b")
    (True, False)
    """
    for line in text[:100_000].split("\n"):
        if line.strip() and not line.lstrip().startswith("%"):
            return line.lstrip().lower().startswith("@relation")
    return False


def read_arff(path: str, text: str, on_bad: str = "stop") -> Cells:
    """Read ARFF.

    Raises:
        DataError: for what is not ARFF, with the line.
    """
    lines = text.split("\n")
    attributes, start = _header(path, lines)
    names = tuple(name for name, _, _ in attributes)
    refuse_repeated(path, names, start)
    rows: list[list[str]] = []
    places: list[int] = []
    skipped: list[str] = []
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip() or line.lstrip().startswith("%"):
            continue
        try:
            rows.append(_row(path, number, line, attributes))
            places.append(number)
        except DataError as error:
            if on_bad != "skip":
                raise
            skipped.append(f"{error.place}: {error.found}")
    if not rows:
        raise DataError(path, "rows below @data", "none")
    declared = {name: kind for name, kind, _ in attributes if kind}
    return Cells(
        path, names, True, tuple(zip(*rows, strict=True)), places, declared,
        (f"ARFF: {len(rows):,} rows of {len(names)} columns",), tuple(skipped), hash_of(text),
    )  # fmt: skip


Attribute = tuple[str, str, frozenset[str] | None]
"""Name; "number", "category" or "" where the values decide; the values a category may take."""


def _header(path: str, lines: list[str]) -> tuple[list[Attribute], int]:
    """Return the attributes, and how many lines the header has."""
    attributes: list[Attribute] = []
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("%") or stripped.lower().startswith("@relation"):
            continue
        if stripped.lower().startswith("@data"):
            if not attributes:
                raise DataError(f"{path}:{number}", "@attribute lines above @data", "none")
            return attributes, number
        match = _ATTRIBUTE.match(stripped)
        if match is None:
            raise DataError(
                f"{path}:{number}", "@attribute NAME KIND, or @data", f"{stripped[:60]!r}"
            )
        name, kind = match[1].strip("'\""), match[2].strip()
        attributes.append(_attribute(path, number, name, kind))
    raise DataError(path, "a line @data above the rows", "none", "Is the file whole?")


def _attribute(path: str, number: int, name: str, kind: str) -> Attribute:
    if kind.startswith("{"):
        if not kind.endswith("}"):
            raise DataError(f"{path}:{number}", "} at the end of the values", f"{kind[-30:]!r}")
        return name, "category", frozenset(_cells(kind[1:-1]))
    word = kind.lower().split(" ")[0]
    if word in _NUMERIC:
        return name, "number", None
    if word in ("string", "date"):
        return name, "", None
    raise DataError(
        f"{path}:{number}, attribute {name!r}", "numeric, string, date or {values}", repr(kind)
    )


def _row(path: str, number: int, line: str, attributes: list[Attribute]) -> list[str]:
    """Split a row and hold it against what the header declares."""
    if line.lstrip().startswith("{"):
        raise DataError(
            f"{path}:{number}",
            "a value for every attribute",
            "a sparse row, {index value, ...}",
            "Write the rows out in full (in Weka: the filter SparseToNonSparse).",
        )
    cells = _cells(line)
    if len(cells) != len(attributes):
        raise DataError(
            f"{path}:{number}", f"{len(attributes)} values, one for each attribute",
            f"{len(cells)}", "Add or remove a comma, or leave bad rows out with --on-bad skip.",
        )  # fmt: skip
    for index, (cell, (name, kind, allowed)) in enumerate(zip(cells, attributes, strict=True)):
        place = f"{path}:{number}, column {index + 1} ({name!r})"
        if is_missing(cell):
            continue
        if allowed is not None and cell not in allowed:
            known = ", ".join(sorted(allowed)[:10]) + (", ..." if len(allowed) > 10 else "")
            raise DataError(
                place, f"one of the {len(allowed)} declared values", repr(cell),
                f"Mend it, or declare it in the header beside {known}.",
            )  # fmt: skip
        if kind == "number" and as_number(cell) is None:
            raise DataError(
                place, "a number, as declared", repr(cell), "Mend it; ? is a missing value."
            )
    return cells


def _cells(line: str) -> list[str]:
    r"""Split at commas outside quotation marks.

    >>> _cells("a, 'b, c', \"d\"")
    ['a', 'b, c', 'd']
    """
    if "'" not in line and '"' not in line:
        return [cell.strip() for cell in line.split(",")]
    cells, place = [], 0
    line = line.rstrip()
    while place <= len(line):
        match = _CELL.match(line, place)
        if match is None:
            return line.split(",")
        quoted = match[1] if match[1] is not None else match[2]
        cells.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match[3].strip())
        place = match.end()
        if place == len(line) and not match[0].endswith(","):
            break
    return cells
