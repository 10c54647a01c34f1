"""Sentences as bracketed trees with a class for every phrase: read, checked and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from samoyed.core.errors import DataError, did_you_mean, first_names, misspelt
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data import tree_rows, words
from samoyed.data.image_reasons import named
from samoyed.data.labelled_folders import named_parts
from samoyed.data.labelled_text import ordered
from samoyed.data.sentences import copies, without_a_fifth
from samoyed.data.text_files import Reading, read_file
from samoyed.data.tree_rows import TreeRows
from samoyed.data.tree_text import UNLABELLED, Tree, parse, trees_of

MIN_TREES = 10
FEWEST = 2  # times a word must occur to be known: the others teach what is done with new ones
FEW = 5  # phrases of a class to learn from, at which it is named

Parts = Mapping[str, Sequence[Tree]]


@dataclass(frozen=True, eq=False)
class Trees:
    """One part as numbers.

    Args:
        rows: the nodes.
        targets: (M,) int64 class of every node, `NO_LABEL` where it has none.
        trees: as they were read.
    """

    rows: TreeRows
    targets: np.ndarray
    trees: Sequence[Tree]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def roots(self) -> np.ndarray:
        """Return (N,) classes of the whole sentences."""
        return self.targets[self.rows.starts[1:] - 1]


@dataclass(frozen=True, eq=False)
class TreeData:
    """Trees to learn from and to be measured on.

    Args:
        spec: the words.
        labels: the classes of phrases.
        train: to learn from.
        test: held out.
        validation: to look at while training, where the data brings such a part.
    """

    spec: WordSpec
    labels: LabelSpec
    train: Trees
    test: Trees
    validation: Trees | None = None


@dataclass(frozen=True, eq=False)
class TreeSource:
    """What a scan found.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        how: the layout, in words.
        parts: the trees.
        labels: the classes of the training part.
        has_official_test: whether the data brought its test part.
        notes: what was put right.
        warnings: what looks suspicious.
        skipped: "file:line: reason" for what was left out.
        fingerprint: hash of the content, hexadecimal.
    """

    name: str
    path: str
    how: str
    parts: Parts
    labels: LabelSpec
    has_official_test: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    kind: ClassVar[str] = "trees"
    asked: ClassVar[str] = "classify_trees"

    @property
    def num_train(self) -> int:
        """Return how many trees there are to learn from."""
        return len(self.parts["train"])

    @cached_property
    def spec(self) -> WordSpec:
        """Return the words that the training part shows often enough."""
        return words.fit((tree.words for tree in self.parts["train"]), fewest=FEWEST)

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        train, test = self.parts["train"], self.parts["test"]
        counts = Counter(label for tree in train for label in tree.labels if label)
        names = sorted(counts, key=lambda name: -counts[name]) if len(counts) > 8 else [
            name for name in self.labels.names if counts[name]
        ]  # fmt: skip
        shown = ", ".join(f"{name} ({counts[name]:,})" for name in names[:8])
        more = len(names) - 8
        held = (
            f"the official {len(test):,}" if self.has_official_test else f"{len(test):,}, a fifth"
        )
        if "validation" in self.parts:
            held += f"; looked at while training: {len(self.parts['validation']):,}"
        lengths = [len(tree.words) for tree in train]
        return [
            f"trees: {self.how}",
            f"classes of phrases: {len(self.labels)}: {shown}"
            + (f" and {more} more" if more > 0 else ""),
            f"training: {len(train):,} trees of {np.median(lengths):.0f} words (half of them have "
            f"fewer), {sum(counts.values()):,} phrases with a class; held out: {held}",
            f"words: {len(self.spec.words):,} that the training part shows {FEWEST} times or more",
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every tree."""
        return []

    def load(self) -> TreeData:
        """Number every node."""
        held = {part: numbered(ts, self.spec, self.labels) for part, ts in self.parts.items()}
        return TreeData(self.spec, self.labels, held["train"], held["test"], held.get("validation"))

    def to_measure(self, spec: WordSpec, labels: LabelSpec) -> TreeData:
        """Return what a finished run is measured on: the official test part, else everything."""
        parts = ["test"] if self.has_official_test else ["train", "test"]
        held = numbered([tree for part in parts for tree in self.parts[part]], spec, labels)
        return TreeData(spec, labels, numbered([], spec, labels), held)


def numbered(trees: Sequence[Tree], spec: WordSpec, labels: LabelSpec) -> Trees:
    """Return trees as numbers."""
    return Trees(tree_rows.encode(trees, spec), tree_rows.targets_of(trees, labels), trees)


