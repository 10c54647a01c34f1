"""The verbs, as a person meets them: what they print, what they leave, how they refuse."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed
from samoyed import cli


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of drawn pictures, 40 each."""
    root = tmp_path_factory.mktemp("drawn") / "pictures"
    rng = np.random.default_rng(0)
    for k, name in enumerate(("bars", "bright", "dark")):
        (root / name).mkdir(parents=True)
        for i in range(40):
            noise = rng.integers(0, 60, (16, 16), dtype=np.uint8)
            if name == "bars":
                noise[:, ::4] += 180
            elif name == "bright":
                noise += 120
            Image.fromarray(noise).save(root / name / f"{k}{i}.png")
    return root


@pytest.fixture(scope="session")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> samoyed.Run:
    """A small finished run."""
    out = tmp_path_factory.mktemp("runs") / "run"
    return samoyed.train(folder, epochs=12, out=out, quiet=True, settings={"batch_size": 16})


def spoken(capsys: pytest.CaptureFixture[str], *arguments: str, code: int | None = None) -> str:
    """Run the command line; return what it printed."""
    if code is None:
        cli.app(cli.spelled_out(arguments), exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(arguments))
    assert stopped.value.code == code
    return capsys.readouterr().err


def test_a_run_folder_holds_what_is_promised(run: samoyed.Run):
    names = {p.name for p in run.path.iterdir()}
    assert names >= {
        "manifest.json", "config.json", "data.json", "environment.json", "events.jsonl",
        "model.safetensors", "state", "scores.json", "report.html", "MODEL_CARD.md",
    }  # fmt: skip
    manifest = json.loads((run.path / "manifest.json").read_text())
    for name, size in manifest["files"].items():
        assert (run.path / name).stat().st_size == size


def test_it_learned(run: samoyed.Run):
    assert run.scores[0].name == "accuracy"
    assert run.scores[0].value > 0.8
    assert run.scores[0].low < run.scores[0].value <= run.scores[0].high
    assert [name for name, _ in run.baselines]


def test_predict_answers_for_files_and_folders(run: samoyed.Run, folder: Path, capsys):
    answers = run.predict(folder / "bright")
    assert len(answers) == 40
    assert sum(a.answer == "bright" for a in answers) > 30
    lines = spoken(capsys, "predict", str(run.path), str(folder / "bars"), "--json").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 40
    for row in rows:
        others = [v for k, v in row.items() if k not in ("input", "answer", "probability")]
        assert math.isclose(row["probability"] + sum(others), 1.0, abs_tol=1e-6)


def test_evaluate_gives_the_scores_of_the_run(run: samoyed.Run, capsys):
    scores = json.loads(spoken(capsys, "evaluate", str(run.path), "--json"))
    assert scores[0]["value"] == run.scores[0].value
    assert scores[0]["num"] == run.scores[0].num


def test_the_same_command_again_is_finished_and_more_epochs_extend(
    run: samoyed.Run, folder, capsys
):
    before = (run.path / "model.safetensors").read_bytes()
    again = ["train", str(folder), "--out", str(run.path), "--set", "batch_size=16", "--epochs"]
    said = spoken(capsys, *again, "12")
    assert "already finished" in said
    assert "; more --epochs extends it, --fresh starts over" in said
    assert (run.path / "model.safetensors").read_bytes() == before
    assert "goes on after step" in spoken(capsys, *again, "14")
    assert (run.path / "model.safetensors").read_bytes() != before
    assert "at least 14" in spoken(capsys, *again, "3", code=2)


def test_a_longer_run_of_several_stages_says_which_one_goes_on(tmp_path: Path, capsys):
    rng = np.random.default_rng(0)
    rows = [f"{x:.3f},{y:.3f},{int(x + y > 0)}" for x, y in rng.standard_normal((120, 2))]
    table = tmp_path / "t.csv"
    table.write_text("x,y,kind\n" + "\n".join(rows))
    dials = ("num_members=2", "report=false", "baselines=false")
    again = ["train", str(table), "--target", "kind", "--out", str(tmp_path / "run"),
             *(word for dial in dials for word in ("--set", dial)), "--epochs"]  # fmt: skip
    assert "longer:" not in spoken(capsys, *again, "2")
    said = spoken(capsys, *again, "4")
    assert "longer: the last of 4 stages takes all" in said
    assert "--fresh divides the time anew" in said


