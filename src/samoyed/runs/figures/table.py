"""Which file draws for which task and system: the explicit table."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from samoyed.runs.drawing import Figure

TASKS = {
    "classify": "samoyed.runs.figures.classify",
    "classify_labels": "samoyed.runs.figures.classify_labels",
    "classify_table": "samoyed.runs.figures.table_rows",
    "regress_table": "samoyed.runs.figures.table_rows",
    "classify_several": "samoyed.runs.figures.table_rows",
    "classify_text": "samoyed.runs.figures.classify_text",
    "classify_trees": "samoyed.runs.figures.classify_trees",
    "tag": "samoyed.runs.figures.tag",
    "continue_text": "samoyed.runs.figures.continue_text",
    "embed": "samoyed.runs.figures.embed",
    "translate": "samoyed.runs.figures.translate",
    "complete": "samoyed.runs.figures.complete",
    "remember": "samoyed.runs.figures.remember",
    "play": "samoyed.runs.figures.play",
}
# Systems with figures of their own, drawn before the task's.
SYSTEMS = {
    "deep_belief_net": "samoyed.runs.figures.deep_belief_net",
    "family_trees": "samoyed.runs.figures.family_trees",
    "semantic_network": "samoyed.runs.figures.semantic_network",
}


def draw(
    system: str, task: Any, model: nn.Module, data: Any, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures of what was learned."""
    figures: list[Figure] = []
    if system in SYSTEMS:
        figures += importlib.import_module(SYSTEMS[system]).draw(task, model, data, history)
    return figures + importlib.import_module(TASKS[task.name]).draw(task, model, data, history)


def explain(task: Any, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw what the model makes of these inputs."""
    return importlib.import_module(TASKS[task.name]).explain(task, model, inputs)
