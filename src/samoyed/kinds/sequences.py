"""Sequences that are drawn as they are needed, to be answered at their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.errors import RunError
from samoyed.core.stage import Recipe, Stage
from samoyed.kinds.parts import Assembly, Plain
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for this problem, and the task."""
    from samoyed.tasks.remember import Remember

    return replace(system.Config(), **row.sizes[size]), system.RECIPE, Remember(source.spec)


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Sequences, to be answered at their end."""
    data = plain.source.load()

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        for stage in plain.task.stages(recipe, plain.seed):
            if plain.row.stages is None:
                yield stage
            else:
                yield from plain.row.stages(model, plain.config, stage.feed, stage, plain.seed)

    return plain.with_data(data, lambda: system.build(plain.config, data.spec), stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return sequences of the same problem, which may be longer or shorter.

    Raises:
        RunError: for another problem.
    """
    if source.spec.problem != task.spec.problem:
        raise RunError(source.path, f"the run's problem, {task.spec.problem}", source.spec.problem)
    return source.load(), f"held-out sequences of {source.spec.length} steps and more"
