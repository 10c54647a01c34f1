"""Skip-gram: sizes by hand, the step of one pair by hand, words that share company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from samoyed.data.near_words import unit_length
from samoyed.data.numbered_words import Words
from samoyed.data.word_stretches import Stretches, StretchesOfWords
from samoyed.models.language.skip_gram import (
    RECIPE,
    Config,
    SkipGram,
    fading,
    looked_up,
    stage_of,
)
from samoyed.tasks.embed import nearest
from samoyed.training.loop import train


def test_two_vectors_for_each_word():
    model = SkipGram(Config(size=7), [1] * 11)
    assert sum(p.numel() for p in model.parameters()) == 2 * 7 * 11
    assert model.given.weight.abs().max() <= 0.5 / 7
    assert model.foretold.weight.abs().max() == 0


def test_one_pair_moves_its_vectors_by_the_rate():
    torch.manual_seed(0)
    config = Config(size=4, window=1, num_noise=1, threshold=0)
    model = SkipGram(config, [1] * 5).double()
    torch.nn.init.normal_(model.foretold.weight)
    v, u = (t.weight.detach().clone() for t in (model.given, model.foretold))
    batch = Stretches(
        torch.tensor([[0]]), torch.tensor([[2, 0, 1]]),
        torch.tensor([[[False, False, True]]]), torch.tensor([[3]]),
    )  # fmt: skip

    class One(StretchesOfWords):
        def batch(self, step: int) -> Stretches:
            return batch

    one = One(
        Words(np.zeros(50, np.int64), np.zeros(50, np.int64)), np.ones(5, np.int64),
        num_words=50, stretch=1, window=1, threshold=0, seed=0,
    )  # fmt: skip
    for _ in train(model, stage_of(config, replace(RECIPE, epochs=1), one)):
        pass
    near, far = torch.sigmoid(v[0] @ u[1]) - 1, torch.sigmoid(v[0] @ u[3])
    moved, foretold = v.clone(), u.clone()
    moved[0] -= 0.025 * (near * u[1] + far * u[3])
    foretold[1] -= 0.025 * near * v[0]
    foretold[3] -= 0.025 * far * v[0]
    torch.testing.assert_close(model.given.weight, moved)
    torch.testing.assert_close(model.foretold.weight, foretold)


def test_words_that_share_company_come_near():
    """Twins 0, 1 stand among 2..4, and twins 5, 6 among 7..9; no twin meets its twin."""
    rng = np.random.default_rng(0)
    rows = [
        [first + twin, *(first + rng.integers(2, 5, 2))]
        for first, twin in zip(rng.choice([0, 5], 3000), rng.integers(0, 2, 3000), strict=True)
    ]
    codes = np.concatenate(rows)
    config = Config(size=8, window=2, threshold=0)
    made = StretchesOfWords(
        Words(codes, np.repeat(np.arange(3000), 3)), np.bincount(codes), num_words=150,
        stretch=15, window=2, threshold=0, seed=0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = SkipGram(config, np.bincount(codes))
    losses = [
        float(m.loss) for m in train(model, stage_of(config, replace(RECIPE, epochs=8), made))
    ]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:5])
    unit = unit_length(model.given.weight.detach().numpy())
    for one, two in ((0, 1), (1, 0), (5, 6), (6, 5)):
        assert nearest(unit, unit[one], 1, [one])[0][0] == two


def test_the_rate_ends_at_a_ten_thousandth():
    assert fading(0.0) == 1
    assert fading(0.5) == 0.5
    assert fading(1.0) * RECIPE.learning_rate == 1e-4


def test_a_row_met_too_often_keeps_its_value_and_learns_by_a_share():
    table = nn.Embedding(4, 3, sparse=True)
    numbers, moves = torch.tensor([[0, 1], [0, 2]]), torch.tensor([[30, 5], [70, 50]])
    rows = looked_up(table, numbers, moves, most=50.0)
    assert torch.equal(rows, table.weight[numbers])
    upstream = torch.arange(12.0).reshape(2, 2, 3)
    rows.backward(upstream)
    shares = torch.tensor([0.5, 1.0, 0.5, 1.0])  # word 0 moves 100 pairs, twice the most
    expected = torch.zeros(4, 3)
    for number, share, row in zip(numbers.flatten(), shares, upstream.flatten(0, 1), strict=True):
        expected[number] += share * row
    torch.testing.assert_close(table.weight.grad.to_dense(), expected)
