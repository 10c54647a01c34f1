"""Text as a stream of characters, or of bytes: one file, or a folder of them, read end to end.

The last tenth of it is held out, in one piece, so that no sentence of it has been
half seen in training. The symbols are the characters of the training part and one for everything
else; the held-out part has no say in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import OnBad, TextSpec
from samoyed.data.cache import rows_of
from samoyed.data.corpora import Contents, Corpus, find_corpus, read_corpus

UNKNOWN = "\ufffd"
"""The symbol of every character that training did not show."""

HELD_OUT = 0.1
"""Share of the characters, at the end, that is kept for scoring."""

MIN_CHARACTERS = 1_000
MAX_SYMBOLS = 5_000
"""Of more distinct characters the rarest become `UNKNOWN`."""

SOME_SYMBOLS, FEWEST_OF_MORE = 500, 10
"""Of so many all are kept, of the others those that training shows so often: Chinese has them."""

FEWEST_OF_SCRIPT = 20
"""Letters beyond ASCII that make another script."""

FEW_CHARACTERS = 20_000
COPY_LENGTH = 64
"""Held-out stretches of this many characters are looked for in the training part."""

LINES_LOOKED_AT = 10_000_000
"""Characters at the beginning in which repeated lines are counted."""

BYTES = TextSpec(tuple(map(chr, range(256))), "byte")
"""All bytes; the last, 255, stands in no UTF-8 text."""

_NUM_CODE_POINTS = 0x110000
_COUNTED = 1 << 22  # symbols that are counted together


@dataclass(frozen=True)
class TextData:
    """A text as numbers of symbols.

    Args:
        spec: the symbols.
        train: (N,) whole numbers, the training part.
        test: (M,) the held-out part.
        valid: (K,) a part between them, to choose dials by; empty where the data has none.
    """

    spec: TextSpec
    train: np.ndarray
    test: np.ndarray
    valid: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def before_test(self, num: int) -> np.ndarray:
        """Return the last `num` units before the held-out part, or as many as there are."""
        near = self.valid[max(0, len(self.valid) - num) :]
        start = max(0, len(self.train) - (num - len(near)))
        return np.concatenate([rows_of(self.train, slice(start, None)), near])


@dataclass(frozen=True)
class TextSource:
    """What a scan found; `load` turns it into numbers.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        files: the files, in reading order.
        spec: the symbols.
        num_train: units in the training part.
        num_test: units in the held-out part.
        notes: what was put right.
        warnings: what looks suspicious.
        skipped: "file: reason" for files left out.
        fingerprint: SHA-256 of the bytes, hexadecimal.
        num_valid: units between them, where the data brought such a part.
        why: why the unit is what it is.
    """

    kind: ClassVar[str] = "text"
    name: str
    path: str
    files: tuple[str, ...]
    spec: TextSpec
    num_train: int
    num_test: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    num_valid: int = 0
    why: str = ""

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        where = self.files[0] if len(self.files) == 1 else f"{len(self.files):,} files"
        total = self.num_train + self.num_valid + self.num_test
        unit = self.spec.unit
        symbols = (
            f"symbols: {len(self.spec) - 1} distinct characters "
            f"({preview(self.spec.symbols[:-1])}), and one for all others"
        )
        return [
            f"text: {total:,} {unit}s in {where}" + (f"; {self.why}" if self.why else ""),
            symbols if unit == "character" else "symbols: the 256 bytes of UTF-8",
            f"training: the first {self.num_train:,} {unit}s; held out: the last "
            f"{self.num_test:,} ({self.num_test / total:.0%})"
            + (f"; between them {self.num_valid:,} for choices" if self.num_valid else ""),
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every byte."""
        return []

    @property
    def has_test(self) -> bool:
        """Tell whether the data brought a test part of its own."""
        return self.num_valid > 0

    def load(self) -> TextData:
        """Read the files again and number their symbols.

        Raises:
            DataError: if they are no longer what was scanned.
        """
        codes = encode(self._text(), self.spec)
        first, second = self.num_train, self.num_train + self.num_valid
        return TextData(self.spec, codes[:first], codes[second:], codes[first:second])

    def load_to_measure(self, spec: TextSpec) -> TextData:
        """Number another text's held-out part, or all of it, by this text's symbols."""
        codes = encode(self._text(), spec)
        held_out = codes[len(codes) - self.num_test :] if self.has_test else codes
        return TextData(spec, line_end(spec), held_out)

    def _text(self) -> str:
        corpus = find_corpus(Path(self.path))
        contents = read_corpus(corpus, "skip" if self.skipped else "stop")
        if contents.fingerprint() != self.fingerprint:
            raise DataError(
                self.path,
                "the files that were scanned",
                "their contents have changed",
                "Run the command again.",
            )
        return contents.joined()[0]


