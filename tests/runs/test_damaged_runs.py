"""A run folder that is damaged, or from another version, is named; nothing of it is guessed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import samoyed
from samoyed import cli

QUICK = {"baselines": False, "report": False, "batch_size": 1024}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a second, with its checkpoint."""
    out = tmp_path_factory.mktemp("whole") / "run"
    samoyed.train("digits", model="lenet5", epochs=1, out=out, quiet=True, settings=QUICK)
    return out


def edited(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Return what changes the content of one of a run's JSON files."""

    def edit(run: Path) -> None:
        content = json.loads((run / name).read_text())
        change(content)
        (run / name).write_text(json.dumps(content))

    return edit


def written(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda run: (run / name).write_bytes(content)


def halved(name: str) -> Callable[[Path], object]:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:1000])


def one_bit_flipped(run: Path) -> None:
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-1001] ^= 4
    (run / "model.safetensors").write_bytes(content)


def in_state(name: str, first: bytes) -> Callable[[Path], None]:
    """Return what overwrites the beginning of a file of the checkpoint; its size stays."""

    def spoil(run: Path) -> None:
        [folder] = (run / "state").iterdir()
        rest = (folder / name).read_bytes()[len(first) :]
        (folder / name).write_bytes(first + rest)
        (run / "manifest.json").unlink()

    return spoil


DAMAGE = {
    "half the weights": (halved("model.safetensors"), "model.safetensors"),
    "one bit of the weights": (one_bit_flipped, "with the checksum"),
    "no weights in the file": (written("model.safetensors", b""), "model.safetensors"),
    "config of another program": (written("config.json", b"[]"), "a list"),
    "empty config": (written("config.json", b"{}"), "no 'format'"),
    "config is not JSON": (written("config.json", b"\xff\xfe\x00"), "config.json"),
    "newer format": (edited("config.json", lambda c: c.update(format=99)), "update samoyed"),
    "format is a word": (edited("config.json", lambda c: c.update(format="x")), "format x"),
    "unknown task": (edited("config.json", lambda c: c["task"].update(name="x")), "config.json"),
    "unknown system": (edited("config.json", lambda c: c.update(system="x")), "'x'"),
    "a dial of the wrong type": (
        edited("config.json", lambda c: c["config"].update(code_seed="x")), "code_seed",
    ),
    "weights of another shape": (
        edited("config.json", lambda c: c["task"]["labels"].update(names=["a", "b"])), "size mism",
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize("way", DAMAGE)
def test_a_damaged_run_is_named(way: str, verb: str, whole: Path, tmp_path: Path, capsys):
    spoil, said = DAMAGE[way]
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    spoil(run)
    asked = [str(run), "x.png"] if verb == "predict" else [str(run)]
    with pytest.raises(SystemExit) as stopped:
        cli.main([verb, *asked])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [(lambda s: s.pop("scores"), "no 'scores'"), (lambda s: s["scores"][0].update(x=1), "'x'")],
)
def test_scores_that_cannot_be_read_are_named(change: Any, said: str, whole, tmp_path, capsys):
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    edited("scores.json", change)(run)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["compare", str(run), str(whole)])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "first"),
    [("training.json", b"\0"), ("training.safetensors", b"\xff" * 9), ("model.safetensors", b"\0")],
)
def test_a_damaged_checkpoint_is_named(name: str, first: bytes, whole, tmp_path, capsys):
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    in_state(name, first)(run)
    options = [f"--set={k}={json.dumps(v)}" for k, v in QUICK.items()]
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "digits", "--model", "lenet5", "--epochs", "1", "--out", str(run),
                  *options])  # fmt: skip
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert name in said
    assert "--fresh" in said


def test_a_kill_before_the_first_step_leaves_nothing_in_the_way(tmp_path: Path):
    (tmp_path / "data.json").write_text("{}")
    (tmp_path / ".config.json.4711").write_text('{"half":')
    run = samoyed.train(
        "digits", model="lenet5", epochs=1, out=tmp_path, quiet=True, settings=QUICK
    )
    assert run.scores
