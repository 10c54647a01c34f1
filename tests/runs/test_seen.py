"""Scores on what a run learned from are said to flatter, and no others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed

QUICK = {"epochs": 1, "quiet": True, "settings": {"report": False, "baselines": False}}


def said_of(run: samoyed.Run, data: Path) -> list[str]:
    said: list[str] = []
    run.evaluate(data, say=said.append)
    return [line for line in said if line.startswith("warning")]


def learned_rows(run: samoyed.Run, lines: list[str]) -> list[str]:
    """Return the lines of a table that the run learned from."""
    numbers = [int(name.rsplit(":", 1)[1]) for name in run.assembly().data.train.names]
    return [lines[number - 1] for number in numbers]


def test_rows_of_a_table(tmp_path: Path):
    rng = np.random.default_rng(0)
    lines = ["weight,height,taste"]
    lines += [
        f"{a:.4f},{b:.4f},{'sweet' if a > 0 else 'sour'}" for a, b in rng.normal(size=(90, 2))
    ]
    table, other = tmp_path / "fruit.csv", tmp_path / "other.csv"
    table.write_text("\n".join(lines) + "\n")
    run = samoyed.train(table, target="taste", out=tmp_path / "run", **QUICK)
    own = learned_rows(run, lines)
    new = ["0.1,0.2,sweet", "-0.3,0.1,sour", "0.5,0.5,sweet"]
    other.write_text("\n".join([lines[0], *own[:7], *new]) + "\n")
    assert said_of(run, other) == [
        "warning: 7 of the 10 rows scored are among those that the run learned from, and the "
        "scores flatter"
    ]
    other.write_text("\n".join([lines[0], *own[:7]]) + "\n")
    assert said_of(run, other)[0].startswith("warning: all 7 rows scored are among")
    other.write_text("\n".join([lines[0], *new]) + "\n")
    assert said_of(run, other) == []
    assert said_of(run, table) == []  # of which only what was held out is scored
    table.unlink()
    other.write_text("\n".join([lines[0], *own[:7]]) + "\n")
    assert said_of(run, other) == []  # nobody can tell any more


def test_pictures(tmp_path: Path):
    rng = np.random.default_rng(0)
    for name, light in (("dark", 0), ("bright", 150)):
        (tmp_path / "all" / name).mkdir(parents=True)
        for k in range(30):
            drawn = rng.integers(light, light + 100, (16, 16), dtype=np.uint8)
            Image.fromarray(drawn).save(tmp_path / "all" / name / f"{k}.png")
    run = samoyed.train(tmp_path / "all", out=tmp_path / "run", size="small", **QUICK)
    names = [name for name in run.assembly().data.train.names if name.startswith("dark/")]
    for name in names[:5]:
        copy = tmp_path / "other" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "all" / name, copy)
    (tmp_path / "other" / "bright").mkdir()
    Image.fromarray(np.full((16, 16), 200, np.uint8)).save(tmp_path / "other" / "bright" / "n.png")
    assert said_of(run, tmp_path / "other") == [
        "warning: 5 of the 6 pictures scored are among those that the run learned from, and the "
        "scores flatter"
    ]


@pytest.mark.parametrize("kind", ["labelled", "tagged", "pairs"])
def test_language(kind: str, tmp_path: Path):
    known, new = tmp_path / "known", tmp_path / "new"
    options: dict[str, object] = {}
    if kind == "labelled":
        first = [
            f"{'good' if k % 2 else 'bad'}\tword{k} is {'fine' if k % 2 else 'poor'}"
            for k in range(60)
        ]
        known, new = known.with_suffix(".tsv"), new.with_suffix(".tsv")
        known.write_text("label\ttext\n" + "\n".join(first) + "\n")
        options = {"target": "label"}
        new.write_text(
            "label\ttext\ngood\tall is fine\nbad\tall is poor\n" + "\n".join(first) + "\n"
        )
    elif kind == "tagged":
        first = [f"word{k} B-NP\nruns O\n" for k in range(60)]
        known, new = known.with_suffix(".conll"), new.with_suffix(".conll")
        known.write_text("\n".join(first))
        new.write_text("\n".join(["nobody B-NP\nruns O\n", *first]))
    else:
        first = [f"der hund {k}\tthe dog {k}" for k in range(60)]
        known, new = known.with_suffix(".tsv"), new.with_suffix(".tsv")
        known.write_text("de\ten\n" + "\n".join(first) + "\n")
        new.write_text("de\ten\neine katze\ta cat\n" + "\n".join(first) + "\n")
        options = {"settings": {**QUICK["settings"], "from": "de", "to": "en"}}  # type: ignore[dict-item]
    run = samoyed.train(known, out=tmp_path / "run", **{**QUICK, **options})
    [said] = said_of(run, new)
    assert " scored are among those that the run learned from, and the scores flatter" in said
    num = len(run.assembly().data.train)
    assert f"{num} of the {62 if kind == 'labelled' else 61} " in said


def test_the_own_data_is_not_read_again_where_nothing_can_be_told(tmp_path: Path, monkeypatch):
    for name, words in (("own", "the cat sat on the mat . "), ("other", "a dog ran off . ")):
        (tmp_path / f"{name}.txt").write_text(words * 400)
    settings = {**QUICK["settings"], "num_units": 8, "embedding_size": 8}  # type: ignore[dict-item]
    run = samoyed.train(
        tmp_path / "own.txt", model="lstm_lm", out=tmp_path / "run", epochs=0.1, quiet=True,
        settings=settings,
    )  # fmt: skip
    monkeypatch.setattr(samoyed.Run, "assembly", lambda self: pytest.fail("read again"))
    assert said_of(run, tmp_path / "other.txt") == []
