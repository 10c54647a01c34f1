"""A world, to play."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.kinds.parts import Assembly, Plain
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for this world, and the task."""
    from samoyed.tasks.play import Play

    config, recipe = system.fit(source.spec)
    return config, recipe, Play(source.spec)


def join(plain: Plain, system: ModuleType) -> Assembly:
    """A world, to play."""
    source = plain.source

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return system.stages(model, plain.config, source, recipe, plain.seed)

    return plain.with_data(source, lambda: system.build(plain.config, source.spec), stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the world: fresh episodes of it are played."""
    return source, "fresh episodes"
