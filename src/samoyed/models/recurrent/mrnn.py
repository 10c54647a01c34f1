"""The multiplicative recurrent network: the symbol that was read chooses the recurrent weights.

Reference: Sutskever, Martens & Hinton (2011), Generating text with recurrent neural networks,
Proceedings of the 28th International Conference on Machine Learning, 1017-1024; the review's
reference 83.

What was new. In a plain recurrent network a symbol only adds to the hidden units. Here it also
chooses how they act on each other: a matrix of recurrent weights for every symbol would be far too
large, so the matrix is a product of three whose middle is diagonal and depends on the symbol. It
wrote text one character at a time, with words, quotation marks and brackets that close.

Equation -> function

    f_t = diag(W_fx x_t) W_fh h_{t-1} (2011, eq. 7)             MRNN.step, _Unrolled
    h_t = tanh(W_hf f_t + W_hx x_t) (2011, eq. 8)               MRNN.step, _Unrolled
    o_t = W_oh h_t + b_o, P = softmax(o_t) (2011, eq. 9)        MRNN.read_out
    the gradient through time, by hand                          _Unrolled.backward

Table -> Config: the paper has 1,500 hidden units and 1,500 factors, which with its 86 symbols are
4.9 million parameters (2011, sec. 5.2); here 512 of each are the defaults, as minutes on a
processor are meant. `is_multiplicative=false` puts 1 in place of W_fx x_t: what is left is a plain
recurrent network of tanh units whose recurrent matrix is W_hf W_fh, the paper's eq. 1, with the
same number of products and all parameters but W_fx.

**Departures**

1. The paper trains with Hessian-free optimisation on 8 graphics processors for 5 days (2011, sec.
   5.2); products of weights, it says, are hard for plain descent (sec. 3.3). Here AdamW descends
   it, with its norm clipped and its rate falling to zero.
2. The text is cut into stretches of 32 symbols whose memory is carried over; the paper has 250, the
   first 50 of them read without being scored, from an empty memory (2011, sec. 5.2).
3. The rows of W_fx begin near 1, W_hf and W_fh with the variance 1 / fan-in; the paper's sparse
   initialisation belongs to its optimizer.
4. A dial drops out hidden units on their way to the outputs (Zaremba et al. 2014).
5. Eq. 8 has a bias here.
6. The paper damps the change of the hidden units (structural damping), a part of Hessian-free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.core.batch import SequenceLogits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe
from samoyed.layers.dropout import dropout

REFERENCE = Reference(
    title="Generating text with recurrent neural networks",
    authors="Sutskever, I., Martens, J. & Hinton, G. E.",
    year=2011,
    venue="Proceedings of the 28th International Conference on Machine Learning, 1017-1024",
    review=83,
    url="https://icml.cc/2011/papers/524_icmlpaper.pdf",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1e-3, batch_size=64, epochs=5, schedule="cosine", warmup=0.02,
    clip_norm=1.0, precision="float32",
)  # fmt: skip
"""At twice this rate the surprise of 1 MB of text leapt from 1.6 nats to 2.7, in bfloat16 to 4."""

GATE_STD = 0.1  # of the entries of W_fx around 1 at the start

# B batch, T time, V symbols, H hidden units, F factors
State = tuple[Tensor]
"""(B, H) the hidden units."""


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        num_units: H, hidden units (2011, sec. 5.2: 1,500).
        num_factors: F, rows of W_fh (2011, sec. 5.2: 1,500).
        is_multiplicative: whether the symbol scales the factors; if not, it is a plain network.
        dropout: share of the hidden units left out on their way to the outputs in training.
    """

    num_units: Count = 512
    num_factors: Count = 512
    is_multiplicative: bool = True
    dropout: Share = 0.2


