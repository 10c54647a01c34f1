"""Stretches of neighbouring words with their windows: what word vectors learn from.

Frequent words are left out at random before windows are laid (Mikolov et al. 2013, sec. 2.3), every
word draws how far its window reaches, and no window crosses the border of a sentence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from samoyed.core.batch import Movable
from samoyed.core.seeding import numpy_generator
from samoyed.data.numbered_words import Words, WordsOnDisk

NOISE_POWER = 0.75  # sec. 2.2: the unigram distribution raised to 3/4
FILLING = -1  # the sentence of what only fills up a stretch

# N words of the text, V of the vocabulary, G stretches, S words in each, c widest window


@dataclass(frozen=True)
class Stretches(Movable):
    """Words side by side, who is near whom, and noise.

    Args:
        inputs: (G, S) the words of each stretch.
        outputs: (G, S + 2c) those and the c words before and after them.
        is_pair: (G, S, S + 2c) which of the outputs lie in the window of which input.
        noise: (G, K) words drawn from the noise distribution.
    """

    inputs: Int[Tensor, "G S"]
    outputs: Int[Tensor, "G M"]
    is_pair: Bool[Tensor, "G S M"]
    noise: Int[Tensor, "G K"]


def keep_shares(counts: Int[np.ndarray, " V"], threshold: float) -> Float[np.ndarray, " V"]:
    """Return with which probability each word's occurrences are kept; a threshold of 0 keeps all.

    The paper prints sqrt(t / f) (eq. 5); the authors' program, which made its numbers, keeps
    (sqrt(f / t) + 1) t / f, and so does this.

    >>> keep_shares(np.array([900, 99, 1]), 0.01).round(4).tolist()
    [0.1165, 0.4188, 1.0]
    """
    if threshold == 0:
        return np.ones(len(counts))
    frequency = np.maximum(counts, 1) / max(1, counts.sum())  # a word may be in phrases only
    return np.minimum(1.0, (np.sqrt(frequency / threshold) + 1) * threshold / frequency)


def noise_shares(counts: Int[np.ndarray, " V"]) -> Float[np.ndarray, " V"]:
    """Return with which probability each word is drawn as noise: sums to one."""
    weights = np.maximum(counts, 1).astype(np.float64) ** NOISE_POWER
    return weights / weights.sum()


def noise_bounds(counts: Int[np.ndarray, " V"]) -> Float[np.ndarray, " V"]:
    """Return the upper bounds of the words' shares of [0, 1) in the noise distribution."""
    return np.cumsum(noise_shares(counts))


class StretchesOfWords:
    """Batches of stretches: each a pure function of the seed and the step.

    Args:
        words: N of the text; sentences have numbers >= 0.
        counts: (V,) how often each word occurs.
        num_words: words of the text that a step reads.
        stretch: S.
        window: c.
        threshold: t of the subsampling; 0 keeps every word.
        seed: of what is left out, windows and noise.
        num_shared: K, noise words that the words of a stretch share; S by default.
    """

    def __init__(
        self, words: Words | WordsOnDisk, counts: np.ndarray, *, num_words: int,
        stretch: int, window: int, threshold: float, seed: int,
        num_shared: int | None = None,
    ) -> None:  # fmt: skip
        self.words = words
        self.num_words, self.stretch, self.window, self.seed = num_words, stretch, window, seed
        self.kept = keep_shares(counts, threshold)
        self._bounds, self.num_shared = torch.as_tensor(noise_bounds(counts)), num_shared or stretch
        self.steps_per_epoch = max(1, math.ceil(len(words) / num_words))
        places, others = np.arange(stretch)[:, None], np.arange(stretch + 2 * window) - window
        self._distance = np.abs(others - places).astype(np.int8)

    def batch(self, step: int) -> Stretches:
        """Return the stretches of one piece of the text.

        A pass reads the text from its beginning to its end, as the authors' program does: with the
        pieces at random, vectors know less of which words are alike (`benchmarks/README.md`).
        """
        drawing = numpy_generator(self.seed, "stretches", step)
        start = (step % self.steps_per_epoch) * self.num_words
        piece = self.words.part(start, start + self.num_words)
        codes, sentences = piece.codes, piece.sentences
        is_kept = drawing.random(len(codes)) < self.kept[codes]
        codes, sentences = codes[is_kept], sentences[is_kept]
        size, around = self.stretch, self.window
        num = max(1, math.ceil(len(codes) / size))
        words = np.zeros(num * size + 2 * around, np.int64)
        where = np.full(len(words), FILLING, np.int32)  # half the bytes to compare
        words[around : around + len(codes)] = codes
        where[around : around + len(codes)] = sentences
        reach = drawing.integers(1, around + 1, (num, size, 1), dtype=np.int8)
        drawn = torch.as_tensor(drawing.random((num, self.num_shared)))
        noise = torch.searchsorted(self._bounds, drawn, right=True)
        outputs, near = (_windows(row, num, size, around) for row in (words, where))
        inner = slice(around, around + size)
        is_pair = (self._distance > 0) & (self._distance <= reach)
        is_pair &= near[:, inner, None] == near[:, None, :]
        is_pair &= near[:, inner, None] != FILLING
        return Stretches(
            torch.as_tensor(outputs[:, inner]), torch.as_tensor(outputs),
            torch.as_tensor(is_pair), noise.clamp_(max=len(self._bounds) - 1),
        )  # fmt: skip


def _windows(row: np.ndarray, num: int, size: int, around: int) -> np.ndarray:
    """Return (num, size + 2 around) overlapping pieces of a row, one every `size` places."""
    pieces = np.lib.stride_tricks.sliding_window_view(row, size + 2 * around)[::size]
    return np.array(pieces[:num])  # of its own: a single piece would be a view, read-only
