"""One claim of a paper and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Claim:
    """One claim and its protocol.

    Args:
        system: row of the catalog.
        key: short name, unique within the system.
        statement: what is measured, in words, with the sizes of the data.
        paper: the paper's number and protocol.
        target: the target in words.
        data: a Gymnasium id, a built-in world, or a path below `--data`.
        score: which score is measured.
        bound: the target as a number.
        is_at_least: whether the score must reach the bound from above.
        seeds: how many seeds.
        scale: "reproduced" when the paper's own data and sizes are used, else
            "reproduced at reduced scale".
        minutes: of training, or None.
        epochs: passes through the data, or None.
        settings: `--set` values.
        against: settings of a second arm; the claim is then about the paired difference.
        is_relative: whether that difference is taken as a share of the second arm.
        needed: how many seeds must reach the bound; None asks it of the mean.
        table: of a table: target, test and input, as `train` takes them; test below `--data`.
    """

    system: str
    key: str
    statement: str
    paper: str
    target: str
    data: str
    score: str
    bound: float
    is_at_least: bool = True
    seeds: int = 3
    scale: str = "reproduced"
    minutes: float | None = None
    epochs: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] | None = None
    is_relative: bool = False
    needed: int | None = None
    table: Mapping[str, str] = field(default_factory=dict)
