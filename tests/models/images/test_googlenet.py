"""GoogLeNet against table 1, section 5's heads, and slow references."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import HeadedLogits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.layers.local_response import LocalResponse, normalise_responses
from samoyed.models.images import googlenet
from samoyed.models.images.googlenet import (
    SIZES,
    TABLE_1,
    Config,
    Head,
    Inception,
    Widths,
    accepts,
    build,
    loss,
)

SMALL = replace(Config(), **SIZES["small"])

# Table 1 as printed: output side, output maps, weights in units of 1024, operations in millions.
PRINTED = {
    "3a": (28, 256, 159, 128),
    "3b": (28, 480, 380, 304),
    "4a": (14, 512, 364, 73),
    "4b": (14, 512, 437, 88),
    "4c": (14, 512, 463, 100),
    "4d": (14, 528, 580, 119),
    "4e": (14, 832, 840, 170),
    "5a": (7, 832, 1072, 54),
    "5b": (7, 1024, 1388, 71),
}
# Weights by hand: maps in, then the six widths of the row.
BY_HAND = {
    "3a": 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32,
    "3b": 256 * (128 + 128 + 32 + 64) + 9 * 128 * 192 + 25 * 32 * 96,
    "4a": 480 * (192 + 96 + 16 + 64) + 9 * 96 * 208 + 25 * 16 * 48,
    "4b": 512 * (160 + 112 + 24 + 64) + 9 * 112 * 224 + 25 * 24 * 64,
    "4c": 512 * (128 + 128 + 24 + 64) + 9 * 128 * 256 + 25 * 24 * 64,
    "4d": 512 * (112 + 144 + 32 + 64) + 9 * 144 * 288 + 25 * 32 * 64,
    "4e": 528 * (256 + 160 + 32 + 128) + 9 * 160 * 320 + 25 * 32 * 128,
    "5a": 832 * (256 + 160 + 32 + 128) + 9 * 160 * 320 + 25 * 32 * 128,
    "5b": 832 * (384 + 192 + 48 + 128) + 9 * 192 * 384 + 25 * 48 * 128,
}


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def net_of(config=SMALL, num_channels=3, num_classes=10):
    torch.manual_seed(0)
    spec = accepts(config, ImageSpec(num_channels, 60, 80))
    return build(config, spec, labels(num_classes))


def paper_net():
    with torch.device("meta"):
        return build(Config(), ImageSpec(3, 224, 224), labels(1000))


def pictures(num, num_channels=3, seed=1):
    return torch.rand(num, num_channels, 32, 32, generator=torch.Generator().manual_seed(seed))


def num_weights(module):
    return sum(p.numel() for p in module.parameters() if p.ndim > 1)


def test_number_of_parameters_by_hand():
    net = paper_net()
    assert {name: num_weights(m) for name, m in net.inceptions.items()} == BY_HAND
    stem = 49 * 3 * 64 + 64 * 64 + 9 * 64 * 192
    biases = 64 + 64 + 192 + sum(sum(row) for row in TABLE_1.values()) + 1000
    answering = stem + sum(BY_HAND.values()) + 1024 * 1000 + biases
    heads = [
        (width + 1) * 128 + (4 * 4 * 128 + 1) * 1024 + (1024 + 1) * 1000 for width in (512, 528)
    ]
    assert answering == 6_998_552
    assert [sum(p.numel() for p in h.parameters()) for h in net.heads.values()] == heads
    assert sum(p.numel() for p in net.parameters()) == answering + sum(heads)


def test_weights_and_operations_agree_with_table_1_as_far_as_it_agrees_with_itself():
    """Two rows stand out: 463K weights for 4c, whose 100M operations do fit its widths, and 5a."""
    for name, (side, _, weights, operations) in PRINTED.items():
        if name != "4c":
            assert BY_HAND[name] / 1024 == pytest.approx(
                weights, rel=0.06 if name == "5a" else 0.02
            )
        found = BY_HAND[name] * side**2 / 1e6
        assert found == pytest.approx(operations, rel=0.06 if name == "5a" else 0.03)
    stem = paper_net().stem
    assert num_weights(stem[3]) + num_weights(stem[4]) == 112 * 1024


def test_widths_add_up_to_the_printed_maps_and_sides():
    net, found = paper_net().train(), {}
    for name, module in net.inceptions.items():
        module.register_forward_hook(lambda m, i, o, name=name: found.update({name: o.shape[1:]}))
    output = net(torch.zeros(2, 3, 224, 224, device="meta"))
    for name, (side, maps, _, _) in PRINTED.items():
        assert TABLE_1[name].total == maps
        assert found[name] == (maps, side, side)
    assert output.values.shape == (2, 1000)
    assert [logits.shape for logits in output.auxiliary] == [(2, 1000)] * 2


def test_it_has_22_weighted_layers_one_after_the_other():
    """Table 1's column of depth: 1 + 2 in the stem, 2 per module, 1 on top."""
    net = net_of()
    stem = sum(isinstance(m, nn.Conv2d) for m in net.stem.modules())
    deepest = [
        sum(isinstance(m, nn.Conv2d) for m in i.three.modules()) for i in net.inceptions.values()
    ]
    assert stem + sum(deepest) + 1 == 22


