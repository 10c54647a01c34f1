"""Recurrent units that look back at a memory before every step: the alignment model of 2015.

Reference: Bahdanau, Cho & Bengio (2015), Neural machine translation by jointly learning to align
and translate, ICLR, sec. 3.1 and appendix A. With M_j what is remembered of place j, s the state,
and x_i what is read at step i:

    e_ij = v . tanh(W_a s_{i-1} + U_a M_j)                                                     (1)
    alpha_i = softmax(e_i)                                                                     (2)
    c_i = sum_j alpha_ij M_j                                                                   (3)
    s_i = a gated recurrent unit of (s_{i-1}, x_i, c_i)                                        (4)

`AttentiveGRU` computes T steps with a backward pass written by hand: three products for each step
forward and three back; whatever does not depend on the step before is one product for all steps
(U_a M; the gradients of all weights, of M and of x). tanh(a) is written 2 sigmoid(2 a) - 1, which
in training takes a quarter of the time: there the 2s are multiplied into W_a, U_a and v beforehand.
The - 1 adds the same to all places, which eq. 2 does not see.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.layers.gru import sigmoid_backward, tanh_backward
from samoyed.layers.packed import narrow_type, product_with

# B sentences, S places, C memory size, T steps, H units, A alignment units, K rows per sentence


class _Unrolled(torch.autograd.Function):
    """T steps of eqs. 1 to 4, and their gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,  # (T, B, 3H), of x and the bias, in the order z, r, h
        keys: Tensor,  # (B, S, A), 2 U_a M
        memory: Tensor,  # (B, S, C)
        is_pad: Tensor,  # (B, S)
        s: Tensor,  # (B, H)
        weight_s: Tensor,  # (H, A + 2H), 2 W_a and the recurrent weights of z and r
        weight_h: Tensor,  # (H, H)
        weight_c: Tensor,  # (C, 3H)
        v: Tensor,  # (A,), 2 v
    ) -> tuple[Tensor, Tensor, Tensor]:
        T, (B, S, A), H, C = drive.shape[0], keys.shape, s.shape[1], memory.shape[2]
        narrow = weight_h.dtype
        gates = drive[..., : 2 * H].to(s.dtype, copy=True, memory_format=torch.contiguous_format)
        news = drive[..., 2 * H :].to(s.dtype, copy=True, memory_format=torch.contiguous_format)
        states, contexts = s.new_empty(T, B, H), s.new_empty(T, B, C)
        alphas, queries = s.new_empty(T, B, S), s.new_empty(T, B, A, dtype=narrow)
        first, squash = s, torch.empty_like(keys)
        of_s, of_c = product_with(weight_s, B), product_with(weight_c, B)
        of_new = product_with(weight_h, B)
        for t in range(T):
            gate, new, context = gates[t], news[t], contexts[t]
            from_s = of_s(s.to(narrow))
            queries[t] = from_s[:, :A]
            torch.add(keys, queries[t][:, None], out=squash).sigmoid_()
            scores = torch.mv(squash.view(B * S, A), v).view(B, S)  # eq. 1
            alpha = torch.softmax(scores.masked_fill_(is_pad, -math.inf), dim=1)  # eq. 2
            alphas[t] = alpha
            torch.bmm(alpha[:, None], memory, out=context[:, None])  # eq. 3
            from_c = of_c(context.to(narrow))
            gate.add_(from_s[:, A:]).add_(from_c[:, : 2 * H]).sigmoid_()
            z, r = gate[:, :H], gate[:, H:]
            new.add_(of_new((r * s).to(narrow))).add_(from_c[:, 2 * H :]).tanh_()
            s = torch.sub(s, new, out=states[t]).mul_(z).add_(new)  # eq. 4
        ctx.save_for_backward(
            keys, memory, gates, news, states, contexts, alphas, queries, first, weight_s, weight_h,
            weight_c, v,
        )  # fmt: skip
        ctx.types = drive.dtype, keys.dtype
        ctx.mark_non_differentiable(alphas)
        return states, contexts, alphas

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_states: Tensor, d_contexts: Tensor, _: Tensor
    ) -> tuple[Tensor | None, ...]:  # fmt: skip
        (keys, memory, gates, news, states, contexts, alphas, queries, first, weight_s, weight_h,
         weight_c, v) = ctx.saved_tensors  # fmt: skip
        with torch.autocast(states.device.type, enabled=False):
            before = torch.cat([first[None], states[:-1]])
            d_drive, d_queries, d_c, d_keys, d_v, d_s = _walk_back(
                d_states, d_contexts, before, keys, memory, gates, news, alphas, queries, weight_s,
                weight_h, weight_c, v,
            )  # fmt: skip
            T, B, H = states.shape
            narrow = weight_h.dtype
            flat = d_drive.view(T * B, 3 * H)
            d_from_s = torch.cat([d_queries.view(T * B, -1), flat[:, : 2 * H]], dim=1)
            d_weight_s = before.view(T * B, H).to(narrow).t() @ d_from_s
            reset = (gates[..., H:] * before).view(T * B, H).to(narrow)
            d_weight_h = reset.t() @ flat[:, 2 * H :]
            d_weight_c = contexts.view(T * B, -1).to(narrow).t() @ flat
            d_memory = torch.bmm(alphas.permute(1, 2, 0), d_c.transpose(0, 1))
        drive_type, keys_type = ctx.types
        return (
            d_drive.to(drive_type), d_keys.to(keys_type), d_memory, None, d_s, d_weight_s,
            d_weight_h, d_weight_c, d_v,
        )  # fmt: skip


