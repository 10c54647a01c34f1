"""Forests of decision trees for the members of an ensemble, read by tensor operations alone.

Breiman, L. (2001). Random forests. Machine Learning 45, 5-32. scikit-learn grows the trees, each on
rows drawn with replacement and with some columns to choose from at every node; here is how they
answer: all rows walk down all trees at once, a level at a time, so that a forest is saved,
exported and mixed with networks as any other layer is. It has no weights to descend on.

Trees are told how many leaves they may have, so that what is saved is small and its shape known.
"""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from samoyed.core.spec import TableSpec
from samoyed.layers.separate_perceptrons import one_hot_places

MOST_LEVELS = 12  # of nodes above a leaf
MOST_CHOSEN = 24  # columns that a node chooses among
FEWEST_TREES = 4  # of a member for each of several questions
LEAST_CHANCE = 1e-3  # is added to every class's share of the rows in a leaf

# Legend for shapes: B batch, M members, W an encoded row, I features, T trees of a member, J nodes
# of a tree, K answers, N rows, Q questions.


class Forest(nn.Module):
    """A forest for each member: what its trees say on average.

    Args:
        spec: the columns.
        num_members: M.
        num_outputs: K.
        num_trees: of a member; where there are several questions, for all of them together.
        num_leaves: that a tree may have.
        kind: of the target: "classes", "number" or "binaries".
    """

    places: Tensor
    values: Tensor
    feature: Tensor
    bound: Tensor
    left: Tensor
    answer: Tensor

    def __init__(
        self, spec: TableSpec, num_members: int, num_outputs: int, num_trees: int, num_leaves: int,
        kind: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_members, self.num_leaves, self.kind = num_members, num_leaves, kind
        self.num_plain = spec.width - len(spec.categories)
        places, values = one_hot_places(spec)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("values", values, persistent=False)
        self.num_questions = num_outputs if kind == "binaries" else 1
        each = num_trees
        if self.num_questions > 1:
            each = max(FEWEST_TREES, -(-num_trees // self.num_questions))
        self.num_each, self.num_trees = each, each * self.num_questions
        self.num_nodes = 2 * num_leaves - 1
        num = num_members * self.num_trees * self.num_nodes
        self.register_buffer("feature", torch.zeros(num, dtype=torch.long))
        self.register_buffer("bound", torch.full((num,), torch.inf))
        self.register_buffer("left", torch.arange(num))  # the right one is the next
        self.register_buffer("answer", torch.zeros(num, num_outputs))

    def features(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B I"]:
        """Return what the trees see of a row: numbers as they are, categories one-hot."""
        is_word = rows[:, self.places] == self.values
        return torch.cat([rows[:, : self.num_plain], is_word.to(rows.dtype)], dim=1)

    def members(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
        """Return each member's answer to all rows."""
        x = self.features(rows)
        first = torch.arange(x.shape[0], device=x.device) * x.shape[1]
        return self._said_of(x.reshape(-1), first.view(1, 1, -1))

    def of_features(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "B M K"]:
        """Return each member's answers to rows of its own: log odds, or numbers."""
        first = torch.arange(x.shape[0] * x.shape[1], device=x.device) * x.shape[2]
        return self._said_of(x.reshape(-1), first.view(x.shape[0], 1, -1))

    def _said_of(self, x: Float[Tensor, " X"], first: Int[Tensor, "L 1 B"]) -> Tensor:
        """Return what members say, (B, M, K), of rows whose numbers begin at these places of x.

        Nodes are in the narrowest numbers: the walk is bound by memory.
        """
        shape = (self.num_members, self.num_trees, first.shape[2])
        feature, left = self.feature.int(), self.left.int()
        node = self._roots().int()[..., None].expand(shape).reshape(-1)
        for _ in range(MOST_LEVELS):
            place = feature.index_select(0, node).long().view(shape) + first
            value = x.index_select(0, place.view(-1))
            is_right = value > self.bound.index_select(0, node)
            node = left.index_select(0, node) + is_right.int()  # of one type, as ONNX adds
        leaf = node.view(shape).long()
        total = self.answer[leaf[:, 0]]
        for tree in range(1, self.num_trees):
            total = total + self.answer[leaf[:, tree]]
        mean = (total / self.num_each).transpose(0, 1)
        if self.kind == "classes":
            return (mean + LEAST_CHANCE).log()
        if self.kind == "binaries":
            return (mean + LEAST_CHANCE).log() - (1 - mean + LEAST_CHANCE).log()
        return mean

    def _roots(self) -> Int[Tensor, "M T"]:
        """Return the number of the first node of every tree."""
        num = self.num_members * self.num_trees
        first = torch.arange(num, device=self.left.device) * self.num_nodes
        return first.view(self.num_members, self.num_trees)

    def fit(
        self, rows: Float[Tensor, "N W"], targets: Tensor, is_learned: Bool[Tensor, "N M"],
        seed: int,
    ) -> None:  # fmt: skip
        """Grow every member's trees on the rows that it learns from.

        Args:
            rows: encoded.
            targets: (N,) classes, (N,) or (N, 1) numbers, or (N, Q) answers, NaN where unknown.
            is_learned: by which member.
            seed: of the draws.
        """
        seen, answers = self._seen(rows), targets.cpu().numpy().reshape(len(rows), -1)
        for member in range(self.num_members):
            for question in range(self.num_questions):
                learned = is_learned[:, member].cpu().numpy() & ~np.isnan(answers[:, question])
                if not learned.any():
                    continue
                forest = self._grower(1_000 * seed + member, seen.shape[1])
                _fit(forest, seen[learned], answers[learned, question])
                classes = getattr(forest, "classes_", np.zeros(0))
                first = member * self.num_trees + question * self.num_each
                for number, tree in enumerate(forest.estimators_, first):
                    self._keep(tree.tree_, number * self.num_nodes, classes, question)

    def fit_s(
        self, rows: Float[Tensor, "N W"], targets: Tensor, is_learned: Bool[Tensor, "N M"]
    ) -> float:
        """Estimate the seconds that `fit` takes, by growing one member's for one question.

        Args:
            rows: those of `fit`, encoded.
            targets: theirs.
            is_learned: by which member.
        """
        seen, answers = self._seen(rows), targets.cpu().numpy().reshape(len(rows), -1)[:, 0]
        learned = is_learned[:, 0].cpu().numpy() & ~np.isnan(answers)
        if not learned.any():
            return 0.0
        forest = self._grower(0, seen.shape[1])
        start = time.perf_counter()
        _fit(forest, seen[learned], answers[learned])
        return (time.perf_counter() - start) * self.num_members * self.num_questions

    def _seen(self, rows: Float[Tensor, "N W"]) -> np.ndarray:
        return self.features(rows.to(self.places.device)).cpu().numpy()

    def _grower(self, seed: int, num_columns: int) -> Any:
        """Return scikit-learn's forest: a node chooses among a third of the columns for numbers.

        For classes among as many as the root of their number, as Breiman's programs have it; of
        wide tables among `MOST_CHOSEN`, which bounds the time that a tree takes.
        """
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        is_number = self.kind == "number"
        chosen = num_columns // 3 if is_number else math.isqrt(num_columns)
        make = RandomForestRegressor if is_number else RandomForestClassifier
        return make(
            self.num_each, max_leaf_nodes=self.num_leaves, max_depth=MOST_LEVELS,
            max_features=max(1, min(chosen, MOST_CHOSEN)), random_state=seed % (1 << 32),
            n_jobs=torch.get_num_threads(),
        )  # fmt: skip

    def _keep(self, tree: Any, first: int, classes: np.ndarray, question: int) -> None:
        """Write a tree of scikit-learn's from a node on, every two siblings side by side."""
        nodes, lefts = [0], list[int]()
        for node in nodes:  # grows as it is read
            is_leaf = tree.children_left[node] < 0
            lefts.append(len(lefts) if is_leaf else len(nodes))
            if not is_leaf:
                nodes += [int(tree.children_left[node]), int(tree.children_right[node])]
        here, is_leaf = slice(first, first + len(nodes)), tree.children_left[nodes] < 0
        written = {
            self.left: first + np.array(lefts, np.int64),
            self.feature: np.where(is_leaf, 0, tree.feature[nodes]),
            self.bound: np.where(is_leaf, np.float32(np.inf), _no_larger(tree.threshold[nodes])),
            self.answer: self._said(tree.value[nodes, 0], classes, question),
        }
        for kept, values in written.items():
            kept[here] = torch.from_numpy(values).to(kept)

    def _said(self, value: np.ndarray, classes: np.ndarray, question: int) -> np.ndarray:
        """Return what nodes say, (J, K), of scikit-learn's numbers or shares of classes."""
        said = np.zeros((len(value), self.answer.shape[1]), np.float32)
        if self.kind == "number":
            said[:, 0] = value[:, 0]
            return said
        shares = value / value.sum(1, keepdims=True)
        if self.kind == "classes":
            said[:, classes.astype(int)] = shares
        else:
            said[:, question] = shares[:, classes == 1].sum(1)
        return said


def _no_larger(bounds: np.ndarray) -> np.ndarray:
    """Return the largest float32 numbers that are no larger: x <= bound stays what it was."""
    rounded = bounds.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > bounds, below, rounded)


def _fit(forest: Any, seen: np.ndarray, answers: np.ndarray) -> None:
    """Grow scikit-learn's forest; that most answers occur once is said with the data."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes")
        forest.fit(seen, answers)
