"""Exported files answer as the run does, without samoyed's own code in between."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import samoyed
from samoyed import cli
from samoyed.catalog import ROWS
from samoyed.core.errors import ChangedData, DataError, MissingExtra, RunError
from samoyed.serving.exporting import export, largest_difference

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")

QUIET = {"quiet": True, "settings": {"baselines": False, "report": False}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return samoyed.train("digits", epochs=1, out=tmp_path_factory.mktemp("export") / "run", **QUIET)


@pytest.fixture(scope="module")
def made(run):
    """Both files, of 32-bit numbers and of 8-bit ones, written at once."""
    return samoyed.export(run, "onnx", run.path.parent / "small.onnx", int8=True)


@pytest.fixture(scope="module")
def onnx_file(made):
    return made.path.with_name("small.float32.onnx")


@pytest.fixture(scope="module")
def torch_file(run):
    return samoyed.export(run, "torch").path


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with missing numbers, categories and dates."""
    generator = np.random.default_rng(0)
    lines = ["size,colour,day,weight"]
    for i in range(120):
        size = "" if i % 9 == 0 else f"{generator.normal(10, 3):.2f}"
        colour = ["red", "blue", ""][generator.integers(3)]
        lines.append(f"{size},{colour},2020-01-{1 + i % 28:02},{generator.normal(500, 40):.1f}")
    path = tmp_path_factory.mktemp("table") / "things.csv"
    path.write_text("\n".join(lines))
    return path


def said_of(path):
    [held] = [p.value for p in onnx.load(str(path)).metadata_props if p.key == "samoyed"]
    return json.loads(held)


def spoken(capsys, *arguments, code=None):
    if code is None:
        cli.app(list(arguments), exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(arguments))
    assert stopped.value.code == code
    return capsys.readouterr().err


def test_a_difference_is_the_largest_over_all_inputs():
    trials = [{"x": np.ones(2)}, {"x": np.full(1, 3.0)}]
    found = largest_difference(lambda x: x["x"], lambda x: x["x"] * 2, trials, unit=4.0)
    assert found == 3.0 / 4.0
    assert largest_difference(lambda x: x["x"], lambda x: x["x"] + 3, trials) == 3.0
    broken = largest_difference(lambda x: x["x"], lambda x: np.where(x["x"] > 2, np.nan, 1), trials)
    assert np.isnan(broken)  # though the first of the trials is a number
    large = [{"x": np.full(1, 1000.0)}]
    assert largest_difference(lambda x: x["x"], lambda x: x["x"] + 1, large) == 1 / 1000


def test_onnxruntime_alone_gives_the_runs_answers_at_any_batch_size(run, onnx_file):
    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    test = run.assembly().data.test
    for num in (1, 3, 10):
        pictures = np.array(test.images[:num])
        found = session.run(None, {"pictures": pictures})[0]
        with torch.inference_mode():
            logits = run.model(torch.from_numpy(pictures).float() / 255).values
        assert np.allclose(found, logits.softmax(1).numpy(), atol=1e-5)


def test_the_file_tells_labels_size_and_scores(run, onnx_file):
    described = said_of(onnx_file)
    assert described["labels"] == list(run.task.labels.names)
    assert (described["rows"], described["columns"]) == (run.task.spec.height, run.task.spec.width)
    assert described["scores"][0]["value"] == run.scores[0].value


def test_int8_answers_nearly_the_same_and_says_what_it_costs(made, onnx_file):
    assert made.path.stat().st_size < 0.5 * onnx_file.stat().st_size
    assert said_of(made.path)["numbers"] == "int8"
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(str(made.path)).graph.node}
    said = "\n".join(made.lines)
    assert "float32  accuracy" in said
    assert "int8     accuracy" in said
    assert "times as fast" in said
    shares = [line.split()[-3] for line in made.lines if "the same answer" in line]
    assert float(shares[0].rstrip("%")) > 90


