"""Remember: what a whole sequence amounts to, asked at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.errors import DataError
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.metrics.intervals import bootstrap, wilson
from samoyed.training.stages import stage_of
from samoyed.worlds.sequences import SYMBOLS, SequenceData, SequenceFeed, drawn

MOST_DIGITS = 18  # of the number of a fresh sequence
TOO_LARGE = 1e30  # of a number in a step: a net's sums of such are still finite in float32
CLOSE = 0.04  # an answer is right within this (Hochreiter & Schmidhuber 1997, section 5.4)


@dataclass(frozen=True)
class Remember:
    """The question.

    Args:
        spec: the problem.
    """

    spec: SequenceSpec
    name: ClassVar[str] = "remember"

    @property
    def headline(self) -> str:
        """Return the first score's name."""
        return "accuracy" if self.spec.names else "solved_share"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return (self.spec,)

    def stages(self, recipe: Recipe, seed: int) -> Iterator[Stage]:
        """Yield the stage that descends the error at the end of fresh sequences."""
        yield stage_of(recipe, SequenceFeed(self.spec, recipe.batch_size, seed), error_at_the_end)

    def score(
        self, model: nn.Module, data: SequenceData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out sequences.

        Returns:
            For a number the share of answers within 0.04, and the mean squared error; for classes
            the accuracy.
        """
        groups = data.groups
        if limit is not None:
            groups = groups[: max(1, limit // len(groups[0][1]))]
        values = np.concatenate([self.values(model, inputs, device) for inputs, _ in groups])
        return scores_of(values, np.concatenate([t.numpy() for _, t in groups]), seed)

    def values(
        self, model: nn.Module, inputs: Tensor, device: torch.device | str = "cpu"
    ) -> np.ndarray:
        """Return (N, K) float64; the model is left in the mode it came in."""
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            found: np.ndarray = model(inputs.to(device)).values.double().cpu().numpy()
        model.train(was_training)
        return found

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Answer for sequences.

        Args:
            model: the model.
            inputs: numbers, which are seeds of fresh sequences, or sequences as `parse` reads them.
            device: where to compute.

        Raises:
            DataError: for what is no sequence.
        """
        answers = []
        for given in inputs or ["0"]:
            sequence, right = self.sequence(given)
            values = self.values(model, sequence, device)[0]
            known = () if right is None else (("right", self.written(right)),)
            details = (("steps", sequence.shape[1]), *known)
            if not self.spec.names:
                answers.append(Answer(given, f"{values[0]:.4f}", None, details))
                continue
            shares = np.exp(values - np.logaddexp.reduce(values))
            best = int(shares.argmax())
            answers.append(Answer(given, self.spec.names[best], float(shares[best]), details))
        return answers

    def written(self, answer: float) -> str:
        """Write a right answer as answers are written."""
        return self.spec.names[int(answer)] if self.spec.names else f"{answer:.4f}"

    def sequence(self, given: str) -> tuple[Tensor, float | None]:
        """Return (1, L, D) and, of a sequence drawn here, its right answer."""
        if given.strip().isdecimal():
            if len(given.strip()) > MOST_DIGITS:
                raise DataError(
                    "input", f"the number of a fresh sequence, of at most {MOST_DIGITS} digits",
                    f"{len(given.strip()):,} digits", "any small number draws one",
                )  # fmt: skip
            inputs, answers = drawn(self.spec, 1, numpy_generator(int(given), "shown"))
            return inputs, float(answers[0])
        return parse(given, self.spec), None


def parse(given: str, spec: SequenceSpec) -> Tensor:
    """Read a sequence: letters of `EBabcdXY`, or a JSON list of [number, mark].

    Returns:
        (1, L, D).

    Raises:
        DataError: for anything else, with the place.
    """
    if spec.names:
        text = "".join(given.split())
        wrong = next((k for k, letter in enumerate(text) if letter not in SYMBOLS), None)
        if wrong is not None or not text:
            found = f"{text[wrong]!r} as letter {wrong + 1}" if wrong is not None else "nothing"
            raise DataError(
                "input", f"letters of {SYMBOLS}", found, "a number draws a fresh sequence"
            )
        places = torch.tensor([SYMBOLS.index(letter) for letter in text])
        return F.one_hot(places, len(SYMBOLS)).float()[None]
    expected = "a JSON list of [number, mark], or a number that draws a fresh sequence"
    try:
        rows = json.loads(given)
    except (ValueError, RecursionError):
        raise DataError("input", expected, repr(given[:40])) from None
    if not isinstance(rows, list) or not rows:
        raise DataError("input", expected, repr(given[:40]))
    for place, row in enumerate(rows, 1):
        is_pair = isinstance(row, list) and len(row) == spec.width
        if not is_pair or not all(
            isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < TOO_LARGE
            for v in row
        ):
            expected = f"{spec.width} numbers, each nearer to 0 than {TOO_LARGE:.0e}"
            raise DataError(f"input, step {place}", expected, json.dumps(row)[:40])
    return torch.tensor(rows, dtype=torch.float32)[None]


def error_at_the_end(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean squared error of numbers, the mean cross-entropy of classes, shape ()."""
    assert batch.targets is not None
    return error_of(model(batch.inputs).values, batch.targets)


def error_of(values: Tensor, answers: Tensor) -> Tensor:
    """Return the scalar that training descends, shape ()."""
    if answers.is_floating_point():
        return F.mse_loss(values[:, 0].float(), answers)
    return F.cross_entropy(values.float(), answers)


def scores_of(values: np.ndarray, answers: np.ndarray, seed: int = 0) -> tuple[Score, ...]:
    """Score (N, K) values against (N,) answers, the headline first."""
    num = len(answers)
    if answers.dtype.kind != "f":
        right = int((values.argmax(1) == answers).sum())
        return (Score("accuracy", right / num, *wilson(right, num), num),)
    errors = np.abs(values[:, 0] - answers)
    right = int((errors < CLOSE).sum())
    squares = errors**2
    return (
        Score("solved_share", right / num, *wilson(right, num), num),
        Score("mean_square", float(squares.mean()), *bootstrap(squares, seed), num, False),
    )
