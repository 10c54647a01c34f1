"""Graphs with the preprocessing inside, against formulas written out and the run's own code."""

from __future__ import annotations

import datetime
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.errors import DataError
from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.data.table_encoding import encode
from samoyed.data.table_rows import read_raw_rows
from samoyed.serving import describing
from samoyed.serving.answering import PictureAnswers, RowAnswers
from samoyed.serving.packing import inputs_of, raw_of

AGE = Column("age", "number", True, centre=40.0, scale=20.0)
BORN = Column("born", "date", form="%d.%m.%Y", centre=10_000.0, scale=500.0)
JOB = Column("job", "category", categories=("", "baker", "smith"))
SPEC = TableSpec((AGE, JOB, BORN), ("age", "job", "born", "pay"))
PAY = TargetSpec("number", ("pay",), centre=100.0, scale=7.0)


class Brightness(nn.Module):
    def forward(self, pictures):
        mean = pictures.mean((1, 2, 3))
        return Logits(torch.stack([mean, 1 - mean], dim=1))


class Places(nn.Module):
    """Answers with the encoded row itself."""

    def forward(self, rows):
        return Logits(rows)


def test_the_graph_scales_pixels_and_ends_in_probabilities():
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    found = PictureAnswers(Brightness())(pictures)
    mean = np.array([0, 0.2, 1])
    wanted = np.exp(mean) / (np.exp(mean) + np.exp(1 - mean))
    assert np.allclose(found[:, 0], wanted, atol=1e-6)
    assert np.allclose(found.sum(1), 1)


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("born,age,job\n3.2.1990,60,smith\n1.1.2000,,\n2.1.2000,1e9,wizard\n")
    return str(path)


def test_values_go_in_as_written_and_what_encodes_them_is_inside(rows):
    with pytest.warns(UserWarning, match="wizard"):
        raw, names = read_raw_rows([rows], SPEC, PAY)
    assert names == [f"{rows}:{line}" for line in (2, 3, 4)]
    days = [
        (datetime.date(*day) - datetime.date(1970, 1, 1)).days
        for day in ((1990, 2, 3), (2000, 1, 1), (2000, 1, 2))
    ]
    assert np.array_equal(raw.numbers[:, 1], days)
    assert raw.indices[:, 0].tolist() == [3, 1, 0], "1 is the missing one, 0 an unknown one"
    found = RowAnswers(Places(), SPEC, PAY)(*map(torch.from_numpy, inputs_of(SPEC, raw).values()))

    def encoded(value, centre, scale):
        z = (value - centre) / scale
        return z / math.sqrt(1 + (z / 3) ** 2)

    wanted = [
        [encoded(60, 40, 20), encoded(days[0], 1e4, 500), 0, 3],
        [0, encoded(days[1], 1e4, 500), 1, 1],
        [3, encoded(days[2], 1e4, 500), 0, 0],
    ]
    assert np.allclose(found, 100 + 7 * np.array(wanted), atol=1e-4)


def test_a_huge_number_is_as_far_as_any_goes(rows):
    with pytest.warns(UserWarning, match="wizard"):
        raw, _ = read_raw_rows([rows], SPEC, PAY)
    raw.numbers[:, 0] = (1e200, -1e300, 60)
    found = RowAnswers(Places(), SPEC, PAY)(*map(torch.from_numpy, inputs_of(SPEC, raw).values()))
    assert np.allclose(found[:2, 0], 100 + 7 * np.array([3.0, -3.0]))


def test_the_graph_encodes_to_the_bit_as_training_did():
    generator = np.random.default_rng(0)
    ages = [str(a) if a < 90 else "?" for a in generator.integers(0, 100, 50)]
    dates = [f"{d}.1.2001" for d in generator.integers(1, 32, 50)]
    jobs = list(generator.choice(["baker", "smith", "none", ""], 50))
    from samoyed.data.table_files import Cells

    cells = Cells("x", ("age", "job", "born"), True, tuple(map(tuple, (ages, jobs, dates))),
                  range(50))  # fmt: skip
    inputs, bad = encode(SPEC, cells)
    assert not bad
    from samoyed.data.table_encoding import lay_out, read_raw

    raw, _ = read_raw(SPEC, cells)
    assert np.array_equal(lay_out(SPEC, raw_of(inputs_of(SPEC, raw))), inputs)
    plain = TargetSpec("number", ("pay",))
    found = RowAnswers(Places(), SPEC, plain)(*map(torch.from_numpy, inputs_of(SPEC, raw).values()))
    assert np.array_equal(found.numpy(), inputs)


def test_classes_end_in_a_softmax_and_questions_in_sigmoids():
    spec = TableSpec((Column("a", "number"), Column("b", "number")))
    numbers = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    a, b = (v / math.sqrt(1 + v * v / 9) for v in (1.0, 2.0))
    classes = RowAnswers(Places(), spec, TargetSpec("classes", ("t",), ("x", "y")))(numbers)
    assert classes[0].tolist() == pytest.approx(
        [1 / (1 + math.exp(b - a)), 1 / (1 + math.exp(a - b))]
    )
    several = RowAnswers(Places(), spec, TargetSpec("binaries", ("t", "u")))(numbers)
    assert several[0].tolist() == pytest.approx([1 / (1 + math.exp(-a)), 1 / (1 + math.exp(-b))])


def test_the_description_is_json_and_reads_back(tmp_path):
    said = {"format": 1, **describing.of_rows("regress_table", SPEC, PAY)}
    assert json.loads(json.dumps(said)) == said
    read = describing.read(tmp_path, json.dumps(said))
    assert [(c.name, c.kind, c.form, c.categories) for c in read.table.columns] == [
        (c.name, c.kind, c.form, c.categories) for c in SPEC.columns
    ]
    assert read.table.names == SPEC.names
    assert read.target.columns == ("pay",)
    labels = LabelSpec(("a", "b"))
    image = {"format": 1, **describing.of_pictures("classify", ImageSpec(3, 8, 9), labels)}
    assert describing.read(tmp_path, json.dumps(image)).image == ImageSpec(3, 8, 9)
    for broken in ("{", '{"format": 1}', '{"format": 1, "labels": 3, "task": "x"}', "[]"):
        with pytest.raises(DataError, match="something else"):
            describing.read(tmp_path, broken)
    with pytest.raises(DataError, match="update samoyed"):
        describing.read(tmp_path, json.dumps({**said, "format": 9}))