def _walk_back(
    d_states: Tensor, d_contexts: Tensor, before: Tensor, keys: Tensor, memory: Tensor,
    gates: Tensor, news: Tensor, alphas: Tensor, queries: Tensor, weight_s: Tensor,
    weight_h: Tensor, weight_c: Tensor, v: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Go back through the steps; shapes as in `_Unrolled`.

    What eq. 1 squashes is found again, which takes no longer than to fetch it from memory.

    Returns:
        The gradients of the drive (T, B, 3H), the queries 2 W_a s (T, B, A), the contexts
        (T, B, C), the keys, 2 v, and the first state.
    """
    (T, B, H), (S, A) = before.shape, keys.shape[1:]
    narrow = weight_h.dtype
    back_s, back_c = product_with(weight_s.t(), B), product_with(weight_c.t(), B)
    back_new = product_with(weight_h.t(), B)
    d_drive = before.new_empty(T, B, 3 * H, dtype=narrow)
    d_queries = before.new_empty(T, B, A, dtype=narrow)
    d_c = d_contexts.to(before.dtype, copy=True)
    d_keys, d_v = torch.zeros_like(keys), torch.zeros_like(v)
    d_s, d_gate = torch.zeros_like(before[0]), torch.empty_like(gates[0])
    slope, squash = torch.empty_like(keys), torch.empty_like(keys)
    for t in range(T - 1, -1, -1):
        s, new, gate, alpha = before[t], news[t], gates[t], alphas[t]
        z, r = gate[:, :H], gate[:, H:]
        d_s += d_states[t]
        torch.mul(d_s, s - new, out=d_gate[:, :H])  # eq. 4
        d_new = d_s - d_s * z
        tanh_backward(d_new, new, grad_input=d_new)
        d_drive[t, :, 2 * H :] = d_new
        d_reset = back_new(d_drive[t, :, 2 * H :].contiguous()).to(s.dtype)
        torch.mul(d_reset, s, out=d_gate[:, H:])
        sigmoid_backward(d_gate, gate, grad_input=d_gate)
        d_drive[t, :, : 2 * H] = d_gate
        d_c[t] += back_c(d_drive[t])
        d_alpha = torch.bmm(d_c[t][:, None], memory.transpose(1, 2)).squeeze(1)  # eq. 3
        d_score = alpha * (d_alpha - (alpha * d_alpha).sum(1, keepdim=True))  # eq. 2
        torch.add(keys, queries[t][:, None], out=squash).sigmoid_()
        flat_score = d_score.view(B * S)
        d_v.addmv_(squash.view(B * S, A).t(), flat_score)  # eq. 1
        torch.addcmul(squash, squash, squash, value=-1.0, out=slope)
        d_keys.addcmul_(d_score[:, :, None], slope)
        d_queries[t] = torch.bmm(d_score[:, None], slope).squeeze(1).mul_(v)
        both = torch.cat([d_queries[t], d_drive[t, :, : 2 * H]], dim=1)
        d_s.mul_(z).addcmul_(d_reset, r).add_(back_s(both))
    return d_drive, d_queries, d_c, d_keys.mul_(v), d_v, d_s


class AttentiveGRU(nn.Module):
    """Gated recurrent units with the alignment model.

    The recurrent weights start orthogonal, the others uniform in +-1/sqrt(fan-in).

    Args:
        input_size: D, of what is read at each step.
        memory_size: C.
        num_units: H.
        num_alignment: A, hidden units of the alignment model.
    """

    def __init__(
        self, input_size: int, memory_size: int, num_units: int, num_alignment: int
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_units, self.num_alignment = num_units, num_alignment
        self.weight_x = nn.Parameter(torch.empty(3 * num_units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * num_units, num_units))
        self.weight_c = nn.Parameter(torch.empty(3 * num_units, memory_size))
        self.bias = nn.Parameter(torch.zeros(3 * num_units))
        self.query = nn.Parameter(torch.empty(num_alignment, num_units))
        self.key = nn.Parameter(torch.empty(num_alignment, memory_size))
        self.v = nn.Parameter(torch.zeros(num_alignment))
        for weight in (self.weight_x, self.weight_c, self.query, self.key, self.v[None]):
            bound = 1 / math.sqrt(weight.shape[1])
            with torch.no_grad():
                weight.uniform_(-bound, bound)
        for block in self.weight_hh.data.chunk(3):
            nn.init.orthogonal_(block)

    def keys(self, memory: Float[Tensor, "B S C"]) -> Float[Tensor, "B S A"]:
        """Return U_a M, which is the same at every step."""
        return F.linear(memory, self.key)

    def forward(
        self,
        inputs: Float[Tensor, "T B D"],
        memory: Float[Tensor, "B S C"],
        is_pad: Bool[Tensor, "B S"],
        s: Float[Tensor, "B H"],
    ) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "T B C"], Float[Tensor, "T B S"]]:
        """Advance T steps; return all states, contexts and alignments.

        Args:
            inputs: x_i.
            memory: M.
            is_pad: places that are no memory.
            s: the state before the first step.
        """
        H, narrow = self.num_units, narrow_type(self.weight_hh)
        drive = F.linear(inputs, self.weight_x, self.bias)
        keys = F.linear(memory, 2 * self.key)
        weight_s = torch.cat([2 * self.query, self.weight_hh[: 2 * H]]).to(narrow).t()
        weight_h, weight_c = self.weight_hh[2 * H :].to(narrow).t(), self.weight_c.to(narrow).t()
        wide = self.bias.dtype
        with torch.autocast(drive.device.type, enabled=False):
            return _Unrolled.apply(
                drive, keys.to(wide), memory.to(wide), is_pad, s.to(wide), weight_s, weight_h,
                weight_c, 2 * self.v,
            )  # fmt: skip

    def step(
        self,
        inputs: Float[Tensor, "R D"],
        memory: Float[Tensor, "B S C"],
        keys: Float[Tensor, "B S A"],
        is_pad: Bool[Tensor, "B S"],
        s: Float[Tensor, "R H"],
    ) -> tuple[Float[Tensor, "R H"], Float[Tensor, "R C"], Float[Tensor, "R S"]]:
        """Advance one step of R = B K rows, K for each memory; return state, context, alignment."""
        (B, _, A), H = keys.shape, self.num_units
        query = F.linear(s, self.query).view(B, -1, 1, A)
        squashed = (query + keys[:, None]).mul_(2).sigmoid_()
        scores = squashed @ (2 * self.v)  # eq. 1 but for a constant, (B, K, S)
        alpha = torch.softmax(scores.masked_fill(is_pad[:, None], -math.inf), dim=2)  # eq. 2
        context = torch.bmm(alpha, memory).flatten(0, 1)  # eq. 3
        drive = F.linear(inputs, self.weight_x, self.bias) + F.linear(context, self.weight_c)
        z, r = torch.sigmoid(
            drive[:, : 2 * H] + F.linear(s, self.weight_hh[: 2 * H])
        ).chunk(2, dim=1)  # fmt: skip
        new = torch.tanh(drive[:, 2 * H :] + F.linear(r * s, self.weight_hh[2 * H :]))
        return z * s + (1 - z) * new, context, alpha.flatten(0, 1)  # eq. 4
