"""Long short-term memory as it was printed in 1997: no forget gate, a gradient that is cut.

Reference: Hochreiter, S. & Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9,
1735-1780, the review's reference 79.

What was new. A cell with a self-connection of weight one: an error that reaches it stays there
unchanged for as long as it takes, the constant error carousel. An input gate keeps what is
irrelevant out of the cell, an output gate keeps its content from disturbing others.

Equation -> function (section 4 and appendix A.1)

    y_in = f(W_in z), y_out = f(W_out z), f(x) = 1 / (1 + exp(-x))  (eqs. 3, 7, 8)  MemoryBlocks
    s_c(t) = s_c(t-1) + y_in g(W_c z), g(x) = 4 f(x) - 2, s_c(0) = 0 (eqs. 5, 9)   MemoryBlocks.step
    y_c = y_out h(s_c), h(x) = 2 f(x) - 1                           (eqs. 4, 9)    MemoryBlocks.step
    z: the inputs, and what all cells and all gates gave one step before
    errors that arrive at W z go no further back in time (A.1, eqs. 12-14): z is taken as given
    the error of the output, (t - y)^2                              (eq. 16)        descend

Table -> Config. Experiment 4, adding (section 5.4): 2 blocks of 2 cells, fully connected among
themselves; the output sees the cells. 8 x (2 + 8 + 1) + 4 + 1 = 93 weights, as printed. Weights in
[-0.1, 0.1]; the input gates' biases at -3 and -6 in the beginning; rate 0.5.
Experiment 6a, temporal order (section 5.6): 2 blocks of 2 cells, 8 inputs, 4 outputs,
8 x (8 + 8 + 1) + 4 x 5 = 156 weights, as printed (6a); input gates at -2 and -4; rate 0.5.

**Departures**

1. A batch of 8 sequences of one length makes one update with the mean of their gradients, at a rate
   of 1 that falls to zero along a line; in the paper each sequence makes its own, always at 0.5.
2. Output units are logistic here too, but of several only the largest counts as the answer; the
   paper asks that every one be within 0.3 (section 5.6).
3. Training lasts as long as it is told to; in the paper until 2,000 sequences in a row are right.
4. Of several output units each comes to the probability of its class, as the squared error is least
   there; how sure an answer is, is its unit's share of their sum. The paper says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Count
from samoyed.core.reference import Reference
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe, Stage

REFERENCE = Reference(
    title="Long short-term memory",
    authors="Hochreiter, S. & Schmidhuber, J.",
    year=1997,
    venue="Neural Computation 9, 1735-1780",
    review=79,
    url="https://doi.org/10.1162/neco.1997.9.8.1735",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=1.0, momentum=0.0, batch_size=8, epochs=30,
    schedule="linear", precision="float32",
)  # fmt: skip

SPREAD = 0.1  # of the weights in the beginning


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        num_blocks: memory blocks, each with an input and an output gate.
        cells_per_block: cells that share a block's gates.
        in_gate_bias: of the first block's input gate in the beginning; the second's is twice that,
            and so on.
        is_truncated: cut the gradient where it would go back in time other than through a cell.
    """

    num_blocks: Count = 2
    cells_per_block: Count = 2
    in_gate_bias: float = -3.0
    is_truncated: bool = True


def build(config: Config, spec: SequenceSpec) -> LSTM1997:
    """Build the net for sequences of this kind."""
    return LSTM1997(config, spec)


# B batch, T time, D input size, S blocks, C cells of a block, N = S (C + 2) units, K answers


class MemoryBlocks(nn.Module):
    """Memory blocks that see the input and each other.

    Args:
        config: the dials.
        input_size: D.
    """

    def __init__(self, config: Config, input_size: int) -> None:
        super().__init__()
        S, C = config.num_blocks, config.cells_per_block
        self.config, self.num_cells, self.num_units = config, S * C, S * (C + 2)
        self.weight = nn.Parameter(torch.empty(self.num_units, input_size + self.num_units))
        self.bias = nn.Parameter(torch.empty(self.num_units))
        nn.init.uniform_(self.weight, -SPREAD, SPREAD)
        nn.init.uniform_(self.bias, -SPREAD, SPREAD)
        with torch.no_grad():
            self.bias[:S] = config.in_gate_bias * torch.arange(1, S + 1)

    def step(
        self, inputs: Float[Tensor, "B D"], before: Float[Tensor, "B N"], s: Float[Tensor, "B SC"]
    ) -> tuple[Float[Tensor, "B N"], Float[Tensor, "B SC"]]:
        """Advance one step.

        Args:
            inputs: of this step.
            before: what input gates, output gates and cells gave one step before, in this order.
            s: what the cells held.

        Returns:
            What they give, and what the cells hold.
        """
        S, C = self.config.num_blocks, self.config.cells_per_block
        z = torch.cat([inputs, before.detach() if self.config.is_truncated else before], 1)
        y = torch.sigmoid(F.linear(z, self.weight, self.bias))
        gates, g = y[:, : 2 * S], 4 * y[:, 2 * S :] - 2
        s = s + gates[:, :S].repeat_interleave(C, 1) * g
        given = gates[:, S:].repeat_interleave(C, 1) * (2 * torch.sigmoid(s) - 1)
        return torch.cat([gates, given], 1), s

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Float[Tensor, "B SC"]:
        """Return what the cells give at the end."""
        before = inputs.new_zeros(len(inputs), self.num_units)
        s = inputs.new_zeros(len(inputs), self.num_cells)
        for step in inputs.unbind(1):
            before, s = self.step(step, before, s)
        return before[:, -self.num_cells :]


class LSTM1997(nn.Module):
    """Memory blocks, and logistic outputs that see the cells.

    Args:
        config: the dials.
        spec: the sequences.
    """

    def __init__(self, config: Config, spec: SequenceSpec) -> None:
        super().__init__()
        self.has_classes = bool(spec.names)
        self.blocks = MemoryBlocks(config, spec.width)
        self.output = nn.Linear(self.blocks.num_cells, spec.num_outputs)
        nn.init.uniform_(self.output.weight, -SPREAD, SPREAD)
        nn.init.uniform_(self.output.bias, -SPREAD, SPREAD)

    def sums(self, inputs: Float[Tensor, "B T D"]) -> Float[Tensor, "B K"]:
        """Return what the output units squash at the end."""
        return self.output(self.blocks(inputs))

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Logits:
        """Return the answers' values at the end, (B, K): of a number y itself, of classes log y."""
        sums = self.sums(inputs)
        return Logits(F.logsigmoid(sums) if self.has_classes else torch.sigmoid(sums))


def descend(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return the squared error of a sequence, summed over outputs, mean over the batch."""
    assert isinstance(model, LSTM1997)
    assert batch.targets is not None
    y, wanted = torch.sigmoid(model.sums(batch.inputs)), batch.targets
    is_number = wanted.is_floating_point()
    wanted = wanted[:, None] if is_number else F.one_hot(wanted, y.shape[1]).float()
    return (y - wanted).square().sum(1).mean()


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with the error of the paper.

    Args:
        model: the net.
        config: its dials.
        feed: not used.
        stage: its sequences, rate and number of steps are kept.
        seed: not used.
    """
    yield replace(stage, objective=descend)
