"""From a path and a row of the catalog to everything training needs, for each kind of data."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sized
from dataclasses import replace
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.catalog import find
from samoyed.core.errors import (
    DataError,
    OptionError,
    RunError,
    SamoyedError,
    did_you_mean,
    first_of,
)
from samoyed.core.settings import apply, from_json, refuse_dials
from samoyed.core.spec import OnBad
from samoyed.core.stage import Recipe
from samoyed.data.asked_kind import refuse_pictures, refuse_run
from samoyed.data.corpora import TextAsk
from samoyed.data.image_listing import Known
from samoyed.data.pair_files import PairAsk
from samoyed.data.tables import TableAsk
from samoyed.data.text_measured import KINDS, scan_measured
from samoyed.kinds import images
from samoyed.kinds.idle import idle_dials
from samoyed.kinds.parts import Assembly, DataSettings, Plain
from samoyed.kinds.tasks import TABLE_TASKS, TASKS
from samoyed.opening import open_source, refuse_missing
from samoyed.row import Row, kind_in_words


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
    size, groups = settle(
        row, source, size=size, settings=settings, seconds=seconds, epochs=epochs,
        extra_groups=extra_groups,
    )  # fmt: skip
    config, recipe, task, data_settings, *extra = groups
    system = row.load()
    if source.kind == "images":  # how large they may be is one of the dials
        task = replace(task, spec=images.accepted(system, config, source.spec))
    plain = Plain(row, size, source, task, config, recipe, seed, data_settings)
    return _kind(source.kind).join(plain, system), extra


def settle(
    row: Row,
    source: Any,
    *,
    size: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    epochs: float | None = None,
    extra_groups: tuple[Any, ...] = (),
) -> tuple[str, list[Any]]:
    """Return the size and the dials of what `assemble` makes, without preparing any data.

    It is told the same.

    Returns:
        The size, and the config, the recipe, the task, the data's and the extra groups' settings.

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
    config, recipe, task = _kind(source.kind).defaults(row, system, source, size)
    groups = [config, recipe, task, DataSettings(), *extra_groups]
    said = {**(settings or {}), **({} if epochs is None else {"epochs": epochs})}
    changed = apply(said, groups)
    config, recipe, task, *_ = changed
    refuse_dials(groups, changed, idle_dials(row, source.kind, task, config, recipe))
    return size, list(changed)


def assemble_again(config: Mapping[str, Any], source: Any = None) -> Assembly:
    """Put a run's question together again over its own data, which may be open already."""
    source = open_again(config) if source is None else source
    row = find(config["system"])
    system = row.load()
    plain = Plain(
        row, config["size"], source, reassemble(config), from_json(system.Config, config["config"]),
        from_json(Recipe, config["recipe"]), config["seed"],
        from_json(DataSettings, config["data_settings"]),
    )  # fmt: skip
    return _kind(source.kind).join(plain, system)


def to_measure_on(
    config: Mapping[str, Any], data: str, fingerprint: str, on_bad: OnBad | None = None
) -> tuple[Any, str]:
    """Open other data of the same kind, to measure a run on.

    Args:
        config: the run's config.json.
        data: where the other data is.
        fingerprint: of the data that the run learned from.
        on_bad: stop at what is bad, or skip it; None does as the run did.

    Returns:
        What the task scores, and in words which part of the data that is: its test part where it
        has one, all of it otherwise; of the very data that the run learned from only what was held
        out.

    Raises:
        RunError: when the data is of another kind or has other classes.
        DataError: when there is no such data or it cannot be used.
    """
    refuse_pictures([data], "the run", config["task"]["name"], is_measured=True)
    refuse_run(data)
    row = find(config["system"])
    name = config["task"]["name"]
    given = "table" if name in TABLE_TASKS.values() else KINDS.get(name, row.given)
    if given in ("images", "table", "text", *KINDS.values(), "pairs"):
        refuse_missing(data, f"{kind_in_words(given)}, as the run learned from")
    try:
        source = open_again(config, data, on_bad)
    except SamoyedError as error:
        if "samoyed train" in error.hint or error.place.startswith("--"):
            raise _of_another_kind(data, given, error.found) from None
        raise
    if source.kind != given and (given in KINDS.values() or not row.takes(source.kind)):
        raise _of_another_kind(source.path, given, kind_in_words(source.kind))
    is_its_table = fingerprint.startswith(f"{source.fingerprint}-")  # the rest is its test file's
    if source.fingerprint == fingerprint or is_its_table:
        which = "the part that was held out when the run learned"
        if source.kind != "images":
            return assemble_again(config).data, which
        held = source.load(reassemble(config).spec)
    else:
        held, which = _kind(source.kind).to_measure_on(reassemble(config), source)
    test = getattr(held, "test", None)
    if isinstance(test, Sized) and len(test) == 0:
        raise DataError(
            source.path, "examples that can be scored",
            f"none; left out as bad: {first_of(source.skipped)}"
            if source.skipped else "none",
            "Mend them, or name other data.",
        )  # fmt: skip
    if left := source.skipped:
        which += f"; left out as bad: {first_of(left)}"
    return held, which


