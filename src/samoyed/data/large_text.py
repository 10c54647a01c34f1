"""Texts larger than memory: their units are counted in a pass and written to the disk in another.

The numbers of the units lie in the cache as one memory-mapped array of one or two bytes a unit,
found again by the content of the files. Only a few megabytes at the end are held out, and as many
before them of words for choices: reading a tenth of two gigabytes would take longer than training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import OnBad, TextSpec, Unit
from samoyed.data import cache
from samoyed.data.corpora import Contents, Corpus, TextAsk
from samoyed.data.text import (
    BYTES,
    TextData,
    code_points,
    copied_share,
    counts_of,
    encode,
    line_end,
    preview,
    symbols_of,
)
from samoyed.data.text_pieces import Piece, pieces, survey
from samoyed.data.word_stream import (
    COPY_LENGTH,
    as_lines,
    cut_of,
    encode_words,
    vocabulary_of,
    words_of,
)

HELD_OUT_BYTES = 1 << 21
"""At most so much is held out, and as much before it is kept for choices (2 MiB)."""

HELD_OUT, VALIDATION = 0.1, 0.05
MOST_DISTINCT = 2_000_000
"""Of more different words than this the rarest so far are forgotten while they are counted."""

COMPARED = 1_000_000
"""The last units of the training part in which copies of the held-out part are looked for."""


@dataclass(frozen=True)
class LargeTextSource:
    """What was found; the numbers of the units are on the disk already.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        corpus: how it lies.
        key: of the cache's entry.
        spec: the units.
        num_train: units to learn from.
        num_valid: units between, for choices.
        num_test: units that are held out.
        num_bytes: of the whole text.
        why: why the unit is what it is.
        notes: what was put right or left out.
        warnings: what looks suspicious.
        fingerprint: of the bytes and of what was said about them.
        min_count: what was said of rare words.
    """

    kind: ClassVar[str] = "text"
    name: str
    path: str
    corpus: Corpus
    key: str
    spec: TextSpec
    num_train: int
    num_valid: int
    num_test: int
    num_bytes: int
    why: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    fingerprint: str
    min_count: int | None = None
    skipped: tuple[str, ...] = ()

    @property
    def has_test(self) -> bool:
        """Tell whether the data brought a test part of its own."""
        return self.corpus.layout == "parts"

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        files, unit = self.corpus.files, self.spec.unit
        where = str(files[0]) if len(files) == 1 else f"{len(files):,} files"
        total = self.num_train + self.num_valid + self.num_test
        shown = preview(self.spec.symbols[:-1]) if unit == "character" else ""
        shown = " ".join(self.spec.symbols[:12]) + " …" if unit == "word" else shown
        return [
            f"text: {total:,} {unit}s, {self.num_bytes / 1e6:,.0f} MB, in {where}; the unit is the "
            f"{unit}: {self.why}",
            f"symbols: {len(self.spec):,}" + (f" ({shown})" if shown else ""),
            f"training: the first {self.num_train:,} {unit}s, read from the disk; held out: the "
            f"last {self.num_test:,}"
            + (f"; between them {self.num_valid:,} for choices" if self.num_valid else ""),
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every byte."""
        return []

    def load(self) -> TextData:
        """Return the numbers of the units, mapped from the disk."""
        codes, _ = self._entry()
        first, second = self.num_train, self.num_train + self.num_valid
        test = cache.rows_of(codes, slice(second, len(codes))).astype(np.int64)
        valid = cache.rows_of(codes, slice(first, second)).astype(np.int64)
        return TextData(self.spec, codes[:first], test, valid)

    def load_to_measure(self, spec: TextSpec) -> TextData:
        """Number the test part by another text's units, or the end where there is none.

        The lead is a line end.
        """
        split = _Split.of(self.corpus, survey(self.corpus).sizes, spec.unit == "word")
        found = [
            _encoded(self.corpus, text, spec)
            for piece in pieces(self.corpus)
            for part, text in split.parts_of(piece)
            if part == "test"
        ]
        return TextData(spec, line_end(spec), np.concatenate(found))

    def _entry(self) -> tuple[np.ndarray, dict[str, Any]]:
        return _entry_of(self.corpus, self.key, self.spec.unit, self.min_count)


def scan_large(
    corpus: Corpus, unit: Unit, why: str, ask: TextAsk, *, on_bad: OnBad = "stop"
) -> LargeTextSource:
    """Count the units of a text, write their numbers to the disk, and say what was found.

    Args:
        corpus: how it lies.
        unit: what it is cut into.
        why: why.
        ask: what was said about it.
        on_bad: not used: a bad place in a text of this size is worth a look.

    Raises:
        DataError: for what cannot be read, with file, line and byte, and for too little of it.
    """
    found = survey(corpus)
    key = cache.key_of(
        "large text, cut at lines", found.fingerprint, unit, ask.min_count, corpus.layout
    )
    codes, facts = _entry_of(corpus, key, unit, ask.min_count, found.sizes)
    spec = TextSpec(tuple(facts["symbols"]), unit, facts["cut"])
    num_train, num_valid = facts["lengths"]["train"], facts["lengths"]["valid"]
    num_test = facts["lengths"]["test"]
    if min(num_train, num_test) < 1:
        raise DataError(corpus.path, "something to learn from and to hold out", "nothing")
    warnings = [*corpus.warnings, *facts["warnings"]]
    recent = cache.rows_of(codes, slice(max(0, num_train - COMPARED), num_train))
    held = cache.rows_of(codes, slice(len(codes) - num_test, len(codes)))
    share = copied_share(recent, held, *((COPY_LENGTH,) if unit == "word" else ()))
    if share > 0.02:
        warnings.append(
            f"{share:.0%} of the held-out part stand in the last {COMPARED:,} {unit}s before it "
            "too: the scores will flatter"
        )
    root = corpus.path
    return LargeTextSource(
        name=root.name.split(".")[0] or root.resolve().name, path=str(root), corpus=corpus,
        key=key, spec=spec, num_train=num_train, num_valid=num_valid, num_test=num_test,
        num_bytes=sum(found.sizes.values()), why=why, notes=(*corpus.notes, *facts["notes"]),
        warnings=tuple(warnings), fingerprint=f"{found.fingerprint}-{unit}-{ask.min_count}",
        min_count=ask.min_count,
    )  # fmt: skip


