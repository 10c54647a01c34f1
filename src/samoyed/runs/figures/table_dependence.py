"""How the mean answer moves with one column, all others as they are: partial dependence.

Friedman, J. H. (2001). Greedy function approximation: a gradient boosting machine. Annals of
Statistics 29(5), 1189-1232, section 8.2.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import nn

from samoyed.core.spec import Column
from samoyed.data.tables import TableData
from samoyed.runs.drawing import Figure, bar_chart, line_chart
from samoyed.runs.figures.table_answers import Task, in_units, told_answers, told_label, told_names
from samoyed.tasks.table_classify import quick_look

NUM_ROWS = 300  # over which an answer is averaged
MOST_COLUMNS = 6
MOST_NAMED = 5  # answers that are drawn
NUM_POINTS = 16  # of a number
MOST_CATEGORIES = 8  # the most frequent ones

# Legend for shapes: N rows, W an encoded row, G values that are tried, A answers.


def dependence_figure(
    task: Task, model: nn.Module, data: TableData, columns: Sequence[Column]
) -> Figure | None:
    """Draw the dependence on the first columns that have more than one value.

    Args:
        task: the question.
        model: the trained model.
        data: the rows.
        columns: the most important first.

    Returns:
        None where no column can be drawn.
    """
    rows = quick_look(data.test, NUM_ROWS).inputs
    charts: list[str] = []
    tried = [(column, tried_values(column, data)) for column in columns]
    chosen = [(column, values) for column, values in tried if len(values) > 1][:MOST_COLUMNS]
    for column, values in sorted(chosen, key=lambda pair: not pair[0].is_number):
        answers = dependence(task, model, rows, data.spec.places(column), values)
        drawn = _curve if column.is_number else _bars
        chart = drawn(task, column, values, answers)
        charts.append(f"<div><h3>{html.escape(column.name)}</h3>{chart}</div>")
    if not charts:
        return None
    return Figure(
        "If a row were another",
        f"The mean answer over {len(rows):,} held-out rows when one column alone is set to each "
        "value in turn, for the most important columns (Friedman 2001). It shows what the model "
        "does, not what the world does: where columns go together, some of these rows could not "
        "exist.",
        f'<div class="curves">{"".join(charts)}</div>',
    )


def tried_values(column: Column, data: TableData) -> Float[np.ndarray, " G"]:
    """Return encoded values of the training rows: quantiles, or the most frequent categories."""
    place = data.spec.places(column)[0]
    seen = data.train.inputs[:, place]
    if column.kind == "molecule" or len(seen) == 0:
        return np.zeros(0)
    if column.kind == "category":
        known, counts = np.unique(seen[seen > 0], return_counts=True)
        return known[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
    known = np.unique(np.quantile(seen, np.linspace(0.02, 0.98, 64)))
    return known[np.unique(np.linspace(0, len(known) - 1, NUM_POINTS).astype(int))]


def dependence(
    task: Task, model: nn.Module, rows: Float[np.ndarray, "N W"], places: Sequence[int],
    values: Float[np.ndarray, " G"],
) -> Float[np.ndarray, "G A"]:  # fmt: skip
    """Return the mean answer over the rows for each value of one column.

    Args:
        task: the question.
        model: the model.
        rows: with the other columns as they are.
        places: of the column in a row: its value, then its indicator of a missing one.
        values: encoded.
    """
    inputs = np.tile(rows, (len(values), 1))
    inputs[:, places[0]] = np.repeat(values, len(rows))
    inputs[:, places[1:]] = 0.0
    return told_answers(task, model, inputs).reshape(len(values), len(rows), -1).mean(axis=1)


def _curve(task: Task, column: Column, values: np.ndarray, answers: np.ndarray) -> str:
    points = [in_units(column, float(x)) for x in values]
    moving = np.argsort(-np.ptp(answers, axis=0), kind="stable")[:MOST_NAMED]
    series = {
        told_names(task)[k]: list(zip(points, answers[:, k].tolist(), strict=True))
        for k in sorted(moving.tolist())
    }
    return line_chart(
        series, x_label=column.name, y_label=told_label(task), height=190,
        is_dated=column.kind == "date",
    )  # fmt: skip


def _bars(task: Task, column: Column, values: np.ndarray, answers: np.ndarray) -> str:
    moving = int(np.ptp(answers, axis=0).argmax())
    named = told_names(task)[moving]
    bars = [
        (column.categories[int(v) - 1] or "missing", float(a), math.nan, math.nan)
        for v, a in sorted(zip(values, answers[:, moving], strict=True), key=lambda pair: -pair[1])
    ]
    is_share = "%" in told_label(task)
    axis = f"probability of {named}, %" if is_share else f"mean answer: {named}"
    return bar_chart(bars, unit="%" if is_share else "", axis=axis)
