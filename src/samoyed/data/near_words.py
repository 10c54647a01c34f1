"""A text as words near each other: what word vectors learn from and are measured on.

Letters are made small, phrases are joined if asked, and what is no word (the end of a sentence, the
rare words that a vocabulary leaves out) is dropped before windows are laid, as in the programs that
people use; a window crosses no sentence's end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data import cache
from samoyed.data.large_text import LargeTextSource
from samoyed.data.numbered_words import (
    Renumbered,
    Words,
    WordsOnDisk,
    counts_in,
    renumbering,
    written,
)
from samoyed.data.phrases import JOINT, find_phrases, join_phrases, phrases_among
from samoyed.data.text import TextData
from samoyed.data.word_stream import WordSource

REACH = 5
"""How many words away a near word is at most, where held-out text is measured."""

Question = Literal["near", "middle"]
"""What is foretold: a word near a given one, or the word in the middle of given ones."""

# N words, V of the vocabulary, P pairs


@dataclass(frozen=True)
class NearData:
    """The parts of a text.

    Args:
        spec: V words, and behind them the end of a sentence and the unknown.
        train: to learn from.
        valid: to choose the baselines' one dial by.
        test: to measure on.
        question: what the model foretells.
    """

    spec: TextSpec
    train: Words | WordsOnDisk
    valid: Words
    test: Words
    question: Question = "near"

    @property
    def counts(self) -> Int[np.ndarray, " V"]:
        """Return how often training shows each word."""
        return self.train.counts(len(self.spec) - 2)


def small_spec(source: WordSource | LargeTextSource, is_lowercase: bool) -> TextSpec:
    """Return a text's words in small letters, with the end of a sentence and the unknown behind."""
    *symbols, unknown = source.spec.symbols
    if is_lowercase:
        found = counts_in(source.load().train, len(source.spec)).tolist()
        times: Counter[str] = Counter()
        for symbol, num in zip(symbols, found, strict=False):  # the last is the unknown
            times[symbol.lower()] += num
        symbols = sorted(times, key=lambda word: (-times[word], word))
    words = [word for word in symbols if word != SENTENCE_END]
    return replace(source.spec, symbols=(*words, SENTENCE_END, unknown))


def with_phrases(
    spec: TextSpec, train: Iterable[np.ndarray], num_passes: int, *, delta: float, threshold: float
) -> TextSpec:
    """Return the words and the phrases that the training part shows, found in so many passes.

    Args:
        spec: the words.
        train: pieces of the training part as numbers of these; gone through in every pass.
        num_passes: how often neighbours are joined.
        delta: of `find_phrases`.
        threshold: the same.
    """
    num_words = len(spec) - 2
    for _ in range(num_passes):
        *words, end, unknown = spec.symbols
        known, num_new = spec, len(words) - num_words
        codes = (
            joined(_renumbered(piece, num_words, num_new), known, num_passes) for piece in train
        )
        found = find_phrases(codes, len(words), delta=delta, threshold=threshold)
        names = dict.fromkeys(f"{words[a]}{JOINT}{words[b]}" for a, b in found.tolist())
        new = [name for name in names if name not in set(words)]
        spec = replace(spec, symbols=(*words, *new, end, unknown))
    return spec


def joined(codes: np.ndarray, spec: TextSpec, num_passes: int) -> np.ndarray:
    """Join the words of a text to the phrases that the vocabulary knows."""
    if num_passes == 0:
        return codes
    pairs, numbers = phrases_among(spec.symbols[:-2])
    for _ in range(num_passes):
        codes = join_phrases(codes, pairs, numbers)
    return codes


def words_in(codes: np.ndarray, spec: TextSpec, num_passes: int = 0) -> Words:
    """Return the words of a text that have vectors, with their sentences.

    Args:
        codes: the text as numbers of `spec`'s symbols.
        spec: V words, the end of a sentence, the unknown.
        num_passes: in which phrases are joined.
    """
    codes = joined(np.asarray(codes, np.int64), spec, num_passes)
    num_words = len(spec) - 2
    sentences = np.cumsum(codes == num_words)
    is_word = codes < num_words
    return Words(codes[is_word], sentences[is_word])


def near_data(text: TextData, spec: TextSpec, num_passes: int) -> NearData:
    """Return the parts of a text that is written in `spec`'s symbols."""
    parts = (text.train, text.valid, text.test)
    train, valid, test = (words_in(part, spec, num_passes) for part in parts)
    return NearData(spec, train, valid, test)


def near_data_on_disk(source: LargeTextSource, spec: TextSpec, num_passes: int) -> NearData:
    """Return the same of a text that memory does not hold, whose numbers are `source.spec`'s."""
    text, table = source.load(), renumbering(source.spec, spec)
    key = cache.key_of("words with vectors", source.key, spec.symbols, num_passes)
    pieces = Renumbered(text.train, table, len(spec) - 2)
    train = written(key, pieces, len(spec) - 2, lambda piece: words_in(piece, spec, num_passes))
    valid, test = (words_in(table[part], spec, num_passes) for part in (text.valid, text.test))
    return NearData(spec, train, valid, test)


def near_pairs(words: Words, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of near words: (P,) those given and (P,) those near, in the text's order.

    Every word draws how far it reaches, from 1 to `REACH`, as in training.
    """
    num = len(words)
    reach = numpy_generator(seed, "reach").integers(1, REACH + 1, num)
    given, near = [], []
    for step in range(1, REACH + 1):
        is_near = words.sentences[step:] == words.sentences[: max(0, num - step)]
        for here, there in ((slice(0, max(0, num - step)), slice(step, None)),
                            (slice(step, None), slice(0, max(0, num - step)))):  # fmt: skip
            chosen = is_near & (reach[here] >= step)
            given.append(np.arange(num)[here][chosen])
            near.append(np.arange(num)[there][chosen])
    places = np.concatenate(given)
    order = np.argsort(places, kind="stable")
    return words.codes[places[order]], words.codes[np.concatenate(near)[order]]


def around(words: Words, window: int) -> tuple[Int[np.ndarray, "N C"], np.ndarray]:
    """Return the words to both sides of each, (N, 2 window), and which of them are there."""
    num, steps = len(words), [d for d in range(-window, window + 1) if d]
    places = np.arange(num)[:, None] + np.array(steps)
    inside = np.clip(places, 0, max(0, num - 1))
    is_there = (places == inside) & (words.sentences[inside] == words.sentences[:, None])
    return words.codes[inside], is_there


def unit_length(vectors: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Return the vectors at length one; a vector of zeros stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _renumbered(codes: np.ndarray, num_words: int, num_new: int) -> np.ndarray:
    """Make room for new words before the end of a sentence and the unknown."""
    return np.where(codes >= num_words, codes + num_new, codes)
