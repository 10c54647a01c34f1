"""How things part from each other while a semantic network learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from samoyed.data.facts import FactData
from samoyed.models.language.semantic_network import (
    NUM_SPLITS,
    SemanticNetwork,
    attributes_of,
    splits,
)
from samoyed.runs.drawing import Figure, line_chart, table


def draw(
    task: Any, model: nn.Module, data: FactData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Return the curves of differentiation, and the final distances."""
    assert isinstance(model, SemanticNetwork)
    followed = splits(attributes_of(*data.part(is_held=False)))[:NUM_SPLITS]
    names = [split.named(data.spec.subjects) for split in followed]
    curves = {}
    for k, name in enumerate(names):
        points = [(float(e["step"]), float(e[f"apart {k}"])) for e in history if f"apart {k}" in e]
        most = max((value for _, value in points), default=0.0)
        if most > 0:
            curves[name] = [(step, value / most) for step, value in points]
    rows = [
        (name, str(split.level), _half(curves.get(name, ())))
        for name, split in zip(names, followed, strict=True)
    ]
    return [
        Figure(
            "From the coarse to the fine",
            "How far the inner pictures of two groups are apart, as a part of the most they ever "
            "are. What differs in most attributes parts first, as in figure 3.3 of the book.",
            line_chart(curves, x_label="sweep", y_label="part of the most")
            + table(("groups", "level", "sweep at which half is reached"), rows),
        ),
        _distances(model, data),
    ]


def _half(points: Sequence[tuple[float, float]]) -> str:
    return next((f"{step:.0f}" for step, part in points if part >= 0.5), "never")


def _distances(model: SemanticNetwork, data: FactData) -> Figure:
    """Show how far every two inner pictures are apart."""
    with torch.no_grad():
        pictures = model.pictures().cpu()
    names = data.spec.subjects[:12]
    distance = torch.cdist(pictures, pictures)
    rows = [
        (name, *(f"{distance[k, j]:.2f}" for j in range(len(names))))
        for k, name in enumerate(names)
    ]
    return Figure(
        "Distances of inner pictures",
        "Small numbers are things that the net takes for alike.",
        table(("", *names), rows),
    )
