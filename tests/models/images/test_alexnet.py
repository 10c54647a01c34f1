"""AlexNet against the paper's printed sizes, its equations and slow references."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.layers.dropout import Dropout
from samoyed.models.images import alexnet
from samoyed.models.images.alexnet import RECIPE, SIZES, Config, accepts, build, recommend

SMALL = replace(Config(), **SIZES["small"])
TINY = replace(SMALL, widths=(4, 8, 6, 6, 4), full=12)


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def spec_of(config, num_channels=3):
    return accepts(config, ImageSpec(num_channels, 60, 80))


def net_of(config=SMALL, num_channels=3, num_classes=10):
    torch.manual_seed(0)
    return build(config, spec_of(config, num_channels), labels(num_classes))


def paper_net(config=None):
    with torch.device("meta"):
        return build(config or Config(), ImageSpec(3, 227, 227), labels(1000))


def pictures(num, config=SMALL, num_channels=3, seed=1):
    shape = spec_of(config, num_channels).shape
    return torch.rand(num, *shape, generator=torch.Generator().manual_seed(seed))


def layers_of(net):
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def test_number_of_parameters_by_hand():
    by_hand = [
        (11 * 11 * 3 + 1) * 96,
        (5 * 5 * 48 + 1) * 256,  # each half sees the 48 maps on its own card
        (3 * 3 * 256 + 1) * 384,  # the one layer that looks across
        (3 * 3 * 192 + 1) * 384,
        (3 * 3 * 192 + 1) * 256,
        (6 * 6 * 256 + 1) * 4096,
        (4096 + 1) * 4096,
        (4096 + 1) * 1000,
    ]
    found = [sum(p.numel() for p in m.parameters()) for m in layers_of(paper_net())]
    assert found == by_hand
    assert sum(found) == 60_965_224, "the abstract prints 60 million"


def test_number_of_neurons_as_printed_in_figure_2():
    counts = []
    net = paper_net()
    for layer in layers_of(net):
        layer.register_forward_hook(lambda m, i, output: counts.append(output[0].numel()))
    net(torch.zeros(1, 3, 227, 227, device="meta"))
    # The caption prints 253,440 = 55 x 48 x 96 for the first layer; section 3.5 and the figure make
    # it 55 x 55 x 96.
    assert counts == [55 * 55 * 96, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert sum(counts) - counts[0] + 253_440 == pytest.approx(650_000, rel=0.05)  # abstract


def test_only_227_pixels_give_the_figures_55():
    assert (227 - 11) / 4 + 1 == 55
    assert (224 - 11) % 4 != 0
    assert alexnet.last_side(Config()) == 6


def test_pooling_with_and_without_overlap_gives_the_same_sides():
    """Section 3.4: s = 2, z = 2 gives outputs of equal dimensions."""
    assert alexnet.last_side(Config(pooling_side=2)) == 6
    net = paper_net(Config(pooling_side=2))
    assert net(torch.zeros(2, 3, 227, 227, device="meta")).values.shape == (2, 1000)


def pooled_by_loops(maps, z):
    side = (maps.shape[2] - z) // 2 + 1
    found = torch.empty(*maps.shape[:2], side, side, dtype=maps.dtype)
    for y, x in np.ndindex(side, side):
        found[:, :, y, x] = maps[:, :, 2 * y : 2 * y + z, 2 * x : 2 * x + z].amax((2, 3))
    return found


def normalised_by_loops(maps):
    found = torch.empty_like(maps)
    num = maps.shape[1]
    for i in range(num):
        near = maps[:, max(0, i - 2) : min(num, i + 3)]
        found[:, i] = maps[:, i] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
    return found


def by_towers(net, inputs):
    """Figure 2 with each half computed on its own."""
    convolve = nn.functional.conv2d
    first, second, third, fourth, fifth = (m.convolution for m in net.maps)

    def halves(layer, maps):
        num_in, num_out = maps.shape[1] // 2, layer.out_channels // 2
        pieces = []
        for h in range(2):
            rows = slice(h * num_out, (h + 1) * num_out)
            seen = maps[:, h * num_in : (h + 1) * num_in]
            pieces.append(convolve(seen, layer.weight[rows], layer.bias[rows], padding="same"))
        return torch.cat(pieces, 1).clamp(min=0)

    maps = convolve(inputs * 255 - 127.5, first.weight, first.bias).clamp(min=0)
    maps = pooled_by_loops(normalised_by_loops(maps), 3)
    maps = pooled_by_loops(normalised_by_loops(halves(second, maps)), 3)
    maps = convolve(maps, third.weight, third.bias, padding="same").clamp(min=0)
    units = pooled_by_loops(halves(fifth, halves(fourth, maps)), 3).reshape(len(inputs), -1)
    *hidden, last = (m for m in net.classifier if isinstance(m, nn.Linear))
    for layer in hidden:
        units = (units @ layer.weight.T + layer.bias).clamp(min=0)
    return units @ last.weight.T + last.bias


def test_equals_two_towers_computed_apart():
    net = net_of(TINY).double().eval()
    inputs = pictures(2, TINY).double()
    torch.testing.assert_close(net(inputs).values, by_towers(net, inputs))


def test_halves_do_not_see_each_other_but_in_the_third_layer():
    net = net_of(SMALL)
    for i, layer in enumerate(net.maps):
        if i == 0:
            continue
        maps = torch.rand(1, layer.convolution.in_channels, 7, 7)
        before = layer.convolution(maps)
        maps[:, : maps.shape[1] // 2] += 1.0
        is_changed = (layer.convolution(maps) != before).flatten(2).any(2)[0]
        half = len(is_changed) // 2
        assert is_changed[:half].all()
        assert is_changed[half:].all() == (i == 2)
        assert is_changed[half:].any() == (i == 2)
    one_tower = paper_net(Config(num_halves=1))
    assert all(m.groups == 1 for m in one_tower.modules() if isinstance(m, nn.Conv2d))


def test_initial_weights_of_section_5():
    """N(0, 0.01), and biases of 1 in the second, fourth and fifth convolution and before the last
    layer; `full` is small here, for speed, and the two layers above it drawn with larger weights
    accordingly."""
    net = net_of(Config(full=64))
    *convolutions, first, second, last = layers_of(net)
    for layer in (*convolutions, first):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert second.weight.std().item() == pytest.approx(0.08, rel=0.05)
    biases = [set(layer.bias.tolist()) for layer in (*convolutions, first, second, last)]
    assert biases == [{0.0}, {1.0}, {0.0}, {1.0}, {1.0}, {1.0}, {1.0}, {0.0}]


def test_dropout_works_while_training_and_only_then():
    net = net_of()
    inputs = pictures(3)
    with torch.no_grad():
        assert not torch.equal(net.train()(inputs).values, net(inputs).values)
        assert torch.equal(net.eval()(inputs).values, net(inputs).values)
    drops = [i for i, m in enumerate(net.classifier) if isinstance(m, Dropout)]
    assert [type(net.classifier[i + 1]) for i in drops] == [nn.Linear, nn.Linear]


@pytest.mark.parametrize(("num_channels", "num"), [(1, 1), (3, 4)])
def test_shapes(num_channels, num):
    output = net_of(num_channels=num_channels, num_classes=6)(pictures(num, SMALL, num_channels))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, 6)
    assert paper_net()(torch.zeros(num, 3, 227, 227, device="meta")).values.shape == (num, 1000)


def test_without_normalisation_nothing_is_normalised():
    maps = torch.rand(1, 3, 32, 32)
    plain = net_of(replace(SMALL, is_normalised=False)).maps[0]
    expected = nn.functional.max_pool2d(plain.convolution(maps).clamp(min=0), 3, stride=2)
    torch.testing.assert_close(plain(maps), expected)


def test_rows_do_not_see_each_other_and_inputs_stay():
    net = net_of().eval()
    inputs = pictures(4)
    before = inputs.clone()
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-4, atol=1e-4)
    assert torch.equal(inputs, before)


def test_learns_sixteen_pictures_by_heart():
    net = net_of(replace(SMALL, dropout=0.0)).train()
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs).values, targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net = net_of().eval()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(SMALL, spec_of(SMALL), labels(10)).eval()
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)


def test_the_papers_size_and_recipe_are_for_the_papers_data():
    photos, week_s = ImageSpec(3, 256, 256), 7 * 86_400.0
    assert recommend(photos, 1_200_000, 20 * week_s) == "paper"
    assert recommend(photos, 1_200_000, 60.0) == recommend(photos, 3000, None) == "small"
    assert recommend(ImageSpec(1, 28, 28), 100, week_s) == "small"
    assert alexnet.recipe_for(1_200_000) == RECIPE
    assert (RECIPE.learning_rate, RECIPE.momentum, RECIPE.weight_decay) == (0.01, 0.9, 5e-4)
    assert (RECIPE.batch_size, RECIPE.epochs) == (128, 90)
    assert alexnet.recipe_for(1000).epochs < 90
