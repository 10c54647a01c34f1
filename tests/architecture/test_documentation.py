"""What the pages say is what the program does: every command parses, the quick start runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from samoyed import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str = "") -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """Return the samoyed commands of a page, split as a shell would."""
    lines = [line for block in blocks(page) for line in block.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("samoyed ")]
    return found


COMMANDS = [(page, command) for page in PAGES for command in commands(page)]


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=[f"{p.stem}: {' '.join(c)}" for p, c in COMMANDS]
)
def test_every_command_parses(page: Path, command: list[str]):
    verb, _, _ = cli.app.parse_args(command[1:], exit_on_error=False, print_error=False)
    if len(command) > 1:
        assert verb.__name__ == command[1], "another verb would run"


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 25


def test_the_quick_start_runs_as_written(tmp_path: Path):
    page = ROOT / "docs" / "quick-start.md"
    environment = {**os.environ, "SAMOYED_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    said = []
    for command in commands(page):
        done = subprocess.run(
            [sys.executable, "-m", "samoyed.cli", *command[1:]],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        said.append(done.stdout)
    assert any("already finished" in text for text in said)
    assert any("goes on after step" in text for text in said)
    [code] = blocks(page, "python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 0.5 < float(done.stdout) <= 1.0


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
