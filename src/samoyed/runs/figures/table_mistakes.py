"""The rows that a model for tables was surest of, and wrong about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samoyed.core.spec import Column
from samoyed.data.tables import TableData
from samoyed.runs.drawing import Figure, table
from samoyed.runs.figures.table_answers import cell_text
from samoyed.tasks.table_classify import ClassifyTable

NUM_MISTAKES = 10
NUM_COLUMNS = 4  # that are told of each row


def mistakes_figure(
    task: ClassifyTable, data: TableData, probabilities: np.ndarray, columns: Sequence[Column]
) -> Figure | None:
    """List the surest wrong answers with the values of the most important columns.

    Args:
        task: the question.
        data: the rows.
        probabilities: (N, K) of the held-out rows.
        columns: the most important first.

    Returns:
        None where every answer is right.
    """
    test, names = data.test, task.target.names
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != test.targets)
    if len(wrong) == 0:
        return None
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:NUM_MISTAKES]
    told = [c for c in columns if c.kind != "molecule"][:NUM_COLUMNS]
    rows = [
        (
            names[test.targets[i]], names[answers[i]], f"{100 * sure[i]:.0f} %",
            *(cell_text(data.spec, column, test.inputs[i]) for column in told),
            test.names[i].replace("\\", "/").rsplit("/", 1)[-1],
        )
        for i in worst
    ]  # fmt: skip
    return Figure(
        "Most confident mistakes",
        f"{len(wrong):,} of {len(test):,} answers are wrong; these are the ones the model was "
        "surest of, with what they hold in the most important columns and where they stand. Some "
        "may be wrong labels.",
        table(("truth", "answer", "sure", *(c.name for c in told), "line"), rows),
    )
