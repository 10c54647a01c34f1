"""The residual network against table 6's counts, both papers' equations and slow references."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.since import residual_network
from samoyed.models.since.residual_network import (
    RECIPE,
    SIZES,
    Config,
    Original,
    PreActivated,
    build,
    shortcut,
)

SMALL = replace(Config(), **SIZES["small"])
ORDERS = ["original", "preactivated"]
SPEC = ImageSpec(3, 32, 32)
# 2016a, table 6: layers and millions of parameters, as printed.
TABLE_6 = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4}


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def net_of(config=SMALL, spec=SPEC, num_classes=10):
    torch.manual_seed(0)
    return build(config, spec, labels(num_classes))


def meta_net(config):
    with torch.device("meta"):
        return build(config, SPEC, labels(10))


def pictures(num, spec=SPEC, seed=1):
    return torch.rand(num, *spec.shape, generator=torch.Generator().manual_seed(seed))


def by_hand(n):
    stem = 9 * 3 * 16 + 2 * 16
    at_32 = 2 * n * (9 * 16 * 16 + 2 * 16)
    at_16 = 9 * 16 * 32 + 2 * 32 + (2 * n - 1) * (9 * 32 * 32 + 2 * 32)
    at_8 = 9 * 32 * 64 + 2 * 64 + (2 * n - 1) * (9 * 64 * 64 + 2 * 64)
    return stem + at_32 + at_16 + at_8 + 64 * 10 + 10


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("num_layers", [20, 32, 44, 56, 110])
def test_number_of_parameters_by_hand_and_as_printed(num_layers, order):
    n = (num_layers - 2) // 6
    net = meta_net(Config(num_blocks=n, order=order))
    count = sum(p.numel() for p in net.parameters())
    assert count == by_hand(n)
    assert round(count / 1e6, 1 if num_layers == 110 else 2) == TABLE_6[num_layers]
    assert sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in net.modules()) == num_layers


def test_the_deepest_network_of_table_6():
    assert round(by_hand(200) / 1e6, 1) == TABLE_6[1202]


def test_a_plain_network_has_as_many_parameters():
    plain, residual = (meta_net(Config(num_blocks=3, is_residual=is_)) for is_ in (False, True))
    assert {k: v.shape for k, v in plain.state_dict().items()} == {
        k: v.shape for k, v in residual.state_dict().items()
    }


def test_maps_have_32_16_and_8_pixels():
    net, found = meta_net(Config(num_blocks=2)), []
    for block in net.blocks:
        block.register_forward_hook(lambda m, i, output: found.append(tuple(output.shape[1:])))
    net(torch.zeros(2, 3, 32, 32, device="meta"))
    assert found == [(16, 32, 32)] * 2 + [(32, 16, 16)] * 2 + [(64, 8, 8)] * 2


def test_the_shortcut_steps_and_fills_up_with_zeros():
    maps = torch.rand(2, 3, 4, 6)
    found = shortcut(maps, 5, 2)
    expected = torch.zeros(2, 5, 2, 3)
    for b, c, y, x in np.ndindex(2, 3, 2, 3):
        expected[b, c, y, x] = maps[b, c, 2 * y, 2 * x]
    assert torch.equal(found, expected)
    assert shortcut(maps, 3, 1) is maps


def convolved(maps, weight, stride):
    padded = nn.functional.pad(maps, (1,) * 4)
    height, width = (maps.shape[2] - 1) // stride + 1, (maps.shape[3] - 1) // stride + 1
    found = torch.empty(len(maps), len(weight), height, width, dtype=maps.dtype)
    for y, x in np.ndindex(height, width):
        field = padded[:, :, stride * y : stride * y + 3, stride * x : stride * x + 3]
        found[:, :, y, x] = torch.einsum("bchw,dchw->bd", field, weight)
    return found


def normalised(maps, norm):
    mean = maps.mean(dim=(0, 2, 3), keepdim=True)
    variance = maps.var(dim=(0, 2, 3), keepdim=True, correction=0)
    scaled = (maps - mean) / (variance + 1e-5).sqrt()
    return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]


def disturbed(block):
    """Give normalisations scales and shifts that matter."""
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return block.double().train()


@pytest.mark.parametrize(("num_outputs", "stride"), [(3, 1), (6, 2)])
@pytest.mark.parametrize("is_residual", [True, False])
def test_original_is_equation_1(num_outputs, stride, is_residual):
    torch.manual_seed(0)
    block = disturbed(Original(3, num_outputs, stride, is_residual))
    x = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    inner = normalised(convolved(x, block.first.weight, stride), block.first_norm).clamp(min=0)
    change = normalised(convolved(inner, block.second.weight, 1), block.second_norm)
    if is_residual:
        change[:, :3] += x[:, :, ::stride, ::stride]
    torch.testing.assert_close(block(x), change.clamp(min=0))


@pytest.mark.parametrize(("num_outputs", "stride"), [(3, 1), (6, 2)])
@pytest.mark.parametrize("is_first", [True, False])
def test_preactivated_is_equation_4(num_outputs, stride, is_first):
    torch.manual_seed(0)
    block = disturbed(PreActivated(3, num_outputs, stride, True, is_first))
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    before = x.clone()
    active = x if is_first else normalised(x, block.activation[0]).clamp(min=0)
    inner = normalised(convolved(active, block.first.weight, stride), block.norm).clamp(min=0)
    expected = convolved(inner, block.second.weight, 1)
    expected[:, :3] += x[:, :, ::stride, ::stride]
    torch.testing.assert_close(block(x), expected)
    assert torch.equal(x, before)


def test_preactivated_blocks_add_up_across_any_number_of_them():
    """2016b eq. 4: x_L = x_l plus the sum of all changes between them."""
    net = net_of(Config(num_blocks=4, order="preactivated")).eval()
    block_inputs, changes = [], []
    for block in net.blocks[:4]:
        block.register_forward_hook(lambda m, i, o: block_inputs.append(i[0]))
        block.second.register_forward_hook(lambda m, i, o: changes.append(o))
    net.blocks[4].register_forward_hook(lambda m, i, o: block_inputs.append(i[0]))
    net(pictures(2))
    torch.testing.assert_close(block_inputs[-1], block_inputs[0] + sum(changes))


def test_the_first_activation_serves_both_ways_and_the_last_stands_before_the_mean():
    preactivated = net_of(replace(SMALL, order="preactivated"))
    assert [len(block.activation) for block in preactivated.blocks] == [0, 2, 2]
    assert [type(m) for m in preactivated.last] == [nn.BatchNorm2d, nn.ReLU]
    assert len(net_of(SMALL).last) == 0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("num", "spec"), [(1, ImageSpec(1, 32, 32)), (3, ImageSpec(3, 16, 24))])
def test_shapes(order, num, spec):
    output = net_of(replace(SMALL, order=order), spec, 7).eval()(pictures(num, spec))
    assert isinstance(output, Logits)
    assert output.values.shape == (num, 7)


@pytest.mark.parametrize("order", ORDERS)
def test_rows_do_not_see_each_other_in_evaluation_and_inputs_stay(order):
    net = net_of(replace(SMALL, order=order))
    inputs = pictures(4)
    before = inputs.clone()
    net.train()(inputs).values.sum().backward()
    net.eval()
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("order", ORDERS)
def test_learns_sixteen_pictures_by_heart(order):
    spec = ImageSpec(3, 16, 16)
    net = net_of(replace(SMALL, order=order), spec).train()
    inputs, targets = pictures(16, spec), torch.arange(16) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs).values, targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


@pytest.mark.parametrize("order", ORDERS)
def test_saved_and_loaded_it_answers_bit_for_bit_the_same(order, tmp_path):
    config = replace(SMALL, order=order)
    net = net_of(config)
    net.train()(pictures(4))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(config, SPEC, labels(10)).eval()
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net.eval()(pictures(3)).values, other(pictures(3)).values)


def test_more_time_is_never_less_and_every_size_is_for_something():
    ranks, chosen = list(SIZES)[::-1], []
    for seconds in (60.0, 3600.0, 20 * 86_400.0):
        chosen.append(ranks.index(residual_network.recommend(SPEC, 50_000, seconds)))
    assert chosen == [0, 1, 2]
    assert residual_network.recommend(SPEC, 50_000, None) == "small"


def test_recipes():
    assert (RECIPE.learning_rate, RECIPE.momentum, RECIPE.weight_decay) == (0.1, 0.9, 1e-4)
    assert (RECIPE.batch_size, RECIPE.epochs) == (128, 164)
    assert round(64_000 * 128 / 50_000) == RECIPE.epochs  # steps of batches of CIFAR's 50,000
    few, many = (residual_network.recipe_for(num) for num in (1000, 50_000))
    assert few.batch_size < many.batch_size == RECIPE.batch_size
