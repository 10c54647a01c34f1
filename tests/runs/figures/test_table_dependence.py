"""Partial dependence against a loop over single rows, and cells written as they were."""

from __future__ import annotations

import numpy as np
import pytest

from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.data.table_encoding import encode
from samoyed.data.table_files import read_cells
from samoyed.models.backprop import multilayer_perceptron
from samoyed.runs.figures.table_answers import all_answers, cell_text, in_units
from samoyed.runs.figures.table_dependence import dependence
from samoyed.tasks.table_classify import ClassifyTable

AGE = Column("age", "number", has_missing=True, centre=40.0, scale=12.0, edges=(-1.0, 0.0, 1.0))
WORK = Column("work", "category", categories=("", "baker", "clerk"))
SPEC = TableSpec((AGE, WORK), ("age", "work"))
TARGET = TargetSpec("classes", ("rich",), ("no", "yes"))


def test_dependence_is_the_mean_of_single_answers():
    task = ClassifyTable(SPEC, TARGET)
    model = multilayer_perceptron.build(
        multilayer_perceptron.Config(hidden_sizes=(8,)), SPEC, TARGET
    )
    rows = np.array([[0.3, 0, 1], [0, 1, 2], [-1, 0, 3]], np.float32)
    values = np.array([-0.5, 0.0, 1.5])
    found = dependence(task, model, rows, SPEC.places(AGE), values)
    for value, answer in zip(values, found, strict=True):
        single = []
        for row in rows:
            changed = row.copy()
            changed[:2] = value, 0  # known, so not missing
            single.append(all_answers(task, model, changed[None])[0, 1])
        assert answer == pytest.approx([np.mean(single)], rel=1e-5)


@pytest.mark.parametrize("age", [18.0, 40.0, 41.5, 90.0])
def test_numbers_come_back_in_their_own_units(tmp_path, age):
    path = tmp_path / "t.csv"
    path.write_text(f"age,work\n{age},clerk\n,clerk\n33,pilot\n33,\n")
    rows, bad = encode(SPEC, read_cells(path, "stop"))
    assert not bad
    assert in_units(AGE, float(rows[0, 0])) == pytest.approx(age, rel=1e-4)
    written = [[cell_text(SPEC, column, row) for column in (AGE, WORK)] for row in rows]
    assert written[0][1] == "clerk"
    assert written[1:] == [["missing", "clerk"], ["33", "unknown"], ["33", "missing"]]
