"""Which file measures the shallow baselines of which kind of data: the explicit table."""

from __future__ import annotations

import importlib
from typing import Any

from samoyed.core.reference import Score

KINDS = {
    "images": "samoyed.runs.baselines.images",
    "pairs": "samoyed.runs.baselines.pairs",
    "facts": "samoyed.runs.baselines.facts",
    "sequences": "samoyed.runs.baselines.sequences",
    "table": "samoyed.runs.baselines.tables",
    "labelled_text": "samoyed.runs.baselines.labelled_text",
    "tagged_text": "samoyed.runs.baselines.tagged_text",
    "trees": "samoyed.runs.baselines.trees",
    "text": "samoyed.runs.baselines.text",
    "world": "samoyed.runs.baselines.worlds",
}
# Questions that other models answer than those of their kind of data.
TASKS = {"embed": "samoyed.runs.baselines.near_words"}


def measure(kind: str, asked: str, data: Any, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit and score honest shallow models on the same split."""
    return importlib.import_module(TASKS.get(asked, KINDS[kind])).measure(data, seed=seed)
