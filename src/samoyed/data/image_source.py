"""What is known of labelled pictures before they are decoded, and what they are afterwards.

Shapes: N pictures, C channels (1 gray, 3 red green blue), H rows, W columns; 8 bits a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data import cache
from samoyed.data.image_resample import fit_arrays

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 3
"""The values of `ImageSource.splits`."""

_CHUNK_ROWS = 1024
_LARGE_COPY = 256 << 20  # bytes from which a copy goes to the disk


@dataclass(frozen=True, eq=False)
class Pictures:
    """One split.

    Args:
        images: (N, C, H, W) uint8, often memory-mapped.
        labels: (N,) int64, index into the label names; or (N, K) float32 where a picture has any
            number of the K labels: 1 has it, 0 has not, NaN not known.
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
        """Decode everything to this size; what cannot be decoded is an error, unless it may be."""
        ...

    def look(self, size: ImageSpec) -> Decoded:
        """Decode everything to this size; what cannot be decoded is listed."""
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
                yield fit_arrays(
                    cache.rows_of(self.images, slice(first, first + _CHUNK_ROWS)), size
                )

        key = cache.key_of("array", self.fingerprint, *size.shape)
        return Decoded(cache.build(key, size.shape, "uint8", chunks)[0], kept, ())

    def look(self, size: ImageSpec) -> Decoded:
        """Return the pictures: what is at hand has been decoded."""
        return self.load(size)


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Pictures that were found and not yet decoded.

    Args:
        name: short name for titles: the folder's own.
        path: where it was found.
        spec: natural size: that of all pictures, or the median.
        labels: the classes.
        has_official_test: whether the test split came with the data.
        targets: (N,) int64, index into the label names; or (N, K) float32, as in `Pictures`.
        splits: (N,) int8: TRAIN, VALIDATION, TEST or LEFT_OUT.
        names: N names.
        lines: what `describe` says.
        suspicions: suspicious things, with names, that were found without decoding.
        left_out: "file: reason" for what was skipped before decoding.
        fingerprint: content hash, hexadecimal.
        contents: where the pixels are.
        digests: N content hashes, the same for copies.
        is_measured: whether a model is only measured on it, so that there may be nothing to learn.
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
    suspicions: tuple[str, ...]
    left_out: tuple[str, ...]
    fingerprint: str
    contents: Contents
    digests: Sequence[Hashable] = ()
    is_measured: bool = False
    kind: ClassVar[str] = "images"
    _undecodable: list[str] = field(default_factory=list, init=False, repr=False)
    _near: list[str] = field(default_factory=list, init=False, repr=False)

    @property
    def asked(self) -> str:
        """Return what `--task` calls the question."""
        return "classify" if self.targets.ndim == 1 else "classify_labels"

    @property
    def num_train(self) -> int:
        """Return how many pictures there are to learn from."""
        return int((self.splits == TRAIN).sum())

    @property
    def num_test(self) -> int:
        """Return how many pictures are held out."""
        return int((self.splits == TEST).sum())

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return suspicious things, with names, including what `load` or `verify` found."""
        return self.suspicions + tuple(self._near)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Return "file: reason" for all that was left out, including what `load` found."""
        return self.left_out + tuple(self._undecodable)

    def describe(self) -> list[str]:
        """Return plain lines: what was found, how many, how it is split."""
        return list(self.lines)

    def to_measure(self, labels: LabelSpec) -> ImageSource:
        """Return what a model of these labels is measured on: the test part, or without one all.

        Args:
            labels: those of the model, among them all of this source's own.
        """
        targets = self.targets
        if targets.ndim == 1:
            places = [labels.names.index(name) for name in self.labels.names]
            targets = np.asarray(places, np.int64)[targets]
        splits = self.splits
        if not self.has_official_test:
            splits = np.where(splits == LEFT_OUT, LEFT_OUT, TEST).astype(np.int8)
        return replace(self, labels=labels, targets=targets, splits=splits, is_measured=True)

    def load(self, size: ImageSpec) -> ImageData:
        """Decode every picture once, scaled and converted to `size`; fast from the second time on.

        Raises:
            DataError: a picture cannot be decoded and bad files were not to be skipped.
        """
        decoded = self.contents.load(size)
        self._undecodable[:] = decoded.skipped
        splits = self.splits[decoded.kept]
        targets = self.targets[decoded.kept]
        num_classes = _num_answers(targets[splits == TRAIN])
        if (num_classes < 2 and not self.is_measured) or not (splits == TEST).any():
            raise DataError(
                self.path, "pictures of at least two classes, and some to hold out",
                f"{len(splits):,} usable pictures of {num_classes} classes; "
                f"{len(decoded.skipped):,} cannot be decoded",
                "Repair the files.",
            )  # fmt: skip

        self._compare(decoded, size)

        def pick(split: int) -> Pictures:
            rows = np.flatnonzero(splits == split)
            names = tuple(self.names[i] for i in decoded.kept[rows])
            content = f"{self.fingerprint} {size.content_key} {len(splits)}"
            images = _rows(decoded.images, rows, content)
            return Pictures(images, targets[rows], names)

        validation = pick(VALIDATION) if (self.splits == VALIDATION).any() else None
        return ImageData(size, self.labels, pick(TRAIN), pick(TEST), validation)

    def verify(self) -> list[str]:
        """Decode everything at a small size and return "file: reason" for what cannot be."""
        from samoyed.data.image_near import LOOK

        size = replace(LOOK, gray_bits=self.spec.gray_bits)
        decoded = self.contents.look(size)
        self._compare(decoded, size)
        return list(decoded.skipped)

    def _compare(self, decoded: Decoded, size: ImageSpec) -> None:
        """Note what is nearly the same on both sides of the split."""
        from samoyed.data.image_near import near_copies

        kept = decoded.kept
        digests = [self.digests[i] for i in kept] if len(self.digests) else ()
        content = f"{self.fingerprint} {size.content_key} {len(kept)}"
        names = [self.names[i] for i in kept]
        self._near[:] = near_copies(decoded.images, self.splits[kept], digests, names, content)


def row_digests(images: np.ndarray, fingerprint: str) -> list[bytes]:
    """Return 8 bytes for each picture that are the same for the same pixels."""

    def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
        digests = [hashlib.blake2b(row.data, digest_size=8).digest() for row in images]
        yield np.frombuffer(b"".join(digests), "uint64")

    key = cache.key_of("row digests", fingerprint)
    data = cache.build(key, (), "uint64", chunks)[0].tobytes()
    return [data[i : i + 8] for i in range(0, len(data), 8)]


def _num_answers(targets: np.ndarray) -> int:
    """Count different answers: classes, or yes and no where labels are lists."""
    known = targets[~np.isnan(targets)] if targets.ndim == 2 else targets
    return len(np.unique(known))


def _rows(array: np.ndarray, rows: np.ndarray, content: str) -> np.ndarray:
    """Return these rows: a view where they are consecutive, a copy otherwise, a large one on disk.

    Args:
        array: (N, C, H, W) uint8.
        rows: ascending.
        content: names what the array holds.
    """
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return array[int(rows[0]) : int(rows[-1]) + 1]
    if len(rows) * array[:1].nbytes < _LARGE_COPY:
        return array[rows]

    def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
        for first in range(0, len(rows), _CHUNK_ROWS):
            yield cache.rows_of(array, rows[first : first + _CHUNK_ROWS])

    chosen = hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()
    key = cache.key_of("rows", content, chosen)
    return cache.build(key, array.shape[1:], "uint8", chunks)[0]
