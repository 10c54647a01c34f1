"""The three questions about tables, end to end on drawn ones: what a person meets."""

import io
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import samoyed
from samoyed import cli
from samoyed.data.tables import TableAsk, scan_table
from samoyed.models.since import tabular_network
from samoyed.runs.baselines import tables as baselines
from samoyed.runs.figures import table_rows as figures
from samoyed.runs.figures.table_answers import in_units
from samoyed.tasks.table_classify import ClassifyTable
from samoyed.tasks.table_regress import number_scores
from samoyed.tasks.table_several import several_scores
from samoyed.training.loop import Resume, train

SETTINGS = {"num_members": 5, "width": 32, "learning_rate": 0.01}


def drawn(num, seed):
    rng = random.Random(seed)
    lines = ["x,y,letter,kind,size,one,two"]
    for _ in range(num):
        x, y, letter = rng.gauss(0, 1), rng.gauss(0, 1), rng.choice("abc")
        is_high = x * y + (letter == "a") > 0.3
        size = 100 + 20 * x + 5 * (letter == "b")
        one = rng.choice(["", str(int(x > 0))])
        lines.append(
            f"{x:.4f},{y:.4f},{letter},{'high' if is_high else 'low'},{size:.3f},{one},{int(y > 0)}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tables")
    (root / "train.csv").write_text(drawn(500, 0))
    (root / "test.csv").write_text(drawn(200, 1))
    return root


@pytest.fixture(scope="module")
def runs(folder):
    """One finished run of each question."""
    asked = {
        "classify": ("kind", "x,y,letter"), "regress": ("size", "x,y,letter"),
        "several": ("one,two", "x,y,letter"),
    }  # fmt: skip
    return {
        name: samoyed.train(
            folder / "train.csv", target=target, test=folder / "test.csv", input=chosen, epochs=25,
            out=folder / name, quiet=True, settings=SETTINGS,
        )
        for name, (target, chosen) in asked.items()
    }  # fmt: skip


def test_every_question_is_learned_scored_and_set_beside_baselines(runs):
    found = {name: {s.name: s.value for s in run.scores} for name, run in runs.items()}
    assert found["classify"]["accuracy"] > 0.85
    assert found["classify"]["roc_auc"] > 0.9
    assert found["regress"]["rmse"] < 4
    assert found["regress"]["r_squared"] > 0.95
    assert list(found["several"]) == ["mean_roc_auc", "roc_auc of one", "roc_auc of two"]
    assert found["several"]["mean_roc_auc"] > 0.97
    for run in runs.values():
        head = run.scores[0]
        assert head.low <= head.value <= head.high
        names = [name for name, _ in run.baselines]
        first = ["always the commonest class"] if head.name == "accuracy" else []
        assert names[: len(first) + 2] == [*first, "boosted trees", "random forest"]
        assert {score.name for _, score in run.baselines} == {head.name}


def test_reports_show_what_tables_show(runs):
    said = {name: (run.path / "report.html").read_text() for name, run in runs.items()}
    for title in ("What is taken for what", "Class by class", "What it goes by"):
        assert title in said["classify"]
    assert "size: true against answered" in said["regress"]
    for text in said.values():
        assert "If a row were another" in text
    assert "Most confident mistakes" in said["classify"]
    assert "How hidden units fold the plane" not in said["classify"]  # three columns
    assert "Question by question" in said["several"]


def test_evaluate_gives_the_scores_of_the_run_on_its_own_and_on_the_same_other_data(runs, folder):
    for run in runs.values():
        again = samoyed.load(run.path)
        assert again.evaluate() == run.scores
        assert again.evaluate(folder / "test.csv") == run.scores


def spoken(capsys, *arguments):
    cli.app(list(arguments), exit_on_error=False, result_action="return_value")
    return capsys.readouterr().out


def test_predict_from_files_and_standard_input(runs, folder, tmp_path, capsys, monkeypatch):
    new = tmp_path / "new.csv"
    new.write_text("letter,y,x\na,2.0,2.0\nb,-2.0,2.0\n")
    lines = spoken(capsys, "predict", str(runs["classify"].path), str(new), "--json").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["answer"] for row in rows] == ["high", "low"]
    assert rows[0]["input"].endswith("new.csv:2")
    assert rows[0]["probability"] + rows[0]["low"] == pytest.approx(1)
    for mark in ([], ["-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO(new.read_text()))
        line = spoken(capsys, "predict", str(runs["regress"].path), *mark, "--json").splitlines()[1]
        assert json.loads(line)["value"] == pytest.approx(145, abs=12)
    [first, _] = runs["several"].predict(new)
    assert first.answer == "one, two"
    said = spoken(capsys, "explain", str(runs["classify"].path), str(new))
    *told, written = said.strip().splitlines()
    for line, answer in zip(told, ("2: high", "3: low"), strict=True):
        assert f"new.csv:{answer} " in line
        most, then = re.search(r"moved most by (.*), then (.*)", line).groups()
        assert {most[:3], then[:3]} == {"x (", "y ("}, "the letter says nothing"
        first, second = (float(moved.split()[-1]) for moved in (most, then))
        assert first >= second > 0
    page = written.removeprefix("written: ")
    assert "new.csv:2: high" in Path(page).read_text()
    assert "rows are drawn" not in said
    header, *some = new.read_text().splitlines()
    new.write_text("\n".join([header, *some * 4]))
    said = spoken(capsys, "explain", str(runs["classify"].path), str(new))
    assert "the first 5 of 8 rows are drawn" in said.splitlines()
    assert "first 5 of 8 rows" in Path(page).read_text()


def test_check_lists_columns_or_says_what_would_be_learned(folder, capsys):
    path = str(folder / "train.csv")
    said = spoken(capsys, "check", path)
    assert "letter: category" in said
    assert f"samoyed train {path} --target two" in said
    said = spoken(capsys, "check", path, "--target", "size", "--input", "all but one,two")
    assert "task: regress; model: tabular_network" in said
    assert "--input 'all but one,two'" in said


def test_the_same_command_is_finished_and_another_target_is_refused(runs, folder, capsys):
    common = ["train", str(folder / "train.csv"), "--out", str(runs["regress"].path)]
    common += ["--test", str(folder / "test.csv"), "--epochs", "25"]
    for key, value in SETTINGS.items():
        common += ["--set", f"{key}={value}"]
    said = spoken(capsys, *common, "--target", "size", "--input", "x,y,letter")
    assert "already finished" in said
    with pytest.raises(SystemExit):
        cli.main([*common, "--target", "x"])
    assert "target size" in capsys.readouterr().err


def test_table_options_are_refused_for_other_data(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "digits", "--target", "3"])
    assert "--target" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["predict", "nowhere", "--jsn"])
    assert "Did you mean '--json'" in capsys.readouterr().err


