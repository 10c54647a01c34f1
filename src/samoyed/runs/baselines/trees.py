"""Shallow models on the same trees: the commonest class, and linear ones on whole sentences."""

from __future__ import annotations

import numpy as np

from samoyed.core.reference import Score
from samoyed.data import words
from samoyed.data.labelled_lines import Labelled
from samoyed.data.labelled_text import LabelledData, Texts
from samoyed.data.trees import TreeData, Trees
from samoyed.runs.baselines import labelled_text


def measure(data: TreeData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model on the whole sentences alone; their phrases are not shown to it.

    Args:
        data: the trees.
        seed: of the order in which the linear models look.
    """
    held = [_sentences(part, data) for part in (data.train, data.test)]
    if not all(len(part) for part in held) or len(set(held[0].targets.tolist())) < 2:
        return []
    return labelled_text.measure(LabelledData(data.spec, data.labels, *held), seed)


def _sentences(part: Trees, data: TreeData) -> Texts:
    """Return the sentences of trees whose root has a class."""
    known = np.flatnonzero(part.roots >= 0).tolist()
    records = [
        Labelled(
            data.labels.names[part.roots[i]], " ".join(part.trees[i].words), part.trees[i].place
        )
        for i in known
    ]
    rows = words.encode([part.trees[i].words for i in known], data.spec)
    return Texts(rows, part.roots[known], records)
