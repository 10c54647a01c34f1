"""Figures of trees: every phrase on its tree, how length matters, what is taken for what."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.data import tree_rows
from samoyed.data.tree_text import Tree
from samoyed.data.trees import TreeData
from samoyed.metrics import classification
from samoyed.metrics.intervals import wilson
from samoyed.runs.drawing import Figure, bar_chart
from samoyed.runs.figures.classify import confusion_figure, per_class_figure
from samoyed.tasks.classify_trees import (
    ClassifyTrees,
    built_trees,
    merged_spans,
    predict_probabilities,
)

NUM_SHOWN = 3  # trees, right and wrong ones each
SHORTEST, LONGEST = 3, 16  # words of a sentence whose tree is shown
LENGTHS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 10_000))


def draw(
    task: ClassifyTrees, model: nn.Module, data: TreeData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures."""
    test, names, device = data.test, task.labels.names, next(model.parameters()).device
    by_node = predict_probabilities(model, test.rows, device)
    is_asked = test.targets >= 0
    answers = by_node.argmax(axis=1)
    roots = test.rows.starts[1:] - 1
    asked_roots = roots[is_asked[roots]]
    figures: list[Figure | None] = [
        *tree_figures(task, test.trees, by_node, test.rows.starts),
        length_figure(test.trees, answers == test.targets, is_asked),
    ]
    if len(asked_roots):
        confusion = classification.confusion_matrix(
            test.targets[asked_roots], answers[asked_roots], len(names)
        )
        figures += [
            confusion_figure(confusion, names),
            per_class_figure(confusion, names, "sentences"),
        ]
    figures.append(building_figure(task, model, test.trees, device))
    return [figure for figure in figures if figure is not None]


