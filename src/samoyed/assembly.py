"""From a path and a row of the catalog to everything training needs, for each kind of data."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any, Protocol

import numpy as np
from annotated_types import Gt
from torch import nn

from samoyed.catalog import Row, find
from samoyed.core.errors import OptionError, RunError, did_you_mean
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.settings import apply, dials, from_json
from samoyed.core.spec import ImageSpec, TableSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.tables import TableAsk
from samoyed.opening import open_source


class Source(Protocol):
    """What a reader found; nothing is decoded yet."""

    kind: str
    name: str
    path: str
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str

    def describe(self) -> list[str]:
        """Say in plain lines what was found."""
        ...


class Task(Protocol):
    """The question asked."""

    name: str
    headline: str

    def score(
        self, model: nn.Module, data: Any, device: Any = "cpu", limit: int | None = None,
        seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out part, the headline first."""
        ...

    def answer(self, model: nn.Module, inputs: Any, device: Any = "cpu") -> list[Answer]:
        """Answer the task's question for each input."""
        ...


@dataclass(frozen=True)
class DataSettings:
    """Dials of the data that `--set` reaches.

    Args:
        num_labels: train on the labels of only this many examples (pictures: spread over the
            classes; rows: at random); pre-training still sees every example.
    """

    num_labels: Annotated[int, Gt(0)] | None = None


@dataclass(frozen=True)
class Assembly:
    """A question, put together: data, task, model and how to train it."""

    row: Row
    size: str
    source: Any
    data: Any
    task: Any
    config: Any
    recipe: Recipe
    seed: int
    data_settings: DataSettings
    make_model: Callable[[], nn.Module]
    stages_with: Callable[[nn.Module, Recipe], Iterator[Stage]]
    notes: tuple[str, ...] = ()

    def make_stages(self, model: nn.Module) -> Iterator[Stage]:
        """Yield the stages of training."""
        return self.stages_with(model, self.recipe)

    def lasting(self, epochs: float) -> Assembly:
        """Return the same with a recipe of so many passes: what falls over a run falls in them."""
        return replace(self, recipe=replace(self.recipe, epochs=epochs))


def assemble(
    row: Row,
    source: Any,
    *,
    size: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    seed: int = 0,
    epochs: float | None = None,
    extra_groups: tuple[Any, ...] = (),
) -> tuple[Assembly, list[Any]]:
    """Put a question together.

    Args:
        row: the system.
        source: the data.
        size: one of the system's sizes, or None to choose it.
        settings: `--set` keys and values.
        seconds: how long training may take, if the user said so.
        seed: decides initial weights and the order of examples.
        epochs: passes through the data, if the user said so.
        extra_groups: further settable dataclasses of the caller.

    Returns:
        The assembly and the extra groups with their settings applied.

    Raises:
        OptionError: for a size or a setting that does not exist.
    """
    system = row.load()
    if size is None:
        size = next(iter(row.sizes))
        if row.has_sizes:
            size = system.recommend(source.spec, source.num_train, seconds)
    if size not in row.sizes:
        raise OptionError(
            "--size", f"a size of {row.name}: " + ", ".join(row.sizes), repr(size),
            did_you_mean(size, row.sizes).strip(),
        )  # fmt: skip
    config, recipe, task = _defaults(row, system, source, size)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    groups = [config, recipe, DataSettings(), task, *extra_groups]
    config, recipe, data_settings, task, *extra = apply(settings or {}, groups)
    if source.kind == "images":  # how large they may be is one of the dials
        task = replace(task, spec=system.accepts(config, source.spec))
    plain = _Plain(row, size, source, task, config, recipe, seed, data_settings)
    return BUILDERS[source.kind](plain, system), extra


def assemble_again(config: Mapping[str, Any], source: Any) -> Assembly:
    """Put a run's question together again, over its own data or other data of the same kind.

    Raises:
        RunError: when the data is of another kind or has other classes.
    """
    row = find(config["system"])
    system = row.load()
    if not row.takes(source.kind):
        raise RunError(source.path, f"{row.given}, as the run learned from", source.kind)
    task = reassemble(config)
    if source.kind == "images" and source.asked != task.name:
        raise RunError(
            source.path, f"pictures to {task.name.replace('_', ' ')}, as the run learned",
            f"pictures to {source.asked.replace('_', ' ')}",
        )  # fmt: skip
    if source.kind == "images" and source.labels != task.labels:
        raise RunError(
            source.path, f"the run's classes: {first_names(task.labels.names)}",
            f"the classes {first_names(source.labels.names)}",
        )  # fmt: skip
    plain = _Plain(
        row, config["size"], source, task, from_json(system.Config, config["config"]),
        from_json(Recipe, config["recipe"]), config["seed"],
        from_json(DataSettings, config["data_settings"]),
    )  # fmt: skip
    return BUILDERS[source.kind](plain, system)