def test_there_is_no_batch_normalisation_and_two_response_normalisations():
    modules = list(paper_net().modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in modules)
    assert sum(isinstance(m, LocalResponse) for m in modules) == 2
    plain = net_of(replace(SMALL, is_normalised=False))
    assert not any(isinstance(m, LocalResponse) for m in plain.modules())


def test_an_inception_module_is_four_ways_side_by_side():
    torch.manual_seed(0)
    module = Inception(5, Widths(2, 3, 4, 2, 3, 1)).double()
    maps = torch.randn(2, 5, 6, 6, dtype=torch.float64)

    def way(maps, *convolutions):
        for layer in convolutions:
            reach = layer.weight.shape[2] // 2
            padded = nn.functional.pad(maps, (reach,) * 4)
            found = torch.zeros(len(maps), len(layer.weight), 6, 6, dtype=torch.float64)
            for y, x in np.ndindex(6, 6):
                field = padded[:, :, y : y + 2 * reach + 1, x : x + 2 * reach + 1]
                found[:, :, y, x] = torch.einsum("bchw,dchw->bd", field, layer.weight) + layer.bias
            maps = found.clamp(min=0)
        return maps

    padded = nn.functional.pad(maps, (1,) * 4, value=-math.inf)
    pooled = torch.stack([padded[:, :, y : y + 6, x : x + 6] for y, x in np.ndindex(3, 3)]).amax(0)
    expected = [
        way(maps, module.one[0]),
        way(maps, module.three[0][0], module.three[1][0]),
        way(maps, module.five[0][0], module.five[1][0]),
        way(pooled, module.pooled[1][0]),
    ]
    torch.testing.assert_close(module(maps), torch.cat(expected, 1))
    assert [e.shape[1] for e in expected] == [2, 4, 3, 1]


def test_the_stem_follows_figure_3():
    net = net_of()
    inputs = pictures(2)
    first, second, third = (m for m in net.stem.modules() if isinstance(m, nn.Conv2d))
    maps = (nn.functional.conv2d(inputs * 4 - 2, first.weight, first.bias, padding=2)).clamp(min=0)
    maps = nn.functional.max_pool2d(nn.functional.pad(maps, (0, 1, 0, 1)), 3, stride=2)
    maps = normalise_responses(maps)
    maps = third(second(maps).clamp(min=0)).clamp(min=0)
    maps = normalise_responses(maps)
    expected = nn.functional.max_pool2d(nn.functional.pad(maps, (0, 1, 0, 1)), 3, stride=2)
    torch.testing.assert_close(net.stem(inputs * 4 - 2), expected)


