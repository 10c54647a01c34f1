"""Sentences of cut words, tagged or with a tree: a fifth held out, and copies across the parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from samoyed.core.errors import DataError
from samoyed.data.image_split import hold_out

FEW_COPIES, MUCH = 3, 0.1  # copies of a sentence in a part, or such a share of it
FEWEST_WORDS = 4  # of a sentence that is not a copy by chance


@runtime_checkable
class CutSentence(Protocol):
    """What is told of a sentence, whatever else it holds."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return its words."""
        ...

    @property
    def place(self) -> str:
        """Return file and line."""
        ...


Sentence = TypeVar("Sentence", bound=CutSentence)


def without_a_fifth(
    sentences: Sequence[Sentence], seed: int
) -> tuple[list[Sentence], list[Sentence]]:
    """Return four fifths and one, held out; copies of a sentence stay on one side.

    Raises:
        DataError: where all are copies of one, so that none can be held out.
    """
    digests = [" ".join(sentence.words) for sentence in sentences]
    splits = hold_out(np.zeros(len(sentences), np.int64), digests, seed)
    if not splits.any():
        raise DataError(
            sentences[0].place, "different sentences, so that a fifth of them can be held out",
            f"{len(sentences):,} copies of one", "Add sentences, or bring a test part.",
        )  # fmt: skip
    train = [s for s, side in zip(sentences, splits, strict=True) if side == 0]
    return train, [s for s, side in zip(sentences, splits, strict=True) if side != 0]


def copies(parts: Mapping[str, Sequence[CutSentence]]) -> list[str]:
    """Warn of sentences that are both to learn from and held out, and of many copies held out."""
    seen = {s.words: s for s in parts["train"] if len(s.words) >= FEWEST_WORDS}
    found = []
    for part in ("test", "validation"):
        (words, num), *_ = Counter(s.words for s in parts.get(part, ())).most_common(1) or [((), 0)]
        if num > max(FEW_COPIES, MUCH * len(parts.get(part, ()))):
            found.append(
                f"{num:,} of the {len(parts[part]):,} sentences of the {part} part are copies of "
                f"one ({' '.join(words)[:60]!r}), so that the scores are much its own"
            )
    for part in ("test", "validation"):
        both = [s for s in parts.get(part, ()) if s.words in seen]
        if both:
            found.append(
                f"{len(both):,} sentences of the {part} part are also to learn from (first: "
                f"{both[0].place} = {seen[both[0].words].place}): the scores will flatter"
            )
    return found
