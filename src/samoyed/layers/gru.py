"""Gated recurrent units, computed over a whole unrolled sequence at once.

Reference: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder for
statistical machine translation, EMNLP, sec. 2.3 and appendix A. With z the update gate, r the reset
gate, and W, U, b three blocks in the order z, r, h:

    z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)                                                 (1)
    r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)                                                 (2)
    h~_t = tanh(W_h x_t + U_h (r_t h_{t-1}) + b_h)                                             (3)
    h_t = z_t h_{t-1} + (1 - z_t) h~_t                                                         (4)

The reset gate acts before the product with U_h, as printed; torch's own units reset after it.

`gru_step` is these lines. `GRU` computes the same over T steps, faster, by one product for the
input of all steps, recurrent weights laid out once (`layers.packed`), and a backward pass written
by hand whose time loop holds two products and a few element-wise lines. Where a sequence is filled
up, z is 1, so that the state passes by unchanged.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.layers.packed import narrow_type, product_with

# B batch, T time, D input size, H units
SHUT = 1e4
"""What drives a gate to exactly 1."""

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


def gru_step(
    drive: Float[Tensor, "B G"], h: Float[Tensor, "B H"], weight_hh: Float[Tensor, "G H"]
) -> Float[Tensor, "B H"]:
    """Advance one time step, eqs. 1 to 4.

    Args:
        drive: what the input contributes, W x_t + b, in the order z, r, h; G is 3 H.
        h: the state before the step.
        weight_hh: U.
    """
    H = h.shape[1]
    z, r = torch.sigmoid(drive[:, : 2 * H] + F.linear(h, weight_hh[: 2 * H])).chunk(2, dim=1)
    new = torch.tanh(drive[:, 2 * H :] + F.linear(r * h, weight_hh[2 * H :]))
    return z * h + (1 - z) * new


class _Unrolled(torch.autograd.Function):
    """T steps of eqs. 1 to 4, and their gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,  # (T, B, 3H)
        is_pad: Tensor | None,  # (T, B, 1)
        h: Tensor,  # (B, H)
        weight_zr: Tensor,  # (H, 2H)
        weight_h: Tensor,  # (H, H)
    ) -> Tensor:
        T, B, H = drive.shape[0], *h.shape
        narrow = weight_h.dtype
        gates = drive[..., : 2 * H].to(h.dtype, copy=True, memory_format=torch.contiguous_format)
        news = drive[..., 2 * H :].to(h.dtype, copy=True, memory_format=torch.contiguous_format)
        states = h.new_empty(T, B, H)
        first = h
        of_gates, of_new = product_with(weight_zr, B), product_with(weight_h, B)
        for t in range(T):
            gate, new = gates[t], news[t]
            gate.add_(of_gates(h.to(narrow)))
            if is_pad is not None:
                gate[:, :H].masked_fill_(is_pad[t], SHUT)
            gate.sigmoid_()
            z, r = gate[:, :H], gate[:, H:]
            new.add_(of_new((r * h).to(narrow))).tanh_()
            h = torch.sub(h, new, out=states[t]).mul_(z).add_(new)
        ctx.save_for_backward(gates, news, states, first, weight_zr, weight_h)
        ctx.drive_type = drive.dtype
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor | None, ...]:
        gates, news, states, first, weight_zr, weight_h = ctx.saved_tensors
        T, B, H = states.shape
        narrow = weight_h.dtype
        before = torch.cat([first[None], states[:-1]])
        d_drive = states.new_empty(T, B, 3 * H, dtype=narrow)
        with torch.autocast(states.device.type, enabled=False):
            back_gates = product_with(weight_zr.t(), B)
            back_new = product_with(weight_h.t(), B)
            d_h = torch.zeros_like(first)
            d_gate = gates.new_empty(B, 2 * H)
            for t in range(T - 1, -1, -1):
                h, new, gate = before[t], news[t], gates[t]
                z, r = gate[:, :H], gate[:, H:]
                d_h += d_states[t]
                torch.mul(d_h, h - new, out=d_gate[:, :H])
                d_new = d_h - d_h * z
                tanh_backward(d_new, new, grad_input=d_new)
                d_drive[t, :, 2 * H :] = d_new
                d_reset = back_new(d_new.to(narrow)).to(h.dtype)
                torch.mul(d_reset, h, out=d_gate[:, H:])
                sigmoid_backward(d_gate, gate, grad_input=d_gate)
                d_drive[t, :, : 2 * H] = d_gate
                d_h.mul_(z).addcmul_(d_reset, r).add_(back_gates(d_gate.to(narrow)))
            flat = d_drive.view(T * B, 3 * H)
            d_weight_zr = before.view(-1, H).to(narrow).t() @ flat[:, : 2 * H]
            reset = (gates[..., H:] * before).view(-1, H).to(narrow)
            d_weight_h = reset.t() @ flat[:, 2 * H :]
        return d_drive.to(ctx.drive_type), None, d_h, d_weight_zr, d_weight_h


