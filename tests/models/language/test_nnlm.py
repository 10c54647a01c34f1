"""The neural probabilistic language model: counts and equation 1 of 2003."""

import math

import numpy as np
import pytest
import torch

from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.text import TextData
from samoyed.models.language.nnlm import NNLM, Config, build
from samoyed.tasks.continue_text import ContinueText
from samoyed.tasks.mixing import best_share, mixed_perplexity

V = 9
SMALL = Config(context=3, num_features=2, num_hidden=4, is_direct=True, dropout=0.0)


def count(config, num_symbols):
    return sum(p.numel() for p in NNLM(config, num_symbols).parameters())


def test_parameters_are_those_of_section_2():
    # 2003, sec. 2: |V| (1 + n m + h) + h (1 + (n - 1) m) with direct connections
    n, m, h, words = 5, 60, 50, 16_383
    mlp1 = Config(context=n - 1, num_features=m, num_hidden=h, is_direct=True)
    assert count(mlp1, words) == words * (1 + n * m + h) + h * (1 + (n - 1) * m)
    # MLP9 has none: |V| (1 + m + h) + h (1 + (n - 1) m)
    assert count(Config(), words) == words * (1 + 30 + 100) + 100 * (1 + 4 * 30)


def test_the_whole_is_equation_1():
    torch.manual_seed(0)
    net = NNLM(SMALL, V).double()
    text = [4, 0, 7, 7, 2]
    values, _ = net(torch.tensor([text]), net.start(1))
    for t in range(len(text)):
        x = []
        for place in range(t - 2, t + 1):  # the newest word last; zeros before the text
            x += net.window.projection.weight[text[place]].tolist() if place >= 0 else [0.0, 0.0]
        a = [
            math.tanh(d + sum(w * v for w, v in zip(row, x, strict=True)))
            for row, d in zip(
                net.window.hidden.weight.tolist(), net.window.hidden.bias.tolist(), strict=True
            )
        ]
        for k in range(V):
            y = net.U.bias[k].item()
            y += sum(w * v for w, v in zip(net.W.weight[k].tolist(), x, strict=True))
            y += sum(w * v for w, v in zip(net.U.weight[k].tolist(), a, strict=True))
            assert values[0, t, k].item() == pytest.approx(y, abs=1e-12)


def test_steps_pieces_and_the_forward_pass_agree():
    net, tokens = NNLM(SMALL, V), torch.randint(V, (2, 8))
    values, after = net(tokens, net.start(2))
    state = net.start(2)
    for t in range(8):
        one, state = net.step(state, tokens[:, t])
        torch.testing.assert_close(one, values[:, t])
    assert torch.equal(state[0], after[0])
    assert torch.equal(after[0], tokens[:, -3:] + 1)


def test_it_sees_the_window_and_nothing_else():
    net, tokens = NNLM(SMALL, V), torch.randint(V, (2, 9))
    before, _ = net(tokens, net.start(2))
    changed = tokens.clone()
    changed[0, 3] = (changed[0, 3] + 1) % V
    after, _ = net(changed, net.start(2))
    is_same = (before == after).all(2)
    assert is_same.tolist() == [[True] * 3 + [False] * 3 + [True] * 3, [True] * 9]


def test_the_share_of_a_mixture_is_the_best_of_a_grid():
    rng = np.random.default_rng(0)
    one, other = rng.uniform(0.01, 1, 500), rng.uniform(0.01, 0.8, 500)
    grid = np.linspace(0.001, 0.999, 999)
    likelihood = [np.log(a * one + (1 - a) * other).sum() for a in grid]
    assert best_share(one, other) == pytest.approx(grid[int(np.argmax(likelihood))], abs=0.002)


def test_the_mixture_is_scored_where_there_is_a_validation_part():
    spec = TextSpec((SENTENCE_END, *"abcdefg", "<unk>"), "word")
    codes = np.random.default_rng(0).zipf(1.5, 4_000) % len(spec)
    data = TextData(spec, codes[:3_000], codes[3_500:], codes[3_000:3_500])
    task, net = ContinueText(spec, mixed_with=3), build(SMALL, spec)
    plain, mixed, _ = task.score(net, data)
    assert [plain.name, mixed.name] == ["perplexity", "mixed_perplexity"]
    assert mixed.value < plain.value
    assert len(task.score(net, data, limit=100)) == 2
    assert len(task.score(net, TextData(spec, data.train, data.test))) == 2
    # a net that is right about everything leaves the n-grams nothing to add
    perfect = mixed_perplexity(np.zeros(500), np.zeros(500), data, 3)
    assert perfect.value == pytest.approx(1.0, abs=0.01)


def test_overfits_sixteen_texts():
    torch.manual_seed(0)
    net, text = NNLM(Config(4, 12, 48, dropout=0.0), V), torch.randint(V, (16, 12))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        values, _ = net(text[:, :-1], net.start(16))
        loss = torch.nn.functional.cross_entropy(values[:, 3:].flatten(0, 1), text[:, 4:].flatten())
        loss.backward()
        optimizer.step()
    right = net(text[:, :-1], net.start(16)).values[:, 3:].argmax(2) == text[:, 4:]
    assert right.float().mean() > 0.97
