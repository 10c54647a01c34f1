"""What a language model learned: its samples, what surprises it, what its memory follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.spec import TextSpec
from samoyed.data.text import TextData
from samoyed.data.units import encode, pieces
from samoyed.runs.drawing import Figure, bar_chart, heat_text, line_chart, table
from samoyed.runs.figures.remembering import remembered
from samoyed.tasks.continue_text import ContinueText, write
from samoyed.tasks.foreseeing import LEAD, foresee, surprise

TEMPERATURES = (0.4, 0.8, 1.1)
SAMPLE_LENGTH = 320
PASSAGE_LENGTH = 520
MOST_BITS = 8.0
"""Surprise of the strongest background: one chance in 256."""

MOST_WORD_BITS = 16.0
"""The same for words, of which there are more: one chance in 65,536."""

_SCANNED = 40_000
"""Held-out characters looked through for surprises."""


def draw(
    task: ContinueText,
    model: nn.Module,
    data: TextData,
    history: Sequence[Mapping[str, Any]],
) -> list[Figure]:
    """Draw the report's figures: samples, surprise, what surprises most, the memory, the curve."""
    passage = pieces(data.test[:PASSAGE_LENGTH], data.spec)
    prompt = _first_line("".join(passage))
    lead = data.before_test(LEAD + 1)
    bits, _ = foresee(model, np.concatenate([lead, data.test[:_SCANNED]]), len(lead))
    return [
        _samples(model, task.spec, prompt),
        _passage(passage, bits[: len(passage)], data.spec),
        _hard_symbols(data.test[: len(bits)], bits, data.spec),
        _surprises(data.test[: len(bits)], bits, data.spec),
        *remembered(model, task.spec, data.test[:PASSAGE_LENGTH]),
        *([_curve(task, history)] if any(e.get("loss") for e in history) else []),
    ]


def explain(task: ContinueText, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw how each text surprises the model, what it expected, and what its memory did.

    Without inputs, what the model writes by itself is looked at.
    """
    texts = [text for text in inputs if text] or [
        write(model, task.spec, [""], temperature=0.8, length=SAMPLE_LENGTH)[0]
    ]
    figures = []
    for text in texts:
        bits, codes = surprise(model, task.spec, text), encode(text, task.spec)
        if not len(codes):
            continue
        figures.append(_passage(pieces(codes, task.spec), bits, task.spec))
        figures.append(_surprises(codes, bits, task.spec))
        figures += remembered(model, task.spec, codes)
    return figures


def _first_line(passage: str) -> str:
    """Return the first line of some length, at most 60 characters, to begin samples with."""
    lines = [line for line in passage.split("\n") if len(line) >= 5]
    return (lines[1] if len(lines) > 1 else (lines or [passage])[0])[:60] + "\n"


def _curve(task: ContinueText, history: Sequence[Mapping[str, Any]]) -> Figure:
    unit, name = task.spec.unit, task.headline
    trained = [(e["step"], e["loss"] / math.log(2)) for e in history if "loss" in e]
    held_out = [(e["step"], e[name]) for e in history if name in e]
    if unit == "word":
        held_out = [(step, math.log2(value)) for step, value in held_out]
    if unit == "byte":  # the training curve is about bytes
        trained = []
    per = "word" if unit == "word" else "character"
    lines = {"training": trained, "held out": held_out}
    chart = line_chart(
        {k: v for k, v in lines.items() if v}, x_label="step", y_label=f"bits per {per}"
    )
    return Figure(
        "Learning to foresee",
        f"How many bits each next {per} still surprises by. The training curve is measured with "
        "dropout on and before each update; the held-out points are quick looks at the beginning "
        "of the held-out part.",
        chart,
    )


def _samples(model: nn.Module, spec: TextSpec, prompt: str) -> Figure:
    parts = []
    for temperature in TEMPERATURES:
        text = write(model, spec, [prompt], temperature=temperature, length=SAMPLE_LENGTH)[0]
        bits, codes = surprise(model, spec, prompt + text), encode(prompt + text, spec)
        num_given = len(encode(prompt, spec))
        values = [math.nan] * num_given + list(bits[num_given:])
        parts.append(
            f'<p class="measured"><b>temperature {temperature}</b>: '
            f"{np.mean(bits[num_given:]):.2f} bits per {spec.unit}</p>"
            + heat_text(pieces(codes, spec), values, low=0.0, high=most_bits(spec))
        )
    return Figure(
        "What it writes",
        f"The model continues “{prompt.strip()}” with its own guesses. A low temperature keeps to "
        "what is likely and repeats itself; a high one dares more and errs more. The background "
        f"tells how unlikely the model itself found each {spec.unit}.",
        "".join(parts),
    )


def most_bits(spec: TextSpec) -> float:
    """Return the surprise of the strongest background."""
    return MOST_WORD_BITS if spec.unit == "word" else MOST_BITS


def _passage(text: Sequence[str], bits: np.ndarray, spec: TextSpec) -> Figure:
    mean = float(np.mean(bits)) if len(bits) else math.nan
    seen = {
        "word": "names and rare words surprise, the small words of grammar hardly do.",
        "byte": "beginnings of characters and words surprise, the bytes after them hardly do.",
        "character": "beginnings of words and names surprise, their endings hardly do.",
    }[spec.unit]
    return Figure(
        "What surprises it",
        f"Each {spec.unit}'s background is the surprise in bits, {mean:.2f} on average: {seen}",
        heat_text(text, list(bits), low=0.0, high=most_bits(spec)),
    )


def _hard_symbols(codes: np.ndarray, bits: np.ndarray, spec: TextSpec) -> Figure:
    """Draw which units cost most in all."""
    total = np.bincount(codes, weights=bits, minlength=len(spec))
    counts = np.bincount(codes, minlength=len(spec))
    share = 100 * total / max(total.sum(), 1e-12)
    worst = [code for code in np.argsort(-share)[:12] if counts[code]]
    rows = [
        (
            f"{_shown(spec.symbols[code])}  ({total[code] / counts[code]:.1f} bits each, "
            f"{counts[code]:,} times)",
            float(share[code]), math.nan, math.nan,
        )
        for code in worst
    ]  # fmt: skip
    return Figure(
        "Where the bits go",
        f"Share of the whole surprise that falls on each {spec.unit}: how often it comes times how "
        "badly it is foreseen.",
        bar_chart(rows, unit="%", axis="share of the whole surprise, %"),
    )


def _surprises(codes: np.ndarray, bits: np.ndarray, spec: TextSpec, num: int = 8) -> Figure:
    """List the places that surprised most, some way apart."""
    text, apart = pieces(codes, spec), 8 if spec.unit == "word" else 40
    places: list[int] = []
    for place in np.argsort(-bits):
        if all(abs(place - other) >= apart for other in places):
            places.append(int(place))
        if len(places) == num:
            break
    rows = [
        (
            _shown("".join(text[max(0, place - apart) : place])),
            _shown(text[place]),
            _shown("".join(text[place + 1 : place + 1 + apart // 2])),
            f"{bits[place]:.1f}",
        )
        for place in places
    ]
    return Figure(
        "The greatest surprises",
        f"The {spec.unit}s that the model thought least likely where they stood. Misprints, rare "
        "names and changes of subject end up here.",
        table(("before", "came", "after", "bits"), rows),
    )


def _shown(text: str) -> str:
    """Return the text with line ends and spaces made visible."""
    return text.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣")
