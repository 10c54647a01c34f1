"""Figures of a net that completes facts: what it found out, what it got wrong, single answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from samoyed.data.facts import FactData
from samoyed.runs.drawing import Figure, bar_chart, table
from samoyed.tasks.complete import Complete, is_completed, question_of

NUM_ROWS = 30
NUM_BARS = 8


def draw(
    task: Complete, model: nn.Module, data: FactData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures."""
    figures = []
    if task.has_held:
        figures.append(_answers(
            task, model, data, True, "Questions that it was never told the answer to",
            "The held-out questions. Their answers follow only from what the net made of other "
            "facts about the same subjects and relations.",
        ))  # fmt: skip
    figures.append(_answers(
        task, model, data, False, "What it did not learn",
        "Questions that it was told the answer to and yet does not get right.",
    ))  # fmt: skip
    return [figure for figure in figures if figure is not None]


def _answers(
    task: Complete, model: nn.Module, data: FactData, is_held: bool, title: str, caption: str
) -> Figure | None:
    """List held-out questions with what the net says, or learned ones that it gets wrong."""
    questions, answers = data.part(is_held)
    device = next(model.parameters()).device
    chances = task.chances(model, questions, device)
    is_right = is_completed(chances, answers)
    spec, rows = data.spec, []
    for place, (subject, relation) in enumerate(questions.tolist()):
        if not is_held and is_right[place]:
            continue
        num = int(answers[place].sum())
        told = chances[place].topk(num).indices.tolist()
        rows.append((
            f"{spec.subjects[subject]} {spec.relations[relation]}",
            ", ".join(spec.objects[k] for k in answers[place].nonzero()[:, 0].tolist()),
            ", ".join(f"{spec.objects[k]} ({chances[place, k]:.2f})" for k in told),
            "yes" if is_right[place] else "no",
        ))  # fmt: skip
    if not rows:
        return None
    return Figure(title, caption, table(("question", "right", "surest", "found"), rows[:NUM_ROWS]))


def explain(task: Complete, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw how sure each object is, for each question.

    Raises:
        DataError: for names that were not learned.
    """
    figures = []
    for answer in task.answer(model, inputs, next(model.parameters()).device):
        subject, relation = question_of(answer.input, task.spec)
        bars = [(name, 100 * p, 100 * p, 100 * p) for name, p in answer.details[:NUM_BARS]]
        figures.append(
            Figure(
                f"{task.spec.subjects[subject]} {task.spec.relations[relation]}",
                "How sure the net is of each object; what is above one half counts as an answer.",
                bar_chart(bars, unit="%"),
                said=f"{answer.input}: {answer.answer}",
            )
        )
    return figures
