"""What a user meets stays small: options, public names, a light start."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import samoyed
from samoyed import api, cli


def test_at_most_25_public_names():
    assert len(samoyed.__all__) <= 25
    for name in samoyed.__all__:
        assert getattr(samoyed, name) is not None


def test_train_has_at_most_14_options():
    options = [
        p for p in inspect.signature(cli.train).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY
    ]  # fmt: skip
    assert len(options) <= 14


def test_command_line_and_library_take_the_same_options():
    line = {name.rstrip("_") for name in inspect.signature(cli.train).parameters}
    library = set(inspect.signature(api.train).parameters)
    through_set = {"precision", "device", "quiet"}
    assert line - {"set"} == library - {"settings"} - through_set


def imported_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code + "; import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_help_imports_nothing_heavy():
    modules = imported_by(
        "from samoyed.cli import app; app(['--help'], result_action='return_value')"
    )
    heavy = {"torch", "numpy", "sklearn", "matplotlib", "PIL", "gymnasium", "pydantic"}
    assert not heavy & modules


def test_training_imports_nothing_it_does_not_need():
    modules = imported_by("import samoyed.api")
    assert not {"sklearn", "matplotlib.pyplot", "gymnasium"} & modules


def test_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = samoyed.trian
