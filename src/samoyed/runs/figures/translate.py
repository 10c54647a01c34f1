"""What a translator learned: what it looks at, which sentences are hard, where it fails."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from samoyed.data.pairs import PairData, Pairs
from samoyed.metrics.translation import bleu, sentence_bleu, signature
from samoyed.runs.drawing import Figure, line_chart, table
from samoyed.runs.drawing_pictures import heat_text
from samoyed.runs.figures.sentence_map import sentence_figures
from samoyed.tasks.translate import Translate

NUM_ALIGNED, NUM_WORST, NUM_BINS = 3, 10, 6
PERFECT = 99.95  # BLEU from which a translation is written as 100.0
MOST_NATS = 4.0  # of the strongest shade
LOOKED = "What it looks at"


def draw(
    task: Translate, model: nn.Module, data: PairData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:  # fmt: skip
    """Draw the report's figures: alignments, BLEU by length, the worst, the curve."""
    test = data.test
    device = next(model.parameters()).device
    answers = [answer.answer for answer in task.answer(model, test.source, device)]
    middling = [s for s in test.source if 6 <= len(s.split()) <= 12] or list(test.source)
    figures = [f for s in middling[:NUM_ALIGNED] if (f := alignment(task, model, s)) is not None]
    return [
        *figures,
        _by_length(test.source, answers, test.target),
        _worst(test.source, answers, test.target),
        *sentence_figures(task, model, test),
        _curve(history),
    ]


def explain(task: Translate, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw for each sentence what was looked at, where the system looks, and how sure it was.

    Raises:
        DataError: for a folder, or a file that is not there or cannot be read.
    """
    figures = []
    sentences = tuple(s for s in task.sentences_of(inputs) if s.strip())
    for sentence in sentences:
        found = alignment(task, model, sentence)
        figures += [found] if found is not None else []
        figures.append(_doubts(task, model, sentence, is_alone=found is None))
    if not any(figure.title == LOOKED for figure in figures):
        figures += sentence_figures(task, model, Pairs(sentences, sentences))
    return figures


def _doubts(task: Translate, model: nn.Module, sentence: str, *, is_alone: bool) -> Figure:
    """Shade each written unit by its surprise."""
    parts, nats = task.doubts(model, sentence)
    written = "".join(parts[:-1]).removeprefix(" ")
    return Figure(
        "How sure it was",
        f"“{sentence}”: the darker a unit of the translation, the less likely it was to the "
        "system after what stands before it, in nats; the last is the end. "
        + ("This system reads the sentence into one state and has no alignment to draw."
           if is_alone else ""),
        heat_text(parts, nats.tolist(), low=0.0, high=MOST_NATS),
        f"{written}  (surprise {nats.mean():.2f} nats a unit)" if is_alone else "",
    )  # fmt: skip


def alignment(task: Translate, model: nn.Module, sentence: str) -> Figure | None:
    """Draw the alignment of a sentence with its translation, if the system has one."""
    weights, source, target = task.aligned(model, sentence)
    if weights is None:
        return None
    written = task.answer(model, [sentence])[0].answer
    return Figure(
        LOOKED,
        f"“{sentence}” became “{written}”. Each row is a unit that was written; the darker a "
        "cell, the more of that source unit was read just before. Rows sum to one.",
        heat_table(weights, target, source),
        written,
    )


def heat_table(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    corner: tuple[str, str] = ("source", "translation"),
) -> str:
    """Draw shares (R, C) as a table of shaded cells; `corner` tells what columns and rows are."""
    head = "".join(f'<th scope="col"><span>{html.escape(name)}</span></th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(
            f'<td class="plain" style="--d:{share:.2f}" title="{share:.2f}">'
            f"{f'{share:.1f}'.lstrip('0') if share >= 0.1 else ''}</td>"
            for share in row
        )
        + "</tr>"
        for name, row in zip(rows, values.tolist(), strict=True)
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="alignment">'
        '<table class="matrix long"><thead><tr><th class="corner">'
        f"{corner[0]} →<br>{corner[1]} ↓</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _by_length(source: Sequence[str], answers: Sequence[str], truths: Sequence[str]) -> Figure:
    """Draw BLEU of sentences of about the same length."""
    points = [(b.words, b.bleu) for b in bins_of_length(source, answers, truths)]
    return Figure(
        "BLEU and the length of sentences",
        "The held-out sentences in groups of equal number by length. A system that squeezes a "
        f"sentence into one vector falls off where sentences are long (sacreBLEU signature "
        f"{signature()}).",
        line_chart({"BLEU": points}, x_label="words in the source", y_label="BLEU", y_most=100.0),
    )


@dataclass(frozen=True)
class Bin:
    """Sentences of about the same length.

    Args:
        shortest: words of the shortest source.
        longest: words of the longest.
        words: of the sources on average.
        num: how many sentences.
        bleu: of their translations.
    """

    shortest: int
    longest: int
    words: float
    num: int
    bleu: float


def bins_of_length(
    source: Sequence[str], answers: Sequence[str], truths: Sequence[str]
) -> list[Bin]:
    """Put sentences in groups of equal number by the length of the source, and score each."""
    lengths = np.array([len(sentence.split()) for sentence in source])
    found = []
    for part in np.array_split(np.argsort(lengths, kind="stable"), min(NUM_BINS, len(lengths))):
        score = bleu([answers[k] for k in part], [truths[k] for k in part], num=1)
        held = lengths[part]
        found.append(
            Bin(int(held.min()), int(held.max()), float(held.mean()), len(part), score.value)
        )
    return found


def _worst(source: Sequence[str], answers: Sequence[str], truths: Sequence[str]) -> Figure:
    """List the translations that have least in common with the reference."""
    scores = [sentence_bleu(a, t) for a, t in zip(answers, truths, strict=True)]
    order = [k for k in sorted(range(len(scores)), key=lambda k: scores[k]) if scores[k] < PERFECT]
    rows = [(source[k], answers[k], truths[k], f"{scores[k]:.1f}") for k in order[:NUM_WORST]]
    perfect = len(scores) - len(order)
    alike = f" {perfect:,} of {len(scores):,} are the reference word for word." if perfect else ""
    return Figure(
        "The worst translations",
        "Held-out sentences whose translation shares least with the reference, by BLEU of the "
        "sentence. Some are wrong; some say the same in other words." + alike,
        table(("source", "translation", "reference", "BLEU"), rows) if rows else "",
    )


def _curve(history: Sequence[Mapping[str, Any]]) -> Figure:
    trained = [(e["step"], float(np.exp(e["loss"]))) for e in history if "loss" in e]
    looked = [(e["step"], e["unit_perplexity"]) for e in history if "unit_perplexity" in e]
    return Figure(
        "Learning to foresee the translation",
        "Between how many units one might as well draw lots. The training curve is measured with "
        "dropout and smoothed targets; the other on pairs it does not learn from.",
        line_chart({"training": trained, "looked at": looked}, x_label="step",
                   y_label="perplexity", log_y=True),
    )  # fmt: skip
