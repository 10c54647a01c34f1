"""IDX files, plain or gzipped: the format of MNIST (LeCun, Cortes & Burges 1998).

A file is two zero bytes, a type code, the number of axes, one big-endian 32-bit length per axis,
and the values, last axis fastest.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from samoyed.core.errors import DataError

TYPES = {
    0x08: "uint8", 0x09: "int8", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8",
}  # fmt: skip
"""numpy's name of the type of each type code."""

_MAX_RATIO = 1032  # deflate cannot make anything smaller than by this factor
_GZIP_MAGIC = b"\x1f\x8b"
_AGAIN = "Download the file again."


@dataclass(frozen=True)
class IdxHeader:
    """The first bytes of an IDX file.

    Args:
        path: the file.
        dtype: numpy's name of the element type.
        shape: length of each axis.
        offset: where the values begin, in bytes.
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def num_bytes(self) -> int:
        """Return how many bytes of values the header promises."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def read_idx_header(path: Path) -> IdxHeader:
    """Read the header and hold its promises against the size of the file.

    Raises:
        DataError: it is no IDX file, or cannot hold what it promises.
    """
    with _open(path) as file:
        start = _read(file, path, 4, 0)
        _check_magic(path, start)
        num_axes = start[3]
        lengths = _read(file, path, 4 * num_axes, 4)
    if len(lengths) < 4 * num_axes:
        raise DataError(
            f"{path} (byte {4 + len(lengths)})", f"the lengths of {num_axes} axes",
            "the end of the file", _AGAIN,
        )  # fmt: skip
    shape = struct.unpack(f">{num_axes}I", lengths)
    header = IdxHeader(path, TYPES[start[2]], shape, 4 + 4 * num_axes)
    _check_size(header)
    return header


def read_idx(path: Path) -> np.ndarray:
    """Return the whole array in the machine's byte order.

    Raises:
        DataError: the file is damaged.
    """
    header = read_idx_header(path)
    rows = list(idx_rows(header, max(1, header.shape[0])))
    whole = np.concatenate(rows) if rows else np.empty(header.shape, header.dtype)
    return whole.astype(whole.dtype.newbyteorder("="), copy=False)


def idx_rows(header: IdxHeader, num_rows: int) -> Iterator[np.ndarray]:
    """Yield the values in pieces of up to `num_rows` rows; the last byte is checked to be last.

    Raises:
        DataError: there are fewer or more bytes than promised, or they are damaged.
    """
    path, shape = header.path, header.shape
    row_bytes = header.num_bytes // shape[0] if shape[0] else 0
    with _open(path) as file:
        _read(file, path, header.offset, 0)
        done = 0
        for first in range(0, shape[0], num_rows):
            wanted = min(num_rows, shape[0] - first) * row_bytes
            data = _read(file, path, wanted, header.offset + done)
            done += len(data)
            if len(data) < wanted:
                raise _wrong_length(header, done)
            yield np.frombuffer(data, header.dtype).reshape(-1, *shape[1:])
        if _read(file, path, 1, header.offset + done):
            raise _wrong_length(header, done + 1, " or more")


def _open(path: Path) -> BufferedReader | gzip.GzipFile:
    try:
        if path.suffix != ".gz":
            return path.open("rb")
        with path.open("rb") as file:
            start = file.read(2)
        if start != _GZIP_MAGIC:
            if not start:
                raise DataError(path, "a gzip file", "an empty file (0 bytes)", _AGAIN)
            is_plain = start == b"\0\0"
            raise DataError(
                f"{path} (byte 0)", "a gzip file, beginning with 1f 8b", f"bytes {start.hex(' ')}",
                "It looks like IDX without gzip: remove .gz from its name." if is_plain else _AGAIN,
            )  # fmt: skip
        return gzip.open(path, "rb")
    except OSError as error:
        raise DataError(
            path, "an IDX file that can be read", f"{error.strerror or error}".lower(),
            "Give yourself permission to read it, or repair the link.",
        ) from error  # fmt: skip


def _read(file: BufferedReader | gzip.GzipFile, path: Path, num_bytes: int, position: int) -> bytes:
    """Read up to this many bytes; a gzip stream that breaks is an error of the data."""
    try:
        return file.read(num_bytes)
    except EOFError as error:
        found = f"the end of the file after {position:,} bytes or somewhat more, unpacked"
        raise DataError(path, "a complete gzip file", found, _AGAIN) from error
    except (OSError, zlib.error) as error:
        place = f"{path} (unpacked byte {position} or later)"
        raise DataError(place, "an undamaged gzip file", str(error), _AGAIN) from error


def _check_magic(path: Path, start: bytes) -> None:
    if not start:
        raise DataError(path, "an IDX file", "an empty file (0 bytes)", _AGAIN)
    is_idx = len(start) == 4 and start[:2] == b"\0\0" and start[2] in TYPES and 1 <= start[3] <= 4
    if is_idx:
        return
    hint = "Only IDX files may have idx in their name here."
    if start[:2] == _GZIP_MAGIC:
        hint = "It looks gzipped: add .gz to its name."
    raise DataError(
        f"{path} (byte 0)",
        "IDX's magic number: 00 00, a type code (08 for bytes), the number of axes (1 to 4)",
        f"bytes {start.hex(' ')}", hint,
    )  # fmt: skip


def _check_size(header: IdxHeader) -> None:
    size = header.path.stat().st_size
    shape = " x ".join(f"{length:,}" for length in header.shape)
    if 0 in header.shape:
        raise DataError(
            f"{header.path} (byte 4)", "lengths above zero", f"a header that says {shape}", _AGAIN
        )
    if header.path.suffix == ".gz":
        if header.num_bytes > size * _MAX_RATIO:
            raise DataError(
                f"{header.path} (byte 4)",
                f"a header that {size:,} gzipped bytes can fulfil",
                f"one that promises {shape} values, {header.num_bytes:,} bytes", _AGAIN,
            )  # fmt: skip
    elif size - header.offset != header.num_bytes:
        raise _wrong_length(header, size - header.offset)


def _wrong_length(header: IdxHeader, found: int, more: str = "") -> DataError:
    shape = " x ".join(f"{length:,}" for length in header.shape)
    excess = found - header.num_bytes
    what = f"{-excess:,} too few" if excess < 0 else f"{excess:,}{more} too many"
    return DataError(
        f"{header.path} (byte {header.offset + min(found, header.num_bytes)})",
        f"{header.num_bytes:,} bytes of values, as the header says ({shape})",
        f"{found:,} bytes{more}, {what}", _AGAIN,
    )  # fmt: skip
