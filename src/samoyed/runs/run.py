"""A finished run, to be questioned: scores, predictions, explanations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samoyed.assembly import assemble_again, open_again, reassemble, rebuild, to_measure_on
from samoyed.core.errors import DataError, OptionError, RunError, SamoyedError
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import OnBad
from samoyed.data.asked_kind import nothing_given, refuse_pictures
from samoyed.data.labelled_folders import part_of
from samoyed.kinds.parts import Assembly
from samoyed.kinds.tasks import TABLE_TASKS
from samoyed.runs.folder import BEYOND_REPAIR, RunFolder, read_events
from samoyed.runs.same_data import no_longer_usable, refuse_changed
from samoyed.runs.seen import also_learned, can_be_told
from samoyed.training.checkpoint import read_tensors


@dataclass(frozen=True)
class Run:
    """A run folder, read back.

    >>> run = Run(Path("run-flowers"))              # doctest: +SKIP
    >>> run.scores[0].name, run.predict("rose.jpg")  # doctest: +SKIP
    """

    path: Path

    @property
    def folder(self) -> RunFolder:
        """Return the folder on disk."""
        return RunFolder(self.path)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Return what was asked and how it was planned."""
        return self.folder.read("config.json")

    @property
    def scores(self) -> tuple[Score, ...]:
        """Return the scores on the held-out part, the headline first."""
        with self._understood("scores.json"):
            return tuple(Score(**score) for score in self.folder.read("scores.json")["scores"])

    @property
    def baselines(self) -> tuple[tuple[str, Score], ...]:
        """Return the shallow baselines' scores on the same split, by name."""
        with self._understood("scores.json"):
            rows = self.folder.read("scores.json")["baselines"]
            return tuple((row["name"], Score(**row["score"])) for row in rows)

    @property
    def history(self) -> list[dict[str, Any]]:
        """Return the logged steps."""
        return read_events(self.folder.file("events.jsonl"))

    @cached_property
    def task(self) -> Any:
        """Return the question the run answers."""
        with self._understood("config.json"):
            return reassemble(self.config)

    @cached_property
    def model(self) -> nn.Module:
        """Return the trained model, in evaluation mode, on the CPU.

        Raises:
            RunError: when the run was never finished, or its files are damaged.
        """
        weights = self.folder.file("model.safetensors")
        if not weights.exists():
            raise RunError(
                self.path, "a finished run", "a run without its final weights",
                "give the same `samoyed train` command again: it goes on where it stopped",
            )  # fmt: skip
        with self._understood("config.json"):
            model = rebuild(self.config)
        try:
            model.load_state_dict(read_tensors(weights))
        except RuntimeError as error:
            found = str(error).splitlines()[1].strip()[:100]
            raise RunError(weights, "the weights of this run", found, BEYOND_REPAIR) from None
        return model.eval()

    @contextmanager
    def _understood(self, name: str) -> Iterator[None]:
        """Turn what a damaged file, or one of another version, leads to into a RunError."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            found = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            raise RunError(
                self.folder.file(name), "what this version of samoyed writes", found, BEYOND_REPAIR
            ) from None

    def predict(
        self,
        inputs: str | Path | Sequence[str | Path] = (),
        *,
        length: int = 500,
        temperature: float = 0.8,
        seed: int = 0,
        device: str = "cpu",
    ) -> list[Answer]:
        """Answer for each input: paths of pictures or folders, texts or files of them, prompts.

        A game needs none.

        Args:
            inputs: one or several.
            length: of a continued text, in characters.
            temperature: how daring to continue a text; 0 takes the likeliest character.
            seed: of the sampling.
            device: where to compute.

        Raises:
            OptionError: for a length or a temperature below 0.
            DataError: for an input that cannot be read.
        """
        for name, value in (("length", length), ("temperature", temperature)):
            if not 0 <= value < math.inf:
                usual = {"length": 500, "temperature": 0.8}[name]
                raise OptionError(
                    f"--{name}", "a number from 0", f"{value:g}", f"--{name} {usual}, say"
                )
        model, asked = self.model.to(device), self._asked(inputs)
        if self.task.name == "translate":  # whose `answer` is given sentences alone
            asked = self.task.sentences_of(asked)
        if self.task.name == "continue_text":
            return self.task.answer(
                model, asked, device=device, length=length, temperature=temperature, seed=seed
            )
        return self.task.answer(model, asked, device=device)

    def _asked(self, inputs: str | Path | Sequence[str | Path]) -> list[str]:
        """Return what is asked.

        Raises:
            DataError: for a picture, where the run is not about pictures.
        """
        asked, task = as_list(inputs), self.task
        table = task.spec if task.name in TABLE_TASKS.values() else None
        refuse_pictures(asked, self.path, task.name, table)
        return asked

    def evaluate(
        self,
        data: str | Path | None = None,
        *,
        device: str = "cpu",
        on_bad: OnBad | None = None,
        say: Callable[[str], None] | None = None,
    ) -> tuple[Score, ...]:
        """Score the model on what was held out, or on other data of the same kind.

        Args:
            data: other data: its test part is scored, or all of it where it has none.
            device: where to compute.
            on_bad: of other data: stop at bad files or rows, or skip them; None does as the run.
            say: is told in a line what is scored.

        Raises:
            OptionError: for `on_bad` without other data.
            RunError: when the data is of another kind, or has classes the run does not know;
                without other data, when the run's own has changed since it learned.
        """
        model = self.model.to(device)
        if data is None and on_bad is not None:
            raise OptionError(
                "--on-bad", "other data to score", "none: the run's own is read as it was", "leave "
                "it out, or name the data",
            )  # fmt: skip
        if data is None:
            held, which = self.assembly().data, "the part that was held out when the run learned"
        else:
            known = self.folder.read("data.json")["fingerprint"]
            held, which = to_measure_on(self.config, str(data), known, on_bad)
        if say is not None:
            say(f"scored: {which}")
            if data is not None and (warning := self._about_learned(held, which, data)):
                say(f"warning: {warning}, and the scores flatter")
        return self.task.score(model, held, device=device)

    def _about_learned(self, held: Any, which: str, data: str | Path) -> str:
        """Say what of other data the run learned from, or nothing."""
        if which.startswith("the part that was held out"):
            return ""
        found, scored = "", getattr(held, "test", None)
        if can_be_told(scored):  # else the run's own need not be read again
            with suppress(SamoyedError):  # it is gone, or no longer the same
                found = also_learned(self.assembly().data.train, scored)
        if found or which.startswith("its test part") or not is_within(self.config, data):
            return found
        return (
            "this lies within the data that the run learned from, so what it learned may be among "
            "it"
        )

    def assembly(self) -> Assembly:
        """Open the run's data again and put the question together.

        Raises:
            DataError: when the data is gone.
            ChangedData: when it is no longer what the run learned from, or cannot be used.
        """
        try:
            source = open_again(self.config)
        except DataError as error:
            if not Path(self.config["data"]).exists():
                raise
            can_be_scored = self._can_open(self.config["data"])
            raise no_longer_usable(self.path, self.config, error, can_be_scored) from error
        refuse_changed(self.path, self.config, self.folder.read("data.json"), source)
        return assemble_again(self.config, source)

    def _can_open(self, data: str) -> bool:
        """Tell whether the run can be measured on this data."""
        try:
            open_again(self.config, data)
        except DataError:
            return False
        return True

    def explain(
        self,
        inputs: str | Path | Sequence[str | Path] = (),
        *,
        say: Callable[[str], None] | None = None,
    ) -> Path:
        """Draw what the model makes of the inputs; return the page's path.

        Args:
            inputs: as for `predict`.
            say: is given in a line what each figure found, where that fits in a line.

        Raises:
            OptionError: where there is nothing to draw; a page from before is left as it is.
            DataError: for an input that cannot be read, or that is a picture where the run is about
                something else.
        """
        from samoyed.runs.figures.table import explain
        from samoyed.runs.report import write_page

        page, asked = self.folder.file("explain.html"), self._asked(inputs)
        is_about_tables = self.task.name in TABLE_TASKS.values()
        figures = [] if is_about_tables and not asked else explain(self.task, self.model, asked)
        if not figures:
            raise nothing_given(self.path, self.task.name)
        write_page(page, f"Inside {self.path.name}", figures)
        for line in (figure.said for figure in figures if figure.said):
            if say is not None:
                say(line)
        return page


def is_within(config: Mapping[str, Any], data: str | Path) -> bool:
    """Tell whether data is a part of what a run learned from, and not its test part by name."""
    learned, asked = (Path(place).expanduser().resolve() for place in (config["data"], data))
    if not learned.exists() or not asked.is_relative_to(learned):
        return False
    return all(part_of(name) in (None, "train") for name in asked.relative_to(learned).parts)


def as_list(inputs: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the inputs as a list of strings."""
    asked = [inputs] if isinstance(inputs, (str, Path)) else inputs
    return [item if isinstance(item, str) else str(item) for item in asked]


def device_of(name: str) -> torch.device:
    """Turn "auto" into the fastest device there is.

    Raises:
        OptionError: for a device that is not here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(
            "--set device", "auto, cpu or cuda", repr(name), "leave it out, or --device cpu"
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise OptionError("--set device", "a device of this machine", name, "use device=cpu")
    return device
