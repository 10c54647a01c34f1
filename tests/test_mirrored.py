"""Photos are judged with their mirror images where training mirrors them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import samoyed
from samoyed.data.feeds import as_floats
from samoyed.runs.figures.heat_maps import layer_cam

QUICK = {"batch_size": 8, "report": False, "baselines": False}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes that differ in colour, each picture with a gradient from left to right."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for k, name in enumerate(("red", "blue")):
        (folder / name).mkdir()
        for i in range(12):
            pixels = rng.integers(0, 60, (16, 20, 3)) + 4 * np.arange(20)[:, None]
            pixels[..., 2 * k] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def trained(data: Path, out: Path, **settings: object) -> samoyed.Run:
    return samoyed.train(
        data, epochs=1, out=out, size="small", settings={**QUICK, **settings}, quiet=True
    )


NOTE = "a picture is judged by itself and its mirror image"


def test_it_follows_the_variations(photos: Path, tmp_path: Path):
    run = trained(photos, tmp_path / "auto")
    assert run.config["config"]["is_mirrored"] is True
    assert NOTE in run.assembly().notes
    pictures = as_floats(run.assembly().data.test.images)
    with torch.no_grad():
        straight, mirrored = (run.model(x).values for x in (pictures, pictures.flip(3)))
    torch.testing.assert_close(straight, mirrored, rtol=1e-4, atol=1e-5)
    for name, settings in {"none": {"augmentation": "none"}, "off": {"is_mirrored": False}}.items():
        run = trained(photos, tmp_path / name, **settings)
        assert run.config["config"]["is_mirrored"] is False
        assert NOTE not in run.assembly().notes
        with torch.no_grad():
            straight, mirrored = (run.model(x).values for x in (pictures, pictures.flip(3)))
        assert (straight - mirrored).abs().max() > 1e-3


def test_gray_pictures_are_not_mirrored(tmp_path: Path):
    run = samoyed.train("digits", epochs=1, out=tmp_path / "run", quiet=True, settings=QUICK)
    assert run.config["config"]["is_mirrored"] is False


def test_exported_it_answers_the_same_for_any_number_of_pictures(photos: Path, tmp_path: Path):
    run = trained(photos, tmp_path / "run")
    samoyed.export(run, out=tmp_path / "m.onnx")
    files = sorted((photos / "red").iterdir())
    exported = samoyed.load_exported(tmp_path / "m.onnx")
    for some in (files[:1], files[:5]):
        ours = [a.probability for a in run.predict(some)]
        theirs = [a.probability for a in exported.predict(some)]
        assert theirs == pytest.approx(ours, abs=1e-4)


def test_the_heat_map_of_a_mirror_image_is_the_mirrored_heat_map(photos: Path, tmp_path: Path):
    run = trained(photos, tmp_path / "run", is_mirrored=True)
    image = run.assembly().data.test.images[0]
    heat = layer_cam(run.model, image, 0)
    turned = layer_cam(run.model, np.ascontiguousarray(image[..., ::-1]), 0)
    assert heat is not None
    assert heat.max() > 0
    np.testing.assert_allclose(turned[:, ::-1], heat, atol=1e-5 * heat.max())
    assert "<img" in run.explain(sorted((photos / "red").iterdir())[:2]).read_text()


def test_a_run_made_before_there_was_the_dial_stays_as_it_was(photos: Path, tmp_path: Path):
    run = trained(photos, tmp_path / "run", is_mirrored=False)
    config = run.folder.read("config.json")
    del config["request"]["settings"]["is_mirrored"]
    del config["config"]["is_mirrored"]
    run.folder.write("config.json", config)
    score = samoyed.load(run.path).evaluate()[0].value
    assert samoyed.load(run.path).assembly().config.is_mirrored is False
    assert score == run.scores[0].value
    longer = samoyed.train(photos, epochs=2, out=run.path, size="small", settings=QUICK, quiet=True)
    assert longer.config["config"]["is_mirrored"] is True  # it is measured anew, and so
    assert longer.evaluate()[0].value == longer.scores[0].value


def test_it_can_be_asked_for(tmp_path: Path):
    run = samoyed.train(
        "digits",
        epochs=1,
        out=tmp_path / "run",
        quiet=True,
        settings={**QUICK, "is_mirrored": True},
    )
    assert run.config["config"]["is_mirrored"] is True
    with torch.no_grad():
        digits = as_floats(run.assembly().data.test.images[:9])
        straight, mirrored = (run.model(x).values for x in (digits, digits.flip(3)))
    torch.testing.assert_close(straight, mirrored, rtol=1e-4, atol=1e-5)
