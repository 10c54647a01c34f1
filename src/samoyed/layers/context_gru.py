"""Gated recurrent units that are told the same context at every step: the decoder of 2014.

Reference: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder for
statistical machine translation, EMNLP, appendix A.1.2. With x_t what is read, c the context, and
W, U, C, b three blocks in the order z, r, h:

    z_t = sigmoid(W_z x_t + U_z h_{t-1} + C_z c + b_z)                                         (1)
    r_t = sigmoid(W_r x_t + U_r h_{t-1} + C_r c + b_r)                                         (2)
    h~_t = tanh(W_h x_t + b_h + r_t (U_h h_{t-1} + C_h c))                                     (3)
    h_t = z_t h_{t-1} + (1 - z_t) h~_t                                                         (4)

Here the reset gate acts after the product, and on the context too; the encoder of the same paper
resets before the product (`layers.gru`). So all of U h_{t-1} is one product for each step forward,
and one back; the gradients of weights, context and inputs are single products after the loop.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.layers.gru import sigmoid_backward, tanh_backward
from samoyed.layers.packed import narrow_type, product_with

# B rows, T steps, D input size, C context size, H units; G = 3 H


def context_step(
    drive: Float[Tensor, "B G"],
    from_context: Float[Tensor, "B G"],
    h: Float[Tensor, "B H"],
    weight_hh: Float[Tensor, "G H"],
) -> Float[Tensor, "B H"]:
    """Advance one time step, eqs. 1 to 4.

    Args:
        drive: W x_t + b, in the order z, r, h.
        from_context: C c.
        h: the state before the step.
        weight_hh: U.
    """
    H = h.shape[1]
    inner = F.linear(h, weight_hh) + from_context
    z, r = torch.sigmoid(drive[:, : 2 * H] + inner[:, : 2 * H]).chunk(2, dim=1)
    new = torch.tanh(drive[:, 2 * H :] + r * inner[:, 2 * H :])
    return z * h + (1 - z) * new


class _Unrolled(torch.autograd.Function):
    """T steps of eqs. 1 to 4, and their gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,  # (T, B, 3H)
        from_context: Tensor,  # (B, 3H)
        h: Tensor,  # (B, H)
        weight: Tensor,  # (H, 3H)
    ) -> Tensor:
        T, (B, H), narrow = drive.shape[0], h.shape, weight.dtype
        gates = drive[..., : 2 * H].to(h.dtype) + from_context[:, : 2 * H]
        news = drive[..., 2 * H :].to(h.dtype, copy=True, memory_format=torch.contiguous_format)
        inners, states = h.new_empty(T, B, H), h.new_empty(T, B, H)
        first, of_h = h, product_with(weight, B)
        for gate, new, inner, state in zip(
            gates.unbind(0), news.unbind(0), inners.unbind(0), states.unbind(0), strict=True
        ):
            from_h = of_h(h.to(narrow))
            gate.add_(from_h[:, : 2 * H]).sigmoid_()
            torch.add(from_context[:, 2 * H :], from_h[:, 2 * H :], out=inner)
            new.addcmul_(gate[:, H:], inner).tanh_()  # eq. 3
            h = torch.sub(h, new, out=state).mul_(gate[:, :H]).add_(new)  # eq. 4
        ctx.save_for_backward(gates, news, inners, states, first, weight)
        ctx.drive_type = drive.dtype
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor | None, ...]:
        gates, news, inners, states, first, weight = ctx.saved_tensors
        (T, B, H), narrow = states.shape, weight.dtype
        before = torch.cat([first[None], states[:-1]])
        d_inner = states.new_empty(T, B, 3 * H)  # of U h + C c
        d_news = states.new_empty(T, B, H)
        with torch.autocast(states.device.type, enabled=False):
            back = product_with(weight.t(), B)
            d_h, d_gate = torch.zeros_like(first), gates.new_empty(B, 2 * H)
            for t in range(T - 1, -1, -1):
                h, new, gate, d_new = before[t], news[t], gates[t], d_news[t]
                z = gate[:, :H]
                d_h += d_states[t]
                torch.mul(d_h, h - new, out=d_gate[:, :H])
                torch.sub(d_h, d_h * z, out=d_new)
                tanh_backward(d_new, new, grad_input=d_new)
                torch.mul(d_new, inners[t], out=d_gate[:, H:])
                torch.mul(d_new, gate[:, H:], out=d_inner[t, :, 2 * H :])
                sigmoid_backward(d_gate, gate, grad_input=d_gate)
                d_inner[t, :, : 2 * H] = d_gate
                d_h.mul_(z).add_(back(d_inner[t].to(narrow)))
            flat = d_inner.view(T * B, 3 * H).to(narrow)
            d_weight = before.view(T * B, H).to(narrow).t() @ flat
        d_drive = torch.cat([d_inner[..., : 2 * H], d_news], dim=2).to(ctx.drive_type)
        return d_drive, d_inner.sum(0), d_h, d_weight


class ContextGRU(nn.Module):
    """One layer of gated recurrent units with a context, the reset after the product.

    Input weights start uniform in +-1/sqrt(fan-in), recurrent ones orthogonal, biases at zero.

    Args:
        input_size: D.
        context_size: C.
        num_units: H.
    """

    def __init__(self, input_size: int, context_size: int, num_units: int) -> None:
        super().__init__()
        self.num_units = num_units
        self.weight_ih = nn.Parameter(torch.empty(3 * num_units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * num_units, num_units))
        self.weight_ch = nn.Parameter(torch.empty(3 * num_units, context_size))
        self.bias = nn.Parameter(torch.zeros(3 * num_units))
        for weight in (self.weight_ih, self.weight_ch):
            bound = 1 / math.sqrt(weight.shape[1])
            nn.init.uniform_(weight, -bound, bound)
        for block in self.weight_hh.data.chunk(3):
            nn.init.orthogonal_(block)

    def of_context(self, context: Float[Tensor, "B C"]) -> Float[Tensor, "B G"]:
        """Return C c, which is the same at every step."""
        return F.linear(context, self.weight_ch)

    def forward(
        self,
        inputs: Float[Tensor, "T B D"],
        context: Float[Tensor, "B C"],
        h: Float[Tensor, "B H"],
    ) -> Float[Tensor, "T B H"]:
        """Advance T steps; return all h_t.

        Args:
            inputs: x_t.
            context: c.
            h: the state before the first step.
        """
        drive, from_context = F.linear(inputs, self.weight_ih, self.bias), self.of_context(context)
        wide, narrow = self.bias.dtype, narrow_type(self.weight_hh)
        weight = self.weight_hh.to(narrow).t()
        with torch.autocast(drive.device.type, enabled=False):
            return _Unrolled.apply(drive, from_context.to(wide), h.to(wide), weight)

    def step(
        self,
        inputs: Float[Tensor, "B D"],
        from_context: Float[Tensor, "B G"],
        h: Float[Tensor, "B H"],
    ) -> Float[Tensor, "B H"]:
        """Advance one step; `from_context` is what `of_context` gave."""
        drive = F.linear(inputs, self.weight_ih, self.bias)
        return context_step(drive, from_context, h, self.weight_hh)
