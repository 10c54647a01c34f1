"""From minutes to steps: a short measured warm-up on a copy of the model."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn

from samoyed.core.stage import Stage
from samoyed.training.distribution import alone
from samoyed.training.loop import train

WARM_UP_STEPS, WARM_UP_S = 3, 0.3  # left out: the first steps are slower
ENDLESS = 10**9
MEASURED_S = 1.0  # at most this long for each stage, or
MEASURED_SHARE = 0.03  # of the time there is, if that is longer
FEW, IS_PAUSE = 5, 2.0  # so many steps at least, where one took so many times the quickest
STEPS_SHARE = 0.5  # of the time at least, whatever comes after the steps
LAST_SHARE = 0.3  # of the steps done: so many more of a stage that is brought to an end


@dataclass(frozen=True)
class Plan:
    """How long to train.

    Args:
        steps: steps of each stage, in order.
        step_s: measured seconds of one step of each stage.
        after_s: estimated seconds of what comes after steps: a forest that is grown.
        most: steps of all stages beyond which more would not help, or None.
    """

    steps: tuple[int, ...]
    step_s: tuple[float, ...]
    after_s: float = 0.0
    most: int | None = None

    @property
    def seconds(self) -> float:
        """Return how long the plan takes at the measured speed."""
        return sum(n * s for n, s in zip(self.steps, self.step_s, strict=True)) + self.after_s

    def ending(self, stage_index: int, step: int) -> Plan | None:
        """Return the plan with a stage brought to an end, the rate falling over a last stretch.

        Args:
            stage_index: which stage.
            step: which step of it was just done, from 0.

        Returns:
            The other plan; None where the stage ends soon anyway.
        """
        kept = step + 1 + max(1, round(LAST_SHARE * (step + 1)))
        if kept >= self.steps[stage_index]:
            return None
        steps = (*self.steps[:stage_index], kept, *self.steps[stage_index + 1 :])
        return replace(self, steps=steps)

    def fitted(self, seconds: float) -> Plan:
        """Return the plan stretched or shrunk to last `seconds`; stages keep their shares.

        What comes after the steps takes as long as it does, but leaves them `STEPS_SHARE`.
        """
        there_are = max(seconds - self.after_s, STEPS_SHARE * seconds)
        factor = there_are / (self.seconds - self.after_s)
        return replace(self, steps=tuple(max(1, round(n * factor)) for n in self.steps))


def measure(
    make_stages: Callable[[nn.Module], Iterable[Stage]],
    model: nn.Module,
    *,
    device: torch.device | str,
    precision: str,
    seconds: float | None = None,
) -> Plan:
    """Time a few steps of every stage on a copy of the model; the model itself is not touched.

    Args:
        make_stages: model -> its stages, with feeds of their own.
        model: the model to train afterwards.
        device: where it will be trained.
        precision: in which number format.
        seconds: how long training may take, or None; the more there are, the longer is measured.
    """
    limit_s = max(MEASURED_S, MEASURED_SHARE * (seconds or 0.0))
    double = copy.deepcopy(model)
    steps, step_s, after_s = [], [], 0.0
    for stage in make_stages(double):
        steps.append(stage.steps)
        step_s.append(_typical_step_s(double, stage, device, precision, limit_s))
        after_s += stage.after_s()
    return Plan(tuple(steps), tuple(step_s), after_s)


def _typical_step_s(
    model: nn.Module, stage: Stage, device: torch.device | str, precision: str, limit_s: float
) -> float:
    """Return the seconds of a step, whatever pauses the machine made meanwhile."""
    times: list[float] = []
    quickest = math.inf
    start = last = time.perf_counter()
    with alone():
        for moment in train(model, [stage.lasting(ENDLESS)], device=device, precision=precision):
            if moment.loss.is_cuda:
                torch.cuda.synchronize()
            now = time.perf_counter()
            quickest = min(quickest, now - last)
            if moment.step >= WARM_UP_STEPS and now - start > WARM_UP_S:
                times.append(now - last)
            last = now
            is_doubtful = len(times) < FEW and bool(times) and max(times) > IS_PAUSE * quickest
            if times and now - start > limit_s and not is_doubtful:
                break
    return median_of_means(times)


def median_of_means(times: Sequence[float]) -> float:
    """Return the median of the means of three or five stretches of the times, in their order.

    A pause of the machine spoils one or two stretches, and their median forgets it; a slow step
    that comes again and again is in every stretch, and counts in full. A trimmed mean does
    neither: it drops what is slow and regular, and keeps a pause among few steps.

    >>> median_of_means([1.0] * 9 + [100.0])
    1.0
    >>> median_of_means([1.0, 1.0, 1.0, 1.0, 2.0] * 10)
    1.2
    """
    num = len(times)
    if num < 3:
        return statistics.mean(times)
    stretches = 3 if num < 25 else 5
    ends = [num * k // stretches for k in range(stretches + 1)]
    return statistics.median(statistics.mean(times[a:b]) for a, b in pairwise(ends))