def scan_trees(
    path: str | Path, *, test: str | None = None, on_bad: str = "stop", seed: int = 0,
    known: LabelSpec | None = None,
) -> TreeSource:  # fmt: skip
    """Read trees and split them.

    Args:
        path: a file of bracketed trees, or a folder of such files named train, dev and test.
        test: the official test file, or None.
        on_bad: "stop" raises at the first bad tree, "skip" leaves it out and lists it.
        seed: which fifth is held out where there is no test part.
        known: the classes of a finished run that is to be measured: a tree is enough, and nothing
            is held out.

    Raises:
        DataError: for what cannot be learned from, with file, line and column.
    """
    root = Path(path)
    files: dict[str, Path] = {"train": root}
    if root.is_dir():
        files = {str(part): file for part, file in named_parts(root).items()}
    if test is not None:
        files["test"] = Path(test)
        if not files["test"].is_file():
            siblings = [p.name for p in files["test"].resolve().parent.glob("*")]
            raise DataError(
                test, "the official test file", "no file there",
                did_you_mean(files["test"].name, siblings).strip(),
            )  # fmt: skip
    notes: list[str] = []
    skipped: list[str] = []
    parts: dict[str, list[Tree]] = {}
    digest = hashlib.sha256()
    for part in sorted(files, key=lambda part: part != "train"):
        parts[part], reading = read_trees(files[part], on_bad, skipped)
        notes += reading.notes
        digest.update(f"{part}\0{len(reading.data)}\0".encode() + reading.data)
    labels = _checked(root, parts, on_bad, skipped, known)
    has_test = "test" in parts
    if known is not None:
        parts = {"train": [], "test": [], **parts}
    elif not has_test:
        parts["train"], parts["test"] = without_a_fifth(parts["train"], seed)
    num_joined = sum(label == UNLABELLED for t in parts["train"] for label in t.labels)
    if num_joined:
        notes.append(
            f"{num_joined:,} nodes without a class were put in, to have two below each node"
        )
    total = sum(map(len, parts.values()))
    return TreeSource(
        root.name.split(".")[0] if root.is_file() else root.resolve().name, str(root),
        f"{total:,} in brackets, in " + ", ".join(str(file) for file in files.values()),
        parts, labels, has_test, tuple(notes), (*copies(parts), *_rare(parts)), tuple(skipped),
        digest.hexdigest(),
    )  # fmt: skip


def read_trees(path: Path, on_bad: str, skipped: list[str]) -> tuple[list[Tree], Reading]:
    """Read a file of bracketed trees.

    Args:
        path: the file, plain or gz.
        on_bad: "stop" raises at the first bad tree, "skip" leaves it out and lists it.
        skipped: takes "file:line:column: reason".

    Raises:
        DataError: with file, line and column.
    """
    reading = read_file(path, is_western_allowed=True)
    found = []
    for line, text in trees_of(reading.text):
        try:
            found.append(parse(text, str(path), line))
        except DataError as error:
            if on_bad == "stop":
                raise
            skipped.append(f"{error.place}: {error.found} instead of {error.expected}")
    return found, reading


def _checked(
    root: Path,
    parts: dict[str, list[Tree]],
    on_bad: str,
    skipped: list[str],
    known: LabelSpec | None,
) -> LabelSpec:
    """Return the classes, where there is enough to learn from.

    Raises:
        DataError: for too few trees, one class only, or a class of the test part that training
            does not show.
    """
    train = parts["train"]
    fewest = MIN_TREES if known is None else 1
    if len(train) < fewest:
        raise DataError(root, f"at least {fewest} trees in brackets", f"{len(train)}")
    names = {label for tree in train for label in tree.labels} - {UNLABELLED}
    if len(names) < 2 and known is None:
        raise DataError(
            root, "phrases of at least two classes", f"{first_names(sorted(names))} alone",
            "There is nothing to tell apart: the first piece in a bracket is its class.",
        )  # fmt: skip
    if known is not None:
        names = {*known.names} | (set() if on_bad == "skip" else names)
        if on_bad == "skip" and "test" not in parts:
            parts["train"] = _known(parts["train"], names, on_bad, skipped)
    for part in ("validation", "test"):
        if part in parts:
            parts[part] = _known(parts[part], names, on_bad, skipped)
            if not parts[part] and known is None:
                raise DataError(root, f"trees of the {part} part", "none that can be used")
    return LabelSpec(ordered(names))


def _known(trees: Sequence[Tree], names: set[str], on_bad: str, skipped: list[str]) -> list[Tree]:
    """Return the trees whose classes training shows, or raise for the first other one."""
    kept = []
    for tree in trees:
        strange = [label for label in tree.labels if label not in names and label != UNLABELLED]
        if not strange:
            kept.append(tree)
        elif on_bad == "stop":
            raise DataError(
                tree.place, f"classes that training showed: {first_names(ordered(names))}",
                repr(strange[0]),
                misspelt(strange[0], names).strip()
                or "Mend it, or leave such trees out with --on-bad skip.",
            )  # fmt: skip
        else:
            skipped.append(f"{tree.place}: unknown class {strange[0]!r}")
    return kept


def _rare(parts: Parts) -> list[str]:
    """Warn of classes that training hardly shows."""
    counts = Counter(label for tree in parts["train"] for label in tree.labels if label)
    few = [f"{name} ({num})" for name, num in sorted(counts.items()) if num <= FEW]
    return [f"classes with {FEW} or fewer phrases to learn from: {named(few)}"] if few else []
