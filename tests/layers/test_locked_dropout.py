"""What is left out stays left out over time."""

import pytest
import torch

from samoyed.layers.locked_dropout import locked_dropout, weight_dropout, word_dropout


def test_the_mask_is_the_same_at_every_step_and_differs_between_rows():
    torch.manual_seed(0)
    found = locked_dropout(torch.ones(9, 5, 400), 0.25, True)
    assert found.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert (found == found[0]).all()
    assert not torch.equal(found[0, 0], found[0, 1])
    assert abs((found[0] == 0).float().mean().item() - 0.25) < 0.03


def test_whole_words_are_left_out():
    torch.manual_seed(0)
    found = word_dropout(torch.ones(3_000, 4), 0.1, True)
    assert (found == found[:, :1]).all()
    assert abs((found[:, 0] == 0).float().mean().item() - 0.1) < 0.02


def test_outside_training_nothing_is_left_out():
    signal = torch.randn(3, 2, 4)
    assert locked_dropout(signal, 0.5, False) is signal
    assert word_dropout(signal[0], 0.5, False).equal(signal[0])


@pytest.mark.parametrize(("share", "out"), [(0.1, 26 / 256), (0.5, 0.5), (0.001, 0.001), (1.0, 1)])
def test_weights_that_are_left_out_are_as_many_as_asked_for_and_the_others_scaled_up(share, out):
    torch.manual_seed(0)
    weights = torch.full((501, 401), 2.0, requires_grad=True)
    found = weight_dropout(weights, share, True)
    is_out = found == 0
    num = weights.numel()
    assert abs(is_out.double().mean() - out) <= 5 * (out * (1 - out) / num) ** 0.5
    torch.testing.assert_close(found[~is_out], torch.full((int((~is_out).sum()),), 2 / (1 - out)
                                                          if out < 1 else 0.0))  # fmt: skip
    (slope,) = torch.autograd.grad(found.sum(), weights)
    torch.testing.assert_close(slope, found / 2)
    assert not weight_dropout(weights, share, True).equal(found) or share == 1.0
    assert weight_dropout(weights, share, False) is weights
    if 0.1 <= share < 1:  # neighbours are left out independently of each other
        pairs = (is_out[:, :-1] & is_out[:, 1:]).double().mean()
        assert abs(pairs - out**2) < 0.005
