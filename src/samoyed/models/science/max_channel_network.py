"""The max-channel network that won the Higgs boson challenge: a bag of nets of competing units.

Melis, G. (2015). Dissecting the winning solution of the HiggsML challenge. JMLR W&CP 42, 57-67; and
his model documentation (2014). The review's reference 10 is the challenge itself. The units are the
local winner-take-all of Srivastava, R. K., Masci, J., Kazerounian, S., Gomez, F. & Schmidhuber, J.
(2013). Compete to compute. NeurIPS 26.

What was new: in each group of three units the strongest fires and the others are silent, which did
better than rectifiers and maxout; first-layer units see ten inputs each; and the answer is the mean
of many networks.

Part of the paper -> here:

* max-channel units in groups of 3                                    -> `max_channel`
* three hidden layers of 600 units, softmax                           -> `Config`
* each unit of the first layer is connected to 10 inputs, sampled with replacement before training
                                                                      -> `drawn_links`
* dropout 0.5 on hidden units, none on inputs                         -> `MaxChannelNetwork.members`
* L1 5e-6 and L2 5e-5 on the first layer's weights                    -> `penalty`
* the probabilities of the bag are averaged                           -> `MaxChannelNetwork.forward`
* the challenge's score                                               -> `median_significance`

Parameters of one member for 30 numbers and 2 classes: 600 x 31 + 2 x 601 x 600 + 601 x 2, together
741,002, of which the first layer uses at most 600 x 10 weights.

**Departures**

1. The bag had 70 members, two for each of 35 splits of the data in halves. Here all members see all
   rows; they differ by initial weights, connections and dropout. 10 members by default: Melis found
   8 to 16 nearly as good.
2. Melis took the logarithm of features with long tails, dropped five angles and added ten features
   made for this data. Here a table is taken as it is; its numbers are scaled and clipped smoothly
   by the reader, and categories become one-hot.
3. Rate, momentum, batch and number of passes are not printed in the documentation; those of
   `RECIPE` are ours and were not tuned.
4. Melis chose the threshold of the answer for the challenge's score; here the likelier class is
   answered. `median_significance` gives the score for counts that a user has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.errors import OptionError
from samoyed.core.numbers import Count, CountOrNone, Share, Sizes, Weight
from samoyed.core.reference import Reference
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.layers.dropout import dropout
from samoyed.layers.flat_inputs import FlatInputs

REFERENCE = Reference(
    title="Dissecting the winning solution of the HiggsML challenge",
    authors="Melis, G.",
    year=2015,
    venue="JMLR Workshop and Conference Proceedings 42, 57-67",
    review=10,
    url="https://proceedings.mlr.press/v42/meli14.html",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, batch_size=100, epochs=30, momentum=0.9,
    schedule="linear", clip_norm=5.0,
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The networks of the winning bag.

    Args:
        num_members: M, networks in the bag.
        hidden_sizes: units of each hidden layer, multiples of `group`.
        group: units that compete; 1 makes rectifiers of them.
        num_links: inputs that a unit of the first layer sees, drawn with replacement; 0 for all.
        dropout: share of the hidden units that are left out in training.
        l1: weight of the sum of the first layer's absolute weights.
        l2: weight of half the sum of their squares.
    """

    num_members: Annotated[int, Gt(0), Le(1000)] = 10
    hidden_sizes: Sizes = (600, 600, 600)
    group: Count = 3
    num_links: CountOrNone = 10
    dropout: Share = 0.5
    l1: Weight = 5e-6
    l2: Weight = 5e-5


SIZES: dict[str, dict[str, Any]] = {
    "small": {"num_members": 4, "hidden_sizes": (150, 150, 150)},
    "paper": {},
}
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, D inputs, M members, I inputs and H units of a layer, K answers.


