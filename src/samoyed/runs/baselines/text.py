"""Three honest ways to foresee a text without learning a net: frequencies, n-grams, compression.

All learn from the training part alone and are scored on the held-out tail, in bits per character,
like the net.
"""

from __future__ import annotations

import lzma
from dataclasses import replace

import numpy as np

from samoyed.core.reference import Score
from samoyed.data.cache import rows_of
from samoyed.data.text import TextData, counts_of
from samoyed.data.units import decode
from samoyed.metrics.language import bits_per_character, per_character, perplexity
from samoyed.tasks.mixing import HUGE, HUGE_LIMIT, NGRAM_LIMIT, ORDER, WORD_ORDER, learn_ngrams

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

    is_huge = len(data.train) >= HUGE
    cut = _cut(data, HUGE_LIMIT if is_huge else NGRAM_LIMIT)
    if is_huge:
        data = replace(data, train=rows_of(data.train, slice(-HUGE_LIMIT, None)))
    unigram = scored(unigram_surprise(data.train, data.test, num_symbols))
    order = WORD_ORDER if unit == "word" else ORDER
    _, model = learn_ngrams(data, order)
    ngram = scored(model.surprise(data.before_test(order), data.test))
    found = [
        (f"{unit} frequencies" + (cut if is_huge else ""), unigram),
        (f"{order}-gram, Kneser-Ney" + cut, ngram),
    ]
    if unit == "word":
        return found
    bits, tail = lzma_bits(data), unigram.num
    return [
        *found,
        ("LZMA compression" + (cut if is_huge else _cut(data, LZMA_LIMIT)),
         Score("bits_per_character", bits, bits, bits, tail, is_higher_better=False)),
    ]  # fmt: skip


def _cut(data: TextData, limit: int) -> str:
    return f" (last {limit:,} {data.spec.unit}s)" if len(data.train) > limit else ""


def unigram_surprise(train: np.ndarray, test: np.ndarray, num_symbols: int) -> np.ndarray:
    """Return the surprise in bits of each tail character under the frequencies, one added."""
    counts = counts_of(train, num_symbols) + 1.0
    return -np.log2(counts / counts.sum())[test]


def lzma_bits(data: TextData) -> float:
    """Return by how many bits per tail character the compressed training part grows with it."""
    train = decode(data.train[-LZMA_LIMIT:], data.spec).encode()
    tail = decode(data.test, data.spec).encode()
    grown = _compressed_size(train + tail) - _compressed_size(train)
    return 8 * grown / max(1, len(decode(data.test, data.spec)))


def _compressed_size(text: bytes) -> int:
    size = _LZMA_DICTIONARY_BYTES
    if len(text) < size // 8:  # it takes ten times its size of memory
        size = max(4096, 1 << (len(text) - 1).bit_length())
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": size}]
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))
