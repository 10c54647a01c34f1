"""Facts of three parts, one in a line: read, checked, and some questions held out.

A line is `subject relation object`, parted by tabs, by commas or, where each part is one word, by
spaces. A question is (subject, relation); its answers are all objects that the file names.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.errors import DataError, did_you_mean
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import FactSpec, OnBad
from samoyed.data.built_in_facts import BUILT_IN, Fact
from samoyed.data.text_files import read_file

SUFFIXES = (".facts", ".triples")
FEWEST = 4  # questions
SHARE = 0.1  # of a file's questions that are held out


@dataclass(frozen=True, eq=False)
class FactData:
    """Questions as numbers, and which of them are held out.

    Args:
        spec: the names.
        questions: (N, 2) int64 subject and relation.
        answers: (N, K) float32, 1 for each object that is right.
        is_held: (N,) bool: not learned from.
    """

    spec: FactSpec
    questions: Tensor
    answers: Tensor
    is_held: np.ndarray

    def part(self, is_held: bool) -> tuple[Tensor, Tensor]:
        """Return the questions and answers that are held out, or that are learned from."""
        chosen = torch.from_numpy(self.is_held == is_held)
        return self.questions[chosen], self.answers[chosen]


@dataclass(frozen=True)
class FactSource:
    """What a scan found.

    Args:
        name: file name without ending, or the name of what is built in.
        path: what was scanned.
        facts: without copies, in order.
        num_held: how many questions are held out.
        warnings: what looks suspicious.
        skipped: "file:line: reason" for what was left out.
    """

    name: str
    path: str
    facts: tuple[Fact, ...]
    num_held: int
    warnings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    kind: ClassVar[str] = "facts"
    asked: ClassVar[str] = "complete"

    @cached_property
    def spec(self) -> FactSpec:
        """Return the names, in the order in which they come."""
        parts = (tuple(dict.fromkeys(fact[k] for fact in self.facts)) for k in range(3))
        return FactSpec(*parts)

    @cached_property
    def questions(self) -> tuple[tuple[str, str], ...]:
        """Return the (subject, relation) of which something is known."""
        return tuple(dict.fromkeys(fact[:2] for fact in self.facts))

    @property
    def num_train(self) -> int:
        """Return how many questions there are to learn from."""
        return len(self.questions) - self.num_held

    @property
    def fingerprint(self) -> str:
        """Return a hash of the facts."""
        return hashlib.sha256(repr(self.facts).encode()).hexdigest()

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every line."""
        return []

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        spec = self.spec
        held = f"{self.num_held} questions, drawn by --seed" if self.num_held else "nothing"
        return [
            f"facts: {len(self.facts):,}, answers to {len(self.questions):,} questions "
            "(subject, relation)",
            f"{len(spec.subjects):,} subjects, {len(spec.relations):,} relations, "
            f"{len(spec.objects):,} objects",
            f"held out: {held}",
        ]

    def load(self, seed: int) -> FactData:
        """Number the facts, and hold questions out whose parts others mention too.

        Raises:
            DataError: when every subject, relation and object is needed to learn from.
        """
        data = numbered(self.facts, self.spec)
        held = np.zeros(len(data.questions), dtype=bool)
        seen = [torch.bincount(column) for column in data.questions.T]
        told = data.answers.sum(0)
        for place in numpy_generator(seed, "held-out questions").permutation(len(held)):
            if held.sum() == self.num_held:
                break
            subject, relation = data.questions[place].tolist()
            is_spare = bool(((told - data.answers[place] > 0) | (data.answers[place] == 0)).all())
            if min(int(seen[0][subject]), int(seen[1][relation])) > 1 and is_spare:
                held[place] = True
                seen[0][subject] -= 1
                seen[1][relation] -= 1
                told = told - data.answers[place]
        if held.sum() < self.num_held:
            raise DataError(
                self.path, f"{self.num_held} questions whose parts other facts mention too",
                f"{int(held.sum())}", "add facts about the same things",
            )  # fmt: skip
        return FactData(data.spec, data.questions, data.answers, held)


