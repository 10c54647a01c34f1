"""Watching a training: what is logged, when it stops, what it refuses to save."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.errors import Diverged
from samoyed.core.reference import Score
from samoyed.core.stage import Stage
from samoyed.core.stopping import Interrupted, StopRequest, stoppable
from samoyed.runs.folder import EventLog, RunFolder
from samoyed.runs.following import Follower
from samoyed.runs.progress import Progress
from samoyed.training import checkpoint
from samoyed.training.loop import train
from samoyed.training.planning import Plan


class Noise:
    def batch(self, step: int) -> Batch:
        return Batch(torch.randn(8, 3, generator=torch.Generator().manual_seed(step)))


def follower(tmp_path: Path, model: nn.Module, steps: int, **changes: object) -> Follower:
    log = EventLog(tmp_path / "events.jsonl")
    progress = Progress([steps], [0.01], is_quiet=True)
    return Follower(RunFolder(tmp_path), log, model, Plan((steps,), (0.01,)), progress, **changes)  # type: ignore[arg-type]


def stage(steps: int, rate: float = 0.01, **changes: object) -> Stage:
    def sgd(model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.parameters(), lr=rate)

    return Stage("s", Noise(), lambda m, b: m(b.inputs).square().mean(), sgd, steps, **changes)


def test_logged_losses_are_the_means_over_their_steps(tmp_path: Path):
    model = nn.Linear(3, 1)
    losses: list[float] = []

    def watched():
        for moment in train(model, [stage(600)]):
            losses.append(float(moment.loss))
            yield moment

    watcher = follower(tmp_path, model, 600)
    watcher.follow(watched(), StopRequest())
    events = watcher.log.events
    assert [e["step"] for e in events] == list(range(2, 600, 3))
    for event in events:
        here = losses[event["step"] - 2 : event["step"] + 1]
        assert event["loss"] == pytest.approx(sum(here) / 3)


def test_what_a_stage_tells_is_logged(tmp_path: Path):
    model = nn.Linear(3, 1)
    watcher = follower(tmp_path, model, 2)
    watcher.follow(train(model, [stage(2, tells=lambda: {"epsilon": 0.5})]), StopRequest())
    assert watcher.log.events[-1]["epsilon"] == 0.5


def test_quick_scores_come_spread_over_the_stage_and_not_at_its_end(tmp_path: Path):
    model = nn.Linear(3, 1)
    score = Score("accuracy", 0.5, 0.4, 0.6, 10)
    watcher = follower(tmp_path, model, 900, quick_score=lambda: [score], num_quick=8)
    watcher.follow(train(model, [stage(900)]), StopRequest())
    at = [e["step"] for e in watcher.log.events if "accuracy" in e]
    assert len(at) == 8
    assert max(at) < 899
    assert min(b - a for a, b in pairwise(at)) > 80


def test_a_request_to_stop_saves_and_says_so(tmp_path: Path):
    model = nn.Linear(3, 1)
    stop = StopRequest()

    def watched():
        for moment in train(model, [stage(50)]):
            if moment.step == 20:
                stop.receive(signal.SIGTERM, None)
            yield moment

    with pytest.raises(Interrupted, match="step 21 of 50"):
        follower(tmp_path, model, 50).follow(watched(), stop)
    kept = checkpoint.newest(tmp_path / "state")
    assert kept is not None
    assert kept.resume.step == 21


def test_in_training_a_signal_waits_for_the_step_and_elsewhere_it_stops_at_once():
    with stoppable() as stop:
        stop.is_training = True
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == signal.SIGTERM
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with stoppable() as stop:
        stop.doing = "reading"
        with pytest.raises(Interrupted, match="while reading; everything"):
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_loss_that_is_no_number_stops_before_it_is_saved(tmp_path: Path):
    model = nn.Linear(3, 1)
    watcher = follower(tmp_path, model, 500, checkpoint_s=0.0)
    with pytest.raises(Diverged) as caught:
        watcher.follow(train(model, [stage(500, rate=1e6)]), StopRequest())
    assert "learning_rate" in caught.value.hint
    kept = checkpoint.newest(tmp_path / "state")
    assert kept is not None
    assert all(torch.isfinite(t).all() for t in kept.model.values())


def test_an_update_that_is_no_number_is_not_saved(tmp_path: Path):
    model, steps = nn.Linear(3, 1), iter(range(6))

    def root_of_nothing(m: nn.Module, batch: Batch) -> torch.Tensor:
        loss = m(batch.inputs).square().mean()
        at_zero = (m.weight - m.weight.detach()).square().sum().sqrt()  # its gradient is NaN
        return loss + (at_zero if next(steps) == 5 else 0)

    watcher = follower(tmp_path, model, 6, checkpoint_s=0.0)
    made = replace(stage(6), objective=root_of_nothing)
    with pytest.raises(Diverged, match=r"step 6(.|\n)*that are no numbers(.|\n)*--fresh"):
        watcher.follow(train(model, [made]), StopRequest())
    kept = checkpoint.newest(tmp_path / "state")
    assert kept is not None
    assert all(torch.isfinite(t).all() for t in kept.model.values())


def test_a_look_on_the_way_is_called_one(capsys):
    event = {"stage_index": 0, "stage": "train", "step": 4, "steps": 5, "loss": 0.5, "returns": 2.0}
    with Progress([5], [0.01], is_quiet=False) as progress:
        progress.update(event, {"accuracy": 0.9876})
        progress.update(event)
    looked, plain = capsys.readouterr().err.splitlines()
    assert "loss 0.5  returns 2  so far: accuracy 0.9876, about" in looked
    assert "so far" not in plain


def test_what_the_last_stage_does_after_its_steps_is_training_too(tmp_path: Path):
    model, watcher = nn.Linear(3, 1), follower(tmp_path, nn.Linear(3, 1), 2)
    slow = stage(2, after=lambda model: time.sleep(0.2))
    seconds = watcher.follow(train(model, [slow]), StopRequest())
    assert seconds >= watcher.log.events[-1]["seconds"] + 0.2 - 0.001
