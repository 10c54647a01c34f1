"""What a model for tables answers, and its inputs, as people read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from torch import nn

from samoyed.core.spec import Column, TableSpec
from samoyed.runs.drawing_lines import date_text
from samoyed.runs.drawing_numbers import human_number
from samoyed.tasks.table_classify import ClassifyTable, predict_probabilities
from samoyed.tasks.table_regress import RegressTable
from samoyed.tasks.table_several import ClassifySeveral, sigmoid
from samoyed.tasks.table_training import predict_values

Task = ClassifyTable | RegressTable | ClassifySeveral

# Legend for shapes: N rows, W an encoded row, A answers.


def device_of(model: nn.Module) -> Any:
    """Return where the model is."""
    return next(model.parameters()).device


def all_answers(
    task: Task, model: nn.Module, inputs: Float[np.ndarray, "N W"]
) -> Float[np.ndarray, "N A"]:
    """Return the answers: probabilities in percent, or numbers."""
    if isinstance(task, ClassifyTable):
        return 100 * predict_probabilities(model, inputs, device_of(model))
    if isinstance(task, RegressTable):
        return task.numbers(model, inputs, device_of(model))[:, None]
    return 100 * sigmoid(predict_values(model, inputs, device_of(model)))


def told_answers(
    task: Task, model: nn.Module, inputs: Float[np.ndarray, "N W"]
) -> Float[np.ndarray, "N A"]:
    """Return the same, but of two classes only the second, as the other says no more."""
    found = all_answers(task, model, inputs)
    return found[:, 1:] if isinstance(task, ClassifyTable) and found.shape[1] == 2 else found


def told_names(task: Task) -> tuple[str, ...]:
    """Return what `told_answers` are about."""
    if isinstance(task, ClassifyTable):
        return task.target.names[1:] if len(task.target.names) == 2 else task.target.names
    return task.target.columns


def told_label(task: Task) -> str:
    """Return the words for an axis of `told_answers`."""
    if isinstance(task, RegressTable):
        return task.target.columns[0]
    names = told_names(task)
    return f"probability of {names[0]}, %" if len(names) == 1 else "probability, %"


def in_units(column: Column, encoded: float) -> float:
    """Undo the encoding of a number: z / sqrt(1 + (z / 3)^2) = e, solved for z.

    >>> in_units(Column("age", "number", centre=40.0, scale=10.0), 0.0)
    40.0
    """
    z = encoded / np.sqrt(max(1e-12, 1 - (encoded / 3.0) ** 2))
    return float(z * column.scale + column.centre)


def cell_text(spec: TableSpec, column: Column, row: Float[np.ndarray, " W"]) -> str:
    """Write a row's value of a column as it was in the file, or nearly."""
    places = spec.places(column)
    if column.kind == "category":
        index = int(row[places[0]])
        return (column.categories[index - 1] or "missing") if index else "unknown"
    if column.kind == "molecule":
        return "a molecule"
    if len(places) > 1 and row[places[1]] > 0:
        return "missing"
    number = in_units(column, float(row[places[0]]))
    if column.kind == "date":
        return date_text(number)
    nearest = round(number)
    is_whole = abs(number - nearest) < 1e-3 * max(1.0, abs(number))
    return f"{nearest:,}" if is_whole else human_number(number, 4)
