"""Sentences whose words have a tag each, to tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.catalog import Row
from samoyed.core.errors import DataError
from samoyed.core.stage import Recipe, Stage
from samoyed.data import words
from samoyed.data.text_files import find_files, read_file
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers


def defaults(row: Row, system: ModuleType, source: Any, size: str) -> tuple[Any, Recipe, Any]:
    """Return the system's Config and Recipe for these sentences, and the task."""
    from samoyed.tasks.tag import Tag

    config = replace(system.Config(), **row.sizes[size])
    return config, system.RECIPE, Tag(source.spec, source.tags)


def join(plain: Plain, system: ModuleType) -> Assembly:
    """Sentences whose words have a tag each, to tag."""
    task, source = plain.task, plain.source
    sentences = [list(sentence.words) for sentence in source.parts["train"]]
    notes: tuple[str, ...] = ()
    if task.extra_text:
        extra = extra_sentences(task.extra_text)
        sentences += extra
        spec = words.fit(sentences)
        notes = (f"pre-training also reads {len(extra):,} lines of {task.extra_text}",)
        task = replace(task, spec=spec, extra_text=str(Path(task.extra_text).resolve()))
    data = source.load_with(task.spec)
    texts = words.encode(sentences, task.spec) if task.extra_text else data.train.rows

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        for stage in task.stages(model, data, recipe, plain.seed):
            if plain.row.stages is None:
                yield stage
            else:
                yield from plain.row.stages(model, plain.config, texts, stage, plain.seed)

    assembly = plain.with_data(
        data, lambda: system.build(plain.config, task.spec, task.tags), stages_with
    )
    return replace(assembly, task=task, notes=notes)


def extra_sentences(path: str) -> list[list[str]]:
    """Return the words of every line of a text, cut at its spaces.

    Raises:
        DataError: for what is no text.
    """
    lines = [
        line.split() for file in find_files(Path(path).expanduser())
        for line in read_file(file, is_western_allowed=True).text.split("\n") if line.strip()
    ]  # fmt: skip
    if not lines:
        raise DataError(path, "a text to pre-train on", "no line with a word")
    return lines


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the sentences of other data to score, and which they are.

    Raises:
        RunError: for tags that the run does not know.
    """
    refuse_strangers(source.path, "tags", task.tags.names, source.tags.names)
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    return source.to_measure(task.spec, task.tags), which
