"""Trees as numbers: words, and for every other node its two children, its height and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samoyed.core.batch import NO_LABEL
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data import words
from samoyed.data.tree_text import UNLABELLED, Tree

# Legend for shapes: N trees, M nodes of all trees, B batch, T nodes of its largest tree.


@dataclass(frozen=True, eq=False)
class TreeRows:
    """Trees as numbers.

    Args:
        nodes: (M, 6) int64, tree after tree: the word's number, the left child's place in its tree
            from 1, the right one's, the height, the first word below and the one after the last.
            A word has no children, other nodes no word; words stand first, in their order.
        starts: (N + 1,) int64 where each tree begins.
    """

    nodes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Return (N,) nodes of each tree."""
        return np.diff(self.starts)

    def padded(self, rows: np.ndarray) -> Tensor:
        """Return (B, T, 6) int64 of these trees, zeros behind their ends."""
        places = self.starts[rows][:, None] + np.arange(int(self.lengths[rows].max(initial=1)))
        is_there = places < self.starts[rows + 1][:, None]
        nodes = self.nodes[np.minimum(places, len(self.nodes) - 1)] * is_there[..., None]
        return torch.from_numpy(nodes)


def encode(trees: Sequence[Tree], spec: WordSpec) -> TreeRows:
    """Number the nodes of trees."""
    known = words.encode([tree.words for tree in trees], spec)
    numbers = known.features[known.codes, 0]
    pieces = [np.zeros((0, 6), np.int64)]
    for i, tree in enumerate(trees):
        num = len(tree.words)
        held = np.zeros((len(tree.labels), 6), np.int64)
        held[:num, 0] = numbers[known.starts[i] : known.starts[i + 1]]
        held[num:, 1:3] = np.array(tree.children, np.int64).reshape(-1, 2) + 1
        held[:, 3], held[:, 4:] = tree.heights, tree.spans
        pieces.append(held)
    starts = np.cumsum([0, *(len(tree.labels) for tree in trees)], dtype=np.int64)
    return TreeRows(np.concatenate(pieces), starts)


def targets_of(trees: Sequence[Tree], labels: LabelSpec) -> np.ndarray:
    """Return (M,) int64 classes of all nodes, `NO_LABEL` where nothing is known."""
    places = {name: k for k, name in enumerate(labels.names)} | {UNLABELLED: NO_LABEL}
    return np.array([places[name] for tree in trees for name in tree.labels], dtype=np.int64)