class _Unrolled(torch.autograd.Function):
    """T steps of eqs. 7 and 8, and their gradient.

    The loop back through time holds two products and a few lines for each step; the gradients of
    the weights are single products over all steps after it.
    """

    @staticmethod
    def forward(
        ctx: Any,
        gates: Tensor,  # (T, B, F), W_fx x_t
        drive: Tensor,  # (T, B, H), W_hx x_t and the bias
        weight_fh: Tensor,  # (F, H)
        weight_hf: Tensor,  # (H, F)
        h: Tensor,  # (B, H)
    ) -> Tensor:
        first, outputs, shares = h, torch.empty_like(drive), torch.empty_like(gates)
        down, up = weight_fh.t(), weight_hf.t()
        for t in range(len(drive)):
            torch.mm(h, down, out=shares[t])  # W_fh h, before the gate
            h = torch.addmm(drive[t], shares[t] * gates[t], up).tanh_()
            outputs[t] = h
        ctx.save_for_backward(gates, weight_fh, weight_hf, first, outputs, shares)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor, ...]:
        gates, weight_fh, weight_hf, first, outputs, shares = ctx.saved_tensors
        d_drive, d_shares = torch.empty_like(outputs), torch.empty_like(shares)
        d_gates, d_h = torch.empty_like(gates), torch.zeros_like(first)
        for t in range(len(outputs) - 1, -1, -1):
            d_h = d_h + d_outputs[t]
            torch.mul(d_h, 1 - outputs[t] * outputs[t], out=d_drive[t])
            d_factor = d_drive[t] @ weight_hf
            torch.mul(d_factor, shares[t], out=d_gates[t])
            torch.mul(d_factor, gates[t], out=d_shares[t])
            d_h = d_shares[t] @ weight_fh
        before = torch.cat([first[None], outputs[:-1]]).flatten(0, 1)
        d_weight_fh = d_shares.flatten(0, 1).t() @ before
        d_weight_hf = d_drive.flatten(0, 1).t() @ (shares * gates).flatten(0, 1)
        return d_gates, d_drive, d_weight_fh, d_weight_hf, d_h


class MRNN(nn.Module):
    """Predict the next symbol from all symbols before it.

    Args:
        config: the dials.
        num_symbols: V.
    """

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config = config
        H, num_factors = config.num_units, config.num_factors
        self.W_fx = nn.Embedding(num_symbols, num_factors) if config.is_multiplicative else None
        self.W_hx = nn.Embedding(num_symbols, H)
        self.bias = nn.Parameter(torch.zeros(H))
        self.W_fh = nn.Parameter(torch.randn(num_factors, H) / math.sqrt(H))
        self.W_hf = nn.Parameter(torch.randn(H, num_factors) / math.sqrt(num_factors))
        self.W_oh = nn.Linear(H, num_symbols)
        if self.W_fx is not None:
            nn.init.normal_(self.W_fx.weight, 1.0, GATE_STD)
        nn.init.normal_(self.W_hx.weight, std=0.5)
        nn.init.zeros_(self.W_oh.bias)

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        return (self.bias.new_zeros(batch_size, self.config.num_units),)

    def gates(self, tokens: Int[Tensor, "*N"]) -> Float[Tensor, "*N F"]:
        """Return W_fx x, by which the factors are multiplied; 1 in the plain network."""
        if self.W_fx is None:
            return self.bias.new_ones(*tokens.shape, self.config.num_factors)
        return self.W_fx(tokens)

    def read_out(self, h: Float[Tensor, "*N H"]) -> Float[Tensor, "*N V"]:
        """Return o, eqs. 3 and 6."""
        return self.W_oh(dropout(h, self.config.dropout, self.training))

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Args:
            tokens: (B, T) symbols, whole numbers below V.
            state: the memory before the first of them, from `start` or an earlier call.

        Returns:
            Logits (B, T, V) and the memory after the last symbol.
        """
        symbols = tokens.t()
        device = self.bias.device.type
        is_cast = torch.is_autocast_enabled(device)
        narrow = torch.get_autocast_dtype(device) if is_cast else self.bias.dtype
        given = (
            self.gates(symbols), self.W_hx(symbols) + self.bias, self.W_fh, self.W_hf, *state,
        )  # fmt: skip
        with torch.autocast(device, enabled=False):
            outputs = _Unrolled.apply(*(part.to(narrow) for part in given))
        values = self.read_out(outputs).transpose(0, 1)
        return SequenceLogits(values, (outputs[-1].to(self.bias.dtype),))

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logits of the next and the memory (eqs. 10 and 11)."""
        factors = self.gates(token) * F.linear(state[0], self.W_fh)
        h = torch.tanh(F.linear(factors, self.W_hf) + self.W_hx(token) + self.bias)
        return self.read_out(h), (h,)


def build(config: Config, spec: TextSpec) -> MRNN:
    """Return the network for these symbols, with fresh weights."""
    return MRNN(config, len(spec))
