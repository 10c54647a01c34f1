"""The one explicit table: what is given and what is asked -> which system answers.

Adding a system is a system file, its test, its evidence page, and one row here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from samoyed.core.errors import OptionError, did_you_mean
from samoyed.core.reference import Reference


@dataclass(frozen=True)
class Row:
    """One system of the canon.

    Args:
        name: what `--model` takes.
        module: the system's file, imported only when it is used.
        given: the kind of data: "images", "text", "world".
        asked: the task: "classify", "continue_text", "play".
        summary: one line.
        section: the section of the review it belongs to.
        has_own_loss: the file defines `loss`, in place of the task's.
        has_own_stages: the file defines `stages`: training is more than descending the task's loss.
        has_sizes: the file defines `SIZES` and `recommend`.
        pretrained: the part of the model that only stages before the task's train.
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
    is_varied: bool = False
    pretrained: str = ""

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
    def sizes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the named sizes: Config fields that differ from the defaults."""
        return self.load().SIZES if self.has_sizes else {"paper": {}}


# The first row for (given, asked) is the default.
ROWS: tuple[Row, ...] = (
    Row(
        "compact_convnet", "samoyed.models.since.compact_convnet", "images", "classify",
        "a small batch-normalised ConvNet: today's default for pictures",
        "since the review", has_sizes=True, is_varied=True,
    ),
    Row(
        "lenet5", "samoyed.models.convnets.lenet5", "images", "classify",
        "the 1998 network for handwritten characters, connection table and RBF outputs included",
        "Convolutional neural networks", has_own_loss=True,
    ),
    Row(
        "deep_belief_net", "samoyed.models.backprop.deep_belief_net", "images", "classify",
        "a stack of restricted Boltzmann machines, pre-trained layer by layer, then fine-tuned",
        "Backpropagation to train multilayer architectures", has_own_stages=True,
        pretrained="machines",
    ),
    Row(
        "lstm_language_model", "samoyed.models.recurrent.lstm_language_model",
        "text", "continue_text",
        "a character language model with long short-term memory",
        "Recurrent neural networks",
    ),
    Row(
        "deep_q_network", "samoyed.models.future.deep_q_network", "world", "play",
        "Q-learning with a deep network, replay memory and a target network",
        "The future of deep learning", has_own_stages=True,
    ),
)  # fmt: skip


def names() -> list[str]:
    """List every system."""
    return [row.name for row in ROWS]


def find(name: str) -> Row:
    """Return the row of this name.

    Raises:
        OptionError: when there is none.
    """
    for row in ROWS:
        if row.name == name:
            return row
    raise OptionError(
        "--model", "one of " + ", ".join(names()), repr(name), did_you_mean(name, names()).strip()
    )


def choose(given: str, asked: str | None, name: str | None) -> tuple[Row, str]:
    """Choose a system for this kind of data, and say why.

    Args:
        given: kind of data.
        asked: the task, or None to choose it.
        name: the system, or None to choose it.

    Returns:
        The row and the reason in words.

    Raises:
        OptionError: when the task or the system does not fit the data.
    """
    fitting = [row for row in ROWS if row.given == given]
    tasks = sorted({row.asked for row in fitting})
    if asked is not None and asked not in tasks:
        known = sorted({row.asked for row in ROWS})
        raise OptionError(
            "--task", f"{' or '.join(tasks)} for {given}", repr(asked),
            did_you_mean(asked, known).strip() or "leave it out: the data decides",
        )  # fmt: skip
    if name is None:
        row = next(row for row in fitting if asked in (None, row.asked))
        return row, f"{row.name}, the default for {given}"
    row = find(name)
    if row.given != given or asked not in (None, row.asked):
        raise OptionError(
            "--model", f"a system for {given}: " + ", ".join(r.name for r in fitting),
            f"{name}, which is for {row.given}",
        )  # fmt: skip
    return row, f"{row.name}, as asked"
