"""Figures of a model for tables: where it errs, what it goes by, and why it answers as it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import Column, TableSpec
from samoyed.data.table_rows import Rows, read_rows
from samoyed.data.tables import TableData
from samoyed.metrics import classification, ranking
from samoyed.metrics.intervals import bootstrap
from samoyed.runs.drawing import Figure, bar_chart, line_chart, table
from samoyed.runs.drawing_numbers import human_number
from samoyed.runs.figures.classify import calibration_figure, confusion_figure, per_class_figure
from samoyed.runs.figures.table_answers import Task, all_answers, cell_text, device_of
from samoyed.runs.figures.table_dependence import dependence_figure
from samoyed.runs.figures.table_mistakes import mistakes_figure
from samoyed.runs.figures.table_plane import fold_figure
from samoyed.runs.figures.table_screen import most_telling
from samoyed.tasks.table_classify import ClassifyTable, predict_probabilities, quick_look
from samoyed.tasks.table_regress import RegressTable
from samoyed.tasks.table_several import ClassifySeveral
from samoyed.tasks.table_training import predict_values

NUM_ROWS = 2000  # that importance is measured on
MOST_SHUFFLES, MOST_SHOWN = 5, 200_000  # of each column; rows that a model is shown in all
MOST_COLUMNS = 60  # that are shuffled: those that go with the answers most
MOST_BARS = 20
NUM_GROUPS = 10  # of rows with neighbouring answers
MOST_EXPLAINED = 5  # rows


def draw(
    task: Task, model: nn.Module, data: TableData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures.

    Args:
        task: the question.
        model: the trained model.
        data: the rows it learned from and was tested on.
        history: not needed: the report draws the curves.
    """
    test = data.test
    if isinstance(task, ClassifyTable):
        probabilities = predict_probabilities(model, test.inputs, device_of(model))
        answers = probabilities.argmax(axis=1)
        names = task.target.names
        confusion = classification.confusion_matrix(test.targets, answers, len(names))
        figures: list[Figure | None] = [
            confusion_figure(confusion, names), per_class_figure(confusion, names, "rows"),
            calibration_figure(probabilities, test.targets),
        ]  # fmt: skip
    elif isinstance(task, RegressTable):
        answers = task.numbers(model, test.inputs, device_of(model))
        figures = [agreement_figure(test.targets, answers, task.target.columns[0])]
    else:
        values = predict_values(model, test.inputs, device_of(model))
        figures = [questions_figure(task, test.targets, values)]
    figures.insert(0, fold_figure(model, data))
    if not data.spec.columns:
        return [figure for figure in figures if figure is not None]
    importance = importances(task, model, quick_look(test, NUM_ROWS), data.spec)
    figures.append(importance_figure(importance, cost_words(task), len(data.spec.columns)))
    order = [column for column, _, _, _ in importance]
    figures.append(dependence_figure(task, model, data, order))
    if isinstance(task, ClassifyTable):
        figures.append(mistakes_figure(task, data, probabilities, order))
    return [figure for figure in figures if figure is not None]


def agreement_figure(targets: np.ndarray, answers: np.ndarray, name: str) -> Figure:
    """Set true numbers against answered ones: groups of neighbouring answers, with their spread."""
    groups = np.array_split(np.argsort(answers, kind="stable"), min(NUM_GROUPS, len(answers)))
    middles = [float(answers[g].mean()) for g in groups]
    curves = {
        "mean of the true numbers": [float(targets[g].mean()) for g in groups],
        "a tenth is below": [float(np.quantile(targets[g], 0.1)) for g in groups],
        "a tenth is above": [float(np.quantile(targets[g], 0.9)) for g in groups],
    }
    series = {k: list(zip(middles, v, strict=True)) for k, v in curves.items()}
    series["as answered"] = [(middles[0], middles[0]), (middles[-1], middles[-1])]
    worst = np.argsort(-np.abs(targets - answers), kind="stable")[:5]
    rows = [
        (human_number(float(targets[i]), 4), human_number(float(answers[i]), 4),
         human_number(float(answers[i] - targets[i]), 4))
        for i in worst
    ]  # fmt: skip
    return Figure(
        f"{name}: true against answered",
        "Held-out rows in groups of neighbouring answers. Where the mean of the true numbers lies "
        "on the straight line, answers are right on average; eight tenths of the true numbers lie "
        "between the outer curves. Below, the five largest errors.",
        line_chart(series, x_label=f"answered {name}", y_label=f"true {name}")
        + table(("true", "answered", "difference"), rows),
    )


