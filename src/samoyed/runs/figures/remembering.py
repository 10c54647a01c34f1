"""What a language model remembers: cells that follow something, and how long each word matters."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np
import torch
from torch import nn

from samoyed.core.spec import TextSpec
from samoyed.data.units import pieces
from samoyed.runs.drawing import Figure, heat_text
from samoyed.runs.figures.translate import heat_table

NUM_UNITS = 3
FEW = {"character": 40, "word": 8}
"""Of fewer units nothing is shown."""

MOST_WORDS = 24
"""Words whose traces are followed, at the beginning of a text."""

CELL_WORDS = 120
"""Words over which single cells are looked at."""


def remembered(model: Any, spec: TextSpec, codes: np.ndarray) -> list[Figure]:
    """Draw what the memory follows over a text, and of words how long each is remembered.

    Args:
        model: the model.
        spec: the units.
        codes: (N,) the text in units; of few, or of bytes, nothing is drawn. Nothing either where
            the memory is the last symbols themselves, whole numbers: there are no cells to look at.
    """
    if not model.start(1)[-1].is_floating_point():
        return []
    if len(codes) < FEW.get(spec.unit, len(codes) + 1):
        return []
    if spec.unit == "character":
        return [_memory(model, spec, codes)]
    return [_traces_figure(model, spec, codes[:MOST_WORDS]),
            _memory(model, spec, codes[:CELL_WORDS])]  # fmt: skip


@torch.inference_mode()
def traces(model: Any, spec: TextSpec, codes: np.ndarray) -> np.ndarray:
    """Return by how many bits each word's absence changes what is expected later, (N, N).

    Row i is the text with word i read as unknown; column j the divergence of the distribution
    after word j from that of the whole text (Kullback & Leibler 1951), 0 for j before i.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    num = len(codes)
    rows = np.tile(np.asarray(codes, dtype=np.int64), (num + 1, 1))
    rows[np.arange(num), np.arange(num)] = len(spec) - 1
    state, found = model.start(num + 1), np.zeros((num, num))
    tokens = torch.as_tensor(rows, device=device)
    for place in range(num):
        logits, state = model.step(state, tokens[:, place])
        guesses = torch.log_softmax(logits.float(), dim=1)
        apart = guesses[-1].exp() * (guesses[-1] - guesses[:-1])
        found[:, place] = (apart.sum(dim=1) / math.log(2)).cpu().numpy()
    model.train(was_training)
    return np.triu(np.maximum(found, 0.0))


def _traces_figure(model: nn.Module, spec: TextSpec, codes: np.ndarray) -> Figure:
    found = traces(model, spec, codes)
    words = [piece.strip() or "↵" for piece in pieces(codes, spec)]
    top = max(float(np.quantile(found[found > 0], 0.98)) if (found > 0).any() else 1.0, 1e-9)
    later = [np.diagonal(found, step).mean() for step in range(len(codes))]
    kept = [step for step in range(1, len(later)) if later[step] >= 0.1 * later[0]]
    said = f"up to {kept[-1]} words later" if kept else "not even at the next word"
    return Figure(
        "How long it remembers a word",
        "The net unfolded over one passage: a row is a word that the net did not get to see, a "
        "column what it expects after a later word, and dark is how far that expectation moves (in "
        f"bits of divergence, darkest at {top:.2g}). On average a word still moves it by a tenth "
        f"of what it did at once {said}.",
        heat_table(
            np.minimum(found / top, 1.0), words, words, ("after the word", "without the word")
        ),
    )


def _memory(model: nn.Module, spec: TextSpec, codes: np.ndarray) -> Figure:
    """Show the memory cells that follow something readable most closely."""
    cells, shown = _cells(model, codes), pieces(codes, spec)
    is_word = spec.unit == "word"
    readable = _features_of_words(shown) if is_word else _features("".join(shown))
    parts = []
    chosen: set[int] = set()
    for name, feature in readable.items():
        strength = np.abs(_correlations(cells, feature))
        strength[list(chosen)] = -1.0
        unit = int(strength.argmax())
        chosen.add(unit)
        parts.append(
            f'<p class="measured"><b>cell {unit}</b> goes with {html.escape(name)} '
            f"(correlation {strength[unit]:.2f})</p>"
            + heat_text(shown, list(cells[:, unit]), low=-1.0, high=1.0)
        )
        if len(chosen) == NUM_UNITS:
            break
    return Figure(
        "What it remembers",
        f"Single memory cells over a passage, read after each {spec.unit} and squashed by tanh: of "
        f"all {cells.shape[1]:,} of the last layer, those that follow something readable most "
        "closely. They were found by looking, so with so many cells some agreement is luck.",
        "".join(parts),
    )


@torch.inference_mode()
def _cells(model: Any, codes: np.ndarray) -> np.ndarray:
    """Return (N, H) tanh of the last part of the memory after each unit."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    state, rows = model.start(1), []
    for code in codes.tolist():
        _, state = model.step(state, torch.tensor([code], device=device))
        rows.append(torch.tanh(state[-1][0]).float().cpu().numpy())
    model.train(was_training)
    return np.stack(rows)


def _features(text: str) -> dict[str, np.ndarray]:
    """Return numbers that a reader could keep in mind, one per character, none constant."""
    since_line = since_word = 0
    line, word = [], []
    for character in text:
        since_line = 0 if character == "\n" else since_line + 1
        since_word = since_word + 1 if character.isalnum() else 0
        line.append(since_line)
        word.append(since_word)
    found = {
        "the place in the line": np.array(line),
        "the place in the word": np.array(word),
        "capital letters": np.array([c.isupper() for c in text]),
        "vowels": np.array([c.lower() in "aeiou" for c in text]),
        "punctuation": np.array([not c.isalnum() and not c.isspace() for c in text]),
        "digits": np.array([c.isdigit() for c in text]),
    }
    numbers = {name: values.astype(float) for name, values in found.items()}
    return {name: values for name, values in numbers.items() if np.ptp(values) > 0}


def _correlations(cells: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each cell with the feature, (H,); 0 for a constant cell."""
    centred = cells - cells.mean(axis=0)
    feature = feature - feature.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (feature**2).sum())
    return np.where(scale > 0, feature @ centred / np.where(scale > 0, scale, 1.0), 0.0)


def _features_of_words(shown: list[str]) -> dict[str, np.ndarray]:
    """Return numbers that a reader could keep in mind, one per word, none constant."""
    place, places, since, follows = 0, [], 0, []
    words = [piece.strip() for piece in shown]
    for piece, word in zip(shown, words, strict=True):
        place = 0 if piece == "\n" else place + 1
        since = 0 if word.lower() in ("the", "a", "an") else since + 1
        places.append(place)
        follows.append(since)
    found = {
        "the place in the sentence": np.array(places),
        "words since the last article": np.array(follows),
        "numbers": np.array([w == "N" or any(c.isdigit() for c in w) for w in words]),
        "unknown words": np.array([w == "<unk>" for w in words]),
        "the length of the word": np.array([len(w) for w in words]),
    }
    numbers = {name: values.astype(float) for name, values in found.items()}
    return {name: values for name, values in numbers.items() if np.ptp(values) > 0}
