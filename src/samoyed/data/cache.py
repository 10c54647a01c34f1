"""Decoded arrays on disk, memory-mapped, found again by the content they were made from.

An entry is two files, `KEY.npy` and `KEY.json`. The second is written last and holds the first
one's shape and checksum, so that an entry without it, or one that does not match it, does not
exist. Both are written to a temporary name, flushed to the disk and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

FORMAT_VERSION = 1  # raise it when what is stored under the same key would differ
_BLOCK = 64 * 1024  # bytes
_LARGE = 256 << 20  # bytes from which a mapped array is read instead
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

    The array is mapped read-only; `rows_of` reads a large one without it costing memory.
    """
    path = cache_folder() / f"{key}.npy"
    try:
        entry = json.loads(path.with_suffix(".json").read_text())
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        is_sound = entry["shape"] == list(array.shape) and entry["checksum"] == _checksum(array)
        return (array, entry["facts"]) if is_sound else None
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def rows_of(array: np.ndarray, rows: np.ndarray | slice) -> np.ndarray:
    """Return a copy of these rows; those of a large mapped array are read, not mapped.

    Looking at one byte of a mapped file may map two megabytes around it, which then count as the
    process's own: a few hundred rows here and there, and the whole file does. Reading does not.

    Args:
        array: (N, ...).
        rows: indices from 0 up, or a slice with a step of 1.
    """
    place = _place_in_file(array)
    if place is None:
        return np.array(array[rows])
    path, start = place
    if isinstance(rows, slice):
        first, stop, _ = rows.indices(len(array))
        firsts, found = [first], np.empty((max(0, stop - first), *array.shape[1:]), array.dtype)
        pieces = [found]
    else:
        firsts, found = rows.tolist(), np.empty((len(rows), *array.shape[1:]), array.dtype)
        pieces = list(found)
    step = array[:1].nbytes
    with open(path, "rb", buffering=0) as file:
        for first, piece in zip(firsts, pieces, strict=True):
            _fill(file, start + first * step, piece)
    return found


def _fill(file: IO[bytes], start: int, piece: np.ndarray) -> None:
    """Read an array's bytes from a place in a file."""
    file.seek(start)
    view = memoryview(piece.reshape(-1).view(np.uint8).data)
    while len(view):
        num = file.readinto(view)  # type: ignore[attr-defined]
        if not num:
            raise OSError("a file of decoded data has become shorter")
        view = view[num:]


def is_mapped(array: np.ndarray) -> bool:
    """Tell whether an array is a large one that lies in a file."""
    return _place_in_file(array) is not None


def _place_in_file(array: np.ndarray) -> tuple[str, int] | None:
    """Return the file a large mapped array lies in and where it begins, or None."""
    if array.nbytes < _LARGE or not array.flags.c_contiguous:
        return None
    owner: Any = array
    while owner is not None and not isinstance(owner, np.memmap):
        owner = getattr(owner, "base", None)
    if owner is None or owner.filename is None:
        return None
    return str(owner.filename), owner.offset + array.ctypes.data - owner.ctypes.data


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
    for start in np.linspace(0, data.size - _BLOCK, _NUM_BLOCKS, dtype=np.int64).tolist():
        value = zlib.crc32(rows_of(data, slice(start, start + _BLOCK)).data, value)
    return value
