"""Senna's networks: counts, equations, invariances, and that both can learn by heart."""

import numpy as np
import pytest
import torch

from samoyed.core.spec import LabelSpec, TagSpec, WordSpec
from samoyed.losses.chain import chain_loss
from samoyed.models.language.senna import (
    RANKED_BATCH,
    RANKED_WORDS,
    Config,
    RankingFeed,
    build,
    ranking_loss,
    windows,
)

SPEC = WordSpec(tuple("abcdefgh"), ("a", "b"), ("g", "h"))
PAPER = Config(beginning_width=0, ending_width=0, dropout=0.0)


def drawn(num=4, length=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randint(1, size, (num, length), generator=generator) for size in SPEC.sizes]
    return torch.stack(parts, dim=2)


def test_parameter_count_is_the_hand_count():
    model = build(PAPER, SPEC, TagSpec(tuple("OBIES")))
    # words 10 x 50, capitals 6 x 5; 300 x (5 x 55 + 1); 5 x 301; transitions 25 and beginnings 5
    assert sum(p.numel() for p in model.parameters()) == 500 + 30 + 82_800 + 1_505 + 30


@pytest.mark.parametrize("size", [1, 2, 5])
def test_windows_are_the_words_around(size):
    vectors = torch.arange(6.0).reshape(1, 3, 2)
    padding = torch.tensor([-1.0, -2.0])
    found = windows(vectors, padding, size)
    for t in range(3):
        slow = []
        for place in range(t - (size - 1) // 2, t + size // 2 + 1):
            slow += (vectors[0, place] if 0 <= place < 3 else padding).tolist()
        assert found[0, t].tolist() == slow


@pytest.mark.parametrize("asked", [TagSpec(tuple("OBIES")), LabelSpec(("p", "q", "r"))])
def test_padding_is_ignored(asked):
    torch.manual_seed(0)
    model = build(Config(), SPEC, asked).eval()
    words = drawn()
    longer = torch.cat([words, torch.zeros(4, 3, 4, dtype=torch.long)], dim=1)
    one, two = model(words).values, model(longer).values
    assert torch.allclose(one, two[:, :7] if isinstance(asked, TagSpec) else two, atol=1e-6)


def test_without_a_sentence_level_nothing_joins_the_tags():
    model = build(Config(is_sentence_level=False), SPEC, TagSpec(("O", "B")))
    assert not model(drawn()).transitions.any()
    assert "transitions" not in dict(model.named_parameters())


def test_it_learns_sixteen_sentences_by_heart():
    torch.manual_seed(0)
    model = build(Config(dropout=0.0), SPEC, TagSpec(("O", "B", "I")))
    words = drawn(16, 6)
    tags = torch.randint(3, (16, 6), generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = chain_loss(*model(words), tags)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_the_ranking_loss_is_equation_18():
    scores, spoiled = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([0.0, 0.0, 1.0])
    assert ranking_loss(scores, spoiled).item() == pytest.approx((0.0 + 0.5 + 3.0) / 3)


def test_spoiled_windows_differ_in_the_middle_alone():
    features = np.arange(40).reshape(10, 4)
    codes = np.array([1, 2, 3, 4, 5, 6, 7], np.int32)
    feed = RankingFeed(features, codes, np.array([0, 3, 7]), seed=0)
    real, spoiled = feed.batch(2).inputs
    half = RANKED_WORDS // 2
    assert real.shape == (RANKED_BATCH, RANKED_WORDS, 4)
    differs = (real != spoiled).any(dim=2)
    assert differs[:, half].any()
    assert not differs[:, :half].any()
    assert not differs[:, half + 1 :].any()
    for row in real[..., 0] // 4:
        inside = row[row > 0].tolist()
        assert inside in ([1, 2, 3], [4, 5, 6, 7]), "a window never reaches over a text's end"
    assert torch.equal(feed.batch(2).inputs, feed.batch(2).inputs)
