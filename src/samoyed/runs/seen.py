"""How many of the examples that a run is scored on are among those that it learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from samoyed.data.image_source import Pictures
from samoyed.data.labelled_text import Texts
from samoyed.data.pairs import Pairs
from samoyed.data.table_rows import Rows
from samoyed.data.tagged_text import Tagged

FEW = 0.05  # a smaller share is alike by chance, and hardly moves a score
MOST_BYTES = 4 << 30  # of pictures: more take too long to read again


def of_pictures(part: Pictures) -> Iterable[int]:
    """Yield a number for each picture: the same for the same pixels."""
    return (hash(image.tobytes()) for image in part.images)


def of_rows(part: Rows) -> Iterable[int]:
    """Yield a number for each row of a table: its cells and its answer."""
    return (
        hash((row.tobytes(), target.tobytes()))
        for row, target in zip(part.inputs, part.targets, strict=True)
    )


def of_texts(part: Texts) -> Iterable[int]:
    """Yield a number for each labelled text."""
    return (hash(record.text) for record in part.records)


def of_tagged(part: Tagged) -> Iterable[int]:
    """Yield a number for each tagged sentence: its words."""
    return (hash(tuple(sentence.words)) for sentence in part.sentences)


def of_pairs(part: Pairs) -> Iterable[int]:
    """Yield a number for each pair of sentences."""
    return (hash(pair) for pair in zip(part.source, part.target, strict=True))


NUMBERED: dict[type, tuple[str, Callable[[Any], Iterable[int]]]] = {
    Pictures: ("pictures", of_pictures),
    Rows: ("rows", of_rows),
    Texts: ("texts", of_texts),
    Tagged: ("sentences", of_tagged),
    Pairs: ("pairs", of_pairs),
}


def can_be_told(scored: Any) -> bool:
    """Tell whether examples of such a part can be looked for in another."""
    return type(scored) in NUMBERED


def also_learned(learned: Any, scored: Any) -> str:
    """Say how many examples of one part are in another too, or nothing where few are.

    Args:
        learned: the part that a run learned from.
        scored: the part that it is to be scored on.
    """
    if not can_be_told(scored) or type(learned) is not type(scored):
        return ""
    if isinstance(learned, Pictures) and learned.images.nbytes > MOST_BYTES:
        return ""
    what, numbers = NUMBERED[type(scored)]
    known = set(numbers(learned))
    num = sum(number in known for number in numbers(scored))
    if num <= FEW * len(scored):
        return ""
    share = "all" if num == len(scored) else f"{num:,} of the"
    return f"{share} {len(scored):,} {what} scored are among those that the run learned from"
