"""From a table's file to its cells as text, or to an error that names line and column."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from samoyed.core.errors import DataError
from samoyed.data.table_header import header_of, known_header, refuse_repeated, without_header
from samoyed.data.text_files import read_file

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".data", ".arff", ".parquet", ".pq")
STANDARD_INPUT = "-"

_DELIMITERS = ("\t", ";", "|", ",")  # the earlier wins where two fit equally well
_SAID = re.compile(r'"?sep=([^\w\s"]|[\t ])"?\s*$', re.IGNORECASE)  # Excel's first line
_NO_DECIMAL = re.compile(r"(?<!\d),|,(?!\d)")
_SAMPLE_LINES = 200
_FEW_QUOTED = 0.1  # of the cells, where quotation marks are parts of some
_CONSISTENT = 0.95  # share of lines with the same number of cells
_NO_DELIMITER = "\x1f"  # the separator of units in ASCII, which no text holds
_SPELLED = {
    ",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces",
    _NO_DELIMITER: "nothing",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cells:
    """A table as it is written.

    Args:
        path: its file.
        names: of the columns; "column 1", "column 2", ... where the file gives none.
        has_header: whether the file gives names.
        columns: for each column its cells, stripped of spaces.
        lines: for each row, the line it begins at (or its number, where there are no lines).
        declared: "number" or "category" for the columns of which the file itself says it.
        notes: what was found and put right on the way.
        skipped: "file:line: reason" for rows left out.
        fingerprint: hash of the content, hexadecimal.
        delimiter: what separates the cells, or nothing where that is no character.
    """

    path: str
    names: tuple[str, ...]
    has_header: bool
    columns: tuple[tuple[str, ...], ...]
    lines: Sequence[int]
    declared: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    fingerprint: str = ""
    delimiter: str = ""

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int, name: str = "") -> str:
        """Say where a cell stands: file, line, and column."""
        place = f"{self.path}:{self.lines[row]}"
        return f"{place}, {label(name, self.names)}" if name else place

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column."""
        return self.columns[self.names.index(name)]


def spelled_mark(delimiter: str) -> str:
    """Say in words what separates the cells.

    >>> spelled_mark(";"), spelled_mark("~")
    ('semicolons', "'~'")
    """
    return _SPELLED.get(delimiter, repr(delimiter))


def label(name: str, names: Sequence[str]) -> str:
    """Name a column with its number, as errors do.

    >>> label("age", ["id", "age"]), label("column 2", ["column 1", "column 2"])
    ("column 2 ('age')", 'column 2')
    """
    number = f"column {list(names).index(name) + 1}" if name in names else "column"
    return number if name == number else f"{number} ({name!r})"


def is_table_name(name: str) -> bool:
    """Tell by its ending whether a file is a table.

    >>> is_table_name("adult.data"), is_table_name("a.CSV.gz"), is_table_name("a.txt")
    (True, True, False)
    """
    return name.lower().removesuffix(".gz").endswith(TABLE_SUFFIXES)


def read_cells(path: str | Path, on_bad: str = "stop", known: Sequence[str] = ()) -> Cells:
    """Read a table: CSV with , ; tab | or spaces, ARFF, JSONL, Parquet; "-" is standard input.

    Args:
        path: the file; CSV and ARFF may be compressed with gzip.
        on_bad: "stop" raises at the first bad row, "skip" leaves it out and lists it.
        known: the names of the columns, where they are known already: the first row is a header
            if it holds them.

    Raises:
        DataError: for what cannot be read, with line and column.
        MissingExtra: for Parquet without polars.
    """
    if str(path) == STANDARD_INPUT:
        return read_text("standard input", sys.stdin.read(), on_bad, (), known)
    file = Path(path)
    if file.is_dir():
        raise DataError(file, "a table: a .csv, .tsv, .data, .arff or .parquet file", "a folder")
    if not file.exists():
        raise DataError(file, "a table", "nothing there", "Check the spelling of the path.")
    if file.suffix.lower() in (".parquet", ".pq"):
        from samoyed.data.table_parquet import read_parquet

        return read_parquet(file)
    if file.name.lower().removesuffix(".gz").endswith(".jsonl"):
        from samoyed.data.table_jsonl import read_jsonl

        return read_jsonl(file, on_bad)
    reading = read_file(file)
    notes = [note for note in reading.notes if "line ends" not in note]
    return read_text(str(file), reading.text, on_bad, notes, known)


