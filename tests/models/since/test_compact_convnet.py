"""The compact ConvNet: hand counts, slow references, and what its sizes promise."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.models.since import compact_convnet
from samoyed.models.since.compact_convnet import (
    SIZES,
    Config,
    Normalised,
    Residual,
    accepts,
    build,
)

SPECS = [ImageSpec(1, 8, 8), ImageSpec(1, 28, 28), ImageSpec(3, 48, 64)]


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def pictures(spec, num, seed=1):
    return torch.rand(num, *spec.shape, generator=torch.Generator().manual_seed(seed))


def net_for(spec, config=None, num_classes=10):
    torch.manual_seed(0)
    return build(config or Config(), spec, labels(num_classes))


def test_number_of_parameters_by_hand():
    config = Config(widths=(8, 16, 32), depth=1)
    net = net_for(ImageSpec(1, 28, 28), config)
    stem = 25 * 8 + 2 * 8
    widen = (9 * 8 * 16 + 2 * 16) + (9 * 16 * 32 + 2 * 32)
    blocks = 2 * (9 * 16 * 16 + 2 * 16) + 2 * (9 * 32 * 32 + 2 * 32)
    head = 2 * 32 * 10 + 10
    assert sum(p.numel() for p in net.parameters()) == stem + widen + blocks + head


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("num", [1, 3])
def test_shapes(size, spec, num):
    config = replace(Config(), **SIZES[size])
    net = net_for(accepts(config, spec), config, num_classes=4).eval()
    assert net(pictures(accepts(config, spec), num)).values.shape == (num, 4)


def test_pooling_before_rectifying_is_the_same_as_after():
    torch.manual_seed(0)
    layer = Normalised(3, 5, is_pooled=True).eval()
    layer.normalisation.running_mean.normal_()
    layer.normalisation.bias.data.normal_()
    maps = torch.randn(2, 3, 8, 8)
    after = nn.functional.max_pool2d(torch.relu(layer.normalisation(layer.convolution(maps))), 2)
    torch.testing.assert_close(layer(maps), after)


def test_normalised_follows_the_equations():
    torch.manual_seed(0)
    layer = Normalised(2, 3).double().train()
    maps = torch.randn(4, 2, 5, 5, dtype=torch.float64)
    padded = nn.functional.pad(maps, (1, 1, 1, 1))
    convolved = torch.zeros(4, 3, 5, 5, dtype=torch.float64)
    for i in range(5):
        for j in range(5):
            field = padded[:, :, i : i + 3, j : j + 3]
            convolved[:, :, i, j] = torch.einsum("bchw,dchw->bd", field, layer.convolution.weight)
    mean = convolved.mean(dim=(0, 2, 3), keepdim=True)
    variance = convolved.var(dim=(0, 2, 3), keepdim=True, correction=0)
    expected = ((convolved - mean) / (variance + 1e-5).sqrt()).clamp(min=0)
    torch.testing.assert_close(layer(maps), expected)


def test_a_block_adds_to_its_input_and_begins_as_the_identity():
    net = net_for(SPECS[1], Config(depth=1))
    block = next(m for m in net.modules() if isinstance(m, Residual))
    maps = torch.rand(2, block.second.in_channels, 6, 6)
    torch.testing.assert_close(block(maps), maps)
    block.normalisation.weight.data.fill_(1.0)
    block.eval()
    expected = maps + block.normalisation(block.second(block.first(maps)))
    torch.testing.assert_close(block(maps), expected)
    assert not torch.allclose(block(maps), maps)


def test_accepts_keeps_small_pictures_and_scales_large_ones():
    config = Config(largest_side=64)
    assert accepts(config, ImageSpec(1, 28, 28)) == ImageSpec(1, 28, 28)
    assert accepts(config, ImageSpec(3, 256, 128)) == ImageSpec(3, 64, 32)
    assert accepts(config, ImageSpec(3, 2000, 10)) == ImageSpec(3, 64, 8)


def test_rows_do_not_see_each_other_in_evaluation():
    net = net_for(SPECS[1]).eval()
    inputs = pictures(SPECS[1], 4)
    with torch.no_grad():
        torch.testing.assert_close(net(inputs).values[2:3], net(inputs[2:3]).values)


def test_inputs_are_left_as_they_were():
    net = net_for(SPECS[2]).train()
    inputs = pictures(SPECS[2], 4)
    before = inputs.clone()
    net(inputs).values.sum().backward()
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_learns_sixteen_pictures_by_heart(spec):
    net = net_for(spec, Config(widths=(8, 16, 32), depth=1)).train()
    inputs, targets = pictures(spec, 16), torch.arange(16) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs).values, targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    spec = SPECS[1]
    net = net_for(spec)
    net.train()(pictures(spec, 8))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(Config(), spec, labels(10))
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    inputs = pictures(spec, 3)
    assert torch.equal(net.eval()(inputs).values, other.eval()(inputs).values)


def test_every_size_is_recommended_for_something_and_more_time_is_never_less():
    ranks = list(SIZES)
    found = set()
    for spec, num_train in ((SPECS[1], 60_000), (ImageSpec(3, 128, 128), 3_500)):
        chosen = [
            ranks.index(compact_convnet.recommend(spec, num_train, seconds))
            for seconds in (5.0, 180.0, 10_000.0)
        ]
        assert chosen == sorted(chosen)
        found |= set(chosen)
        assert compact_convnet.recommend(spec, num_train, None) in ranks
    assert found == set(range(len(ranks)))


def test_few_pictures_are_given_a_small_network_that_takes_many_steps():
    photos = ImageSpec(3, 240, 320)
    assert compact_convnet.recommend(photos, 192, 60.0) == "small"
    assert compact_convnet.recommend(photos, 3_456, 180.0) == "medium"
    assert compact_convnet.recommend(photos, 192, 1_000.0) == "large"


def test_a_picture_and_its_mirror_image_are_judged_together():
    spec = ImageSpec(3, 32, 48)
    plain = net_for(spec)
    both = net_for(spec, Config(is_mirrored=True))
    for module in both.modules():  # statistics that mirroring could not leave the same by chance
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    plain.load_state_dict(both.state_dict())
    x = pictures(spec, 5)
    plain.eval()
    both.eval()
    expected = (plain(x).values + plain(x.flip(3)).values) / 2
    torch.testing.assert_close(both(x).values, expected, rtol=1e-4, atol=1e-6)
    assert (both(x).values - plain(x).values).abs().max() > 1e-3
    torch.testing.assert_close(both(x.flip(3)).values, both(x).values, rtol=1e-4, atol=1e-6)
    plain.train()
    both.train()
    assert torch.equal(both(x).values, plain(x).values)
