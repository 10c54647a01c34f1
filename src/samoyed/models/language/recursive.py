"""Recursive neural networks: one layer, used at every node of a tree, up to the whole sentence.

Socher, R., Lin, C. C.-Y., Ng, A. Y. & Manning, C. D. (2011). Parsing natural scenes and natural
language with recursive neural networks. ICML, 129-136. The review's reference 74.

What was new: the tree itself is learned, with the vectors of its phrases. A merge of two neighbours
gives their parent's vector and a score of whether it is one; the right tree must score better than
any other by a margin that grows with the number of wrong phrases.

What the paper describes -> here:

* p = f(W [c1; c2] + b), one W for all nodes, f = tanh         -> `Composition`
* the score of a merge, W_score p, and of a tree, their sum    -> `RecursiveNetwork.tree_scores`
* building a tree, the best merge first                        -> `RecursiveNetwork.built`
* the structured margin loss, kappa for every span that the right tree does not have, and
  max(0, s(other) + loss - s(right))                           -> `RecursiveNetwork.margins`
* category classifiers in the tree, softmax(W_label p)         -> `RecursiveNetwork.forward`
* back-propagation through structure (Goller & Kuechler 1996)  -> autograd through `composed`, which
  computes all nodes of one height in all trees of a batch at once
* Socher, R. et al. (2013). Recursive deep models for semantic compositionality over a sentiment
  treebank. EMNLP, section 4.3: f([c1; c2]^T V [c1; c2] + W [c1; c2]) -> `is_tensor`

**Departures**

1. Learning: the 2011 paper uses L-BFGS on subgradients and the 2013 paper AdaGrad; here Adam with
   a falling rate and decoupled decay.
2. Both losses are means over nodes, not sums, so that `margin_weight` means the same for long and
   short sentences; 0 learns the classes alone, as in 2013.
3. Trees of sentences are built greedily, as the 2011 paper does for scenes; for sentences it keeps
   a beam. A word's context is no input of the score.
4. Words begin at random (as in 2013), not from vectors learned beforehand; W begins as the mean of
   the two children with noise around it. Dropout on the vectors of words is ours; 0 leaves it out.
5. Nodes without a class, which making a tree binary puts in, have a vector and a score but no part
   in the classes' loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import NO_LABEL, TreeLogits
from samoyed.core.numbers import Count, Positive, Share, Weight
from samoyed.core.reference import Reference
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.core.stage import Recipe
from samoyed.layers.dropout import Dropout

REFERENCE = Reference(
    title="Parsing natural scenes and natural language with recursive neural networks",
    authors="Socher, R., Lin, C. C.-Y., Ng, A. Y. & Manning, C. D.",
    year=2011,
    venue="Proceedings of the 28th International Conference on Machine Learning, 129-136",
    review=74,
    url="https://icml.cc/2011/papers/125_icmlpaper.pdf",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1e-2, batch_size=32, epochs=3, schedule="linear",
    weight_decay=0.01, clip_norm=5.0, precision="float32",
)  # fmt: skip

STD = 0.1  # of the words' first numbers

# Legend for shapes: B batch, T nodes of a tree, L its words, D numbers of a node, K classes, N some
# nodes. A node is (word, left, right, height, first word, word after the last).


@dataclass(frozen=True)
class Config:
    """What can be dialled.

    Args:
        width: numbers of a word's and of a phrase's vector.
        is_tensor: whether children also multiply each other (Socher et al. 2013).
        margin_weight: of the loss that learns to build trees.
        kappa: what a wrong span costs in it.
        dropout: share of the words' vectors that is left out in training.
    """

    width: Count = 30
    is_tensor: bool = False
    margin_weight: Weight = 0.1
    kappa: Positive = 0.05
    dropout: Share = 0.2


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    return {} if config.margin_weight else {"kappa": "no trees are built with margin_weight=0"}


def build(config: Config, spec: WordSpec, labels: LabelSpec) -> RecursiveNetwork:
    """Build the network for these words and classes."""
    return RecursiveNetwork(config, spec, len(labels))


def loss(output: TreeLogits, targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of the nodes that have a class, and the mean margin."""
    by_node = F.cross_entropy(
        output.values.flatten(0, 1), targets.flatten(), ignore_index=NO_LABEL, reduction="sum"
    )
    return by_node / (targets != NO_LABEL).sum().clamp(min=1) + output.margins.mean()