def questions_figure(task: ClassifySeveral, targets: np.ndarray, values: np.ndarray) -> Figure:
    """Show how well each question is answered, and how many answers were known."""
    bars, rows = [], []
    for t, name in enumerate(task.target.columns):
        known = np.flatnonzero(~np.isnan(targets[:, t]))
        truth, score = targets[known, t], values[known, t]
        generator = numpy_generator(0, "questions", t)
        drawn = [generator.integers(0, len(known), len(known)) for _ in range(200)]
        areas = [ranking.roc_auc(truth[d], score[d]) for d in drawn]
        low, high = np.nanquantile(areas, (0.025, 0.975))
        bars.append((name, ranking.roc_auc(truth, score), float(low), float(high)))
        rows.append((name, f"{len(known):,}", f"{int(truth.sum()):,}", f"{truth.mean():.1%}"))
    return Figure(
        "Question by question",
        "The area under the ROC curve on held-out rows whose answer is known: the chance that a "
        "row with the answer yes is ranked above one with no; 0.5 is guessing.",
        bar_chart(bars) + table(("question", "answers known", "of them yes", "share"), rows),
    )


def cost_words(task: Task) -> tuple[str, str, float]:
    """Return what is counted for each row: its name, its unit, and a factor."""
    if isinstance(task, ClassifyTable):
        return "right answers lost, in points", "", 100.0
    if isinstance(task, RegressTable):
        return f"growth of the mean absolute error of {task.target.columns[0]}", "", 1.0
    return "growth of the log loss over all questions", "", 1.0