def scan_text(
    path: str | Path, *, on_bad: OnBad = "stop", seed: int = 0, is_bytes: bool = False
) -> TextSource:
    """Read a text file (plain or gz) or a folder of them, and say what is in it.

    Args:
        path: the file or folder.
        on_bad: whether a file that cannot be read stops the scan or is left out and listed.
        seed: not used: the split is by position, and the same for every seed.
        is_bytes: whether the unit is the byte of UTF-8, not the character.

    Raises:
        DataError: if there is no usable text, with file, line and byte.
    """
    corpus = find_corpus(Path(path))
    return scan_symbols(corpus, read_corpus(corpus, on_bad), is_bytes=is_bytes)


def scan_symbols(
    corpus: Corpus, contents: Contents, *, is_bytes: bool = False, why: str = ""
) -> TextSource:
    """Say what is in a text that was read, character by character or byte by byte.

    Raises:
        DataError: if there is too little of it.
    """
    root, (text, lengths) = corpus.path, contents.joined()
    if len(text) < MIN_CHARACTERS:
        raise DataError(
            root,
            f"at least {MIN_CHARACTERS:,} characters",
            f"{len(text):,}",
            "There is too little to learn from and to hold out; add more text.",
        )
    codes = code_points(text)
    num_train = len(codes) - int(len(codes) * HELD_OUT)
    num_valid = 0
    if corpus.layout == "parts":
        num_train, num_valid = lengths["train"], lengths["valid"]
        if not num_valid:
            num_valid = int(num_train * HELD_OUT / 2)
            num_train -= num_valid
    warnings = [*corpus.warnings, *_suspicions(text, codes, num_train)]
    if is_bytes:
        spec = BYTES
        pieces = text[:num_train], text[num_train : num_train + num_valid]
        num_train, num_valid = (len(piece.encode()) for piece in pieces)
        num_all = len(text.encode())
    else:
        spec, folded = symbols_of(root, counts_of(codes[:num_train]))
        warnings, num_all = folded + warnings, len(codes)
    return TextSource(
        name=root.name.split(".")[0] or root.resolve().name,
        path=str(root),
        files=tuple(str(file) for file in contents.files),
        spec=spec,
        num_train=num_train,
        num_test=num_all - num_train - num_valid,
        notes=tuple(contents.notes),
        warnings=tuple(warnings),
        skipped=tuple(contents.skipped),
        fingerprint=contents.fingerprint(),
        num_valid=num_valid,
        why=why,
    )


def encode(text: str, spec: TextSpec) -> np.ndarray:
    """Return the symbols' numbers, (N,) int64; unseen characters become `UNKNOWN`.

    Of bytes, their own numbers.

    >>> encode("abz", TextSpec(("a", "b", UNKNOWN)))
    array([0, 1, 2])
    """
    if spec.unit == "byte":
        return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64)
    table = np.full(_NUM_CODE_POINTS, len(spec) - 1, dtype=np.int16)
    table[[ord(symbol) for symbol in spec.symbols]] = np.arange(len(spec), dtype=np.int16)
    return table[code_points(text)].astype(np.int64)


def decode(codes: Sequence[int] | np.ndarray, spec: TextSpec) -> str:
    """Return the text of symbols' numbers; what is no UTF-8 becomes `UNKNOWN`."""
    if spec.unit == "byte":
        return np.asarray(codes, dtype=np.uint8).tobytes().decode("utf-8", errors="replace")
    points = np.array([ord(symbol) for symbol in spec.symbols], dtype="<u4")
    return points[np.asarray(codes, dtype=np.int64)].tobytes().decode("utf-32-le")


def line_end(spec: TextSpec) -> np.ndarray:
    """Return the number of a line end, (1,): what stands before the beginning of a text."""
    if spec.unit != "word":
        return encode("\n", spec)
    return np.array([len(spec) - 1 if spec.end is None else spec.end], dtype=np.int32)


def preview(symbols: Sequence[str], limit: int = 40) -> str:
    """Return the visible symbols in a row, cut after `limit`; letters of another script first."""
    visible = [symbol for symbol in symbols if symbol.isprintable() and not symbol.isspace()]
    others = [symbol for symbol in visible if symbol.isalpha() and not symbol.isascii()]
    if len(others) >= FEWEST_OF_SCRIPT:
        visible = others + [symbol for symbol in visible if symbol not in set(others)]
    return "".join(visible[:limit]) + (" …" if len(visible) > limit else "")


