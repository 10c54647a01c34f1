"""What the catalog says of one system."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from samoyed.core.reference import Reference
from samoyed.core.settings import dials

_KINDS = {
    "images": "pictures", "table": "tables", "text": "texts", "labelled_text": "texts with classes",
    "tagged_text": "tagged words", "pairs": "sentence pairs", "world": "games",
}  # fmt: skip


def kind_in_words(given: str) -> str:
    """Say which kind of data this is.

    >>> kind_in_words("labelled_text"), kind_in_words("trees")
    ('texts with classes', 'trees')
    """
    return _KINDS.get(given, given)


@dataclass(frozen=True)
class Row:
    """One system of the canon.

    Args:
        name: what `--model` takes.
        module: the system's file, imported only when it is used.
        given: the kind of data: "images", "table", "text", "world".
        also_given: further kinds of data it takes.
        asked: the task: "classify", "continue_text", "play".
        also_asked: further tasks it can be asked.
        aliases: other names that `--model`, `models` and `verify` take.
        written: its name as reports write it; by default the name without its underscores.
        summary: one line.
        section: the section of the review it belongs to.
        has_own_loss: the file defines `loss`, in place of the task's.
        has_own_stages: the file defines `stages`: training is more than descending the task's loss.
        has_sizes: the file defines `SIZES`, `recommend` and `recipe_for`.
        has_mixture: the file defines `MIXED_WITH`, the order of n-grams to average it with.
        pretrained: the part of the model that only stages before the task's train.
        has_idle_dials: the file defines `idle`: which dials have no effect beside its others.
        has_small_steps: a step is so little work that several threads would slow it down, by much
            where they wait for one another beside other work; one is used, unless asked for more.
        is_limited: the recipe is long enough; more minutes than it takes are not used.
        is_varied: training pictures are varied, and targets smoothed, unless told otherwise.
    """

    name: str
    module: str
    given: str
    asked: str
    summary: str
    section: str
    has_own_loss: bool = False
    has_own_stages: bool = False
    has_sizes: bool = False
    has_mixture: bool = False
    has_idle_dials: bool = False
    has_small_steps: bool = False
    is_varied: bool = False
    is_limited: bool = False
    pretrained: str = ""
    also_given: tuple[str, ...] = ()
    also_asked: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    written: str = ""

    def takes(self, given: str) -> bool:
        """Tell whether it takes this kind of data."""
        return given == self.given or given in self.also_given

    def answers(self, asked: str | None) -> bool:
        """Tell whether it can be asked this; None asks nothing in particular."""
        return asked in (None, self.asked) or asked in self.also_asked

    @property
    def domain(self) -> str:
        """Say what it takes and what it can be asked, in words."""
        given = " and ".join(map(kind_in_words, (self.given, *self.also_given)))
        return f"{given}, to " + " or ".join((self.asked, *self.also_asked)).replace("_", " ")

    @property
    def in_words(self) -> str:
        """Return its name as it is written in a sentence."""
        return self.written or self.name.replace("_", " ")

    def idle(self, config: Any) -> Mapping[str, str]:
        """Return the dials that have no effect with this Config, and why."""
        return self.load().idle(config) if self.has_idle_dials else {}

    def load(self) -> ModuleType:
        """Import the system's file."""
        return importlib.import_module(self.module)

    @property
    def reference(self) -> Reference:
        """Return the paper."""
        return self.load().REFERENCE

    @property
    def loss(self) -> Callable[..., Any] | None:
        """Return the system's own loss, if training descends one."""
        return self.load().loss if self.has_own_loss else None

    @property
    def stages(self) -> Callable[..., Any] | None:
        """Return the system's own stages, if training needs them."""
        return self.load().stages if self.has_own_stages else None

    @property
    def dials(self) -> dict[str, Any]:
        """Return the dials of the model and of its training, with their defaults."""
        system = self.load()
        recipe = {} if self.given == "vectors" else dials(system.RECIPE)
        return {**dials(system.Config()), **recipe}

    @property
    def mixed_with(self) -> int:
        """Return the order of the n-grams that its guesses are averaged with, or 0."""
        return int(self.load().MIXED_WITH) if self.has_mixture else 0

    @property
    def sizes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the named sizes: Config fields that differ from the defaults."""
        return self.load().SIZES if self.has_sizes else {"paper": {}}
