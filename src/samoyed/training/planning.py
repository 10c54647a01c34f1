"""From minutes to steps: a short measured warm-up on a copy of the model."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from samoyed.core.stage import Stage
from samoyed.training.distribution import alone
from samoyed.training.loop import train

WARM_UP_STEPS = 3
MEASURED_STEPS = 15
MEASURED_S = 1.0  # at most this long for each stage


@dataclass(frozen=True)
class Plan:
    """How long to train.

    Args:
        steps: steps of each stage, in order.
        step_s: measured seconds of one step of each stage.
    """

    steps: tuple[int, ...]
    step_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Return how long the plan takes at the measured speed."""
        return sum(n * s for n, s in zip(self.steps, self.step_s, strict=True))

    def fitted(self, seconds: float) -> Plan:
        """Return the plan stretched or shrunk to last `seconds`; stages keep their shares."""
        factor = seconds / self.seconds
        return Plan(tuple(max(1, round(n * factor)) for n in self.steps), self.step_s)


def measure(
    make_stages: Callable[[nn.Module], Iterable[Stage]],
    model: nn.Module,
    *,
    device: torch.device | str,
    precision: str,
) -> Plan:
    """Time a few steps of every stage on a copy of the model; the model itself is not touched.

    Args:
        make_stages: model -> its stages, with feeds of their own.
        model: the model to train afterwards.
        device: where it will be trained.
        precision: in which number format.
    """
    double = copy.deepcopy(model)
    steps, step_s = [], []
    for stage in make_stages(double):
        steps.append(stage.steps)
        step_s.append(_median_step_s(double, stage, device, precision))
    return Plan(tuple(steps), tuple(step_s))


def _median_step_s(
    model: nn.Module, stage: Stage, device: torch.device | str, precision: str
) -> float:
    """Return the median seconds of a step."""
    times: list[float] = []
    start = last = time.perf_counter()
    trial = stage.lasting(max(stage.steps, WARM_UP_STEPS + MEASURED_STEPS))
    with alone():
        for moment in train(model, [trial], device=device, precision=precision):
            if moment.loss.is_cuda:
                torch.cuda.synchronize()
            now = time.perf_counter()
            if moment.step >= WARM_UP_STEPS:
                times.append(now - last)
            last = now
            if len(times) >= MEASURED_STEPS or (times and now - start > MEASURED_S):
                break
    return statistics.median(times)
