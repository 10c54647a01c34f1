"""Sentences as trees with a class for every phrase, to classify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these trees, and the task."""
    from samoyed.tasks.classify_trees import ClassifyTrees

    config = replace(system.Config(), **row.sizes[size])
    return config, system.RECIPE, ClassifyTrees(source.spec, source.labels)


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Trees with a class for every phrase, to classify."""
    data, task = plain.source.load(), plain.task

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        yield from task.stages(model, data, recipe, plain.seed, system.loss)

    return plain.with_data(
        data, lambda: system.build(plain.config, task.spec, task.labels), stages_with
    )


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the trees of other data to score, and which they are.

    Raises:
        RunError: for classes that the run does not know.
    """
    refuse_strangers(source.path, "classes", task.labels.names, source.labels.names)
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    return source.to_measure(task.spec, task.labels), which
