"""Sentence pairs in one file: columns with a tab or a comma between them, or JSON lines."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from samoyed.core.errors import DataError, OptionError, first_names
from samoyed.data.json_lines import parse
from samoyed.data.pair_files import Lines, PairAsk, direction, read_lines
from samoyed.data.scripts import share_unspaced
from samoyed.data.text_files import array_of_json

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
COLUMN_SUFFIXES = (".tsv", ".tab", ".txt", ".csv")
_WORDY = 0.2  # of the lines of a field of sentences have more than one word
_LETTERED = 0.5  # of the cells of a column of sentences, or of words, hold a letter
_TABBED = 0.9  # of the lines of any file that has columns hold a tab
_LOOKED_AT = 2_000  # lines from which the language of a column is guessed
_SHOWN = 40  # characters of a sentence
_CLEAR = 2.0  # times as many of a language's words as in any other column

_WORDS = {
    "en": "the of and to in a is that it was for on are with he she you this i not have at be",
    "de": "der die das und ist ein eine nicht ich zu in mit auf sie er den dem von es sich auch",
    "fr": "le la les de des et est un une pas je il elle que qui dans en pour vous nous ce sur du",
    "es": "el la los las de y es un una no que en por con se para lo como está su del al yo",
    "it": "il la di e un una non che è per in con sono mi si lo gli ho questo della del ti",
    "pt": "o a os as de e é um uma não que em para com se eu do da no na por você está",
    "nl": "de het een en is niet ik van dat in op te je hij zij met voor was zijn er aan",
}
_ALSO = {
    "eng": "en", "english": "en", "deu": "de", "ger": "de", "german": "de", "fra": "fr",
    "fre": "fr", "french": "fr", "spa": "es", "spanish": "es", "ita": "it", "italian": "it",
    "por": "pt", "portuguese": "pt", "nld": "nl", "dut": "nl", "dutch": "nl",
}  # fmt: skip
LANGUAGES = {*_WORDS, *_ALSO}
HEADS = {"source", "target", "src", "tgt", "trg", *LANGUAGES}


def is_columns(file: Path) -> bool:
    """Tell by its ending whether a file may hold columns."""
    return file.name.lower().removesuffix(".gz").endswith((*COLUMN_SUFFIXES, *JSON_SUFFIXES))


def read_one_file(
    file: Path, ask: PairAsk, on_bad: str
) -> tuple[Lines, Lines, tuple[str, str], tuple[str, ...], list[str]]:
    """Read both sides from one file.

    Returns:
        The source's lines, the target's, their names, notes, and "file:line: reason" for lines that
        were left out.

    Raises:
        OptionError: when it is not clear which column is which.
        DataError: for a line without both, unless bad ones are skipped.
    """
    lines, data, notes = read_lines(file)
    is_json = _is_json(file)
    rows, names, (source, target) = (_of_json if is_json else _of_columns)(file, lines, ask)
    good: list[tuple[int, str, str]] = []
    skipped: list[str] = []
    for number, row in rows:
        if isinstance(row, DataError):
            if on_bad == "stop":
                raise row
            skipped.append(f"{row.place}: {row.found}")
        else:
            good.append((number, *row))
    numbers = [number for number, _, _ in good]
    one = Lines(file, [row[1] for row in good], numbers, data, source)
    two = Lines(file, [row[2] for row in good], numbers, b"", target)
    return one, two, names, notes, skipped


def sentences_in(file: Path, language: str, place: int | None = None) -> list[str]:
    """Return the sentences of one language: a file's lines, or what its columns or fields hold.

    Args:
        file: a text with a sentence in every line, plain or gz; a .tsv, .tab or .csv file with
            columns; or JSON lines.
        language: what the column or field is called, or the language of its words.
        place: the column, from 0, where nothing else tells it.

    Raises:
        DataError: where no column or field is known to hold them.
    """
    lines, _, _ = read_lines(file)
    if _is_json(file):
        return [_field(file, number, line, language) for number, line in enumerate(lines, 1)]
    is_table = file.name.lower().removesuffix(".gz").endswith((".tsv", ".tab", ".csv"))
    has_tabs = sum("\t" in line for line in lines) >= _TABBED * max(1, len(lines))
    if not is_table and (place is None or not has_tabs):
        return lines
    _, cells, mark = _cut(file, lines)
    width = Counter(map(len, cells)).most_common(1)[0][0] if cells else 0
    if width < 2:
        return lines
    head = [cell.strip() for cell in cells[0]]
    if language in head:
        return [_cell(row, head.index(language)) for row in cells[1:]]
    is_named = sum(name.lower() in HEADS for name in head) >= 2
    found = None if is_named else _spoken(cells, width, language)
    if found is None and not is_named and place is not None and not _is_foreign(cells, place):
        found = place
    if found is None or found >= width:
        cut = shlex.quote(str(file))
        raise DataError(
            f"{file}:1", f"a column {language!r} named in the first line, or a sentence in every "
            "line", f"{width} columns: " + first_names([f"“{cell[:40]}”" for cell in head]),
            f"cut -f 1 {cut} > sentences.txt takes the first out" if mark == "tab"
            else "name the column in the first line, or leave the others out",
        )  # fmt: skip
    return [_cell(row, found) for row in cells]


def _is_foreign(cells: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column is plainly none of sentences: of numbers, or named as something else.

    Single words above longer cells are names; where all cells are single words nothing tells.
    """
    below = [_cell(row, place) for row in cells[1:_LOOKED_AT]]
    num_lettered = sum(any(map(str.isalpha, cell)) for cell in below)
    has_names = not any(map(_has_words, cells[0])) and any(map(str.isalpha, "".join(cells[0])))
    is_named = has_names and sum(map(_has_words, below)) >= _WORDY * len(below) > 0
    return num_lettered < _LETTERED * len(below) or is_named


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _field(file: Path, number: int, line: str, name: str) -> str:
    """Return the sentence in one line of JSON; an empty line holds an empty one."""
    row = _object(file, number, line) if line.strip() else {name: ""}
    if isinstance(row, DataError):
        raise row
    said = row.get(name)
    if not isinstance(said, str):
        first = next((key for key, value in row.items() if isinstance(value, str)), "text")
        raise DataError(
            f"{file}:{number}", f"a text in the field {name!r}",
            "the fields " + (first_names(list(map(str, row))) or "none"),
            f"jq -r {shlex.quote(f'.[{json.dumps(first)}]')} {shlex.quote(str(file))} > "
            f"sentences.txt takes {first!r} out",
        )  # fmt: skip
    return " ".join(said.split("\n"))


