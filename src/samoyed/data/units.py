"""A text in its units: which they are, from a text to their numbers and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samoyed.core.errors import OptionError
from samoyed.core.spec import SENTENCE_END, OnBad, TextSpec
from samoyed.data import text as characters
from samoyed.data import text_pieces
from samoyed.data.corpora import Corpus, TextAsk, find_corpus, read_corpus, unit_of
from samoyed.data.large_text import LargeTextSource, scan_large
from samoyed.data.text import TextSource, scan_symbols
from samoyed.data.text_pieces import is_large
from samoyed.data.word_stream import WordSource, encode_words, join_words, scan_words, words_of


def scan_units(
    path: str | Path, ask: TextAsk | None = None, *, on_bad: OnBad = "stop", seed: int = 0
) -> TextSource | WordSource | LargeTextSource:
    """Read a text and choose what it is cut into: characters, unless it was cut into words before.

    Args:
        path: a file (plain, gz or JSON lines), a folder of them, or the Brown corpus.
        ask: what was said about the unit.
        on_bad: whether a file that cannot be read stops the scan or is left out and listed.
        seed: not used: the split is by position or by name, and the same for every seed.

    Raises:
        DataError: if there is no usable text, with file, line and byte.
        OptionError: for a vocabulary of what is no words.
    """
    ask = ask or TextAsk()
    corpus = find_corpus(Path(path))
    if is_large(corpus):
        return _scan_large(corpus, ask, on_bad)
    contents = read_corpus(corpus, on_bad)
    unit, why = unit_of(corpus, contents.texts[0][1])
    if ask.unit is not None:
        unit, why = ask.unit, ask.why
    if unit == "word":
        return scan_words(corpus, contents, ask, why)
    _refuse_min_count(unit, ask)
    why = f"the unit is the {unit}: {why}"
    return scan_symbols(corpus, contents, is_bytes=unit == "byte", why=why)


def _scan_large(corpus: Corpus, ask: TextAsk, on_bad: OnBad) -> LargeTextSource:
    """Scan a text that is not held in memory; its first piece decides the unit."""
    unit, why = unit_of(corpus, next(text_pieces.pieces(corpus)).text)
    if ask.unit is not None:
        unit, why = ask.unit, ask.why
    if unit != "word":
        _refuse_min_count(unit, ask)
    return scan_large(corpus, unit, why, ask, on_bad=on_bad)


def _refuse_min_count(unit: str, ask: TextAsk) -> None:
    """Raise for a vocabulary of what is no words."""
    if ask.min_count is not None:
        raise OptionError(
            "--set min_count", "a text of words", f"its unit is the {unit}", "add --set unit=word"
        )


def encode(text: str, spec: TextSpec) -> np.ndarray:
    """Return the numbers of a text's units, (N,); what the spec does not know becomes its last."""
    if spec.unit == "word":
        return encode_words(words_of(text, spec.cut), spec)
    return characters.encode(text, spec)


def decode(codes: Sequence[int] | np.ndarray, spec: TextSpec) -> str:
    """Return the text of units' numbers."""
    if spec.unit == "word":
        return join_words([spec.symbols[code] for code in codes], spec.cut)
    return characters.decode(codes, spec)


def after(prompt: str, text: str, spec: TextSpec) -> str:
    """Return a text as it follows a prompt: words with a space before them, if need be.

    >>> after("He said", "yes .", TextSpec(("yes", ".", "<unk>"), "word"))
    ' yes .'
    """
    is_apart = not prompt or prompt[-1].isspace() or not text or text[0].isspace()
    if spec.unit != "word" or is_apart:
        return text
    return join_words(["x", text], spec.cut)[1:]


def pieces(codes: Sequence[int] | np.ndarray, spec: TextSpec) -> list[str]:
    r"""Return what each unit adds to the text: characters as they are, words with their space.

    >>> pieces([0, 1, 2, 0], TextSpec(("yes", SENTENCE_END, "<unk>"), "word"))
    ['yes', '\n', '<unk>', ' yes']
    """
    shown = [spec.symbols[code] for code in codes]
    if spec.unit == "character":
        return shown
    if spec.unit == "byte":
        return _of_bytes(np.asarray(codes, dtype=np.uint8).tobytes())
    found: list[str] = []
    for index, word in enumerate(shown):
        is_first = index == 0 or shown[index - 1] == SENTENCE_END
        found.append("\n" if word == SENTENCE_END else word if is_first else " " + word)
    return found


def _of_bytes(content: bytes) -> list[str]:
    """Return the character at its last byte, and nothing at the bytes before it."""
    found = [""] * len(content)
    text, place = content.decode("utf-8", errors="replace"), 0
    for character in text:
        is_bad = character == characters.UNKNOWN
        place += 1 if is_bad else len(character.encode())
        found[min(place, len(content)) - 1] += character
    return found
