"""What is known of labelled pictures before they are decoded, and what they are afterwards.

Shapes: N pictures, C channels (1 gray, 3 red green blue), H rows, W columns; 8 bits a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data import cache
from samoyed.data.image_resample import fit_arrays

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 3
"""The values of `ImageSource.splits`."""

_CHUNK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Pictures:
    """One split.

    Args:
        images: (N, C, H, W) uint8, often memory-mapped.
        labels: (N,) int64, index into the label names.
        names: where each picture came from: path below the folder, or file and index.
    """

    images: np.ndarray
    labels: np.ndarray
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageData:
    """Decoded pictures of one size.

    Args:
        spec: the size they have now.
        labels: the classes.
        train: what to learn from.
        test: what is held out.
        validation: a third split where the user brought one.
    """

    spec: ImageSpec
    labels: LabelSpec
    train: Pictures
    test: Pictures
    validation: Pictures | None = None


class Decoded(NamedTuple):
    """All pictures that could be decoded.

    Args:
        images: (M, C, H, W) uint8.
        kept: (M,) which of the source's N pictures they are, ascending.
        skipped: "file: reason" for the others.
    """

    images: np.ndarray
    kept: np.ndarray
    skipped: tuple[str, ...]


@runtime_checkable
class Contents(Protocol):
    """Where the pixels are: files still to be decoded, or an array."""

    def load(self, size: ImageSpec) -> Decoded:
        """Decode everything to this size."""
        ...

    def problems(self) -> list[str]:
        """Decode everything and return "file: reason" for what cannot be decoded."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayContents:
    """Pixels that are at hand.

    Args:
        images: (N, C, H, W) uint8 at their natural size.
        fingerprint: content hash.
    """

    images: np.ndarray
    fingerprint: str

    def load(self, size: ImageSpec) -> Decoded:
        """Return the pictures, fitted to another size where it is another."""
        kept = np.arange(len(self.images))
        if self.images.shape[1:] == size.shape:
            return Decoded(self.images, kept, ())

        def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
            for first in range(0, len(self.images), _CHUNK_ROWS):
                yield fit_arrays(self.images[first : first + _CHUNK_ROWS], size)

        key = cache.key_of("array", self.fingerprint, *size.shape)
        return Decoded(cache.build(key, size.shape, "uint8", chunks)[0], kept, ())

    def problems(self) -> list[str]:
        """Return nothing: what is at hand has been decoded."""
        return []


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Pictures that were found and not yet decoded.

    Args:
        name: short name for titles: the folder's own.
        path: where it was found.
        spec: natural size: that of all pictures, or the median.
        labels: the classes.
        has_official_test: whether the test split came with the data.
        targets: (N,) int64, index into the label names.
        splits: (N,) int8: TRAIN, VALIDATION, TEST or LEFT_OUT.
        names: N names.
        lines: what `describe` says.
        warnings: suspicious things, with names.
        left_out: "file: reason" for what was skipped before decoding.
        fingerprint: content hash, hexadecimal.
        contents: where the pixels are.
    """

    name: str
    path: str
    spec: ImageSpec
    labels: LabelSpec
    has_official_test: bool
    targets: np.ndarray
    splits: np.ndarray
    names: Sequence[str]
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]
    fingerprint: str
    contents: Contents
    kind: ClassVar[str] = "images"
    _undecodable: list[str] = field(default_factory=list, init=False, repr=False)

    @property
    def num_train(self) -> int:
        """Return how many pictures there are to learn from."""
        return int((self.splits == TRAIN).sum())

    @property
    def num_test(self) -> int:
        """Return how many pictures are held out."""
        return int((self.splits == TEST).sum())

    @property
    def skipped(self) -> tuple[str, ...]:
        """Return "file: reason" for all that was left out, including what `load` found."""
        return self.left_out + tuple(self._undecodable)

    def describe(self) -> list[str]:
        """Return plain lines: what was found, how many, how it is split."""
        return list(self.lines)

    def load(self, size: ImageSpec) -> ImageData:
        """Decode every picture once, scaled and converted to `size`; fast from the second time on.

        Raises:
            DataError: a picture cannot be decoded and bad files were not to be skipped.
        """
        decoded = self.contents.load(size)
        self._undecodable[:] = decoded.skipped
        splits = self.splits[decoded.kept]
        targets = self.targets[decoded.kept]
        num_classes = len(np.unique(targets[splits == TRAIN]))
        if num_classes < 2 or not (splits == TEST).any():
            raise DataError(
                self.path, "pictures of at least two classes, and some to hold out",
                f"{len(splits):,} usable pictures of {num_classes} classes; "
                f"{len(decoded.skipped):,} cannot be decoded",
                "Repair the files.",
            )  # fmt: skip

        def pick(split: int) -> Pictures:
            rows = np.flatnonzero(splits == split)
            names = tuple(self.names[i] for i in decoded.kept[rows])
            return Pictures(_rows(decoded.images, rows), targets[rows], names)

        validation = pick(VALIDATION) if (self.splits == VALIDATION).any() else None
        return ImageData(size, self.labels, pick(TRAIN), pick(TEST), validation)

    def verify(self) -> list[str]:
        """Decode everything at a small size and return "file: reason" for what cannot be."""
        return self.contents.problems()


def _rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return these rows: a view where they are consecutive, a copy otherwise."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return array[int(rows[0]) : int(rows[-1]) + 1]
    return array[rows]
