"""What a user sees while a model trains: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_EVERY_S = 10.0
NOT_SHOWN = ("stage_index", "stage", "step", "steps", "loss", "rate", "seconds", "moves", "epsilon")


class Progress:
    """Show training; silent when quiet.

    Args:
        step_s: measured seconds per step of each stage, for the time left.
        steps: planned steps of each stage.
        is_quiet: show nothing.
    """

    def __init__(self, steps: Sequence[int], step_s: Sequence[float], is_quiet: bool) -> None:
        self.steps = list(steps)
        self.step_s = list(step_s)
        self.is_quiet = is_quiet
        self.console = Console(file=sys.stderr, highlight=False)
        self.bar: Bar | None = None
        self._said_at = 0.0

    def __enter__(self) -> Self:
        if not self.is_quiet and self.console.is_terminal:
            self.bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:.0f} %"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self.console,
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=self._seconds(len(self.steps), 0), note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def update(self, event: Mapping[str, Any], looked: Mapping[str, float] | None = None) -> None:
        """Show one logged event, and the scores of a look at examples that are not learned from."""
        if self.is_quiet:
            return
        done = self._seconds(event["stage_index"], event["step"] + 1)
        total = self._seconds(len(self.steps), 0)
        notes = [f"loss {event['loss']:.4g}", *_named(event)]
        if looked:
            notes.append("so far: " + "  ".join(_named(looked)))
        note = "  ".join(notes)
        if self.bar is not None:
            self.bar.update(self.task, completed=done, description=event["stage"], note=note)
            return
        now = time.monotonic()
        is_last = event["step"] + 1 == event["steps"]
        if is_last or now - self._said_at >= LINE_EVERY_S:
            self._said_at = now
            left = max(0.0, total - done)
            self.console.print(
                f"{event['stage']}: step {event['step'] + 1:,} of {event['steps']:,}, {note}, "
                f"about {in_words(left)} left", soft_wrap=True,
            )  # fmt: skip

    def _seconds(self, stage_index: int, step: int) -> float:
        """Return the estimated seconds from the start up to this place."""
        before = zip(self.steps[:stage_index], self.step_s[:stage_index], strict=True)
        here = step * self.step_s[stage_index] if stage_index < len(self.steps) else 0.0
        return sum(n * s for n, s in before) + here


def _named(values: Mapping[str, Any]) -> list[str]:
    """Write numbers with their names."""
    shown = {name: value for name, value in values.items() if name not in NOT_SHOWN}
    return [f"{name.replace('_', ' ')} {value:.4g}" for name, value in shown.items()]


def in_words(seconds: float) -> str:
    """Say a duration as a person would.

    >>> in_words(42.3), in_words(200), in_words(7300)
    ('42 s', '3 min 20 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole >= 1 or seconds == 0 else "1 s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
