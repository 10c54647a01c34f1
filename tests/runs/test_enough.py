"""Training ends when what is set aside is foreseen no better, and the best weights are kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import samoyed
from samoyed.training.best_weights import BestWeights
from samoyed.training.planning import LAST_SHARE, Plan

SETTINGS = {
    "baselines": False, "report": False, "num_units": 32, "embedding_size": 16, "unroll": 8,
    "batch_size": 8, "dropout": 0.0,
}  # fmt: skip


def letters(folder: Path) -> Path:
    """Write letters drawn by chance: beyond their frequencies there is nothing to learn."""
    random = np.random.default_rng(0)
    path = folder / "letters.txt"
    lines = ("".join(random.choice(list("abcdefgh"), 60)) for _ in range(60))
    path.write_text("\n".join(lines))
    return path


def test_a_plan_is_ended_by_a_last_stretch_but_not_where_it_ends_anyway():
    plan = Plan((50, 1000, 70), (0.1, 0.2, 0.3))
    ended = plan.ending(1, 399)
    assert ended is not None
    assert ended.steps == (50, 400 + LAST_SHARE * 400, 70)
    assert ended.step_s == plan.step_s
    assert ended.ending(1, 400) is None
    assert plan.ending(1, 800) is None


def test_a_text_that_is_learned_by_heart_ends_early(tmp_path: Path, capsys):
    text = letters(tmp_path)
    run = samoyed.train(text, epochs=200, out=tmp_path / "run", settings=SETTINGS)
    said = capsys.readouterr().out
    assert "worse on what is set aside" in said
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    last = run.history[-1]
    assert last["step"] + 1 == last["steps"] == config["steps"][-1]
    assert last["rate"] < 0.05 * max(event["rate"] for event in run.history), "it fell to its end"
    whole = {**SETTINGS, "num_aside": 0}
    by_plan = samoyed.train(text, epochs=200, out=tmp_path / "whole", settings=whole)
    assert config["steps"][-1] < 0.5 * by_plan.history[-1]["steps"]
    assert run.scores[0].value < by_plan.scores[0].value - 0.1
    assert run.scores[0].value == pytest.approx(3.0, abs=0.25), "bits of one of eight letters"


@pytest.mark.parametrize("share", [0.5, 0.9], ids=["before the end is seen", "after it"])
def test_a_run_that_broke_off_ends_in_the_same_weights(tmp_path: Path, monkeypatch, share: float):
    text, settings = letters(tmp_path), {**SETTINGS, "checkpoint_s": 0.0}
    once = samoyed.train(text, epochs=60, out=tmp_path / "once", settings=settings)
    last = once.history[-1]["steps"]
    look = BestWeights.after_step

    def broken(self: BestWeights, model: torch.nn.Module, step: int) -> None:
        look(self, model, step)
        if step == int(share * last):
            raise ConnectionError("the plug was pulled")

    monkeypatch.setattr(BestWeights, "after_step", broken)
    with pytest.raises(ConnectionError):
        samoyed.train(text, epochs=60, out=tmp_path / "twice", settings=settings)
    monkeypatch.setattr(BestWeights, "after_step", look)
    twice = samoyed.train(text, epochs=60, out=tmp_path / "twice", settings=settings)
    assert twice.history[-1]["steps"] == last
    for name, tensor in twice.model.state_dict().items():
        assert torch.equal(tensor, once.model.state_dict()[name])
