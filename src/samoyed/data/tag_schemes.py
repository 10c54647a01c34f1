"""How tags mark chunks: the schemes told apart, checked, and brought to one another.

* IOB1 (Ramshaw & Marcus 1995): I inside a chunk, B only where one follows another of its type.
* BIO, or IOB2 (Tjong Kim Sang & Veenstra 1999): B at the beginning of every chunk.
* BIOES, or IOBES: also E at its end, and S for a chunk of one word.
* BILOU: the same with L for E and U for S (Ratinov & Roth 2009); BMES: with M for I.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_CHUNK = re.compile(r"[BIOESLUM](?:-.+)?$")
_AS_BIOES = {"L": "E", "U": "S", "M": "I"}  # BILOU, and BMES
_LETTERS = {"IOB1": "BI", "BIO": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}
"""For first, inner and last word of a chunk, and for a single one."""

ENDED = 0.5  # of the chunks that begin also end by a letter, where the scheme has one for it

Span = tuple[str, int, int]
"""(type, first word, word after the last)."""


def is_of_chunk(tag: str) -> bool:
    """Tell whether a tag could mark a chunk, as B-NP does; X-NP and B- do not."""
    return bool(_CHUNK.match(tag)) and "-" in tag


def is_strange(tag: str, scheme: str) -> bool:
    """Tell whether a tag is none of the scheme, wherever it stands.

    >>> [is_strange(tag, "BIO") for tag in ("X-PER", "PER", "B-PER", "O", "S-PER")]
    [True, True, False, False, True]
    """
    return scheme != "" and tag != "O" and not (is_of_chunk(tag) and tag[0] in _LETTERS[scheme])


def scheme_of(sentences: Iterable[Sequence[str]]) -> str:
    """Tell which scheme the tags of sentences have: one that is named above, or "" for none.

    >>> scheme_of([["B-NP", "I-NP", "O"]]), scheme_of([["I-NP", "I-NP", "O"]])
    ('BIO', 'IOB1')
    >>> scheme_of([["B-NP", "E-NP", "S-NP"]]), scheme_of([["DT", "NN"]])
    ('BIOES', '')
    >>> scheme_of([["B-NP", "L-NP", "U-NP"]]), scheme_of([["B-NP", "M-NP", "E-NP"]])
    ('BILOU', 'BMES')
    """
    sentences = list(sentences)
    tags = {tag for sentence in sentences for tag in sentence}
    marked = {tag for tag in tags if tag != "O"}
    if not marked or not all(map(is_of_chunk, marked)):
        return ""
    letters = Counter(tag[0] for sentence in sentences for tag in sentence if tag != "O")
    if sum(letters[letter] for letter in "ESLU") > ENDED * letters["B"]:
        ended = ("BIOES", "BILOU", "BMES")
        return max(ended, key=lambda name: sum(letters[letter] for letter in _LETTERS[name]))
    num_begun = num_bare = 0
    for sentence in sentences:
        for before, tag in zip(["O", *sentence], sentence, strict=False):
            is_new = tag != "O" and _kind(before) != _kind(tag)
            num_begun += is_new and tag[0] == "B"
            num_bare += is_new and tag[0] == "I"
    return "BIO" if num_begun >= num_bare else "IOB1"


def _kind(tag: str) -> str:
    """Return the type of a tag's chunk, nothing outside."""
    return "" if tag == "O" else tag[2:]


def illegal_at(tags: Sequence[str], scheme: str) -> int | None:
    """Return the place of the first tag that cannot follow the one before it, or None.

    >>> illegal_at(["O", "I-NP"], "BIO"), illegal_at(["O", "I-NP"], "IOB1")
    (1, None)
    >>> illegal_at(["B-NP", "O"], "BIOES"), illegal_at(["B-NP", "E-NP"], "BIOES")
    (1, None)
    """
    if scheme == "":
        return None
    before = "O"
    for place, tag in enumerate([*tags, "O"]):
        if not _may_follow(before, tag, scheme):
            return min(place, len(tags) - 1)
        before = tag
    return None


