"""What is left out stays left out over time."""

import pytest
import torch

from samoyed.layers.locked_dropout import locked_dropout, word_dropout


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
