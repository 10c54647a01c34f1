"""Lines of JSON that hold a sentence each: a list of words and lists of their tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError, OptionError, did_you_mean, first_names
from samoyed.data.json_lines import parse
from samoyed.data.tagged_columns import LEFT_OUT, Sentence
from samoyed.data.text_files import Reading, read_file

WORD_FIELDS = ("tokens", "words", "token", "word", "sentence", "text")
SUFFIXES = (".jsonl", ".json", ".ndjson")
LOOKED_AT = 20  # lines from which the fields are told
_ASKED = 'an object with words, {"tokens": ["A", "dog"]}, or a text, {"text": "A dog"}'
_EXPECTED = 'an object with lists, such as {"tokens": ["A", "dog"], "tags": ["O", "O"]}'


@dataclass(frozen=True)
class Fields:
    """Which fields hold the words and their tags.

    Args:
        word: the field of words.
        tag: the field of tags.
        others: fields of lists that could be asked for.
    """

    word: str
    tag: str
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return it in words."""
        told = f"JSON lines, the words in {self.word!r}, the tags in {self.tag!r}"
        return told + (f" (also there: {', '.join(self.others)})" if self.others else "")


def is_jsonl_name(name: str) -> bool:
    """Tell by its ending whether a file may hold JSON lines.

    >>> is_jsonl_name("train.jsonl.gz"), is_jsonl_name("train.txt")
    (True, False)
    """
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def looks_tagged(name: str, text: str) -> bool:
    r"""Tell whether most first lines hold a list named as words are, and as long a one of tags.

    >>> looks_tagged("a.jsonl", '{"tokens": ["a", "dog"], "tags": ["O", "O"]}\n')
    True
    >>> looks_tagged("a.jsonl", '{"text": "a dog"}\n')
    False
    """
    if not is_jsonl_name(name):
        return False
    lists = [_lists(found) for found in _objects(text.split("\n"))]
    num = sum(len(found) > 1 and not {*found}.isdisjoint(WORD_FIELDS) for found in lists)
    return num * 2 > len(lists)


def read_json_sentences(
    path: Path, on_bad: str, notes: list[str], skipped: list[str], known: Fields | None = None,
    word: str | None = None, tag: str | None = None,
) -> tuple[list[Sentence], Reading, Fields]:  # fmt: skip
    """Read a file of JSON lines, a sentence in each.

    Args:
        path: the file, plain or gz.
        on_bad: "stop" raises at the first bad line, "skip" leaves it out and lists it.
        notes: takes what was put right.
        skipped: takes "file:line: reason".
        known: the fields, where the training file has told them.
        word: the field of words, where the user has said it.
        tag: the field of tags, where the user has said it.

    Returns:
        The sentences, what was read, and the fields.

    Raises:
        DataError: with file and line.
        OptionError: for a field that is not there.
    """
    reading = read_file(path, is_western_allowed=True)
    notes += reading.notes
    lines = reading.text.split("\n")
    fields = known or _told(path, lines, word, tag)
    sentences = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            words, tags = _sentence(line, f"{path}:{number}", fields)
        except DataError as error:
            if on_bad == "stop":
                raise
            skipped.append(f"{error.place}: {error.found}{LEFT_OUT}")
            continue
        sentences.append(Sentence(words, tags, (number,) * len(words), str(path)))
    return sentences, reading, fields


def words_to_tag(path: Path) -> list[list[str] | str]:
    """Return the words of each line of JSON, or its text where it is not cut into words.

    Raises:
        DataError: for a line without either, with its number.
    """
    found: list[list[str] | str] = []
    for number, line in enumerate(read_file(path, is_western_allowed=True).text.split("\n"), 1):
        if line.strip():
            found.append(_to_tag(line, f"{path}:{number}"))
    return found


def _to_tag(line: str, place: str) -> list[str] | str:
    try:
        value = parse(line)
    except ValueError as error:
        raise DataError(place, _ASKED, f"no JSON object ({error}): {line[:40]!r}") from None
    fields = value if isinstance(value, dict) else {}
    for name in WORD_FIELDS:
        held = fields.get(name)
        if isinstance(held, str) and held.strip():
            return held
        if isinstance(held, list) and held and all(isinstance(w, str) and w.strip() for w in held):
            return [word.strip() for word in held]
    raise DataError(
        place, _ASKED, "fields " + first_names(list(fields)) if fields else f"{line[:40]!r}"
    )


def _objects(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Return the first objects of a file, whatever else its lines hold."""
    found = []
    for line in [line for line in lines if line.strip()][:LOOKED_AT]:
        try:
            value = parse(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _lists(found: dict[str, Any]) -> list[str]:
    """Return the fields that hold lists of words or tags, all equally long."""
    names = [
        name for name, value in found.items()
        if isinstance(value, list) and value and all(isinstance(v, str | int) for v in value)
    ]  # fmt: skip
    first = next((name for name in WORD_FIELDS if name in names), names[0] if names else "")
    return [name for name in names if len(found[name]) == len(found[first])]


def _told(path: Path, lines: Sequence[str], word: str | None, tag: str | None) -> Fields:
    """Return which fields hold what, with what the user says of it."""
    objects = _objects(lines)
    lists = list(dict.fromkeys(name for found in objects for name in _lists(found)))
    if len(lists) < 2:
        fields = list(dict.fromkeys(name for found in objects for name in found))
        raise DataError(
            path, _EXPECTED, "fields " + (first_names(fields) or "of none") + " without such lists",
            "Write the words and the tags of a sentence as two lists of one length.",
        )  # fmt: skip
    for option, said in (("--input", word), ("--target", tag)):
        if said is not None and said not in lists:
            raise OptionError(
                option, f"a field that holds lists: {first_names(lists)}", repr(said),
                did_you_mean(said, lists).strip(),
            )  # fmt: skip
    default = next((n for n in (*WORD_FIELDS, *lists) if n in lists and n != tag), lists[0])
    chosen = word or default
    told = tag or next(name for name in reversed(lists) if name != chosen)
    return Fields(chosen, told, tuple(n for n in lists if n not in (chosen, told)))


def _sentence(line: str, place: str, fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words and tags of a line.

    Raises:
        DataError: for what is wrong with it.
    """
    try:
        found = parse(line)
    except ValueError as error:
        raise _bad(place, _EXPECTED, f"no JSON object ({error}): {line[:40]!r}") from None
    if not isinstance(found, dict):
        raise _bad(place, _EXPECTED, f"a JSON {type(found).__name__}: {line[:40]!r}")
    words, tags = (_list(found, name, place) for name in (fields.word, fields.tag))
    if len(words) != len(tags):
        raise _bad(
            place, f"as many tags in {fields.tag!r} as words in {fields.word!r}",
            f"{len(words)} words and {len(tags)} tags",
        )  # fmt: skip
    return words, tags


def _list(found: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
    """Return the words or tags of a field."""
    value = found.get(name)
    if not isinstance(value, list) or not value:
        what = "no field" if name not in found else f"{str(value)[:40]!r} in the field"
        raise _bad(place, f"a list in the field {name!r}", f"{what} {name!r}")
    for number, item in enumerate(value, 1):
        is_plain = isinstance(item, str) or type(item) is int
        if not is_plain or not str(item).strip():
            raise _bad(place, f"words in {name!r}", f"{item!r}, item {number}")
    return tuple(str(item).strip() for item in value)


def _bad(place: str, expected: str, found: str) -> DataError:
    to_do = "Mend the line, or leave such lines out with --on-bad skip."
    return DataError(place, expected, found, to_do)
