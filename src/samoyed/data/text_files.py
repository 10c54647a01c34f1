"""From a file or a folder to one string, or to an error that names file, line and byte."""

from __future__ import annotations

import json
import re
import shlex
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError, first_names
from samoyed.data.image_reasons import HEAD_BYTES, picture_format
from samoyed.data.json_lines import parse

MAX_BYTES = 2 << 30
"""A text of more bytes than this, decompressed, is refused."""

SUFFIXES = (".txt", ".text", ".tokens", ".jsonl")
"""Endings, each with or without .gz, of what is read of a folder."""

FEW_BEYOND_ASCII = 0.1
"""Share of bytes beyond ASCII up to which a text can be taken for Windows-1252."""

ANOTHER_SCRIPT = 0.3
"""From this share on it is in another script."""

_CHUNK_BYTES = 1 << 24
_FIRST_LINES = 100
_LOOKED_AT = 1_000_000
FEWEST_WRONG = 5
_TWICE = re.compile("[\u00c2-\u00c5][\u0080-\u00bf]|\u00e2\u20ac[\u0080-\u00bf\u2018-\u2122]")
"""Two characters or three that one becomes when its bytes in UTF-8 are read one by one."""

EXPECTED = "plain text in UTF-8"
_OTHER_FORMATS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or a .docx, .xlsx, .epub, which are ZIP archives)"),
    (b"\x7fELF", "a program"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"{\\rtf", "a rich text document"),
)
_OTHER_HINT = (
    "Unpack an archive and name what is in it; of a document save the text, as UTF-8, of a "
    "spreadsheet its sheet, as CSV."
)
_PICTURE_HINT = "Pictures are learned from a folder that holds a folder of them for each class."
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Of UTF-8; it is removed."""

_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True)
class Reading:
    r"""What was read.

    Args:
        text: all of it, with `\n` at the end of lines.
        data: the bytes it was decoded from.
        notes: what was put right on the way.
    """

    text: str
    data: bytes
    notes: tuple[str, ...]


def find_files(path: Path) -> list[Path]:
    """Return the file itself, or the text files in the folder (see `SUFFIXES`), in sorted order.

    Raises:
        DataError: if there is nothing, or nothing that can be listed.
    """
    if not path.exists():
        raise DataError(
            path,
            "a text file or a folder of .txt files",
            "nothing of that name",
            "Check the spelling; paths are relative to the folder you are in.",
        )
    if not path.is_dir():
        return [path]
    try:
        files = sorted(
            file
            for file in path.rglob("*")
            if is_text_name(file.name)
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
            and file.is_file()
        )
        others = sum(1 for _ in path.iterdir())
    except OSError as error:
        raise DataError(
            path,
            "a folder that can be listed",
            error.strerror or str(error),
            "Give yourself the right to read it (chmod).",
        ) from error
    if not files:
        found = "an empty folder" if others == 0 else f"{others} entries, none of them .txt"
        raise DataError(
            path,
            "a folder with .txt or .txt.gz files",
            found,
            "Name one file, or give the text files the ending .txt.",
        )
    return files


def is_text_name(name: str) -> bool:
    """Tell by its ending whether a file is a text.

    >>> is_text_name("a.txt"), is_text_name("wiki.train.tokens.gz"), is_text_name("a.csv")
    (True, True, False)
    """
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_file(path: Path, *, is_western_allowed: bool = False) -> Reading:
    """Read, decompress and decode one file.

    Args:
        path: the file.
        is_western_allowed: whether a text that is nearly all ASCII, with some bytes that are no
            UTF-8, is read as Windows-1252, as older corpora are written; a note says so.

    Raises:
        DataError: for whatever is not UTF-8 text, with the line and the byte.
    """
    return decode_bytes(path, _raw_bytes(path), is_western_allowed=is_western_allowed)


def decode_bytes(path: Path, data: bytes, *, is_western_allowed: bool = False) -> Reading:
    """Decode the bytes of a file.

    Args:
        path: the file, for the error.
        data: its bytes.
        is_western_allowed: as for `read_file`.

    Raises:
        DataError: for whatever is not UTF-8 text, with the line and the byte.
    """
    if not data:
        raise DataError(
            path, "a file with something in it", "an empty file (0 bytes)", "Remove it or fill it."
        )
    notes: list[str] = []
    refuse_binary(path, data)
    text = _as_western(path, data, notes) if is_western_allowed else None
    text = _decode(path, data) if text is None else text
    if data.startswith(BYTE_ORDER_MARK):
        data, text = data[3:], text.removeprefix("\ufeff").removeprefix("ï»¿")
        notes.insert(0, f"{path.name}: a UTF-8 byte order mark was removed")
    num_pairs = text.count("\r\n")
    if num_pairs:
        text = text.replace("\r\n", "\n")
        notes.append(f"{path.name}: {num_pairs:,} Windows line ends (\\r\\n) became \\n")
    num_returns = text.count("\r")
    if num_returns:
        text = text.replace("\r", "\n")
        notes.append(f"{path.name}: {num_returns:,} lone carriage returns (\\r) became \\n")
    return Reading(text, data, (*notes, *_lost(path, text)))


def _lost(path: Path, text: str) -> tuple[str, ...]:
    """Say what an earlier decoding of this text has damaged."""
    num = text.count("\ufffd")
    found: tuple[str, ...] = ()
    if num:
        found = (
            f"{path.name}: {num:,} times U+FFFD, the mark of bytes that could not be decoded: what "
            "stood there was lost before",
        )  # fmt: skip
    wrong = _TWICE.findall(text[:_LOOKED_AT])
    if len(wrong) >= FEWEST_WRONG:
        found += (
            f"{path.name}: {len(wrong):,} times such as {wrong[0]!r}: UTF-8 that was read as "
            "Windows-1252 and saved again; mend it where it was read",
        )
    return found


def read_text(path: Path) -> Reading:
    """Read a file as `read_file` does; of JSON lines, the `text` of each.

    Raises:
        DataError: for whatever is not UTF-8 text, or not such JSON, with the line.
    """
    reading = read_file(path)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".jsonl"):
        notes = (*reading.notes, *_other_fields(path, reading.text))
        return replace(reading, text=texts_of_jsonl(path, reading.text), notes=notes)
    if name.endswith(".json"):
        if reading.text.lstrip().startswith("["):
            raise array_of_json(path, path)
        raise DataError(
            path, "JSON lines with the ending .jsonl, each an object with a text", "a .json file",
            "If each of its lines is an object, rename it; if it is a plain text, call it .txt.",
        )  # fmt: skip
    return reading


def array_of_json(place: str | Path, path: Path) -> DataError:
    """Return the error for objects in one array, and how to turn it into lines."""
    return DataError(
        place, "JSON lines, an object on each line", "an array in brackets",
        f"jq -c '.[]' {shlex.quote(str(path))} > lines.jsonl turns it into lines.",
    )  # fmt: skip


def _other_fields(path: Path, content: str) -> tuple[str, ...]:
    """Say which fields of JSON lines are not read, and how one of them is learned."""
    names: dict[str, None] = {}
    for line in content.split("\n", _FIRST_LINES)[:_FIRST_LINES]:
        try:
            found = parse(line)
        except ValueError:
            continue
        names |= dict.fromkeys(found) if isinstance(found, dict) else {}
    others = [name for name in names if name != "text"]
    if not others:
        return ()
    return (
        f"{path.name}: of each line the text is read, and not {first_names(others)} (to learn it "
        f"from the text: --target {shlex.quote(others[0])})",
    )


def texts_of_jsonl(path: Path, content: str, first_line: int = 1) -> str:
    """Return the `text` of every line's object, one after the other, a line end after each.

    Raises:
        DataError: for a line that is no such object, with its number.
    """
    texts = []
    for number, line in enumerate(content.split("\n"), start=first_line):
        if not line.strip():
            continue
        try:
            found = parse(line)
        except ValueError as error:
            raise DataError(
                f"{path}:{number}", "a JSON object with a text", f"{line[:60]!r}: {error}",
                "Each line holds one object: {\"text\": \"...\"}.",
            ) from None  # fmt: skip
        if isinstance(found, list) and number == 1:
            raise array_of_json(f"{path}:{number}", path)
        if not isinstance(found, dict) or not isinstance(found.get("text"), str):
            raise DataError(
                f"{path}:{number}", 'a JSON object with a string called "text"', _without(found),
                "Rename the field that holds the text, or leave the line out.",
            )  # fmt: skip
        texts.append(found["text"].rstrip("\n") + "\n")
    return "".join(texts)


def _without(found: Any) -> str:
    """Say what a line of JSON holds in place of a text."""
    if not isinstance(found, dict):
        return type(found).__name__
    if "text" in found:
        return f'"text": {json.dumps(found["text"])[:40]}'
    return ", ".join(found) or "an empty object"


def _raw_bytes(path: Path) -> bytes:
    """Return the file's bytes, decompressed where it is a gz file."""
    try:
        with path.open("rb") as file:
            start = file.read(2)
            size = path.stat().st_size
            if start == b"\x1f\x8b":
                return _decompress(path)
            if path.suffix == ".gz" and start:
                raise DataError(
                    path,
                    "a gz file, as its name says",
                    f"first bytes {start!r}",
                    "Rename it without .gz if it is plain text.",
                )
            if size > MAX_BYTES:
                raise _too_large(path, f"{size:,} bytes")
            return start + file.read()
    except OSError as error:
        raise DataError(
            path,
            "a file that can be read",
            error.strerror or str(error),
            "Check that it is a file and that you may read it (chmod).",
        ) from error


