"""Three honest ways to foresee a text without learning a net: frequencies, n-grams, compression.

All learn from the training part alone and are scored on the held-out tail, in bits per character,
like the net.
"""

from __future__ import annotations

import lzma

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.text import TextData
from samoyed.data.units import decode
from samoyed.layers.kneser_ney import KneserNey
from samoyed.metrics.language import bits_per_character, per_character, perplexity

ORDER = 6
"""Characters in the longest n-gram: five of context and the one foreseen."""

WORD_ORDER = 5
"""The same in words."""

NGRAM_LIMIT = 8_000_000
LZMA_LIMIT = 4_000_000
"""Of longer training parts only the last so many characters are used, and the name says so."""

_LZMA_DICTIONARY_BYTES = 1 << 26


def measure(data: TextData, seed: int = 0) -> list[tuple[str, Score]]:
    """Score the baselines on the held-out tail.

    Args:
        data: the text.
        seed: of the intervals' bootstrap.

    Returns:
        (name, bits per character; of words the perplexity); the compressor has no interval, as it
        gives one number for the whole tail, and words that are unknown cannot be compressed.
    """
    num_symbols, unit = len(data.spec), data.spec.unit

    def scored(bits: np.ndarray) -> Score:
        if unit == "byte":
            bits = per_character(bits, data.test)
        score = bits_per_character(bits, seed=seed)
        return perplexity(score) if unit == "word" else score

    unigram = scored(unigram_surprise(data.train, data.test, num_symbols))
    order = WORD_ORDER if unit == "word" else ORDER
    recent = data.train[-NGRAM_LIMIT:]
    model = KneserNey.learn(recent, num_symbols, order, data.spec.end)
    ngram = scored(model.surprise(recent[-order:], data.test))
    found = [
        (f"{unit} frequencies", unigram),
        (f"{order}-gram, Kneser-Ney" + _cut(data, NGRAM_LIMIT), ngram),
    ]
    if unit == "word":
        return found
    bits, tail = lzma_bits(data), unigram.num
    return [
        *found,
        ("LZMA compression" + _cut(data, LZMA_LIMIT),
         Score("bits_per_character", bits, bits, bits, tail, is_higher_better=False)),
    ]  # fmt: skip


def _cut(data: TextData, limit: int) -> str:
    return f" (last {limit:,} {data.spec.unit}s)" if len(data.train) > limit else ""


def unigram_surprise(train: np.ndarray, test: np.ndarray, num_symbols: int) -> np.ndarray:
    """Return the surprise in bits of each tail character under the frequencies, one added."""
    counts = np.bincount(train, minlength=num_symbols) + 1.0
    return -np.log2(counts / counts.sum())[test]


def lzma_bits(data: TextData) -> float:
    """Return by how many bits per tail character the compressed training part grows with it."""
    train = decode(data.train[-LZMA_LIMIT:], data.spec).encode()
    tail = decode(data.test, data.spec).encode()
    grown = _compressed_size(train + tail) - _compressed_size(train)
    return 8 * grown / max(1, len(decode(data.test, data.spec)))


def _compressed_size(text: bytes) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": _LZMA_DICTIONARY_BYTES}]
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))
