"""What deep rectifier networks begin with."""

import pytest
import torch
from torch import nn

from samoyed.layers.rectified import centre, draw_weights


def test_centre_brings_0_and_1_to_minus_2_and_2():
    pictures = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)
    assert centre(pictures).flatten().tolist() == [-2.0, 0.0, 2.0]
    assert centre(torch.rand(2, 3, 4, 4)).is_contiguous(memory_format=torch.channels_last)


def test_weights_have_variance_two_over_fan_in_and_biases_are_zero():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(8, 200, 5, groups=2), nn.Conv2d(200, 40, 3), nn.Linear(500, 90))
    draw_weights(net)
    for layer, fan_in in zip(net, (4 * 25, 200 * 9, 500), strict=True):
        assert layer.weight.var().item() == pytest.approx(2 / fan_in, rel=0.05)
        assert not layer.bias.any()
    assert net[1].weight.is_contiguous(memory_format=torch.channels_last)


def test_layers_that_answer_begin_small():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(50, 90), nn.Linear(90, 80))
    draw_weights(net, net[1])
    assert net[0].weight.std().item() == pytest.approx((2 / 50) ** 0.5, rel=0.05)
    assert net[1].weight.std().item() == pytest.approx(0.01, rel=0.05)


def test_the_size_of_activities_is_kept_through_many_layers():
    torch.manual_seed(0)
    layers = [m for _ in range(30) for m in (nn.Linear(400, 400), nn.ReLU())]
    net = nn.Sequential(*layers)
    x = torch.randn(64, 400)
    draw_weights(net)
    for layer in net[::2]:
        nn.init.xavier_normal_(layer.weight)
    assert net(x).square().mean() < 1e-6, "Glorot & Bengio's rule halves it in every layer"
    draw_weights(net)
    assert 0.1 < net(x).square().mean() < 10