def test_answers_are_in_the_targets_own_unit_and_perfect_answers_score_perfectly():
    truth = np.array([10.0, 20.0, 30.0])
    root, mean, share = number_scores(truth, truth)
    assert (root.value, mean.value, share.value) == (0.0, 0.0, 1.0)
    few = number_scores(np.array([-0.77, -3.3, -2.06]), np.array([-1.1, -3.0, -2.5]))[2]
    assert -100 < few.low < few.value < few.high <= 1.0
    targets = np.array([[0, np.nan], [1, 0], [0, 1]], np.float32)
    scores = several_scores(targets, np.nan_to_num(targets), ("a", "b"))
    assert [s.value for s in scores] == [1.0, 1.0, 1.0]
    assert [s.num for s in scores] == [3, 3, 2]


def test_importance_finds_the_columns_that_matter(folder, runs):
    run = runs["regress"]
    data = run.assembly().data
    found = figures.importances(run.task, run.model, data.test, data.spec)
    assert found[0][0].name == "x"
    assert found[0][2] > 0
    noise = next(row for row in found if row[0].name == "y")
    assert abs(noise[1]) < 0.1 * found[0][1]
    column = data.spec.columns[0]
    encoded = float(data.test.inputs[0, 0])
    written = float((folder / "test.csv").read_text().splitlines()[1].split(",")[0])
    assert in_units(column, encoded) == pytest.approx(written, abs=1e-3)


def test_baselines_see_gaps_as_gaps_and_say_how_many_rows(tmp_path, monkeypatch):
    lines = drawn(300, 3).splitlines()
    body = [line.split(",", 1)[1] if i % 5 else line for i, line in enumerate(lines)]
    content = [line if line.count(",") == 6 else "," + line for line in body]
    (tmp_path / "t.csv").write_text("\n".join(content))
    data = scan_table(tmp_path / "t.csv", TableAsk("kind", input="x,y,letter")).load()
    inputs = baselines._inputs(data.train, data.spec, False)
    assert np.isnan(inputs[:, 0]).sum() == data.train.inputs[:, 2].sum() > 100
    hot = baselines._inputs(data.train, data.spec, True)
    assert np.all(hot[:, -4:].sum(axis=1) == 1)
    monkeypatch.setattr(baselines, "_FOREST_VALUES", 4 * 200)
    names = [name for name, _ in baselines.measure(data)]
    assert names == [
        "always the commonest class", "boosted trees", "random forest (200 rows)",
        "logistic regression",
    ]  # fmt: skip


def test_where_one_class_is_nearly_all_the_commonest_is_hard_to_beat(tmp_path):
    rng = random.Random(0)
    lines = [f"{rng.random():.4f},{'yes' if k % 50 == 3 else 'no'}" for k in range(500)]
    (tmp_path / "t.csv").write_text("\n".join(["x,fraud", *lines]))
    scores = dict(baselines.measure(scan_table(tmp_path / "t.csv", TableAsk("fraud")).load()))
    always = scores["always the commonest class"]
    assert (always.value, always.num) == (0.98, 100)
    assert all(score.value <= always.value for score in scores.values())


@pytest.mark.parametrize("cut_at", [(0, 4), (1, 2)])
def test_training_of_several_networks_goes_on_bit_for_bit(folder, cut_at):
    data = scan_table(folder / "train.csv", TableAsk("kind", input="x,y,letter")).load()
    task = ClassifyTable(data.spec, data.target)
    recipe = replace(tabular_network.RECIPE, batch_size=32, epochs=1)
    config = tabular_network.Config(num_folds=2, num_members=2, width=16)

    def begin():
        torch.manual_seed(0)
        return tabular_network.build(config, data.spec, data.target)

    def stages(model):
        [stage] = task.stages(model, data, recipe, 0)
        return tabular_network.stages(model, config, stage.feed, stage, 0)

    whole = begin()
    list(train(whole, stages(whole)))
    cut = begin()
    for moment in train(cut, stages(cut)):
        if (moment.stage_index, moment.step) == cut_at:
            kept = {"best": moment.stage.keeps["best"].state_dict()}
            resume = Resume(cut_at[0], cut_at[1] + 1, moment.optimizer.state_dict(), kept)
            break
    list(train(cut, stages(cut), resume=resume))
    for name, one in whole.state_dict().items():
        assert torch.equal(one, cut.state_dict()[name]), name
