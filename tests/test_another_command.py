"""A run that exists, and a command that is not the one that began it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import samoyed
from samoyed.core.errors import SamoyedError


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "fruit.csv"
    rng = np.random.default_rng(0)
    rows = [f"{w:.2f},{'sweet' if w > 0 else 'sour'},{h:.2f}" for w, h in rng.normal(size=(80, 2))]
    path.write_text("\n".join(["weight,taste,height", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    samoyed.train(table, target="taste", epochs=1, model="mlp", out=out, quiet=True)
    return out


def left_in(run: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in run.iterdir() if file.name != ".lock"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target": "tast"}, "Did you mean 'taste'"),
        ({"target": "colour"}, "'colour'"),
        ({"model": "mlpp"}, "Did you mean 'mlp'"),
        ({"size": "huge"}, "a size of multilayer_perceptron"),
        ({"settings": {"num_hiden": 3}}, "num_hiden"),
        ({"target": "height"}, "the command that began this run"),
        ({"seed": 1}, "the command that began this run"),
    ],
)
def test_a_mistake_is_told_before_that_the_command_is_another(
    table: Path, run: Path, changed: dict[str, object], said: str
):
    before = left_in(run)
    asked: dict[str, object] = {"target": "taste", "epochs": 1, "model": "mlp", **changed}
    with pytest.raises(SamoyedError, match=re.escape(said)) as caught:
        samoyed.train(table, out=run, quiet=True, **asked)  # type: ignore[arg-type]
    assert ("the command that began" in str(caught.value)) == said.startswith("the command")
    assert left_in(run) == before