def numbered(facts: Sequence[Fact], spec: FactSpec) -> FactData:
    """Return facts as numbers, none of them held out."""
    places = [{name: k for k, name in enumerate(names)}
              for names in (spec.subjects, spec.relations, spec.objects)]  # fmt: skip
    rows = {question: k for k, question in enumerate(dict.fromkeys(f[:2] for f in facts))}
    answers = torch.zeros(len(rows), len(spec.objects))
    for subject, relation, answer in facts:
        answers[rows[subject, relation], places[2][answer]] = 1
    questions = torch.tensor([[places[0][s], places[1][r]] for s, r in rows])
    return FactData(spec, questions, answers, np.zeros(len(rows), dtype=bool))


def is_fact_name(name: str) -> bool:
    """Tell whether a name is that of built-in facts, or of a file of them by its ending.

    >>> is_fact_name("family-trees"), is_fact_name("my.triples"), is_fact_name("my.csv")
    (True, True, False)
    """
    return name in BUILT_IN or name.lower().endswith(SUFFIXES)


def scan_facts(name: str, *, on_bad: OnBad = "stop") -> FactSource:
    """Read facts from a file, or take those of a built-in name.

    Raises:
        DataError: for what is no such file, with the line.
    """
    if name in BUILT_IN and not Path(name).exists():
        make, num_held = BUILT_IN[name]
        return FactSource(name, name, tuple(make()), num_held)
    path = Path(name).expanduser()
    if not path.is_file():
        hint = did_you_mean(name, BUILT_IN).strip()
        found_there = "a folder" if path.is_dir() else "nothing there"
        raise DataError(path, "a file of facts", found_there, hint)
    found, skipped = _read(path, on_bad)
    facts = tuple(dict.fromkeys(found))
    warnings = []
    if len(facts) < len(found):
        warnings.append(f"{len(found) - len(facts):,} facts stand there more than once")
    num = len({fact[:2] for fact in facts})
    if num < FEWEST:
        raise DataError(
            path, f"at least {FEWEST} questions (subject, relation)", f"{num}", "add facts"
        )
    if len({fact[2] for fact in facts}) < 2:
        raise DataError(path, "at least 2 different objects", f"only {facts[0][2]!r}", "add facts")
    num_held = max(1, round(SHARE * num))
    return FactSource(path.stem, str(path), facts, num_held, tuple(warnings), tuple(skipped))


def _read(path: Path, on_bad: OnBad) -> tuple[list[Fact], list[str]]:
    """Return the facts of a file, and what was skipped."""
    lines = read_file(path).text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    mark = next((m for m in ("\t", ",") if m in first), " ")
    found: list[Fact] = []
    skipped: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        cut = line.split() if mark == " " else next(csv.reader([line], delimiter=mark))
        parts = [part.strip() for part in cut]
        if len(parts) == 3 and all(parts):
            found.append((parts[0], parts[1], parts[2]))
            continue
        if len(parts) != 3:
            problem = f"{len(parts)} parts"
        else:
            problem = f"an empty {('subject', 'relation', 'object')[parts.index('')]}"
        if on_bad == "stop":
            parted = {"\t": "tabs", ",": "commas", " ": "spaces"}[mark]
            raise DataError(
                f"{path}, line {number}", f"subject, relation and object, parted by {parted}",
                f"{problem}: {line.strip()[:60]!r}", "mend it, or --on-bad skip",
            )  # fmt: skip
        skipped.append(f"{path}:{number}: {problem}")
    return found, skipped


class SweepFeed:
    """All questions in every batch, as the papers of the eighties learn them.

    Args:
        questions: (N, 2).
        answers: (N, K).
    """

    steps_per_epoch = 1

    def __init__(self, questions: Tensor, answers: Tensor) -> None:
        self.whole = Batch(questions, answers)

    def batch(self, step: int) -> Batch:
        """Return the whole."""
        return self.whole
