"""The perceptron: fixed random association units, and responses that learn from mistakes.

Rosenblatt, F. (1957). The perceptron: a perceiving and recognizing automaton. Report 85-460-1,
Cornell Aeronautical Laboratory (its address here is that of the article which followed in 1958,
Psychological Review 65, 386-408); and Rosenblatt, F. (1962). Principles of neurodynamics. Spartan.
The bound on its mistakes is Novikoff's (1962, On convergence proofs on perceptrons); the average of
all weights is from Freund, Y. & Schapire, R. E. (1999). Large margin classification using the
perceptron algorithm. Machine Learning 37, 277-296.

What was new: a machine that is not programmed but shown examples. Whatever it answers right leaves
it unchanged; a mistake adds the active units to the weights of the right response and takes them
from those of the wrong one. If any weights answer everything right, it finds some after a bounded
number of mistakes.

Part of the machine -> here:

* sensory units: pixels, or the numbers and one-hot categories of a row    -> `FlatInputs`
* association units: each adds some sensory units and subtracts others, connections drawn once,
  and is active above a threshold                                          -> `Association`
* response units, and the error-correction rule                            -> `mistakes`
* Freund & Schapire, the mean of the weights after every example           -> `Perceptron.remember`
* Novikoff, at most (R / margin)^2 mistakes                                -> `mistake_bound`

Parameters for pictures and 10 classes: 10 x (2,000 + 1), together 20,010; connections do not learn.

**Departures**

1. An answer is one of K responses, the largest; the machine of 1957 had a response of two values.
   Where several questions are asked of a row, each has such a response.
2. A batch's mistakes are corrected together: with `batch_size` 1 it is Rosenblatt's rule exactly.
3. Classes that are tied count as a mistake, as in Novikoff's proof.
4. From weights of zero the rate changes no answer, only the scale of the sums; it is chosen so that
   their softmax, which reports show, is not always 0 or 1.
5. `is_averaged` answers with the mean of all weights, which Rosenblatt did not; without it, with
   the last ones. `num_units` 0 lets the responses see the sensory units themselves.
6. Besides pictures (at most `LARGEST_SIDE` pixels a side), rows of tables are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.flat_inputs import FlatInputs, num_outputs, small_picture

REFERENCE = Reference(
    title="The perceptron: a perceiving and recognizing automaton",
    authors="Rosenblatt, F.",
    year=1957,
    venue="Report 85-460-1, Cornell Aeronautical Laboratory",
    review=23,
    url="https://doi.org/10.1037/h0042519",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=1e-2, batch_size=10, epochs=10, momentum=0.0,
    schedule="constant",
)  # fmt: skip

LARGEST_SIDE = 32  # pixels


@dataclass(frozen=True)
class Config:
    """The machine.

    Args:
        num_units: association units; 0 for none.
        num_origins: sensory units that one association unit is connected to, half of them
            exciting, half of them inhibiting.
        threshold: what the sum must exceed.
        unit: active units give 1 (threshold), or what the threshold is exceeded by (rectifier).
        is_averaged: answer with the mean of all weights.
        wiring_seed: draws the connections.
    """

    num_units: Annotated[int, Ge(0)] = 2000
    num_origins: Annotated[int, Gt(0)] = 20
    threshold: float = 1.5
    unit: Literal["threshold", "rectifier"] = "threshold"
    is_averaged: bool = True
    wiring_seed: int = 1957


# Legend for shapes: B batch, D sensory units, A association units, O origins of one, K responses.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the machine takes for pictures of this natural size."""
    return small_picture(spec, LARGEST_SIDE)


def build(
    config: Config, spec: ImageSpec | TableSpec, target: LabelSpec | TargetSpec
) -> Perceptron:
    """Build the machine for these inputs and this question."""
    return Perceptron(config, spec, num_outputs(target))


