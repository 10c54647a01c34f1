"""Simard's network: sides, counts, and loops in place of convolutions."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data.augmentation import Augmentation
from samoyed.models.convnets import simard_convnet
from samoyed.models.convnets.simard_convnet import AUGMENTATION, Config, build, padded, squash

SPEC = ImageSpec(1, 28, 28)


def labels(num=10):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build(Config(), SPEC, labels())


def pictures(num, seed=1):
    return torch.rand(num, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def test_number_of_parameters_by_hand(net):
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in layers(net)}
    assert counts == {
        "first": 5 * (5 * 5 + 1),
        "second": 50 * (5 * 5 * 5 + 1),
        "hidden": 100 * (50 * 5 * 5 + 1),
        "classes": 10 * (100 + 1),
    }
    assert sum(counts.values()) == 132_540


def layers(net):
    return list(net.named_children())


def test_the_maps_have_the_papers_sides(net):
    sides = {}
    for name, layer in layers(net):
        layer.register_forward_hook(
            lambda module, inputs, output, name=name: sides.__setitem__(name, output.shape[1:])
        )
    net(pictures(1))
    assert sides == {"first": (5, 13, 13), "second": (50, 5, 5), "hidden": (100,), "classes": (10,)}


def test_padding_adds_background_on_the_right_and_below():
    found = padded(torch.ones(2, 1, 28, 28))
    assert found.shape == (2, 1, 29, 29)
    assert (found[..., :28, :28] == 1).all()
    assert (found[..., 28, :] == -1).all()
    assert (found[..., 28] == -1).all()


def test_the_network_equals_loops(net):
    """Every unit computed on its own, in NumPy."""
    given = pictures(2)
    weights = {n: (p.weight.detach().numpy(), p.bias.detach().numpy()) for n, p in layers(net)}
    for picture, found in zip(given, net(given).values, strict=True):
        maps = np.full((1, 29, 29), -1.0)
        maps[:, :28, :28] = picture.numpy() * 2 - 1
        for name in ("first", "second"):
            w, b = weights[name]
            side = (maps.shape[1] - 3) // 2
            after = np.empty((len(w), side, side))
            for o, i, j in np.ndindex(after.shape):
                field = maps[:, 2 * i : 2 * i + 5, 2 * j : 2 * j + 5]
                after[o, i, j] = 1.7159 * math.tanh(2 / 3 * ((w[o] * field).sum() + b[o]))
            maps = after
        w, b = weights["hidden"]
        hidden = 1.7159 * np.tanh(2 / 3 * (w @ maps.ravel() + b))
        w, b = weights["classes"]
        np.testing.assert_allclose(found.detach().numpy(), w @ hidden + b, atol=1e-4)


def test_squash_passes_through_one():
    a = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(squash(a), a, atol=1e-4, rtol=0)


def test_the_gradient_of_the_whole():
    torch.manual_seed(0)
    net = build(Config(num_maps=(2, 2), num_hidden=3), SPEC, labels(2)).double()
    given = pictures(1).double()

    def through(weight, bias):
        parts = {"first.weight": weight, "first.bias": bias}
        return torch.func.functional_call(net, parts, (given,)).values

    assert torch.autograd.gradcheck(through, (net.first.weight, net.first.bias))


def test_first_outputs_are_neither_all_alike_nor_saturated(net):
    with torch.no_grad():
        maps = squash(net.first(padded(pictures(64))))
        hidden = squash(net.hidden(squash(net.second(maps)).flatten(1)))
    for states in (maps, hidden):
        assert 0.1 < states.std() < 1.2
        assert (states.abs() > 1.6).float().mean() < 0.1


@pytest.mark.parametrize("num", [1, 5])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_shapes(num, num_classes):
    output = build(Config(), SPEC, labels(num_classes))(pictures(num))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, num_classes)


def test_other_sizes_of_its_layers():
    net = build(Config(num_maps=(3, 7), num_hidden=11), SPEC, labels(4))
    assert net(pictures(2)).values.shape == (2, 4)


def test_any_picture_becomes_28_pixels_of_gray():
    for spec in (ImageSpec(3, 200, 150), ImageSpec(1, 8, 8), SPEC):
        assert simard_convnet.accepts(Config(), spec) == SPEC


def test_its_variations_exist():
    names = tuple(AUGMENTATION.split(","))
    assert "elastic" in names
    given = pictures(3)
    assert Augmentation(names)(given, torch.Generator().manual_seed(0)).shape == given.shape


def test_rows_do_not_see_each_other(net):
    inputs = pictures(4)
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-5, atol=1e-5)


def test_learns_sixteen_pictures_by_heart(net):
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs).values, targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(Config(), SPEC, labels())
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)
