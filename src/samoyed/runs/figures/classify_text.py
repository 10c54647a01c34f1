"""Figures of a classifier of texts: where it errs, which words mattered, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.data.labelled_text import LabelledData
from samoyed.metrics import classification
from samoyed.runs.drawing import Figure, table
from samoyed.runs.figures.classify import calibration_figure, confusion_figure, per_class_figure
from samoyed.runs.figures.words_that_matter import matter_figure, matter_of
from samoyed.tasks.classify_text import ClassifyText, predict_probabilities

NUM_MISTAKES = 15
NUM_SHOWN = 3  # texts whose words are coloured, right and wrong each
MOST_LETTERS = 300


def draw(
    task: ClassifyText, model: nn.Module, data: LabelledData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures."""
    test, names = data.test, task.labels.names
    probabilities = predict_probabilities(model, test.rows, next(model.parameters()).device)
    answers = probabilities.argmax(axis=1)
    confusion = classification.confusion_matrix(test.targets, answers, len(names))
    figures = [
        confusion_figure(confusion, names),
        per_class_figure(confusion, names, "texts"),
        mistakes_figure(data, probabilities, names),
        *matter_figures(task, model, data, probabilities),
        calibration_figure(probabilities, test.targets),
    ]
    return [figure for figure in figures if figure is not None]


def explain(task: ClassifyText, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw for every text the likeliest classes and which words mattered.

    Raises:
        DataError: for a file that cannot be read, or an input without a word.
    """
    figures = []
    for called, text in task.texts_of(inputs):
        matter = matter_of(model, text, task.spec)
        name = task.labels.names[matter.answer]
        figures.append(matter_figure(matter, name, cut(called, 60)))
    return figures


def mistakes_figure(
    data: LabelledData, probabilities: np.ndarray, names: Sequence[str]
) -> Figure | None:
    """List the surest wrong answers with their texts; None where every answer is right."""
    test, answers, sure = data.test, probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != test.targets)
    if len(wrong) == 0:
        return None
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:NUM_MISTAKES]
    rows = [
        (
            names[test.targets[i]], names[answers[i]], f"{100 * sure[i]:.0f} %",
            cut(test.records[i].text), test.records[i].place.replace("\\", "/").rsplit("/", 1)[-1],
        )
        for i in worst
    ]  # fmt: skip
    return Figure(
        "Most confident mistakes",
        f"{len(wrong):,} of {len(test):,} answers are wrong; these are the ones the model was "
        "surest of. Some may be wrong labels.",
        table(("truth", "answer", "sure", "text", "where"), rows),
    )


def matter_figures(
    task: ClassifyText, model: nn.Module, data: LabelledData, probabilities: np.ndarray
) -> list[Figure]:
    """Colour the words of a few held-out texts, right and wrong ones."""
    test, answers, sure = data.test, probabilities.argmax(axis=1), probabilities.max(axis=1)
    is_right = answers == test.targets
    figures = []
    for title, rows in (("right", np.flatnonzero(is_right)), ("wrong", np.flatnonzero(~is_right))):
        chosen = rows[np.argsort(-sure[rows], kind="stable")][: 50 * NUM_SHOWN : 50]
        for i in chosen[:NUM_SHOWN]:
            matter = matter_of(model, test.records[i].text, task.spec)
            truth = task.labels.names[test.targets[i]]
            what = f"Which words mattered: a {title} answer" + (
                "" if title == "right" else f" (truth: {truth})"
            )
            figures.append(matter_figure(matter, task.labels.names[matter.answer], what))
    return figures


def cut(text: str, most: int = MOST_LETTERS) -> str:
    """Return the beginning of a long text, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
