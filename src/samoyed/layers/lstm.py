"""Long short-term memory, computed over a whole unrolled sequence at once.

Reference: Hochreiter & Schmidhuber 1997 (Neural Computation 9:1735) with the forget gate of Gers,
Schmidhuber & Cummins 2000 (Neural Computation 12:2451). With [i f o g] the four rows of blocks of
`W_x x_t + W_h h_{t-1} + b`:

    c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)                                              (1)
    h_t = sigmoid(o) tanh(c_t)                                                                 (2)

`lstm_step` is these two lines. `LSTM` computes the same over T steps, several times faster, by

* writing tanh(g) as 2 sigmoid(2 g) - 1, with the 2 multiplied into the weights beforehand, so that
  all four gates are one sigmoid over one contiguous (B, 4H) buffer;
* keeping u = -2 c instead of c, so that tanh(c) = 1 - 2 sigmoid(u) is a sigmoid, too, which takes a
  fifth of the time of a tanh;
* one matrix product for the input of all time steps, or, where the input is a symbol, none at all:
  the products of all V symbols with W_x are a table of V rows, and a time step looks its rows up;
* recurrent weights that are laid out once for all T products of a pass (`layers.packed`);
* a backward pass written by hand whose time loop holds one matrix product and a few element-wise
  lines; the gradients of the weights are single matrix products after the loop;
* buffers that are kept from one training step to the next (fresh memory has to be mapped page by
  page, which costs as much as the arithmetic between the matrix products).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.layers.dropout import dropout
from samoyed.layers.packed import narrow_type, product_with

# B batch, T time, D input size, H units, V symbols
State = tuple[Tensor, Tensor]
"""(h, c), each (B, H)."""

SHUT = 1e4
"""What drives a gate to exactly 0 or 1."""

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


def lstm_step(
    drive: Float[Tensor, "B G"],
    state: State,
    weight_hh: Float[Tensor, "G H"],
) -> State:
    """Advance one time step, eqs. 1 and 2.

    Args:
        drive: what the input contributes to the gates, W_x x_t + b, in the order i, f, o, g;
            G is 4 H.
        state: (h, c) before the step.
        weight_hh: W_h, recurrent weights.

    Returns:
        (h, c) after the step, each (B, H).
    """
    h, c = state
    i, f, o, g = (drive + F.linear(h, weight_hh)).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class Workspace:
    """Memory that is used again in the next training step instead of being allocated afresh.

    A buffer is either here or in the hands of one graph. A graph gives its buffers back when it has
    been walked backward; should it be walked again after another forward pass has taken them,
    autograd's own version check refuses.
    """

    def __init__(self) -> None:
        self._spare: dict[tuple[object, ...], list[Tensor]] = {}

    def take(self, *shape: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Return an uninitialised tensor."""
        spare = self._spare.get((shape, dtype, device))
        return spare.pop() if spare else torch.empty(shape, dtype=dtype, device=device)

    def give(self, *tensors: Tensor) -> None:
        """Take tensors back; all spare memory of other sizes is let go."""
        keys = {(tuple(t.shape), t.dtype, t.device) for t in tensors}
        if not keys <= self._spare.keys():
            self._spare = {key: spare for key, spare in self._spare.items() if key in keys}
        for tensor in tensors:
            key = (tuple(tensor.shape), tensor.dtype, tensor.device)
            self._spare.setdefault(key, []).append(tensor.detach())

    def __deepcopy__(self, memo: dict[int, Any]) -> Workspace:
        return Workspace()

    def __reduce__(self) -> tuple[type[Workspace], tuple[()]]:
        return Workspace, ()


