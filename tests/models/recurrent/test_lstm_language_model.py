"""The language model, checked seven ways."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from samoyed.core.spec import TextSpec
from samoyed.models.recurrent.lstm_language_model import (
    REFERENCE,
    Config,
    LSTMLanguageModel,
    build,
)

SMALL = Config(num_layers=2, num_units=6, embedding_size=4, dropout=0.0, weight_dropout=0.0)
V = 9


def make(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return LSTMLanguageModel(config, V)


def tokens(*shape, seed=0):
    return torch.randint(0, V, shape, generator=torch.Generator().manual_seed(seed))


def test_parameter_count_is_the_hand_count():
    def count(config, num_symbols):
        return sum(p.numel() for p in LSTMLanguageModel(config, num_symbols).parameters())

    # symbols: 65 x 128; gates: 2,048 x (128 + 512 + 1); read-out: 65 x (512 + 1)
    assert count(Config(), 65) == 8_320 + 1_312_768 + 33_345
    # a second layer reads 512 instead of 128: 2,048 x (512 + 512 + 1)
    assert count(Config(num_layers=2), 65) == 8_320 + 1_312_768 + 2_099_200 + 33_345


def test_the_net_of_graves_2013_has_its_weights():
    # Graves 2013, sec. 3.1: 1,000 units, 49 symbols one-hot, "4.3M weights" with 3,000 peepholes
    # and without an embedding: 4,000 x (49 + 1,000 + 1) + 49 x 1,001 + 3,000
    net = LSTMLanguageModel(Config(num_units=1000, embedding_size=49), 49)
    ours = sum(p.numel() for p in net.parameters()) - net.embedding.weight.numel() + 3_000
    assert ours == 4_200_000 + 49_049 + 3_000
    assert round(ours / 1e6, 1) == 4.3


@pytest.mark.parametrize(("rows", "length"), [(1, 1), (4, 13)])
def test_shapes(rows, length):
    net = make()
    logits, state = net(tokens(rows, length), net.start(rows))
    assert logits.shape == (rows, length, V)
    assert [part.shape for part in state] == [(rows, 6)] * 4
    one, state = net.step(state, tokens(rows))
    assert one.shape == (rows, V)
    assert len(state) == 4


def test_the_whole_is_the_equations():
    """Graves 2013 eqs. 7-12 without peepholes, in plain numbers, one unit after another."""
    net = make().double()
    text = tokens(1, 6)
    logits, _ = net(text, tuple(part.double() for part in net.start(1)))
    memory = [([0.0] * 6, [0.0] * 6) for _ in net.layers]
    for t, token in enumerate(text[0].tolist()):
        signal = net.embedding.weight[token].tolist()
        for index, layer in enumerate(net.layers):
            h, c = memory[index]
            a = [
                sum(w * s for w, s in zip(row_x, signal, strict=True))
                + sum(w * s for w, s in zip(row_h, h, strict=True))
                + b
                for row_x, row_h, b in zip(
                    layer.weight_ih.tolist(), layer.weight_hh.tolist(), layer.bias.tolist(),
                    strict=True,
                )
            ]  # fmt: skip
            sigmoid = [1 / (1 + math.exp(-x)) for x in a]
            c = [sigmoid[6 + k] * c[k] + sigmoid[k] * math.tanh(a[18 + k]) for k in range(6)]
            h = [sigmoid[12 + k] * math.tanh(c[k]) for k in range(6)]
            memory[index], signal = (h, c), h
        read_out = net.read_out
        for k in range(V):
            expected = read_out.bias[k] + sum(
                w * s for w, s in zip(read_out.weight[k].tolist(), signal, strict=True)
            )
            assert logits[0, t, k].item() == pytest.approx(expected.item(), abs=1e-12)


def test_steps_are_the_forward_pass():
    net, text = make(), tokens(3, 8)
    logits, after = net(text, net.start(3))
    state = net.start(3)
    for t in range(8):
        one, state = net.step(state, text[:, t])
        torch.testing.assert_close(one, logits[:, t], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(state, after, rtol=1e-5, atol=1e-6)


def test_texts_do_not_see_each_other_nor_the_future():
    net, text = make(), tokens(3, 8)
    before, _ = net(text, net.start(3))
    changed = text.clone()
    changed[1, 5:] = (changed[1, 5:] + 1) % V
    after, _ = net(changed, net.start(3))
    torch.testing.assert_close(before[[0, 2]], after[[0, 2]], rtol=0, atol=1e-6)
    torch.testing.assert_close(before[1, :5], after[1, :5], rtol=0, atol=1e-6)
    assert not torch.allclose(before[1, 5:], after[1, 5:])


def test_a_carried_memory_is_one_long_pass():
    net, text = make(), tokens(2, 12)
    whole, _ = net(text, net.start(2))
    first, state = net(text[:, :5], net.start(2))
    second, _ = net(text[:, 5:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=1e-6)


def test_every_parameter_gets_a_gradient():
    net = make()
    logits, _ = net(tokens(8, 12), net.start(8))
    logits.square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_is_for_training_only():
    net, text = make(Config(2, 6, 4, dropout=0.5, weight_dropout=0.3)), tokens(2, 5)
    assert not torch.equal(net(text, net.start(2)).values, net(text, net.start(2)).values)
    net.eval()
    assert torch.equal(net(text, net.start(2)).values, net(text, net.start(2)).values)


def test_overfits_sixteen_texts():
    net, text = make(Config(1, 48, 16, dropout=0.0, weight_dropout=0.0)), tokens(16, 12)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        logits, _ = net(text[:, :-1], net.start(16))
        loss = torch.nn.functional.cross_entropy(logits[:, 2:].flatten(0, 1), text[:, 3:].flatten())
        loss.backward()
        optimizer.step()
    right = net(text[:, :-1], net.start(16)).values[:, 2:].argmax(2) == text[:, 3:]
    assert right.float().mean() > 0.99


def test_saved_and_loaded_it_answers_bit_for_bit(tmp_path):
    net, text = make().eval(), tokens(2, 7)
    expected = net(text, net.start(2)).values
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    other = make(seed=1).eval()
    assert not torch.equal(other(text, other.start(2)).values, expected)
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert torch.equal(other(text, other.start(2)).values, expected)


def test_build_makes_room_for_every_symbol():
    net = build(SMALL, TextSpec(("a", "b", "\ufffd")))
    assert net.embedding.num_embeddings == net.read_out.out_features == 3
    assert REFERENCE.review == 79
