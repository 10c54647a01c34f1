"""Complete: given a subject and a relation, which objects make it a fact?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.errors import DataError, did_you_mean
from samoyed.core.reference import Answer, Score
from samoyed.core.settings import FROM_DATA
from samoyed.core.spec import FactSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.asked_texts import is_file
from samoyed.data.facts import FactData, SweepFeed
from samoyed.data.text_files import read_file
from samoyed.metrics.intervals import wilson
from samoyed.training.stages import stage_of

ON = 0.5  # an object that is surer than this is an answer


@dataclass(frozen=True)
class Complete:
    """The question.

    Args:
        spec: the names.
        has_held: whether questions were held out.
    """

    spec: FactSpec
    has_held: bool = field(default=True, metadata=FROM_DATA)
    name: ClassVar[str] = "complete"

    @property
    def headline(self) -> str:
        """Return the first score's name."""
        return "completed_share" if self.has_held else "recalled_share"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return (self.spec,)

    def stages(self, data: FactData, recipe: Recipe) -> Iterator[Stage]:
        """Yield the stage that sweeps through all that is learned from."""
        yield stage_of(recipe, SweepFeed(*data.part(is_held=False)), cross_entropy)

    def score(
        self, model: nn.Module, data: FactData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on held-out questions, and on those learned from.

        Returns:
            The share of held-out questions whose right objects all stand above all others
            (`completed_share`), and the same of what was learned (`recalled_share`).
        """
        scores = []
        for name, is_held in (("completed_share", True), ("recalled_share", False)):
            questions, answers = data.part(is_held)
            if len(questions):
                right = int(is_completed(self.chances(model, questions, device), answers).sum())
                low, high = wilson(right, len(questions))
                scores.append(Score(name, right / len(questions), low, high, len(questions)))
        return tuple(scores)

    def chances(
        self, model: nn.Module, questions: Tensor, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Return (N, K) how sure each object is; the model is left in the mode it came in."""
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            found = torch.sigmoid(model(questions.to(device)).values.float()).cpu()
        model.train(was_training)
        return found

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Complete facts.

        Args:
            model: the model.
            inputs: "subject relation", parted by a tab, a comma or a space, or files of such lines.
            device: where to compute.

        Returns:
            For each the objects that are surer than one half, or else the surest.

        Raises:
            DataError: for names that were not learned.
        """
        asked = [line for given in inputs for line in _lines(given)]
        if not asked:
            return []
        questions = torch.tensor([question_of(line, self.spec) for line in asked])
        answers = []
        for line, row in zip(asked, self.chances(model, questions, device), strict=True):
            order = row.argsort(descending=True).tolist()
            told = [k for k in order if row[k] > ON] or order[:1]
            details = [(self.spec.objects[k], float(row[k])) for k in order[: len(told) + 3]]
            said = ", ".join(self.spec.objects[k] for k in told)
            answers.append(Answer(line, said, float(row[order[0]]), tuple(details)))
        return answers


def is_completed(chances: Tensor, answers: Tensor) -> np.ndarray:
    """Tell for each question whether its right objects stand above all others."""
    lowest = chances.masked_fill(answers < 0.5, 2).amin(-1)
    highest = chances.masked_fill(answers > 0.5, -1).amax(-1)
    found: np.ndarray = (lowest > highest).numpy()
    return found


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    """Return the cross-entropy of every object's yes or no, shape ()."""
    assert batch.targets is not None
    return F.binary_cross_entropy_with_logits(model(batch.inputs).values.float(), batch.targets)


def _lines(given: str) -> list[str]:
    if is_file(given):
        return [line for line in read_file(Path(given)).text.split("\n") if line.strip()]
    return [given]


def question_of(line: str, spec: FactSpec) -> tuple[int, int]:
    """Return the numbers of a subject and a relation.

    Raises:
        DataError: for names that were not learned.
    """
    mark = next((m for m in ("\t", ",") if m in line), None)
    parts = [part.strip() for part in line.split(mark)]
    if len(parts) != 2:
        raise DataError(
            "input", "a subject and a relation", f"{len(parts)} parts: {line.strip()[:60]!r}",
            f"for example {spec.subjects[0]!r} and {spec.relations[0]!r}, parted by a comma",
        )  # fmt: skip
    places = []
    for name, known, what in zip(
        parts, (spec.subjects, spec.relations), ("subject", "relation"), strict=True
    ):
        if name not in known:
            raise DataError(
                "input", f"a {what} that was learned", repr(name),
                did_you_mean(name, known).strip() or f"known are {', '.join(known[:6])}",
            )  # fmt: skip
        places.append(known.index(name))
    return places[0], places[1]