def test_a_head_follows_section_5():
    torch.manual_seed(0)
    head = Head(replace(Config(), narrowing=16, head_units=6), 7, 14, 3).eval()
    maps = torch.rand(2, 7, 14, 14)
    pooled = torch.empty(2, 7, 4, 4)
    for y, x in np.ndindex(4, 4):
        pooled[:, :, y, x] = maps[:, :, 3 * y : 3 * y + 5, 3 * x : 3 * x + 5].mean((2, 3))
    reduced = (
        torch.einsum("bchw,dc->bdhw", pooled, head.reduce[0].weight[:, :, 0, 0])
        + head.reduce[0].bias[:, None, None]
    ).clamp(min=0)
    hidden = (reduced.flatten(1) @ head.hidden.weight.T + head.hidden.bias).clamp(min=0)
    expected = hidden @ head.classes.weight.T + head.classes.bias
    torch.testing.assert_close(head(maps), expected)
    assert head.dropout.p == 0.7


def test_loss_adds_three_tenths_of_the_heads():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 5, generator=generator, dtype=torch.float64).float()
    targets = torch.tensor([0, 4, 2, 2])
    entropies = []
    for z in logits.double().numpy():
        normaliser = np.log(np.exp(z).sum(1))
        entropies.append(np.mean([normaliser[i] - z[i, t] for i, t in enumerate(targets)]))
    output = HeadedLogits(logits[0], (logits[1], logits[2]))
    expected = entropies[0] + 0.3 * entropies[1] + 0.3 * entropies[2]
    assert loss(output, targets).item() == pytest.approx(expected, rel=1e-6)
    assert loss(HeadedLogits(logits[0]), targets).item() == pytest.approx(entropies[0], rel=1e-6)


def test_heads_are_left_out_of_the_answer():
    net, inputs = net_of(), pictures(2)
    assert len(net.train()(inputs).auxiliary) == 2
    answer = net.eval()(inputs)
    assert answer.auxiliary == ()
    for parameter in net.heads.parameters():
        parameter.data.fill_(1e6)
    assert torch.equal(net(inputs).values, answer.values)
    headless = net_of(replace(SMALL, is_headed=False)).train()
    assert headless(inputs).auxiliary == ()


@pytest.mark.parametrize(("num", "num_channels", "num_classes"), [(1, 1, 2), (3, 3, 7)])
def test_shapes(num, num_channels, num_classes):
    for config in (SMALL, replace(SMALL, side=64, first_stride=2, narrowing=8)):
        net = net_of(config, num_channels, num_classes).train()
        output = net(torch.rand(num, num_channels, config.side, config.side))
        assert isinstance(output, HeadedLogits)
        assert {tuple(z.shape) for z in (output.values, *output.auxiliary)} == {(num, num_classes)}


def test_rows_do_not_see_each_other_and_inputs_stay():
    net = net_of().eval()
    inputs = pictures(4)
    before = inputs.clone()
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(inputs, before)


def test_learns_sixteen_pictures_by_heart():
    net = net_of(replace(SMALL, dropout=0.0, head_dropout=0.0)).train()
    inputs, targets = pictures(16), torch.arange(16) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(60):
        optimizer.zero_grad()
        total = loss(net(inputs), targets)
        total.backward()
        optimizer.step()
    assert total.item() < 0.3


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net = net_of().eval()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(SMALL, accepts(SMALL, ImageSpec(3, 9, 9)), labels(10)).eval()
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)


def test_the_papers_size_is_for_large_pictures_and_much_time():
    photos, week_s = ImageSpec(3, 256, 256), 7 * 86_400.0
    assert googlenet.recommend(photos, 1_200_000, 50 * week_s) == "paper"
    assert googlenet.recommend(photos, 3000, None) == "small"
    assert googlenet.recommend(ImageSpec(3, 32, 32), 100, week_s) == "small"
    assert googlenet.recipe_for(1_200_000) == googlenet.RECIPE
    assert googlenet.recipe_for(1000).epochs < googlenet.RECIPE.epochs
