"""What the data is: small frozen descriptions that travel from the reader to the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OnBad = Literal["stop", "skip"]
"""What to do with a bad file."""


@dataclass(frozen=True)
class ImageSpec:
    """Pictures of one size: `channels` x `height` x `width`, 8 bits a value.

    Args:
        channels: 1 gray, 3 colour.
        height: in pixels.
        width: in pixels.
        gray_bits: of files with 16 bits a gray, how many of them are used: white is the largest
            number of so many bits.
    """

    channels: int
    height: int
    width: int
    gray_bits: int = field(default=16, repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (channels, height, width)."""
        return self.channels, self.height, self.width

    @property
    def content_key(self) -> tuple[int, ...]:
        """Return what decides the pixels of a file: the shape, and the bits where they are few."""
        return self.shape if self.gray_bits == 16 else (*self.shape, self.gray_bits)


@dataclass(frozen=True)
class LabelSpec:
    """The classes, in the order of the model's outputs."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


Unit = Literal["character", "byte", "word"]
"""What a text is cut into."""

SENTENCE_END = "<eos>"
"""The word that ends a sentence, or what stands for one: a line, a paragraph."""


@dataclass(frozen=True)
class TextSpec:
    """The units a text is made of, in the order of the model's outputs; the last is the unknown.

    Args:
        symbols: the characters, the words (from the most frequent to the rarest), or for bytes
            the 256 characters that have their numbers.
        unit: what a symbol is.
        cut: how words are told apart: at "spaces" alone, in a text that was taken apart before, or
            at "punctuation" too.
    """

    symbols: tuple[str, ...]
    unit: Unit = "character"
    cut: Literal["spaces", "punctuation"] = "spaces"

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def end(self) -> int | None:
        """Return the number of the word that ends a sentence, or None where nothing does."""
        is_marked = self.unit == "word" and SENTENCE_END in self.symbols
        return self.symbols.index(SENTENCE_END) if is_marked else None


@dataclass(frozen=True)
class WordSpec:
    """What a model is told of each word of a text: four numbers, each 0 where there is no word.

    Which word it is, how it begins, how it ends (1 is one that training did not show often
    enough, the others follow from 2 in the order given here), and how it uses capitals.

    Args:
        words: in small letters, digits as 0; the most frequent first.
        beginnings: the first letters of words.
        endings: their last letters.
    """

    words: tuple[str, ...]
    beginnings: tuple[str, ...]
    endings: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Return how many different numbers there are of each."""
        return len(self.words) + 2, len(self.beginnings) + 2, len(self.endings) + 2, NUM_CAPITALS


NUM_CAPITALS = 6  # no word, small letters, all capitals, first one, others, no letter


@dataclass(frozen=True)
class TagSpec:
    """The tags of words, in the order of a model's outputs.

    Args:
        names: as the model is told them; where they mark chunks, in the IOBES form.
        scheme: how the data marks chunks: "IOB1", "BIO", "BIOES", "BILOU", "BMES", or "" for tags
            of single words.
    """

    names: tuple[str, ...]
    scheme: str = ""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class UnitSpec:
    """The units that one language's sentences are written in, as numbers.

    Args:
        kind: pieces of words that were merged from characters, words, or characters.
        symbols: in the order of a model's outputs; the first four are `PAD`, `START`, `END` and
            `UNKNOWN_UNIT`. A space belongs to the unit that follows it.
        merges: of pieces: which two neighbours became one, the first merge first.
    """

    kind: Literal["bpe", "word", "character"]
    symbols: tuple[str, ...]
    merges: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.symbols)


@dataclass(frozen=True)
class PairSpec:
    """Sentences of one language and their translations.

    Args:
        names: what the two sides are called, "de" and "en".
        source: the units of the language that is translated.
        target: the units of the language it is translated into.
    """

    names: tuple[str, str]
    source: UnitSpec
    target: UnitSpec


PAD, START, END, UNKNOWN_UNIT = 0, 1, 2, 3
"""The numbers of the units that are no text: filling, a sentence's beginning and end, others."""


@dataclass(frozen=True)
class SequenceSpec:
    """Sequences that are drawn as they are needed, with one question at the end of each.

    Args:
        problem: which one, "adding".
        length: T, the fewest steps; the most are a tenth more.
        width: how many numbers a step brings.
        names: the answers, in the order of a model's outputs; empty where a number is asked for.
    """

    problem: str
    length: int
    width: int
    names: tuple[str, ...] = ()

    @property
    def num_outputs(self) -> int:
        """Return how many numbers a model gives for a sequence."""
        return len(self.names) or 1


