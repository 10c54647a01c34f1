"""Sequences that only a long memory can answer, drawn without end: no file is needed.

Both are from Hochreiter, S. & Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9,
1735-1780, sections 5.4 and 5.6; `adding-100` asks for a memory of at least 50 steps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.errors import DataError, did_you_mean
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import SequenceSpec

NUM_TEST = 2560  # as in the paper
NUM_GROUPS = 20  # of test sequences, each of one length
PASS = 10_000  # sequences that count as one pass
SHORTEST, LONGEST, USUAL = 10, 10_000, 100  # T
FIRST_PAIRS = 10  # of the adding problem: where the first mark stands
SYMBOLS = "EBabcdXY"
ORDERS = ("XX", "XY", "YX", "YY")

Drawn = tuple[np.ndarray, np.ndarray]
"""(N, L, D) float32 and (N,) answers: float32 numbers or int64 classes."""


def adding(num: int, length: int, least: int, random: np.random.Generator) -> Drawn:
    """Draw pairs of a number and a mark; the answer is 0.5 + (X1 + X2) / 4 (section 5.4).

    Two numbers are marked by 1: X1 among the first ten pairs, X2 among the first T/2 - 1. The marks
    of the first and the last pair are -1, all others 0; a marked first number is set to 0.

    Args:
        num: N, how many sequences.
        length: L, steps of each.
        least: T.
        random: where the numbers come from.
    """
    reach = max(2, least // 2 - 1)
    value = random.uniform(-1, 1, (num, length))
    first = random.integers(0, min(FIRST_PAIRS, reach), num)
    second = random.integers(0, reach - 1, num)
    second += second >= first
    rows = np.arange(num)
    mark = np.zeros((num, length))
    mark[:, 0] = mark[:, -1] = -1
    mark[rows, first] = mark[rows, second] = 1
    value[mark[:, 0] == 1, 0] = 0
    answer = 0.5 + (value[rows, first] + value[rows, second]) / 4
    return np.stack([value, mark], 2).astype(np.float32), answer.astype(np.float32)


def temporal_order(num: int, length: int, least: int, random: np.random.Generator) -> Drawn:
    """Draw symbols among which two, X or Y each, matter: which came, in which order (section 5.6).

    E begins and B ends; the two stand at steps T/10 to T/5 and T/2 to 6T/10, of which the paper
    gives 10 to 20 and 50 to 60 for T = 100; all others are a, b, c or d. One-hot.
    """
    symbol = random.integers(2, 6, (num, length))
    symbol[:, 0], symbol[:, -1] = 0, 1
    rows = np.arange(num)
    which = random.integers(0, 2, (num, 2))
    early = random.integers(least // 10, least // 5 + 1, num)
    late = random.integers(least // 2, 6 * least // 10 + 1, num)
    symbol[rows, early], symbol[rows, late] = 6 + which[:, 0], 6 + which[:, 1]
    return np.eye(len(SYMBOLS), dtype=np.float32)[symbol], 2 * which[:, 0] + which[:, 1]


@dataclass(frozen=True)
class _Problem:
    draw: Callable[[int, int, int, np.random.Generator], Drawn]
    width: int
    names: tuple[str, ...]
    asked: str


PROBLEMS = {
    "adding": _Problem(adding, 2, (), "the sum of the two marked numbers, as 0.5 + (X1 + X2) / 4"),
    "temporal-order": _Problem(
        temporal_order, len(SYMBOLS), ORDERS, "which two of X and Y came, and in which order"
    ),
}
_NAME = re.compile(rf"({'|'.join(PROBLEMS)})(?:-(\d+))?")


def is_sequence_name(name: str) -> bool:
    """Tell whether a name is that of a built-in problem about sequences.

    >>> is_sequence_name("adding-100"), is_sequence_name("temporal-order"), is_sequence_name("sum")
    (True, True, False)
    """
    return _NAME.fullmatch(name.strip().lower()) is not None


@dataclass(frozen=True, eq=False)
class SequenceData:
    """What a model is measured on; what it learns from is drawn step by step.

    Args:
        spec: the problem.
        groups: (inputs, answers), those of a group of the same length.
    """

    spec: SequenceSpec
    groups: tuple[tuple[Tensor, Tensor], ...]

    @property
    def answers(self) -> np.ndarray:
        """Return the (N,) right answers."""
        return np.concatenate([answers.numpy() for _, answers in self.groups])


@dataclass(frozen=True)
class SequenceSource:
    """A problem that can be drawn from any number of times."""

    name: str
    spec: SequenceSpec
    kind: ClassVar[str] = "sequences"
    asked: ClassVar[str] = "remember"
    warnings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    num_train: ClassVar[int] = PASS

    @property
    def path(self) -> str:
        """Return the name: nothing is read."""
        return self.name

    @cached_property
    def fingerprint(self) -> str:
        """Return a hash of the problem and of the first sequences drawn."""
        inputs, answers = drawn(self.spec, 8, numpy_generator(0, "fingerprint"))
        held = repr(self.spec).encode() + inputs.numpy().tobytes() + answers.numpy().tobytes()
        return hashlib.sha256(held).hexdigest()

    def verify(self) -> list[str]:
        """Return what is wrong: nothing, as nothing is read."""
        return []

    def describe(self) -> list[str]:
        """Say in plain lines what this is."""
        T = self.spec.length
        return [
            f"sequences, built in: {self.spec.problem}, {T} to {T + T // 10} steps of "
            f"{self.spec.width} numbers",
            f"asked at the end: {PROBLEMS[self.spec.problem].asked}",
            f"drawn without end; a pass is {PASS:,}; held out: {NUM_TEST:,} others",
        ]

    def load(self) -> SequenceData:
        """Draw the sequences that a model is measured on."""
        size = NUM_TEST // NUM_GROUPS
        return SequenceData(self.spec, tuple(
            drawn(self.spec, size, numpy_generator(0, "held out", group))
            for group in range(NUM_GROUPS)
        ))  # fmt: skip


def scan_sequences(name: str) -> SequenceSource:
    """Return the problem of this name; `adding` alone means T = 100.

    Raises:
        DataError: for a length that is too small or too large.
    """
    found = _NAME.fullmatch(name.strip().lower())
    if found is None:
        hint = did_you_mean(name, [f"{problem}-{USUAL}" for problem in PROBLEMS]).strip()
        raise DataError(name, "a problem: " + ", ".join(PROBLEMS), repr(name), hint)
    problem, length = found[1], int(found[2] or USUAL)
    if not SHORTEST <= length <= LONGEST:
        raise DataError(
            name, f"a length from {SHORTEST} to {LONGEST:,}", f"{length:,}",
            f"for example {problem}-{USUAL}",
        )  # fmt: skip
    held = PROBLEMS[problem]
    return SequenceSource(
        f"{problem}-{length}", SequenceSpec(problem, length, held.width, held.names)
    )


def drawn(spec: SequenceSpec, num: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw sequences of one length, itself drawn from T to T + T/10: (N, L, D) and (N,)."""
    length = spec.length + int(random.integers(0, spec.length // 10 + 1))
    inputs, answers = PROBLEMS[spec.problem].draw(num, length, spec.length, random)
    return torch.from_numpy(inputs), torch.from_numpy(answers)


class SequenceFeed:
    """Fresh sequences in every batch, those of a batch of one length; a function of the step.

    Args:
        spec: the problem.
        batch_size: B.
        seed: decides which sequences come.
    """

    def __init__(self, spec: SequenceSpec, batch_size: int, seed: int) -> None:
        self.spec, self.batch_size, self.seed = spec, batch_size, seed
        self.steps_per_epoch = PASS / batch_size

    def batch(self, step: int) -> Batch:
        """Return (B, L, D) inputs and (B,) answers."""
        return Batch(*drawn(self.spec, self.batch_size, numpy_generator(self.seed, "drawn", step)))
