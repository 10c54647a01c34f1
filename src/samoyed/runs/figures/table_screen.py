"""Which of many columns go with what a model answers: a look before each is tried by itself."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from samoyed.core.spec import Column, TableSpec

TINY = 1e-12  # of a variance: below it nothing varies

# Legend for shapes: N rows, W an encoded row, A answers.


def most_telling(
    answers: Float[np.ndarray, "N A"], inputs: Float[np.ndarray, "N W"], spec: TableSpec, most: int
) -> list[Column]:
    """Return the columns that explain most of the answers one by one, in the table's order.

    Each is judged by its best answer: a number by its squared correlation, a molecule by that of
    its best bit, a category by the share of the variance between its values.

    Args:
        answers: of the model.
        inputs: rows, encoded.
        spec: the columns.
        most: how many are returned; all, where there are no more.
    """
    if len(spec.columns) <= most:
        return list(spec.columns)
    told = answers - answers.mean(axis=0)
    told = told[:, (told**2).mean(axis=0) > TINY]
    told = told / np.sqrt((told**2).mean(axis=0))
    values = inputs.astype(np.float64)
    values -= values.mean(axis=0)
    spread = np.sqrt((values**2).mean(axis=0))
    explained = (values.T @ told / len(told) / np.maximum(spread, TINY)[:, None]) ** 2
    shares = [
        _between(inputs[:, place], told) if column.kind == "category"
        else float(explained[spec.places(column)].max(initial=0.0))
        for column, place in ((column, spec.places(column)[0]) for column in spec.columns)
    ]  # fmt: skip
    chosen = np.sort(np.argsort(-np.array(shares), kind="stable")[:most])
    return [spec.columns[i] for i in chosen]


def _between(values: Float[np.ndarray, " N"], told: Float[np.ndarray, "N A"]) -> float:
    """Return the share of the answers' variance, 1 each, that is between groups of equal values."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), told.shape[1]))
    np.add.at(sums, group, told)
    return float((sums**2 / counts[:, None]).sum(axis=0).max(initial=0.0)) / len(told)