@dataclass(frozen=True)
class _Split:
    """Where the training part ends and the test part begins, in bytes; official parts stay."""

    has_parts: bool
    first: int
    second: int

    @classmethod
    def of(cls, corpus: Corpus, sizes: dict[str, int], has_choices: bool) -> _Split:
        if corpus.layout == "parts":
            kept = sizes["train"] - min(HELD_OUT_BYTES, int(sizes["train"] * VALIDATION))
            return cls(True, sizes["train"] if "valid" in sizes else kept, 0)
        total = sum(sizes.values())
        second = total - min(HELD_OUT_BYTES, int(total * HELD_OUT))
        first = second - min(HELD_OUT_BYTES, int(total * VALIDATION)) if has_choices else second
        return cls(False, first, second)

    def parts_of(self, piece: Piece) -> Iterator[tuple[str, str]]:
        """Yield the parts that a piece belongs to with their share of its text."""
        if self.has_parts and piece.part != "train":
            yield piece.part, piece.text
            return
        begins = {"train": 0, "valid": self.first, "test": self.second}
        if self.has_parts:
            del begins["test"]
        places = [
            _place_near(piece.text, (begin - piece.start) / piece.num_bytes)
            for begin in begins.values()
        ]
        places[0] = 0
        for part, start, stop in zip(begins, places, [*places[1:], len(piece.text)], strict=True):
            if start < stop:
                yield part, piece.text[start:stop]


def _place_near(text: str, share: float) -> int:
    """Return the place after the line, or else the word, that a share of a text ends in."""
    if not 0 < share < 1:
        return len(text) if share >= 1 else 0
    place = int(share * len(text))
    most = place + HELD_OUT_BYTES // 20
    return text.find("\n", place, most) + 1 or text.find(" ", place, most) + 1 or place


def _entry_of(
    corpus: Corpus, key: str, unit: Unit, min_count: int | None,
    sizes: dict[str, int] | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:  # fmt: skip
    """Return the cache's entry: the numbers of all units, and what was found on the way."""

    def chunks(facts: dict[str, Any]) -> Iterator[np.ndarray]:
        known = survey(corpus).sizes if sizes is None else sizes
        split = _Split.of(corpus, known, unit == "word")
        spec = _counted(corpus, split, unit, min_count, facts)
        lengths = {"train": 0, "valid": 0, "test": 0}
        for piece in pieces(corpus):
            for part, text in split.parts_of(piece):
                codes = _encoded(corpus, text, spec)
                lengths[part] += len(codes)
                yield codes.astype(dtype)
        facts.update(symbols=list(spec.symbols), cut=spec.cut, lengths=lengths)

    dtype = "uint8" if unit == "byte" else "uint16"
    return cache.build(key, (), dtype, chunks)


def _counted(
    corpus: Corpus, split: _Split, unit: Unit, min_count: int | None, facts: dict[str, Any]
) -> TextSpec:
    """Count the units of the training part; return those that are kept."""
    facts.update(notes=[], warnings=[])
    if unit == "byte":
        return BYTES
    train = (
        text for piece in pieces(corpus) for part, text in split.parts_of(piece) if part == "train"
    )
    if unit == "character":
        counts = sum((counts_of(code_points(text)) for text in train), start=np.int64(0))
        spec, facts["warnings"] = symbols_of(corpus.path, np.asarray(counts))
        return spec
    words: Counter[str] = Counter()
    least, cut = 1, ""
    for text in train:
        cut = cut or cut_of(corpus, Contents([("", text)]))
        words.update(_words_of(corpus, text, cut))
        while len(words) > MOST_DISTINCT:
            words = Counter({word: num for word, num in words.items() if num > least})
            least += 1
    spec, note, facts["warnings"] = vocabulary_of(corpus, words, cut, min_count)
    forgotten = f"; words that were rarer than {least} while counting were forgotten"
    facts["notes"] = [note + (forgotten if least > 1 else "")] if note else []
    return spec


def _words_of(corpus: Corpus, text: str, cut: str) -> list[str]:
    """Cut some of a text into words; where it breaks off within a line, no line ends there."""
    [(_, lines)] = as_lines(corpus, Contents([("", text)]))
    return words_of(lines if text.endswith("\n") else lines.removesuffix("\n"), cut)


def _encoded(corpus: Corpus, text: str, spec: TextSpec) -> np.ndarray:
    """Return the numbers of a text's units."""
    if spec.unit != "word":
        return encode(text, spec)
    return encode_words(_words_of(corpus, text, spec.cut), spec)
