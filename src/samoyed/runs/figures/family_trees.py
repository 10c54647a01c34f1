"""What the six units of the family trees net stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from samoyed.data.built_in_facts import FAMILIES
from samoyed.data.facts import FactData
from samoyed.models.language.family_trees import FamilyTrees
from samoyed.runs.drawing import Figure, image_grid, table

NUM_NEAR = 3
MOST = 60  # subjects that are listed


def draw(task: Any, model: nn.Module, data: FactData, history: Any) -> list[Figure]:
    """Return the picture of the weights into the code, and who is near to whom in it."""
    assert isinstance(model, FamilyTrees)
    return [weights(model, data), near(model, data)]


def weights(model: FamilyTrees, data: FactData) -> Figure:
    """Show the weights from every subject to each unit of the code, as figure 4 of the paper."""
    names = data.spec.subjects
    held = model.subject.weight.detach().cpu().numpy()
    rows = [family.split() for family in FAMILIES]
    is_ours = set(names) == {name for row in rows for name in row}
    order = (
        [[names.index(name) for name in row] for row in rows] if is_ours else [range(len(names))]
    )
    pictures = np.stack([[[unit[k] for k in row] for row in order] for unit in held])
    layout = (
        "The upper row is the English family, the lower the Italian, each from its oldest on the "
        "left to its youngest on the right, in the paper's order; people in one column have the "
        "same place in their tree. "
        if is_ours
        else ""
    )
    return Figure(
        "What the code's units stand for",
        f"The weights from every subject to each of the {len(held)} units of the code: bright on "
        f"red raises the unit, on blue lowers it. {layout}A unit whose two rows differ tells the "
        "families apart; one that has the same in both, the generation or the branch.",
        image_grid(
            pictures, columns=2, scale=max(1, 160 // pictures.shape[2]), diverging=True,
            labels=[f"unit {k + 1}" for k in range(len(held))],
        ),
    )  # fmt: skip


def near(model: FamilyTrees, data: FactData) -> Figure:
    """List for every subject those with the nearest codes."""
    codes = model.codes().cpu().numpy()
    names = data.spec.subjects
    distance = np.linalg.norm(codes[:, None] - codes[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    rows = []
    for k, name in enumerate(names[:MOST]):
        nearest = np.argsort(distance[k])[:NUM_NEAR]
        shown = ", ".join(f"{names[j]} ({distance[k, j]:.2f})" for j in nearest)
        rows.append((name, " ".join(f"{value:.2f}" for value in codes[k]), shown))
    return Figure(
        "Codes, and whose are near",
        "What the units of the code give for each subject, and the subjects whose codes are "
        "nearest.",
        table(("subject", "code", "nearest"), rows),
    )
