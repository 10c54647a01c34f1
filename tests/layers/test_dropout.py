"""What is left out: how much, of what, and what comes of the rest."""

import pytest
import torch

from samoyed.layers.dropout import Dropout, dropout


@pytest.mark.parametrize(("share", "out"), [(0.1, 26 / 256), (0.5, 0.5), (0.001, 0.001), (1.0, 1)])
def test_values_that_are_left_out_are_as_many_as_asked_for_and_the_others_scaled_up(share, out):
    torch.manual_seed(0)
    values = torch.full((501, 401), 2.0, requires_grad=True)
    found = dropout(values, share, True)
    is_out = found == 0
    num = values.numel()
    assert abs(is_out.double().mean() - out) <= 5 * (out * (1 - out) / num) ** 0.5
    torch.testing.assert_close(found[~is_out], torch.full((int((~is_out).sum()),), 2 / (1 - out)
                                                          if out < 1 else 0.0))  # fmt: skip
    (slope,) = torch.autograd.grad(found.sum(), values)
    torch.testing.assert_close(slope, found / 2)
    assert not dropout(values, share, True).equal(found) or share == 1.0
    assert dropout(values, share, False) is values
    if 0.1 <= share < 1:  # neighbours are left out independently of each other
        pairs = (is_out[:, :-1] & is_out[:, 1:]).double().mean()
        assert abs(pairs - out**2) < 0.005


@pytest.mark.parametrize("number", [torch.float32, torch.bfloat16, torch.float64])
def test_the_number_format_stays(number):
    assert dropout(torch.ones(5, 3, dtype=number), 0.5, True).dtype == number


def test_a_layer_leaves_out_while_training_alone():
    layer, values = Dropout(0.5), torch.ones(1_000)
    assert (layer(values) == 0).any()
    assert layer.eval()(values) is values
    assert "0.5" in repr(layer)


def test_what_is_not_contiguous_is_read_as_it_stands():
    values = torch.arange(1.0, 1_001).view(20, 50).t()
    found = dropout(values, 0.25, True)
    stays = found != 0
    torch.testing.assert_close(found[stays], values[stays] / 0.75)
