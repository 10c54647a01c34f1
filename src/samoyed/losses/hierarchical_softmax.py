"""Hierarchical softmax: the probability of a word as a walk down a binary tree.

Morin, F. & Bengio, Y. (2005), Hierarchical probabilistic neural network language model, AISTATS;
with the Huffman tree and the vectors at inner nodes of Mikolov, T. et al. (2013), Distributed
representations of words and phrases and their compositionality, sec. 2.1, eq. 3:

    p(w | v) = product over the inner nodes n on the way to w of s(+- v'_n . v)

A walk turns one way with probability s(x) and the other way with s(-x) = 1 - s(x), so that the
probabilities of all words sum to one, whatever the vectors are.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# V words, L the longest way, N places, C inputs at each place, D dimensions


class Tree(NamedTuple):
    """The way to every word.

    Args:
        nodes: (V, L) the inner nodes on it, from the root; 0 behind its end.
        turns: (V, L) +1 for one side, -1 for the other, 0 behind the end of the way.
    """

    nodes: Int[np.ndarray, "V L"]
    turns: Int[np.ndarray, "V L"]


def huffman(counts: Sequence[int]) -> Tree:
    """Return the tree in which frequent words have short ways (Huffman 1952).

    The two rarest trees are joined until one is left; of equal ones the older. The V - 1 inner
    nodes are numbered as they are made, so that the root is the last.

    >>> huffman([5, 2, 1]).turns.tolist()
    [[-1, 0], [1, -1], [1, 1]]
    """
    num = len(counts)
    rarest = [(int(count), word) for word, count in enumerate(counts)]
    heapq.heapify(rarest)
    parent, side = np.zeros(2 * num - 1, np.int64), np.zeros(2 * num - 1, np.int8)
    for node in range(num, 2 * num - 1):
        one, two = heapq.heappop(rarest), heapq.heappop(rarest)
        parent[[one[1], two[1]]] = node
        side[one[1]], side[two[1]] = 1, -1
        heapq.heappush(rarest, (one[0] + two[0], node))
    ways: list[list[tuple[int, int]]] = []
    for word in range(num):
        way, node = [], word
        while node < 2 * num - 2:
            way.append((int(parent[node]) - num, int(side[node])))
            node = int(parent[node])
        ways.append(way[::-1])
    longest = max(map(len, ways))
    nodes, turns = np.zeros((num, longest), np.int64), np.zeros((num, longest), np.int8)
    for word, way in enumerate(ways):
        if way:
            nodes[word, : len(way)], turns[word, : len(way)] = zip(*way, strict=True)
    return Tree(nodes, turns)


def hierarchical_softmax(
    inputs: Float[Tensor, "N C D"],
    nodes: Float[Tensor, "N L D"],
    turns: Int[Tensor, "N L"],
    is_pair: Bool[Tensor, "N C"],
) -> Float[Tensor, ""]:
    """Return the summed surprise of the word of each place given each of its inputs, in nats.

    Args:
        inputs: vectors v that foretell the word.
        nodes: vectors v' of the inner nodes on the way to it.
        turns: +1, -1, or 0 behind the end of the way.
        is_pair: which inputs count.
    """
    scores = (nodes @ inputs.mT) * turns[..., None].to(inputs.dtype)
    costs = torch.nn.functional.softplus(-scores)
    counted = (turns != 0)[..., None] & is_pair[:, None, :]
    return (costs * counted).sum()


def log_probabilities(
    inputs: Float[Tensor, "N D"],
    nodes: Float[Tensor, "K D"],
    ways: Int[Tensor, "V L"],
    turns: Int[Tensor, "V L"],
) -> Float[Tensor, "N V"]:
    """Return log p of every word given each input.

    Args:
        inputs: vectors v.
        nodes: vectors v' of all inner nodes.
        ways: of each word, as in `Tree`.
        turns: of each word, as in `Tree`.
    """
    scores = inputs @ nodes.t()
    total = torch.zeros(len(inputs), len(ways), dtype=inputs.dtype, device=inputs.device)
    for way, turn in zip(ways.t(), turns.t(), strict=True):
        step = torch.nn.functional.logsigmoid(scores[:, way] * turn.to(scores.dtype))
        total = total + torch.where(turn != 0, step, 0.0)
    return total
