"""Every example in a docstring says what really comes out."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import samoyed

MODULES = [m.name for m in pkgutil.walk_packages(samoyed.__path__, "samoyed.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples are wrong"


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = [t for name in MODULES for t in finder.find(importlib.import_module(name))]
    assert sum(len(test.examples) for test in found) > 60
