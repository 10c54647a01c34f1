"""Sentences whose words have a tag each: columns of words and tags, checked and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from samoyed.core.errors import DataError, did_you_mean, first_names
from samoyed.core.spec import TagSpec, WordSpec
from samoyed.data import tag_schemes, words
from samoyed.data.labelled_folders import named_parts
from samoyed.data.left_out import left_out
from samoyed.data.sentences import without_a_fifth
from samoyed.data.table_files import is_table_name
from samoyed.data.tagged_columns import LEFT_OUT, NEARLY, Parts, Sentence, read_columns
from samoyed.data.tagged_jsonl import is_jsonl_name, read_json_sentences
from samoyed.data.tagged_oddities import oddities
from samoyed.data.tagged_table import holds_columns, read_table_sentences
from samoyed.data.text_files import read_file
from samoyed.data.words import WordRows

MIN_SENTENCES = 10


@dataclass(frozen=True, eq=False)
class Tagged:
    """One part as numbers.

    Args:
        rows: the words.
        tags: (T,) int64 tag of every word, sentence after sentence.
        sentences: as they were read.
    """

    rows: WordRows
    tags: np.ndarray
    sentences: Sequence[Sentence]

    def __len__(self) -> int:
        return len(self.rows)

    def some(self, chosen: np.ndarray) -> Tagged:
        """Return these sentences."""
        starts = self.rows.starts
        places = [np.arange(starts[i], starts[i + 1]) for i in chosen]
        tags = self.tags[np.concatenate(places)] if places else self.tags[:0]
        return Tagged(self.rows.some(chosen), tags, [self.sentences[i] for i in chosen])


@dataclass(frozen=True, eq=False)
class TaggedData:
    """Sentences to learn from and to be measured on.

    Args:
        spec: the words.
        tags: the tags.
        train: to learn from.
        test: held out.
        validation: to look at while training, where the data brings such a part.
    """

    spec: WordSpec
    tags: TagSpec
    train: Tagged
    test: Tagged
    validation: Tagged | None = None


@dataclass(frozen=True, eq=False)
class TaggedSource:
    """What a scan found.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        how: the layout, in words.
        parts: the sentences.
        tags: the tags.
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
    tags: TagSpec
    has_official_test: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    kind: ClassVar[str] = "tagged_text"
    asked: ClassVar[str] = "tag"

    @property
    def num_train(self) -> int:
        """Return how many sentences there are to learn from."""
        return len(self.parts["train"])

    @cached_property
    def spec(self) -> WordSpec:
        """Return the words of the training part."""
        return words.fit(sentence.words for sentence in self.parts["train"])

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        train, test = self.parts["train"], self.parts["test"]
        held = (
            f"the official {len(test):,}" if self.has_official_test else f"{len(test):,}, a fifth"
        )
        if "validation" in self.parts:
            held += f"; looked at while training: {len(self.parts['validation']):,}"
        return [
            f"tagged text: {self.how}",
            _about_tags(self.tags, train),
            f"training: {len(train):,} sentences, {sum(len(s.words) for s in train):,} words; "
            f"held out: {held}",
            f"words: {len(self.spec.words):,} different ones in the training part",
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every line."""
        return []

    def load(self) -> TaggedData:
        """Number every word and tag."""
        return self.load_with(self.spec)

    def load_with(self, spec: WordSpec) -> TaggedData:
        """Number every word by a spec that may know more words than the training part."""
        held = {part: numbered(parts, spec, self.tags) for part, parts in self.parts.items()}
        return TaggedData(spec, self.tags, held["train"], held["test"], held.get("validation"))

    def to_measure(self, spec: WordSpec, tags: TagSpec) -> TaggedData:
        """Return what a finished run is measured on: the official test part, else everything."""
        parts = ["test"] if self.has_official_test else ["train", "test"]
        held = numbered([s for part in parts for s in self.parts[part]], spec, tags)
        return TaggedData(spec, tags, held.some(np.arange(0)), held)


def _about_tags(tags: TagSpec, train: Sequence[Sentence]) -> str:
    """Say what the tags are."""
    if not tags.scheme:
        counts = Counter(tag for sentence in train for tag in sentence.tags)
        shown = ", ".join(f"{name} ({num:,})" for name, num in counts.most_common(8))
        return f"tags: {len(counts)} of single words: {shown}" + (" ..." if len(counts) > 8 else "")
    spans = Counter(kind for s in train for kind, _, _ in tag_schemes.spans_of(s.tags))
    shown = ", ".join(f"{name} ({num:,})" for name, num in spans.most_common(8))
    return f"chunks: marked by {tags.scheme}: {len(spans)} types: {shown}" + (
        " ..." if len(spans) > 8 else ""
    )


def numbered(sentences: Sequence[Sentence], spec: WordSpec, tags: TagSpec) -> Tagged:
    """Return sentences as numbers."""
    rows = words.encode([sentence.words for sentence in sentences], spec)
    places = {name: k for k, name in enumerate(tags.names)}
    flat = [places[tag] for s in sentences for tag in model_tags(s.tags, tags.scheme)]
    return Tagged(rows, np.array(flat, dtype=np.int64), sentences)


def model_tags(tags: Sequence[str], scheme: str) -> Sequence[str]:
    """Return tags as the model is told them."""
    return tag_schemes.to_bioes(tags) if scheme else tags


def scan_tagged_text(
    path: str | Path, *, test: str | None = None, word: str | None = None, tag: str | None = None,
    on_bad: str = "stop", seed: int = 0, known: TagSpec | None = None,
) -> TaggedSource:  # fmt: skip
    """Read tagged text and split it.

    Args:
        path: columns, JSON lines or a table, or a folder of files named train, dev and test.
        test: the official test file, or None.
        word: the column of words, from 1, or the field; the first by default.
        tag: the column of tags, from 1, or the field; the last by default.
        on_bad: "stop" raises at the first bad line, "skip" leaves its sentence out and lists it.
        seed: which fifth is held out where there is no test part.
        known: the tags of a finished run that is to be measured: a sentence is enough, and nothing
            is held out.

    Raises:
        DataError: for what cannot be learned from, with file and line.
        OptionError: for a column or a field that is not there.
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
    parts, how, digest = _read(files, word, tag, on_bad, notes, skipped)
    tags = _checked(root, parts, on_bad, skipped, known)
    has_test = "test" in parts
    if known is not None:
        parts = {"train": [], "test": [], **parts}
    elif not has_test:
        parts["train"], parts["test"] = without_a_fifth(parts["train"], seed)
    return TaggedSource(
        root.name.split(".")[0] if root.is_file() else root.resolve().name, str(root),
        how, parts, tags, has_test, tuple(notes),
        (*left_out(root, list(files.values()), "tagged text"), *oddities(parts, tags)),
        tuple(skipped),
        digest,
    )  # fmt: skip


def _read(
    files: Mapping[str, Path], word: str | None, tag: str | None, on_bad: str, notes: list[str],
    skipped: list[str],
) -> tuple[dict[str, list[Sentence]], str, str]:  # fmt: skip
    """Return the sentences of each part, how they are set, in words, and a hash of the content."""
    read: Any = _reader_of(files["train"], word, tag)
    parts: dict[str, list[Sentence]] = {}
    said = [int(name) if name and name.isdigit() else name for name in (word, tag)]
    digest, form = hashlib.sha256(repr(said).encode()), None
    for part in sorted(files, key=lambda part: part != "train"):
        parts[part], reading, form = read(files[part], on_bad, notes, skipped, form, word, tag)
        digest.update(f"{part}\0{len(reading.data)}\0".encode() + reading.data)
    assert form is not None
    where = ", ".join(str(file) for file in files.values())
    return parts, f"{form.describe()}, in {where}", digest.hexdigest()


def _reader_of(path: Path, word: str | None, tag: str | None) -> Any:
    """Return what reads such a file."""
    if is_jsonl_name(path.name):
        return read_json_sentences
    if not is_table_name(path.name):
        return read_columns
    text = read_file(path, is_western_allowed=True).text
    return read_columns if holds_columns(path.name, text, word, tag) else read_table_sentences


def _checked(
    root: Path, parts: dict[str, list[Sentence]], on_bad: str, skipped: list[str],
    known: TagSpec | None,
) -> TagSpec:  # fmt: skip
    """Tell how tags mark chunks, check every sequence of them, and return the tags.

    Raises:
        DataError: for the first illegal sequence, too few sentences, one tag only, or a tag in
            the test part that training does not show.
    """
    fewest = MIN_SENTENCES if known is None else 1
    if len(parts["train"]) < fewest:
        raise DataError(
            root, f"at least {fewest} sentences", f"{len(parts['train'])}",
            "Put an empty line after each sentence of columns, or add sentences.",
        )  # fmt: skip
    scheme = known.scheme if known else _scheme_of(parts["train"])
    usual = known.names if known else sorted(_usual(parts["train"], scheme))
    for part, sentences in parts.items():
        parts[part] = [s for s in sentences if _is_legal(s, scheme, usual, on_bad, skipped)]
    names = {tag for s in parts["train"] for tag in model_tags(s.tags, scheme)}
    if len(names) < 2 and known is None:
        raise DataError(
            root, "at least two different tags", f"{first_names(sorted(names)) or 'none'} alone",
            "There is nothing to tell apart; is it another column? --target NUMBER chooses one.",
        )  # fmt: skip
    if scheme:
        kinds = {name[2:] for name in names if name != "O"}
        names = set(tag_schemes.all_bioes(kinds))
    if known is not None:
        names = {*known.names} | (set() if on_bad == "skip" else names)
        if on_bad == "skip" and "test" not in parts:
            parts["train"] = _known(parts["train"], names, scheme, on_bad, skipped)
    for part in ("validation", "test"):
        if part in parts:
            parts[part] = _known(parts[part], names, scheme, on_bad, skipped)
            if not parts[part] and known is None:
                raise DataError(
                    root, f"sentences of the {part} part", "none that can be used",
                    "Fill that file, or take it away: a fifth is held out then.",
                )  # fmt: skip
    return TagSpec(tuple(sorted(names, key=lambda n: (n != "O", n[2:], n))), scheme)


def _scheme_of(train: Sequence[Sentence]) -> str:
    """Tell how tags mark chunks, also where a few are mistyped."""
    scheme = tag_schemes.scheme_of(s.tags for s in train)
    counts = Counter(tag for sentence in train for tag in sentence.tags)
    marked = {tag: num for tag, num in counts.items() if tag_schemes.is_of_chunk(tag)}
    num_others = counts.total() - counts["O"] - sum(marked.values())
    is_rare = num_others <= (1 - NEARLY) * counts.total() and num_others < sum(marked.values())
    if scheme or not is_rare or len({tag[0] for tag in marked} & set("BIM")) < 2:
        return scheme
    return tag_schemes.scheme_of(s.tags for s in train if marked.keys() | {"O"} >= set(s.tags))


def _usual(train: Sequence[Sentence], scheme: str) -> set[str]:
    """Return the tags of the scheme that training shows."""
    return {t for s in train for t in s.tags if not tag_schemes.is_strange(t, scheme)}


def _is_legal(
    sentence: Sentence, scheme: str, usual: Sequence[str], on_bad: str, skipped: list[str]
) -> bool:
    strange = [k for k, t in enumerate(sentence.tags) if tag_schemes.is_strange(t, scheme)]
    if strange:
        where, tag = f"{sentence.path}:{sentence.lines[strange[0]]}", sentence.tags[strange[0]]
        if on_bad == "stop":
            raise DataError(
                where, f"a {scheme} tag, as nearly all others: {first_names(usual)}", repr(tag),
                "Mend the tag, or leave such sentences out with --on-bad skip."
                + did_you_mean(tag, usual),
            )  # fmt: skip
        skipped.append(f"{where}: {tag!r} is no {scheme} tag{LEFT_OUT}")
        return False
    place = tag_schemes.illegal_at(sentence.tags, scheme)
    if place is None:
        return True
    where = f"{sentence.path}:{sentence.lines[place]}"
    before = sentence.tags[place - 1] if place else "the sentence's beginning"
    found = f"{sentence.tags[place]!r} after {before}"
    is_last = place == len(sentence.tags) - 1
    if scheme not in ("IOB1", "BIO") and is_last and sentence.tags[place][0] in "BIM":
        found = f"{sentence.tags[place]!r} at the sentence's end"
    if on_bad == "stop":
        raise DataError(
            where, f"a sequence of {scheme} tags, as in the other sentences", found,
            "Mend the tag, or leave such sentences out with --on-bad skip.",
        )  # fmt: skip
    skipped.append(f"{where}: {found}{LEFT_OUT}")
    return False


def _known(
    sentences: Sequence[Sentence], names: set[str], scheme: str, on_bad: str, skipped: list[str]
) -> list[Sentence]:
    """Return the sentences whose tags training shows, or raise for the first other one."""
    kept = []
    for sentence in sentences:
        told = model_tags(sentence.tags, scheme)
        place = next((i for i, tag in enumerate(told) if tag not in names), None)
        if place is None:
            kept.append(sentence)
            continue
        where, tag = f"{sentence.path}:{sentence.lines[place]}", sentence.tags[place]
        if on_bad == "stop":
            raise DataError(
                where, f"a tag that training showed: {first_names(sorted(names))}", repr(tag),
                "Mend it, or leave such sentences out with --on-bad skip.",
            )  # fmt: skip
        skipped.append(f"{where}: unknown tag {tag!r}{LEFT_OUT}")
    return kept