@pytest.mark.parametrize("which", ["onnx_file", "torch_file"])
def test_predict_takes_a_file_for_a_run(run, which, picture, capsys, request):
    path = request.getfixturevalue(which)
    for inputs in ([str(picture)], [str(picture.parent)]):
        theirs = json.loads(spoken(capsys, "predict", str(path), *inputs, "--json"))
        ours = json.loads(spoken(capsys, "predict", str(run.path), *inputs, "--json"))
        assert list(theirs) == list(ours)
        assert theirs["answer"] == ours["answer"]
        assert theirs["probability"] == pytest.approx(ours["probability"], abs=1e-5)


def test_a_tables_file_answers_for_rows_with_or_without_target(table, tmp_path, capsys):
    run = samoyed.train(table, target="weight", epochs=2, out=tmp_path / "t", **QUIET)
    made = samoyed.export(run)
    assert made.path == tmp_path / "t.onnx"
    assert made.difference < 1e-5
    new = tmp_path / "new.csv"
    new.write_text("day,colour,size\n2021-05-01,green,\n2020-01-03,red,12.5\n2020-01-03,?,99\n")
    unknown = r"new.csv: values .* not know, .*: column 'colour' in 1 of 3 rows \('green'\)$"
    for path, told in ((new, pytest.warns(UserWarning, match=unknown)), (table, nullcontext())):
        with told:
            ours = [answer.details[0][1] for answer in run.predict(path)]
            exported = samoyed.load_exported(made.path).predict(path)
        theirs = [answer.details[0][1] for answer in exported]
        assert len(set(theirs)) > 0.9 * len(theirs), "the rows are not answered alike"
        assert theirs == pytest.approx(ours, rel=1e-5)
    new.write_text("day,colour,size\n2021-05-01,green,much\n")
    assert "new.csv:2, column 3 ('size')" in spoken(
        capsys, "predict", str(made.path), str(new), code=2
    )
    new.write_text("day,colour\n2021-05-01,green\n")
    assert "a column 'size'" in spoken(capsys, "predict", str(made.path), str(new), code=2)


def test_what_cannot_be_is_refused(run, tmp_path, capsys):
    refused = {
        ("--to", "onx"): "Did you mean 'onnx'",
        ("--to", "torch", "--int8"): "leave --int8 out",
        ("--out", str(tmp_path)): "a folder",
        ("--out", str(tmp_path / "x.bin")): f"--out {tmp_path / 'x.onnx'}",
    }
    for options, said in refused.items():
        assert said in spoken(capsys, "export", str(run.path), *options, code=2)
    assert "no such folder" in spoken(capsys, "export", "nowhere", code=2)
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_no_single_graph_says_so(tmp_path):
    texts = SimpleNamespace(path=tmp_path / "run", task=SimpleNamespace(name="continue_text"))
    with pytest.raises(RunError, match=r"pictures, tables or word vectors(.|\n)*continue_text"):
        export(texts)
    assert not list(tmp_path.iterdir())


def test_a_file_that_answers_otherwise_is_not_written(run, torch_file, monkeypatch):
    before = torch_file.stat().st_mtime_ns
    monkeypatch.setattr("samoyed.serving.exporting.TOLERANCE", -1.0)
    with pytest.raises(RunError, match="difference"):
        samoyed.export(run, "torch")
    assert torch_file.stat().st_mtime_ns == before, "the good one stays"
    assert not [p for p in torch_file.parent.iterdir() if p.name.startswith(".export")]


def test_a_model_that_no_file_can_hold_says_so(run, torch_file, monkeypatch):
    def fail(*_):
        raise ValueError("no such operator: frobnicate")

    before = torch_file.stat().st_mtime_ns
    monkeypatch.setattr("samoyed.serving.exporting.write_torch", fail)
    with pytest.raises(RunError, match="frobnicate"):
        samoyed.export(run, "torch")
    assert torch_file.stat().st_mtime_ns == before


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    run, onnx_file, picture, monkeypatch
):
    for package in ("onnxruntime", "onnxscript"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtra, match=r"pip install 'samoyed-dl\[export\]'"):
                samoyed.export(run)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"pip install 'samoyed-dl\[export\]'"):
        samoyed.load_exported(onnx_file)


