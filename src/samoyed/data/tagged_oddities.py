"""What is odd about words and their tags, in words: rare tags, copies, missing lines and blanks."""

from __future__ import annotations

import re
from collections import Counter

from samoyed.core.errors import first_names
from samoyed.core.spec import TagSpec
from samoyed.data import tag_schemes
from samoyed.data.image_reasons import named, nearly_same
from samoyed.data.sentences import copies
from samoyed.data.tagged_columns import Parts

LONG_WORD = 200  # letters
FEW_OTHERS = 0.2  # of the tags, that mark no chunks where the others do
_MARKED_OTHERWISE = (
    re.compile(r"(?P<letter>[BIESLUM])[_/:](?P<kind>.+)"),  # B_PER
    re.compile(r"(?P<kind>.+)[-_](?P<letter>[BIESLUM])"),  # PER-B
    re.compile(r"(?P<letter>[bieslum])[-_](?P<kind>.+)"),  # b-per
)
FEW = 5  # words or chunks of a tag to learn from, at which it is named


def oddities(parts: Parts, tags: TagSpec) -> tuple[str, ...]:
    """Return a warning for each thing that looks suspicious in sentences that can be read."""
    return (
        *_alike(tags), *copies(parts), *_unlike(parts, tags), *_otherwise(tags), *_untagged(parts),
        *_rare(parts, tags), *_lengths(parts),
    )  # fmt: skip


def _alike(tags: TagSpec) -> list[str]:
    """Warn of tags that nearly are the same, and of numbers in the place of tags."""
    if all(name.isdigit() for name in tags.names):
        return [
            f"the tags are numbers ({first_names(tags.names, most=4)}): they are learned as tags "
            "of single words, and no chunks are scored; write their names for that"
        ]
    return nearly_same(sorted({name[2:] if tags.scheme else name for name in tags.names}))


def _unlike(parts: Parts, tags: TagSpec) -> list[str]:
    """Warn where most tags mark chunks and a few do not, so that none are scored."""
    if tags.scheme:
        return []
    every = [(tag, s, k) for s in parts["train"] for k, tag in enumerate(s.tags) if tag != "O"]
    others = [(tag, s, k) for tag, s, k in every if not tag_schemes.is_of_chunk(tag)]
    if not every or len(others) > FEW_OTHERS * len(every):
        return []
    tag, sentence, place = others[0]
    return [
        f"nearly all tags mark chunks, but {len(others):,} of {len(every):,} do not (first: "
        f"{tag!r}, {sentence.path}:{sentence.lines[place]}): so all are learned as tags of single "
        "words"
    ]


def _otherwise(tags: TagSpec) -> list[str]:
    """Warn where all tags seem to mark chunks, but not as B-PER does, so that none are scored."""
    names = [name for name in tags.names if name not in ("O", "o")]
    for form in _MARKED_OTHERWISE if not tags.scheme else ():
        found = [form.fullmatch(name) for name in names]
        marked = [match for match in found if match is not None]
        first = next((match for match in marked if match["letter"] in "BbSs"), None)
        if first is not None and len(marked) == len(names):
            right = f"{first['letter'].upper()}-{first['kind']}"
            return [
                f"the tags seem to mark chunks, but are not written as {right}: "
                f"{first_names(names, most=4)}; they are learned as tags of single words, and no "
                f"chunks are scored; for that write {first[0]!r} as {right!r}, and so the others"
            ]
    return []


def _untagged(parts: Parts) -> list[str]:
    """Warn of words whose tag is a lone line, CoNLL's sign for nothing."""
    every = [(s, k) for held in parts.values() for s in held for k, t in enumerate(s.tags)
             if t == "_"]  # fmt: skip
    if not every:
        return []
    sentence, place = every[0]
    return [
        f"{len(every):,} words have no tag but '_' (first: {sentence.path}:{sentence.lines[place]}"
        "), which is learned as a tag like the others; leave their sentences out where it stands "
        "for what is not known"
    ]


def _rare(parts: Parts, tags: TagSpec) -> list[str]:
    """Warn of tags that training hardly shows."""
    if tags.scheme:
        counts = Counter(k for s in parts["train"] for k, _, _ in tag_schemes.spans_of(s.tags))
    else:
        counts = Counter(tag for s in parts["train"] for tag in s.tags)
    few = [f"{name} ({num})" for name, num in sorted(counts.items()) if num <= FEW]
    what = "chunk types" if tags.scheme else "tags"
    return [f"{what} with {FEW} or fewer examples to learn from: {named(few)}"] if few else []


def _lengths(parts: Parts) -> list[str]:
    """Warn of sentences so long that empty lines between them may be missing, and of such words."""
    every = [s for held in parts.values() for s in held]
    longest = max(every, key=lambda s: len(s.words), default=None)
    found = []
    if longest is not None and len(longest.words) >= 500:
        found.append(
            f"a sentence of {len(longest.words):,} words ({longest.place}): is an empty line "
            "missing?"
        )
    sentence = max(every, key=lambda s: max(map(len, s.words)), default=None)
    size = 0 if sentence is None else max(map(len, sentence.words))
    if sentence is not None and size >= LONG_WORD:
        place = sentence.lines[[len(word) for word in sentence.words].index(size)]
        found.append(f"a word of {size:,} letters ({sentence.path}:{place}): is a blank missing?")
    return found
