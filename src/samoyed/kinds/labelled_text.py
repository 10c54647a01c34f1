"""Texts with a class each, to classify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers
from samoyed.row import Row
from samoyed.tasks.picture_training import spread


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these texts, and the task."""
    from samoyed.tasks.classify_text import ClassifyText

    recipe = system.recipe_for(source.num_train) if row.has_sizes else system.RECIPE
    config = replace(system.Config(), **row.sizes[size])
    task = ClassifyText(
        source.spec, source.labels, column=source.column, is_whole=source.is_whole,
        form=source.form,
    )  # fmt: skip
    return config, recipe, task


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Texts with a class each, to classify."""
    data = plain.source.load()
    num, learned = plain.data_settings.num_labels, data
    if num is not None and num < len(data.train):
        chosen = spread(data.train.targets, num, plain.seed)
        learned = replace(data, train=data.train.some(chosen))

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        for stage in plain.task.stages(model, learned, recipe, plain.seed):
            if plain.row.stages is None:
                yield stage
            else:
                yield from plain.row.stages(model, plain.config, data.train.rows, stage, plain.seed)

    def make_model() -> nn.Module:
        return system.build(plain.config, plain.task.spec, data.labels)

    return plain.with_data(data, make_model, stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the texts of other data to score, and which they are.

    Raises:
        RunError: for classes that the run does not know.
    """
    refuse_strangers(source.path, "classes", task.labels.names, source.labels.names)
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    return source.to_measure(task.spec, task.labels), which