def test_starting_over_drops_nothing_where_it_fails(run: samoyed.Run, folder: Path, capsys):
    before = {p.name for p in run.path.iterdir()}
    over = ["train", str(folder), "--out", str(run.path), "--fresh"]
    spoken(capsys, "train", "nowhere", *over[2:], code=2)
    spoken(capsys, *over, "--set", "batch_sise=3", code=2)
    spoken(capsys, *over, "--init", "nowhere", code=2)
    assert {p.name for p in run.path.iterdir()} == before
    assert run.scores


def test_another_command_in_the_same_folder_is_refused(run: samoyed.Run, folder: Path, capsys):
    said = spoken(capsys, "train", str(folder), "--out", str(run.path), "--seed", "7", code=2)
    assert "seed" in said
    assert "--fresh" in said


def test_changed_data_is_noticed(folder: Path, tmp_path: Path, capsys):
    copy = tmp_path / "pictures"
    shutil.copytree(folder, copy)
    options = ["--epochs", "1", "--out", str(tmp_path / "run"), "--set", "baselines=false"]
    options += ["--set", "report=false", "--quiet"]
    spoken(capsys, "train", str(copy), *options)
    next((copy / "bars").iterdir()).unlink()
    said = spoken(capsys, "train", str(copy), *options, code=2)
    assert "fingerprint" in said


def test_explain_and_compare_write_pages(run: samoyed.Run, folder: Path, tmp_path: Path, capsys):
    picture = next((folder / "dark").iterdir())
    said = spoken(capsys, "explain", str(run.path), str(picture)).splitlines()
    assert said[0].startswith(f"{picture}: dark, ")
    assert "(occlusion) and by gradients (LayerCAM): The two " in said[0]
    page = Path(said[-1].removeprefix("written: "))
    assert page.read_text().lower().startswith("<!doctype html>")
    out = tmp_path / "side.html"
    said = spoken(capsys, "compare", str(run.path), str(run.path), "--out", str(out))
    assert "score the same" in said
    assert out.exists()


def test_same_seed_same_weights(folder: Path, tmp_path: Path):
    def weights(name: str, seed: int) -> bytes:
        made = samoyed.train(
            folder, epochs=1, out=tmp_path / name, seed=seed, quiet=True,
            settings={"baselines": False, "report": False},
        )  # fmt: skip
        return (made.path / "model.safetensors").read_bytes()

    assert weights("a", 1) == weights("b", 1)
    assert weights("a", 1) != weights("c", 2)


def test_init_begins_with_the_weights_of_another_run(run: samoyed.Run, folder, tmp_path, capsys):
    said = spoken(
        capsys, "train", str(folder), "--init", str(run.path), "--epochs", "1", "--out",
        str(tmp_path / "next"), "--set", "baselines=false", "--set", "report=false",
    )  # fmt: skip
    assert "begin with" in said


def test_models_and_doctor_and_verify_speak(capsys):
    assert "lenet5" in spoken(capsys, "models")
    one = spoken(capsys, "models", "lenet5")
    assert "1998" in one
    assert "learning_rate" in one
    assert "augmentation = auto" in spoken(capsys, "models", "compact_convnet")
    assert "augmentation" not in spoken(capsys, "models", "tabular_network")
    assert json.loads(spoken(capsys, "models", "lenet5", "--json"))["reference"]["year"] == 1998
    assert "GFLOP/s" in spoken(capsys, "doctor")
    said = spoken(capsys, "verify", "lenet5")
    assert "FAILED" not in said
    assert said.count("passed") >= 9


