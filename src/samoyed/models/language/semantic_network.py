"""A net that learns what things are, have and can do, from the coarse to the fine.

Reference: Rogers, T. T. & McClelland, J. L. (2004). Semantic cognition: a parallel distributed
processing approach. MIT Press, the review's reference 85; the net is that of Rumelhart, D. E.
(1990) and Rumelhart, D. E. & Todd, P. M. (1993).

What was new. No hierarchy is stored: eight things share the weights, and what they have in common
makes their inner pictures alike. Plants part from animals first, then birds from fish and trees
from flowers, and single things last, as in children (chapter 3).

Equation -> function

    8 items -> 8 units; these and 4 relations -> 15 -> 36 attributes (chapter 2)   SemanticNetwork
    y = 1 / (1 + exp(-x)) everywhere; E = sum (y - t)^2                            descend
    the distance of inner pictures in the course of learning (chapter 3)           apart

Config holds the sizes. 8 x 8 + 8, 12 x 15 + 15, 15 x 36 + 36: 843 weights, biases included.

**Departures**

1. Initial weights are drawn from U(-0.1, 0.1), biases too. The book itself was not at hand: its
   range, its rate and the numbers of its figures are not taken from it.
2. Descent on the error summed over all 32 cases at once, rate 0.1; no momentum, no noise.
3. The facts are drawn up from the description: 36 attributes in 93 facts, `living-things`.
4. Which sides part is found by clustering what is true of things (average linkage), so that any
   file of facts has such curves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    title="Semantic cognition: a parallel distributed processing approach",
    authors="Rogers, T. T. & McClelland, J. L.",
    year=2004,
    venue="MIT Press",
    review=85,
    url="https://mitpress.mit.edu/9780262681575/semantic-cognition/",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, momentum=0.0, batch_size=1, epochs=6_000,
    schedule="constant", precision="float32",
)  # fmt: skip

NUM_SPLITS = 7  # that are followed in the course of learning
NUM_NAMES = 3  # of a side that are written out


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        picture_size: units that picture an item.
        hidden_size: units that see the picture and the relation.
        spread: initial weights are drawn from U(-spread, spread).
    """

    picture_size: int = 8
    hidden_size: int = 15
    spread: float = 0.1


def build(config: Config, spec: FactSpec) -> SemanticNetwork:
    """Build the net for these facts."""
    return SemanticNetwork(config, spec)


# B batch, K items, R relations, M attributes, P units of a picture


class SemanticNetwork(nn.Module):
    """Items to pictures, pictures and relations to attributes.

    Args:
        config: the dials.
        spec: the names.
    """

    def __init__(self, config: Config, spec: FactSpec) -> None:
        super().__init__()
        self.num_relations = len(spec.relations)
        self.picture = nn.Linear(len(spec.subjects), config.picture_size)
        self.hidden = nn.Linear(config.picture_size + self.num_relations, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, len(spec.objects))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -config.spread, config.spread)

    def forward(self, questions: Int[Tensor, "B 2"]) -> Logits:
        """Return the sums at the attributes, (B, M)."""
        picture = self.pictures()[questions[:, 0]]
        relation = F.one_hot(questions[:, 1], self.num_relations).to(picture.dtype)
        hidden = torch.sigmoid(self.hidden(torch.cat([picture, relation], 1)))
        return Logits(self.output(hidden))

    def pictures(self) -> Float[Tensor, "K P"]:
        """Return the inner picture of every item."""
        return torch.sigmoid(self.picture.weight.t() + self.picture.bias)


def descend(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return the squared error, summed over attributes and cases."""
    assert batch.targets is not None
    return (torch.sigmoid(model(batch.inputs).values) - batch.targets).square().sum()


@dataclass(frozen=True)
class Split:
    """Two groups of items that are alike within and differ between.

    Args:
        level: 0 for the coarsest.
        left: numbers of items.
        right: numbers of the others.
    """

    level: int
    left: tuple[int, ...]
    right: tuple[int, ...]

    def named(self, names: Sequence[str]) -> str:
        """Write which they are."""
        return " | ".join(
            ", ".join(names[k] for k in side[:NUM_NAMES]) + (" .." if len(side) > NUM_NAMES else "")
            for side in (self.left, self.right)
        )


def splits(attributes: Float[Tensor, "K A"]) -> list[Split]:
    """Return how items part by what is true of them, from the coarsest split to the finest.

    Args:
        attributes: 0 and 1.
    """
    from scipy.cluster.hierarchy import linkage, to_tree

    if len(attributes) < 2:
        return []
    tree = to_tree(linkage(attributes.numpy().astype(float), "average", "cityblock"))
    found, level = [], [tree]
    depth = 0
    while level:
        inner = [node for node in level if not node.is_leaf()]
        for node in inner:
            sides = [tuple(sorted(side.pre_order())) for side in (node.left, node.right)]
            found.append(Split(depth, *sorted(sides)))
        level = [side for node in inner for side in (node.left, node.right)]
        depth += 1
    return found


def attributes_of(questions: Int[Tensor, "N 2"], answers: Float[Tensor, "N M"]) -> Tensor:
    """Return (K, R M): for each item what is true of it, relation after relation."""
    K, R = (int(n) + 1 for n in questions.amax(0))
    held = torch.zeros(K, R, answers.shape[1])
    held[questions[:, 0], questions[:, 1]] = answers
    return held.flatten(1)


def apart(pictures: Float[Tensor, "*C K P"], split: Split) -> Float[Tensor, "*C"]:
    """Return the distance between the mean pictures of a split's two sides."""
    left = pictures[..., list(split.left), :].mean(-2)
    right = pictures[..., list(split.right), :].mean(-2)
    return (left - right).norm(dim=-1)


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with the paper's error; it tells how far the items are apart.

    Args:
        model: the net.
        config: its dials.
        feed: all questions and answers that are learned from.
        stage: its questions, rate and number of sweeps are kept.
        seed: not used.
    """
    assert isinstance(model, SemanticNetwork)
    followed = splits(attributes_of(feed.whole.inputs, feed.whole.targets))[:NUM_SPLITS]

    def tells() -> Mapping[str, float]:
        with torch.no_grad():
            pictures = model.pictures()
        return {f"apart {k}": float(apart(pictures, s)) for k, s in enumerate(followed)}

    yield replace(stage, objective=descend, tells=tells)
