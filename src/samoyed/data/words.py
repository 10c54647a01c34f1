"""Texts as words, and words as the four numbers that `WordSpec` describes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from samoyed.core.spec import WordSpec
from samoyed.data.scripts import LETTERS, SIGN, SINGLE

MAX_WORDS = 50_000
"""Of more different words the rarest are one unknown word."""

NUM_BEGINNING, NUM_ENDING = 4, 3  # letters
FEWEST_OF_PART = 2  # words that a beginning or an ending must occur in

_WORD = re.compile(rf"{SINGLE}|\d+(?:[.,]\d+)*|{LETTERS}|['’](?!\d){LETTERS}|{SIGN}")
_TAG = re.compile(r"<(?:br|p|/p|i|/i|b|/b)\s*/?>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")

# Legend for shapes: N texts, T words of all texts, U different words, B batch, L its longest text.


def split(text: str) -> list[str]:
    """Cut a text into words, numbers and single marks.

    >>> split("It isn't 3.5 <br />times, is it?")
    ['It', 'isn', "'t", '3.5', 'times', ',', 'is', 'it', '?']
    """
    return _WORD.findall(_TAG.sub(" ", text) if "<" in text else text)


def spaced(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of every word that `split` finds in a text without mark-up."""
    return [found.span() for found in _WORD.finditer(text)]


def normal(word: str) -> str:
    """Return the word as it is looked up: in small letters, digits as 0.

    >>> normal("B-52s")
    'b-00s'
    """
    return _DIGIT.sub("0", word.lower())


def capitals(word: str) -> int:
    """Return how a word uses capitals: 1 none, 2 all, 3 the first, 4 others, 5 it has no letter.

    >>> [capitals(word) for word in ("dog", "USA", "Rome", "eBay", "1984")]
    [1, 2, 3, 4, 5]
    """
    letters = [c for c in word if c.isalpha()]
    if not letters:
        return 5
    big = [c.isupper() for c in letters]
    if not any(big):
        return 1
    if all(big) and len(big) > 1:
        return 2
    return 3 if word[0].isupper() and sum(big) == 1 else 4


def fit(texts: Iterable[Sequence[str]], fewest: int = 1, most: int = MAX_WORDS) -> WordSpec:
    """Choose the words, beginnings and endings that a model will know, the most frequent first.

    Args:
        texts: words of the training part.
        fewest: how often a word must occur.
        most: how many words at most.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    words: Counter[str] = Counter()
    for word, num in counts.items():
        words[normal(word)] += num
    beginnings, endings = (
        Counter(part(word) for word in words) for part in (_beginning, _ending)
    )  # in how many different words
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    return WordSpec(
        tuple(word for word, num in ranked[:most] if num >= fewest),
        *(
            tuple(sorted(part for part, num in parts.items() if num >= FEWEST_OF_PART))
            for parts in (beginnings, endings)
        ),
    )


def _beginning(word: str) -> str:
    return word[:NUM_BEGINNING]


def _ending(word: str) -> str:
    return word[-NUM_ENDING:]


@dataclass(frozen=True, eq=False)
class WordRows:
    """Texts as numbers.

    Args:
        features: (U, 4) int64 of the different words; row 0 is zeros, for padding.
        codes: (T,) int32 row of `features` for each word, text after text.
        starts: (N + 1,) int64 where each text begins in `codes`; the last is T.
    """

    features: np.ndarray
    codes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Return (N,) words of each text."""
        return np.diff(self.starts)

    def some(self, rows: np.ndarray) -> WordRows:
        """Return these texts."""
        lengths = self.lengths[rows]
        places = [np.arange(self.starts[i], self.starts[i + 1]) for i in rows]
        codes = self.codes[np.concatenate(places)] if places else self.codes[:0]
        return replace(self, codes=codes, starts=np.concatenate([[0], np.cumsum(lengths)]))

    def has_known(self, row: int) -> bool:
        """Tell whether any word of a text is among the known ones."""
        words = self.codes[self.starts[row] : self.starts[row + 1]]
        return bool((self.features[words, 0] > 1).any())

    def padded(self, rows: np.ndarray) -> Tensor:
        """Return (B, L, 4) int64 of these texts, zeros behind their ends."""
        return torch.from_numpy(self.features[spread(self.codes, self.starts, rows)])


def spread(flat: np.ndarray, starts: np.ndarray, rows: np.ndarray, empty: int = 0) -> np.ndarray:
    """Return (B, L) of the flat values that belong to these rows, `empty` behind their ends."""
    lengths = starts[rows + 1] - starts[rows]
    places = starts[rows][:, None] + np.arange(max(1, int(lengths.max(initial=1))))
    is_there = places < starts[rows + 1][:, None]
    if len(flat) == 0:
        return np.full(places.shape, empty, dtype=np.int64)
    return np.where(is_there, flat[np.minimum(places, len(flat) - 1)], empty)


def encode(texts: Sequence[Sequence[str]], spec: WordSpec) -> WordRows:
    """Number the words of texts.

    >>> encode([["a", "B"]], WordSpec(("b", "a"), (), ())).padded(np.array([0])).tolist()
    [[[3, 1, 1, 1], [2, 1, 1, 3]]]
    """
    places: dict[str, int] = {}
    for text in texts:
        for word in text:
            if word not in places:
                places[word] = len(places) + 1
    known, beginnings, endings = (
        {name: i for i, name in enumerate(names, 2)}
        for names in (spec.words, spec.beginnings, spec.endings)
    )
    features = np.zeros((len(places) + 1, 4), dtype=np.int64)
    for word, row in places.items():
        plain = normal(word)
        features[row] = (
            known.get(plain, 1), beginnings.get(_beginning(plain), 1),
            endings.get(_ending(plain), 1), capitals(word),
        )  # fmt: skip
    codes = np.fromiter(
        (places[word] for text in texts for word in text), dtype=np.int32,
        count=sum(map(len, texts)),
    )  # fmt: skip
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts], dtype=np.int64)])
    return WordRows(features, codes, starts.astype(np.int64))


def shortened(words: Sequence[str], longest: int) -> Sequence[str]:
    """Return a long text's beginning and end, `longest` words in all.

    >>> shortened("abcdef", 4)
    'abef'
    """
    if len(words) <= longest:
        return words
    half = longest // 2
    return [*words[: longest - half], *words[len(words) - half :]] if not isinstance(
        words, str
    ) else words[: longest - half] + words[len(words) - half :]  # fmt: skip
