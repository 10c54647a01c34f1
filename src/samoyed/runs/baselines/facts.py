"""Shallow ways to complete a fact: what a relation usually leads to, and who is most alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from samoyed.core.reference import Score
from samoyed.data.facts import FactData
from samoyed.metrics.intervals import wilson
from samoyed.tasks.complete import is_completed


def measure(data: FactData, seed: int = 0) -> list[tuple[str, Score]]:
    """Score two shallow models on the questions that the net is scored on first.

    Args:
        data: the questions.
        seed: not used: nothing is drawn.
    """
    learned, told = data.part(is_held=False)
    is_held = bool(data.is_held.any())
    asked, answers = data.part(is_held)
    name = "completed_share" if is_held else "recalled_share"
    usual = torch.zeros(len(data.spec.relations), told.shape[1])
    usual.index_add_(0, learned[:, 1], told)
    rows = [("frequent objects of the relation", usual[asked[:, 1]])]
    alike = _by_likeness(data, learned, told, asked) + 1e-3 * usual[asked[:, 1]]
    rows.append(("subjects with most facts in common", alike))
    found = []
    for label, values in rows:
        chances = values / values.amax().clamp_min(1)
        right = int(is_completed(chances, answers).sum())
        low, high = wilson(right, len(asked))
        found.append((label, Score(name, right / len(asked), low, high, len(asked))))
    return found


def _by_likeness(data: FactData, learned: Tensor, told: Tensor, asked: Tensor) -> Tensor:
    """Return (N, M): the answers of other subjects, weighed by how much they have in common.

    Two subjects have in common the learned facts that are true of both, about other relations.
    """
    num, relations = len(data.spec.subjects), len(data.spec.relations)
    facts = np.zeros((num, relations, told.shape[1]), dtype=np.float32)
    facts[learned[:, 0].numpy(), learned[:, 1].numpy()] = told.numpy()
    found = np.zeros((len(asked), told.shape[1]), dtype=np.float32)
    for place, (subject, relation) in enumerate(asked.tolist()):
        others = facts.copy()
        others[:, relation] = 0
        common = (others * others[subject]).sum((1, 2))
        common[subject] = 0
        found[place] = common @ facts[:, relation]
    return torch.from_numpy(found)
