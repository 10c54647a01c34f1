"""What word vectors learned: the map of words, the neighbours of some, and how training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from torch import nn

from samoyed.data.near_words import NearData, unit_length
from samoyed.data.scripts import is_unspaced, is_word
from samoyed.runs.drawing import Figure, line_chart, table
from samoyed.runs.drawing_words import Entry, word_map
from samoyed.runs.figures.representation import plane
from samoyed.tasks.embed import Embed, nearest, vectors_of

IN_REPORT, ON_MAP = 800, 3_000  # words
FEWEST = 12
SHOWN, NAMED = 12, 8  # words in the table; neighbours of each
TOO_FREQUENT = 100  # words that are passed over in the table: of, the, and
FIT_TO_SHOW = 3  # letters


def draw(
    task: Embed, model: nn.Module, data: NearData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:  # fmt: skip
    """Draw the report's figures."""
    return [*_map(task, model, IN_REPORT), _table(task, model, _typical(task)), _curve(history)]


def explain(task: Embed, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw the map of words, and the neighbours of those that are asked for.

    Raises:
        OptionError: for a word without a vector.
    """
    asked = [task.words[task.code_of(word)] for text in inputs for word in text.split()]
    figures = _map(task, model, ON_MAP)
    return [*figures, _table(task, model, asked)] if asked else figures


def _map(task: Embed, model: nn.Module, most: int) -> list[Figure]:
    """Draw the most frequent words, laid out by t-SNE of their vectors of length one."""
    unit = unit_length(vectors_of(model))
    chosen = np.argsort(-np.array(task.counts), kind="stable")[:most]
    if len(chosen) < FEWEST:
        return []
    places, often = plane(unit[chosen]), task.often_seen(NAMED + 1)
    entries = [
        Entry(task.words[code], task.counts[code], _neighbours(task, unit, int(code), often))
        for code in chosen
    ]
    caption = (
        f"The {len(chosen):,} most frequent of {len(unit):,} words, placed by t-SNE of their "
        "vectors (van der Maaten & Hinton 2008): words that stand among the same words are near. "
        "Touch a word to see its neighbours, choose it to mark them; drag and "
        "turn the wheel to move and zoom; what is near on the map was near before, what is far "
        "says little."
    )
    said = f"the map of {len(chosen):,} words: open it, and search; #WORD behind its address finds"
    return [Figure("The map of words", caption, word_map(places, entries), f"{said} one")]


def _neighbours(
    task: Embed, unit: Float[np.ndarray, "V D"], code: int, among: Int[np.ndarray, " W"]
) -> tuple[tuple[str, float], ...]:
    found = nearest(unit, unit[code], NAMED, [code], among)
    return tuple((task.words[other], cosine) for other, cosine in found)


def _typical(task: Embed) -> list[str]:
    """Return words that are frequent and mean something."""
    order = np.argsort(-np.array(task.counts), kind="stable")
    words = [task.words[code] for code in order]
    fit = [
        w for w in words[TOO_FREQUENT:]
        if is_unspaced(w) or (is_word(w) and len(w) > FIT_TO_SHOW)
    ]  # fmt: skip
    return [*fit, *words][: SHOWN * 8 : 8][:SHOWN] if len(fit) >= SHOWN * 8 else fit[:SHOWN]


def _table(task: Embed, model: nn.Module, words: Sequence[str]) -> Figure:
    """List words with their nearest neighbours."""
    unit, rows = unit_length(vectors_of(model)), []
    often = task.often_seen(NAMED + 1)
    for word in words:
        code = task.words.index(word)
        near = _neighbours(task, unit, code, often)
        told = ", ".join(f"{other} {cosine:.2f}" for other, cosine in near)
        rows.append((word, f"{task.counts[code]:,}", told))
    rarer = (
        f", of the {len(often):,} that training shows {task.seen_at_least:,} times or more: rarer "
        "ones have learned their few places by heart"
    )
    return Figure(
        "Nearest neighbours",
        "Words, how often training shows them, and the words whose vectors have the largest cosine "
        f"with theirs{rarer if len(often) < len(unit) else ''}.",
        table(("word", "times", "nearest"), rows),
    )


def _curve(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the perplexity of near words as it was looked at."""
    names = ("near_perplexity", "middle_perplexity")
    points = [(e["step"], e[name]) for e in history for name in names if name in e]
    return Figure(
        "Learning to foretell",
        "Between how many words one might as well draw lots to name a near one, on some of the "
        "held-out text.",
        line_chart({"held out": points}, x_label="step", y_label="perplexity", log_y=True),
    )