def costs(task: Task, model: nn.Module, rows: Rows, inputs: np.ndarray) -> np.ndarray:
    """Return (N,) what each row's answer costs when the model is given these inputs."""
    if isinstance(task, ClassifyTable):
        answers = predict_values(model, inputs, device_of(model)).argmax(axis=1)
        return (answers != rows.targets).astype(np.float64)
    if isinstance(task, RegressTable):
        return np.abs(task.numbers(model, inputs, device_of(model)) - rows.targets)
    values = predict_values(model, inputs, device_of(model))
    losses = np.logaddexp(0, values) - values * np.nan_to_num(rows.targets)
    known = ~np.isnan(rows.targets)
    return (losses * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


Importance = tuple[Column, float, float, float]
"""A column, how much worse the answers get without it, and the interval."""


def importances(task: Task, model: nn.Module, rows: Rows, spec: TableSpec) -> list[Importance]:
    """Measure how much worse the answers get when a column's values are shuffled among the rows.

    Breiman, L. (2001). Random forests. Machine Learning 45, 5-32, section 10. The interval is that
    of the mean over held-out rows (bootstrap). Of many columns each is shuffled fewer times.

    Args:
        task: the question.
        model: the trained model.
        rows: held-out rows.
        spec: the columns.

    Returns:
        The columns, the most important first.
    """
    plain = costs(task, model, rows, rows.inputs)
    factor = cost_words(task)[2]
    found = []
    columns = most_telling(all_answers(task, model, rows.inputs), rows.inputs, spec, MOST_COLUMNS)
    num_shuffles = min(MOST_SHUFFLES, max(1, MOST_SHOWN // (len(rows) * len(columns))))
    for column in columns:
        index, places = spec.columns.index(column), spec.places(column)
        growth = np.zeros(len(rows))
        for repeat in range(num_shuffles):
            order = numpy_generator(0, "importance", index, repeat).permutation(len(rows))
            inputs = rows.inputs.copy()
            inputs[:, places] = rows.inputs[order][:, places]
            growth += (costs(task, model, rows, inputs) - plain) / num_shuffles
        low, high = bootstrap(growth, 0)
        found.append((column, factor * float(growth.mean()), factor * low, factor * high))
    return sorted(found, key=lambda row: -row[1])


def importance_figure(
    found: Sequence[Importance], words: tuple[str, str, float], num_columns: int
) -> Figure:
    """Show what the model goes by."""
    bars = [(column.name, value, low, high) for column, value, low, high in found[:MOST_BARS]]
    idle = [column.name for column, _, low, high in found if low <= 0 <= high]
    rest = f" No effect is certain for {len(idle)} of {len(found)} columns." if idle else ""
    if num_columns > len(found):
        rest += (
            f" Of {num_columns:,} columns those {len(found)} were tried that, each by itself, go "
            "most with the answers."
        )
    return Figure(
        "What it goes by",
        f"How much worse the answers get ({words[0]}) when one column's values are shuffled among "
        "held-out rows, so that they say nothing any more; 95 % intervals over the rows. Columns "
        f"that say the same stand in for each other, and both look unimportant.{rest}",
        bar_chart(bars, axis=words[0]),
    )


def explain(task: Task, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw, for the first rows of a table, what each column did for the answer.

    Raises:
        DataError: for what cannot be read, with line and column.
    """
    rows, names = read_rows(inputs, task.spec, task.target)
    num = min(MOST_EXPLAINED, len(rows))
    figures = [explanation_figure(task, model, rows, i, names[i]) for i in range(num)]
    if num == len(rows):
        return figures
    some = f"the first {num} of {len(rows):,} rows are drawn"
    first, last = figures[0], figures[-1]
    first = replace(first, caption=f"{first.caption} Of all rows {some}.")
    return [first, *figures[1:-1], replace(last, said=f"{last.said}\n{some}")]


def explanation_figure(
    task: Task, model: nn.Module, rows: np.ndarray, index: int, name: str
) -> Figure:
    """Show how the answer for one row moves when one column is unknown or at its middle."""
    row = rows[index : index + 1]
    before = all_answers(task, model, row)[0]
    watched = int(before.argmax())
    varied = np.repeat(row, len(task.spec.columns), axis=0)
    for i, column in enumerate(task.spec.columns):
        varied[i, task.spec.places(column)] = 0.0  # the median, no bit, or an unknown value
    change = before[watched] - all_answers(task, model, varied)[:, watched]
    order = np.argsort(-np.abs(change), kind="stable")[:MOST_BARS]
    bars = [
        (task.spec.columns[i].name, float(change[i]), float("nan"), float("nan")) for i in order
    ]
    names = task.target.names if isinstance(task, ClassifyTable) else task.target.columns
    unit = "" if isinstance(task, RegressTable) else " %"
    title = f"{name}: {names[watched]} {human_number(float(before[watched]), 4)}{unit}"
    moves = ", then ".join(
        f"{c.name} ({cell_text(task.spec, c, row[0])}) {_adds(float(change[i]))}"
        for i, c in ((i, task.spec.columns[i]) for i in order[:2])
    )
    return Figure(
        title,
        "What each column adds to this answer: the answer as it is, less the answer with the "
        "column at its median (numbers) or unknown (categories).",
        bar_chart(bars, axis="added to the answer"),
        said=f"{title}; moved most by {moves}" if moves else title,
    )


def _adds(change: float) -> str:
    """Say how a column moves an answer.

    >>> _adds(-3.214)
    'takes away 3.21'
    """
    return f"{'adds' if change >= 0 else 'takes away'} {human_number(abs(change), 3)}"
