"""Sentences whose words have a tag each, to tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from samoyed.core.errors import DataError
from samoyed.core.stage import Recipe, Stage
from samoyed.data import words
from samoyed.data.corpora import find_corpus, is_tagged, read_corpus, untagged
from samoyed.kinds.parts import Assembly, Plain, refuse_strangers
from samoyed.row import Row

LOOKED_AT = 200_000  # characters of a text from which it is told how its words stand
FEWEST_MARKS = 0.03  # of the pieces between spaces, where a text was cut into words before


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
    """Return the words of every line of a text.

    A text whose words stand apart, as in a corpus, is cut at its spaces; so is one written
    word/tag, as the Brown corpus, without its tags. Any other is cut at its marks too, as the
    sentences to tag are.

    Args:
        path: a text file, plain or gz, JSON lines, a folder of them, or the Brown corpus.

    Raises:
        DataError: for what is no text.
    """
    texts = read_corpus(find_corpus(Path(path).expanduser()), "stop").texts
    found: list[list[str]] = []
    for _, text in texts:
        pieces = text[:LOOKED_AT].split()
        plain = untagged(text) if is_tagged(pieces) else text
        stands_apart = sum(is_mark(piece) for piece in pieces) > FEWEST_MARKS * len(pieces)
        cut = str.split if stands_apart or plain is not text else words.split
        found += [cut(line) for line in plain.split("\n") if line.strip()]
    if not found:
        raise DataError(path, "a text to pre-train on", "no line with a word")
    return found


def is_mark(piece: str) -> bool:
    """Tell whether a piece between spaces is marks alone, as where a text was cut into words."""
    return not any(c.isalnum() for c in piece)


def to_measure_on(task: Any, source: Any) -> tuple[Any, str]:
    """Return the sentences of other data to score, and which they are.

    Raises:
        RunError: for tags that the run does not know.
    """
    refuse_strangers(source.path, "tags", task.tags.names, source.tags.names)
    which = "its test part" if source.has_official_test else "all of it, as it has no test part"
    return source.to_measure(task.spec, task.tags), which
