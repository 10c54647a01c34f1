"""Learning curves: how many examples are learned from, how long, and what is said of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import samoyed
from samoyed.assembly import open_again
from samoyed.core.reference import Score
from samoyed.runs import learning_curve as curves
from samoyed.training.out_of_fold import set_aside
from samoyed.training.planning import Plan


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("curve")
    x = np.random.default_rng(0).normal(size=(800, 3))
    lines = [f"{a:.4f},{b:.4f},{c:.4f},{'up' if a + b > 0 else 'down'}" for a, b, c in x]
    (root / "t.csv").write_text("a,b,c,kind\n" + "\n".join(lines) + "\n")
    return samoyed.train(
        root / "t.csv", target="kind", epochs=5, out=root / "run", quiet=True,
        settings={
            "num_folds": 0, "num_members": 2, "width": 16, "depth": 1, "baselines": False,
            "learning_curve": True,
        },
    )  # fmt: skip


def test_the_report_of_a_run_that_asked_for_it_shows_the_curve(run):
    assert "Would more examples help?" in (run.path / "report.html").read_text()


def test_each_part_learns_from_so_many_rows_and_all_together_a_share_of_the_steps(run):
    config = json.loads((run.path / "config.json").read_text())
    source = open_again(config)
    part = curves.part_of(config, source, 80)
    model = part.make_model()
    [stage] = part.make_stages(model)
    learned = {tuple(row) for row in stage.feed.inputs}
    assert len(learned) == len(stage.feed.inputs) == 80 - len(set_aside(80, 0))
    assert learned <= {tuple(row) for row in part.data.train.inputs}
    plan = Plan((1000,), (0.001,))
    said: list[str] = []
    figure = curves.learning_curve(config, source, plan, torch.device("cpu"), said.append)
    assert [line.split(":")[0].split()[-1] for line in said] == ["80", "160", "320", "640"]
    assert "30 steps each, where the run itself trained 33 times as long" in figure.caption


def test_too_few_examples_have_no_curve(run):
    class Few:
        kind, num_train = "table", 511

    said: list[str] = []
    assert curves.learning_curve({}, Few(), Plan((1,), (1.0,)), "cpu", said.append) is None
    assert "512 to learn from" in said[0]


@pytest.mark.parametrize(
    ("last", "told"),
    [(0.9, "brought 20 points: more of them would help"), (0.71, "within the intervals"),
     (0.6, "nothing that can be measured")],
)  # fmt: skip
def test_what_the_last_doubling_brought_is_told(last, told):
    values = [(100, 0.5), (200, 0.6), (400, 0.7), (800, last)]
    points = [(n, Score("accuracy", v, v - 0.05, v + 0.05, 300)) for n, v in values]
    assert told in curves.learning_curve_figure(points, 40, 33.3).caption
