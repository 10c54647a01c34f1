"""Classify the phrases of sentences whose trees are given, or built by the model itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import NO_LABEL, Batch
from samoyed.core.errors import DataError
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data import tree_rows, words
from samoyed.data.asked_texts import is_file, refuse_no_text
from samoyed.data.text_files import read_file
from samoyed.data.tree_text import UNLABELLED, Tree, parse
from samoyed.data.trees import TreeData, Trees
from samoyed.data.word_feed import WordFeed, by_length
from samoyed.metrics import chunking
from samoyed.metrics.intervals import wilson
from samoyed.tasks.classify import SystemLoss, resampled
from samoyed.training.stages import stage_of

NODES_AT_ONCE = 1 << 13
_NESTED = re.compile(r"\(\s*[^\s()]*\s*\(")  # a bracket, its label, another bracket
_ONE_WORD = re.compile(r"\(([^\s()]+) [^\s()]+\)$")
NUM_NEXT = 4  # how many runners-up an answer names


@dataclass(frozen=True)
class ClassifyTrees:
    """The question.

    Args:
        spec: the words.
        labels: the classes of phrases.
    """

    spec: WordSpec
    labels: LabelSpec
    name: ClassVar[str] = "classify_trees"
    headline: ClassVar[str] = "accuracy"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.labels

    @property
    def middle(self) -> int | None:
        """Return the class between bad and good, where classes are an odd number of steps."""
        num = len(self.labels)
        is_scale = self.labels.names == tuple(str(k) for k in range(num))
        return num // 2 if is_scale and num % 2 and num > 2 else None

    def stages(
        self, model: nn.Module, data: TreeData, recipe: Recipe, seed: int, loss: SystemLoss
    ) -> Iterator[Stage]:
        """Yield the stage that descends the system's loss."""
        starts, flat = data.train.rows.starts, data.train.targets

        def targets(rows: np.ndarray) -> Tensor:
            return torch.from_numpy(words.spread(flat, starts, rows, empty=NO_LABEL))

        feed = WordFeed(data.train.rows, targets, recipe.batch_size, seed)
        yield stage_of(recipe, feed, objective_of(loss))

    def score(
        self, model: nn.Module, data: TreeData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out trees.

        Returns:
            The share of right classes of whole sentences and of all phrases; where classes are
            steps from bad to good both again, good against bad, without the middle ones; and F1
            of the phrases of trees that the model builds itself.
        """
        test = quick_look(data, limit)
        by_node = predict_probabilities(model, test.rows, device)
        built = None if limit is not None else built_trees(model, test.trees, self, device)
        return scores_of(test, by_node, self.middle, built, seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Name the class of each sentence and of all its phrases.

        Args:
            model: the model.
            inputs: sentences or bracketed trees, or files with one in every line.
            device: where to compute.

        Raises:
            DataError: for a file that cannot be read, a broken tree, or an input without a word.
        """
        trees = self.trees_of(model, inputs, device)
        if not trees:
            return []
        rows = tree_rows.encode(trees, self.spec)
        found = []
        for tree, held in zip(trees, self.by_tree(model, rows, device), strict=True):
            named = tuple(self.labels.names[k] for k in held.argmax(axis=1))
            order = np.argsort(-held[-1], kind="stable")[: NUM_NEXT + 1].tolist()
            told = Tree(tree.words, tree.children, named).written()
            details = (
                *((self.labels.names[k], float(held[-1, k])) for k in order[1:]), ("tree", told)
            )  # fmt: skip
            found.append(
                Answer(" ".join(tree.words), named[-1], float(held[-1, order[0]]), details)
            )
        return found

    def by_tree(
        self, model: nn.Module, rows: tree_rows.TreeRows, device: torch.device | str = "cpu"
    ) -> list[np.ndarray]:
        """Return for every tree (T, K) the probabilities of its nodes."""
        return np.split(predict_probabilities(model, rows, device), rows.starts[1:-1])

    def trees_of(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Tree]:
        """Return the trees that are asked about; those of plain sentences are built.

        Raises:
            DataError: for a file that cannot be read, a broken tree, or an input without a word.
        """
        found = [given_tree(*line, self.labels.names) for line in lines_of(inputs)]
        plain = [i for i, tree in enumerate(found) if not tree.children and len(tree.words) > 1]
        built = built_trees(model, [found[i] for i in plain], self, device)
        for i, tree in zip(plain, built or (), strict=False):
            found[i] = tree
        return found


def objective_of(loss: SystemLoss) -> Objective:
    """Return (model, batch) -> the scalar to descend."""
    return partial(_objective, loss=loss)


def _objective(model: nn.Module, batch: Batch, *, loss: SystemLoss) -> Tensor:
    assert batch.targets is not None
    return loss(model(batch.inputs), batch.targets)


def lines_of(inputs: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (line, place, number) of every sentence or tree that is asked about."""
    for given in inputs:
        if is_file(given):
            text = read_file(Path(given), is_western_allowed=True).text
            lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
            if not lines:
                raise DataError(given, "a sentence or a tree in every line", "empty lines alone")
            yield from ((line.strip(), given, n) for n, line in lines)
        elif not given.strip():
            raise DataError("input", "a sentence or a tree", repr(given), "write a word")
        else:
            refuse_no_text(given)
            yield given.strip(), "input", 1


def given_tree(line: str, place: str, number: int, labels: Sequence[str] = ()) -> Tree:
    """Return the tree of a line; of a plain sentence its words alone, without children.

    >>> given_tree("(1 (1 no) (2 dogs))", "input", 1).children
    ((0, 1),)
    >>> given_tree("(No dogs)", "input", 1).words
    ('(', 'No', 'dogs', ')')
    """
    one = _ONE_WORD.match(line)
    if _NESTED.match(line) or (one and one[1] in labels):
        return parse(line, place, number)
    found = tuple(words.split(line))
    if not found:
        raise DataError(f"{place}:{number}", "a sentence or a tree", repr(line), "write a word")
    return Tree(found, (), (UNLABELLED,) * len(found), f"{place}:{number}")


def quick_look(data: TreeData, limit: int | None) -> Trees:
    """Return the held-out part, or so many trees of the validation part, where there is one."""
    if limit is None:
        return data.test
    part = data.test if data.validation is None else data.validation
    chosen = np.unique(np.linspace(0, len(part) - 1, min(limit, len(part))).astype(np.int64))
    trees = [part.trees[i] for i in chosen]
    return Trees(
        tree_rows.encode(trees, data.spec), tree_rows.targets_of(trees, data.labels), trees
    )


def predict_probabilities(
    model: nn.Module, rows: tree_rows.TreeRows, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return (M, K) float64 probabilities of all nodes; the model keeps the mode it came in."""
    was_training = model.training
    model.eval()
    found: list[np.ndarray] = [np.zeros(0)] * len(rows)
    with torch.inference_mode():
        for chosen in by_length(rows, NODES_AT_ONCE):
            values = model(rows.padded(chosen).to(device)).values.double().softmax(dim=2)
            for i, held in zip(chosen, values.cpu().numpy(), strict=True):
                found[i] = held[: rows.lengths[i]]
    model.train(was_training)
    return np.concatenate(found)


def built_trees(
    model: Any, trees: Sequence[Tree], task: ClassifyTrees, device: torch.device | str = "cpu"
) -> list[Tree] | None:
    """Return trees over the same words that the model builds, or None where it has not learned to.

    Raises:
        DataError: for a model that has not learned to, where a tree has no children at all.
    """
    if model.score is None:
        bare = next((tree for tree in trees if not tree.children and len(tree.words) > 1), None)
        if bare is not None:
            raise DataError(
                "input", "a tree in brackets, as this model learned classes alone",
                f"the sentence {' '.join(bare.words)[:60]!r}",
                "write (x (x word) (x word)), or train with --set margin_weight=0.5",
            )  # fmt: skip
        return None
    was_training = model.training
    model.eval()
    bare_trees = [_chain(tree) for tree in trees]
    rows = tree_rows.encode(bare_trees, task.spec)
    found: list[Tree] = list(trees)
    with torch.inference_mode():
        for chosen in by_length(rows, NODES_AT_ONCE) if len(rows) else []:
            nodes = rows.padded(chosen).to(device)
            built = model.built(nodes, model.words(nodes[..., 0])).cpu().numpy()
            for i, held in zip(chosen, built, strict=True):
                tree = trees[i]
                num = len(tree.words)
                children = tuple((int(a) - 1, int(b) - 1) for a, b in held[num : 2 * num - 1, 1:3])
                labels = (*tree.labels[:num], *[UNLABELLED] * len(children))
                found[i] = Tree(tree.words, children, labels, tree.place)
    model.train(was_training)
    return found


def _chain(tree: Tree) -> Tree:
    """Return some tree over the same words: each joined to what is on its right."""
    num = len(tree.words)
    right = num - 1
    children = []
    for left in range(num - 2, -1, -1):
        children.append((left, right))
        right = num + len(children) - 1
    return Tree(tree.words, tuple(children), (UNLABELLED,) * (2 * num - 1))


def merged_spans(tree: Tree) -> list[chunking.Span]:
    """Return the phrases of a tree that are neither a word nor the whole sentence."""
    num = len(tree.words)
    return [("", i, j) for i, j in tree.spans[num:] if j - i < num]


def scores_of(
    test: Trees, by_node: np.ndarray, middle: int | None, built: Sequence[Tree] | None,
    seed: int = 0,
) -> tuple[Score, ...]:  # fmt: skip
    """Return all scores of (M, K) probabilities of nodes, that of whole sentences first."""
    starts, ends = test.rows.starts[:-1], test.rows.starts[1:]
    every, roots = by_node, by_node[ends - 1]
    scores = [
        _root_score("accuracy", roots.argmax(axis=1), test.roots, test.roots >= 0),
        _node_score(
            "node_accuracy", every.argmax(axis=1), test.targets, test.targets >= 0, starts, seed
        ),
    ]
    if middle is not None:
        is_good = (every[:, middle + 1 :].sum(axis=1) > every[:, :middle].sum(axis=1)).astype(int)
        truth = np.where(test.targets > middle, 1, 0)
        is_asked = (test.targets >= 0) & (test.targets != middle)
        scores += [
            _root_score("good_or_bad_accuracy", is_good[ends - 1], truth[ends - 1],
                        is_asked[ends - 1]),
            _node_score("good_or_bad_node_accuracy", is_good, truth, is_asked, starts, seed),
        ]  # fmt: skip
    if built is not None:
        found = chunking.counts(map(merged_spans, test.trees), map(merged_spans, built))

        def f1(rows: np.ndarray) -> float:
            return chunking.f1(found[rows])

        low, high = resampled(f1, len(found), seed)
        scores.append(Score("tree_f1", chunking.f1(found), low, high, int(found[:, 2].sum())))
    return tuple(score for score in scores if score.num)


def _root_score(name: str, answers: np.ndarray, truth: np.ndarray, is_asked: np.ndarray) -> Score:
    num = int(is_asked.sum())
    right = int((answers == truth)[is_asked].sum())
    return Score(name, right / max(1, num), *wilson(right, num), num)


def _node_score(
    name: str, answers: np.ndarray, truth: np.ndarray, is_asked: np.ndarray, starts: np.ndarray,
    seed: int,
) -> Score:  # fmt: skip
    """Return a share of all phrases; the interval draws whole trees."""
    asked = np.add.reduceat(is_asked.astype(np.int64), starts)
    right = np.add.reduceat(((answers == truth) & is_asked).astype(np.int64), starts)

    def share(rows: np.ndarray) -> float:
        return float(right[rows].sum() / max(1, asked[rows].sum()))

    every = np.arange(len(starts))
    return Score(name, share(every), *resampled(share, len(starts), seed), int(asked.sum()))
