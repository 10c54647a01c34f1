"""What the pages say is what the program does: every command parses, the quick start runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samoyed import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fenced(page: Path) -> list[tuple[str, str]]:
    """Return (language, content) of the fenced blocks, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """Return the samoyed commands of a page, split as a shell would."""
    lines = [
        line for language, block in fenced(page) if not language for line in block.splitlines()
    ]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("samoyed ")]


COMMANDS = [(page, command) for page in PAGES for command in commands(page)]


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=[f"{p.stem}: {' '.join(c)}" for p, c in COMMANDS]
)
def test_every_command_parses(page: Path, command: list[str]):
    verb, _, _ = cli.app.parse_args(
        cli.spelled_out(command[1:]), exit_on_error=False, print_error=False
    )
    if len(command) > 1:
        assert verb.__name__ == command[1], "another verb would run"


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 25


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def run_in_order(page: Path, run_command: Callable[[list[str]], str]) -> list[str]:
    """Run a page's commands and Python in order; return what each printed."""
    said = []
    for language, block in fenced(page):
        if language == "python":
            said.append(run_python(block))
        elif not language:
            lines = [shlex.split(line, comments=True) for line in block.splitlines()]
            said += [run_command(line[1:]) for line in lines if line[:1] == ["samoyed"]]
    return said


def run_python(block: str) -> str:
    """Run Python by itself; what does not import samoyed must do without it and torch."""
    if "import samoyed" not in block:
        block += 'import sys\nassert not {"samoyed", "torch"} & set(sys.modules)'
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_quick_start_runs_as_written(empty_folder: Path):
    def by_itself(arguments: list[str]) -> str:
        line = [sys.executable, "-m", "samoyed.cli", *arguments]
        done = subprocess.run(line, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    said = run_in_order(ROOT / "docs" / "quick-start.md", by_itself)
    assert any("already finished" in text for text in said)
    assert any("goes on after step" in text for text in said)
    assert 0.5 < float(said[-1]) <= 1.0


@pytest.mark.slow  # half a minute; tests/serving holds the same in pieces
def test_taking_a_model_away_runs_as_written(empty_folder: Path, capsys):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")

    def in_this_process(arguments: list[str]) -> str:
        cli.app(arguments, exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out

    said = run_in_order(ROOT / "docs" / "tasks" / "take-away.md", in_this_process)
    _, _, _, one, folder, alone, _, _, rows, table_alone, _, _, from_torch, from_python = said
    _, answer, probability, *_ = one.split("\t")
    assert alone.split() == [answer, probability], "onnxruntime alone answers as predict does"
    assert len(rows.splitlines()) == 178
    assert table_alone.split() == f"178 rows; the first: {rows.split()[1]}".split()
    for ours, theirs in zip(folder.splitlines(), from_torch.splitlines(), strict=True):
        ours, theirs = json.loads(ours), json.loads(theirs)
        assert ours["answer"] == theirs["answer"]
        assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-4)
    assert from_python.split() == ["True", "3"]


def test_make_verbs_named_in_the_pages_exist():
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for verb in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.M):
            assert re.search(rf"^{verb}:", makefile, re.M), f"{page.name}: make {verb}"


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_the_readme_calls_measured_is():
    text = (ROOT / "README.md").read_text()
    told = text[: text.index("at least one claim is measured")]
    names = re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)
    assert len(names) == 6
    for name in names:
        claims = json.loads((ROOT / "evidence" / f"{name}.json").read_text())["claims"]
        assert any(claim["values"] for claim in claims), name


def test_the_pages_of_the_systems_are_current():
    sys.path.insert(0, str(ROOT))
    try:
        from tools.write_docs import pages
    finally:
        sys.path.remove(str(ROOT))
    for name, text in pages().items():
        written = (ROOT / "docs" / "systems" / name).read_text()
        assert written == re.sub(r"[ \t]+\n", "\n", text), f"{name}: run `make docs`"


def test_constraints_hold_no_addresses_and_pin_every_direct_dependency():
    pins = (ROOT / "constraints.txt").read_text()
    assert "://" not in pins
    assert "--hash" not in pins
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r'^    "([a-z-]+)>=', project, re.M):
        assert re.search(rf"^{name}==", pins, re.M | re.I), f"{name} is not pinned"
