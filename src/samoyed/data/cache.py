"""Decoded arrays on disk, memory-mapped, found again by the content they were made from.

An entry is two files, `KEY.npy` and `KEY.json`. The second is written last and holds the first
one's shape and checksum, so that an entry without it, or one that does not match it, does not
exist. Both are written to a temporary name, flushed to the disk and renamed.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

FORMAT_VERSION = 1  # raise it when what is stored under the same key would differ
_BLOCK = 64 * 1024  # bytes
_NUM_BLOCKS = 4096  # arrays up to 256 MiB are checked whole, larger ones at evenly spaced blocks

Facts = dict[str, Any]
Chunks = Callable[[Facts], Iterator[np.ndarray]]
"""Produce the rows in order, piece by piece, and fill in the facts (JSON values) on the way."""


def cache_folder() -> Path:
    """Return $SAMOYED_CACHE, or samoyed's folder in the user's cache."""
    named = os.environ.get("SAMOYED_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samoyed"


def key_of(*parts: object) -> str:
    """Return the name of an entry made from these parts.

    >>> key_of("a", 1) == key_of("a", 1), key_of("a", 1) == key_of("a1")
    (True, False)
    """
    text = json.dumps([FORMAT_VERSION, *map(str, parts)])
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def read(key: str) -> tuple[np.ndarray, Facts] | None:
    """Return an entry's array and facts, or None where there is no sound entry.

    The array is mapped read-only: what it costs in memory is what was looked at since `release`.
    """
    path = cache_folder() / f"{key}.npy"
    try:
        entry = json.loads(path.with_suffix(".json").read_text())
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        is_sound = entry["shape"] == list(array.shape) and entry["checksum"] == _checksum(array)
        release(array)
        return (array, entry["facts"]) if is_sound else None
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def release(array: np.ndarray) -> None:
    """Give the memory back that looking at a mapped array took; the file keeps what was there.

    Pages of a file that were looked at count as the process's own until somebody needs them more;
    where memory is watched or capped, that is as good as a leak.
    """
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


@dataclass
class Released:
    """Count what is read of a mapped array, and release it from time to time.

    Args:
        array: often mapped, or a part of what is.
        every: bytes between two releases.
    """

    array: np.ndarray
    every: int = 64 << 20
    _read: int = field(default=0, init=False)

    def rows(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return a copy of these rows."""
        found = np.array(self.array[rows])
        self._read += found.nbytes
        if self._read >= self.every:
            release(self.array)
            self._read = 0
        return found


def build(
    key: str, row_shape: tuple[int, ...], dtype: str, chunks: Chunks
) -> tuple[np.ndarray, Facts]:
    """Return the entry of this name, made from `chunks` if it is not there.

    Memory use stays at one chunk while the folder can be written; otherwise a warning is given and
    the array is held in memory.

    Args:
        key: from `key_of`.
        row_shape: shape of one row.
        dtype: numpy's name of the element type.
        chunks: produces arrays of shape (n, *row_shape).

    Returns:
        (N, *row_shape) array, and the facts.
    """
    found = read(key)
    if found is not None:
        return found
    try:
        facts: Facts = {}
        _write(key, row_shape, dtype, chunks, facts)
    except OSError as error:
        reason = f"{error.strerror or error} ({cache_folder()})"
    else:
        found = read(key)
        if found is not None:
            return found
        reason = f"what was written could not be read back ({cache_folder()})"
    warnings.warn(
        f"decoded data is not kept for the next time: {reason}; SAMOYED_CACHE names another folder",
        stacklevel=2,
    )
    facts = {}
    pieces = list(chunks(facts))
    whole = np.concatenate(pieces) if pieces else np.empty((0, *row_shape), dtype)
    return whole, facts


def _write(key: str, row_shape: tuple[int, ...], dtype: str, chunks: Chunks, facts: Facts) -> None:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}.npy"
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".unfinished-", delete=False) as file:
        try:
            shape = _write_rows(file, row_shape, dtype, chunks, facts)
            _settle(file, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    checksum = _checksum(np.load(path, mmap_mode="r", allow_pickle=False))
    entry = json.dumps({"shape": list(shape), "checksum": checksum, "facts": facts})
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".unfinished-", delete=False) as file:
        try:
            file.write(entry.encode())
            _settle(file, path.with_suffix(".json"))
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _write_rows(
    file: IO[bytes], row_shape: tuple[int, ...], dtype: str, chunks: Chunks, facts: Facts
) -> tuple[int, ...]:
    """Write the rows first and the number of rows, known only then, into the header last."""
    _write_header(file, (0, *row_shape), dtype)
    start = file.tell()
    num_rows = 0
    for chunk in chunks(facts):
        file.write(np.ascontiguousarray(chunk, dtype).data)
        num_rows += len(chunk)
    file.seek(0)
    shape = (num_rows, *row_shape)
    _write_header(file, shape, dtype)
    if file.tell() != start:  # numpy leaves room for the first axis to grow
        raise OSError("the header of the array grew")
    return shape


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: str) -> None:
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _settle(file: IO[bytes], path: Path) -> None:
    """Force a temporary file to the disk and give it its name."""
    file.flush()
    os.fsync(file.fileno())
    os.replace(file.name, path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _checksum(array: np.ndarray) -> int:
    """Return the CRC-32 of all bytes, or of evenly spaced blocks of a large array."""
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    if data.size <= _BLOCK * _NUM_BLOCKS:
        return zlib.crc32(data.data)
    value = 0
    for start in np.linspace(0, data.size - _BLOCK, _NUM_BLOCKS, dtype=np.int64):
        value = zlib.crc32(data[start : start + _BLOCK].data, value)
    return value
