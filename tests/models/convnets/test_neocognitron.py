"""The neocognitron: sizes, each cell's equation in loops, the rule of learning, the naming."""

import math

import numpy as np
import pytest
import torch

from samoyed.core.batch import Batch, Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Stage
from samoyed.models.convnets import neocognitron
from samoyed.models.convnets.neocognitron import (
    FALL_C,
    FALL_D,
    SIZES,
    ComplexCells,
    Config,
    OneByOne,
    SimpleCells,
    build,
    naming,
    reinforcement,
    seeds,
    stages,
    winners,
)
from samoyed.training.loop import train

SPEC = ImageSpec(1, 16, 16)


def labels(num=5):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build(Config(), SPEC, labels())


def pictures(num, seed=1):
    return torch.rand(num, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def awake(net, seed=2):
    """Give every cell inputs as large as learning would, so that inhibition matters."""
    generator = torch.Generator().manual_seed(seed)
    for layer in net.layers:
        cells = layer.simple
        cells.a.data = torch.rand(cells.a.shape, generator=generator) * 3 * cells.c
        cells.b.data = 0.5 * torch.rand(cells.b.shape, generator=generator)
    return net


def test_number_of_variable_inputs_by_hand(net):
    counts = [sum(p.numel() for p in layer.parameters()) for layer in net.layers]
    assert counts == [24 * (25 + 1), 24 * (24 * 25 + 1), 24 * (24 * 25 + 1)]
    assert sum(counts) == 29_472
    assert net.counts.numel() == 24 * 5


def test_every_layer_has_as_many_cells_as_in_the_simulation(net):
    below, sides = pictures(2), []
    for layer in net.layers:
        cells = layer.simple(below)
        below = layer.complex(cells)
        sides.append((tuple(cells.shape[1:]), tuple(below.shape[1:])))
    assert sides == [
        ((24, 16, 16), (24, 10, 10)), ((24, 8, 8), (24, 6, 6)), ((24, 2, 2), (24, 1, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize("margin", [2, 1, 0])
def test_simple_cells_equal_loops(margin):
    torch.manual_seed(0)
    cells = SimpleCells(num_inputs=2, num_planes=3, selectivity=1.5, margin=margin)
    cells.a.data = torch.rand(3, 2, 5, 5) * 0.2
    cells.b.data = torch.tensor([0.5, 2.0, 20.0])
    below = torch.rand(1, 2, 7, 7)
    found = cells(below)[0]
    u, a, b = below[0].numpy(), cells.a.detach().numpy(), cells.b.detach().numpy()
    c = np.array([[FALL_C ** math.hypot(y, x) for x in range(-2, 3)] for y in range(-2, 3)])
    c /= 2 * c.sum()  # all inputs of a v-cell sum to one
    for k, i, j in np.ndindex(found.shape):
        excitation = square = 0.0
        for plane, y, x in np.ndindex(2, 5, 5):
            row, column = i + y - margin, j + x - margin
            if 0 <= row < 7 and 0 <= column < 7:
                excitation += a[k, plane, y, x] * u[plane, row, column]
                square += c[y, x] * u[plane, row, column] ** 2
        shunt = 1.5 / 2.5 * b[k] * math.sqrt(square)
        expected = 1.5 * max(0.0, (1 + excitation) / (1 + shunt) - 1)
        assert found[k, i, j].item() == pytest.approx(expected, abs=1e-5)
    assert (found == 0).any()
    assert (found > 0).any()


@pytest.mark.parametrize("is_last", [False, True])
def test_complex_cells_equal_loops(is_last):
    side, height = (2, 2) if is_last else (5, 8)
    layer = ComplexCells(side, 0.5, is_last)
    cells = torch.rand(1, 3, height, height, generator=torch.Generator().manual_seed(0))
    cells = cells * (cells > 0.6)
    found = layer(cells)[0]
    assert found.shape == ((3, 1, 1) if is_last else (3, 6, 6))
    middle = (side - 1) / 2
    for k, i, j in np.ndindex(found.shape):
        sums = []
        for plane in range(3):
            total = 0.0
            for y, x in np.ndindex(side, side):
                row, column = (y, x) if is_last else (2 * i + y - 4, 2 * j + x - 4)
                if 0 <= row < height and 0 <= column < height:
                    d = FALL_D ** math.hypot(y - middle, x - middle)
                    total += d * cells[0, plane, row, column].item()
            sums.append(total)
        x = max(0.0, (1 + sums[k]) / (1 + sum(sums) / 3) - 1)
        assert found[k, i, j].item() == pytest.approx(x / (0.5 + x), abs=1e-5)


def slow_seeds(activity, side):
    """Return {plane: (row, column)}: the paper's procedure, cell by cell."""
    planes, height, width = activity.shape
    candidates = set()
    for top, left in np.ndindex(height - side + 1, width - side + 1):
        column = activity[:, top : top + side, left : left + side]
        k, y, x = np.unravel_index(column.argmax(), column.shape)
        if column[k, y, x] > 0:
            candidates.add((k, top + y, left + x))
    chosen = {}
    for k in range(planes):
        mine = [(activity[c], c[1:]) for c in candidates if c[0] == k]
        if mine:
            chosen[k] = max(mine)[1]
    return chosen


@pytest.mark.parametrize(("height", "side"), [(16, 5), (8, 5), (2, 2)])
def test_seeds_are_chosen_as_the_paper_says(height, side):
    activity = torch.rand(4, 6, height, height, generator=torch.Generator().manual_seed(height))
    activity = activity * (activity > 0.5)
    activity[3] = 0
    found = seeds(activity, side)
    for cells, mask in zip(activity.numpy(), found.numpy(), strict=True):
        expected = np.zeros_like(mask)
        for k, (row, column) in slow_seeds(cells, side).items():
            expected[k, row, column] = True
        assert np.array_equal(mask, expected)
    assert found.flatten(2).sum(2).max() == 1
    assert not found[3].any(), "silent cells are no seeds"


def test_one_step_of_descent_is_the_papers_reinforcement(net):
    awake(net)
    for index, layer in enumerate(net.layers):
        cells, picture = layer.simple, pictures(1)
        below = net.climb(picture, index)
        chosen = slow_seeds(cells(below)[0].detach().numpy(), layer.column_side)
        before = cells.a.detach().clone(), cells.b.detach().clone()
        v = cells.inhibition(below)[0, 0]
        margin = cells.margin
        framed = torch.nn.functional.pad(below, (margin,) * 4)[0]
        expected_a, expected_b = before[0].clone(), before[1].clone()
        for k, (row, column) in chosen.items():
            field = framed[:, row : row + 5, column : column + 5]
            expected_a[k] += layer.gain * cells.c * field
            expected_b[k] += layer.gain * v[row, column]
        optimizer = neocognitron._adding(net, index=index)
        optimizer.zero_grad()
        reinforcement(net, Batch(picture), index=index).backward()
        optimizer.step()
        assert chosen
        torch.testing.assert_close(cells.a.detach(), expected_a)
        torch.testing.assert_close(cells.b.detach(), expected_b)


def test_a_reinforced_cell_answers_one_to_its_pattern_and_nothing_to_what_is_unlike():
    """With much reinforcement the answer is r phi[(1 + r) / r s - 1], s the likeness."""
    torch.manual_seed(0)
    cells = SimpleCells(num_inputs=1, num_planes=1, selectivity=4.0, margin=0)
    pattern = torch.rand(1, 1, 5, 5)
    v = cells.inhibition(pattern).item()
    cells.a.data = 1e4 * cells.c * pattern
    cells.b.data = torch.tensor([1e4 * v])
    assert cells(pattern).item() == pytest.approx(1.0, abs=1e-2)
    other = torch.rand(1, 1, 5, 5)
    likeness = (cells.c * pattern * other).sum().item() / (v * cells.inhibition(other).item())
    expected = 4 * max(0.0, 5 / 4 * likeness - 1)
    assert cells(other).item() == pytest.approx(expected, abs=1e-2)
    bright = cells(3 * pattern).item()
    assert bright == pytest.approx(1.0, abs=1e-2), "contrast does not matter"


class Arriving(torch.nn.Module):
    """What arrives at cells, as a module, so that gradients can be checked."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, below):
        return self.cells.reinforced_input(below)


def test_the_gradient_of_what_arrives_at_cells():
    torch.manual_seed(0)
    cells = SimpleCells(num_inputs=1, num_planes=2, selectivity=4.0, margin=1).double()
    below = torch.rand(1, 1, 5, 5, dtype=torch.float64)

    def through(a, b):
        parts = {"cells.a": a, "cells.b": b}
        return torch.func.functional_call(Arriving(cells), parts, (below,))

    assert torch.autograd.gradcheck(through, (cells.a, cells.b))


def test_naming_counts_labels_of_winners(net):
    awake(net)
    inputs, targets = pictures(30), torch.arange(30) % 5
    won = winners(net.respond(inputs))
    optimizer = neocognitron._adding(net, index=None)
    for _ in range(2):
        optimizer.zero_grad()
        naming(net, Batch(inputs, targets)).backward()
        optimizer.step()
    for k, n in np.ndindex(24, 5):
        expected = 2 * ((won[:, k] == 1) & (targets == n)).sum().item()
        assert net.counts[k, n].item() == expected
    shares = (net.counts + 1) / (net.counts + 1).sum(1, keepdim=True)
    found = net(inputs).values.softmax(1)
    torch.testing.assert_close(found, shares[won.argmax(1)])


def test_where_nothing_responds_all_classes_are_alike(net):
    found = net(torch.zeros(1, 1, 16, 16)).values.softmax(1)
    torch.testing.assert_close(found, torch.full((1, 5), 0.2))


class Recorded:
    """Three batches of four pictures, again and again."""

    steps_per_epoch = 3

    def batch(self, step):
        inputs = torch.arange(4.0)[:, None, None, None] + 10 * (step % 3)
        return Batch(inputs.expand(4, 1, 16, 16), torch.arange(4) % 5)


def test_pictures_come_one_by_one_and_then_no_more():
    feed = OneByOne(Recorded(), 14)
    shown = [feed.batch(step).inputs[0, 0, 0, 0].item() for step in (0, 1, 5, 13, 2)]
    assert shown == [0, 1, 11, 1, 2]
    assert len(feed.batch(5)) == 1
    assert len(feed.batch(14)) == len(feed.batch(999)) == 0


def test_layers_learn_in_turn_and_labels_only_name(net):
    task = Stage("train", Recorded(), lambda m, b: None, lambda m: None, steps=60)
    made = list(stages(net, Config(num_presentations=7), Recorded(), task, seed=0))
    assert [stage.name for stage in made] == ["layer 1", "layer 2", "layer 3", "naming"]
    assert [stage.steps for stage in made] == [7, 7, 7, 3]
    first = {name: p.detach().clone() for name, p in net.named_parameters()}
    for moment in train(net, (stage.lasting(9) for stage in made)):
        changed = {n for n, p in net.named_parameters() if not torch.equal(p, first[n])}
        if moment.stage.name == "layer 1":
            assert changed <= {"layers.0.simple.a", "layers.0.simple.b"}
        if moment.stage.name == "layer 3":
            assert "counts" not in changed
        if moment.stage.name != "naming" and moment.step >= 7:
            assert moment.loss == 0, "nothing is shown any more"
    assert net.counts.sum() <= 9 * 4


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("num", [1, 3])
def test_shapes(size, num):
    output = build(Config(**SIZES[size]), SPEC, labels(7))(pictures(num))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, 7)


def test_a_few_patterns_are_for_the_papers_size_and_any_picture_becomes_16_pixels_of_gray():
    assert neocognitron.recommend(SPEC, 5, None) == "paper"
    assert neocognitron.recommend(SPEC, 1000, 60.0) == "strokes"
    assert neocognitron.recommend(ImageSpec(1, 8, 8), 1000, 60.0) == "smooth"
    for spec in (ImageSpec(3, 200, 150), ImageSpec(1, 8, 8), SPEC):
        assert neocognitron.accepts(Config(), spec) == SPEC


def test_settings_that_cannot_be_are_refused():
    for changes in ({"num_planes": 0}, {"num_presentations": 0}, {"saturation": 0.0}):
        with pytest.raises(ValueError, match=r"or more|positive"):
            Config(**changes)


def test_rows_do_not_see_each_other(net):
    awake(net)
    net.counts.data = torch.rand(24, 5)
    inputs = pictures(4)
    torch.testing.assert_close(net.respond(inputs)[2:3], net.respond(inputs[2:3]))
    torch.testing.assert_close(net(inputs).values[2:3], net(inputs[2:3]).values)


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(net, tmp_path):
    awake(net)
    net.counts.data = torch.rand(24, 5)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(Config(), SPEC, labels())
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)