def _is_json(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(JSON_SUFFIXES)


Rows = list[tuple[int, tuple[str, str] | DataError]]
Found = tuple[Rows, tuple[str, str], tuple[int, int] | tuple[None, None]]
"""What a file holds: its rows, the names of the two sides, and their columns."""


def _of_columns(file: Path, lines: list[str], ask: PairAsk) -> Found:
    places, cells, mark = _cut(file, lines)
    width = Counter(map(len, cells)).most_common(1)[0][0] if cells else 0
    if width < 2:
        raise DataError(
            f"{file}:1", f"two columns with a {mark} between them", f"no {mark}",
            "write each sentence, a tab and its translation; or give two files of as many lines",
        )  # fmt: skip
    head = [cell.strip() for cell in cells[0]]
    has_header = ({ask.source, ask.target} - {None}) <= set(head) if ask else False
    has_header |= sum(name.lower() in HEADS for name in head) >= 2
    first = 1 if has_header else 0
    one, two = _columns(file, head if has_header else [], cells[first:], width, ask)
    named = [
        head[k] if has_header
        else language_of(row[k] for row in cells[:_LOOKED_AT] if len(row) > k) or f"column {k + 1}"
        for k in (one, two)
    ]  # fmt: skip
    asked = (ask.source, ask.target)
    names = tuple(
        said if said and not said.isdigit() else name
        for said, name in zip(asked, named, strict=True)
    )
    rows: Rows = []
    for number, row in zip(places[first:], cells[first:], strict=True):
        if max(one, two) < len(row) <= width:
            rows.append((number, (row[one], row[two])))
        else:
            rows.append((number, DataError(
                f"{file}:{number}", f"{width} columns with a {mark} between them",
                f"{_counted(len(row))} in “{lines[number - 1][:60]}”",
                f"{'put the' if len(row) < width else 'take away a'} {mark}"
                f"{' in' if len(row) < width else ''}, or leave such lines out with --on-bad skip",
            )))  # fmt: skip
    return rows, (names[0], names[1]), (one, two)


def _counted(num: int) -> str:
    return "1 column" if num == 1 else f"{num} columns"


def _cut(file: Path, lines: list[str]) -> tuple[list[int], list[list[str]], str]:
    """Cut lines into cells; return in which line each row begins, the rows, and what cuts them.

    Tabs cut anything that has them in its first line; commas a .csv file, which may be quoted.

    Raises:
        DataError: for quotes that do not end.
    """
    is_csv = file.name.lower().removesuffix(".gz").endswith(".csv")
    if not is_csv or (lines and "\t" in lines[0]):
        return list(range(1, len(lines) + 1)), [line.split("\t") for line in lines], "tab"
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    places, cells, before = [], [], 0
    try:
        for row in reader:
            if row:
                places.append(before + 1)
                cells.append([" ".join(cell.split("\n")) for cell in row])
            before = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{file}:{before + 1}",
            "cells with commas between them, quotes in pairs",
            str(error),
            "double a quotation mark inside a quoted cell",
        ) from None
    return places, cells, "comma"


