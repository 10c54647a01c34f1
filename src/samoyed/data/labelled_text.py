"""Texts with a class each: labelled lines, a table's text column, or a folder for each class."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from samoyed.core.errors import DataError, did_you_mean, first_names, misspelt
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data import labelled_folders, words
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.image_split import held_out_in_words, hold_out
from samoyed.data.labelled_lines import Form, Labelled, read_labelled
from samoyed.data.labelled_oddities import Parts, key_of, oddities
from samoyed.data.left_out import left_out
from samoyed.data.words import WordRows

MIN_TEXTS = 10
LONGEST = 500  # words of a text that are read; of longer ones the beginning and the end


@dataclass(frozen=True, eq=False)
class Texts:
    """One part as numbers.

    Args:
        rows: the words.
        targets: (N,) int64 classes.
        records: the texts as they were read.
    """

    rows: WordRows
    targets: np.ndarray
    records: Sequence[Labelled]

    def __len__(self) -> int:
        return len(self.rows)

    def some(self, rows: np.ndarray) -> Texts:
        """Return these texts."""
        return Texts(self.rows.some(rows), self.targets[rows], [self.records[i] for i in rows])


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Texts to learn from and to be measured on.

    Args:
        spec: the words.
        labels: the classes.
        train: to learn from.
        test: held out.
        validation: to look at while training, where the data brings such a part.
    """

    spec: WordSpec
    labels: LabelSpec
    train: Texts
    test: Texts
    validation: Texts | None = None


