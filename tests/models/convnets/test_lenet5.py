"""LeNet-5 against the paper's printed counts, its equations and slow references."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.convnets import lenet5
from samoyed.models.convnets.lenet5 import (
    TABLE_I,
    Config,
    RadialBasis,
    Subsampling,
    TableConvolution,
    bitmap,
    build,
    codes_of,
    map_mse,
    normalize,
    squash,
)

DIGITS = LabelSpec(tuple("0123456789"))
SPEC = ImageSpec(1, 28, 28)

# Section II-B as printed: layer -> (trainable parameters, connections).
PRINTED = {
    "C1": (156, 122_304),
    "S2": (12, 5_880),
    "C3": (1_516, 151_600),
    "S4": (32, 2_000),
    "C5": (48_120, 48_120),
    "F6": (10_164, 10_164),
}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build(Config(), SPEC, DIGITS)


def pictures(num, seed=1):
    return torch.rand(num, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def test_every_layer_has_the_printed_number_of_parameters(net):
    counts = {name: sum(p.numel() for p in getattr(net, name).parameters()) for name in PRINTED}
    assert counts == {name: parameters for name, (parameters, _) in PRINTED.items()}
    assert sum(p.numel() for p in net.parameters()) == 60_000


def test_every_layer_has_the_printed_number_of_connections(net):
    sides = {}
    for name in PRINTED:
        getattr(net, name).register_forward_hook(
            lambda module, inputs, output, name=name: sides.__setitem__(name, output.shape[1:])
        )
    net(pictures(1))
    # Connections of one unit, the bias among them: kernels, 2 x 2 fields, or all inputs.
    fan_in = {"C1": 26, "S2": 5, "S4": 5, "C5": 16 * 25 + 1, "F6": 121}
    counts = {name: fan_in[name] * math.prod(sides[name]) for name in fan_in}
    counts["C3"] = sum(25 * len(row) + 1 for row in TABLE_I) * math.prod(sides["C3"][1:])
    assert counts == {name: connections for name, (_, connections) in PRINTED.items()}
    output = 10 * 84
    assert sum(counts.values()) + output == 340_908


def test_table_i_is_the_printed_table():
    # Rows of the table as printed: which C3 maps each S2 map feeds.
    rows = {
        0: {0, 4, 5, 6, 9, 10, 11, 12, 14, 15},
        1: {0, 1, 5, 6, 7, 10, 11, 12, 13, 15},
        2: {0, 1, 2, 6, 7, 8, 11, 13, 14, 15},
        3: {1, 2, 3, 6, 7, 8, 9, 12, 14, 15},
        4: {2, 3, 4, 7, 8, 9, 10, 12, 13, 15},
        5: {3, 4, 5, 8, 9, 10, 11, 13, 14, 15},
    }
    for s2, c3 in rows.items():
        assert {o for o, row in enumerate(TABLE_I) if s2 in row} == c3


def test_c3_equals_sixteen_separate_convolutions():
    torch.manual_seed(0)
    layer = TableConvolution(TABLE_I).double()
    maps = torch.randn(2, 6, 14, 14, dtype=torch.float64)
    expected, start = [], 0
    for o, row in enumerate(TABLE_I):
        kernels = layer.weight[start : start + len(row)][None]
        start += len(row)
        expected.append(nn.functional.conv2d(maps[:, list(row)], kernels, layer.bias[o : o + 1]))
    torch.testing.assert_close(layer(maps), torch.cat(expected, dim=1))


def test_c3_cannot_see_what_the_table_leaves_out():
    torch.manual_seed(0)
    layer = TableConvolution(TABLE_I)
    maps = torch.randn(1, 6, 14, 14)
    before = layer(maps)
    maps[:, 3:] += 1.0
    changed = (layer(maps) != before).any(dim=(0, 2, 3))
    assert not changed[0], "map 0 of C3 looks at 0, 1 and 2 only"
    assert changed[1:].all()
    filters = layer.filters()
    filters.retain_grad()
    layer.bias.grad = None
    nn.functional.conv2d(maps, filters, layer.bias).sum().backward()
    assert layer.weight.grad.shape == (60, 5, 5)
    assert (filters == 0).flatten(2).all(dim=2).sum() == 16 * 6 - 60


def test_subsampling_equals_loops():
    torch.manual_seed(0)
    layer = Subsampling(3)
    maps = torch.randn(2, 3, 4, 6)
    found = layer(maps)
    for b, c, i, j in np.ndindex(2, 3, 2, 3):
        field = maps[b, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        expected = layer.coefficient[c] * field.sum() + layer.bias[c]
        torch.testing.assert_close(found[b, c, i, j], expected)


def test_squash_passes_through_one_and_has_its_steepest_curvature_there():
    a = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(squash(a), a, atol=1e-4, rtol=0)
    grid = torch.linspace(0, 3, 3001, dtype=torch.float64)
    curvature = torch.gradient(torch.gradient(squash(grid))[0])[0].abs()
    assert abs(grid[curvature[5:-5].argmax() + 5].item() - 1.0) < 0.02


def test_normalize_frames_with_background():
    picture = torch.ones(1, 1, 28, 28)
    found = normalize(picture)
    assert found.shape == (1, 1, 32, 32)
    assert found.min().item() == pytest.approx(-0.1)
    assert found.max().item() == pytest.approx(1.175)
    assert (found > 0).sum() == 28 * 28
    torch.testing.assert_close(found, found.transpose(2, 3))


def test_output_is_the_squared_distance_to_each_code():
    codes = codes_of(DIGITS.names, 0)
    features = torch.randn(3, 84)
    penalties = RadialBasis(codes)(features)
    for b, k in np.ndindex(3, 10):
        expected = sum((features[b, j] - codes[k, j]) ** 2 for j in range(84))
        torch.testing.assert_close(penalties[b, k], expected, rtol=1e-4, atol=1e-4)
    assert RadialBasis(codes)(codes).diagonal().abs().max() < 1e-4


def test_codes_are_the_bitmaps_and_distinct():
    codes = codes_of(DIGITS.names, 0)
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    rows = ["".join(".#"[pixel] for pixel in row) for row in bitmap("7")]
    assert rows[0] == "#######"
    assert rows[-1] == ".##...."
    differing = (codes[:, None] != codes[None]).sum(dim=2) + 84 * torch.eye(10)
    assert differing.min() >= 15, "the most alike digits still differ in 15 pixels"


def test_other_classes_get_random_codes_that_stay_the_same():
    names = ("cat", "dog", "3")
    codes = codes_of(names, 5)
    assert torch.equal(codes, codes_of(names, 5))
    assert not torch.equal(codes[:2], codes_of(names, 6)[:2])
    assert torch.equal(codes[2], codes_of(DIGITS.names, 0)[3])
    assert 20 < (codes[0] != codes[1]).sum() < 64


def test_map_mse_is_equation_9():
    penalties = torch.tensor([[1.0, 5.0, 9.0], [4.0, 2.0, 30.0]], dtype=torch.float64)
    targets = torch.tensor([0, 1])
    expected = 0.0
    for y, d in zip(penalties.tolist(), targets.tolist(), strict=True):
        expected += y[d] + math.log(math.exp(-7.0) + sum(math.exp(-v) for v in y))
    assert map_mse(penalties, targets, 7.0).item() == pytest.approx(expected / 2)


def test_map_mse_with_a_far_rejection_is_the_cross_entropy():
    penalties = 20 * torch.rand(5, 10, dtype=torch.float64)
    targets = torch.arange(5)
    expected = nn.functional.cross_entropy(-penalties, targets)
    torch.testing.assert_close(map_mse(penalties, targets, 1e4), expected)


def test_map_mse_leaves_classes_alone_that_are_beyond_the_rejection():
    penalties = torch.tensor([[0.5, 4.0, 60.0]], dtype=torch.float64, requires_grad=True)
    map_mse(penalties, torch.tensor([0]), 10.0).backward()
    pull, push, nothing = penalties.grad[0].tolist()
    assert pull > 0 > push
    assert abs(nothing) < 1e-12


def test_the_gradients_of_the_layers_of_our_own():
    torch.manual_seed(0)
    small = TableConvolution(((0, 1), (1,)), num_inputs=2, side=3).double()
    maps = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)

    def through(weight, bias, maps):
        parts = {"weight": weight, "bias": bias}
        return torch.func.functional_call(small, parts, (maps,))

    assert torch.autograd.gradcheck(through, (small.weight, small.bias, maps))
    assert torch.autograd.gradcheck(Subsampling(2).double(), (maps,))
    penalties = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: map_mse(y, torch.tensor([0, 2]), 3.0), (penalties,))


def test_initial_weights_stay_within_the_papers_bounds(net):
    bounds = {"C1": 25, "S2": 4, "S4": 4, "C5": 400, "F6": 120}
    for name, fan_in in bounds.items():
        for parameter in getattr(net, name).parameters():
            assert parameter.abs().max() <= 2.4 / fan_in
    assert net.C5.weight.abs().max() > 0.95 * 2.4 / 400
    first, last = net.C3.weight[:3], net.C3.weight[-6:]
    assert 0.8 * 2.4 / 75 < first.abs().max() <= 2.4 / 75
    assert last.abs().max() <= 2.4 / 150


@pytest.mark.parametrize("num", [1, 5])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_shapes(num, num_classes):
    labels = LabelSpec(tuple(f"class {k}" for k in range(num_classes)))
    output = build(Config(), SPEC, labels)(pictures(num))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, num_classes)
    assert (output.values <= 0).all(), "minus a squared distance"


def test_any_picture_becomes_28_pixels_of_gray():
    for spec in (ImageSpec(3, 200, 150), ImageSpec(1, 8, 8), SPEC):
        assert lenet5.accepts(Config(), spec) == SPEC


def test_rows_do_not_see_each_other(net):
    inputs = pictures(4)
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-5, atol=1e-4)


def test_learns_sixteen_pictures_by_heart(net):
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    first = None
    for _ in range(150):
        optimizer.zero_grad()
        loss = lenet5.loss(net(inputs), targets)
        loss.backward()
        optimizer.step()
        first = loss.item() if first is None else first
    assert (net(inputs).values.argmax(dim=1) == targets).all()
    assert loss.item() < 0.2 * first


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(Config(), SPEC, DIGITS)
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)
