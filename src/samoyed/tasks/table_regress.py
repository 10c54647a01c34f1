"""Answer a number for the rows of a table.

The target is learned on the training part's scale (mean 0, standard deviation 1); answers and
scores are in its own unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from samoyed.core.reference import Answer, Score
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.table_rows import read_rows
from samoyed.data.tables import TableData
from samoyed.losses import tabular
from samoyed.metrics import regression
from samoyed.tasks import table_training
from samoyed.tasks.classify import resampled
from samoyed.tasks.table_classify import quick_look

Measure = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class RegressTable:
    """The question, and how it is asked in training.

    Args:
        spec: the columns.
        target: the number that is asked for, with the training part's mean and spread.
    """

    spec: TableSpec
    target: TargetSpec
    name: ClassVar[str] = "regress_table"
    headline: ClassVar[str] = "rmse"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.target

    def stages(
        self, model: nn.Module, data: TableData, recipe: Recipe, seed: int
    ) -> Iterator[Stage]:
        """Yield the one stage of training."""
        scaled = (data.train.targets - self.target.centre) / self.target.scale
        yield from table_training.stages(
            data.train.inputs, scaled.astype(np.float32), recipe, seed,
            partial(table_training.descend, loss=tabular.squared_error),
        )  # fmt: skip

    def score(
        self, model: nn.Module, data: TableData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out rows.

        Returns:
            The root mean squared error, the mean absolute error and R squared, with the intervals
            of a bootstrap over rows.
        """
        test = quick_look(data.test, limit)
        return number_scores(test.targets, self.numbers(model, test.inputs, device), seed)

    def numbers(
        self, model: nn.Module, inputs: np.ndarray, device: torch.device | str = "cpu"
    ) -> np.ndarray:
        """Return (N,) answers in the target's own unit."""
        values = table_training.predict_values(model, inputs, device)[:, 0]
        return values * self.target.scale + self.target.centre

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Answer the number of every row.

        Args:
            model: the model.
            inputs: tables with the columns that were learned from; "-" is standard input.
            device: where to compute.

        Raises:
            DataError: for what cannot be read, with line and column.
        """
        rows, names = read_rows(inputs, self.spec, self.target)
        return [
            answer_of_number(name, float(value))
            for name, value in zip(names, self.numbers(model, rows, device), strict=True)
        ]


def answer_of_number(name: str, value: float) -> Answer:
    """Return a number, in words and as itself."""
    return Answer(name, f"{value:.6g}", None, (("value", value),))


def number_scores(targets: np.ndarray, answers: np.ndarray, seed: int = 0) -> tuple[Score, ...]:
    """Return all scores of (N,) answers, the root mean squared error first."""
    num = len(targets)

    def scored(
        name: str, measure: Measure, is_higher_better: bool = False, best: float = math.inf
    ) -> Score:
        low, high = resampled(
            lambda rows: measure(targets[rows], answers[rows]), num, seed, is_share=False
        )
        high = min(high, best)
        return Score(name, measure(targets, answers), low, high, num, is_higher_better)

    return (
        scored("rmse", regression.root_mean_squared_error),
        scored("mae", regression.mean_absolute_error),
        scored("r_squared", regression.r_squared, True, best=1.0),
    )
