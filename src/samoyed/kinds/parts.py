"""A question put together (`Assembly`), and the same before its data is decoded (`Plain`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from torch import nn

from samoyed.core.errors import RunError, first_names, misspelt
from samoyed.core.numbers import LargeCount
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import Unit
from samoyed.core.stage import Recipe, Stage
from samoyed.row import Row


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

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        ...

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
        unit: what a text is cut into; None lets the data decide.
        min_count: words that training shows less often become one; None lets the data decide.
    """

    num_labels: LargeCount | None = None
    unit: Unit | None = None
    min_count: LargeCount | None = None


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


@dataclass(frozen=True)
class Plain:
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
        """Return the assembly over the decoded data."""
        return Assembly(
            self.row, self.size, self.source, data, self.task, self.config, self.recipe, self.seed,
            self.data_settings, make_model, stages_with,
        )  # fmt: skip


def refuse_strangers(path: str, what: str, known: Sequence[str], found: Sequence[str]) -> None:
    """Raise for classes or tags of other data that the run does not know.

    Raises:
        RunError: with the names.
    """
    strangers = [name for name in found if name not in known]
    if strangers:
        raise RunError(
            path, f"the run's {what}: {first_names(known)}",
            f"the {what} {first_names(strangers)}", _about_strangers(what, known, strangers),
        )  # fmt: skip


def _about_strangers(what: str, known: Sequence[str], strangers: Sequence[str]) -> str:
    """Say what to do about classes that a run does not know."""
    meant = misspelt(strangers[0], known)
    return (
        f"Name data with the run's {what} alone, train again with these, or leave them out with "
        f"--on-bad skip.{meant}"
    )