@dataclass(frozen=True)
class FactSpec:
    """Facts of the form (subject, relation, object), each part one of a few names.

    Args:
        subjects: in the order of a model's inputs.
        relations: in the order of its further inputs.
        objects: in the order of its outputs.
    """

    subjects: tuple[str, ...]
    relations: tuple[str, ...]
    objects: tuple[str, ...]


@dataclass(frozen=True)
class WorldSpec:
    """A world that is played: what is seen in one step and what can be done.

    Args:
        name: Gymnasium id or the name of a built-in world.
        observation_shape: shape of one observation: (D,) numbers or (C, H, W) pixels.
        is_pixels: whether observations are 8-bit pixels.
        num_actions: how many discrete actions there are.
        action_names: one name per action.
    """

    name: str
    observation_shape: tuple[int, ...]
    is_pixels: bool
    num_actions: int
    action_names: tuple[str, ...]


ColumnKind = Literal["number", "date", "category", "molecule"]
"""What the values of a column are."""


@dataclass(frozen=True)
class Column:
    """One column that a model is given, and how its values become numbers.

    All statistics come from the training part alone.

    Args:
        name: as in the header, or "column 3".
        kind: what the values are.
        has_missing: number and date: whether training had missing values, so that an indicator
            says which they are.
        form: how values are written: a date's format, "decimal comma" (1.234,5), "thousands"
            (1,234.5), or nothing.
        centre: number and date: the median.
        scale: number and date: the interquartile range, or what stands for it.
        edges: number and date: quantiles of the encoded values, ascending, ends included.
        categories: category: the known values; "" is the missing one.
        num_bits: molecule: the length of its fingerprint.
    """

    name: str
    kind: ColumnKind
    has_missing: bool = False
    form: str = ""
    centre: float = 0.0
    scale: float = 1.0
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    num_bits: int = 0

    @property
    def is_number(self) -> bool:
        """Tell whether the column becomes one number."""
        return self.kind in ("number", "date")


@dataclass(frozen=True)
class TableSpec:
    """The columns a model is given, and how an encoded row is laid out.

    A row is one vector: the numbers, then the indicators of missing numbers, then the bits of
    fingerprints, then an index per category (0 is a value that training never showed).

    Args:
        columns: those that are used.
        names: every column of the file in order, used or not, targets included.
        has_header: whether the file named its columns itself.
    """

    columns: tuple[Column, ...]
    names: tuple[str, ...] = ()
    has_header: bool = True

    @property
    def numbers(self) -> tuple[Column, ...]:
        """Return the columns that become one number each."""
        return tuple(c for c in self.columns if c.is_number)

    @property
    def flagged(self) -> tuple[Column, ...]:
        """Return the columns that have an indicator of missing values."""
        return tuple(c for c in self.columns if c.is_number and c.has_missing)

    @property
    def num_bits(self) -> int:
        """Return how many bits of fingerprints there are."""
        return sum(c.num_bits for c in self.columns)

    @property
    def categories(self) -> tuple[Column, ...]:
        """Return the columns that become an index each."""
        return tuple(c for c in self.columns if c.kind == "category")

    @property
    def width(self) -> int:
        """Return the length of an encoded row."""
        return len(self.numbers) + len(self.flagged) + self.num_bits + len(self.categories)

    def places(self, column: Column) -> list[int]:
        """Return which positions of an encoded row a column fills."""
        if column.kind == "category":
            start = self.width - len(self.categories)
            return [start + self.categories.index(column)]
        if column.kind == "molecule":
            start = len(self.numbers) + len(self.flagged)
            for other in self.columns:
                if other == column:
                    break
                start += other.num_bits
            return list(range(start, start + column.num_bits))
        found = [self.numbers.index(column)]
        if column.has_missing:
            found.append(len(self.numbers) + self.flagged.index(column))
        return found


@dataclass(frozen=True)
class TargetSpec:
    """What is asked of a row: a class, a number, or several questions of two answers each.

    Args:
        kind: "classes", "number" or "binaries".
        columns: the target columns' names.
        names: classes: the classes, in the order of the model's outputs; binaries: for each
            column its two values, the one that means yes last.
        centre: number: the training part's mean.
        scale: number: the training part's standard deviation.
        form: number: how values are written, as in `Column`.
    """

    kind: Literal["classes", "number", "binaries"]
    columns: tuple[str, ...]
    names: tuple[str, ...] = ()
    centre: float = 0.0
    scale: float = 1.0
    form: str = ""

    @property
    def num_outputs(self) -> int:
        """Return how many numbers a model gives for a row."""
        return {"classes": len(self.names), "number": 1, "binaries": len(self.columns)}[self.kind]
