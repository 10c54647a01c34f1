"""Several questions of two answers about the rows of a table, some answers unknown.

Scored as the field does it: the area under the ROC curve of each question over the rows whose
answer is known, and the mean of those areas.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from samoyed.core.numbers import Share
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.table_rows import read_rows
from samoyed.data.tables import TableData
from samoyed.losses import tabular
from samoyed.metrics import ranking
from samoyed.tasks import table_training
from samoyed.tasks.classify import resampled
from samoyed.tasks.table_classify import quick_look


@dataclass(frozen=True)
class ClassifySeveral:
    """The questions, and how they are asked in training.

    Args:
        spec: the columns.
        target: the questions.
        label_smoothing: how far targets are moved from 0 and 1 towards one half, times two.
    """

    spec: TableSpec
    target: TargetSpec
    label_smoothing: Share = 0.0
    name: ClassVar[str] = "classify_several"
    headline: ClassVar[str] = "mean_roc_auc"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.target

    def stages(
        self, model: nn.Module, data: TableData, recipe: Recipe, seed: int
    ) -> Iterator[Stage]:
        """Yield the one stage of training."""
        smoothed = partial(tabular.masked_binary, label_smoothing=self.label_smoothing)
        yield from table_training.stages(
            data.train.inputs, data.train.targets, recipe, seed,
            partial(table_training.descend, loss=smoothed),
        )  # fmt: skip

    def score(
        self, model: nn.Module, data: TableData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out rows.

        Returns:
            The mean area under the ROC curve, then that of each question (bootstrap over rows).
        """
        test = quick_look(data.test, limit)
        values = table_training.predict_values(model, test.inputs, device)
        return several_scores(test.targets, values, self.target.columns, seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Say which questions are answered with yes, and the probability of each.

        Args:
            model: the model.
            inputs: tables with the columns that were learned from; "-" is standard input.
            device: where to compute.

        Raises:
            DataError: for what cannot be read, with line and column.
        """
        rows, names = read_rows(inputs, self.spec, self.target)
        chances = sigmoid(table_training.predict_values(model, rows, device))
        return [
            answer_of_several(name, row, self.target.columns)
            for name, row in zip(names, chances, strict=True)
        ]


def answer_of_several(name: str, chances: np.ndarray, questions: Sequence[str]) -> Answer:
    """Return the questions answered with yes, and the probability of each."""
    details = tuple((q, float(p)) for q, p in zip(questions, chances, strict=True))
    return Answer(name, ", ".join(q for q, p in details if p > 0.5) or "none", None, details)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Turn log odds into probabilities."""
    return 0.5 * (1 + np.tanh(0.5 * values))


def several_scores(
    targets: np.ndarray, values: np.ndarray, columns: Sequence[str], seed: int = 0
) -> tuple[Score, ...]:
    """Return the mean area under the ROC curve and that of each question.

    Args:
        targets: (N, T) 0, 1, or NaN where nothing is known.
        values: (N, T) higher for more likely 1.
        columns: names of the T questions.
        seed: of the resampling behind the intervals.
    """
    num = len(targets)
    is_known = ~np.isnan(targets)

    def area(rows: np.ndarray, t: int) -> float:
        known = rows[is_known[rows, t]]
        return ranking.roc_auc(targets[known, t], values[known, t])

    def mean(rows: np.ndarray) -> float:
        areas = [area(rows, t) for t in range(len(columns))]
        areas = [a for a in areas if not math.isnan(a)]
        return float(np.mean(areas)) if areas else math.nan

    every = np.arange(num)
    scores = [Score("mean_roc_auc", mean(every), *resampled(mean, num, seed), num)]
    for t, column in enumerate(columns):
        low, high = resampled(partial(area, t=t), num, seed)
        scores.append(Score(f"roc_auc of {column}", area(every, t), low, high,
                            int(is_known[:, t].sum())))  # fmt: skip
    return tuple(scores)