def _decompress(path: Path) -> bytes:
    """Decompress the members of a gz file one after another, up to `MAX_BYTES`."""
    parts: list[bytes] = []
    size, stream = 0, zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            rest = file.read(_CHUNK_BYTES)
            while rest:
                if stream.eof:
                    if not rest.strip(b"\0"):
                        break
                    stream = zlib.decompressobj(wbits=31)
                parts.append(stream.decompress(rest, _CHUNK_BYTES))
                size += len(parts[-1])
                if size > MAX_BYTES:
                    raise _too_large(path, f"more than {MAX_BYTES:,} bytes when decompressed")
                rest = stream.unconsumed_tail or stream.unused_data or file.read(_CHUNK_BYTES)
    except zlib.error as error:
        raise DataError(
            path,
            "an undamaged gz file",
            f"after {size:,} decompressed bytes: {error}",
            "Fetch or compress it again.",
        ) from error
    if not stream.eof:
        raise DataError(
            path,
            "a whole gz file",
            f"it breaks off after {size:,} decompressed bytes",
            "It is truncated: fetch or compress it again.",
        )
    return b"".join(parts)


def _too_large(path: Path, found: str) -> DataError:
    return DataError(
        path,
        f"at most {MAX_BYTES:,} bytes of text",
        found,
        f"Take a part of it, e.g. head -c 500000000 {shlex.quote(str(path))} > part.txt",
    )