def _columns(
    file: Path, head: Sequence[str], cells: Sequence[Sequence[str]], width: int, ask: PairAsk
) -> tuple[int, int]:
    """Return which columns are the source and the target."""
    if head:
        source, target = (
            head[int(said) - 1] if said and said.isdigit() and 0 < int(said) <= width else said
            for said in (ask.source, ask.target)
        )
        meant = PairAsk(source, target)
        some = [dict(zip(head, row, strict=False)) for row in cells[:_LOOKED_AT]]
        known = list(dict.fromkeys(_sentences_among(head, some, meant)))
        places = [head.index(name) for name in known]
        one, two = direction(file, known, meant, _told(known, cells, places))
        return head.index(one), head.index(two)
    numbers = [str(k + 1) for k in range(width)]
    asked = [said for said in (ask.source, ask.target) if said is not None]
    spoken = [language_of(row[k] for row in cells[:_LOOKED_AT] if len(row) > k)
              for k in range(width)]  # fmt: skip
    known = [name for name in spoken if name is not None]
    if len(known) == len(set(known)) > 1 and set(asked) <= set(known):
        told = _told(known, cells, [spoken.index(name) for name in known])
        one, two = direction(file, known, ask, told)
        return spoken.index(one), spoken.index(two)
    if all(said in numbers for said in asked):
        some = [dict(zip(numbers, row, strict=False)) for row in cells[:_LOOKED_AT]]
        known = _sentences_among(numbers, some, ask)
        one, two = direction(file, known, ask, _told(known, cells, [int(k) - 1 for k in known]))
        return int(one) - 1, int(two) - 1
    return _by_language(file, cells, width, ask)


def _told(
    names: Sequence[str], cells: Sequence[Sequence[str]], places: Sequence[int]
) -> list[str]:  # fmt: skip
    """Say in which column each name stands, and what the first line of it holds.

    >>> _told(["de", "2"], [["Ein Hund", "A dog"]], [0, 1])
    ['column 1, de “Ein Hund”', 'column 2 “A dog”']
    """
    told = []
    for name, place in zip(names, places, strict=True):
        called = "" if name == str(place + 1) else f", {name}"
        first = next((row[place] for row in cells if len(row) > place and row[place].strip()), "")
        told.append(f"column {place + 1}{called} “{_beginning(first)}”")
    return told


def _beginning(sentence: str) -> str:
    return sentence if len(sentence) <= _SHOWN else sentence[: _SHOWN - 1].rstrip() + "…"


def _by_language(
    file: Path, cells: Sequence[Sequence[str]], width: int, ask: PairAsk
) -> tuple[int, int]:
    """Return which columns are in the languages asked for: by the file's name, or by their words.

    Raises:
        OptionError: when neither tells.
    """
    found: list[int | None] = []
    tags = re.findall(r"(?<![a-z])([a-z]{2,3})[-_]([a-z]{2,3})(?![a-z])", file.name.lower())
    for said in (ask.source, ask.target):
        tagged = [pair.index(said) for pair in tags if said in pair]
        found.append(_spoken(cells, width, said) if said else None)
        if found[-1] is None and tagged:
            found[-1] = tagged[0]
    if width == 2 and found.count(None) == 1:
        known = next(place for place in found if place is not None)
        found = [1 - known if place is None else place for place in found]
    one, two = found
    is_told = one is not None and two is not None and one != two
    places = ask.places if not is_told and ask.places and max(ask.places) < width else None
    if places is not None and not any(_is_foreign(cells, place) for place in places):
        one, two = places
    if one is None or two is None or one == two:
        shown = "; ".join(f"{k + 1} “{cells[0][k][:40]}”" for k in range(min(width, 4)))
        option = "--from" if one is None else "--to"
        raise OptionError(
            option, "a column's number, as no line names the columns and their words do not tell",
            f"{ask.source if one is None else ask.target}; the first line's columns are {shown}",
            "e.g. --from 1 --to 2",
        )  # fmt: skip
    return one, two


