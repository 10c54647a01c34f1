"""A text, to continue, or to learn word vectors of (`kinds.near_words`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.stage import Recipe, Stage
from samoyed.data.large_text import LargeTextSource
from samoyed.kinds.parts import Assembly, Plain
from samoyed.row import Row

FORGET = 0.03
"""Of words: a net that always carries its memory on may know no beginning (Melis et al. 2018,
sec. 4), and held-out texts are read from an empty one."""

MOST_UNKNOWN = {"character": 0.02, "word": 0.2}
"""Of the units of another text, from which it is said how many the run does not know: rare words
are unknown in any text."""

MOST_ASIDE, SHARE_ASIDE = 30_000, 0.03
"""Units kept aside at most, and of a training part without a validation part such a share."""


def num_aside(row: Row, source: Any) -> int:
    """Return how many units are looked at after every pass; tables are counted in one."""
    if row.pretrained == "tables":
        return 0
    return min(MOST_ASIDE, source.num_valid or int(SHARE_ASIDE * source.num_train))


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for this text, and the task."""
    if row.asked == "embed":
        from samoyed.tasks.embed import Embed

        return system.Config(), system.recipe_for(source.num_train), Embed(source.spec)
    from samoyed.tasks.continue_text import ContinueText

    recipe = system.recipe_for(source.spec, size) if row.has_sizes else system.RECIPE
    forget = FORGET if source.spec.unit == "word" else 0.0
    task = ContinueText(
        source.spec, mixed_with=row.mixed_with, forget=forget, num_aside=num_aside(row, source)
    )
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

    assembly = plain.with_data(data, lambda: system.build(plain.config, data.spec), stages_with)
    return replace(assembly, notes=aside_in_words(plain.task, len(data.valid)))


def aside_in_words(task: Any, num_valid: int) -> tuple[str, ...]:
    """Say what is kept aside, in one line, or nothing."""
    if not task.num_aside:
        return ()
    unit = task.spec.unit
    if num_valid:
        which = f"the first {min(task.num_aside, num_valid):,} of the {unit}s for choices"
    else:
        which = f"{task.num_aside:,} of the {unit}s for training, which are not learned from"
    return (f"looked at after every pass, to keep the best weights: {which}",)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the test part of another text in the run's symbols, or all where it has none.

    Of one that memory does not hold only the end is read where it has none.
    """
    text = source.load_to_measure(task.spec)
    which = "its test part" if source.has_test else "all of it"
    if isinstance(source, LargeTextSource) and not source.has_test:
        which = f"its last {len(text.test):,} {task.spec.unit}s"
    strange = np.count_nonzero(text.test == len(task.spec) - 1) / max(1, len(text.test))
    if strange > MOST_UNKNOWN.get(task.spec.unit, 1.0):
        which += f"; {strange:.0%} of its {task.spec.unit}s are not known to the run"
    if task.name == "embed":
        from samoyed.kinds.near_words import prepared, refuse_lonely

        data = prepared(task, text)
        refuse_lonely(source.path, data.test)
        return data, which
    return text, which
