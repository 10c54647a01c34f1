"""Ask a run, or a file that was exported, and write its answers line by line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from samoyed import api
from samoyed.core.errors import DataError
from samoyed.core.reference import Answer
from samoyed.data.asked_texts import is_file, is_folder
from samoyed.misunderstood import refuse_prompt, refuse_writing
from samoyed.piped_in import kept_in_a_file
from samoyed.showing import answer_as_json, answer_in_line, answers_of_readable
from samoyed.standard_input import all_asked


@dataclass(frozen=True)
class Question:
    """What `samoyed predict` was told.

    Args:
        inputs: files, folders or texts; "-" or none reads standard input.
        prompt: how a text begins.
        near: a word whose neighbours are asked for.
        analogy: three words.
        length: characters to write.
        temperature: how daring.
        seed: of the sampling.
    """

    inputs: Sequence[str]
    prompt: str | None = None
    near: str | None = None
    analogy: tuple[str, str, str] | None = None
    length: int = 500
    temperature: float = 0.8
    seed: int = 0


def answered(run: Path, question: Question, *, is_json: bool) -> Iterator[str]:
    """Yield the answers as they are printed.

    Args:
        run: its folder, or a file that `samoyed export` wrote.
        question: what it is asked.
        is_json: whether each answer is one object.

    Raises:
        SamoyedError: for anything that it cannot be asked.
    """
    writing = (question.length, question.temperature, question.seed)
    if api.is_exported(run):
        refuse_prompt(run, question.prompt)
        exported = api.load_exported(run)
        about: Mapping[str, Any] = {"name": exported.described.task}
        refuse_writing(about["name"], *writing)
        ask = exported.predict
    else:
        found = api.load(run)
        about = found.config["task"]
        refuse_writing(about["name"], *writing)
        refuse_prompt(run, question.prompt, about["name"])
        length, temperature, seed = writing
        ask = partial(found.predict, length=length, temperature=temperature, seed=seed)
    if about["name"] == "continue_text":
        _refuse_files(run, question.inputs)
    said = [*question.inputs, *([question.prompt] if question.prompt is not None else [])]
    with kept_in_a_file() as folder:
        asked = all_asked(
            said, question.near, question.analogy, about["name"], folder=folder,
            known=_columns_of(about),
        )  # fmt: skip
        for answer in answers_of_readable(ask, asked):
            yield _written(answer, about["name"], is_json=is_json)


def _refuse_files(run: Path, inputs: Sequence[str]) -> None:
    """Raise for the name of something that is there, where the beginning of a text is meant.

    Raises:
        DataError: with the command that continues what is in a file.
    """
    for given in inputs:
        if is_file(given) or is_folder(given):
            name = shlex.quote(given)
            hint = f"--prompt {name} begins with these words"
            if is_file(given):
                hint = f"samoyed predict {run} - < {name} continues what is in it; {hint}"
            found = f"the name of a {'file' if is_file(given) else 'folder'} that is there"
            raise DataError(given, "a prompt: how a text begins", found, hint)


def _columns_of(about: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of columns that a run about texts learned from, its tags or classes."""
    if about["name"] == "translate":
        return tuple((about.get("spec") or {}).get("names", ()))
    if about["name"] == "tag":
        return tuple(about["tags"]["names"])
    if about["name"] == "classify_text":
        return (about.get("column", ""), *about["labels"]["names"])
    return ()


def _written(answer: Answer, task: str, *, is_json: bool) -> str:
    """Return an answer as it is printed."""
    if is_json:
        return json.dumps(answer_as_json(answer), ensure_ascii=False)
    if task == "tag":
        return f"{answer.answer}\n"  # a sentence's words, and an empty line
    if task == "continue_text":
        return answer.input + answer.answer
    return answer_in_line(answer)