def first_names(names: Sequence[str], most: int = 10) -> str:
    """List the first names and say how many more there are.

    >>> first_names(("daisy", "rose", "tulip"), most=2)
    'daisy, rose and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def open_again(config: Mapping[str, Any], data: str | None = None) -> Any:
    """Open a run's own data again, or other data of the same kind to measure the run on.

    Raises:
        DataError: when there is no such data or it cannot be used.
    """
    on_bad, place = config["request"]["on_bad"], config["data"] if data is None else data
    if "about_table" not in config:
        return open_source(place, on_bad=on_bad, seed=config["split_seed"])
    ask = TableAsk(**config["about_table"])
    if config["task"]["name"] not in TABLE_TASKS.values():  # a table that names pictures
        ask = replace(ask, task=None, test=ask.test if data is None else None)
        return open_source(place, on_bad=on_bad, seed=config["split_seed"], ask=ask)
    if data is None:
        return open_source(config["data"], on_bad=on_bad, seed=config["split_seed"], ask=ask)
    from samoyed.data.tables import scan_held_out

    task = reassemble(config)
    return scan_held_out(data, task.spec, task.target, on_bad=on_bad)


def reassemble(config: Mapping[str, Any]) -> Any:
    """Return the task a run answers, from its config.json."""
    module, name = TASKS[config["task"]["name"]]
    fields = {key: value for key, value in config["task"].items() if key != "name"}
    return from_json(getattr(importlib.import_module(module), name), fields)


def rebuild(config: Mapping[str, Any]) -> nn.Module:
    """Return a run's model, with weights yet to be loaded."""
    row = find(config["system"])
    system = row.load()
    task = reassemble(config)
    held = from_json(system.Config, config["config"])
    given: tuple[Any, ...] = (task.spec,)
    if isinstance(task.spec, ImageSpec):
        given = (task.spec, task.labels)
    elif isinstance(task.spec, TableSpec):
        given = (task.spec, task.target)
    return system.build(held, *given)


TABLE_TASKS = {
    "classes": "classify_table", "number": "regress_table", "binaries": "classify_several",
}  # fmt: skip
TASKS = {
    "classify": ("samoyed.tasks.classify", "Classify"),
    "classify_labels": ("samoyed.tasks.classify_labels", "ClassifyLabels"),
    "classify_table": ("samoyed.tasks.table_classify", "ClassifyTable"),
    "regress_table": ("samoyed.tasks.table_regress", "RegressTable"),
    "classify_several": ("samoyed.tasks.table_several", "ClassifySeveral"),
    "continue_text": ("samoyed.tasks.continue_text", "ContinueText"),
    "play": ("samoyed.tasks.play", "Play"),
}


@dataclass(frozen=True)
class _Plain:
    """An assembly before the data is decoded."""

    row: Row
    size: str
    source: Any
    task: Any
    config: Any
    recipe: Recipe
    seed: int
    data_settings: DataSettings

    def with_data(
        self, data: Any, make_model: Callable[[], nn.Module],
        stages_with: Callable[[nn.Module, Recipe], Iterator[Stage]],
    ) -> Assembly:  # fmt: skip
        return Assembly(
            self.row, self.size, self.source, data, self.task, self.config, self.recipe, self.seed,
            self.data_settings, make_model, stages_with,
        )  # fmt: skip


def _defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's own Config and Recipe for this data, and the task."""
    if source.kind == "table":
        return _table_defaults(row, system, source, size)
    if source.kind == "images":
        module, name = TASKS[source.asked]
        config = replace(system.Config(), **row.sizes[size])
        asked = getattr(importlib.import_module(module), name)
        task = asked(system.accepts(config, source.spec), source.labels)
        if not row.is_varied:  # the papers' protocols: no distortions, plain targets
            task = replace(task, augmentation="none", label_smoothing=0.0)
        recipe = system.recipe_for(source.num_train) if row.has_sizes else system.RECIPE
        return config, recipe, task
    if row.given == "text":
        from samoyed.tasks.continue_text import ContinueText

        return system.Config(), system.RECIPE, ContinueText(source.spec)
    from samoyed.tasks.play import Play

    config, recipe = system.fit(source.spec)
    return config, recipe, Play(source.spec)


def _table_defaults(
    row: Row, system: ModuleType, source: Any, size: str
) -> tuple[Any, Recipe, Any]:
    module, name = TASKS[TABLE_TASKS[source.target.kind]]
    task = getattr(importlib.import_module(module), name)(source.spec, source.target)
    if not row.is_varied and "label_smoothing" in dials(task):  # the papers' protocols
        task = replace(task, label_smoothing=0.0)
    recipe = system.recipe_for(source.num_train) if row.has_sizes else system.RECIPE
    return replace(system.Config(), **row.sizes[size]), recipe, task


def _table(plain: _Plain, system: ModuleType) -> Assembly:
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


def _text(plain: _Plain, system: ModuleType) -> Assembly:
    """A text, to continue."""
    data = plain.source.load()

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return plain.task.stages(
            model, system, plain.config, data, recipe, plain.seed, plain.row.stages
        )

    return plain.with_data(data, lambda: system.build(plain.config, data.spec), stages_with)


def _world(plain: _Plain, system: ModuleType) -> Assembly:
    """A world, to play."""
    source = plain.source

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return system.stages(model, plain.config, source, recipe, plain.seed)

    return plain.with_data(source, lambda: system.build(plain.config, source.spec), stages_with)


def _images(plain: _Plain, system: ModuleType) -> Assembly:
    """Pictures, to classify."""
    spec = plain.task.spec
    data = plain.source.load(spec)
    choice = plain.task.variations(data.train)
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
    if spec != plain.source.spec:
        notes.insert(0, f"pictures brought to {spec.width} x {spec.height} pixels")

    def make_model() -> nn.Module:
        return system.build(plain.config, spec, data.labels)

    return replace(plain.with_data(data, make_model, stages_with), task=task, notes=tuple(notes))


BUILDERS = {"images": _images, "table": _table, "text": _text, "world": _world}
