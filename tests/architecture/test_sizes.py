"""Files stay readable: their length, their functions' length, the depth of their classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    p for room in ("src", "tests", "benchmarks", "tools") for p in (ROOT / room).rglob("*.py")
)
FORBIDDEN = ("Manager", "Helper", "Utils", "Base", "Factory", "Handler")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path):
    text = path.read_text()
    assert text.count("\n") <= 450, "a file stays under 450 lines"
    for node in functions(ast.parse(text)):
        length = (node.end_lineno or 0) - node.lineno + 1
        assert length <= 80, f"{node.name} has {length} lines"


def test_names_of_classes_and_files_say_what_they_are():
    for path in FILES:
        assert path.stem not in ("common", "utils", "helpers", "misc"), path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(FORBIDDEN), f"{path}: {node.name}"


def test_no_public_function_takes_arbitrary_keywords():
    for path in (ROOT / "src").rglob("*.py"):
        for node in functions(ast.parse(path.read_text())):
            if not node.name.startswith("_"):
                assert node.args.kwarg is None, f"{path}: {node.name}"


def test_the_loop_is_short():
    text = (ROOT / "src/samoyed/training/loop.py").read_text()
    [train] = [n for n in functions(ast.parse(text)) if n.name == "train"]
    assert (train.end_lineno or 0) - train.lineno < 80
