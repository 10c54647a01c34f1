"""VGG against table 1, the counts of table 2, and slow references."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.layers.local_response import LocalResponse
from samoyed.models.images import vgg
from samoyed.models.images.vgg import CONFIGURATIONS, RECIPE, SIZES, Config, accepts, build

SMALL = replace(Config(), **SIZES["small"])

# Table 1 as printed, column by column: kernel side, maps in, maps out.
TABLE_1 = {
    "A": "3:3-64 M 3:64-128 M 3:128-256 3:256-256 M 3:256-512 3:512-512 M 3:512-512 3:512-512 M",
    "B": "3:3-64 3:64-64 M 3:64-128 3:128-128 M 3:128-256 3:256-256 M 3:256-512 3:512-512 M "
    "3:512-512 3:512-512 M",
    "C": "3:3-64 3:64-64 M 3:64-128 3:128-128 M 3:128-256 3:256-256 1:256-256 M "
    "3:256-512 3:512-512 1:512-512 M 3:512-512 3:512-512 1:512-512 M",
    "D": "3:3-64 3:64-64 M 3:64-128 3:128-128 M 3:128-256 3:256-256 3:256-256 M "
    "3:256-512 3:512-512 3:512-512 M 3:512-512 3:512-512 3:512-512 M",
    "E": "3:3-64 3:64-64 M 3:64-128 3:128-128 M 3:128-256 3:256-256 3:256-256 3:256-256 M "
    "3:256-512 3:512-512 3:512-512 3:512-512 M 3:512-512 3:512-512 3:512-512 3:512-512 M",
}
TABLE_1["A-LRN"] = TABLE_1["A"]
WEIGHTED = {"A": 11, "A-LRN": 11, "B": 13, "C": 16, "D": 16, "E": 19}  # table 1's head
MILLIONS = {"A": 133, "A-LRN": 133, "B": 133, "C": 134, "D": 138, "E": 144}  # table 2


def labels(num):
    return LabelSpec(tuple(f"class {k}" for k in range(num)))


def net_of(config=SMALL, num_channels=3, num_classes=10):
    torch.manual_seed(0)
    spec = accepts(config, ImageSpec(num_channels, 60, 80))
    return build(config, spec, labels(num_classes))


def paper_net(name):
    with torch.device("meta"):
        return build(Config(configuration=name), ImageSpec(3, 224, 224), labels(1000))


def pictures(num, num_channels=3, seed=1):
    return torch.rand(num, num_channels, 32, 32, generator=torch.Generator().manual_seed(seed))


def by_hand(name):
    convolutions = 0
    for entry in TABLE_1[name].replace("M", "").split():
        kernel, _, maps = entry.partition(":")
        num_in, num_out = (int(n) for n in maps.split("-"))
        convolutions += (int(kernel) ** 2 * num_in + 1) * num_out
    return convolutions + (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000


@pytest.mark.parametrize("name", MILLIONS)
def test_number_of_parameters_by_hand_and_as_printed(name):
    net = paper_net(name)
    count = sum(p.numel() for p in net.parameters())
    assert count == by_hand(name)
    assert round(count / 1e6) == MILLIONS[name]
    weighted = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(weighted) == WEIGHTED[name]


@pytest.mark.parametrize("name", MILLIONS)
def test_layers_stand_in_the_order_of_table_1(name):
    found = []
    for module in paper_net(name).maps:
        if isinstance(module, nn.Conv2d):
            found.append(f"{module.kernel_size[0]}:{module.in_channels}-{module.out_channels}")
        elif isinstance(module, nn.MaxPool2d):
            found.append("M")
    assert " ".join(found) == TABLE_1[name]


def test_a_lrn_normalises_after_its_first_convolution_and_nothing_else_does():
    for name in CONFIGURATIONS:
        places = [i for i, m in enumerate(paper_net(name).maps) if isinstance(m, LocalResponse)]
        assert places == ([2] if name == "A-LRN" else [])


def test_the_shallow_net_has_a_5x5_for_each_pair_of_b():
    shallow = [m for m in paper_net("B-5x5").maps if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size for m in shallow] == [(5, 5)] * 5
    assert [m.out_channels for m in shallow] == [64, 128, 256, 512, 512]


def convolved_by_loops(maps, weight, bias):
    reach = weight.shape[2] // 2
    padded = np.pad(maps, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    found = np.empty((len(maps), len(weight), *maps.shape[2:]))
    for y, x in np.ndindex(*maps.shape[2:]):
        field = padded[:, :, y : y + 2 * reach + 1, x : x + 2 * reach + 1]
        found[:, :, y, x] = np.einsum("bchw,dchw->bd", field, weight) + bias
    return found


@pytest.mark.parametrize("name", ["A", "C", "B-5x5"])
def test_equals_loops(name):
    net = net_of(Config(configuration=name, width=2, full=5, side=32)).double().eval()
    inputs = pictures(2).double()
    weights = [p.detach().numpy() for p in net.parameters()]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    maps = inputs.numpy() * 4 - 2
    for kernels in CONFIGURATIONS[name]:
        for _ in kernels:
            maps = np.maximum(convolved_by_loops(maps, *pairs.pop(0)), 0)
        rows, num, side, _ = maps.shape
        maps = maps.reshape(rows, num, side // 2, 2, side // 2, 2).max((3, 5))
    units = maps.reshape(2, -1)
    for i, (weight, bias) in enumerate(pairs):
        units = units @ weight.T + bias
        units = np.maximum(units, 0) if i < 2 else units
    np.testing.assert_allclose(net(inputs).values.detach().numpy(), units, rtol=1e-9)


def test_activities_keep_their_size_through_the_deepest_configuration():
    net = net_of(replace(SMALL, configuration="E")).eval()
    sizes = []
    for module in net.maps:
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda m, i, o: sizes.append(o.square().mean().item()))
    with torch.no_grad():
        net(pictures(8))
    assert len(sizes) == 16
    assert 0.1 < sizes[-1] / sizes[0] < 100


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_shapes(name):
    for num, num_channels, num_classes in ((1, 1, 2), (3, 3, 7)):
        net = net_of(replace(SMALL, configuration=name), num_channels, num_classes)
        output = net(pictures(num, num_channels))
        assert isinstance(output, Logits)
        assert output.values.shape == (num, num_classes)
    assert paper_net(name)(torch.zeros(2, 3, 224, 224, device="meta")).values.shape == (2, 1000)


def test_dropout_works_while_training_and_only_then():
    net = net_of()
    inputs = pictures(3)
    with torch.no_grad():
        assert not torch.equal(net.train()(inputs).values, net(inputs).values)
        assert torch.equal(net.eval()(inputs).values, net(inputs).values)


def test_rows_do_not_see_each_other_and_inputs_stay():
    net = net_of().eval()
    inputs = pictures(4)
    before = inputs.clone()
    with torch.no_grad():
        whole, alone = net(inputs).values, net(inputs[2:3]).values
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-4, atol=1e-5)
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
    other = build(SMALL, accepts(SMALL, ImageSpec(3, 9, 9)), labels(10)).eval()
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(pictures(3)).values, other(pictures(3)).values)


def test_the_papers_size_and_recipe_are_for_the_papers_data():
    photos, week_s = ImageSpec(3, 256, 256), 7 * 86_400.0
    assert vgg.recommend(photos, 1_200_000, 300 * week_s) == "paper"
    assert vgg.recommend(photos, 3000, None) == "small"
    assert vgg.recommend(ImageSpec(3, 32, 32), 100, week_s) == "small"
    assert vgg.recipe_for(1_200_000) == RECIPE
    assert (RECIPE.learning_rate, RECIPE.momentum, RECIPE.weight_decay) == (0.01, 0.9, 5e-4)
    assert (RECIPE.batch_size, RECIPE.epochs) == (256, 74)
    assert vgg.recipe_for(1000).epochs < 74
