"""Scores in words: names, numbers, intervals, and whether the model was worth it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from samoyed.core.reference import Score
from samoyed.runs.baselines.commonest import COMMONEST
from samoyed.runs.drawing_numbers import interval_text, unit_text

SAME = 1e-6  # scores that differ by less, relatively, are the same
ALIKE = 0.1  # of half the interval, by which a baseline may differ and be called as good

NO_SPREAD = "no spread among these examples to make an interval of"

_SHARES = (
    "accuracy", "error", "error_rate", "rate", "f1", "share", "fraction", "caught",
    "precision", "recall",
)  # fmt: skip
_WORDS = {
    "bleu": "BLEU", "chrf": "chrF2", "unit perplexity": "perplexity of a unit",
    "near perplexity": "perplexity of a near word",
    "middle perplexity": "perplexity of the word in the middle",
    "macro f1": "F1, mean over the classes", "roc auc": "area under the ROC curve",
    "mean roc auc": "mean area under the ROC curve", "r2": "R², share of the variance explained",
}  # fmt: skip
_COUNTED = {
    "near_perplexity": "pairs of near words",
    "middle_perplexity": "words",
    "rank_correlation": "pairs",
    "bleu": "sentences",
    "chrf": "sentences",
    "character": "characters",
    "mixed_perplexity": "words",
    "perplexity": "units",
    "return": "episodes",
    "reward": "episodes",
    "mean_length": "episodes",
    "win_rate": "episodes",
    "success_rate": "episodes",
    "caught": "episodes",
}


def score_words(name: str) -> str:
    """Write the name of a score in words.

    >>> score_words("bits_per_character")
    'bits per character'
    """
    words = name.replace("_", " ").strip()
    return _WORDS.get(words, words)


def beginning(text: str) -> str:
    """Write a text as a sentence or a heading begins.

    >>> beginning("rbm 1: loss")
    'Rbm 1: loss'
    """
    return text[:1].upper() + text[1:]


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
    if score.low == score.high:
        return NO_SPREAD if score.num > 1 else "one example makes no interval"
    low, high = in_unit(score.name, score.low), in_unit(score.name, score.high)
    return interval_text(low, high, unit_of(score.name))


def counted(name: str, num: int) -> str:
    """Write what a score was measured on.

    >>> counted("bits_per_character", 111540)
    '111,540 characters'
    """
    noun = next((plural for part, plural in _COUNTED.items() if part in name), "examples")
    return f"{num:,} {noun[:-1] if num == 1 else noun}"


def is_played(name: str) -> bool:
    """Tell whether a score is measured by playing episodes."""
    return counted(name, 2).endswith("episodes")


def held_out(name: str) -> str:
    """Say why these examples are an honest measure."""
    return "played for this measurement" if is_played(name) else "that training never saw"


@dataclass(frozen=True)
class Verdict:
    """How the model stands beside the best baseline.

    Args:
        kind: what happened; "tie" when the two intervals overlap.
        sentence: the same for people.
    """

    kind: Literal["win", "tie", "lose", "alone"]
    sentence: str


def verdict(
    score: Score | None, baselines: Sequence[tuple[str, Score]], others: Sequence[Score] = ()
) -> Verdict:
    """Set the headline score beside the best baseline measured by the same score.

    Args:
        score: the headline score of the model.
        baselines: what each simple model scores.
        others: further scores of the model. One that mixes it with a baseline is told of where
            the model alone is no clear winner and the two together beat the baseline.
    """
    same = [(n, s) for n, s in baselines if score is not None and s.name == score.name]
    if score is None or not same:
        return Verdict("alone", "No baseline was measured, so there is nothing to compare with.")
    sign = 1 if score.is_higher_better else -1
    name, best = max(same, key=lambda row: sign * row[1].value)
    gap = _gap_text(score, abs(score.value - best.value))
    is_better = sign * (score.value - best.value) > SAME * abs(best.value)
    if name == COMMONEST and not is_better:
        return Verdict(
            "tie" if score.low <= best.high and best.low <= score.high else "lose",
            f"Nothing beats always giving the commonest class ({value_text(best)}): neither the "
            "model nor a simpler one tells the classes apart well enough for more.",
        )
    if is_better and score.low <= best.high and best.low <= score.high:
        return Verdict(
            "tie",
            f"The model is better than {_with_article(name)} by {gap}, but the intervals "
            "overlap: the simpler model may do." + _mixed(score, best, others),
        )
    if score.low <= best.high and best.low <= score.high:
        return Verdict("tie", _not_beaten(score, name, best) + _mixed(score, best, others))
    if is_better:
        return Verdict(
            "win", f"The model beats the best baseline, {_with_article(name)}, by {gap}."
        )
    return Verdict(
        "lose",
        f"{beginning(_with_article(name))} {_is(name)} better by {gap}: use that instead."
        + _mixed(score, best, others),
    )


def _mixed(score: Score, best: Score, others: Sequence[Score]) -> str:
    """Say that model and baseline together are better than the baseline, where they are."""
    mixed = next((s for s in others if s.name == f"mixed_{score.name}"), None)
    sign = 1 if score.is_higher_better else -1
    if mixed is None or sign * (mixed.value - best.value) <= 0:
        return ""
    return f" Averaged, the two do better still: {value_text(mixed)}."


def _not_beaten(score: Score, name: str, best: Score) -> str:
    """Say that a baseline is as good, or better by less than the intervals."""
    who = beginning(_with_article(name))
    is_alike = abs(score.value - best.value) <= ALIKE * (score.high - score.low) / 2
    if is_alike or math.isclose(score.value, best.value, rel_tol=SAME):
        overlap = "" if score.low == score.high else ", and the intervals overlap"
        return f"{who} {_is(name)} as good ({value_text(best)}{overlap}): use that instead."
    return (
        f"{who} {'score' if _is_plural(name) else 'scores'} better here ({value_text(best)} to "
        f"{value_text(score)}), though the intervals overlap: use that instead."
    )


def _gap_text(score: Score, gap: float) -> str:
    if is_share(score.name):
        return f"{100 * gap:.2f} points"
    return f"{unit_text(gap)} {_gap_noun(score.name)}"


def _gap_noun(name: str) -> str:
    return score_words(name) if name.startswith("bits") else f"in {score_words(name)}"


def _is(name: str) -> str:
    """Return the verb for one baseline.

    >>> _is("boosted trees (2,000 rows)"), _is("random forest")
    ('are', 'is')
    """
    return "are" if _is_plural(name) else "is"


def _is_plural(name: str) -> bool:
    """Tell whether a baseline's name is of several things.

    >>> _is_plural("5 nearest neighbours (100 rows)"), _is_plural("subjects with most facts")
    (True, True)
    >>> _is_plural("a picture with stripes"), _is_plural("logistic regression on n-grams")
    (False, False)
    """
    head = re.split(r"[(,]| with | on ", name)[0].strip()
    return head.endswith("s") and not name.startswith(("best", "always"))


def _with_article(name: str) -> str:
    """Name one baseline inside a sentence.

    >>> _with_article("logistic regression"), _with_article("5-gram counts")
    ('a logistic regression', '5-gram counts')
    """
    is_plural = _is_plural(name)
    word = name.split(" ")[0].lower()
    if (
        is_plural
        or not name[:1].isalpha()
        or word in ("a", "an", "the", "always", "each", "chance", "best")
    ):
        return name
    return f"{'an' if word[0] in 'aeiou' else 'a'} {name}"
