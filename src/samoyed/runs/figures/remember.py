"""Figures of a memory: how its error falls, how far back its gradient reaches, single answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.metrics import classification
from samoyed.runs.drawing import Figure, line_chart, table
from samoyed.runs.figures.classify import confusion_figure
from samoyed.tasks.remember import CLOSE, Remember, error_of
from samoyed.worlds.sequences import SYMBOLS, SequenceData

NUM_ROWS = 8
NUM_SEQUENCES = 128
FAINTEST = 1e-30


def draw(
    task: Remember, model: nn.Module, data: SequenceData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures."""
    figures = [_learning(task, history)]
    inputs, answers = data.groups[0]
    reach = gradient_by_distance(model, inputs[:NUM_SEQUENCES], answers[:NUM_SEQUENCES])
    figures.append(_reach(reach))
    values = np.concatenate([task.values(model, group) for group, _ in data.groups])
    if task.spec.names:
        counts = classification.confusion_matrix(
            data.answers, values.argmax(1), len(task.spec.names)
        )
        figures.append(confusion_figure(counts, task.spec.names))
    else:
        figures.append(_numbers(values[:, 0], data.answers))
    return [figure for figure in figures if figure is not None]


def explain(task: Remember, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw, for each sequence, how much the answer depends on what each step brought."""
    figures = []
    for given in inputs or ["0"]:
        sequence, right = task.sequence(given)
        [answer] = task.answer(model, [given])
        strength = dependence(model, sequence)[:, 0]
        shown = [(float(t), float(s)) for t, s in enumerate(strength, 1)]
        top = sorted(range(len(strength)), key=lambda t: -strength[t])[:NUM_ROWS]
        rows = [(str(t + 1), _step(sequence[0, t], task), f"{strength[t]:.3g}") for t in top]
        known = "" if right is None else f" Right is {task.written(right)}."
        figures.append(
            Figure(
                f"Sequence {given[:40]}",
                f"The answer is {answer.answer}.{known} The curve is the length of the gradient of "
                "the answer by what a step brought: where it is high, a change would matter.",
                line_chart({"dependence": shown}, x_label="step", y_label="gradient")
                + table(("step", "brought", "gradient"), rows),
                said=f"{answer.answer}: depends most on step {top[0] + 1}, "
                f"{_step(sequence[0, top[0]], task)}",
            )
        )
    return figures


def _step(brought: Tensor, task: Remember) -> str:
    if task.spec.names:
        return SYMBOLS[int(brought.argmax())]
    return ", ".join(f"{value:g}" for value in brought.tolist())


def dependence(model: nn.Module, inputs: Tensor) -> np.ndarray:
    """Return (L, N): the norm of the gradient of the largest value by each step's input."""
    given = inputs.clone().requires_grad_()
    values = model(given).values
    [slopes] = torch.autograd.grad(values.amax(1).sum(), given)
    found: np.ndarray = slopes.norm(dim=2).t().double().cpu().numpy()
    return found


def gradient_by_distance(model: nn.Module, inputs: Tensor, answers: Tensor) -> np.ndarray:
    """Return (L,): the norm of dE/du_t, mean over sequences, from the last step to the first.

    It is the gradient that arrives at the units of step t, through one and the same matrix.
    """
    given = inputs.clone().requires_grad_()
    error = error_of(model(given).values, answers) * len(answers)
    [slopes] = torch.autograd.grad(error, given)
    found: np.ndarray = slopes.norm(dim=2).mean(0).flip(0).double().cpu().numpy()
    return found


def _learning(task: Remember, history: Sequence[Mapping[str, Any]]) -> Figure | None:
    looks = [
        (float(e["step"]), 100 * float(e[task.headline])) for e in history if task.headline in e
    ]
    if len(looks) < 2:
        return None
    what = "answered right" if task.spec.names else f"answered within {CLOSE}"
    return Figure(
        "Held-out sequences while learning",
        f"The share that is {what}, in quick looks. A long flat stretch and then a sudden rise is "
        "usual: nothing is learned until the first trace of a far-away step is found.",
        line_chart({"share, %": looks}, x_label="update", y_label="%"),
    )


def _reach(norms: np.ndarray) -> Figure:
    points = [(float(k), float(norm)) for k, norm in enumerate(norms) if norm > FAINTEST]
    first, last = norms[1], norms[-1]
    factor = (last / first) ** (1 / max(1, len(norms) - 2)) if first > 0 and last > 0 else 0.0
    return Figure(
        "How far back the gradient reaches",
        "The norm of the error's gradient at each step, against its distance from the end, on a "
        "logarithmic scale. A straight fall is a gradient that vanishes (Hochreiter 1991; Bengio "
        f"et al. 1994); here it changes by a factor of {factor:.3f} a step on average.",
        line_chart({"gradient": points}, x_label="steps before the end", y_label="norm",
                   log_y=True),
    )  # fmt: skip


def _numbers(values: np.ndarray, answers: np.ndarray) -> Figure:
    order = np.argsort(-np.abs(values - answers))[:NUM_ROWS]
    rows = [
        (f"{answers[k]:.4f}", f"{values[k]:.4f}", f"{abs(values[k] - answers[k]):.4f}")
        for k in order
    ]
    return Figure(
        "Largest errors",
        f"The held-out sequences that are furthest off; right is an answer within {CLOSE}.",
        table(("right", "said", "error"), rows),
    )
