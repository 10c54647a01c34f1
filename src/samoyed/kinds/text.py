"""A text, to continue, or to learn word vectors of (`kinds.near_words`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.data.large_text import LargeTextSource
from samoyed.kinds.parts import Assembly, Plain
from samoyed.row import Row

FORGET = 0.03
"""Of words: a net that always carries its memory on may know no beginning (Melis et al. 2018,
sec. 4), and held-out texts are read from an empty one."""


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for this text, and the task."""
    if row.asked == "embed":
        from samoyed.tasks.embed import Embed

        return system.Config(), system.recipe_for(source.num_train), Embed(source.spec)
    from samoyed.tasks.continue_text import ContinueText

    recipe = system.recipe_for(source.spec) if row.has_sizes else system.RECIPE
    forget = FORGET if source.spec.unit == "word" else 0.0
    task = ContinueText(source.spec, mixed_with=row.mixed_with, forget=forget)
    return replace(system.Config(), **row.sizes[size]), recipe, task


def join(plain: Plain, system: ModuleType) -> Assembly:
    """A text, to continue or to learn word vectors of."""
    if plain.task.name == "embed":
        from samoyed.kinds import near_words

        return near_words.join(plain, system)
    data = plain.source.load()

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return plain.task.stages(
            model, system, plain.config, data, recipe, plain.seed, plain.row.stages
        )

    return plain.with_data(data, lambda: system.build(plain.config, data.spec), stages_with)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the test part of another text in the run's symbols, or all where it has none.

    Of one that memory does not hold only the end is read where it has none.
    """
    text = source.load_to_measure(task.spec)
    which = "its test part" if source.has_test else "all of it"
    if isinstance(source, LargeTextSource) and not source.has_test:
        which = f"its last {len(text.test):,} {task.spec.unit}s"
    if task.name == "embed":
        from samoyed.kinds.near_words import prepared, refuse_lonely

        data = prepared(task, text)
        refuse_lonely(source.path, data.test)
        return data, which
    return text, which