def read_text(
    path: str, text: str, on_bad: str = "stop", notes: Sequence[str] = (),
    known: Sequence[str] = (),
) -> Cells:  # fmt: skip
    """Read a table from its text.

    Raises:
        DataError: for what cannot be read, with line and column.
    """
    from samoyed.data.table_arff import looks_like_arff, read_arff

    if not text.strip():
        raise DataError(
            path, "a table with a row for each example", "an empty file", "Remove it or fill it."
        )
    if path.lower().removesuffix(".gz").endswith(".arff") or looks_like_arff(text):
        return read_arff(path, text, on_bad)
    text, first_line, comments = _without_comments(text)
    text, first_line, delimiter = _without_separator(text, first_line)
    delimiter = delimiter or find_delimiter(path, text, may_be_one=bool(known))
    rows, lines = parse(path, text, delimiter, first_line)
    rows, lines, skipped = _equal_width(path, rows, lines, delimiter, on_bad)
    names = header_of(rows) if not known else known_header(path, rows, known, lines[0])
    if names is not None:
        refuse_repeated(path, names, lines[0])
        rows, lines, again = without_header(path, rows, lines, on_bad)
        skipped += again
    if not rows:
        raise DataError(
            path,
            "a table with a row for each example",
            "a header and no row below it",
            "Add the rows.",
        )
    num = len(rows[0])
    found = f"{len(rows):,} rows of {num} columns separated by {spelled_mark(delimiter)}"
    named = "" if names is not None else "; no header, so columns go by their numbers from 1"
    return Cells(
        path, names or tuple(f"column {i + 1}" for i in range(num)), names is not None,
        tuple(zip(*rows, strict=True)), lines, {}, (found + named, *comments, *notes),
        tuple(skipped), hash_of(text), delimiter,
    )  # fmt: skip


