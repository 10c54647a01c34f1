"""Multi-column networks: hand counts, preparations against slow references, columns apart."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.convnets import multi_column_network
from samoyed.models.convnets.multi_column_network import (
    PREPARATIONS,
    SIZES,
    Config,
    accepts,
    build,
    loss,
    mean_log_probability,
    multiplications,
    recommend,
)

TINY = Config(side=32, num_maps=(4, 5, 6), num_hidden=7, num_repeats=1)
COLOUR = ImageSpec(3, 32, 32)


def labels(num=10):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def net_for(config=TINY, spec=COLOUR, num_classes=10):
    torch.manual_seed(0)
    return build(config, spec, labels(num_classes))


def pictures(num, channels=3, side=32, seed=1):
    """Pictures of low contrast with something on them."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand(num, channels, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(rough, (side, side), mode="bilinear", align_corners=False)
    return 0.2 + 0.4 * smooth + 0.1 * torch.rand(num, channels, side, side, generator=generator)


def gray(num=3, side=32, seed=1):
    return pictures(num, channels=1, side=side, seed=seed)


def test_number_of_parameters_of_a_column_and_of_all_by_hand():
    with torch.device("meta"):
        net = build(Config(), ImageSpec(3, 48, 48), labels(43))
    column = [
        100 * (3 * 7 * 7 + 1),
        150 * (100 * 4 * 4 + 1),
        250 * (150 * 4 * 4 + 1),
        300 * (250 * 3 * 3 + 1),
        43 * (300 + 1),
    ]
    assert column == [14_800, 240_150, 600_250, 675_300, 12_943]
    assert sum(p.numel() for p in net.columns[0].parameters()) == sum(column) == 1_543_443
    assert len(net.columns) == 25
    assert sum(p.numel() for p in net.parameters()) == 25 * 1_543_443


def test_the_maps_have_the_papers_sides():
    with torch.device("meta"):
        column = build(Config(num_repeats=1), ImageSpec(3, 48, 48), labels(43)).columns[0]
    maps, shapes = torch.zeros(1, 3, 48, 48, device="meta"), []
    for layer in column:
        maps = layer(maps)
        if not isinstance(layer, multi_column_network.Squash):
            shapes.append(tuple(maps.shape[1:]))
    assert shapes == [
        (100, 42, 42), (100, 21, 21), (150, 18, 18), (150, 9, 9), (250, 6, 6), (250, 3, 3),
        (2250,), (300,), (43,),
    ]  # fmt: skip


def test_a_column_equals_loops():
    """One convolution, one squashing, one maximum, in NumPy."""
    net = net_for()
    seen = net.prepared(pictures(1))[0]
    column = net.columns[0]
    weight, bias = (p.detach().numpy() for p in column[0].parameters())
    found = column[2](column[1](column[0](seen)))[0].detach().numpy()
    picture = seen[0].numpy()
    for o, i, j in np.ndindex(4, 13, 13):
        best = max(
            (weight[o] * picture[:, y : y + 7, x : x + 7]).sum() + bias[o]
            for y in (2 * i, 2 * i + 1)
            for x in (2 * j, 2 * j + 1)
        )
        assert found[o, i, j] == pytest.approx(1.7159 * math.tanh(2 / 3 * best), abs=1e-5)


