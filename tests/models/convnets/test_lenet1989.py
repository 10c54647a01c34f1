"""The 1989 network against the paper's printed counts, and loops in place of shared weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.convnets import lenet1989
from samoyed.models.convnets.lenet1989 import Config, SharedWeights, build, distances, sources

SPEC = ImageSpec(1, 16, 16)

# Section 3.3 as printed: layer -> (trainable parameters, connections).
PRINTED = {
    "H1": (1_068, 19_968),
    "H2": (2_592, 38_592),
    "H3": (5_790, 5_790),
    "output": (310, 310),
}


def labels(num=10):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build(Config(), SPEC, labels())


def pictures(num, seed=1):
    return torch.rand(num, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def test_every_layer_has_the_printed_number_of_parameters(net):
    counts = {name: sum(p.numel() for p in getattr(net, name).parameters()) for name in PRINTED}
    assert counts == {name: parameters for name, (parameters, _) in PRINTED.items()}
    assert sum(counts.values()) == 9_760


def test_every_layer_has_the_printed_number_of_units_and_connections(net):
    shapes = {}
    for name in PRINTED:
        getattr(net, name).register_forward_hook(
            lambda module, inputs, output, name=name: shapes.__setitem__(name, output.shape[1:])
        )
    net(pictures(1))
    assert math.prod(shapes["H1"]) == 768
    assert math.prod(shapes["H2"]) == 192
    # Connections of one unit: its field in every map that it sees, and its bias.
    fan_in = {"H1": 25 + 1, "H2": 8 * 25 + 1, "H3": 192 + 1, "output": 30 + 1}
    counts = {name: fan_in[name] * math.prod(shapes[name]) for name in PRINTED}
    assert counts == {name: connections for name, (_, connections) in PRINTED.items()}
    assert sum(counts.values()) == 64_660


def test_the_network_equals_loops(net):
    """Every unit on its own, in NumPy; beyond the border lies -1."""
    given = pictures(2)
    with torch.no_grad():
        found = net.outputs(given).numpy()
    seen = {"H1": [[0]] * 12, "H2": [sources(j) for j in range(12)]}
    for picture, outputs in zip(given, found, strict=True):
        maps = picture.numpy() * 2.0 - 1
        for name, below in seen.items():
            weight = getattr(net, name).weight.detach().numpy()
            bias = getattr(net, name).bias.detach().numpy()
            after = np.empty(bias.shape)
            for o, i, j in np.ndindex(bias.shape):
                total = bias[o, i, j]
                for s, source in enumerate(below[o]):
                    for y, x in np.ndindex(5, 5):
                        row, column = 2 * i - 2 + y, 2 * j - 2 + x
                        is_inside = 0 <= row < maps.shape[1] and 0 <= column < maps.shape[2]
                        state = maps[source, row, column] if is_inside else -1.0
                        total += weight[o, s, y, x] * state
                after[o, i, j] = 1.7159 * math.tanh(2 / 3 * total)
            maps = after
        for layer in (net.H3, net.output):
            total = layer.weight.detach().numpy() @ maps.ravel() + layer.bias.detach().numpy()
            maps = 1.7159 * np.tanh(2 / 3 * total)
        np.testing.assert_allclose(outputs, maps, atol=1e-5)


def test_each_map_of_h1_is_seen_by_eight_of_h2():
    assert all(len(set(sources(j))) == 8 for j in range(12))
    for i in range(12):
        assert sum(i in sources(j) for j in range(12)) == 8
    assert len({tuple(sorted(sources(j))) for j in range(12)}) == 12


def test_h2_cannot_see_the_maps_it_is_not_connected_to():
    torch.manual_seed(0)
    layer = SharedWeights([sources(j) for j in range(12)], 12, 8)
    maps = torch.randn(1, 12, 8, 8)
    before = layer(maps)
    maps[:, 9] += 1.0
    changed = (layer(maps) != before).any(dim=(0, 2, 3))
    assert changed.tolist() == [9 in sources(j) for j in range(12)]


def test_units_of_a_map_share_weights_but_not_biases():
    torch.manual_seed(0)
    layer = SharedWeights([[0]], 1, 16)
    layer.bias.data.zero_()
    # Away from the border a shift by two pixels is a shift by one unit.
    maps = torch.full((1, 1, 16, 16), -1.0)
    maps[..., 4:9, 4:9] = torch.rand(5, 5)
    before, after = layer(maps), layer(maps.roll((2, 2), (2, 3)))
    torch.testing.assert_close(before.roll((1, 1), (2, 3))[..., 1:, 1:], after[..., 1:, 1:])
    assert layer.bias.shape == (1, 8, 8)


def test_the_loss_is_the_mean_squared_error_on_targets_of_plus_and_minus_one():
    outputs = 3 * torch.rand(5, 7, dtype=torch.float64) - 1.5
    targets = torch.tensor([0, 3, 6, 3, 1])
    wanted = nn.functional.one_hot(targets, 7) * 2.0 - 1
    found = lenet1989.loss(Logits(-distances(outputs)), targets)
    torch.testing.assert_close(found, (outputs - wanted).square().mean())


def test_distances_are_those_to_every_classs_targets():
    outputs = torch.randn(3, 4, dtype=torch.float64)
    for b, k in np.ndindex(3, 4):
        expected = sum((outputs[b, j] - (1.0 if j == k else -1.0)) ** 2 for j in range(4))
        torch.testing.assert_close(distances(outputs)[b, k], expected)
    assert (distances(outputs).argmin(1) == outputs.argmax(1)).all(), "the largest output answers"


def test_the_gradients_of_the_layers_of_our_own():
    torch.manual_seed(0)
    layer = SharedWeights([[0, 1], [2, 0]], 3, 4).double()
    maps = torch.randn(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)

    def through(weight, bias, maps):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (maps,))

    assert torch.autograd.gradcheck(through, (layer.weight, layer.bias, maps))
    outputs = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([2, 0])
    assert torch.autograd.gradcheck(
        lambda y: lenet1989.loss(Logits(-distances(y)), targets), (outputs,)
    )


def test_initial_weights_stay_within_the_papers_bounds(net):
    for name, fan_in in {"H1": 25, "H2": 200, "H3": 192, "output": 30}.items():
        for parameter in getattr(net, name).parameters():
            assert parameter.abs().max() <= 2.4 / fan_in
        assert getattr(net, name).weight.abs().max() > 0.9 * 2.4 / fan_in


@pytest.mark.parametrize("num", [1, 5])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_shapes(num, num_classes):
    output = build(Config(), SPEC, labels(num_classes))(pictures(num))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, num_classes)
    assert (output.values <= 0).all(), "minus a squared distance"


def test_any_picture_becomes_16_pixels_of_gray():
    for spec in (ImageSpec(3, 200, 150), ImageSpec(1, 8, 8), SPEC):
        assert lenet1989.accepts(Config(), spec) == SPEC


def test_rows_do_not_see_each_other(net):
    inputs = pictures(4)
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-5, atol=1e-5)


def test_learns_sixteen_pictures_by_heart(net):
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = lenet1989.loss(net(inputs), targets)
        loss.backward()
        optimizer.step()
    assert (net(inputs).values.argmax(dim=1) == targets).all()
    assert loss.item() < 0.02


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(Config(), SPEC, labels())
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)