def hash_of(text: str) -> str:
    """Return a hash of a text, hexadecimal."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _without_comments(text: str) -> tuple[str, int, list[str]]:
    """Drop comment lines at the beginning; return the rest, its first line, and a note."""
    lines = text.split("\n")
    first = 0
    while first < len(lines):
        line = lines[first].strip()
        is_bar = line.startswith("|") and not _is_bar_table(lines)
        if not line or line.startswith(("#", "%")) or is_bar:
            first += 1
        else:
            break
    dropped = [line.strip() for line in lines[:first] if line.strip()]
    if not dropped:
        return "\n".join(lines[first:]), first + 1, []
    shown = dropped[0] if len(dropped[0]) <= 40 else dropped[0][:37] + "..."
    more = f" and {len(dropped) - 1} more" if len(dropped) > 1 else ""
    return "\n".join(lines[first:]), first + 1, [f"comment left out: {shown!r}{more}"]


def _without_separator(text: str, first_line: int) -> tuple[str, int, str]:
    r"""Drop the line in which Excel says the delimiter, `sep=;`; return the rest and what it said.

    >>> _without_separator("sep=;\na;b\n", 1), _without_separator("a;b\n", 1)
    (('a;b\n', 2, ';'), ('a;b\n', 1, ''))
    """
    first, _, rest = text.partition("\n")
    said = _SAID.match(first)
    return (rest, first_line + 1, said[1]) if said and rest.strip() else (text, first_line, "")


def _is_bar_table(lines: Sequence[str]) -> bool:
    """Tell whether most lines begin with a bar, so that a bar is no comment."""
    some = [line for line in lines[:20] if line.strip()]
    return sum(line.lstrip().startswith("|") for line in some) > len(some) / 2


def find_delimiter(path: str, text: str, *, may_be_one: bool = False) -> str:
    """Return which character separates the cells.

    Of several that cut nearly all lines into equally many cells, it is one that cuts the first line
    so, and of those the one with most cells.

    Args:
        path: named in errors.
        text: the table.
        may_be_one: whether one column alone will do.

    Raises:
        DataError: when there is only one column, whatever the character.
    """
    lines = text[: 1 << 20].split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES]
    sample = [line for line in lines if line and len(line) < csv.field_size_limit()] or lines[:0]
    if not sample:
        raise DataError(
            path, f"lines of fewer than {csv.field_size_limit():,} characters",
            f"{max(map(len, lines), default=0):,} in one", "Is it a text, and no table?",
        )  # fmt: skip
    best, best_score = "", (0.0, False, 0.0)
    for delimiter in _DELIMITERS:
        each = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        widths = Counter(each)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        share = count / max(1, widths.total())
        if width == 1 and len(widths) > 1:
            width, count = Counter({w: n for w, n in widths.items() if w > 1}).most_common(1)[0]
            share = count / widths.total()
        if width > 1:
            score = (share, False, float(width))
            if share >= _CONSISTENT:
                score = (1.0, each[0] == width, _weight(delimiter, width, sample))
            if score > best_score:
                best, best_score = delimiter, score
    if best and best_score[0] > 0.2:
        return best
    widths = Counter(len(line.split()) for line in sample)
    width, count = widths.most_common(1)[0]
    if width > 1 and count >= _CONSISTENT * widths.total():
        return " "
    if may_be_one:
        return _NO_DELIMITER
    raise DataError(
        path, "a table whose cells are separated by , ; tab or |",
        f"one column only, beginning {sample[0][:60]!r}",
        "A table needs at least one column to learn from beside the target.",
    )  # fmt: skip


def _weight(delimiter: str, width: int, sample: Sequence[str]) -> float:
    """Return what counts among delimiters that fit equally well: the number of cells.

    Tabs hardly occur in cells; commas that all stand between digits may be decimal ones.
    """
    if delimiter == "\t":
        return math.inf
    is_decimal = delimiter == "," and not any(_NO_DECIMAL.search(line) for line in sample)
    return 0.0 if is_decimal else float(width)


def parse(
    path: str, text: str, delimiter: str, first_line: int = 1
) -> tuple[list[list[str]], list[int]]:
    """Split a text into rows of stripped cells; blank lines are left out.

    Returns:
        The rows, and the line at which each begins.

    Raises:
        DataError: for a quotation mark that is not closed.
    """
    if delimiter == " ":
        numbered = [(i, line.split()) for i, line in enumerate(text.split("\n"), first_line)]
        return [row for _, row in numbered if row], [i for i, row in numbered if row]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    rows: list[list[str]] = []
    lines: list[int] = []
    line = first_line
    try:
        for row in reader:
            if any(row) and any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(line)
            line = first_line + reader.line_num
    except csv.Error as error:
        if delimiter == "\t" and (plain := _without_quoting(text, first_line)) is not None:
            return plain
        raise _bad_quote(path, text, line, first_line, str(error)) from None
    return rows, lines


def _without_quoting(text: str, first_line: int) -> tuple[list[list[str]], list[int]] | None:
    """Cut lines at tabs alone, where quotation marks are parts of the cells; None if it fits not.

    Programs that write tabs seldom quote: a mark in a text is no beginning of a cell.
    """
    numbered = [(i, line) for i, line in enumerate(text.split("\n"), first_line) if line.strip()]
    rows = [[cell.strip() for cell in line.split("\t")] for _, line in numbered]
    num_quoted = sum(cell[:1] == cell[-1:] == '"' for row in rows for cell in row)
    if num_quoted > _FEW_QUOTED * sum(map(len, rows)):
        return None  # cells are quoted here, and one of them wrongly
    _, most = Counter(map(len, rows)).most_common(1)[0]
    return (rows, [i for i, _ in numbered]) if most >= _CONSISTENT * len(rows) else None


def _bad_quote(path: str, text: str, line: int, first_line: int, reason: str) -> DataError:
    """Say where a quotation mark is wrong."""
    content = text.split("\n")[line - first_line]
    if "field larger" in reason and '"' not in content:
        return DataError(
            f"{path}:{line}", f"cells of fewer than {csv.field_size_limit():,} characters",
            f"a line of {len(content):,}, beginning {content[:40]!r}",
            "Cut it into several rows, or leave it out.",
        )  # fmt: skip
    mark = content.find('"')
    is_open = "end of data" in reason or "field larger" in reason
    found = (
        f"a quotation mark at character {mark + 1} that is never closed" if is_open
        else "a quotation mark inside a quoted cell"
    )  # fmt: skip
    return DataError(
        f"{path}:{line}", "quotation marks in pairs, doubled inside a quoted cell",
        f"{found}: {content[max(0, mark) : mark + 40]!r}", "Close it, or double it.",
    )  # fmt: skip


def _equal_width(
    path: str, rows: list[list[str]], lines: list[int], delimiter: str, on_bad: str
) -> tuple[list[list[str]], list[int], list[str]]:
    """Make sure that every row has as many cells as most, or leave it out."""
    widths = Counter(map(len, rows))
    width, count = widths.most_common(1)[0]
    if len(widths) == 1:
        return rows, lines, []
    bad = [i for i, row in enumerate(rows) if len(row) != width]
    if on_bad == "skip":
        kept = [i for i, row in enumerate(rows) if len(row) == width]
        skipped = [f"{path}:{lines[i]}: {len(rows[i])} cells, not {width}" for i in bad]
        return [rows[i] for i in kept], [lines[i] for i in kept], skipped
    i = bad[0]
    others = f"; {len(bad) - 1:,} more rows are like that" if len(bad) > 1 else ""
    hint = f"Add or remove a {spelled_mark(delimiter).rstrip('s')}, or quote a cell that holds one"
    if i == 0:
        hint = "The header and the rows disagree: name every column"
        if delimiter == ",":
            hint += ", put ; between the cells where numbers hold a decimal comma"
    raise DataError(
        f"{path}:{lines[i]}", f"{width} cells, as in {count:,} of {len(rows):,} rows",
        f"{len(rows[i])} cells, beginning {', '.join(rows[i][:3])[:60]!r}{others}",
        f"{hint}, or leave bad rows out with --on-bad skip.",
    )  # fmt: skip