def _may_follow(before: str, tag: str, scheme: str) -> bool:
    one, two = _letter(before), _letter(tag)
    is_same = _kind(before) == _kind(tag)
    if scheme == "IOB1":
        return two != "B" or (one != "O" and is_same)
    if scheme == "BIO":
        return two != "I" or (one != "O" and is_same)
    is_open = one in "BI" and before != "O"
    return (two in "IE" and tag != "O" and is_same) if is_open else two in "BSO" or tag == "O"


def _letter(tag: str) -> str:
    return "O" if tag == "O" else _AS_BIOES.get(tag[0], tag[0])


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Return the chunks of a sentence, of whatever scheme, legal or not, as conlleval does.

    A chunk begins at B and S, and at any tag inside one after O, after E or S, or after another
    type; it ends before the next beginning, before O, and after E and S.

    >>> spans_of(["B-NP", "I-NP", "O", "I-VP", "B-VP"])
    [('NP', 0, 2), ('VP', 3, 4), ('VP', 4, 5)]
    """
    found, start, before = [], 0, "O"
    for place, tag in enumerate([*tags, "O"]):
        if before != "O" and _is_end(before, tag):
            found.append((_kind(before), start, place))
        if tag != "O" and _is_start(before, tag):
            start = place
        before = tag
    return found


def _is_end(before: str, tag: str) -> bool:
    one, two = _letter(before), _letter(tag)
    return two in ("O", "B", "S") or one in ("E", "S") or _kind(before) != _kind(tag)


def _is_start(before: str, tag: str) -> bool:
    one, two = _letter(before), _letter(tag)
    return two in ("B", "S") or one in ("O", "E", "S") or _kind(before) != _kind(tag)


def to_bioes(tags: Sequence[str]) -> list[str]:
    """Return the same chunks in BIOES.

    >>> to_bioes(["I-NP", "I-NP", "B-NP", "O"])
    ['B-NP', 'E-NP', 'S-NP', 'O']
    """
    return _marked(spans_of(tags), len(tags), "BIES")


def from_bioes(tags: Sequence[str], scheme: str) -> list[str]:
    """Return the same chunks in the scheme of the data.

    >>> from_bioes(["B-NP", "E-NP", "S-NP", "O"], "IOB1")
    ['I-NP', 'I-NP', 'B-NP', 'O']
    >>> from_bioes(["B-NP", "E-NP", "S-NP", "O"], "BILOU")
    ['B-NP', 'L-NP', 'U-NP', 'O']
    """
    spans = spans_of(tags)
    if scheme not in ("IOB1", "BIO"):
        return _marked(spans, len(tags), _LETTERS[scheme])
    found = _marked(spans, len(tags), "BIIB")
    if scheme == "IOB1":
        ends = {end: kind for kind, _, end in spans}
        for kind, start, _ in spans:
            found[start] = ("B-" if ends.get(start) == kind else "I-") + kind
    return found


def _marked(spans: Iterable[Span], num: int, letters: str) -> list[str]:
    """Write spans with the letters for first, inner and last word, and for a single one."""
    found = ["O"] * num
    for kind, start, end in spans:
        for place in range(start, end):
            found[place] = f"{letters[1]}-{kind}"
        found[end - 1] = f"{letters[2]}-{kind}"
        found[start] = f"{letters[0] if end - start > 1 else letters[3]}-{kind}"
    return found


def all_bioes(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return every tag that chunks of these types can have, O first."""
    return ("O", *(f"{letter}-{kind}" for kind in sorted(kinds) for letter in "BIES"))


def legal_pairs(names: Sequence[str], scheme: str) -> list[list[bool]]:
    """Return for each pair of tags whether the second may follow the first.

    Args:
        names: the tags, in BIOES where there is a scheme.
        scheme: of the data; "" allows everything.
    """
    form = "BIOES" if scheme else ""
    return [[not form or _may_follow(one, two, form) for two in names] for one in names]
