"""A run that is asked about another kind of thing, or about nothing, says so and keeps its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed
from samoyed import cli

BRIEF = {"report": False, "baselines": False}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a tagged text and two classes of pictures."""
    root = tmp_path_factory.mktemp("kinds")
    random = np.random.default_rng(0)
    rows = "".join(f"{i * 7 % 61},{i % 5},{'xy'[i % 2]}\n" for i in range(60))
    (root / "rows.csv").write_text("age,height,kind\n" + rows)
    tagged = "".join(f"He PRP B-NP\nruns{k} VBZ B-VP\n\n" for k in range(40))
    (root / "names.conll").write_text(tagged)
    for place in (f"{name}/{i}.jpg" for name in ("cat", "dog") for i in range(10)):
        (root / "photos" / place).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (12, 12, 3), np.uint8)
        Image.fromarray(pixels).save(root / "photos" / place)
    return root


@pytest.fixture(scope="module")
def runs(root: Path) -> dict[str, samoyed.Run]:
    """A short run about each."""
    asked = {
        "rows.csv": {"target": "kind", "model": "linear"}, "names.conll": {},
        "photos": {"size": "small"},
    }  # fmt: skip
    return {
        name: samoyed.train(
            root / name, epochs=1, out=root / f"run-{name}", quiet=True, settings=BRIEF, **said
        )
        for name, said in asked.items()
    }  # fmt: skip


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(argument) for argument in arguments])
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize("verb", ["predict", "explain", "evaluate"])
@pytest.mark.parametrize(("name", "about"), [("rows.csv", "tables"), ("names.conll", "sentences")])
def test_a_picture_is_for_a_run_about_pictures(runs, root, capsys, verb, name, about):
    picture = root / "photos" / "cat" / "1.jpg"
    message = refused(capsys, verb, runs[name].path, picture)
    assert f"expected: {about}, which " in message
    assert "found:    a picture (JPEG, by its first bytes)" in message
    assert "to do:    Give " in message


@pytest.mark.parametrize("verb", ["predict", "explain"])
@pytest.mark.parametrize("name", ["rows.csv", "names.conll"])
def test_a_table_or_a_text_is_for_a_run_about_such(runs, root, capsys, verb, name):
    message = refused(capsys, verb, runs["photos"].path, root / name)
    assert "as the run is about pictures" in message
    assert "a text file that begins with" in message
    assert "for a run that learned from such" in message


def test_a_run_about_pictures_is_not_measured_on_a_table(runs, root, capsys):
    message = refused(capsys, "evaluate", runs["photos"].path, root / "rows.csv")
    assert "expected: pictures, as the run learned from" in message
    assert "--target" not in message


def test_explaining_nothing_keeps_the_page(runs, capsys):
    run = runs["names.conll"]
    page = run.explain("He runs")
    before = page.read_bytes()
    message = refused(capsys, "explain", run.path)
    assert "expected: sentences" in message
    assert f'samoyed explain {run.path} "A sentence' in message
    assert page.read_bytes() == before


def test_a_table_is_named_that_the_run_learned_from(runs, root, capsys):
    picture = root / "photos" / "cat" / "1.jpg"
    assert "the columns age, height." in refused(
        capsys, "predict", runs["rows.csv"].path, root / "rows.csv", picture
    )


def test_explaining_a_table_without_one_names_what_can_be_given(runs, capsys):
    said = refused(capsys, "explain", runs["rows.csv"].path)
    assert "found:    none (standard input is not read)" in said
    assert f"samoyed explain {runs['rows.csv'].path} " in said
    assert "or -" not in said
