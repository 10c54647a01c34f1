"""RNNLM: a net, classes and direct weights, against plain numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from samoyed.core.spec import TextSpec
from samoyed.data.text import TextData
from samoyed.models.recurrent import rnnlm
from samoyed.models.recurrent.rnnlm import RNNLM, Config, class_bounds
from samoyed.tasks.continue_text import ContinueText
from samoyed.training.loop import train

V = 23
SMALL = Config(num_units=6, hash_size=1_000, dropout=0.0, input_dropout=0.0, direct_dropout=0.0)


def make(config=SMALL):
    torch.manual_seed(0)
    net = RNNLM(config, V)
    net.divide(np.arange(V, 0, -1) ** 2)
    if net.direct is not None:
        torch.nn.init.normal_(net.direct)
    return net


def test_parameters_are_the_hand_count():
    # 23 symbols, 4 classes: U 23 x 6, W 6 x 7, classes 4 x 7, symbols 23 x 7, and the hash
    assert sum(p.numel() for p in make().parameters()) == 138 + 42 + 28 + 161 + 1_000


def test_probabilities_sum_to_one_and_make_the_loss():
    net, text = make(), torch.randint(V, (3, 9))
    values, state = net(text[:, :-1], net.start(3))
    torch.testing.assert_close(values.exp().sum(2), torch.ones(3, 8))
    loss, after = net.loss(text[:, :-1], text[:, 1:], net.start(3))
    torch.testing.assert_close(loss, -values.gather(2, text[:, 1:, None]).mean())
    assert all(map(torch.equal, state, after))


@pytest.mark.parametrize("hash_size", [0, 1_000])
def test_gradients_of_the_loss_are_those_of_the_whole_distribution(hash_size):
    net = make(replace(SMALL, hash_size=hash_size)).double()
    text = torch.randint(V, (2, 7))
    start = tuple(s.double() if s.is_floating_point() else s for s in net.start(2))
    net.loss(text[:, :-1], text[:, 1:], start)[0].backward()
    found = {name: p.grad.to_dense().clone() for name, p in net.named_parameters()}
    net.zero_grad()
    h, keys, _ = net._read(text[:, :-1], start)  # the slow way: every symbol, every class
    total, wanted = 0.0, text[:, 1:].flatten().tolist()
    symbols, tops = net.symbol_logits(h, keys), net.class_logits(h, keys)
    for row, symbol in enumerate(wanted):
        one = int(net.classes[symbol])
        mine = torch.nonzero(net.classes == one).flatten()
        total = total - (symbols[row, symbol] - symbols[row, mine].logsumexp(0))
        total = total - (tops[row, one] - tops[row].logsumexp(0))
    (total / len(wanted)).backward()
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad.to_dense(), msg=name)


def test_the_hidden_layer_is_equation_1():
    """A net of units s that is given twice the weights, and biases that undo the centring."""
    net = make().double()
    text = [4, 0, 19]
    found, _ = net.hidden(torch.tensor([text]), torch.zeros(1, 6, dtype=torch.float64))
    U, W = 2 * net.U.weight, 4 * net.W.weight  # 2 (W (2 s - 1) + b) = 4 W s + 2 b - 2 W 1
    bias = 2 * net.W.bias - 2 * net.W.weight.sum(dim=1)
    s = [0.5] * 6  # where 2 s - 1 is nothing
    for t, symbol in enumerate(text):
        drive = U[symbol] + bias
        s = [
            1 / (1 + math.exp(-(drive[i].item() + sum(
                w * x for w, x in zip(W[i].tolist(), s, strict=True)
            ))))
            for i in range(6)
        ]  # fmt: skip
        assert found[0, t].tolist() == pytest.approx([2 * x - 1 for x in s], abs=1e-12)


def test_a_symbol_alone_in_its_class_is_told_with_it():
    net = make(replace(SMALL, num_classes=V))
    text = torch.randint(V, (3, 9))
    values, _ = net(text[:, :-1], net.start(3))
    loss, _ = net.loss(text[:, :-1], text[:, 1:], net.start(3))
    torch.testing.assert_close(loss, -values.gather(2, text[:, 1:, None]).mean())


def test_direct_weights_depend_on_the_last_symbols_alone():
    net, text = make(), torch.randint(V, (2, 9))
    row = torch.cat([net.start(2)[0], text + 1], 1)
    keys = net.addresses(row)
    assert keys.shape == (2, 9, 2)
    for order in (1, 2):
        by_history = {}
        for b in range(2):
            for t in range(9):
                history = tuple(row[b, t + 2 - order + 1 : t + 3].tolist())
                by_history.setdefault(history, set()).add(int(keys[b, t, order - 1]))
        assert all(len(found) == 1 for found in by_history.values())
        assert len(set.union(*by_history.values())) == len(by_history)


def test_histories_are_left_out_and_the_rest_counts_more():
    net = make(replace(SMALL, direct_dropout=0.75)).train()
    keys = torch.zeros(4_000, 2, dtype=torch.int64)
    shares = net._shares(keys)
    assert set(shares.unique().tolist()) == {0.0, 4.0}
    assert shares.mean().item() == pytest.approx(1.0, abs=0.1)
    weights = torch.randn(5, 2, 7)
    expected = sum(shares[:5, o, None] * weights[:, o] for o in range(2))
    torch.testing.assert_close(rnnlm._summed(weights, shares[:5]), expected)
    assert net.eval()._shares(keys) is None


def test_no_class_is_empty_and_their_shares_are_alike():
    counts = 1_000 / np.arange(1, 401)
    firsts = class_bounds(counts, 20)
    assert firsts[0] == 0
    assert firsts[-1] == 400
    shares = np.add.reduceat(np.sqrt(counts), firsts[:-1]) / np.sqrt(counts).sum()
    assert np.abs(shares - 0.05).max() < 0.03
    crowded = class_bounds(np.array([1e9, 1, 1, 1]), 4)
    assert crowded.tolist() == [0, 1, 2, 3, 4]


def test_steps_and_pieces_are_the_forward_pass():
    net, text = make(), torch.randint(V, (3, 8))
    values, _ = net(text, net.start(3))
    first, state = net(text[:, :3], net.start(3))
    second, _ = net(text[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), values)
    state = net.start(3)
    for t in range(8):
        one, state = net.step(state, text[:, t])
        torch.testing.assert_close(one, values[:, t])


def test_training_divides_by_frequency_and_learns():
    spec = TextSpec(tuple(map(chr, range(97, 117))))
    codes = np.tile(np.random.default_rng(0).zipf(1.3, 40) % 20, 15)
    data = TextData(spec, codes, codes)
    config = Config(num_units=16, hash_size=500)
    recipe = replace(rnnlm.RECIPE, learning_rate=0.03, batch_size=4, epochs=2)
    task, net = ContinueText(spec, unroll=8), rnnlm.build(config, spec)
    before = net.firsts.clone()
    stages = task.stages(net, rnnlm, config, data, recipe, 0, rnnlm.stages)
    losses = [float(moment.loss) for moment in train(net, stages)]
    assert losses[-1] < 0.6 * losses[0]
    assert not torch.equal(net.firsts, before)
