"""A table, to answer a question about its rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.seeding import numpy_generator
from samoyed.core.settings import dials
from samoyed.core.stage import Recipe, Stage
from samoyed.kinds.parts import Assembly, Plain
from samoyed.kinds.tasks import TABLE_TASKS, TASKS
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for this table, and the task."""
    module, name = TASKS[TABLE_TASKS[source.target.kind]]
    task = getattr(importlib.import_module(module), name)(source.spec, source.target)
    if not row.is_varied and "label_smoothing" in dials(task):  # the papers' protocols
        task = replace(task, label_smoothing=0.0)
    recipe = system.recipe_for(source.num_train) if row.has_sizes else system.RECIPE
    return replace(system.Config(), **row.sizes[size]), recipe, task


def join(plain: Plain, system: ModuleType) -> Assembly:
    """A table, to answer a question about its rows."""
    data = plain.source.load()
    num = plain.data_settings.num_labels
    learned = data
    if num is not None and num < len(data.train):
        order = numpy_generator(plain.seed, "labels").permutation(len(data.train))
        learned = replace(data, train=data.train.some(np.sort(order[:num])))

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        for stage in plain.task.stages(model, learned, recipe, plain.seed):
            if plain.row.stages is None:
                yield stage
            else:
                yield from plain.row.stages(model, plain.config, stage.feed, stage, plain.seed)

    def make_model() -> nn.Module:
        return system.build(plain.config, data.spec, data.target)

    return plain.with_data(data, make_model, stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the rows of another table, which was opened to be held out whole."""
    return source.load(), "every row"