def recommend(spec: TableSpec, num_train: int, seconds: float | None) -> str:
    """Choose the paper's size, unless there is little time for many rows."""
    rows_per_s = 700  # assumed: rows of forward and backward passes in a second
    enough = seconds is None or seconds * rows_per_s > 5 * num_train
    return "paper" if enough else "small"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many rows."""
    return RECIPE


def build(config: Config, spec: TableSpec, target: TargetSpec) -> MaxChannelNetwork:
    """Build the bag for these columns and this question.

    Raises:
        OptionError: when a layer does not divide into groups.
    """
    uneven = [size for size in config.hidden_sizes if size % config.group]
    if uneven or not config.hidden_sizes:
        raise OptionError(
            "--set hidden_sizes", f"multiples of the group, {config.group}",
            ", ".join(str(size) for size in uneven) or "no layer",
        )  # fmt: skip
    return MaxChannelNetwork(config, spec, target)


def max_channel(x: Float[Tensor, "*S H"], group: int) -> Float[Tensor, "*S H"]:
    """Keep the strongest unit of each group and silence the others; of equals the first.

    >>> max_channel(torch.tensor([1.0, 3.0, 2.0, -5.0, -4.0, -6.0]), 3).tolist()
    [0.0, 3.0, 0.0, 0.0, -4.0, 0.0]
    """
    if group == 1:
        return F.relu(x)
    groups = x.unflatten(-1, (-1, group))
    value, winner = groups.max(-1, keepdim=True)
    return torch.zeros_like(groups).scatter(-1, winner, value).flatten(-2)


def drawn_links(num_members: int, num_units: int, num_inputs: int, count: int) -> Tensor:
    """Return (M, D, H) 1 where a first-layer unit sees an input: `count` draws, or all."""
    if count == 0:
        return torch.ones(num_members, num_inputs, num_units)
    chosen = torch.randint(num_inputs, (num_members, count, num_units))
    return torch.zeros(num_members, num_inputs, num_units).scatter(1, chosen, 1.0)


class Members(nn.Module):
    """A linear layer for each member.

    Args:
        num_members: M.
        num_inputs: I.
        num_units: H.
        fan_in: how many of the inputs a unit sees.
    """

    def __init__(self, num_members: int, num_inputs: int, num_units: int, fan_in: int) -> None:
        super().__init__()
        weight = torch.randn(num_members, num_inputs, num_units)
        self.weight = nn.Parameter(weight * max(1, fan_in) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(num_members, 1, num_units))

    def forward(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "M B H"]:
        """Return each member's sums."""
        return torch.baddbmm(self.bias, x, self.weight)


class MaxChannelNetwork(nn.Module):
    """The bag; members share nothing but the rows they see.

    Args:
        config: the dials.
        spec: the columns.
        target: the question.
    """

    links: Tensor

    def __init__(self, config: Config, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.kind, self.config = target.kind, config
        self.flat = FlatInputs(spec)
        width, sizes = self.flat.width, config.hidden_sizes
        links = drawn_links(config.num_members, sizes[0], width, config.num_links)
        self.register_buffer("links", links)
        layers = [Members(config.num_members, width, sizes[0], config.num_links or width)]
        layers += [Members(config.num_members, i, o, i) for i, o in pairwise(sizes)]
        self.hidden = nn.ModuleList(layers)
        self.answers = Members(config.num_members, sizes[-1], target.num_outputs, sizes[-1])
        with torch.no_grad():
            layers[0].weight.mul_(links)

    def members(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
        """Return each member's answer."""
        x = self.flat(rows).expand(self.config.num_members, -1, -1)  # (M, B, D)
        for index, layer in enumerate(self.hidden):
            assert isinstance(layer, Members)
            if index == 0:  # connections that do not exist have no weight
                sums = torch.baddbmm(layer.bias, x, layer.weight * self.links)
            else:
                sums = layer(x)
            x = dropout(max_channel(sums, self.config.group), self.config.dropout, self.training)
        return self.answers(x).transpose(0, 1)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K) in training, else that of the bag (B, K)."""
        answers = self.members(rows)
        return Logits(answers if self.training else mean_answer(answers, self.kind))


def mean_answer(answers: Float[Tensor, "B M K"], kind: str) -> Float[Tensor, "B K"]:
    """Return the mean over members: of probabilities, as their logarithms, or of numbers."""
    if kind == "number":
        return answers.mean(1)
    return answers.float().log_softmax(2).logsumexp(1) - math.log(answers.shape[1])


def penalty(model: MaxChannelNetwork) -> Float[Tensor, ""]:
    """Return L1 and L2 of the first layer's weights, the mean over the members."""
    first = model.hidden[0]
    assert isinstance(first, Members)
    weight = first.weight * model.links
    sums = model.config.l1 * weight.abs().sum() + model.config.l2 / 2 * weight.square().sum()
    return sums / model.config.num_members


def penalised(model: nn.Module, batch: Batch, *, objective: Objective) -> Float[Tensor, ""]:
    """Return the task's own loss and the penalty, means over the members.

    The gradient is that of their sum, so that a member learns as fast as it would alone.
    """
    assert isinstance(model, MaxChannelNetwork)
    mean = objective(model, batch) + penalty(model)
    return mean + (model.config.num_members - 1) * (mean - mean.detach())


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with the penalty added to its loss.

    Args:
        model: the bag.
        config: its dials.
        feed: not used.
        stage: the task's own stage.
        seed: not used.
    """
    yield replace(stage, objective=partial(penalised, objective=stage.objective))


def median_significance(signal: float, background: float, regular: float = 10.0) -> float:
    """Return the challenge's score, the approximate median significance of a discovery.

    sqrt(2 ((s + b + r) ln(1 + s / (b + r)) - s))

    Args:
        signal: s, weighted count of signal events that are selected.
        background: b, weighted count of background events that are selected.
        regular: r, against small counts.

    >>> round(median_significance(10.0, 0.0), 4)
    2.7795
    """
    s, b = signal, background + regular
    return math.sqrt(2 * ((s + b) * math.log1p(s / b) - s))