def explain(task: ClassifyTrees, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw each sentence's tree, given or built, with the class of every phrase.

    Raises:
        DataError: for a file that cannot be read, a broken tree, or an input without a word.
    """
    device = next(model.parameters()).device
    trees = task.trees_of(model, inputs, device)
    if not trees:
        return []
    rows = tree_rows.encode(trees, task.spec)
    figures = []
    for tree, held in zip(trees, task.by_tree(model, rows, device), strict=True):
        named = [task.labels.names[k] for k in held.argmax(axis=1)]
        told = Tree(tree.words, tree.children, tuple(named)).written()
        share = 100 * held[-1].max()
        figures.append(
            Figure(
                " ".join(tree.words)[:60],
                f"Every phrase with its likeliest class; the whole: {named[-1]} ({share:.1f} %).",
                pictured(tree, named, None, colours(task, held)),
                said=f"{named[-1]}, {share:.1f} %: {told}",
            )
        )
    return figures


def tree_figures(
    task: ClassifyTrees, trees: Sequence[Tree], by_node: np.ndarray, starts: np.ndarray
) -> list[Figure]:
    """Show the surest right and wrong answers on their trees."""
    names = task.labels.names
    groups: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    for i, tree in enumerate(trees):
        root = by_node[starts[i + 1] - 1]
        if tree.labels[-1] and SHORTEST <= len(tree.words) <= LONGEST:
            groups[names[root.argmax()] == tree.labels[-1]].append((float(root.max()), i))
    figures = []
    for is_right, held in groups.items():
        chosen = [i for _, i in sorted(held, key=lambda pair: (-pair[0], pair[1]))[:NUM_SHOWN]]
        drawn = []
        for i in chosen:
            values = by_node[starts[i] : starts[i + 1]]
            told = [names[k] for k in values.argmax(axis=1)]
            drawn.append(pictured(trees[i], told, trees[i].labels, colours(task, values)))
        if drawn:
            which = "Right" if is_right else "Wrong"
            figures.append(
                Figure(
                    f"{which} answers, phrase by phrase",
                    "Over every phrase its answer; where that is wrong it is struck out, and the "
                    "truth stands behind it. The vector of each is made of the two below it.",
                    "".join(drawn),
                )
            )
    return figures


def colours(task: ClassifyTrees, values: np.ndarray) -> list[str]:
    """Return a background for every node: by the mean step of a scale, else by how sure it is."""
    if task.middle is None:
        return [f"rgba(52,120,196,{0.5 * share:.2f})" for share in values.max(axis=1)]
    mean = (values @ np.arange(values.shape[1]) - task.middle) / task.middle
    return [
        f"rgba({'40,128,80' if x > 0 else '205,80,50'},{min(1.0, abs(x)) * 0.7:.2f})" for x in mean
    ]


def pictured(
    tree: Tree, told: Sequence[str], truth: Sequence[str] | None, backgrounds: Sequence[str]
) -> str:
    """Draw a tree of boxes: over each phrase its class, under it its parts."""
    box = "display:inline-flex;flex-direction:column;align-items:center;margin:0 2px"
    parts: list[str] = []
    for i, answer in enumerate(told):
        said = html.escape(answer)
        if truth is not None and truth[i] and truth[i] != answer:
            said = f"<del>{said}</del> {html.escape(truth[i])}"
        chip = (
            f'<span style="background:{backgrounds[i]};border:1px solid var(--line);'
            f'border-radius:4px;padding:0 5px;margin-top:3px">{said}</span>'
        )
        if i < len(tree.words):
            inner = f"<small>{html.escape(tree.words[i])}</small>"
        else:
            left, right = tree.children[i - len(tree.words)]
            inner = (
                '<span style="display:flex;align-items:flex-start;border-top:1px solid '
                f'var(--line);margin-top:4px">{parts[left]}{parts[right]}</span>'
            )
        parts.append(f'<span style="{box}">{chip}{inner}</span>')
    return f'<div class="scroll" tabindex="0" role="group" aria-label="tree">{parts[-1]}</div>'


def length_figure(trees: Sequence[Tree], is_right: np.ndarray, is_asked: np.ndarray) -> Figure:
    """Show how often phrases of so many words are right."""
    sizes = np.array([end - first for tree in trees for first, end in tree.spans])
    bars = []
    for fewest, most in LENGTHS:
        held = is_asked & (sizes >= fewest) & (sizes <= most)
        num, right = int(held.sum()), int((is_right & held).sum())
        if num:
            low, high = wilson(right, num)
            span = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            name = f"{fewest} and more" if most >= LENGTHS[-1][1] else span
            bars.append((f"{name} ({num:,})", 100 * right / num, 100 * low, 100 * high))
    return Figure(
        "By the number of words",
        "Which share of the phrases of so many words has the right class, with 95 % intervals; in "
        "brackets how many there are.",
        bar_chart(bars, unit="%"),
    )


def building_figure(
    task: ClassifyTrees, model: nn.Module, trees: Sequence[Tree], device: Any
) -> Figure | None:
    """Compare the trees that the model builds with trees that ask for no learning."""
    built = built_trees(model, trees, task, device)
    if built is None:
        return None
    right = [[("", i, len(t.words)) for i in range(1, len(t.words) - 1)] for t in trees]
    left = [[("", 0, j) for j in range(2, len(t.words))] for t in trees]
    truth = [set(merged_spans(tree)) for tree in trees]
    total = sum(map(len, truth))
    bars = []
    for name, spans in (
        ("built by the model", [merged_spans(tree) for tree in built]),
        ("each word joined to what is on its right", right),
        ("each word joined to what is on its left", left),
    ):
        num = sum(len(one & set(other)) for one, other in zip(truth, spans, strict=True))
        low, high = wilson(num, total)
        bars.append((name, 100 * num / max(1, total), 100 * low, 100 * high))
    return Figure(
        "Trees from plain sentences",
        "Which share of the phrases of the true trees is found, when the model is given the words "
        "alone and makes the best merge first; below, two trees that take no learning. Words and "
        "whole sentences are not counted.",
        bar_chart(bars, unit="%"),
    )
