"""The net that learned what people are from who is what to whom.

Reference: Hinton, G. E. (1986). Learning distributed representations of concepts. Proceedings of
the Eighth Annual Conference of the Cognitive Science Society, 1-12; the same net in Rumelhart,
Hinton & Williams (1986), Nature 323, 533-536, figures 2 to 4, the review's reference 27.

What was new. Of a person the net is told nothing but an own input unit. Six units behind the 24
come to encode nationality, generation and branch of the family, because that is what it takes to
answer; facts that it was never told follow from the code.

Equation -> function

    24 people -> 6 units, 12 relations -> 6 units, these -> 12 -> 6 -> 24 (figure 3)   FamilyTrees
    y = 1 / (1 + exp(-x))                                                         (eq. 2)
    E = sum (y - d)^2 / 2 (eq. 3), d 0.8 for the right people and 0.2 for all others, and no error
      above 0.8 and below 0.2 (caption of figure 4)                                     descend
    w <- w - e dE/dw + a (the last change)                          (eq. 9)       stages, RECIPE
    every weight shrinks by 0.2 % after each change (caption of figure 4)               shrink

Table -> Config (caption of figure 4): e = 0.005 and a = 0.5 for the first 20 sweeps, then 0.01 and
0.9; 1,500 sweeps through 100 of the 104 cases. Initial weights are in [-0.3, 0.3], as the caption
of figure 1 has them for another net; for this one none are printed. 24 x 6 + 6 and 12 x 6 + 6,
12 x 12 + 12, 12 x 6 + 6, 6 x 24 + 24: 630 weights, biases included.

**Departures**

1. Rate 0.1 and 16,000 sweeps in place of 0.01 and 1,500: at the paper's rate the net stays on the
   plateau at which the error of 24 outputs begins, for most splits and initial weights.
2. Weights shrink by 0.4 % a sweep.
3. Which four questions are held out is drawn by the seed; all their answers are held out with them.
4. Rate and momentum are the same in the first 20 sweeps as later.
5. Files with other numbers of people and relations are taken: K subjects, R relations, M objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import FactSpec
from samoyed.core.stage import Recipe, Stage

REFERENCE = Reference(
    title="Learning distributed representations of concepts",
    authors="Hinton, G. E.",
    year=1986,
    venue="Proceedings of the Eighth Annual Conference of the Cognitive Science Society, 1-12",
    url="https://www.cs.toronto.edu/~hinton/absps/families.pdf",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, momentum=0.9, batch_size=1, epochs=16_000,
    schedule="constant", precision="float32",
)  # fmt: skip

OFF, ON = 0.2, 0.8  # what output units should be


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        code_size: units that encode a subject, and as many a relation.
        hidden_size: units that see both codes.
        answer_size: units that encode the answer.
        spread: initial weights are drawn from U(-spread, spread).
        shrinkage: by which every weight shrinks in a sweep.
        has_slack: outputs beyond 0.2 and 0.8 make no error.
    """

    code_size: int = 6
    hidden_size: int = 12
    answer_size: int = 6
    spread: float = 0.3
    shrinkage: float = 0.004
    has_slack: bool = True


def build(config: Config, spec: FactSpec) -> FamilyTrees:
    """Build the net for these facts."""
    return FamilyTrees(config, spec)


# B batch, K subjects, R relations, M objects, C units of a code


class FamilyTrees(nn.Module):
    """Two codes, and layers of logistic units from them to the objects.

    Args:
        config: the dials.
        spec: the names.
    """

    def __init__(self, config: Config, spec: FactSpec) -> None:
        super().__init__()
        self.config = config
        self.subject = nn.Linear(len(spec.subjects), config.code_size)
        self.relation = nn.Linear(len(spec.relations), config.code_size)
        self.hidden = nn.Linear(2 * config.code_size, config.hidden_size)
        self.answer = nn.Linear(config.hidden_size, config.answer_size)
        self.output = nn.Linear(config.answer_size, len(spec.objects))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -config.spread, config.spread)

    def forward(self, questions: Int[Tensor, "B 2"]) -> Logits:
        """Return the sums at the output units, (B, M)."""
        subject = _given(self.subject, questions[:, 0])
        relation = _given(self.relation, questions[:, 1])
        code = torch.sigmoid(torch.cat([subject, relation], 1))
        y = torch.sigmoid(self.hidden(code))
        return Logits(self.output(torch.sigmoid(self.answer(y))))

    @torch.no_grad()
    def codes(self) -> Float[Tensor, "K C"]:
        """Return what the code units give for each subject."""
        return torch.sigmoid(self.subject.weight.t() + self.subject.bias)


def _given(layer: nn.Linear, which: Int[Tensor, " B"]) -> Float[Tensor, "B C"]:
    """Return a layer's sums where one input unit is on and all others are off."""
    return F.embedding(which, layer.weight.t()) + layer.bias


def descend(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return E, summed over the cases as the paper does."""
    assert isinstance(model, FamilyTrees)
    assert batch.targets is not None
    y = torch.sigmoid(model(batch.inputs).values)
    low, high = torch.full_like(y, OFF), torch.full_like(y, ON)
    if model.config.has_slack:
        low, high = y.detach().clamp(max=OFF), y.detach().clamp(min=ON)
    return (y - torch.where(batch.targets > 0.5, high, low)).square().sum() / 2


def shrink(model: nn.Module, step: int) -> None:
    """Let every weight shrink, after each change."""
    assert isinstance(model, FamilyTrees)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 - model.config.shrinkage)


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with the error and the descent of the paper.

    Args:
        model: the net.
        config: its dials.
        feed: not used.
        stage: its questions, rate and number of sweeps are kept.
        seed: not used.
    """

    def by_eq_9(model: nn.Module) -> torch.optim.Optimizer:
        optimizer = stage.optimizer(model)
        for group in optimizer.param_groups:
            if "nesterov" in group:
                group["nesterov"] = False
        return optimizer

    yield replace(stage, objective=descend, optimizer=by_eq_9, after_step=shrink)