class _Unrolled(torch.autograd.Function):
    """T steps of eqs. 1 and 2 over packed weights (see `_Packed`), and their gradient.

    All is sigmoid here: s = sigmoid(2 g) and tanh(g) = 2 s - 1; u = -2 c and tanh(c) =
    1 - 2 sigmoid(u).
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,  # (T, B, D), or with symbols the table (V, 4H)
        symbols: Tensor | None,  # (T, B)
        weight_x: Tensor | None,  # (4H, D), None with symbols
        bias: Tensor | None,  # (4H,), None with symbols
        weight_h: Tensor,  # (4H, H)
        h: Tensor,  # (B, H)
        c: Tensor,  # (B, H)
        workspace: Workspace,
        will_learn: bool,
        is_pad: Tensor | None,  # (T, B)
    ) -> tuple[Tensor, Tensor, Tensor]:
        workspace = workspace if will_learn else Workspace()
        T, B = (inputs if symbols is None else symbols).shape[:2]
        H, D = weight_h.shape[1], inputs.shape[-1]
        wide = {"dtype": c.dtype, "device": c.device}
        gates = workspace.take(T, B, 4 * H, **wide)  # type: ignore[arg-type]
        cells = workspace.take(T, B, H, **wide)  # type: ignore[arg-type]
        squashed = workspace.take(T, B, H, **wide)  # type: ignore[arg-type]
        outputs = weight_h.new_empty(T, B, H)
        first_h, u = h.to(weight_h.dtype), c * -2.0
        first_u = u
        rows: tuple[Tensor | None, ...] = (None,) * T
        if symbols is None:
            _project(gates.view(T * B, 4 * H), inputs.reshape(T * B, D), weight_x, bias)
        else:
            rows = symbols.unbind(0)
        h, recurrent = first_h, product_with(weight_h.t(), B)
        shut = (None,) * T if is_pad is None else is_pad[..., None].unbind(0)
        for row, pad, gate, (i, f, o, s), output, cell, squash in zip(
            rows, shut, gates.unbind(0), _parts(gates), outputs.unbind(0), cells.unbind(0),
            squashed.unbind(0), strict=True,
        ):  # fmt: skip
            if row is not None:
                torch.index_select(inputs, 0, row, out=gate)
            gate.add_(recurrent(h))
            if pad is not None:
                i.masked_fill_(pad, -SHUT)
                f.masked_fill_(pad, SHUT)
            gate.sigmoid_()
            torch.mul(f, u, out=cell).addcmul_(i, s, value=-4.0).add_(i, alpha=2.0)  # eq. 1
            torch.sigmoid(cell, out=squash)
            torch.addcmul(o, o, squash, value=-2.0, out=output)  # eq. 2
            h, u = output, cell
        last_h, last_c = h.to(wide["dtype"], copy=True), u * -0.5  # type: ignore[call-overload]
        if will_learn:
            ctx.workspace, ctx.num_rows, ctx.is_walked = workspace, inputs.shape[0], False
            ctx.save_for_backward(
                None if symbols is not None else inputs,
                symbols, weight_x, weight_h, gates, cells, squashed, outputs, first_h, first_u,
            )  # fmt: skip
        return outputs, last_h, last_c

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_outputs: Tensor, d_last_h: Tensor, d_last_c: Tensor
    ) -> tuple[Tensor | None, ...]:
        inputs, symbols, weight_x, weight_h, gates, cells, squashed, outputs, h, u = (
            ctx.saved_tensors
        )
        T, B, H = outputs.shape
        with torch.autocast(gates.device.type, enabled=False):
            d_gates = ctx.workspace.take(T, B, 4 * H, dtype=weight_h.dtype, device=gates.device)
            d_h, d_c = _walk_back(
                d_gates, d_outputs, d_last_h, d_last_c, weight_h, gates, cells, squashed, u
            )
            flat = d_gates.view(T * B, 4 * H)
            d_weight_h = torch.mm(flat.t(), torch.cat([h, outputs[:-1].reshape(-1, H)]))
            d_inputs = d_weight_x = d_bias = None
            if symbols is None:
                d_weight_x = torch.mm(flat.t(), inputs.reshape(T * B, -1))
                d_bias = flat.sum(0).to(gates.dtype)  # summed in float32, rounded once
                d_inputs = torch.mm(flat, weight_x).view(T, B, -1)
            else:
                d_inputs = torch.ops.aten.embedding_dense_backward(
                    flat.to(gates.dtype), symbols.reshape(-1), ctx.num_rows, -1, False
                )
        kept = () if ctx.is_walked else (gates, cells, squashed)
        ctx.workspace.give(d_gates, *kept)
        ctx.is_walked = True
        return d_inputs, None, d_weight_x, d_bias, d_weight_h, d_h, d_c, None, None, None


def _project(out: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
    """Write x W^T + b into `out`, which may be of a wider number format."""
    assert weight is not None
    assert bias is not None
    if out.dtype == x.dtype:
        torch.addmm(bias, x, weight.t(), out=out)
    else:
        torch.add(torch.mm(x, weight.t()), bias, out=out)


def _parts(gates: Tensor) -> list[tuple[Tensor, ...]]:
    """Return views of the four gates of every step, (B, H) each, cut once."""
    return list(zip(*(part.unbind(0) for part in gates.chunk(4, dim=2)), strict=True))


def _walk_back(
    d_gates: Tensor,  # (T, B, 4H), written
    d_outputs: Tensor,  # (T, B, H)
    d_last_h: Tensor,  # (B, H)
    d_last_c: Tensor,  # (B, H)
    weight_h: Tensor,  # (4H, H)
    gates: Tensor,  # (T, B, 4H)
    cells: Tensor,  # (T, B, H), u
    squashed: Tensor,  # (T, B, H), sigmoid(u)
    first_u: Tensor,  # (B, H)
) -> tuple[Tensor, Tensor]:
    """Go back through time: fill `d_gates`, return the gradients of the first h and c."""
    back = product_with(weight_h, gates.shape[1])
    d_u = d_last_c * -0.5
    d_h = d_last_h.clone()
    d_outputs = d_outputs.to(d_h.dtype)
    part, raw = torch.empty_like(d_u), gates.new_empty(gates.shape[1:])
    d_i, d_f, d_o, d_s = raw.chunk(4, dim=1)
    gate_t, squash_t, d_gate_t = gates.unbind(0), squashed.unbind(0), d_gates.unbind(0)
    part_t = _parts(gates)
    before_t, d_output_t = (first_u, *cells.unbind(0)), d_outputs.unbind(0)
    for t in range(len(gate_t) - 1, -1, -1):
        gate, squash, (i, f, o, s) = gate_t[t], squash_t[t], part_t[t]
        d_h.add_(d_output_t[t])
        torch.addcmul(d_h, d_h, squash, value=-2.0, out=d_o)
        torch.mul(d_h, o, out=part)
        d_u.add_(_sigmoid_backward(part, squash, grad_input=part), alpha=-2.0)
        torch.mul(d_u, before_t[t], out=d_f)
        torch.mul(d_u, -4.0, out=part)
        torch.mul(part, s, out=d_i).add_(d_u, alpha=2.0)
        torch.mul(part, i, out=d_s)
        d_u.mul_(f)
        if raw.dtype == d_gates.dtype:
            _sigmoid_backward(raw, gate, grad_input=d_gate_t[t])
        else:
            d_gate_t[t].copy_(_sigmoid_backward(raw, gate, grad_input=raw))
        d_h.copy_(back(d_gate_t[t]))
    return d_h, d_u.mul_(-2.0)


class _Packed(torch.autograd.Function):
    """Rows of g doubled, so that tanh(g) = 2 sigmoid(2 g) - 1 can use the common sigmoid.

    In the number format of the products, in one pass there and one back: doubling is exact.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, num_units: int, dtype: torch.dtype) -> Tensor:
        ctx.of_g, ctx.dtype = slice(3 * num_units, None), weight.dtype
        packed = weight.to(dtype, copy=True)
        packed[ctx.of_g].mul_(2)
        return packed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_packed: Tensor) -> tuple[Tensor, None, None]:
        d_weight = d_packed.to(ctx.dtype, copy=True)
        d_weight[ctx.of_g].mul_(2)
        return d_weight, None, None


