"""The multiplicative recurrent network: equations 7 and 8 of 2011, and their gradient."""

import math

import pytest
import torch

from samoyed.models.recurrent.mrnn import MRNN, Config, _Unrolled

V = 7
SMALL = Config(num_units=5, num_factors=4, dropout=0.0)


def make(config=SMALL):
    torch.manual_seed(0)
    return MRNN(config, V)


def test_the_net_of_the_paper_has_its_parameters():
    # 2011, sec. 5.2: 1,500 units, 1,500 factors, 86 symbols, "4.9 million parameters":
    # two square matrices, three matrices of symbols, two biases
    net = MRNN(Config(num_units=1500, num_factors=1500), 86)
    ours = sum(p.numel() for p in net.parameters())
    assert ours == 2 * 1500**2 + 3 * 86 * 1500 + 1500 + 86
    assert round(ours / 1e6, 1) == 4.9


def test_the_gradient_by_hand_is_the_finite_difference():
    shapes = [(3, 2, 4), (3, 2, 5), (4, 5), (5, 4), (2, 5)]
    generator = torch.Generator().manual_seed(0)
    given = [
        torch.randn(*s, dtype=torch.float64, generator=generator).requires_grad_() for s in shapes
    ]
    assert torch.autograd.gradcheck(_Unrolled.apply, given)


@pytest.mark.parametrize("is_multiplicative", [True, False])
def test_the_whole_is_equations_7_and_8(is_multiplicative):
    """In plain numbers, with the recurrent matrix of each symbol written out."""
    net = make(Config(5, 4, is_multiplicative, 0.0)).double()
    text = [3, 3, 0, 6]
    values, state = net(torch.tensor([text]), tuple(s.double() for s in net.start(1)))
    h = [0.0] * 5
    for t, symbol in enumerate(text):
        gate = net.W_fx.weight[symbol].tolist() if is_multiplicative else [1.0] * 4
        down, up = net.W_fh.tolist(), net.W_hf.tolist()
        matrix = [
            [sum(up[i][f] * gate[f] * down[f][j] for f in range(4)) for j in range(5)]
            for i in range(5)
        ]  # W_hf diag(W_fx x) W_fh
        drive = (net.W_hx.weight[symbol] + net.bias).tolist()
        h = [math.tanh(drive[i] + sum(matrix[i][j] * h[j] for j in range(5))) for i in range(5)]
        for k in range(V):
            row = net.W_oh.weight[k].tolist()
            o = net.W_oh.bias[k].item() + sum(w * x for w, x in zip(row, h, strict=True))
            assert values[0, t, k].item() == pytest.approx(o, abs=1e-12)
    assert state[0][0].tolist() == pytest.approx(h, abs=1e-12)


def test_steps_and_pieces_are_the_forward_pass():
    net, text = make(), torch.randint(V, (3, 8))
    values, after = net(text, net.start(3))
    first, state = net(text[:, :5], net.start(3))
    second, _ = net(text[:, 5:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), values)
    state = net.start(3)
    for t in range(8):
        one, state = net.step(state, text[:, t])
        torch.testing.assert_close(one, values[:, t])
    torch.testing.assert_close(state, after)


def test_autocast_changes_little():
    net, text = make(), torch.randint(V, (2, 6))
    expected = net(text, net.start(2)).values
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = net(text, net.start(2)).values
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.05)


def test_only_the_gates_are_missing_in_the_plain_network():
    plain, whole = make(Config(5, 4, False)), make()
    missing = set(whole.state_dict()) - set(plain.state_dict())
    assert missing == {"W_fx.weight"}
