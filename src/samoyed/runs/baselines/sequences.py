"""Shallow models on the same sequences, each laid out as one long row of numbers."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from torch import Tensor

from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.tasks.remember import scores_of
from samoyed.worlds.sequences import SequenceData, drawn

NUM_BATCHES, BATCH = 40, 100  # of fresh sequences to fit on
NEIGHBOURS = 5


def measure(data: SequenceData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit on 4,000 fresh sequences, filled up with zeros at their ends, and score.

    Args:
        data: the held-out sequences.
        seed: of the sequences to fit on.
    """
    spec = data.spec
    fresh = [drawn(spec, BATCH, numpy_generator(seed, "baselines", k)) for k in range(NUM_BATCHES)]
    longest = spec.length + spec.length // 10
    rows = np.concatenate([_flat(inputs, longest) for inputs, _ in fresh])
    answers = np.concatenate([found.numpy() for _, found in fresh])
    test = np.concatenate([_flat(inputs, longest) for inputs, _ in data.groups])
    num = f"{len(rows):,} sequences"
    models = {
        "always the mean": DummyRegressor(), f"ridge regression ({num})": Ridge(1.0),
        f"nearest neighbours ({num})": KNeighborsRegressor(NEIGHBOURS),
    }  # fmt: skip
    if spec.names:
        models = {
            "always the commonest answer": DummyClassifier(),
            f"logistic regression ({num})": LogisticRegression(max_iter=200),
            f"nearest neighbours ({num})": KNeighborsClassifier(NEIGHBOURS),
        }
    found = []
    for name, model in models.items():
        told = model.fit(rows, answers).predict(test)
        values = np.eye(len(spec.names))[told] if spec.names else told[:, None]
        found.append((name, scores_of(values, data.answers, seed)[0]))
    return found


def _flat(inputs: Tensor, longest: int) -> np.ndarray:
    """Lay (N, L, D) sequences out as (N, longest D) rows."""
    held = np.zeros((inputs.shape[0], longest, inputs.shape[2]), dtype=np.float32)
    held[:, : inputs.shape[1]] = inputs.numpy()
    return held.reshape(len(held), -1)
