"""What was asked of a run, and whether a second command asks for the same."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any

from samoyed.catalog import find
from samoyed.core.errors import RunError
from samoyed.core.spec import OnBad
from samoyed.data.corpora import TextAsk, ask_of
from samoyed.data.pair_files import PairAsk
from samoyed.data.tables import TableAsk
from samoyed.runs.folder import RunFolder


@dataclass(frozen=True)
class Request:
    """One `samoyed train` command.

    Args:
        data: path or name.
        task: or None to let the data decide.
        model: or None for the default.
        size: or None for what fits.
        minutes: of training, or None.
        epochs: passes through the data, or None.
        seed: of everything.
        precision: auto, float32 or bfloat16.
        device: auto, cpu or cuda.
        on_bad: stop or skip.
        init: a run whose weights to begin with, or None.
        target: of a table: the target columns, or None.
        test: of a table: the official test file, or None.
        input: of a table: the columns to learn from, or None for all.
        settings: the `--set` values.
    """

    data: str
    task: str | None = None
    model: str | None = None
    size: str | None = None
    minutes: float | None = None
    epochs: float | None = None
    seed: int = 0
    precision: str = "auto"
    device: str = "auto"
    on_bad: OnBad = "stop"
    init: str | None = None
    target: str | None = None
    test: str | None = None
    input: str | None = None
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def about_table(self) -> TableAsk:
        """Return what was said about a table."""
        task = "embed" if self.task is None and self._is_of_words else self.task
        return TableAsk(self.target, self.test, self.input, task)

    @property
    def about_pairs(self) -> PairAsk:
        """Return what was said about sentence pairs."""
        said = dict(self.settings)
        source, target = (str(said[k]) if k in said else None for k in ("from", "to"))
        return PairAsk(source, target)

    @property
    def about_text(self) -> TextAsk:
        """Return what was said about a text.

        Raises:
            OptionError: for a unit that is none, or none that the question can be about.
        """
        return ask_of(dict(self.settings), self._is_of_words)

    @property
    def _is_of_words(self) -> bool:
        """Tell whether vectors of words are asked for, by the task or by the model."""
        if self.task is None and self.model is not None:
            return find(self.model, "--model").asked == "embed"
        return self.task == "embed"

    @property
    def dials(self) -> dict[str, Any]:
        """Return the `--set` values without those that say how the data is to be read."""
        return {k: v for k, v in self.settings if k not in ("from", "to")}

    def as_json(self) -> dict[str, Any]:
        """Return the request as the values it has after a round trip through JSON."""
        return json.loads(json.dumps({**self.__dict__, "settings": dict(self.settings)}))


# What may differ between the first command and the one that goes on with it.
FREE = ("minutes", "epochs", "device", "init")
NEAR = 0.75  # share of letters in common, from which one word may be the other mistyped


def another_run(
    folder: RunFolder, asked: dict[str, Any], before: dict[str, Any]
) -> RunError | None:
    """Return the error that names the first thing in which a command is not that of a run."""
    for key, value in asked.items():
        if key not in FREE and before.get(key) != value:
            return RunError(
                folder.path, f"the command that began this run ({key} {_show(before.get(key))})",
                f"{key} {_show(value)}", _near_miss(key, value, before.get(key)) + "repeat that "
                "command, choose another --out, or start over with --fresh",
            )  # fmt: skip
    return None


def _near_miss(key: str, value: Any, before: Any) -> str:
    """Ask whether an option was mistyped that is nearly what the run was begun with.

    >>> _near_miss("target", "return", "returned"), _near_miss("target", "age", "returned")
    ('did you mean --target returned? If not, ', '')
    """
    if not isinstance(value, str) or not isinstance(before, str):
        return ""
    option = "" if key == "data" else f"--{key.replace('_', '-')} "
    is_near = difflib.SequenceMatcher(None, value, before).ratio() >= NEAR
    return f"did you mean {option}{before}? If not, " if is_near else ""


def stretch(asked: dict[str, Any], before: dict[str, Any]) -> float:
    """Return by what factor the last stage (epochs) or all (minutes) of a plan must grow.

    Raises:
        RunError: when the second command asks for less than was planned.
    """
    for key in ("epochs", "minutes"):
        new, old = asked[key], before[key]
        if new == old:
            continue
        if new is None or old is None:
            raise RunError(
                f"--{key}", f"{old} as before, or more" if old else "no such option, as before",
                _show(new), "repeat the first command, or start over with --fresh",
            )  # fmt: skip
        if new < old:
            raise RunError(
                f"--{key}", f"at least {old:g}, which this run was planned for", f"{new:g}",
                "a run can be extended, not shortened; start over with --fresh",
            )  # fmt: skip
        return new / old
    return 1.0


def _show(value: Any) -> str:
    return "not given" if value is None or value == {} else str(value)