def language_of(sentences: Iterable[str]) -> str | None:
    """Return the language whose frequent words these sentences hold most, if one clearly is.

    >>> language_of(["the dog and the cat", "he is in the house"]), language_of(["ka mu", "li"])
    ('en', None)
    """
    met = [word for sentence in sentences for word in re.findall(r"\w+", sentence.lower())]
    shares = {
        name: sum(word in known for word in met) / max(1, len(met))
        for name, known in ((name, set(words.split())) for name, words in _WORDS.items())
    }
    best, second = sorted(shares, key=lambda name: -shares[name])[:2]
    return best if shares[best] > max(1.5 * shares[second], 0.06) else None


def _spoken(cells: Sequence[Sequence[str]], width: int, language: str) -> int | None:
    """Return the column whose words are this language's, if one clearly is."""
    name = language.lower()
    words = set(_WORDS.get(_ALSO.get(name, name), "").split())
    if not words:
        return None
    shares = []
    for column in range(width):
        met = [
            word
            for row in cells[:_LOOKED_AT] if len(row) > column
            for word in re.findall(r"\w+", row[column].lower())
        ]  # fmt: skip
        shares.append(sum(word in words for word in met) / max(1, len(met)))
    best = max(range(width), key=lambda column: shares[column])
    others = max(share for column, share in enumerate(shares) if column != best)
    return best if shares[best] > _CLEAR * others and shares[best] > 0.02 else None


def _of_json(file: Path, lines: list[str], ask: PairAsk) -> Found:
    found: list[tuple[int, dict[str, object] | DataError]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found.append((number, _object(file, number, line)))
    objects = [row for _, row in found if isinstance(row, dict)]
    if found and lines[found[0][0] - 1].lstrip().startswith("["):
        raise array_of_json(file, file)
    if not objects:
        raise next((row for _, row in found if isinstance(row, DataError)), None) or DataError(
            file, "one JSON object for each line", "an empty file"
        )
    known = [key for key, value in objects[0].items() if isinstance(value, str)]
    known = _sentences_among(known, objects, ask)
    told = [f"the field {name} “{_beginning(str(objects[0][name]))}”" for name in known]
    names = direction(file, known, ask, told)
    rows: Rows = []
    for number, row in found:
        if isinstance(row, DataError):
            rows.append((number, row))
            continue
        one, two = (row.get(name) for name in names)
        if isinstance(one, str) and isinstance(two, str):
            rows.append((number, (one, two)))
        else:
            missing = names[0] if not isinstance(one, str) else names[1]
            is_there = row.get(missing) is not None
            rows.append((number, DataError(
                f"{file}:{number}", f"a text in the field {missing!r}",
                f"{row[missing]!r} there" if is_there
                else "the fields " + (first_names(list(map(str, row))) or "none"),
                "add it, or leave such lines out with --on-bad skip",
            )))  # fmt: skip
    return rows, names, (None, None)


def _sentences_among(
    names: Sequence[str], objects: Sequence[Mapping[str, object]], ask: PairAsk
) -> list[str]:
    """Return the fields that may be sentences: not those that number the lines, unless asked for.

    A field of one word in nearly every line is no column of sentences; where two others are left
    it is not proposed.
    """
    some = objects[:_LOOKED_AT]
    wordy = [
        name for name in names
        if sum(_has_words(str(row.get(name, ""))) for row in some) >= _WORDY * len(some)
        or name in (ask.source, ask.target)
    ]  # fmt: skip
    return wordy if len(wordy) > 1 else list(names)


def _has_words(cell: str) -> bool:
    """Tell whether a cell has more than one word; in Chinese no blank parts them."""
    return " " in cell.strip() or bool(share_unspaced(cell))


_MEND = "Mend the line, or leave such lines out with --on-bad skip."


def _object(file: Path, number: int, line: str) -> dict[str, object] | DataError:
    """Return one line's fields: those of its translation, where it has one."""
    try:
        row = parse(line)
    except ValueError as error:
        return DataError(
            f"{file}:{number}", "a JSON object", f"{error} in “{line[:60]}”", _MEND
        )  # fmt: skip
    if isinstance(row, dict) and isinstance(row.get("translation"), dict):
        row = row["translation"]
    if not isinstance(row, dict):
        return DataError(f"{file}:{number}", "a JSON object", f"“{line[:60]}”", _MEND)
    return row
