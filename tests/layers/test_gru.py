"""Gated recurrent units: the unrolled forms against the equations, one step after another."""

import pytest
import torch

from samoyed.layers.alignment import AttentiveGRU
from samoyed.layers.gru import GRU, BidirectionalGRU, gru_step

T, B, S, D, H, C, A = 5, 3, 4, 6, 7, 8, 5


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def make(kind, *sizes, seed=0):
    torch.manual_seed(seed)
    layer = kind(*sizes).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    return layer


def by_hand(gru, x, h):
    """Eqs. 1 to 4 with one matrix for each gate, in the paper's order of operations."""
    wz, wr, wh = gru.weight_ih.chunk(3)
    uz, ur, uh = gru.weight_hh.chunk(3)
    bz, br, bh = gru.bias.chunk(3)
    z = torch.sigmoid(x @ wz.t() + h @ uz.t() + bz)
    r = torch.sigmoid(x @ wr.t() + h @ ur.t() + br)
    new = torch.tanh(x @ wh.t() + (r * h) @ uh.t() + bh)
    return z * h + (1 - z) * new


def test_a_step_is_the_equations():
    gru = make(GRU, D, H)
    x, h = drawn(B, D), drawn(B, H, seed=1)
    assert torch.allclose(gru.step(x, h), by_hand(gru, x, h), atol=1e-12)


def test_unrolled_is_step_after_step():
    gru = make(GRU, D, H)
    x, h = drawn(T, B, D), drawn(B, H, seed=1)
    states = gru(x, h)
    for t in range(T):
        h = by_hand(gru, x[t], h)
        assert torch.allclose(states[t], h, atol=1e-12)


def test_gradient_of_the_unrolled_units():
    gru = make(GRU, D, H)
    x, h = drawn(T, B, D).requires_grad_(), drawn(B, H, seed=1).requires_grad_()
    is_pad = torch.tensor([[False] * B] * 3 + [[False, True, True]] + [[False, False, True]])
    parameters = dict(gru.named_parameters())

    def states(x, h, *values):
        held = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(gru, held, (x, h, is_pad))

    assert torch.autograd.gradcheck(states, (x, h, *parameters.values()))


def test_filling_leaves_the_state_as_it_is():
    gru = make(GRU, D, H)
    x = drawn(T, B, D)
    is_pad = torch.zeros(T, B, dtype=torch.bool)
    is_pad[3:, 1] = True
    assert torch.allclose(gru(x, None, is_pad)[-1, 1], gru(x)[2, 1], atol=1e-12)


def test_both_directions_read_every_sentence_from_its_own_end():
    both = make(BidirectionalGRU, D, H)
    x = drawn(T, B, D)
    is_pad = torch.zeros(T, B, dtype=torch.bool)
    is_pad[3:, 1] = True
    there, back = both(x, is_pad)
    alone_there, alone_back = both(x[:3, 1:2], is_pad[:3, :1])
    assert torch.allclose(there[:3, 1:2], alone_there, atol=1e-12)
    assert torch.allclose(back[:3, 1:2], alone_back, atol=1e-12)
    assert torch.allclose(back[2, 1:2], by_hand(both.backwards, x[2, 1:2], x.new_zeros(1, H)))


@pytest.fixture
def attentive():
    layer = make(AttentiveGRU, D, C, H, A)
    is_pad = torch.zeros(B, S, dtype=torch.bool)
    is_pad[1, 2:] = True
    return layer, drawn(T, B, D), drawn(B, S, C, seed=1), is_pad, drawn(B, H, seed=2)


def aligned_by_hand(layer, x, memory, is_pad, s):
    """Bahdanau et al. 2015, sec. 3.1: eqs. 5 and 6 and the alignment, one place after another."""
    rows = []
    for b in range(len(s)):
        places = [j for j in range(memory.shape[1]) if not is_pad[b, j]]
        e = [
            layer.v @ torch.tanh(layer.query @ s[b] + layer.key @ memory[b, j]) for j in places
        ]  # fmt: skip
        alpha = torch.softmax(torch.stack(e), dim=0)
        c = sum(a * memory[b, j] for a, j in zip(alpha, places, strict=True))
        drive = layer.weight_x @ x[b] + layer.bias + layer.weight_c @ c
        rows.append((gru_step(drive[None], s[b : b + 1], layer.weight_hh)[0], c))
    return tuple(torch.stack(parts) for parts in zip(*rows, strict=True))


def test_attention_is_the_equations(attentive):
    layer, x, memory, is_pad, s = attentive
    states, contexts, alphas = layer(x, memory, is_pad, s)
    for t in range(T):
        state, context = aligned_by_hand(layer, x[t], memory, is_pad, s)
        one = layer.step(x[t], memory, layer.keys(memory), is_pad, s)
        assert torch.allclose(states[t], state, atol=1e-12)
        assert torch.allclose(contexts[t], context, atol=1e-12)
        for found, expected in zip(one, (state, context, alphas[t]), strict=True):
            assert torch.allclose(found, expected, atol=1e-12)
        s = state
    assert torch.allclose(alphas.sum(2), torch.ones(T, B, dtype=torch.float64))
    assert alphas[:, 1, 2:].abs().max() == 0


def test_gradient_of_the_attentive_units(attentive):
    layer, x, memory, is_pad, s = attentive
    for tensor in (x, memory, s):
        tensor.requires_grad_()
    parameters = dict(layer.named_parameters())

    def outputs(x, memory, s, *values):
        held = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(layer, held, (x, memory, is_pad, s))[:2]

    assert torch.autograd.gradcheck(outputs, (x, memory, s, *parameters.values()))


def test_several_rows_share_a_memory(attentive):
    layer, x, memory, is_pad, s = attentive
    keys = layer.keys(memory)
    two = lambda part: part.repeat_interleave(2, dim=0)  # noqa: E731
    shared = layer.step(two(x[0]), memory, keys, is_pad, two(s))
    alone = layer.step(x[0], memory, keys, is_pad, s)
    for found, expected in zip(shared, alone, strict=True):
        assert torch.allclose(found[::2], expected, atol=1e-12)
        assert torch.allclose(found[1::2], expected, atol=1e-12)
