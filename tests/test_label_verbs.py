"""A table of pictures with any number of labels, through the verbs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed
from samoyed import cli
from samoyed.core.errors import RunError

LABELS = ("bars", "bright")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures with two labels that come and go, in train.csv and held.csv."""
    root = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        noise = rng.integers(0, 60, (16, 16), dtype=np.uint8)
        has = i % 2, i // 2 % 2
        noise[:, ::4] += np.uint8(90 * has[0])
        noise += np.uint8(100 * has[1])
        Image.fromarray(noise).save(root / f"{i}.png")
        rows.append((f"{i}.png", *has))
    for name, part in (("train.csv", rows[:44]), ("held.csv", rows[44:])):
        with (root / name).open("w", newline="") as file:
            csv.writer(file).writerows([("file", *LABELS), *part])
    return root


@pytest.fixture(scope="module")
def run(tables: Path) -> samoyed.Run:
    return samoyed.train(
        tables / "train.csv", test=tables / "held.csv", epochs=10, out=tables / "run", quiet=True,
        settings={"batch_size": 8}, size="small",
    )  # fmt: skip


def test_it_learned_what_the_held_out_table_asks(run: samoyed.Run):
    names = [score.name for score in run.scores]
    assert names[:3] == ["mean_average_precision", "macro_f1", "micro_f1"]
    assert run.scores[0].value > 0.9
    assert run.scores[0].num == 16
    assert run.baselines[0][0] == "always the shares of the labels"
    assert "mean average precision" in (run.path / "report.html").read_text().lower()
    assert "image-classification" in (run.path / "MODEL_CARD.md").read_text()


def test_evaluate_opens_both_tables_again(run: samoyed.Run, tables: Path):
    assert run.evaluate() == run.scores
    said: list[str] = []
    assert run.evaluate(tables / "train.csv", say=said.append)[0].num == 44
    assert said[0] == "scored: all of it, as it has no test part"
    assert said[1].startswith(
        "warning: all 44 pictures scored are among those that the run learned"
    )
    other = tables / "copy.csv"
    other.write_text((tables / "train.csv").read_text())
    said.clear()
    run.evaluate(other, say=said.append)
    assert said[1].startswith("warning: all 44 pictures scored are among those")


def test_other_questions_are_refused(run: samoyed.Run, tmp_path: Path):
    for i in range(12):
        (tmp_path / LABELS[i % 2]).mkdir(exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 255, (16, 16), np.uint8)
        Image.fromarray(pixels).save(tmp_path / LABELS[i % 2] / f"{i}.png")
    with pytest.raises(RunError, match="pictures to classify labels"):
        run.evaluate(tmp_path)


def test_predict_answers_with_lists(run: samoyed.Run, tables: Path, capsys):
    answers = run.predict([tables / "0.png", tables / "3.png"])
    assert answers[0].answer == "none"
    assert sorted(answers[1].answer.split(", ")) == ["bars", "bright"]
    arguments = ["predict", str(run.path), str(tables / "3.png"), "--json"]
    cli.app(arguments, exit_on_error=False, result_action="return_value")
    row = json.loads(capsys.readouterr().out)
    assert min(row["bars"], row["bright"]) > 0.5


def test_check_says_the_question(tables: Path):
    said = "\n".join(samoyed.check(tables / "train.csv", test=tables / "held.csv"))
    assert "labels in 2 columns" in said
    assert "task: classify labels; model: compact_convnet" in said
    assert "44 to learn from, 16 held out (as the data came)" in said


@pytest.mark.parametrize("to", ["onnx", "torch"])
def test_an_exported_file_answers_with_the_same_lists(run: samoyed.Run, tables: Path, to: str):
    pytest.importorskip("onnxruntime")
    made = samoyed.export(run, to, run.path.parent / f"out.{'onnx' if to == 'onnx' else 'pt2'}")
    assert made.difference < 1e-5
    asked = [tables / f"{i}.png" for i in range(8)]
    theirs = samoyed.load_exported(made.path).predict(asked)
    ours = run.predict(asked)
    assert [a.answer for a in theirs] == [a.answer for a in ours]
    assert len({a.answer for a in ours}) > 2
    for one, other in zip(theirs, ours, strict=True):
        assert dict(one.details) == pytest.approx(dict(other.details), abs=1e-5)
