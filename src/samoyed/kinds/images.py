"""Pictures, to classify."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.errors import RunError, first_names
from samoyed.core.settings import dials
from samoyed.core.spec import ImageSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.augmentation import Choice
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers
from samoyed.kinds.tasks import TASKS
from samoyed.row import Row
from samoyed.tasks.picture_training import to_choose_by, to_temper_on

MIRRORED = "is_mirrored"
"""The dial of systems that can judge a picture together with its mirror image."""


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these pictures, and the task."""
    module, name = TASKS[source.asked]
    config = replace(system.Config(), **row.sizes[size])
    if MIRRORED in dials(config):  # of runs made before there was this dial it is off
        config = replace(config, **{MIRRORED: None})
    asked = getattr(importlib.import_module(module), name)
    task = asked(accepted(system, config, source.spec), source.labels)
    if not row.is_varied:  # the papers' protocols: no distortions, plain targets
        plain = {"augmentation": "none", "label_smoothing": 0.0, "is_tempered": False}
        task = replace(task, **{name: plain[name] for name in plain if name in dials(task)})
    recipe = system.recipe_for(source.num_train) if row.has_sizes else system.RECIPE
    return config, recipe, task


def accepted(system: ModuleType, config: Any, spec: ImageSpec) -> ImageSpec:
    """Return what a system wants pictures brought to, their files read as the data's are."""
    wanted: ImageSpec = system.accepts(config, spec)
    return replace(wanted, gray_bits=spec.gray_bits)


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Pictures, to classify."""
    spec = plain.task.spec
    data = plain.source.load(spec)
    choice = plain.task.variations(data.train)
    plain = replace(plain, config=_mirrored_or_not(plain.config, choice))
    task = replace(plain.task, augmentation=",".join(choice.names) or "none")
    own_stages = plain.row.stages

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        around = None
        if own_stages is not None:
            around = lambda feed, stage: own_stages(model, plain.config, feed, stage, plain.seed)  # noqa: E731
        return task.stages(
            model, data, recipe, plain.seed, system_stages=around,
            system_loss=plain.row.loss, num_labels=plain.data_settings.num_labels,
        )  # fmt: skip

    notes = [choice.describe()] if plain.row.is_varied else []
    if getattr(plain.config, MIRRORED, False):
        notes.append("a picture is judged by itself and its mirror image")
    if data.validation is not None and own_stages is None:
        num = len(to_choose_by(data.validation, len(data.train)))
        notes.append(
            f"validation: of all epochs, the weights that do best on {num:,} of its pictures"
        )
    if getattr(task, "is_tempered", False) and plain.data_settings.num_labels is None:
        aside, learned = to_temper_on(data, plain.seed)
        if aside is not None:
            kept = "of the validation part" if learned is None else "kept from learning"
            notes.append(f"how sure it is: set by {len(aside[1]):,} pictures {kept}")
    if spec != plain.source.spec:
        notes.insert(0, f"pictures brought to {spec.width} x {spec.height} pixels")

    def make_model() -> nn.Module:
        return system.build(plain.config, spec, data.labels)

    return replace(plain.with_data(data, make_model, stages_with), task=task, notes=tuple(notes))


def _mirrored_or_not(config: Any, choice: Choice) -> Any:
    """Let a system that can judge mirror images do so where they are learned from."""
    if getattr(config, MIRRORED, False) is not None:
        return config
    return replace(config, **{MIRRORED: "flip" in choice.names})


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the pictures of other data to score, brought to the run's classes, and which they are.

    Raises:
        RunError: for another question, or classes that the run does not know.
    """
    if source.asked != task.name:
        raise RunError(
            source.path, f"pictures to {task.name.replace('_', ' ')}, as the run learned",
            f"pictures to {source.asked.replace('_', ' ')}",
        )  # fmt: skip
    refuse_strangers(source.path, "classes", task.labels.names, source.labels.names)
    if task.name != "classify" and source.labels != task.labels:
        raise RunError(
            source.path, f"the run's labels: {first_names(task.labels.names)}",
            f"the labels {first_names(source.labels.names)}",
        )  # fmt: skip
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    measured = source.to_measure(task.labels)
    data = measured.load(task.spec)
    if bad := measured.skipped[len(source.skipped) :]:
        which += f"; {len(bad):,} cannot be decoded and are left out (first: {bad[0]})"
    return data, which
