"""Every command of the pages runs, on small stand-ins for the data that they speak of.

`test_documentation.py` runs docs/quick-start.md and docs/tasks/take-away.md as they are written.
What README.md, CONTRIBUTING.md and the other tasks say takes minutes and data of one's own: here it
runs in a folder of generated stand-ins, shortened by the one rule in `shortened`, with the names
that stand for anything replaced by those of `REAL`.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from stand_ins import put_all
from test_documentation import ROOT, commands, fenced

from samoyed import cli

AS_WRITTEN = {"docs/tasks/take-away.md"}  # run by test_documentation.py
PAGES = ["README.md", "CONTRIBUTING.md", "docs/tasks/classify.md", "docs/tasks/continue-text.md",
         "docs/tasks/play.md", "docs/tasks/tables.md",
         "docs/tasks/classify-text.md", "docs/tasks/tag.md", "docs/tasks/embed.md",
         "docs/tasks/trees.md", "docs/tasks/translate.md", "docs/tasks/remember.md",
         "docs/tasks/complete.md"]  # fmt: skip

# What stands for anything, on which page, and what it is here.
REAL = {
    "README.md": {"RUN": "runs/photos", "[DATA]": "photos/", "NAME": "lenet5"},
    "CONTRIBUTING.md": {"NAME": "perceptron"},
}

# What runs in another form than the rule gives it, and why.
INSTEAD = {
    'predict RUN --prompt "ROMEO:"': (
        "predict runs/book.txt --prompt ROMEO: --length 20", "a run about text"),
    'predict RUN "A sentence of yours ."': (
        "predict runs/names.conll 'A sentence of yours .'", "a run about tagged words"),
    "predict RUN --near monday": (
        "predict runs/book.txt-embed --near best", "a run about word vectors, and a word of it"),
    "verify NAME --claims --data FOLDER": (
        "verify perceptron", "claims train for minutes on the real data (`make evidence`)"),
    "train mnist/ --model deep_belief_net --set pretrain_epochs=10": (
        "train mnist/ --model deep_belief_net --set pretrain_epochs=1", "ten are ten times one"),
}  # fmt: skip

NEEDS = {
    "README.md": ("gymnasium", "sacrebleu", "onnx", "onnxscript", "onnxruntime"),
    "docs/tasks/play.md": ("gymnasium",),
    "docs/tasks/tables.md": ("rdkit",),
    "docs/tasks/translate.md": ("sacrebleu",),
}
SLOW = {"README.md"}
WORLDS = ("CartPole-v1", "catch")
SIGNS = {
    "check": "to train: ",
    "explain": "written: ",
    "verify": "passed",
    "compare": "95 % interval",
}


def spoken_of(page: str) -> list[str]:
    """Return a page's commands in order, those within sentences last, without `samoyed`."""
    fenced_ones = [shlex.join(c[1:]) for c in commands(ROOT / page)]
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.M | re.S)
    within = re.findall(r"`samoyed (\w+ [^`]+)`", text)
    return [c for c in fenced_ones if c] + [shlex.join(shlex.split(c)) for c in within]


def shortened(arguments: list[str]) -> list[str]:
    """Return what is run in place of a command: its training is one epoch, without the extras.

    An epoch of a game is 10,000 moves, so a game is trained for a fiftieth of one.
    """
    if arguments[0] != "train":
        return arguments
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument in ("--minutes", "--epochs"):
            next(rest)
        else:
            kept.append(argument)
    epochs = "0.02" if kept[1:2] and kept[1] in WORLDS else "1"
    extras = ("baselines=false", "report=false", "quiet=true")
    return [*kept, "--epochs", epochs, *(word for extra in extras for word in ("--set", extra))]


def instead(page: str, command: str) -> list[str]:
    """Return the arguments that are run for a command of a page."""
    for written, (other, _) in INSTEAD.items():
        if shlex.split(written) == shlex.split(command):
            return shortened(shlex.split(other))
    words = shlex.split(command)
    for anything, real in REAL.get(page, {}).items():
        pattern = rf"(?<!\w){re.escape(anything)}(?!\w)"
        words = [re.sub(pattern, real, word) for word in words]
    return shortened(words)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "cache"))
    put_all(tmp_path)
    return tmp_path


def trained(root: Path) -> set[str]:
    return {
        str(path.parent)
        for path in root.rglob("model.safetensors")
        if "state" not in path.relative_to(root).parts
    }


@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=pytest.mark.slow) if p in SLOW else p for p in PAGES]
)
def test_every_command_runs(page: str, stand_ins: Path, capsys):
    for name in NEEDS.get(page, ()):
        pytest.importorskip(name)
    for command in spoken_of(page):
        arguments, before = instead(page, command), trained(stand_ins)
        try:
            cli.app(
                cli.spelled_out(arguments), exit_on_error=False, print_error=False,
                result_action="return_value",
            )  # fmt: skip
        except BaseException as error:
            error.add_note(f"{page}: samoyed {command}\nrun as: samoyed {shlex.join(arguments)}")
            raise
        said = capsys.readouterr().out
        if arguments[0] == "train":
            assert len(trained(stand_ins)) == len(before) + 1, f"{command}: {said}"
        else:
            assert SIGNS.get(arguments[0], "") in said, f"{command}: {said}"
            assert said.strip(), f"{command}: says nothing"
        if "--json" in arguments:
            assert all(json.loads(line) for line in said.splitlines())
    if page == "README.md":
        run_python(page)


def run_python(page: str) -> None:
    """Run a page's Python in this process, after its commands, with the same shortening."""
    short = "epochs=1, settings={'baselines': False, 'report': False, 'quiet': True}"
    blocks = [block for language, block in fenced(ROOT / page) if language == "python"]
    assert blocks
    for block in blocks:
        exec(compile(re.sub(r"minutes=\d+", short, block), page, "exec"), {})


def test_every_page_of_tasks_is_run():
    tasks = {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "tasks").glob("*.md")}
    assert tasks | {"README.md", "CONTRIBUTING.md"} == set(PAGES) | AS_WRITTEN
    assert all(spoken_of(page) for page in PAGES)


def test_no_exception_is_stale():
    every = {tuple(shlex.split(command)) for page in PAGES for command in spoken_of(page)}
    assert {tuple(shlex.split(written)) for written in INSTEAD} <= every
    for page, names in REAL.items():
        text = " ".join(spoken_of(page))
        assert all(name in text for name in names), f"{page}: {names}"
    used = {word for page in PAGES for command in spoken_of(page) for word in shlex.split(command)}
    assert set(WORLDS) <= used


@pytest.mark.parametrize(
    ("written", "run"),
    [
        ("train photos/ --minutes 3 --out a", "train photos/ --out a --epochs 1"),
        ("train CartPole-v1", "train CartPole-v1 --epochs 0.02"),
        ("train", "train --epochs 1"),
    ],
)
def test_the_rule_shortens_training(written: str, run: str):
    found = shlex.join(shortened(shlex.split(written)))
    assert found == run + " --set baselines=false --set report=false --set quiet=true"
    assert shortened(["check", "photos/"]) == ["check", "photos/"]
