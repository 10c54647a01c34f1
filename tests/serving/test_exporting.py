"""Exported files answer as the run does, without samoyed's own code in between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import samoyed
from samoyed.core.batch import Logits
from samoyed.core.errors import DataError, OptionError, RunError
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.serving.answering import PictureAnswers, description, largest_difference
from samoyed.serving.asking import ask, is_exported
from samoyed.serving.exporting import export

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return samoyed.train(
        "digits", epochs=1, out=tmp_path_factory.mktemp("export") / "run", quiet=True,
        settings={"baselines": False, "report": False},
    )  # fmt: skip


@pytest.fixture(scope="module")
def onnx_file(run):
    return export(run, "onnx").path


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


class Brightness(nn.Module):
    def forward(self, pictures):
        mean = pictures.mean((1, 2, 3))
        return Logits(torch.stack([mean, 1 - mean], dim=1))


def test_the_graph_scales_pixels_and_ends_in_probabilities():
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    found = PictureAnswers(Brightness())(pictures)
    mean = np.array([0, 0.2, 1])
    wanted = np.exp(mean) / (np.exp(mean) + np.exp(1 - mean))
    assert np.allclose(found[:, 0], wanted, atol=1e-6)
    assert np.allclose(found.sum(1), 1)


def test_a_difference_is_the_largest_over_all_inputs():
    found = largest_difference(lambda x: x, lambda x: x * 2, [torch.ones(2), torch.full((1,), 3.0)])
    assert found == 3.0


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
    [held] = [p.value for p in onnx.load(str(onnx_file)).metadata_props if p.key == "samoyed"]
    described = json.loads(held)
    assert described["labels"] == list(run.task.labels.names)
    assert (described["rows"], described["columns"]) == (run.task.spec.height, run.task.spec.width)
    assert described["scores"][0]["value"] == run.scores[0].value


def test_int8_answers_nearly_the_same_and_says_what_it_costs(run, onnx_file, tmp_path):
    made = export(run, "onnx", tmp_path / "small.onnx", is_int8=True)
    assert made.path.stat().st_size < 0.5 * onnx_file.stat().st_size
    kinds = {node.op_type for node in onnx.load(str(made.path)).graph.node}
    assert "QuantizeLinear" in kinds
    said = "\n".join(made.lines)
    assert "float32  accuracy" in said
    assert "int8     accuracy" in said


@pytest.mark.parametrize("to", ["onnx", "torch"])
def test_a_picture_file_gets_the_same_answer_from_the_file_as_from_the_run(
    run, onnx_file, to, tmp_path, picture
):
    path = onnx_file if to == "onnx" else export(run, to, tmp_path / "run.pt2").path
    [ours], [theirs] = run.predict(picture), ask(path, [str(picture)])
    assert theirs.answer == ours.answer
    assert theirs.probability == pytest.approx(ours.probability, abs=1e-5)


def test_formats_that_do_not_exist_are_refused(run, tmp_path):
    with pytest.raises(OptionError, match="onnx, torch"):
        export(run, "coreml", tmp_path / "x")
    with pytest.raises(OptionError, match="leave --int8 out"):
        export(run, "torch", tmp_path / "x.pt2", is_int8=True)
    with pytest.raises(OptionError, match="a folder"):
        export(run, "onnx", tmp_path)


def test_a_file_that_answers_otherwise_is_removed_and_reported(run, tmp_path, monkeypatch):
    monkeypatch.setattr("samoyed.serving.exporting.TOLERANCE", -1.0)
    with pytest.raises(RunError, match="difference"):
        export(run, "onnx", tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()


@pytest.mark.parametrize("name", ["broken.onnx", "broken.pt2"])
def test_foreign_bytes_are_named(tmp_path, picture, name):
    path = tmp_path / name
    path.write_bytes(b"not a model")
    assert is_exported(path)
    with pytest.raises(DataError, match="write it again"):
        ask(path, [str(picture)])


def test_a_foreign_onnx_file_and_a_missing_one_are_named(tmp_path, picture, onnx_file):
    model = onnx.load(str(onnx_file))
    del model.metadata_props[:]
    foreign = tmp_path / "foreign.onnx"
    onnx.save(model, str(foreign))
    with pytest.raises(DataError, match="without its labels"):
        ask(foreign, [str(picture)])
    with pytest.raises(DataError, match="nothing there"):
        ask(Path(tmp_path / "none.onnx"), [str(picture)])


def test_the_description_holds_json_values_only():
    described = description(ImageSpec(1, 8, 8), LabelSpec(("a", "b")), "x", [])
    assert json.loads(json.dumps(described)) == described
