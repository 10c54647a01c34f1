"""Follow training: log, score, checkpoint, show progress. A plain consumer of moments."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from samoyed.core.errors import Diverged
from samoyed.core.reference import Score
from samoyed.core.stopping import GOES_ON, Interrupted, StopRequest
from samoyed.runs.folder import EventLog, RunFolder
from samoyed.runs.pacing import Pace
from samoyed.runs.progress import Progress
from samoyed.training import checkpoint
from samoyed.training.loop import Moment
from samoyed.training.planning import Plan

EVENTS_PER_STAGE = 200
SAVING_SHARE = 0.03  # at most this share of the time goes into checkpoints


@dataclass
class Follower:
    """Watch the moments of one training and keep its records.

    Args:
        folder: where the records go.
        log: the run's events.
        model: the model being trained, for checkpoints.
        plan: the planned steps of each stage.
        progress: what the user sees.
        checkpoint_s: seconds between checkpoints.
        quick_score: a quick look at some of the held-out part, or of the validation part where
            there is one, for the curves; never used to choose.
        num_quick: how many such looks in the last stage.
        is_writing: False in all but the first of several processes.
        pace: where the run may only take so long.
        may_end: whether a stage that has enough ends.

    After `follow`, `changed` is the plan to go on with, where the pace asks for another, or where
    a stage has enough (`is_over`).
    """

    folder: RunFolder
    log: EventLog
    model: nn.Module
    plan: Plan
    progress: Progress
    checkpoint_s: float = 20.0
    quick_score: Callable[[], Sequence[Score]] | None = None
    num_quick: int = 8
    is_writing: bool = True
    pace: Pace | None = None
    may_end: bool = True
    changed: Plan | None = field(default=None, init=False)
    is_over: bool = field(default=False, init=False)
    _clock: float = field(default=0.0, init=False)
    _saved_at: float = field(default=0.0, init=False)
    _wait_s: float = field(default=0.0, init=False)
    _total: torch.Tensor | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)

    def follow(self, moments: Iterator[Moment], stop: StopRequest) -> float:
        """Consume the moments to their end; return the training seconds, pauses left out.

        Raises:
            Interrupted: when a signal asked to stop.
            Diverged: when the loss is not a number.
        """
        self._saved_at, self._wait_s = time.monotonic(), self.checkpoint_s
        self._clock = self.log.seconds
        resumed_at = time.perf_counter()
        try:
            for moment in moments:
                stop.is_training = True  # from here on there is something to save
                self._clock += time.perf_counter() - resumed_at
                self._watch(moment, stop)
                if self.changed is not None:
                    break
                resumed_at = time.perf_counter()
            else:
                self._clock += time.perf_counter() - resumed_at  # of what the last stage does after
        finally:
            stop.is_training = False
        if stop.number:  # it came after the last step was saved
            raise Interrupted(stop.number, f"stopped after the last step; {GOES_ON}")
        return self._clock

    def _watch(self, moment: Moment, stop: StopRequest) -> None:
        steps = self.plan.steps[moment.stage_index]
        is_last = moment.step + 1 == steps
        self._total = moment.loss if self._total is None else self._total + moment.loss
        self._count += 1
        if moment.loss.device.type == "cpu":
            self._check(moment, float(moment.loss))
        if is_last or (moment.step + 1) % max(1, steps // EVENTS_PER_STAGE) == 0:
            self._record(moment, steps, is_last)
        if self.may_end and moment.stage.is_enough():
            self.changed = self.plan.ending(moment.stage_index, moment.step)
            self.is_over = self.changed is not None
        if self.pace is not None and self.changed is None:
            self.changed = self.pace.look(moment.stage_index, moment.step, self._clock)
        due = time.monotonic() - self._saved_at >= self._wait_s
        if (is_last or due or stop.number or self.changed) and self.is_writing:
            self._save(moment)
        if stop.number:
            where = f"stopped at step {moment.step + 1:,} of {steps:,}"
            raise Interrupted(stop.number, f"{where}; {GOES_ON}")

    def _check(self, moment: Moment, loss: float) -> None:
        if not math.isfinite(loss):
            raise self._diverged(moment, "a finite loss", str(loss))

    def _diverged(self, moment: Moment, expected: str, found: str) -> Diverged:
        kept = checkpoint.complete(self.folder.state)
        last = f"the last good checkpoint is {kept[-1].name}" if kept else "no checkpoint yet"
        return Diverged(
            f"stage {moment.stage.name}, step {moment.step + 1:,}", expected, found,
            f"lower --set learning_rate (it was {_rate(moment):.3g}) or set clip_norm, and begin "
            f"anew with --fresh; {last}",
        )  # fmt: skip

    def _record(self, moment: Moment, steps: int, is_last: bool) -> None:
        assert self._total is not None
        loss = float(self._total) / self._count
        self._check(moment, loss)
        self._total, self._count = None, 0
        event: dict[str, Any] = {
            "stage_index": moment.stage_index,
            "stage": moment.stage.name,
            "step": moment.step,
            "steps": steps,
            "loss": loss,
            "rate": _rate(moment),
            "seconds": round(self._clock, 3),
            **moment.stage.tells(),
        }
        looked = self._quick(moment, steps, is_last)
        self.log.add({**event, **looked})
        self.progress.update(event, looked)

    def _quick(self, moment: Moment, steps: int, is_last: bool) -> dict[str, float]:
        """Score now and then in the last stage; the final score is measured afterwards."""
        last_stage = moment.stage_index == len(self.plan.steps) - 1
        if self.quick_score is None or not last_stage or is_last or not self.is_writing:
            return {}
        done = (moment.step + 1) * (self.num_quick + 1) // steps
        before = (moment.step + 1 - max(1, steps // EVENTS_PER_STAGE)) * (self.num_quick + 1)
        if done == max(before, 0) // steps:
            return {}
        return {score.name: score.value for score in self.quick_score()}

    def _save(self, moment: Moment) -> None:
        self._check(moment, float(moment.loss))
        if not all(bool(p.isfinite().all()) for p in self.model.parameters()):
            raise self._diverged(moment, "finite weights after it", "weights that are no numbers")
        start = time.monotonic()
        checkpoint.save(self.folder.state, self.model, moment)
        self._saved_at = time.monotonic()
        self._wait_s = max(self.checkpoint_s, (self._saved_at - start) / SAVING_SHARE)


def _rate(moment: Moment) -> float:
    return float(moment.optimizer.param_groups[0]["lr"])