def _of_another_kind(data: str, given: str, found: str) -> RunError:
    """Return the error for data of another kind than a run learned from."""
    return RunError(
        data, f"{kind_in_words(given)}, as the run learned from", found,
        "Give data of the kind that it learned from.",
    )  # fmt: skip


def open_again(
    config: Mapping[str, Any], data: str | None = None, on_bad: OnBad | None = None
) -> Any:
    """Open a run's own data again, or other data of the same kind to measure the run on.

    Args:
        config: the run's config.json.
        data: other data, or None.
        on_bad: stop at what is bad, or skip it; None does as the run did.

    Raises:
        DataError: when there is no such data or it cannot be used.
    """
    on_bad = config["request"]["on_bad"] if on_bad is None else on_bad
    place = config["data"] if data is None else data
    if data is not None and (held := scan_measured(data, reassemble(config), config, on_bad)):
        return held
    if "about_pairs" in config:
        if data is not None:
            return _other_pairs(data, reassemble(config), on_bad, config["split_seed"])
        pairs = PairAsk(**config["about_pairs"])
        return open_source(place, on_bad=on_bad, seed=config["split_seed"], pairs=pairs)
    if "about_table" not in config:
        said = _about_text(config)
        asked = None if said is None else TableAsk(task=config["task"]["name"])
        return open_source(
            place, on_bad=on_bad, seed=config["split_seed"], ask=asked, about_text=said,
            known=None if data is None else _known(config),
        )  # fmt: skip
    ask = TableAsk(**config["about_table"])
    if config["task"]["name"] not in TABLE_TASKS.values():  # a table that names pictures
        ask = replace(ask, task=None, test=ask.test if data is None else None)
        known = None if data is None else _known(config)
        return open_source(place, on_bad=on_bad, seed=config["split_seed"], ask=ask, known=known)
    if data is None:
        return open_source(config["data"], on_bad=on_bad, seed=config["split_seed"], ask=ask)
    from samoyed.data.tables import scan_held_out

    task = reassemble(config)
    return scan_held_out(data, task.spec, task.target, on_bad=on_bad)


def _known(config: Mapping[str, Any]) -> Known | None:
    """Return what a run about pictures knows, or None of a run about something else."""
    name = config["task"]["name"]
    if name not in ("classify", "classify_labels"):
        return None
    return Known(tuple(config["task"]["labels"]["names"]), name == "classify_labels")


def _other_pairs(data: str, task: Any, on_bad: OnBad, seed: int) -> Any:
    """Open other pairs: in the run's languages, and in its columns where nothing else tells.

    Raises:
        DataError: when they are not told there.
    """
    source, target = task.spec.names
    ask = PairAsk(source, target, task.places, is_measured=True)
    try:
        return open_source(data, on_bad=on_bad, seed=seed, pairs=ask)
    except OptionError as error:
        raise DataError(
            data, f"sentences in {source} and {target}, as the run learned", error.found,
            f"Name the columns {source} and {target} in the first line, or end the names of two "
            f"files in .{source} and .{target}.",
        ) from None  # fmt: skip


def _about_text(config: Mapping[str, Any]) -> TextAsk | None:
    """Return the units that a run about a text has, or None of a run about something else."""
    spec = config["task"].get("spec")
    if not isinstance(spec, Mapping) or "symbols" not in spec:
        return None
    return TextAsk(spec.get("unit", "character"), config["data_settings"].get("min_count"))


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
    return system.build(held, *task.built_for)


def _kind(name: str) -> ModuleType:
    """Return the file about a kind of data."""
    return importlib.import_module(f"samoyed.kinds.{name}")