@dataclass(frozen=True, eq=False)
class LabelledSource:
    """What a scan found.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        how: the layout, in words.
        parts: the texts.
        labels: the classes of the training part.
        has_official_test: whether the data brought its test part.
        notes: what was put right.
        warnings: what looks suspicious.
        skipped: "file:line: reason" for texts left out.
        fingerprint: hash of the content, hexadecimal.
        column: of the texts, where they stand in a table.
        is_whole: whether each text is a file.
        form: of labelled lines, where it was learned from those.
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
    column: str = ""
    is_whole: bool = False
    form: Form | None = None
    kind: ClassVar[str] = "labelled_text"
    asked: ClassVar[str] = "classify_text"

    @property
    def num_train(self) -> int:
        """Return how many texts there are to learn from."""
        return len(self.parts["train"])

    @cached_property
    def _split(self) -> dict[str, list[list[str]]]:
        """Return every text's words."""
        return {part: [words.split(r.text) for r in held] for part, held in self.parts.items()}

    @cached_property
    def spec(self) -> WordSpec:
        """Return the words of the training part."""
        return words.fit(self._split["train"])

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        counts = Counter(record.label for record in self.parts["train"])
        shown = ", ".join(f"{name} ({counts[name]:,})" for name in self.labels.names[:8])
        more = len(self.labels) - 8
        lengths = [len(text) for text in self._split["train"]]
        middle, num_test = int(np.median(lengths)), len(self.parts["test"])
        held = held_out_in_words(num_test, self.num_train + num_test, "text")
        held = f"the official {num_test:,}" if self.has_official_test else held
        if "validation" in self.parts:
            held += f"; looked at while training: {len(self.parts['validation']):,}"
        return [
            f"labelled text: {self.how}",
            f"classes: {len(self.labels)}: {shown}" + (f" and {more} more" if more > 0 else ""),
            f"training: {self.num_train:,} texts, half of them of at most {middle:,} "
            f"{'word' if middle == 1 else 'words'}, the longest of {max(lengths):,}; "
            f"held out: {held}",
            f"words: {len(self.spec.words):,} different ones in the training part",
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every text.

        Raises:
            DataError: where nothing could be held out.
        """
        if not self.parts["test"]:
            raise DataError(
                self.path, "texts that differ, so that a fifth of them can be held out",
                f"{len(self.parts['train']):,} texts, of each class one, or copies of one",
                "Add other texts, or give a test part.",
            )  # fmt: skip
        return []

    def load(self) -> LabelledData:
        """Number every word.

        Raises:
            DataError: where nothing could be held out.
        """
        self.verify()
        held = {
            part: _numbered(self._split[part], self.parts[part], self.spec, self.labels)
            for part in self.parts
        }
        return LabelledData(
            self.spec, self.labels, held["train"], held["test"], held.get("validation")
        )

    def to_measure(self, spec: WordSpec, labels: LabelSpec) -> LabelledData:
        """Return what a finished run is measured on: the official test part, else everything."""
        parts = ["test"] if self.has_official_test else ["train", "test"]
        records = [record for part in parts for record in self.parts[part]]
        texts = _numbered([words.split(r.text) for r in records], records, spec, labels)
        return LabelledData(spec, labels, texts.some(np.arange(0)), texts)


def _numbered(
    texts: Sequence[Sequence[str]], records: Sequence[Labelled], spec: WordSpec, labels: LabelSpec
) -> Texts:
    places = {name: k for k, name in enumerate(labels.names)}
    rows = words.encode([words.shortened(text, LONGEST) for text in texts], spec)
    return Texts(rows, np.array([places[r.label] for r in records], dtype=np.int64), records)


@dataclass
class Gathered:
    """What a reader of one layout has gathered.

    Args:
        how: the layout, in words.
        parts: the texts.
        notes: what was put right.
        skipped: what was left out.
        digest: of the content.
        files: that were read of a folder.
        column: of the texts, where they stand in a table.
        is_whole: whether each text is a file.
        form: of labelled lines.
    """

    how: str = ""
    parts: dict[str, list[Labelled]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)
    files: list[Path] = field(default_factory=list)
    column: str = ""
    is_whole: bool = False
    form: Form | None = None


def scan_labelled_text(
    path: str | Path, *, test: str | None = None, on_bad: str = "stop", seed: int = 0
) -> LabelledSource:
    """Read labelled text and split it.

    Args:
        path: a file of labelled lines, a folder of such files named train, dev and test, or a
            folder of folders, one for each class.
        test: the official test file or folder, or None.
        on_bad: "stop" raises at the first bad line or file, "skip" leaves it out and lists it.
        seed: which fifth is held out where there is no test part.

    Raises:
        DataError: for what cannot be learned from, with file and line.
    """
    root = Path(path)
    gathered = gather(root, on_bad)
    if test is not None:
        _gather_test(Path(test), on_bad, gathered)
    return source_of(root, gathered, on_bad, seed)


def gather(root: Path, on_bad: str, form: Form | None = None) -> Gathered:
    """Read every text of a file or a folder.

    Args:
        root: the file or folder.
        on_bad: "stop" raises at the first bad line or file, "skip" leaves it out and lists it.
        form: of labelled lines, where it is known.

    Raises:
        DataError: for what is no labelled text, with file and line.
    """
    gathered = Gathered()
    if root.is_file():
        _gather_files({"train": root}, on_bad, gathered, form)
    elif files := labelled_folders.named_parts(root):
        _gather_files({str(part): file for part, file in files.items()}, on_bad, gathered, form)
    else:
        _gather_folders(root, on_bad, gathered)
    return gathered


def _gather_files(
    files: Mapping[str, Path], on_bad: str, gathered: Gathered, form: Form | None
) -> None:
    """Read files of labelled lines, the training part first."""
    for part in sorted(files, key=lambda part: part != "train"):
        records, reading, form = read_labelled(
            files[part], on_bad, gathered.notes, gathered.skipped, form
        )
        gathered.parts[part] = records
        gathered.files.append(files[part])
        gathered.digest.update(f"{part}\0{len(reading.data)}\0".encode() + reading.data)
    how = {
        "fasttext": "lines of __label__NAME and a text", "tab": "lines of a label, a tab and a "
        "text", "tab last": "lines of a text, a tab and a label",
        "space": "lines of a label, a space and a text",
    }  # fmt: skip
    total, gathered.form = sum(map(len, gathered.parts.values())), form
    gathered.how = f"{total:,} {how[form or 'space']}, in " + ", ".join(
        str(file) for file in files.values()
    )


def _gather_folders(root: Path, on_bad: str, gathered: Gathered) -> None:
    found = labelled_folders.class_folders(root)
    if not found:
        raise DataError(
            root, "a folder for each class, with .txt files in it, or files named train and test",
            "neither", "Give a file of labelled lines, or sort the texts into folders.",
        )  # fmt: skip
    gathered.is_whole = True
    places = labelled_folders.part_folders(root)
    for part, classes in found.items():
        gathered.files += [file for files in classes.values() for file in files]
        gathered.parts[str(part)] = labelled_folders.read_classes(
            places[part], classes, on_bad, gathered.notes, gathered.skipped, gathered.digest
        )
    total = sum(map(len, gathered.parts.values()))
    gathered.how = f"{total:,} texts in folders, one for each class, in {root}"


def _gather_test(test: Path, on_bad: str, gathered: Gathered) -> None:
    """Read the official test part."""
    if not test.exists():
        siblings = [p.name for p in test.parent.iterdir()] if test.parent.is_dir() else []
        raise DataError(
            test, "the official test part", "nothing there",
            did_you_mean(test.name, siblings).strip(),
        )  # fmt: skip
    gathered.parts.pop("test", None)
    if test.is_dir():
        classes = labelled_folders.class_folders(test).get("train", {})
        gathered.parts["test"] = labelled_folders.read_classes(
            test, classes, on_bad, gathered.notes, gathered.skipped, gathered.digest
        )
    else:
        records, reading, _ = read_labelled(test, on_bad, gathered.notes, gathered.skipped)
        gathered.parts["test"] = records
        gathered.digest.update(b"test\0" + reading.data)
    gathered.how += f"; test part {test}"


def source_of(root: Path, gathered: Gathered, on_bad: str, seed: int) -> LabelledSource:
    """Check what was gathered, split it where it brings no test part, and warn.

    Raises:
        DataError: for too few texts, one class, or a class that training does not show.
    """
    parts = gathered.parts
    train = parts.get("train", [])
    if len(train) < MIN_TEXTS:
        raise DataError(root, f"at least {MIN_TEXTS} texts with a label", f"{len(train)}")
    labels = LabelSpec(ordered({record.label for record in train}))
    if len(labels) < 2:
        raise DataError(
            root, "texts of at least two classes", f"{len(train):,} texts, all of them of class "
            f"{labels.names[0]!r}", "There is nothing to tell apart: add texts of other classes.",
        )  # fmt: skip
    for part in ("validation", "test"):
        if part in parts:
            parts[part] = of_known(parts[part], labels, on_bad, gathered.skipped)
    has_test = "test" in parts
    if has_test and not parts["test"]:
        raise DataError(root, "texts to test on", "none that can be used")
    if not has_test:
        parts["train"], parts["test"] = _fifth(train, labels, seed)
    warnings = [
        *left_out(root, gathered.files, "labelled text"),
        *oddities(parts, labels, has_official_test=has_test),
    ]  # fmt: skip
    return LabelledSource(
        root.name.split(".")[0] if root.is_file() else root.resolve().name, str(root),
        gathered.how, parts, labels, has_test, tuple(gathered.notes), tuple(warnings),
        tuple(gathered.skipped), gathered.digest.hexdigest(), gathered.column, gathered.is_whole,
        gathered.form,
    )  # fmt: skip


def ordered(names: Collection[str]) -> tuple[str, ...]:
    """Return numbers in their order, words in theirs."""
    is_number = all(name.lstrip("+-").replace(".", "", 1).isdecimal() for name in names)
    return tuple(sorted(names, key=(lambda n: (float(n), n)) if is_number else None))


def of_known(
    records: Sequence[Labelled], labels: LabelSpec, on_bad: str, skipped: list[str]
) -> list[Labelled]:
    """Return the texts whose class training shows, or raise for the first other one.

    Raises:
        DataError: naming it, unless such texts are left out and listed in `skipped`.
    """
    strange = [record for record in records if record.label not in labels.names]
    if strange and on_bad != "skip":
        first = strange[0]
        more = f" (and {len(strange) - 1:,} more like it)" if len(strange) > 1 else ""
        raise DataError(
            first.place, f"a class that training showed: {first_names(labels.names)}",
            f"{first.label!r}{more}",
            misspelt(first.label, labels.names).strip()
            or "Mend it, or leave such texts out with --on-bad skip.",
        )  # fmt: skip
    skipped += [f"{record.place}: unknown class {record.label!r}" for record in strange]
    return [record for record in records if record.label in labels.names]


def _fifth(
    records: Sequence[Labelled], labels: LabelSpec, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Hold out a fifth of each class; copies stay on one side, a class is never held out whole."""
    targets = np.array([labels.names.index(record.label) for record in records])
    splits = hold_out(targets, [key_of(record) for record in records], seed)
    train = [record for record, side in zip(records, splits, strict=True) if side == TRAIN]
    return train, [record for record, side in zip(records, splits, strict=True) if side == TEST]
