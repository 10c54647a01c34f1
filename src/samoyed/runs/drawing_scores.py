"""Scores in words: names, numbers, intervals, and whether the network was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from samoyed.core.reference import Score
from samoyed.runs.drawing_numbers import interval_text, unit_text

_SHARES = ("accuracy", "error", "error_rate", "rate", "f1", "share", "fraction")
_COUNTED = {
    "character": "characters",
    "perplexity": "characters",
    "return": "episodes",
    "reward": "episodes",
    "win_rate": "episodes",
    "success_rate": "episodes",
    "caught": "episodes",
}


def score_words(name: str) -> str:
    """Write the name of a score in words.

    >>> score_words("bits_per_character")
    'bits per character'
    """
    return name.replace("_", " ").strip()


def is_share(name: str) -> bool:
    """Tell whether a score is a part of one, better written in percent.

    >>> is_share("top_5_accuracy"), is_share("mean_return")
    (True, False)
    """
    return any(name == share or name.endswith("_" + share) for share in _SHARES)


def unit_of(name: str) -> str:
    """Return "%" or nothing."""
    return "%" if is_share(name) else ""


def in_unit(name: str, value: float) -> float:
    """Return the number to be written before the score's unit."""
    return 100 * value if is_share(name) else value


def value_text(score: Score) -> str:
    """Write a score's value with its unit.

    >>> value_text(Score("accuracy", 0.9923, 0.9904, 0.9938, 10_000))
    '99.23 %'
    """
    return unit_text(in_unit(score.name, score.value), unit_of(score.name))


def score_interval(score: Score) -> str:
    """Write a score's 95 % interval.

    >>> score_interval(Score("accuracy", 0.9923, 0.9904, 0.9938, 10_000))
    '99.04 to 99.38 %'
    """
    low, high = in_unit(score.name, score.low), in_unit(score.name, score.high)
    return interval_text(low, high, unit_of(score.name))


def counted(name: str, num: int) -> str:
    """Write what a score was measured on.

    >>> counted("bits_per_character", 111540)
    '111,540 characters'
    """
    noun = next((plural for part, plural in _COUNTED.items() if part in name), "examples")
    return f"{num:,} {noun[:-1] if num == 1 else noun}"


@dataclass(frozen=True)
class Verdict:
    """How the network stands beside the best baseline.

    Args:
        kind: what happened; "tie" when the two intervals overlap.
        sentence: the same for people.
    """

    kind: Literal["win", "tie", "lose", "alone"]
    sentence: str


def verdict(score: Score | None, baselines: Sequence[tuple[str, Score]]) -> Verdict:
    """Set the headline score beside the best baseline measured by the same score."""
    same = [(n, s) for n, s in baselines if score is not None and s.name == score.name]
    if score is None or not same:
        return Verdict("alone", "No baseline was measured, so there is nothing to compare with.")
    sign = 1 if score.is_higher_better else -1
    name, best = max(same, key=lambda row: sign * row[1].value)
    gap = _gap_text(score, abs(score.value - best.value))
    if score.low <= best.high and best.low <= score.high:
        return Verdict(
            "tie",
            f"{_with_article(name)} is as good ({value_text(best)}, and the intervals overlap): "
            "use that instead.",
        )
    if sign * (score.value - best.value) > 0:
        return Verdict("win", f"The network beats the best baseline, {name}, by {gap}.")
    return Verdict("lose", f"{_with_article(name)} is better by {gap}: use that instead.")


def _gap_text(score: Score, gap: float) -> str:
    if is_share(score.name):
        return f"{100 * gap:.2f} points"
    return f"{unit_text(gap)} {_gap_noun(score.name)}"


def _gap_noun(name: str) -> str:
    return score_words(name) if name.startswith("bits") else f"in {score_words(name)}"


def _with_article(name: str) -> str:
    """Begin a sentence with a baseline's name.

    >>> _with_article("logistic regression"), _with_article("5-gram counts")
    ('A logistic regression', '5-gram counts')
    """
    first = name.split(" ")[0].rstrip("s")
    is_countable = not name.split("(")[0].strip().endswith("s") and name[:1].isalpha()
    if not is_countable or first.lower() in ("a", "an", "the", "alway", "k", "chance"):
        return name[:1].upper() + name[1:]
    article = "An" if name[0].lower() in "aeiou" else "A"
    return f"{article} {name}"
