"""Elman's units: eq. 1, number by number, and torch's own."""

import math

import torch

from samoyed.layers.elman import Elman


def make(seed=0, sizes=(3, 4)):
    torch.manual_seed(seed)
    return Elman(*sizes).double()


def test_eq_1_in_plain_numbers():
    net = make()
    x, h = torch.randn(2, 1, 3).double(), torch.randn(1, 4).double()
    found = net(x, h)
    state = h[0].tolist()
    for t in range(2):
        state = [
            math.tanh(
                sum(w * s for w, s in zip(row_x, x[t, 0].tolist(), strict=True))
                + sum(w * s for w, s in zip(row_h, state, strict=True))
                + b
            )
            for row_x, row_h, b in zip(
                net.weight_ih.tolist(), net.weight_hh.tolist(), net.bias.tolist(), strict=True
            )
        ]
        torch.testing.assert_close(
            found[t, 0], torch.tensor(state, dtype=torch.float64), rtol=0, atol=1e-12
        )


def test_it_is_torchs_own_unit_forward_and_backward():
    net, torchs = make(), torch.nn.RNN(3, 4).double()
    torchs.load_state_dict({
        "weight_ih_l0": net.weight_ih, "weight_hh_l0": net.weight_hh, "bias_ih_l0": net.bias,
        "bias_hh_l0": torch.zeros(4),
    })  # fmt: skip
    x, h = torch.randn(6, 2, 3).double(), torch.randn(2, 4).double()
    ours, theirs = net(x, h), torchs(x, h[None])[0]
    torch.testing.assert_close(ours, theirs)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    torch.testing.assert_close(net.weight_hh.grad, torchs.weight_hh_l0.grad)
    torch.testing.assert_close(net.step(x[0], h), ours[0])


def test_recurrent_weights_begin_as_a_rotation():
    net = make(sizes=(5, 20))
    product = net.weight_hh @ net.weight_hh.t()
    torch.testing.assert_close(product, torch.eye(20).double(), rtol=0, atol=1e-6)
