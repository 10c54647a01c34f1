"""Classify the rows of a table: which of the known classes is it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from samoyed.core.numbers import Share
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.table_rows import Rows, read_rows
from samoyed.data.tables import TableData
from samoyed.losses import tabular
from samoyed.metrics import ranking
from samoyed.tasks import table_training
from samoyed.tasks.classify import answer_of, resampled, scores_of


@dataclass(frozen=True)
class ClassifyTable:
    """The question, and how it is asked in training.

    Args:
        spec: the columns.
        target: the classes.
        label_smoothing: share of the target spread over all classes.
    """

    spec: TableSpec
    target: TargetSpec
    label_smoothing: Share = 0.02
    name: ClassVar[str] = "classify_table"
    headline: ClassVar[str] = "accuracy"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.target

    @property
    def labels(self) -> LabelSpec:
        """Return the classes."""
        return LabelSpec(self.target.names)

    def stages(
        self, model: nn.Module, data: TableData, recipe: Recipe, seed: int
    ) -> Iterator[Stage]:
        """Yield the one stage of training."""
        smoothed = partial(tabular.cross_entropy, label_smoothing=self.label_smoothing)
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
            accuracy (Wilson's interval), macro F1, log loss, calibration error, and for two
            classes the area under the ROC curve (bootstrap).
        """
        test = quick_look(data.test, limit)
        return table_scores(predict_probabilities(model, test.inputs, device), test.targets, seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Name the class of every row.

        Args:
            model: the model.
            inputs: tables with the columns that were learned from; "-" is standard input.
            device: where to compute.

        Raises:
            DataError: for what cannot be read, with line and column.
        """
        rows, names = read_rows(inputs, self.spec, self.target)
        probabilities = predict_probabilities(model, rows, device)
        return [
            answer_of(name, row, self.labels)
            for name, row in zip(names, probabilities, strict=True)
        ]


def predict_probabilities(
    model: nn.Module, inputs: np.ndarray, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return (N, K) float64 probabilities for (N, W) encoded rows."""
    logits = torch.from_numpy(table_training.predict_values(model, inputs, device))
    return logits.softmax(dim=1).numpy()


def table_scores(
    probabilities: np.ndarray, targets: np.ndarray, seed: int = 0
) -> tuple[Score, ...]:
    """Return all scores of (N, K) probabilities for (N,) classes, accuracy first."""
    scores = scores_of(probabilities, targets, seed)
    if probabilities.shape[1] != 2 or len(np.unique(targets)) < 2:
        return scores

    def area(rows: np.ndarray) -> float:
        return ranking.roc_auc(targets[rows], probabilities[rows, 1])

    num = len(targets)
    low, high = resampled(area, num, seed)
    return (*scores, Score("roc_auc", area(np.arange(num)), low, high, num))


def quick_look(rows: Rows, limit: int | None) -> Rows:
    """Return so many rows, evenly spread, or all."""
    if limit is None or limit >= len(rows):
        return rows
    return rows.some(np.linspace(0, len(rows) - 1, limit).astype(np.int64))
