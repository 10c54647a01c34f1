r"""A text that memory does not hold, piece by piece: read, decompressed, decoded, cut at line ends.

Every pass over the files gives the same pieces. Each is decoded by itself, so that an error names
the line and the byte where it is, and no more than one piece is held at a time.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from samoyed.core.errors import DataError
from samoyed.data.corpora import Corpus, division
from samoyed.data.text_files import EXPECTED, encoding_hint, refuse_binary, texts_of_jsonl

NEWLINE = b"\n"
PIECE_BYTES = 1 << 21
LARGE_BYTES = 1 << 26
"""A text of more bytes is read in pieces and kept on the disk (64 MiB)."""

MOST_OF_A_RECORD = 1 << 28
"""A line of JSON is read whole, up to so many bytes."""

GROWTH = 4
"""How many times larger a gz file is taken to be once it is decompressed."""


@dataclass(frozen=True)
class Piece:
    """Some whole lines of a text.

    Args:
        part: which official part they belong to, or "".
        start: how many bytes of the corpus (or of its part) come before them.
        num_bytes: that they take there.
        text: the lines.
    """

    part: str
    start: int
    num_bytes: int
    text: str


@dataclass(frozen=True)
class Survey:
    """What a first pass found.

    Args:
        fingerprint: SHA-256 of all bytes, hexadecimal.
        sizes: bytes of each part, decompressed.
    """

    fingerprint: str
    sizes: dict[str, int]


def is_large(corpus: Corpus) -> bool:
    """Tell by the sizes of the files whether a corpus is better not held in memory."""
    if corpus.layout == "brown":
        return False
    sizes = [(file.name, file.stat().st_size) for file in corpus.files if file.is_file()]
    return sum(n * (GROWTH if name.endswith(".gz") else 1) for name, n in sizes) > LARGE_BYTES


def survey(corpus: Corpus) -> Survey:
    """Read all bytes once: their fingerprint, and how many there are."""
    sizes: dict[str, int] = {}
    digest = hashlib.sha256()
    for part, file in _files(corpus):
        for data in _chunks(file):
            digest.update(data)
            sizes[part] = sizes.get(part, 0) + len(data)
    digest.update(division(corpus.parts))
    return Survey(digest.hexdigest(), sizes)


def pieces(corpus: Corpus) -> Iterator[Piece]:
    """Yield the text in reading order, whole lines at a time.

    Raises:
        DataError: for what cannot be read, with file, line and byte.
    """
    starts: dict[str, int] = {}
    for part, file in _files(corpus):
        offset, line, is_first = 0, 1, True
        is_jsonl = file.name.lower().removesuffix(".gz").endswith(".jsonl")
        for data in _lines(file, MOST_OF_A_RECORD if is_jsonl else PIECE_BYTES):
            if is_first:
                refuse_binary(file, data)
            text = _decoded(file, data, offset, line)
            if is_first:
                text = text.removeprefix("\ufeff")
            num_lines = text.count("\n")
            if is_jsonl:
                text = texts_of_jsonl(file, text, first_line=line)
            yield Piece(part, starts.get(part, 0), len(data), text)
            starts[part] = starts.get(part, 0) + len(data)
            offset, line, is_first = offset + len(data), line + num_lines, False


def _files(corpus: Corpus) -> list[tuple[str, Path]]:
    parts = corpus.parts or ("",) * len(corpus.files)
    return list(zip(parts, corpus.files, strict=True))


def _lines(file: Path, most: int) -> Iterator[bytes]:
    """Yield the bytes of whole lines, the last one ended; of a line of more bytes, whole words."""
    rest = b""
    for data in _chunks(file):
        data = rest + data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > most:
            end = data.rfind(b" ", 0, len(data) - 1) + 1 or _before_last_character(data)
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest + NEWLINE


def _before_last_character(data: bytes) -> int:
    end = len(data) - 1
    while end > len(data) - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return end


def _chunks(file: Path) -> Iterator[bytes]:
    """Yield the file's bytes, decompressed where it is a gz file.

    Raises:
        DataError: where it cannot be read or is damaged.
    """
    size = 0
    try:
        with file.open("rb") as probe:
            is_packed = probe.read(2) == b"\x1f\x8b"
        opened: IO[bytes]
        with gzip.open(file) if is_packed else file.open("rb") as opened:  # type: ignore[assignment]
            while data := opened.read(PIECE_BYTES):
                size += len(data)
                yield data
    except EOFError:
        raise DataError(
            file, "a whole gz file", f"it breaks off after {size:,} decompressed bytes",
            "It is truncated: fetch or compress it again.",
        ) from None  # fmt: skip
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            file, "an undamaged gz file", f"after {size:,} decompressed bytes: {error}",
            "Fetch or compress it again.",
        ) from error  # fmt: skip
    except OSError as error:
        raise DataError(
            file, "a file that can be read", error.strerror or str(error),
            "Check that it is a file and that you may read it (chmod).",
        ) from error  # fmt: skip
    if not size:
        raise DataError(file, EXPECTED, "an empty file (0 bytes)", "Remove it or fill it.")


def _decoded(file: Path, data: bytes, offset: int, line: int) -> str:
    """Decode whole lines; line ends become those of Unix."""
    zero = data.find(0)
    if zero >= 0:
        raise DataError(
            f"{file}:{line + data[:zero].count(NEWLINE)}", EXPECTED,
            f"a NUL byte at byte {offset + zero:,}: binary data",
            "Give the text file, not a program, an archive or a document.",
        )  # fmt: skip
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02X}" for byte in data[error.start : error.start + 4])
        raise DataError(
            f"{file}:{line + data[: error.start].count(NEWLINE)}", EXPECTED,
            f"{shown} at byte {offset + error.start:,}: {error.reason}",
            encoding_hint(file, data),
        ) from error  # fmt: skip
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
