"""Which words of a text mattered for an answer: two ways to ask, and whether they agree.

* Occlusion: the word is taken out, and the answer's probability falls by so much (Zeiler & Fergus
  2014, section 4.2; for words Li, Monroe & Jurafsky 2016, Understanding neural networks through
  representation erasure, eq. 1).
* Gradient times input: how fast the answer's score grows with how far the word is there
  (Shrikumar, Greenside & Kundaje 2017, section 3).

The first asks about the answer itself, one word at a time; the second asks the model's own
gradients about all words at once. Neither is the truth, so both are shown.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from samoyed.core.spec import WordSpec
from samoyed.data import words as cutting
from samoyed.data.labelled_text import LONGEST
from samoyed.runs.drawing import Figure, table
from samoyed.tasks.classify_text import predict_probabilities, rows_of

AGREE, DISAGREE = 0.5, 0.2  # rank correlation from which, below which, they do
MOST_COVERED = 200  # words of a text that are taken out one by one, half of them at either end
NUM_TOLD = 4

# Legend for shapes: L words of a text.


@dataclass(frozen=True, eq=False)
class Matter:
    """What mattered for one answer.

    Args:
        words: (L) as they were read.
        answer: which class.
        probability: of it.
        covered: (L,) how far the probability falls without each word; 0 where it was not asked.
        gradients: (L,) how fast the score grows with each word.
        correlation: of the two ranks of the words that were taken out, NaN where there are too few.
    """

    words: Sequence[str]
    answer: int
    probability: float
    covered: np.ndarray
    gradients: np.ndarray
    correlation: float


def matter_of(model: Any, text: str, spec: WordSpec, answer: int | None = None) -> Matter:
    """Ask which words mattered.

    Args:
        model: takes (B, L, 4) words, and how far each is there.
        text: the text; of a long one only the words that the model reads.
        spec: the words.
        answer: the class that is asked about; the likeliest by default.
    """
    found = list(cutting.shortened(cutting.split(text), LONGEST))
    rows = rows_of([text], spec)
    whole = predict_probabilities(model, rows, _device(model))[0]
    answer = int(whole.argmax()) if answer is None else answer
    inputs = rows.padded(np.array([0])).to(_device(model))[:, : len(found)]
    covered = np.zeros(len(found))
    model.eval()
    asked = _covered(len(found))
    if found:
        holes = inputs.repeat(len(asked), 1, 1)
        holes[torch.arange(len(asked)), torch.from_numpy(asked)] = 0
        with torch.no_grad():
            parts = [model(piece).values.double().softmax(dim=1) for piece in holes.split(64)]
        covered[asked] = whole[answer] - torch.cat(parts)[:, answer].cpu().numpy()
    present = torch.ones(inputs.shape[:2], device=inputs.device, requires_grad=True)
    score = model(inputs, present).values[0]
    [slope] = torch.autograd.grad(score[answer] - score.mean(), present)
    gradients = slope[0].double().cpu().numpy()
    correlation = _ranks(covered[asked], gradients[asked])
    return Matter(found, answer, float(whole[answer]), covered, gradients, correlation)


def _covered(num: int) -> np.ndarray:
    """Return the places of the words that are taken out: all, or those at either end.

    >>> _covered(1000)[[0, 99, 100, 199]]
    array([  0,  99, 900, 999])
    """
    if num <= MOST_COVERED:
        return np.arange(num)
    half = MOST_COVERED // 2
    return np.r_[: MOST_COVERED - half, num - half : num]


def _device(model: nn.Module) -> Any:
    return next(model.parameters()).device


def _ranks(one: np.ndarray, two: np.ndarray) -> float:
    """Return Spearman's correlation, NaN where there is none."""
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    from scipy.stats import spearmanr

    return float(spearmanr(one, two)[0])


def agreement(correlation: float) -> str:
    """Say whether the two ways agree.

    >>> agreement(0.8), agreement(0.1)
    ('the two ways agree (0.80)', 'the two ways DISAGREE (0.10): trust neither')
    """
    if np.isnan(correlation):
        return "too few words to say whether the two ways agree"
    if correlation >= AGREE:
        return f"the two ways agree ({correlation:.2f})"
    if correlation < DISAGREE:
        return f"the two ways DISAGREE ({correlation:.2f}): trust neither"
    return f"the two ways agree in part ({correlation:.2f})"


def matter_figure(matter: Matter, name: str, title: str) -> Figure:
    """Show a text with its words coloured, by both ways."""
    order = np.argsort(-matter.covered, kind="stable")[:NUM_TOLD]
    told = [str(matter.words[i]) for i in order if matter.covered[i] > 0]
    most = ", ".join(told) or "no single word"
    verdict = agreement(matter.correlation)
    strongest = np.argsort(-np.abs(matter.covered), kind="stable")[:12]
    rows = [
        (str(matter.words[i]), f"{100 * matter.covered[i]:+.1f}", f"{matter.gradients[i]:+.3f}")
        for i in strongest
    ]
    return Figure(
        title,
        f"Answer: {name} ({100 * matter.probability:.1f} %). Red words speak for it, blue ones "
        "against; above, how far its probability falls when the word is taken out; below, how fast "
        f"its score grows with the word. {_which(len(matter.words))}By rank, {verdict}.",
        coloured(matter.words, matter.covered) + coloured(matter.words, matter.gradients)
        + "<details><summary>In numbers</summary>"
        + table(("word", "probability falls by, points", "gradient times input"), rows)
        + "</details>",
        said=f"{title}: {name}, {100 * matter.probability:.1f} %; most for it: {most}; {verdict}",
    )  # fmt: skip


def _which(num: int) -> str:
    """Say which of a long text's words were taken out.

    >>> _which(1000)
    'Of the 1,000 words that are read the first 100 and the last 100 are taken out one by one. '
    """
    if num <= MOST_COVERED:
        return ""
    half = MOST_COVERED // 2
    return (
        f"Of the {num:,} words that are read the first {MOST_COVERED - half} and the last {half} "
        "are taken out one by one. "
    )


def coloured(words: Sequence[str], values: np.ndarray) -> str:
    """Write words on a background: red above zero, blue below, by share of the largest."""
    largest = max(float(np.abs(values).max(initial=0.0)), 1e-12)
    parts = []
    for word, value in zip(words, values, strict=True):
        share = float(value) / largest
        colour = "214,69,65" if share > 0 else "52,120,196"
        parts.append(
            f'<span title="{value:+.3g}" style="background:rgba({colour},{0.6 * abs(share):.2f});'
            f'padding:0 2px;border-radius:3px">{html.escape(str(word))}</span>'
        )
    return f'<p style="line-height:1.9;overflow-wrap:anywhere">{" ".join(parts)}</p>'
