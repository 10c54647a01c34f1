"""Where a system comes from, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reference:
    """The paper a system file implements.

    Args:
        title: the paper's title.
        authors: as printed, family names with initials.
        year: of publication.
        venue: journal or conference, with volume and pages.
        review: the number under which the 2015 review cites it, or None.
        url: a DOI or a stable address.
    """

    title: str
    authors: str
    year: int
    venue: str
    review: int | None = None
    url: str = ""

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}). {self.title}. {self.venue}."


@dataclass(frozen=True)
class Score:
    """One measured number with its 95 % interval.

    Args:
        name: "accuracy", "bits_per_character", "mean_return", ...
        value: the measured number.
        low: lower end of the interval.
        high: upper end of the interval.
        num: how many examples (characters, episodes) it was measured on.
        is_higher_better: the direction of improvement.
    """

    name: str
    value: float
    low: float
    high: float
    num: int
    is_higher_better: bool = True


@dataclass(frozen=True)
class Answer:
    """What a model says about one input.

    Args:
        input: path, prompt or world the question was about.
        answer: a class name, a text, a return.
        probability: the model's own confidence in [0, 1], or None.
        details: further columns, e.g. the next best classes; JSON values only.
    """

    input: str
    answer: str
    probability: float | None = None
    details: tuple[tuple[str, Any], ...] = ()
