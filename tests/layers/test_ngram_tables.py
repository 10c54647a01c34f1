"""Counted n-grams as tensors, against the stream of probabilities and finite differences."""

import numpy as np
import pytest
import torch

from samoyed.layers.kneser_ney import KneserNey
from samoyed.layers.ngram_tables import NGramTables

V = 12


def text(num, seed):
    return np.random.default_rng(seed).zipf(1.4, num) % V


def learned(order, end=None):
    counted = KneserNey.learn(text(900, 0), V, order, end)
    tables = NGramTables(V, order)
    tables.learn(counted)
    return counted, tables


@pytest.mark.parametrize(("order", "end"), [(1, None), (2, None), (4, None), (4, 1)])
def test_every_distribution_is_the_stream_one(order, end):
    counted, tables = learned(order, end)
    codes = text(70, 1)
    places = tables.places(torch.tensor(codes[None]), tables.start(1))
    likely = tables(places[0]).detach()
    torch.testing.assert_close(likely.sum(1), torch.ones(70))
    for t in range(order, 70):
        expected = [
            counted.probabilities(codes[t - order : t + 1], np.array([symbol]))[0]
            for symbol in range(V)
        ]
        np.testing.assert_allclose(likely[t], expected, rtol=2e-5)


def test_n_grams_longer_than_any_sentence_are_passed_over():
    codes = np.stack([np.random.default_rng(0).integers(1, V, 200), np.zeros(200, int)], 1).ravel()
    counted = KneserNey.learn(codes, V, 5, end=0)
    assert len(counted.levels) == 3
    tables = NGramTables(V, 5)
    tables.learn(KneserNey.learn(text(900, 0), V, 5))  # what was there before goes
    tables.learn(counted)
    asked = np.array([0, 3, 0, 5, 7, 0])
    likely = tables(tables.places(torch.tensor(asked[None]), tables.start(1))[0]).detach()
    torch.testing.assert_close(likely.sum(1), torch.ones(6))
    for t in range(1, 6):
        one = [counted.probabilities(asked[: t + 1], np.array([s]))[0] for s in range(V)]
        np.testing.assert_allclose(likely[t], one, rtol=2e-5)


def test_in_pieces_it_finds_the_same_places():
    _, tables = learned(5)
    tokens = torch.tensor(text(40, 2)).view(2, 20)
    whole = tables.places(tokens, tables.start(2))
    first = tables.places(tokens[:, :7], tables.start(2))
    second = tables.places(tokens[:, 7:], first[:, -1])
    assert torch.equal(torch.cat([first, second], 1), whole)


def test_before_counting_all_symbols_are_equally_likely():
    tables = NGramTables(V, 3)
    likely = tables(tables.places(torch.tensor([[1, 2]]), tables.start(1))[0])
    torch.testing.assert_close(likely, torch.full((2, V), 1 / V))


def test_gradients_of_the_discounts_are_the_finite_differences():
    _, tables = learned(3)
    tables.double()
    places = tables.places(torch.tensor(text(9, 3)[None]), tables.start(1))[0]

    def surprise(discounts):
        values = torch.func.functional_call(tables, {"discounts": discounts}, (places,))
        return -values.log().mean()

    start = tables.discounts.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(surprise, (start,))


def test_tables_of_any_size_are_read():
    _, tables = learned(3)
    other = NGramTables(V, 3)
    other.load_state_dict(tables.state_dict())
    places = tables.places(torch.tensor([[1, 2, 1, 3]]), tables.start(1))
    assert torch.equal(other(places[0]), tables(places[0]))