@pytest.mark.parametrize("name", PREPARATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_preparation_stays_in_range_leaves_its_input_and_knows_no_neighbours(name, channels):
    given = pictures(4, channels)
    before = given.clone()
    found = PREPARATIONS[name](given, 8)
    assert found.shape == given.shape
    assert -1 - 1e-5 <= found.min() <= found.max() <= 1 + 1e-5
    assert torch.equal(given, before)
    torch.testing.assert_close(PREPARATIONS[name](given[2:3], 8), found[2:3])
    even = torch.full((1, channels, 32, 32), 0.5)
    assert PREPARATIONS[name](even, 8).isfinite().all()


@pytest.mark.parametrize("name", ["imadjust", "histeq"])
def test_what_takes_contrast_out_is_undone_by_preparing(name):
    """The point of it: a darker picture of less contrast looks the same to the column."""
    given = gray(2)
    dull = given * 0.5 + 0.1
    before, after = PREPARATIONS[name](given, 8), PREPARATIONS[name](dull, 8)
    assert (before - after).abs().mean() < 0.05 < (given - dull).abs().mean()


def test_the_answer_is_the_mean_of_the_columns_probabilities():
    logits = torch.randn(3, 4, 5, dtype=torch.float64)
    found = mean_log_probability(logits).exp()
    for b, k in np.ndindex(3, 5):
        expected = sum(logits[b, n].softmax(0)[k] for n in range(4)) / 4
        assert found[b, k].item() == pytest.approx(expected.item(), abs=1e-6)
    torch.testing.assert_close(found.sum(1), torch.ones(3, dtype=torch.float64))
    net = net_for()
    output = net(pictures(2))
    torch.testing.assert_close(output.values, mean_log_probability(output.columns))


def test_each_column_descends_its_own_cross_entropy():
    net, inputs, targets = net_for(), pictures(3), torch.tensor([1, 5, 2])
    loss(net(inputs), targets).backward()
    together = [[p.grad.clone() for p in column.parameters()] for column in net.columns]
    for column, seen, gradients in zip(net.columns, net.prepared(inputs), together, strict=True):
        net.zero_grad()
        nn.functional.cross_entropy(column(seen), targets).backward()
        for parameter, gradient in zip(column.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient)


def test_the_loss_and_the_gradient_of_the_answer():
    logits = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: mean_log_probability(x.double()), (logits,), atol=1e-2
    )
    targets = torch.tensor([3, 0])
    found = loss(multi_column_network.ColumnLogits(logits[:, 0], logits), targets)
    expected = sum(nn.functional.cross_entropy(logits[:, n], targets) for n in range(3))
    torch.testing.assert_close(found, expected)


def test_first_weights_are_the_papers_and_of_the_same_effect_in_other_sizes():
    paper = build(Config(preparations=("original",), num_repeats=1), ImageSpec(3, 48, 48), labels())
    column = paper.columns[0]
    for layer in column:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert 0.049 < layer.weight.abs().max() <= 0.05
    small = build(replace(Config(), **SIZES["small"]), ImageSpec(1, 32, 32), labels()).columns[0]
    spreads = []
    for net, inputs in ((column, torch.rand(8, 3, 48, 48)), (small, torch.rand(8, 1, 32, 32))):
        with torch.no_grad():
            spreads.append(net[:-1](inputs * 2 - 1).std().item())
    assert 0.5 < spreads[0] / spreads[1] < 2


def test_repeats_see_the_same_and_begin_differently():
    net = net_for(replace(TINY, preparations=("original", "histeq"), num_repeats=2))
    assert len(net.columns) == 4
    given = pictures(1)
    seen = net.prepared(given)
    assert len(seen) == 2
    output = net(given).columns[0]
    for n, column in enumerate(net.columns):
        torch.testing.assert_close(output[n], column(seen[n // 2])[0])
    assert not torch.allclose(output[0], output[1])


@pytest.mark.parametrize("spec", [ImageSpec(1, 28, 28), ImageSpec(3, 40, 60)], ids=str)
@pytest.mark.parametrize("num", [1, 3])
def test_shapes(spec, num):
    config = replace(Config(), **SIZES["small"])
    taken = accepts(config, spec)
    output = net_for(config, taken, num_classes=4)(pictures(num, taken.channels))
    assert output.values.shape == (num, 4)
    assert output.columns.shape == (num, 5, 4)


def test_settings_that_cannot_be_are_refused():
    for changes in (
        {"preparations": ("sharpened",)}, {"preparations": ()}, {"num_repeats": 0}, {"side": 44},
        {"side": 24},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"preparations|num_repeats|side"):
            replace(TINY, **changes)


def test_the_papers_size_needs_much_time():
    assert recommend(COLOUR, 40_000, 600.0) == "small"
    assert recommend(COLOUR, 40_000, None) == "small"
    assert recommend(COLOUR, 200, 3600.0) == "paper"
    one = 3 * 100 * 49 * 42**2 + 100 * 150 * 16 * 18**2 + 150 * 250 * 16 * 6**2
    assert multiplications(Config(), 3) == 25 * one


def test_rows_do_not_see_each_other():
    net, inputs = net_for(), pictures(4)
    with torch.no_grad():
        torch.testing.assert_close(net(inputs).values[2:3], net(inputs[2:3]).values)


def test_learns_sixteen_pictures_by_heart():
    net = net_for(replace(TINY, preparations=("original", "histeq"), num_hidden=20))
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        value = loss(net(inputs), targets)
        value.backward()
        optimizer.step()
    output = net(inputs)
    assert (output.columns.argmax(2) == targets[:, None]).float().mean() > 0.95
    assert (output.values.argmax(1) == targets).all()


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net = net_for()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(TINY, COLOUR, labels())
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)
