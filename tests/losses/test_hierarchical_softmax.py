"""Huffman trees beside an independent construction; walks that sum to one; finite differences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from samoyed.losses.hierarchical_softmax import hierarchical_softmax, huffman, log_probabilities


def lengths_by_packages(counts: list[int]) -> list[int]:
    """Return optimal code lengths by the package-merge algorithm (Larmore & Hirschberg 1990)."""
    coins = [(count, (word,)) for word, count in enumerate(counts)]
    level: list = []
    for _ in range(len(counts) - 1):
        level = sorted(coins + level, key=lambda coin: coin[0])
        pairs = itertools.batched(level, 2) if hasattr(itertools, "batched") else [
            level[i : i + 2] for i in range(0, len(level), 2)
        ]  # fmt: skip
        level = [(a[0] + b[0], a[1] + b[1]) for a, b in (p for p in pairs if len(p) == 2)]
    used = [word for _, words in level[: len(counts) - 1] for word in words]
    return [used.count(word) for word in range(len(counts))]


@pytest.mark.parametrize("seed", range(6))
def test_ways_are_as_short_as_can_be(seed: int):
    counts = np.random.default_rng(seed).integers(1, 60, 13).tolist()
    tree = huffman(counts)
    lengths = (tree.turns != 0).sum(axis=1)
    best = sum(c * n for c, n in zip(counts, lengths_by_packages(counts), strict=True))
    assert sum(c * n for c, n in zip(counts, lengths.tolist(), strict=True)) == best
    assert sum(2.0**-lengths) == 1  # Kraft: a whole tree
    ways = [tuple(t for t in row if t) for row in tree.turns.tolist()]
    for one, two in itertools.permutations(ways, 2):
        assert one != two[: len(one)]


def test_the_code_of_a_textbook():
    """Frequencies 45, 13, 12, 16, 9, 5: lengths 1, 3, 3, 3, 4, 4 (Cormen et al., sec. 16.3)."""
    tree = huffman([45, 13, 12, 16, 9, 5])
    assert (tree.turns != 0).sum(axis=1).tolist() == [1, 3, 3, 3, 4, 4]


def test_words_with_one_beginning_share_its_nodes():
    tree = huffman([7, 6, 5, 4, 3, 2, 1])
    at = {}
    for nodes, turns in zip(tree.nodes.tolist(), tree.turns.tolist(), strict=True):
        way = [(n, t) for n, t in zip(nodes, turns, strict=True) if t]
        assert way[0][0] == 5, "the root is the last"
        for depth, (node, _) in enumerate(way):
            before = tuple(turn for _, turn in way[:depth])
            assert at.setdefault(before, node) == node
    assert sorted(at.values()) == list(range(6))


def drawn(num: int = 9, size: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    tree = huffman(list(range(num, 0, -1)))
    generator = torch.Generator().manual_seed(0)
    nodes = torch.randn(num - 1, size, generator=generator, dtype=torch.float64)
    return nodes, torch.as_tensor(tree.nodes), torch.as_tensor(tree.turns)


def test_probabilities_sum_to_one_and_are_products_of_turns():
    nodes, ways, turns = drawn()
    inputs = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    told = log_probabilities(inputs, nodes, ways, turns)
    torch.testing.assert_close(told.exp().sum(dim=1), torch.ones(3, dtype=torch.float64))
    for row, word in itertools.product(range(3), range(9)):
        chance = 1.0
        for node, turn in zip(ways[word].tolist(), turns[word].tolist(), strict=True):
            if turn:
                score = float(inputs[row] @ nodes[node])
                chance *= 1 / (1 + math.exp(-turn * score))
        assert float(told[row, word]) == pytest.approx(math.log(chance))


def test_cost_is_the_surprise_of_each_pair_and_its_gradient_the_finite_difference():
    nodes, ways, turns = drawn()
    words = torch.tensor([0, 5, 8])
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(3, 2, 4, generator=generator, dtype=torch.float64)
    is_pair = torch.tensor([[True, True], [True, False], [False, False]])
    cost = hierarchical_softmax(inputs, nodes[ways[words]], turns[words], is_pair)
    told = log_probabilities(inputs.flatten(0, 1), nodes, ways, turns).view(3, 2, 9)
    asked = [-float(told[n, c, words[n]]) for n, c in is_pair.nonzero().tolist()]
    assert float(cost) == pytest.approx(sum(asked))

    def of(inputs: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
        return hierarchical_softmax(inputs, nodes[ways[words]], turns[words], is_pair)

    assert torch.autograd.gradcheck(of, (inputs.requires_grad_(), nodes.requires_grad_()))