class LSTM(nn.Module):
    """One layer of LSTM units with forget gates, without peepholes.

    Weights start uniform in +-1/sqrt(H), biases at zero except those of the forget gates.

    Args:
        input_size: D, how many numbers a time step brings.
        num_units: H, how many units remember.
        forget_bias: bias of the forget gates at the start; 1 lets the cells remember at first
            (Gers et al. 2000, sec. 3).
        weight_dropout: probability with which each recurrent weight is left out of a training
            step (DropConnect, Wan et al. 2013; on recurrent weights Merity et al. 2018).
    """

    def __init__(
        self,
        input_size: int,
        num_units: int,
        *,
        forget_bias: float = 1.0,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_size, self.num_units = input_size, num_units
        self.forget_bias, self.weight_dropout = forget_bias, weight_dropout
        self.weight_ih = nn.Parameter(torch.empty(4 * num_units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * num_units, num_units))
        self.bias = nn.Parameter(torch.empty(4 * num_units))
        self.workspace = Workspace()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        bound = 1 / math.sqrt(self.num_units)
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.uniform_(self.weight_hh, -bound, bound)
        nn.init.zeros_(self.bias)
        with torch.no_grad():
            self.bias[self.num_units : 2 * self.num_units] = self.forget_bias

    def start(self, batch_size: int) -> State:
        """Return the empty memory, (h, c) = 0."""
        zero = self.bias.new_zeros(batch_size, self.num_units)
        return zero, zero.clone()

    def forward(
        self,
        inputs: Float[Tensor, "T B D"],
        state: State,
        is_pad: Bool[Tensor, "T B"] | None = None,
    ) -> tuple[Float[Tensor, "T B H"], State]:
        """Advance T steps; return all h_t and the state after the last step.

        Args:
            inputs: x_t.
            state: the state before the first step.
            is_pad: where rows are filled up: the cells stay as they are there, so that a row that
                is filled up at its beginning starts where its inputs do, from the empty state.
        """
        narrow = narrow_type(self.weight_ih)
        weight_x, bias = self._pack(self.weight_ih, narrow), self._pack(self.bias)
        return self._unroll(inputs.to(narrow), None, weight_x, bias, state, is_pad)

    def of_symbols(
        self,
        symbols: Int[Tensor, "T B"],
        embedding: Float[Tensor, "V D"],
        state: State,
    ) -> tuple[Float[Tensor, "T B H"], State]:
        """Do `forward(embedding[symbols], state)` with V input products where T * B are more."""
        if len(embedding) > symbols.numel():
            return self(F.embedding(symbols, embedding), state)
        weight_x, bias = self._pack(self.weight_ih), self._pack(self.bias)
        with torch.autocast(embedding.device.type, enabled=False):
            table = F.linear(embedding, weight_x, bias)
        return self._unroll(table, symbols, None, None, state)

    def step(self, inputs: Float[Tensor, "B D"], state: State) -> State:
        """Advance one step."""
        return lstm_step(F.linear(inputs, self.weight_ih, self.bias), state, self.weight_hh)

    def _unroll(
        self,
        inputs: Tensor,
        symbols: Tensor | None,
        weight_x: Tensor | None,
        bias: Tensor | None,
        state: State,
        is_pad: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Run the unrolled recurrence in the number format that autocast asks for."""
        weight_hh = dropout(self.weight_hh, self.weight_dropout, self.training)
        weight_h = self._pack(weight_hh, narrow_type(weight_hh))
        with torch.autocast(self.weight_hh.device.type, enabled=False):
            outputs, h, c = _Unrolled.apply(
                inputs, symbols, weight_x, bias, weight_h, *state,
                self.workspace, torch.is_grad_enabled(), is_pad,
            )  # fmt: skip
        return outputs, (h, c)

    def _pack(self, weight: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Return a weight as the common sigmoid wants it (see `_Packed`)."""
        return _Packed.apply(weight, self.num_units, dtype or weight.dtype)