def refuse_binary(path: Path, data: bytes) -> None:
    """Raise for the marks of other encodings, other formats, and NUL bytes."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise DataError(
                path,
                EXPECTED,
                f"{encoding} (its byte order mark {mark.hex(' ')} at byte 0)",
                convert_hint(path, encoding),
            )
    if name := picture_format(data[:HEAD_BYTES]):
        raise DataError(path, EXPECTED, f"a {name} picture", _PICTURE_HINT)
    for magic, what in _OTHER_FORMATS:
        if data.startswith(magic):
            raise DataError(path, EXPECTED, what, _OTHER_HINT)
    if data[257:262] == b"ustar":
        raise DataError(path, EXPECTED, "a tar archive", _OTHER_HINT)
    position = data.find(0)
    if position >= 0:
        found = f"a NUL byte at byte {position:,}: binary data"
        hint = "Give the text file, not a program, an archive or a document."
        odd, even = (data[first:4000:2].count(0) for first in (1, 0))
        if max(odd, even) > 20 * min(odd, even) and max(odd, even) > 0.02 * len(data[:4000:2]):
            found = f"NUL in every other place from byte {position:,} on: UTF-16 without a mark"
            hint = convert_hint(path, "UTF-16LE" if odd > even else "UTF-16BE")
        raise DataError(f"{path}:{_line_of(data, position)}", EXPECTED, found, hint)


def _as_western(path: Path, data: bytes, notes: list[str]) -> str | None:
    """Decode what is plainly Windows-1252 and not a UTF-8 text with a bad byte, or return None.

    Few bytes are beyond ASCII, and of those hardly any make characters of UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        first = error.start
    beyond = data.translate(None, bytes(range(128)))
    num_bad = data.decode("utf-8", "replace").count("\ufffd")
    if len(beyond) > FEW_BEYOND_ASCII * len(data) or num_bad < 0.5 * len(beyond):
        return None
    line, shown = _line_of(data, first), data[first]
    notes.append(
        f"{path.name}: not UTF-8 (line {line:,}, byte {first:,} is 0x{shown:02X}): read as "
        "Windows-1252"
    )
    try:
        return data.decode("windows-1252")
    except UnicodeDecodeError:  # five of its bytes mean nothing
        return data.decode("latin-1")


def _decode(path: Path, data: bytes) -> str:
    """Decode UTF-8, or say where it stops being UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02X}" for byte in data[error.start : error.start + 4])
        if error.reason == "unexpected end of data":
            found = f"the text breaks off inside a character at byte {error.start:,} ({shown})"
            hint = "The file is truncated: fetch it again, or remove the last bytes."
        else:
            found = f"{shown} at byte {error.start:,}: {error.reason}"
            hint = encoding_hint(path, data)
        raise DataError(f"{path}:{_line_of(data, error.start)}", EXPECTED, found, hint) from error


def encoding_hint(path: Path, data: bytes) -> str:
    """Say how to mend bytes that are no UTF-8, by how many of them are beyond ASCII."""
    text = data.decode("utf-8", "replace")
    num_beyond = len(data.translate(None, bytes(range(128))))
    num_bad = text.count("\ufffd")
    num_good = sum(not character.isascii() for character in set(text)) - 1
    if num_good > 0 and 4 * num_bad < num_beyond:
        return (
            f"Nearly all else is UTF-8: mend the place, or leave such bytes out: iconv -c -f UTF-8 "
            f"-t UTF-8 {shlex.quote(str(path))} > utf8.txt"
        )
    if num_beyond > ANOTHER_SCRIPT * len(data):
        first = convert_hint(path, "WINDOWS-1251")
        return f"If Russian: {first}; Greek has WINDOWS-1253, Chinese GB18030, Japanese SHIFT_JIS"
    return f"If Western European: {convert_hint(path, 'WINDOWS-1252')}"


def convert_hint(path: Path, encoding: str) -> str:
    """Return the command that turns a text into UTF-8."""
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(str(path))} > utf8.txt"


def _line_of(data: bytes, position: int) -> int:
    """Return the number of the line, from 1, in which a byte stands."""
    return data.count(b"\n", 0, position) + 1
