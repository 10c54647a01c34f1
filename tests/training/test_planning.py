"""Minutes become steps by measuring, and the model is left as it was."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.stage import Stage
from samoyed.training import planning
from samoyed.training.planning import Plan, measure, median_of_means


class Slow:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def batch(self, step: int) -> Batch:
        time.sleep(self.seconds)
        return Batch(torch.ones(2, 3))


def stages(model: nn.Module) -> Iterator[Stage]:
    def sgd(m: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(m.parameters(), lr=0.5)

    for name, seconds, steps in (("a", 0.004, 10), ("b", 0.016, 20)):
        yield Stage(name, Slow(seconds), lambda m, b: m(b.inputs).sum(), sgd, steps)


def test_measures_each_stage_and_leaves_the_model_alone():
    model = nn.Linear(3, 1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    plan = measure(stages, model, device="cpu", precision="float32")
    assert plan.steps == (10, 20)
    assert plan.step_s[0] >= 0.004
    assert plan.step_s[1] >= 0.016
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_a_fitted_plan_lasts_as_asked_and_keeps_the_shares():
    plan = Plan((100, 300), (0.01, 0.02)).fitted(70)
    assert plan.seconds == pytest.approx(70)
    assert plan.steps == (1000, 3000)


def test_what_comes_after_the_steps_is_a_part_of_the_time():
    plan = Plan((100, 300), (0.01, 0.02), after_s=14.0)
    assert plan.seconds == pytest.approx(7 + 14)
    fitted = plan.fitted(70)
    assert fitted.seconds == pytest.approx(70)
    assert (fitted.steps, fitted.after_s) == ((800, 2400), 14.0)
    assert plan.fitted(20).steps == (143, 429)  # half the time is the steps' in any case


def test_what_comes_after_the_steps_is_measured_once():
    def with_more(model: nn.Module) -> Iterator[Stage]:
        for stage in stages(model):
            yield replace(stage, after_s=lambda name=stage.name: {"a": 2.0, "b": 0.5}[name])

    plan = measure(with_more, nn.Linear(3, 1), device="cpu", precision="float32")
    assert plan.after_s == 2.5


def test_every_stage_keeps_at_least_one_step():
    assert Plan((1, 1000), (1.0, 0.001)).fitted(0.01).steps[0] == 1


class Pausing:
    """A feed under a clock of its own, which stops now and then: at these batches, so long."""

    def __init__(self, pauses: dict[int, float]) -> None:
        self.pauses = pauses
        self.now = 0.0

    def batch(self, step: int) -> Batch:
        self.now += self.pauses.get(step, 0.02)
        return Batch(torch.ones(2, 3))


@pytest.mark.parametrize("pauses", [{17: 10.0}, {2: 0.5, 4: 1.2}, {30: 0.3, 31: 0.3}])
def test_a_pause_of_the_machine_is_not_taken_for_the_speed(
    pauses: dict[int, float], monkeypatch: pytest.MonkeyPatch
):
    feed = Pausing(pauses)
    monkeypatch.setattr(planning.time, "perf_counter", lambda: feed.now)

    def paused(model: nn.Module) -> Iterator[Stage]:
        yield replace(next(stages(model)), feed=feed)

    plan = measure(paused, nn.Linear(3, 1), device="cpu", precision="float32")
    assert plan.step_s[0] == pytest.approx(0.02)


def test_slow_steps_that_come_again_count_in_full():
    rng = random.Random(0)
    times = [rng.uniform(0.9, 1.1) + (20 if k % 25 == 3 else 0) for k in range(700)]
    assert median_of_means(times) == pytest.approx(sum(times) / 700, rel=0.05)
