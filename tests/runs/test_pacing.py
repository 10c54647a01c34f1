"""A run that was asked for minutes keeps to them on a machine that becomes slow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import samoyed
from samoyed.catalog import find
from samoyed.runs import pacing
from samoyed.runs.conducting import RunSettings, use_threads
from samoyed.runs.pacing import Pace
from samoyed.training import planning
from samoyed.training.planning import Plan


def play(plan: Plan, seconds: float, slowness: float) -> tuple[float, list[Plan]]:
    """Walk through a plan, every step `slowness` times as slow; return the end and the plans."""
    clock, made = 0.0, []
    position = [(i, n) for i, steps in enumerate(plan.steps) for n in range(steps)]
    pace = Pace(plan, seconds)
    first = plan.step_s
    while position:
        stage, step = position[0]
        clock += first[stage] * slowness
        shorter = pace.look(stage, step, clock)
        position = position[1:]
        if shorter is not None:
            made.append(shorter)
            pace = Pace(shorter, seconds)
            ends = shorter.steps
            position = [
                (i, n)
                for i, steps in enumerate(ends)
                for n in range(steps)
                if (i, n) > (stage, step)
            ]
    return clock, made


@pytest.mark.parametrize("slowness", [0.85, 1.0, 1.2])
def test_steps_that_are_about_as_long_as_measured_leave_the_plan_alone(slowness):
    assert play(Plan((6000,), (0.01,)), 60.0, slowness)[1] == []


@pytest.mark.parametrize("slowness", [1.5, 3.0, 10.0])
def test_a_slow_machine_still_ends_in_time(slowness):
    end, made = play(Plan((6000,), (0.01,)), 60.0, slowness)
    assert made
    assert 0.9 * 60 < end < 1.26 * 60


@pytest.mark.parametrize("slowness", [0.7, 0.3, 0.1])
def test_a_machine_that_was_busy_when_it_was_measured_is_used(slowness):
    end, made = play(Plan((6000,), (0.01,)), 60.0, slowness)
    assert made[0].steps[0] > 6000
    assert 0.79 * 60 < end < 1.26 * 60


@pytest.mark.parametrize("num_steps", [6, 10, 30])
def test_few_steps_that_were_measured_while_the_machine_was_busy_become_many(num_steps):
    true_s = 18.0 / 200  # so that 200 would fit
    end, made = play(
        Plan((num_steps,), (18.0 / num_steps,)), 18.0, true_s * num_steps / 18.0
    )  # fmt: skip
    assert 0.8 * 200 < made[-1].steps[0] < 1.25 * 200
    assert end == pytest.approx(made[-1].steps[0] * true_s)


@pytest.mark.parametrize("slowness", [0.4, 1.0, 3.0])
def test_what_comes_after_the_steps_fits_into_the_time_too(slowness):
    end, _ = play(Plan((4000,), (0.01,), after_s=20.0), 60.0, slowness)
    assert 0.75 * 60 < end + 20.0 * slowness < 1.5 * 60


def test_a_recipe_that_is_long_enough_does_not_grow():
    pace = Pace(Plan((6000,), (0.01,), most=6000), 60.0)
    assert not any(pace.look(0, step, 0.001 * step) for step in range(6000))


def test_a_recipe_that_was_cut_short_grows_to_its_length_and_no_further():
    plan = Plan((11, 11, 11, 11), (0.4,) * 4, most=400)
    end, made = play(plan, 17.6, 0.02)
    assert sum(plan.steps) < sum(made[0].steps)
    assert 390 <= sum(made[-1].steps) <= 402
    assert all(100 <= steps <= 140 for steps in made[-1].steps[1:])
    assert end < 17.6


def test_late_in_a_plan_it_grows_no_more():
    pace = Pace(Plan((6000,), (0.01,)), 60.0)
    pace.look(0, 3599, 36.0)
    assert not any(pace.look(0, step, 36.0 + 0.001 * (step - 3599)) for step in range(3600, 6000))


def test_stages_share_what_is_left():
    end, made = play(Plan((1000, 5000), (0.01, 0.01)), 60.0, 2.0)
    first, second = made[0].steps
    assert first < 1000
    assert second < 5000
    assert second / 5000 == pytest.approx((first - 251) / (1000 - 251), rel=0.3)
    assert 0.9 * 60 < end < 1.26 * 60


def test_other_work_that_ends_before_the_second_look_changes_nothing():
    pace = Pace(Plan((6000,), (0.01,)), 60.0)
    clock = 0.0
    for step in range(3000):
        clock += 0.05 if 400 <= step < 480 else 0.01  # four seconds of slow steps
        assert pace.look(0, step, clock) is None


def test_the_milder_of_two_looks_counts():
    pace, clock, made = Pace(Plan((6000,), (0.01,)), 60.0), 0.0, None
    for step in range(3000):
        clock += 0.05 if clock < 3.05 else 0.02
        if made := pace.look(0, step, clock):
            break
    assert made is not None
    left_s = (made.steps[0] - step - 1) * 0.02
    assert clock + left_s == pytest.approx(60, rel=0.05)


def test_one_pause_is_not_a_slow_machine():
    pace = Pace(Plan((6000,), (0.01,)), 60.0)
    clock = 0.0
    for step in range(3000):
        clock += 0.01 if step != 500 else 5.0
        assert pace.look(0, step, clock) is None


def test_no_more_than_the_time_is_taken_and_some_is_always_left():
    pace = Pace(Plan((100,), (0.1,)), 10.0)
    pace.look(0, 0, 8.0)
    found = [shorter for step in range(1, 20) if (shorter := pace.look(0, step, 8.0 + step))]
    assert found[0].steps[0] > 3, "a tenth of the time, though it is over"


def test_a_run_on_a_slow_machine_ends_in_time_and_says_so(tmp_path: Path, monkeypatch, capsys):
    measure = planning.measure

    def too_quick(*args, **options):
        plan = measure(*args, **options)
        return replace(plan, step_s=tuple(s / 8 for s in plan.step_s))

    monkeypatch.setattr(planning, "measure", too_quick)
    monkeypatch.setattr(pacing, "LOOK_S", 0.2)
    settings = {"baselines": False, "report": False}
    run = samoyed.train("digits", minutes=0.03, out=tmp_path / "run", settings=settings)
    assert "steps are left out, to keep to the time" in capsys.readouterr().out
    held = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert held["training_seconds"] < 4 * 1.8, "eight times as long without"
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert run.history[-1]["step"] + 1 == run.history[-1]["steps"] == config["steps"][-1]
    assert run.history[-1]["rate"] < 0.1 * max(e["rate"] for e in run.history), "it fell to its end"
    # the same command again finds it finished; more minutes go on from there
    samoyed.train("digits", minutes=0.03, out=tmp_path / "run", settings=settings)
    assert "trained for" not in capsys.readouterr().out
    longer = samoyed.train("digits", minutes=0.04, out=tmp_path / "run", settings=settings)
    assert longer.history[-1]["steps"] > config["steps"][-1]


@pytest.mark.parametrize(("model", "expected"), [("elman", [1]), ("compact_convnet", [])])
def test_small_steps_are_taken_by_one_thread_unless_asked(model: str, expected, monkeypatch):
    taken: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", taken.append)
    assembly = SimpleNamespace(row=find(model))
    use_threads(RunSettings(), assembly, None)
    assert taken == expected
    use_threads(RunSettings(num_threads=3), assembly, None)
    assert taken[-1] == 3
    use_threads(RunSettings(num_threads=3), assembly, {"num_threads": 2})
    assert taken[-1] == 2, "of the beginning, for identical sums"