REFUSED = {
    "no such data": (["train", "nowhere"], "nothing there"),
    "no such data, and more said": (
        ["train", "nowhere", "--test", "there", "--from", "de"],
        "nothing there",
    ),
    "nearly a name": (["train", "digit"], "Did you mean 'digits'"),
    "nearly a world": (["train", "CartPole-v7"], "CartPole-v"),
    "no such world": (["train", "Nonsense-v0"], "Nonsense-v0"),
    "misspelt option": (["train", "digits", "--epocs", "3"], "Did you mean '--epochs'"),
    "misspelt key": (["train", "digits", "--set", "lerning_rate=1"], "learning_rate"),
    "key without value": (["train", "digits", "--set", "learning_rate"], "key=value"),
    "value of the wrong type": (["train", "digits", "--set", "batch_size=x"], "integer"),
    "value out of range": (["train", "digits", "--set", "learning_rate=-1"], "greater than 0"),
    "an endless rate": (["train", "digits", "--set", "learning_rate=1e400"], "a finite number"),
    "saving at no time": (["train", "digits", "--set", "checkpoint_s=NaN"], "a finite number"),
    "no labels": (["train", "digits", "--set", "num_labels=-4"], "greater than 0"),
    "more threads than there are": (["train", "digits", "--set", "num_threads=9999"], "1024"),
    "misspelt model": (["train", "digits", "--model", "lenet"], "lenet5"),
    "model for other data": (["train", "digits", "--model", "deep_q_network"], "for games"),
    "misspelt task": (["train", "digits", "--task", "clasify"], "classify"),
    "misspelt size": (["train", "digits", "--size", "smal"], "small"),
    "no minutes": (["train", "digits", "--minutes", "0"], "to do: --minutes 0.5, say"),
    "negative epochs": (["train", "digits", "--epochs", "-1"], "to do: --epochs 3, say"),
    "minutes and epochs": (["train", "digits", "--minutes", "1", "--epochs", "1"], "leave one out"),
    "minutes and a dial": (
        ["train", "digits", "--minutes", "1", "--set", "epochs=1"],
        "--minutes or --set epochs",
    ),
    "more labels than there are": (
        ["train", "digits", "--set", "num_labels=100000"],
        "the examples to learn from",
    ),
    "not a number": (["train", "digits", "--minutes", "soon"], "soon"),
    "negative seed": (["train", "digits", "--seed", "-1"], "to do: --seed 0"),
    "no such precision": (["train", "digits", "--precision", "half"], "bfloat16"),
    "no such device": (["train", "digits", "--device=tpu"], "cpu"),
    "on-bad": (["train", "digits", "--on-bad", "ignore"], "skip"),
    "init is no run": (["train", "digits", "--init", "nowhere"], "finished run"),
    "no such variation": (["train", "digits", "--set", "augmentation=flop"], "flip"),
    "run is no folder": (["predict", "nowhere", "x.png"], "no such folder"),
    "evaluate nothing": (["evaluate", "nowhere"], "no such folder"),
    "explain nothing": (["explain", "nowhere"], "no such folder"),
    "compare one": (["compare", "nowhere"], "two or more"),
    "no such system": (["models", "lenet6"], "lenet5"),
    "verify no such system": (["verify", "lenet6"], "lenet5"),
    "a link that leads nowhere": (["check", "link"], "leads nowhere"),
    "a device": (["check", "/dev/null"], "a device or a pipe"),
    "verify no such claim": (["verify", "lenet5", "--only", "mnst"], "Did you mean 'mnist'"),
    "verify no seeds": (["verify", "lenet5", "--seeds", "0"], "from 1"),
    "verify without its data": (["verify", "lenet5", "--data", "nowhere"], "mnist/"),
    "minutes beyond all bounds": (["train", "digits", "--minutes", "1e300"], "(a year)"),
    "epochs beyond all bounds": (["train", "digits", "--epochs", "1e300"], "at most 1,000,000"),
    "epochs by another way": (["train", "digits", "--set", "epochs=1e300"], "or equal to 1000000"),
    "a batch of all there is": (
        ["train", "digits", "--set", "batch_size=1000000000"],
        "learn from",
    ),
    "a batch of moves": (["train", "catch", "--set", "batch_size=1000000000"], "remembered"),
    "compare files": (["compare", "file", "file"], "a file that is no run"),
    "a power for a whole number": (["predict", "x", "--length", "1e3"], "to do: write 1000"),
    "a misspelt choice": (["train", "--on-bad", "skp"], "Did you mean 'skip'?"),
    "an option without its value": (["train", "--seed"], "--seed expected: a value"),
    "an option twice": (["train", "--seed", "1", "--seed", "2"], "this option once"),
    "a word too many": (["check", "digits", "more"], "'more' besides"),
    "a value for a switch": (["train", "--fresh=3"], "it is a switch"),
    "a misspelt short form": (["train", "--quite"], "Did you mean '--quiet'?"),
    "no such verb": (["trian", "digits"], "train"),
    "missing argument": (["predict"], "expected: a value found: nothing"),
}


