"""The folded plane against scikit-learn, brute force and a network worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.data.table_rows import Rows
from samoyed.data.tables import TableData
from samoyed.models.backprop import dropout_network, multilayer_perceptron
from samoyed.models.since import tabular_network
from samoyed.runs.figures import table_plane

SPEC = TableSpec((Column("x", "number", edges=(-1.0, 1.0)), Column("y", "number", edges=(-1, 1))))
TARGET = TargetSpec("classes", ("kind",), ("same", "<differ>"))


@pytest.fixture
def data():
    inputs = np.random.default_rng(0).uniform(-1, 1, (300, 2)).astype(np.float32)
    kinds = (inputs[:, 0] * inputs[:, 1] < 0).astype(np.int64)
    rows = Rows(inputs, kinds, [f"t.csv:{i}" for i in range(300)])
    return TableData(SPEC, TARGET, rows.some(np.arange(200)), rows.some(np.arange(200, 300)))


def folding():
    """Four rectifiers whose sums are |x + y| and |x - y|: a straight line parts x y < 0."""
    config = multilayer_perceptron.Config(hidden_sizes=(4,))
    model = multilayer_perceptron.build(config, SPEC, TARGET)
    with torch.no_grad():
        model.hidden[0].weight.copy_(torch.tensor([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]))
    return model


def test_hidden_states_are_those_worked_out_by_hand(data):
    rows = data.test.inputs
    [found] = table_plane.hidden(folding(), rows)
    x, y = rows[:, 0], rows[:, 1]
    wanted = np.stack([x + y, -x - y, x - y, y - x], axis=1).clip(min=0)
    assert np.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("system", [dropout_network, tabular_network])
def test_the_last_hidden_states_are_what_the_answer_is_read_from(system, data):
    torch.manual_seed(0)
    model = system.build(system.Config(), SPEC, TARGET).eval()
    rows = torch.from_numpy(data.test.inputs)
    [*_, last] = table_plane.hidden(model, data.test.inputs)
    if system is tabular_network:
        answers = last @ model.last[0].detach().double().numpy()
        wanted = model.members(rows)[:, 0] - model.last_bias[0]
    else:
        answers = last @ model.answers.weight.detach().double().numpy().T
        wanted = model(rows).values - model.answers.bias
    assert np.allclose(answers, wanted.detach().numpy(), atol=1e-4)


def test_a_straight_cut_is_that_of_least_squares(data):
    generator = np.random.default_rng(1)
    kinds = generator.integers(0, 3, 400)
    states = generator.normal(size=(400, 5)) + kinds[:, None]
    line = LinearRegression().fit(states[:300], np.eye(3)[kinds[:300]])
    wanted = (line.predict(states[300:]).argmax(1) == kinds[300:]).mean()
    found = table_plane.straight_line_share(states[:300], kinds[:300], states[300:], kinds[300:])
    assert found == pytest.approx(wanted)


def test_pairs_are_the_best_of_all_and_share_no_unit(data):
    states = np.concatenate(table_plane.hidden(folding(), data.train.inputs))
    states = states + 0.01 * np.random.default_rng(2).normal(size=states.shape)
    kinds = data.train.targets

    def share(pair):
        held = LinearRegression().fit(states[:, pair], np.eye(2)[kinds])
        return (held.predict(states[:, pair]).argmax(1) == kinds).mean()

    first, second = table_plane.best_pairs(states, kinds, 2)
    assert share(first) == pytest.approx(max(share(p) for p in combinations(range(4), 2)))
    assert not set(first) & set(second)


def test_the_side_that_a_layer_is_seen_from_parts_the_kinds_and_has_a_right_angle():
    generator = np.random.default_rng(3)
    kinds = np.arange(200) % 2
    states = generator.normal(size=(200, 6))
    states[:, 2] += 8 * kinds
    side = table_plane.best_side(states, kinds)
    assert np.allclose(side.T @ side, np.eye(2), atol=1e-8)
    assert abs(side[2, 0]) > 0.95


def test_the_figure_tells_what_a_straight_line_sorts_before_and_behind(data):
    figure = table_plane.fold_figure(folding(), data)
    assert figure is not None
    behind = table_plane.straight_line_share(
        *(table_plane.hidden(folding(), data.train.inputs)[0], data.train.targets),
        *(table_plane.hidden(folding(), data.test.inputs)[0], data.test.targets),
    )
    assert behind > 0.9
    assert f"{100 * behind:.0f} % behind the last layer" in figure.caption
    assert figure.html.count("<svg") == 5  # the plane, the answers, two pairs, the layer
    assert "&lt;differ&gt;" in figure.html
    assert table_plane.fold_figure(torch.nn.Linear(2, 2), data) is None
    wide = replace(data, spec=TableSpec((*SPEC.columns, Column("z", "number"))))
    assert table_plane.fold_figure(folding(), wide) is None
