"""A simple recurrent net whose gradient neither explodes nor vanishes.

Reference: Pascanu, R., Mikolov, T. & Bengio, Y. (2013). On the difficulty of training recurrent
neural networks. ICML 30, 1310-1318.

What was new. A gradient explodes where the error has a wall, so a step is shortened to a given
length there and keeps its direction; and a regulariser asks that the error, on its way back through
time, keep its norm. With both, a plain net learns what came first a hundred steps ago.

Equation -> function

    x_t = W s(x_{t-1}) + U u_t + b (eq. 2)                              -> layers.recurrence
    g <- threshold g / norm(g) if norm(g) >= threshold (algorithm 1)    -> `clip_norm` of RECIPE
    Omega (eq. 9), and its immediate derivative by W alone (eq. 10)     -> layers.recurrence.omega
    E + weight Omega                                                    -> descend

Table -> Config (section 4.1.1): 50 tanh units, rate 0.01, threshold 1, weight of Omega 4 on the
temporal order problem, batches of 20, at most 5,000,000 updates. All weights are drawn from
N(0, 0.1), read here as the standard deviation ("basic tanh"), or W is sparse with a spectral radius
of 0.95 ("smart tanh"): `radius`.

For temporal order: 8 inputs, 4 answers: 50 x (50 + 8 + 1) + 4 x 51 = 3,154 weights.

**Departures**

1. Sequences of a batch have one length; in the paper a batch is filled up to the longest.
2. Omega counts only steps at which a gradient arrives (a norm above 1e-20).
3. Omega's mean over the batch is taken after the ratio of norms of every single sequence, as eq. 9
   is written.
4. W is dense under `radius` too, where "smart tanh" has 15 connections into each unit; those of
   inputs and outputs are uniform in +-1 / sqrt(fan-in) instead of normal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.recurrence import Course, Recurrence, gradients_at, omega, set_spectral_radius

REFERENCE = Reference(
    title="On the difficulty of training recurrent neural networks",
    authors="Pascanu, R., Mikolov, T. & Bengio, Y.",
    year=2013,
    venue="ICML 30, 1310-1318",
    review=82,
    url="https://proceedings.mlr.press/v28/pascanu13.html",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.01, momentum=0.0, batch_size=20, epochs=100,
    schedule="constant", clip_norm=1.0, precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        num_units: hidden units.
        radius: of the spectrum of W in the beginning; None draws W from N(0, 0.1^2), "basic tanh".
        omega_weight: how much the regulariser counts; 0 leaves it out.
    """

    num_units: int = 50
    radius: float | None = 0.95
    omega_weight: float = 4.0


def build(config: Config, spec: SequenceSpec) -> RegularisedRNN:
    """Build the net for sequences of this kind."""
    return RegularisedRNN(config, spec)


# B batch, T time, D input size, H units, K answers


class RegularisedRNN(nn.Module):
    """A recurrence and a read-out of its last state.

    Args:
        config: the dials.
        spec: the sequences.
    """

    def __init__(self, config: Config, spec: SequenceSpec) -> None:
        super().__init__()
        self.config = config
        self.hidden = Recurrence(spec.width, config.num_units, "tanh", spread=0.1)
        self.output = nn.Linear(config.num_units, spec.num_outputs)
        if config.radius is not None:
            set_spectral_radius(self.hidden.weight, config.radius)

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Logits:
        """Return the answers' values at the end, (B, K)."""
        return self.read_out(self.hidden(inputs))

    def read_out(self, course: Course) -> Logits:
        """Return the answers' values at the end of a course."""
        return Logits(self.output(course.outputs[-1]))


def descend(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return E + weight Omega; E is the mean squared error, or the cross-entropy of classes."""
    assert isinstance(model, RegularisedRNN)
    assert batch.targets is not None
    course = model.hidden(batch.inputs)
    values = model.read_out(course).values
    if batch.targets.is_floating_point():
        error = F.mse_loss(values[:, 0], batch.targets)
    else:
        error = F.cross_entropy(values, batch.targets)
    if model.config.omega_weight == 0:
        return error
    gradients = gradients_at(error, course.sums)
    penalty = omega(model.hidden.weight, course.outputs, gradients, "tanh")
    return error + model.config.omega_weight * penalty


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with Omega in its objective.

    Args:
        model: the net.
        config: its dials.
        feed: not used.
        stage: its sequences, rate and number of steps are kept.
        seed: not used.
    """
    yield replace(stage, objective=descend)