class GRU(nn.Module):
    """One layer of gated recurrent units, the reset before the product.

    Input weights start uniform in +-1/sqrt(H), recurrent ones orthogonal, biases at zero.

    Args:
        input_size: D.
        num_units: H.
    """

    def __init__(self, input_size: int, num_units: int) -> None:
        super().__init__()
        self.input_size, self.num_units = input_size, num_units
        self.weight_ih = nn.Parameter(torch.empty(3 * num_units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * num_units, num_units))
        self.bias = nn.Parameter(torch.zeros(3 * num_units))
        bound = 1 / math.sqrt(num_units)
        nn.init.uniform_(self.weight_ih, -bound, bound)
        for block in self.weight_hh.data.chunk(3):
            nn.init.orthogonal_(block)

    def forward(
        self,
        inputs: Float[Tensor, "T B D"],
        h: Float[Tensor, "B H"] | None = None,
        is_pad: Bool[Tensor, "T B"] | None = None,
    ) -> Float[Tensor, "T B H"]:
        """Advance T steps from h (zero by default); return all h_t.

        Args:
            inputs: x_t.
            h: the state before the first step.
            is_pad: where the sequences are filled up: the state stays as it is there.
        """
        drive = F.linear(inputs, self.weight_ih, self.bias)
        return self.of_drive(drive, h, is_pad)

    def of_drive(
        self,
        drive: Float[Tensor, "T B G"],
        h: Float[Tensor, "B H"] | None = None,
        is_pad: Bool[Tensor, "T B"] | None = None,
    ) -> Float[Tensor, "T B H"]:
        """Do the same where W x_t + b is known already, G = 3 H."""
        H = self.num_units
        if h is None:
            h = self.bias.new_zeros(drive.shape[1], H)
        weight = self.weight_hh.to(narrow_type(self.weight_hh))
        with torch.autocast(drive.device.type, enabled=False):
            return _Unrolled.apply(
                drive, None if is_pad is None else is_pad[..., None], h.to(self.bias.dtype),
                weight[: 2 * H].t(), weight[2 * H :].t(),
            )  # fmt: skip

    def step(
        self, inputs: Float[Tensor, "B D"], h: Float[Tensor, "B H"]
    ) -> Float[Tensor, "B H"]:  # fmt: skip
        """Advance one step."""
        return gru_step(F.linear(inputs, self.weight_ih, self.bias), h, self.weight_hh)


class BidirectionalGRU(nn.Module):
    """Two layers side by side, one of which reads from the end (Bahdanau et al. 2015, sec. 3.2).

    Args:
        input_size: D.
        num_units: H of each direction.
    """

    def __init__(self, input_size: int, num_units: int) -> None:
        super().__init__()
        self.forwards = GRU(input_size, num_units)
        self.backwards = GRU(input_size, num_units)

    def forward(
        self, inputs: Float[Tensor, "T B D"], is_pad: Bool[Tensor, "T B"]
    ) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "T B H"]]:
        """Return the states of both directions at each place, time first."""
        there = self.forwards(inputs, None, is_pad)
        back = self.backwards(inputs.flip(0), None, is_pad.flip(0))
        return there, back.flip(0)