@pytest.mark.parametrize("way", REFUSED)
def test_mistakes_end_in_a_message(way: str, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("gone")
    (tmp_path / "file").touch()
    arguments, said = REFUSED[way]
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    for part in ("error: ", "\n  expected: ", "\n  found:    "):
        assert message.count(part) == 1
    spoken_words = " ".join(message.split())
    assert said in spoken_words
    assert "Traceback" not in spoken_words


def test_predict_on_what_is_no_picture(run: samoyed.Run, tmp_path: Path, capsys):
    text = tmp_path / "note.png"
    text.write_text("not a picture")
    assert "note.png" in spoken(capsys, "predict", str(run.path), str(text), code=2)


@pytest.mark.parametrize("options", [["--length", "-5"], ["--temperature", "nan"]])
def test_predict_refuses_impossible_numbers(options: list[str], run: samoyed.Run, capsys):
    said = spoken(capsys, "predict", str(run.path), "x.png", *options, code=2)
    assert said.startswith(f"error: {options[0]}\n")


def test_predict_refuses_a_picture_on_standard_input(run, folder, capsys, monkeypatch):
    picture = next((folder / "dark").iterdir())
    with open(picture, encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        said = spoken(capsys, "predict", str(run.path), code=2)
    assert "byte 89 at byte 0" in said


def test_compare_names_the_place_it_cannot_write_to(run: samoyed.Run, tmp_path: Path, capsys):
    for out in (tmp_path, tmp_path / "gone" / "side.html"):
        said = spoken(capsys, "compare", *[str(run.path)] * 2, "--out", str(out), code=2)
        assert said.startswith("error: --out\n")


def test_a_name_that_is_no_unicode_is_no_trouble(folder: Path, tmp_path: Path):
    data = tmp_path / "pictures"
    shutil.copytree(folder, data)
    os.rename(os.fsencode(data / "dark"), os.fsencode(data / "d") + b"\xff")
    done = subprocess.run(
        [sys.executable, "-m", "samoyed.cli", "train", str(data), "--epochs", "1", "--out",
         str(tmp_path / "run")], capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"d\\udcff" in done.stdout


def test_a_foreign_folder_is_not_written_to(tmp_path: Path, capsys):
    (tmp_path / "letters.txt").write_text("private")
    said = spoken(capsys, "train", "digits", "--out", str(tmp_path), code=2)
    assert "letters.txt" in said
    assert [p.name for p in tmp_path.iterdir()] == ["letters.txt"]


def test_diverging_training_says_where_and_what_to_do(folder: Path, tmp_path: Path, capsys):
    said = spoken(
        capsys, "train", str(folder), "--epochs", "30", "--out", str(tmp_path / "run"),
        "--quiet",
        "--set", "learning_rate=1e30", "--set", "optimizer=sgd", "--set", "warmup=0", code=2,
    )  # fmt: skip
    assert "learning_rate" in said
    assert "step" in said


def test_a_folder_with_a_space_and_bad_files_goes_through_all_verbs(
    folder: Path, tmp_path: Path, capsys, monkeypatch
):
    import shlex
    import shutil

    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path / "my pictures")
    (tmp_path / "my pictures" / "dark" / "empty.png").touch()
    checked = spoken(capsys, "check", "my pictures", "--on-bad", "skip").splitlines()
    command = shlex.split(checked[-1].removeprefix("to train: "))
    assert command == ["samoyed", "train", "my pictures", "--on-bad", "skip"]
    said = spoken(capsys, *command[1:], "--epochs", "1", "--set", "report=false")
    assert "skipped: my pictures/dark/empty.png: an empty file (0 bytes)" in said
    assert "accuracy" in spoken(capsys, "evaluate", "runs/my-pictures")


def test_data_that_is_not_there_leaves_no_run_folder(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "nothing there" in spoken(capsys, "train", "nowhere at all", code=2)
    assert not (tmp_path / "runs" / "nowhere-at-all").exists()


def test_other_classes_are_named(run: samoyed.Run, folder: Path, tmp_path: Path, capsys):
    import shutil

    for name in ("bars", "night"):
        shutil.copytree(folder / "bars", tmp_path / "other" / name)
    said = spoken(capsys, "evaluate", str(run.path), str(tmp_path / "other"), code=2)
    assert "expected: one of the run's classes: bars, bright, dark" in said
    assert "found:    class 'night' with " in said


def test_a_picture_piped_in_is_no_list_of_paths(run: samoyed.Run, capsys, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("\x89PNG\n\0\0\0\rIHDR"))
    said = spoken(capsys, "predict", str(run.path), "-", code=2)
    assert "standard input" in said
    assert "\0" not in said


def test_runs_of_different_data_are_not_ranked(
    run: samoyed.Run, folder: Path, tmp_path: Path, capsys
):
    import shutil

    shutil.copytree(folder, tmp_path / "fewer")
    (tmp_path / "fewer" / "bars" / "00.png").unlink()
    settings = {"report": False, "baselines": False}
    samoyed.train(tmp_path / "fewer", epochs=1, out=tmp_path / "run", quiet=True, settings=settings)
    said = spoken(capsys, "compare", str(run.path), str(tmp_path / "run"))
    assert "measured on different data" in said
    assert "is best" not in said