class Association(nn.Module):
    """Units with fixed random connections: the sum of some inputs less the sum of others.

    Args:
        config: how many units, how many connections, what threshold.
        num_inputs: D.
    """

    wiring: Tensor

    def __init__(self, config: Config, num_inputs: int) -> None:
        super().__init__()
        self.threshold, self.is_binary = config.threshold, config.unit == "threshold"
        generator = torch.Generator().manual_seed(config.wiring_seed)
        shape = (config.num_units, config.num_origins)
        origins = torch.randint(num_inputs, shape, generator=generator)
        signs = torch.ones(config.num_origins)
        signs[config.num_origins // 2 :] = -1
        wiring = torch.zeros(config.num_units, num_inputs)
        wiring.scatter_add_(1, origins, signs.expand(shape).contiguous())
        self.register_buffer("wiring", wiring, persistent=False)

    def forward(self, inputs: Float[Tensor, "B D"]) -> Float[Tensor, "B A"]:
        """Return which units are active, as 0 and 1, or by how much."""
        above = F.linear(inputs.float(), self.wiring) - self.threshold
        return (above > 0).float() if self.is_binary else above.relu()


class Perceptron(nn.Module):
    """Sensory, association and response units.

    Args:
        config: the dials.
        spec: what the inputs are.
        num_answers: K.
    """

    mean_weight: Tensor
    mean_bias: Tensor
    num_seen: Tensor

    def __init__(self, config: Config, spec: ImageSpec | TableSpec, num_answers: int) -> None:
        super().__init__()
        self.is_averaged = config.is_averaged
        self.flat = FlatInputs(spec)
        width = config.num_units or self.flat.width
        self.associate = Association(config, self.flat.width) if config.num_units else nn.Identity()
        self.responses = nn.Linear(width, num_answers)
        nn.init.zeros_(self.responses.weight)
        nn.init.zeros_(self.responses.bias)
        self.register_buffer("mean_weight", torch.zeros(num_answers, width))
        self.register_buffer("mean_bias", torch.zeros(num_answers))
        self.register_buffer("num_seen", torch.zeros((), dtype=torch.long))

    def features(self, inputs: Float[Tensor, "B ..."]) -> Float[Tensor, "B A"]:
        """Return what the response units see."""
        return self.associate(self.flat(inputs))

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Logits:
        """Return the sums at the response units (B, K), by the mean weights when not training."""
        with torch.autocast(inputs.device.type, enabled=False):  # sums near a threshold need digits
            x = self.features(inputs)
            if self.training or not self.is_averaged:
                return Logits(self.responses(x))
            return Logits(F.linear(x, self.mean_weight, self.mean_bias))

    def remember(self) -> None:
        """Take the weights as they are now into the mean of all weights."""
        with torch.no_grad():
            self.num_seen += 1
            share = 1 / self.num_seen
            self.mean_weight += (self.responses.weight - self.mean_weight) * share
            self.mean_bias += (self.responses.bias - self.mean_bias) * share


def mistakes(sums: Float[Tensor, "B K"], targets: Tensor) -> Float[Tensor, ""]:
    """Return by how much wrong responses exceed right ones, summed over the mistakes of a batch.

    The gradient is the error-correction rule: at a mistake the units' activities are added to the
    weights of the wrong response and taken from those of the right one, descent turns the signs;
    and nothing changes where the answer was right.

    Args:
        sums: at the response units.
        targets: (B,) the right classes; or (B, K) 1, 0 or NaN for each of K yes-or-no responses.
    """
    if targets.is_floating_point():
        signs = (targets * 2 - 1).nan_to_num()
        return -(sums * signs)[(sums * signs <= 0) & (signs != 0)].sum()
    right = sums.gather(1, targets[:, None]).squeeze(1)
    rival = sums.scatter(1, targets[:, None], -torch.inf).amax(1)
    return (rival - right)[rival >= right].sum()


def correct(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return what the error-correction rule descends."""
    assert batch.targets is not None
    return mistakes(model(batch.inputs).values.float(), batch.targets)


def mistake_bound(
    features: Float[Tensor, "N A"], signs: Float[Tensor, " N"], weights: Float[Tensor, " A"]
) -> float:
    """Return Novikoff's (R / margin)^2 for weights that separate the examples.

    Args:
        features: what the response unit sees, the constant 1 of its threshold included.
        signs: -1 or 1, the right answers.
        weights: any that answer all of them right.
    """
    margin = (signs * (features @ weights)).min() / weights.norm()
    return float((features.norm(dim=1).max() / margin).square())


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the stage of error correction.

    Args:
        model: the machine.
        config: its dials.
        feed: not used.
        stage: the task's own stage; its examples, order and number of steps are kept.
        seed: not used.
    """

    def after_step(model: nn.Module, step: int) -> None:
        assert isinstance(model, Perceptron)
        model.remember()
        stage.after_step(model, step)

    yield replace(stage, objective=correct, after_step=after_step)
