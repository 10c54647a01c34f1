"""What is odd about texts with a class each, in words: copies, rare and unequal classes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from samoyed.core.spec import LabelSpec
from samoyed.data import words
from samoyed.data.image_reasons import named, nearly_same
from samoyed.data.labelled_lines import Labelled

FEW = 5  # texts of a class to learn from, at which it is named
IMBALANCE = 10.0  # largest class over smallest

Parts = Mapping[str, Sequence[Labelled]]
"""Texts by part: train, validation, test."""


def oddities(parts: Parts, labels: LabelSpec, *, has_official_test: bool) -> list[str]:
    """Return a warning for each thing that looks suspicious in texts that can be read."""
    return [
        *nearly_same(labels.names), *_copies(parts), *_classes(parts, labels, has_official_test)
    ]  # fmt: skip


def key_of(record: Labelled) -> str:
    """Return what copies of a text have in common."""
    return " ".join(record.text.split())


def _copies(parts: Parts) -> list[str]:
    """Warn of texts that are there twice: in both parts, or with other classes."""
    groups: dict[str, list[Labelled]] = defaultdict(list)
    for record in parts["train"]:
        groups[key_of(record)].append(record)
    found = []
    repeated = [group for group in groups.values() if len(group) > 1]
    if repeated:
        differing = [g for g in repeated if len({record.label for record in g}) > 1]
        found.append(
            f"{sum(len(g) - 1 for g in repeated):,} texts to learn from are copies of others "
            f"(first: {_pair(repeated[0])})"
        )
        if differing:
            found.append(
                f"the same text has different classes, {len(differing):,} times (first: "
                f"{_pair(differing[0])}): no model can get them all right"
            )
    for part in ("test", "validation"):
        both = [record for record in parts.get(part, ()) if key_of(record) in groups]
        if both:
            other = groups[key_of(both[0])][0]
            found.append(
                f"{len(both):,} texts of the {part} part are also to learn from (first: "
                f"{both[0].place} = {other.place}): the scores will flatter"
            )
    return found


def _pair(group: Sequence[Labelled]) -> str:
    return " and ".join(record.place for record in group[:2])


def _classes(parts: Parts, labels: LabelSpec, has_official_test: bool) -> list[str]:
    """Warn of rare, untested and unequal classes, and of texts without a word."""
    counts = Counter(record.label for record in parts["train"])
    tested = {record.label for record in parts["test"]}
    found = []
    few = [f"{name} ({counts[name]})" for name in labels.names if counts[name] <= FEW]
    if few:
        found.append(f"classes with {FEW} or fewer texts to learn from: {named(few)}")
    untested = [name for name in labels.names if name not in tested]
    if untested:
        where = "official test" if has_official_test else "held-out"
        found.append(f"classes without a text in the {where} part: {named(untested)}")
    large, small = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[large] > IMBALANCE * counts[small]:
        found.append(
            f"unequal classes: {counts[large]:,} texts of {large}, {counts[small]:,} of {small}; "
            "look at macro F1 beside accuracy"
        )
    wordless = [r.place for held in parts.values() for r in held if not words.split(r.text)]
    if wordless:
        found.append(f"texts without a word, {len(wordless):,}: {named(wordless)}")
    return found
