"""Sentence pairs, to translate one language into the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.errors import RunError
from samoyed.core.stage import Recipe, Stage
from samoyed.data.pair_feed import unknown_share
from samoyed.kinds.parts import Assembly, Plain
from samoyed.metrics.translation import need_sacrebleu
from samoyed.row import Row


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these pairs, and the task."""
    from samoyed.tasks.translate import Translate

    need_sacrebleu()  # rather now than after the training
    return system.Config(), system.RECIPE, Translate()


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Sentence pairs, to translate; the units are chosen here, unless the run has them already."""
    task = plain.task
    if task.spec is None:
        spec = plain.source.fit_units(task.unit, task.num_symbols)
        task = replace(task, spec=spec, places=plain.source.places)
    data = plain.source.load(task.spec)

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return task.stages(model, data, recipe, plain.seed)

    joined = plain.with_data(data, lambda: system.build(plain.config, task.spec), stages_with)
    kind = {"bpe": "pieces of words", "word": "words", "character": "characters"}[task.unit]
    note = f"units: {len(task.spec.source):,} and {len(task.spec.target):,} {kind}"
    sides = zip(
        task.spec.names, (data.test.source, data.test.target), (task.spec.source, task.spec.target),
        strict=True,
    )  # fmt: skip
    shares = [f"{unknown_share(said, units):.2%} in {name}" for name, said, units in sides]
    note += "; of the held-out ones are unknown " + " and ".join(shares)
    return replace(joined, task=task, notes=(note,))


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the test part of other pairs, or all of them, and say which.

    Raises:
        RunError: when they are of other languages.
    """
    if source.names != task.spec.names:
        raise RunError(
            source.path, " to ".join(task.spec.names) + ", as the run learned",
            " to ".join(source.names),
        )  # fmt: skip
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    return source.load_to_measure(task.spec), which
