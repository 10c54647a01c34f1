"""Facts of three parts, to be completed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.data.facts import FactData, numbered
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these facts, and the task."""
    from samoyed.tasks.complete import Complete

    task = Complete(source.spec, source.num_held > 0)
    return replace(system.Config(), **row.sizes[size]), system.RECIPE, task


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Facts, to be completed; the seed decides which questions are held out."""
    data = plain.source.load(plain.seed)

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        for stage in plain.task.stages(data, recipe):
            if plain.row.stages is None:
                yield stage
            else:
                yield from plain.row.stages(model, plain.config, stage.feed, stage, plain.seed)

    return plain.with_data(data, lambda: system.build(plain.config, data.spec), stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return all facts of another file about what the run knows.

    Raises:
        RunError: for names that the run does not know.
    """
    spec, other = task.spec, source.spec
    refuse_strangers(source.path, "subjects", spec.subjects, other.subjects)
    refuse_strangers(source.path, "relations", spec.relations, other.relations)
    refuse_strangers(source.path, "objects", spec.objects, other.objects)
    data = numbered(source.facts, spec)
    held = np.ones(len(data.questions), dtype=bool)
    return FactData(spec, data.questions, data.answers, held), "all of its questions"
