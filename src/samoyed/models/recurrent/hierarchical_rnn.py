"""A recurrent net of several time scales: slow units carry what is far away.

Reference: El Hihi, S. & Bengio, Y. (1996). Hierarchical recurrent neural networks for long-term
dependencies. Advances in Neural Information Processing Systems 8, 493-499, the review's
reference 80.

What was new. What is known beforehand about time goes into the structure: dependencies over long
spans concern what changes slowly. Units of a slow level are renewed only every so many steps and
hold their value between, so that an error passes through that many times fewer squashing functions.

Equation -> function

    level i of period p_i, where p_i divides t:
        h_i(t) = tanh(W_i h_i(t-1) + V_i h_{i-1}(t) + U_i u(t) + b_i)   -> Level.renewed
    and else h_i(t) = h_i(t-1)                                          -> HierarchicalRNN.forward
    the answer at the end sees all levels                               -> HierarchicalRNN.forward

Levels are renewed from the fastest to the slowest in the same step, and the fastest sees every
level as it was one step before: so what a slow level holds reaches the answer in one step.

For the adding problem: levels of 40 units with periods 1, 4 and 16:
40 x (40 + 80 + 2 + 1) + 2 x 40 x (40 + 40 + 2 + 1) + 121 = 11,681 weights, against 10,401 of
`elman` with 100 units.

**Departures**

1. The paper gives classes of structures (delays, and rates of sampling) and small nets for each of
   its tasks; this is the one with several rates of sampling, its sizes are ours.
2. Adam and a clipped gradient instead of plain descent.
3. One answer at the end of a sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count, Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe

REFERENCE = Reference(
    title="Hierarchical recurrent neural networks for long-term dependencies",
    authors="El Hihi, S. & Bengio, Y.",
    year=1996,
    venue="Advances in Neural Information Processing Systems 8, 493-499",
    review=80,
    url="https://papers.nips.cc/paper/1102-hierarchical-recurrent-neural-networks-for-long-term-dependencies",
)

RECIPE = Recipe(
    optimizer="adam", learning_rate=1e-3, batch_size=50, epochs=20, schedule="constant",
    clip_norm=1.0, precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        num_units: of each level.
        periods: of each level, from the fastest: how many steps pass until it is renewed.
    """

    num_units: Count = 40
    periods: Sizes = (1, 4, 16)

    def __post_init__(self) -> None:
        is_rising = all(0 < a < b for a, b in pairwise(self.periods))
        if not self.periods or self.periods[0] != 1 or not is_rising:
            raise ValueError("periods must rise from 1")


def build(config: Config, spec: SequenceSpec) -> HierarchicalRNN:
    """Build the net for sequences of this kind."""
    return HierarchicalRNN(config, spec)


# B batch, T time, D input size, H units of a level, K answers


class Level(nn.Module):
    """Units that are renewed together.

    Args:
        num_units: H.
        num_seen: how many numbers they see besides themselves.
    """

    def __init__(self, num_units: int, num_seen: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_units, num_units + num_seen))
        self.bias = nn.Parameter(torch.zeros(num_units))
        nn.init.normal_(self.weight, std=(num_units + num_seen) ** -0.5)

    def renewed(self, seen: list[Tensor]) -> Float[Tensor, "B H"]:
        """Return the units' new values from all that they see."""
        return torch.tanh(F.linear(torch.cat(seen, 1), self.weight, self.bias))


class HierarchicalRNN(nn.Module):
    """Levels from the fastest to the slowest, and a read-out of all of them.

    Args:
        config: the dials.
        spec: the sequences.
    """

    def __init__(self, config: Config, spec: SequenceSpec) -> None:
        super().__init__()
        self.config = config
        H, slower = config.num_units, len(config.periods) - 1
        self.levels = nn.ModuleList(
            [Level(H, slower * H + spec.width), *(Level(H, H + spec.width) for _ in range(slower))]
        )
        self.output = nn.Linear(H * len(config.periods), spec.num_outputs)

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Logits:
        """Return the answers' values at the end, (B, K)."""
        held = [inputs.new_zeros(len(inputs), self.config.num_units) for _ in self.levels]
        for t, u in enumerate(inputs.unbind(1)):
            for i, (level, period) in enumerate(zip(self.levels, self.config.periods, strict=True)):
                assert isinstance(level, Level)
                if t % period == 0:
                    seen = [*held, u] if i == 0 else [held[i], held[i - 1], u]
                    held[i] = level.renewed(seen)
        return Logits(self.output(torch.cat(held, 1)))