def code_points(text: str) -> np.ndarray:
    """Return (N,) uint32 Unicode code points."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def counts_of(codes: np.ndarray, num: int = _NUM_CODE_POINTS) -> np.ndarray:
    """Return how often each code point, or each of so many symbols, occurs, (num,) int64.

    A text on the disk is read a piece at a time.
    """
    counts = np.zeros(num, dtype=np.int64)
    for start in range(0, len(codes), _COUNTED):
        counts += np.bincount(rows_of(codes, slice(start, start + _COUNTED)), minlength=num)
    return counts


def symbols_of(root: Path, counts: np.ndarray) -> tuple[TextSpec, list[str]]:
    """Choose the symbols from the training part; warn of those folded into `UNKNOWN`.

    Args:
        root: what was named, for the error.
        counts: how often the training part holds each code point.
    """
    num_all = int(counts.sum())
    counts[ord(UNKNOWN)] = 0
    points = np.flatnonzero(counts)
    if len(points) < 2:
        only = repr(chr(points[0])) if len(points) else repr(UNKNOWN)
        raise DataError(
            root,
            "a text of at least two different characters",
            f"{only} alone, {num_all:,} times",
            "There is nothing to predict in it.",
        )
    if not any(chr(point).strip() for point in points):
        raise DataError(root, "a text with letters", "blanks alone", "Give another file.")
    warnings = []
    order = points[np.argsort(-counts[points], kind="stable")]
    num_frequent = int((counts[order[:MAX_SYMBOLS]] >= FEWEST_OF_MORE).sum())
    num_kept = min(len(points), max(SOME_SYMBOLS, num_frequent))
    if num_kept < len(points):
        points, rare = np.sort(order[:num_kept]), order[num_kept:]
        share = counts[rare].sum() / num_all
        warnings.append(
            f"{len(rare):,} rare characters ({share:.2%} of the text, e.g. "
            f"{preview([chr(point) for point in rare], 10)}) are read as one unknown symbol"
        )
    return TextSpec((*(chr(point) for point in points), UNKNOWN)), warnings


def _suspicions(text: str, codes: np.ndarray, num_train: int) -> list[str]:
    """Return warnings about size, repetition, copies across the split and unseen characters."""
    warnings = []
    if len(text) < FEW_CHARACTERS:
        warnings.append(
            f"only {len(text):,} characters: expect a model that knows little more than "
            "letter frequencies, and wide intervals"
        )
    lines = [line for line in text[:LINES_LOOKED_AT].split("\n") if line.strip()]
    if len(lines) >= 20 and (num_distinct := len(set(lines))) < 0.2 * len(lines):
        warnings.append(f"of {len(lines):,} lines only {num_distinct:,} are distinct")
    share = copied_share(codes[:num_train], codes[num_train:])
    if share > 0.02:
        warnings.append(
            f"{share:.0%} of the held-out part are copies of {COPY_LENGTH} characters or more "
            "from the training part: the scores will flatter"
        )
    num_seen, num_held = (counts_of(part) for part in (codes[:num_train], codes[num_train:]))
    unseen = np.flatnonzero((num_held > 0) & (num_seen == 0))
    if len(unseen):
        shown = ", ".join(f"{chr(point)!r} ({num_held[point]})" for point in unseen)
        warnings.append(
            f"held-out characters never seen in training: {shown[:200]}; "
            "each of them is one unknown symbol"
        )
    num_control = int((num_seen + num_held)[[*range(9), 11, *range(13, 32)]].sum())
    if num_control > 0.001 * len(codes):
        warnings.append(f"{num_control:,} control characters: is this really text?")
    return warnings


def copied_share(
    train: np.ndarray, test: np.ndarray, length: int = COPY_LENGTH, limit: int = 4_000_000
) -> float:
    """Return which share of the tail's stretches of `length` stand in the training part too.

    Stretches are compared by a 64-bit polynomial hash; the tail's follow one another, the training
    part's start at every character of its last `limit`.
    """
    if len(test) < length or len(train) < length:
        return 0.0
    wanted = np.unique(_rolling_hash(test, length)[::length])
    seen = np.zeros(1 << 22, dtype=bool)
    hashes = _rolling_hash(train[-limit:], length)
    seen[(hashes >> np.uint64(42)).astype(np.int64)] = True
    likely = wanted[seen[(wanted >> np.uint64(42)).astype(np.int64)]]
    is_wanted = np.zeros_like(seen)
    is_wanted[(likely >> np.uint64(42)).astype(np.int64)] = True
    candidates = hashes[is_wanted[(hashes >> np.uint64(42)).astype(np.int64)]]
    return float(np.isin(likely, candidates).sum()) / len(wanted)


def _rolling_hash(codes: np.ndarray, length: int) -> np.ndarray:
    """Return the hash of every stretch of `length` (a power of two), (N - length + 1,) uint64."""
    hashes, width = codes.astype(np.uint64) + np.uint64(1), 1
    factor = 0x9E3779B97F4A7C15
    while width < length:
        hashes = hashes[:-width] * np.uint64(factor) + hashes[width:]
        factor, width = factor * factor % (1 << 64), 2 * width
    return hashes * np.uint64(0xD1342543DE82EF95)