def test_a_run_that_cannot_leave_is_refused_before_packages_are_asked_for(tmp_path, monkeypatch):
    for package in ("onnx", "onnxruntime", "onnxscript"):
        monkeypatch.setitem(sys.modules, package, None)
    translator = SimpleNamespace(path=tmp_path / "run", task=SimpleNamespace(name="translate"))
    for to in ("onnx", "torch"):
        with pytest.raises(RunError, match="such runs cannot be exported"):
            export(translator, to)


@pytest.mark.parametrize("name", ["broken.onnx", "broken.pt2"])
def test_foreign_bytes_are_named(tmp_path, picture, name, capsys):
    path = tmp_path / name
    path.write_bytes(b"not a model")
    said = spoken(capsys, "predict", str(path), str(picture), code=2)
    assert name in said
    assert "write it again" in said


def test_other_files_and_pictures_that_cannot_be_read_are_named(
    tmp_path, picture, onnx_file, capsys
):
    model = onnx.load(str(onnx_file))
    del model.metadata_props[:]
    foreign = tmp_path / "foreign.onnx"
    onnx.save(model, str(foreign))
    asked = {
        (str(foreign), str(picture)): "says nothing of its labels",
        (str(tmp_path / "none.onnx"), str(picture)): "nothing there",
        (str(onnx_file), str(tmp_path / "none.png")): "none.png",
        (str(onnx_file), str(foreign)): "foreign.onnx",
        (str(onnx_file), "--prompt", "Once"): "leave it out",
        (str(onnx_file), str(picture), "--near", "monday"): "a run about word vectors",
        (str(onnx_file), str(picture), "--analogy", "a", "b", "c"): "a run about word vectors",
        (str(onnx_file), str(picture), "--length", "9"): "a run that continues a text",
        (str(picture), str(picture)): "a file that is no run",
    }
    for arguments, said in asked.items():
        assert said in spoken(capsys, "predict", *arguments, code=2)
    picture.write_bytes(picture.read_bytes()[:200])
    assert "picture.png" in spoken(capsys, "predict", str(onnx_file), str(picture), code=2)
    for verb in ("evaluate", "explain", "export"):
        assert "an exported file" in spoken(capsys, verb, str(onnx_file), code=2)


def test_a_folder_with_the_name_of_an_exported_file_is_a_folder(tmp_path):
    folder = tmp_path / "run.onnx"
    folder.mkdir()
    with pytest.raises(RunError, match="a folder without that file"):
        samoyed.load(folder)
    with pytest.raises(DataError, match="a folder"):
        samoyed.load_exported(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", [r.name for r in ROWS if r.given in ("images", "table")])
def test_every_system_about_pictures_or_tables_leaves_the_house(name, table, tmp_path):
    [row] = [row for row in ROWS if row.name == name]
    for given, target in (
        ("images", None),
        ("table", "weight" if row.answers("regress") else "colour"),
    ):
        if row.takes(given):
            size = "small" if "small" in row.sizes else None
            run = samoyed.train(
                "digits" if given == "images" else table, model=name, size=size, epochs=0.02,
                target=target, out=tmp_path / given, **QUIET,
            )  # fmt: skip
            for to in ("onnx", "torch"):
                assert samoyed.export(run, to).difference < 1e-4


def test_pictures_that_have_changed_are_not_measured_on(tmp_path):
    """Plain files need no examples; int8 would take labels that have moved for its own."""
    rng = np.random.default_rng(0)

    def fill(name):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(0, 256, (10, 10), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{i}.png")

    fill("b")
    fill("c")
    run = samoyed.train(
        tmp_path / "pictures", epochs=1, size="small", out=tmp_path / "run", quiet=True,
        settings={"batch_size": 4, "baselines": False, "report": False},
    )  # fmt: skip
    assert "held-out pictures and made-up ones" in samoyed.export(run, "onnx").lines[1]
    fill("a")
    with pytest.raises(ChangedData, match=r"a new class: a; new files: a/0\.png"):
        samoyed.export(run, "onnx", int8=True)
    assert not list(tmp_path.glob("*int8*"))
    done = samoyed.export(run, "onnx")
    assert done.difference < 1e-4
    assert "over made-up pictures alone, as the run's data has changed" in done.lines[1]
