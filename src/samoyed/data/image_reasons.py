"""Why a picture cannot be used, in words a person can act on."""

from __future__ import annotations

import codecs
import os
import re
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from samoyed.core.errors import DataError

UNSUPPORTED = {
    ".svg": "a drawing (SVG), not pixels", ".svgz": "a drawing (SVG), not pixels",
    ".eps": "a drawing (PostScript), not pixels", ".pdf": "a document (PDF), not a picture",
    ".heic": "a HEIC picture", ".heif": "a HEIF picture", ".jxl": "a JPEG XL picture",
    ".psd": "a Photoshop file", ".xcf": "a GIMP file", ".cr2": "a camera's raw file",
    ".cr3": "a camera's raw file", ".nef": "a camera's raw file", ".arw": "a camera's raw file",
    ".dng": "a camera's raw file", ".mp4": "a film", ".mov": "a film", ".avi": "a film",
}  # fmt: skip
FORMATS = "Formats that are read: JPEG, PNG, BMP, GIF, WebP, TIFF, PGM and PPM."


_SIGNATURES = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}  # fmt: skip
HEAD_BYTES = 512
"""From so many first bytes a file's format is told."""

_PORTABLE = re.compile(rb"P([1-6])\s(?:#[^\n]*\n|\s)*\d+\s+\d+\s")  # before width and height
_NUM_NAMED = 5  # files named one by one in a message
_SKIP = "or leave bad files out with --on-bad skip."


class BadPicture(Exception):
    """Why one picture cannot be used: what was expected of it, what it is, and what to do."""

    def __init__(self, found: str, hint: str = "", expected: str = "a complete picture") -> None:
        self.found = found
        self.hint = hint or "Replace or remove the file."
        self.expected = expected
        super().__init__(found)


class NoPicture(BadPicture):
    """Why a file is no picture at all."""


Bad = tuple[str | Path, BadPicture]
"""A path, and why it cannot be used."""


def error_of(bad: Sequence[Bad], can_skip: bool = True) -> DataError:
    """Return the error for the first bad file, with how many others there are."""
    path, reason = bad[0]
    found, hint = reason.found, reason.hint
    if len(bad) > 1:
        verb = "is" if len(bad) == 2 else "are"
        others = named([Path(other).name for other, _ in bad[1:]])
        found = f"{found}; {len(bad) - 1:,} more {verb} bad as well: {others}"
    if can_skip:
        hint = f"{hint} Or {_SKIP[3:]}" if hint.endswith("?") else f"{hint.rstrip('.')}, {_SKIP}"
    return DataError(path, reason.expected, found, hint)


def lines_of(bad: Sequence[Bad]) -> tuple[str, ...]:
    """Return one line, "file: reason", for each."""
    return tuple(f"{path}: {reason.found}" for path, reason in bad)


def in_one_line(name: str) -> str:
    r"""Return a name with line breaks and other signs that cannot be shown written as escapes.

    >>> print(in_one_line("a\nb"), in_one_line("\u00e4 b"))
    a\nb ä b
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name
    )


def named(names: Sequence[str]) -> str:
    """List the first few names and count the rest.

    >>> named(["a", "b"]), named(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    rest = len(names) - _NUM_NAMED
    shown = ", ".join(map(in_one_line, names[:_NUM_NAMED]))
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def nearly_same(classes: Sequence[str]) -> list[str]:
    """Name classes that differ only in capitals, accents' encoding, spaces or signs between words.

    >>> nearly_same(("NO", "no", "yes"))
    ['classes with nearly the same name: NO = no']
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        plain = unicodedata.normalize("NFKC", name).casefold()
        groups["".join(c for c in plain if c not in " _-")].append(name)
    pairs = [" = ".join(group) for group in groups.values() if len(group) > 1]
    return [f"classes with nearly the same name: {named(pairs)}"] if pairs else []


def refuse_special(path: str | Path) -> None:
    """Raise for what is no regular file: reading a pipe would wait for ever.

    Raises:
        BadPicture: for a pipe, a socket or a device.
        OSError: for a file that cannot be looked at.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise BadPicture("a pipe, a socket or a device, not a file", "Remove it.")


def explain(path: str | Path, error: Exception) -> BadPicture:
    """Turn whatever Pillow or the system said into what a person can act on."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, PermissionError):
        return BadPicture("a file that may not be read", "Give yourself permission to read it.")
    if os.path.islink(path) and not os.path.exists(path):
        return BadPicture(f"a link to {os.readlink(path)}, which leads nowhere", "Repair the link.")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        limit = f"{Image.MAX_IMAGE_PIXELS:,} pixels" if Image.MAX_IMAGE_PIXELS else "fewer pixels"
        said = re.search(r"\((\d+) pixels\)", str(error))
        return BadPicture(
            f"{int(said[1]):,} pixels by its header" if said else str(error),
            "Remove it if you do not know it; shrink it if it is a picture of yours.",
            f"a picture of at most {limit}",
        )
    try:
        with open(path, "rb") as file:
            start = file.read(HEAD_BYTES)
    except OSError:
        return BadPicture(f"a file that cannot be opened: {error}")
    if not start:
        return BadPicture("an empty file (0 bytes)", "Copy or download it again.")
    if isinstance(error, UnidentifiedImageError) and (name := picture_format(start)):
        return BadPicture(f"a damaged or cut off {name} picture", "Copy or download it again.")
    if isinstance(error, UnidentifiedImageError):
        return NoPicture(_what_begins(start), FORMATS)
    reason = str(error) or type(error).__name__
    return BadPicture(f"a damaged or cut off picture: {reason}", "Copy or download it again.")


def picture_format(start: bytes) -> str:
    r"""Name the format, of those that are read, by a file's first bytes, or return nothing.

    >>> [picture_format(b) for b in (b"\x89PNG\r\n", b"RIFF....WEBPVP8 ", b"P5\n92 112\n255\n")]
    ['PNG', 'WebP', 'PGM']
    >>> [picture_format(b) for b in (b"RIFF....WAVE", b"BMW", b"P5 92 112 are numbers")]
    ['', '', '']
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if (matched := _PORTABLE.match(start)) and (_words(start) is None or start[2:3] == b"\n"):
        return ("PBM", "PGM", "PPM")[(int(matched[1]) - 1) % 3]
    if start.startswith(b"BM") and b"\0" not in start:
        return ""  # words
    return next((name for magic, name in _SIGNATURES.items() if start.startswith(magic)), "")


def _what_begins(start: bytes) -> str:
    """Say what a file is that begins with these bytes.

    >>> _what_begins("Zwölf Boxkä".encode()[:-1])
    "a text file that begins with 'Zwölf Boxk'"
    """
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"mif1", b"hevc", b"heim"):
        return "a HEIC picture"
    if b"<svg" in start:
        return "a drawing (SVG), not pixels"
    known = {
        b"%PDF": "a document (PDF)",
        b"PK\x03\x04": "a zip archive",
        b"\x1f\x8b": "a gzip file",
    }
    for magic, meaning in known.items():
        if start.startswith(magic):
            return meaning
    words = _words(start)
    if words is not None:
        first = words.strip().split("\n")[0][:32].strip()
        return f"a text file that begins with {first!r}"
    return f"no known picture format: it begins with the bytes {start[:4].hex(' ')}"


def _words(start: bytes) -> str | None:
    """Return the beginning of a text in UTF-8, or None of anything else."""
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(start)  # the last may be cut off
    except UnicodeDecodeError:
        return None
    words = words.removeprefix("\ufeff")
    return words if all(c.isprintable() or c in "\t\r\n" for c in words) else None