class Composition(nn.Module):
    """The vector of a phrase from those of its two parts.

    Args:
        width: D.
        is_tensor: whether the parts also multiply each other.
    """

    def __init__(self, width: int, is_tensor: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * width, width)
        near = 1 / math.sqrt(2 * width)
        with torch.no_grad():
            self.linear.weight.uniform_(-near / 2, near / 2)
            self.linear.weight += 0.5 * torch.eye(width).repeat(1, 2)
            self.linear.bias.zero_()
        self.tensor: nn.Parameter | None = None
        if is_tensor:
            self.tensor = nn.Parameter(
                torch.empty(2 * width, width, 2 * width).uniform_(-near / 4, near / 4)
            )

    def forward(self, both: Float[Tensor, "N E"]) -> Float[Tensor, "N D"]:
        """Return f(W [c1; c2] + b); with the tensor, [c1; c2]^T V [c1; c2] inside f too."""
        found = self.linear(both)
        if self.tensor is not None:
            products = (both @ self.tensor.flatten(1)).unflatten(1, self.tensor.shape[1:])
            found = found + (products @ both[:, :, None]).squeeze(2)
        return torch.tanh(found)


class RecursiveNetwork(nn.Module):
    """Vectors, classes and scores of the nodes of trees; and trees of sentences.

    Args:
        config: the dials.
        spec: the words.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: WordSpec, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(spec.sizes[0], config.width)
        nn.init.normal_(self.words.weight, std=STD)
        self.dropout = Dropout(config.dropout)
        self.composition = Composition(config.width, config.is_tensor)
        self.classes = nn.Linear(config.width, num_classes)
        self.score = nn.Linear(config.width, 1, bias=False) if config.margin_weight else None

    def forward(self, nodes: Int[Tensor, "B T 6"]) -> TreeLogits:
        """Return the classes' scores of every node, and in training the trees' margins."""
        words = self.dropout(self.words(nodes[..., 0]))
        states = self.composed(nodes, words)
        margins = states.new_zeros(len(nodes))
        if self.training and self.score is not None:
            margins = self.config.margin_weight * self.margins(nodes, words, states)
        return TreeLogits(self.classes(states), margins)

    def composed(
        self, nodes: Int[Tensor, "B T 6"], words: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "B T D"]:
        """Return the vector of every node: of all words at once, then height by height."""
        num, length, _ = nodes.shape
        heights = nodes[..., 3].flatten()
        order = heights.argsort(stable=True)
        rank = order.argsort()
        first = torch.arange(num, device=nodes.device)[:, None] * length - 1
        children = rank[(nodes[..., 1:3] + first[..., None]).clamp(min=0).flatten(0, 1)][order]
        counts = heights.bincount().tolist()
        table, start = words.flatten(0, 1)[order[: counts[0]]], counts[0]
        for count in counts[1:]:
            both = table[children[start : start + count]].flatten(1)
            table = torch.cat([table, self.composition(both)])
            start += count
        return table[rank].view(num, length, -1)

    def tree_scores(
        self, nodes: Int[Tensor, "B T 6"], states: Float[Tensor, "B T D"]
    ) -> Float[Tensor, B]:
        """Return the sum of the scores of all merges of each tree."""
        assert self.score is not None
        return (self.score(states).squeeze(2) * (nodes[..., 1] > 0)).sum(dim=1)

    def margins(
        self, nodes: Int[Tensor, "B T 6"], words: Float[Tensor, "B T D"],
        states: Float[Tensor, "B T D"],
    ) -> Float[Tensor, B]:  # fmt: skip
        """Return max(0, s(other) + kappa wrong spans - s(right)) per merge.

        The other tree is the best that is found when every wrong span is worth kappa more.
        """
        spans = spans_of(nodes)
        with torch.no_grad():
            other = self.built(nodes, words, self.config.kappa * (~spans).to(words.dtype))
        is_merge = other[..., 1] > 0
        held = spans.flatten(1).gather(1, _place(other, spans.shape[2]))
        num_wrong = (is_merge & ~held).sum(dim=1)
        scores = self.tree_scores(other, self.composed(other, words))
        better = scores + self.config.kappa * num_wrong - self.tree_scores(nodes, states)
        return F.relu(better) / is_merge.sum(dim=1).clamp(min=1)

    def built(
        self, nodes: Int[Tensor, "B T 6"], words: Float[Tensor, "B T D"],
        bonus: Float[Tensor, "B L M"] | None = None,
    ) -> Int[Tensor, "B T 6"]:  # fmt: skip
        """Build trees over the words of `nodes`, the best merge of two neighbours first.

        Args:
            nodes: of which only the words are read; they stand first.
            words: their vectors.
            bonus: what is added to the score of a span, by its first word and the one after it.
        """
        assert self.score is not None
        is_word = nodes[..., 0] > 0
        num_words = is_word.sum(dim=1)
        most = int(num_words.max())
        rows = torch.arange(len(nodes), device=nodes.device)
        found = torch.where(is_word[..., None], nodes, 0)
        slots = words[:, :most]
        # of each slot: place from 1, height, first word, word after the last
        about = torch.stack(
            [torch.arange(most, device=nodes.device).expand(len(nodes), most) + shift
             for shift in (1, 0, 0, 1)], dim=2
        )  # fmt: skip
        about[..., 1] = 0
        parents, scores = self._merged(slots, about, bonus)
        for done in range(most - 1):
            left = num_words - done
            is_pair = torch.arange(scores.shape[1], device=nodes.device) < left[:, None] - 1
            best = scores.masked_fill(~is_pair, float("-inf")).argmax(dim=1)
            one, two = about[rows, best], about[rows, best + 1]
            goes_on = left > 1
            place = (num_words + done).clamp(max=found.shape[1] - 1)
            height = 1 + torch.maximum(one[:, 1], two[:, 1])
            new = torch.stack(
                [torch.zeros_like(best), one[:, 0], two[:, 0], height, one[:, 2], two[:, 3]], dim=1
            )
            found[rows, place] = torch.where(goes_on[:, None], new, found[rows, place])
            kept = torch.arange(slots.shape[1] - 1, device=nodes.device).expand(len(nodes), -1)
            kept = kept + (kept > best[:, None]).long()
            parent = parents[rows, best]
            slots, about = _chosen(slots, kept), _chosen(about, kept)
            slots[rows, best] = parent
            about[rows, best] = torch.stack([place + 1, height, one[:, 2], two[:, 3]], dim=1)
            if slots.shape[1] == 1:
                break
            pairs = kept[:, :-1]
            parents, scores = _chosen(parents, pairs), scores.gather(1, pairs)
            for shift in (-1, 0):  # only the pairs around the merge have changed
                pair = (best + shift).clamp(min=0, max=slots.shape[1] - 2)
                sides = torch.stack([pair, pair + 1], dim=1)
                again, its = self._merged(_chosen(slots, sides), _chosen(about, sides), bonus)
                parents[rows, pair], scores[rows, pair] = again[:, 0], its[:, 0]
        return found

    def _merged(
        self, slots: Float[Tensor, "B S D"], about: Int[Tensor, "B S 4"],
        bonus: Float[Tensor, "B L M"] | None,
    ) -> tuple[Float[Tensor, "B P D"], Float[Tensor, "B P"]]:  # fmt: skip
        """Return the parent of every two neighbours, and how good it is."""
        assert self.score is not None
        both = torch.cat([slots[:, :-1], slots[:, 1:]], dim=2)
        parents = self.composition(both.flatten(0, 1)).unflatten(0, both.shape[:2])
        scores = self.score(parents).squeeze(2)
        if bonus is not None:
            place = about[:, :-1, 2] * bonus.shape[2] + about[:, 1:, 3]
            scores = scores + bonus.flatten(1).gather(1, place)
        return parents, scores


def spans_of(nodes: Int[Tensor, "B T 6"]) -> Tensor:
    """Return (B, L, L + 1) whether a tree has the phrase from one word to before another."""
    most = int((nodes[..., 0] > 0).sum(dim=1).max())
    found = torch.zeros(len(nodes), most * (most + 1), dtype=torch.bool, device=nodes.device)
    found.scatter_(1, _place(nodes, most + 1), True)
    return found.view(len(nodes), most, most + 1)


def _place(nodes: Int[Tensor, "B T 6"], size: int) -> Int[Tensor, "B T"]:
    return nodes[..., 4] * size + nodes[..., 5]


def _chosen(held: Tensor, places: Int[Tensor, "B P"]) -> Tensor:
    """Return (B, P, ...) of (B, S, ...) at these places."""
    return held.gather(1, places[..., None].expand(*places.shape, held.shape[2]))
