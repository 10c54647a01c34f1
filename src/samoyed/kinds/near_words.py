"""A text, to learn word vectors of: what `kinds.text` does of a text that is not continued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
from torch import nn

from samoyed.core.errors import DataError
from samoyed.core.stage import Recipe, Stage
from samoyed.data.large_text import LargeTextSource
from samoyed.data.near_words import (
    NearData,
    Question,
    near_data,
    near_data_on_disk,
    small_spec,
    with_phrases,
)
from samoyed.data.numbered_words import AT_ONCE, Renumbered, Words, WordsOnDisk, renumbering
from samoyed.data.scripts import share_unspaced
from samoyed.data.text import TextData
from samoyed.data.word_questions import files_in, read_analogies, read_likeness
from samoyed.kinds.parts import Assembly, Plain
from samoyed.tasks.embed import Embed

FEWEST = 10  # words of a vocabulary
COMMON = 300  # most frequent words that tell the script


def join(plain: Plain, system: ModuleType) -> Assembly:
    """A text, to learn word vectors of; its words are chosen here, unless the run has them."""
    task, notes = plain.task, list[str]()
    if not task.counts:
        task, notes = _chosen(plain, task)
    if isinstance(plain.source, LargeTextSource):
        data = near_data_on_disk(plain.source, task.spec, task.phrase_passes)
    else:
        data = prepared(task, replace(plain.source, spec=task.spec).load())
    refuse_lonely(plain.source.path, data.train, data.test)
    if not task.counts:
        task = replace(task, counts=tuple(data.counts.tolist()))
    question: Question = "middle" if plain.config.architecture == "cbow" else "near"
    data = replace(data, question=question)

    def stages_with(model: nn.Module, recipe: Recipe) -> Iterator[Stage]:
        return task.stages(system, plain.config, data, recipe, plain.seed)

    joined = plain.with_data(
        data, lambda: system.build(plain.config, *task.built_for), stages_with
    )  # fmt: skip
    return replace(joined, task=task, notes=tuple(notes))


def prepared(task: Embed, text: TextData) -> NearData:
    """Return a text's words as the task takes them."""
    return near_data(text, task.spec, task.phrase_passes)


def refuse_lonely(path: str, *parts: Words | WordsOnDisk) -> None:
    """Raise for a text whose sentences hold one word each: nothing is near to anything.

    Raises:
        DataError: saying how to join its lines.
    """
    for part in parts:
        sentences = part.part(0, AT_ONCE).sentences
        if not (sentences[1:] == sentences[:-1]).any():
            raise DataError(
                path, "sentences of two words or more", "one known word in every line",
                "Join the lines: tr '\\n' ' ' < lines.txt > text.txt",
            )  # fmt: skip


def _chosen(plain: Plain, task: Embed) -> tuple[Embed, list[str]]:
    """Choose the words and phrases; read the files that are asked for, rather now than later.

    Raises:
        DataError: for too few words, or files that cannot be used.
    """
    files = {"similarity": read_likeness, "analogies": read_analogies}
    places = {}
    for dial, read in files.items():
        named = files_in(getattr(task, dial))
        for file in named:
            read(file)
        places[dial] = ",".join(str(Path(file).expanduser().resolve()) for file in named)
    spec = small_spec(plain.source, task.is_lowercase)
    notes = []
    if task.phrase_passes:
        before = len(spec)
        train: Iterable[np.ndarray]
        if isinstance(plain.source, LargeTextSource):
            table = renumbering(plain.source.spec, spec)
            train = Renumbered(plain.source.load().train, table, before - 2)
        else:
            train = [replace(plain.source, spec=spec).load().train]
        spec = with_phrases(
            spec, train, task.phrase_passes, delta=task.phrase_delta,
            threshold=task.phrase_threshold,
        )  # fmt: skip
        found = spec.symbols[before - 2 : -2]
        shown = ", ".join(found[:8]) + (" …" if len(found) > 8 else "")
        notes.append(f"phrases: {len(found):,} ({shown})" if found else "phrases: none found")
    num = len(spec) - 2
    if num < FEWEST:
        raise DataError(
            plain.source.path, f"at least {FEWEST} different words", f"{num}",
            "Take a smaller --set min_count, or more text.",
        )  # fmt: skip
    kind = "in small letters" if task.is_lowercase else "as they are written"
    notes.insert(0, f"vectors: of {num:,} words, {kind}")
    if not task.phrase_passes and share_unspaced("".join(spec.symbols[:COMMON])) > 0.5:
        notes.append(
            "this script parts no words: each character is one; --set phrase_passes=2 joins those "
            "that stand together more often than by chance"
        )
    return replace(
        task, spec=spec, similarity=places["similarity"], analogies=places["analogies"]
    ), notes
