"""From files to sentence pairs: which files belong together, which lines, which direction.

Pairs come as two files of as many lines (`train.de` and `train.en`, also `corpus.de-en.de`, plain
or .gz), as one file with a tab between the columns, or as JSON lines (`{"translation": {"de": ...,
"en": ...}}`, or two fields).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from samoyed.core.errors import DataError, OptionError, Undirected, did_you_mean, first_names
from samoyed.data.text_files import read_file

PARTS = ("train", "val", "test")
MOST_DIRECTIONS = 6  # that are proposed
_PART = re.compile(
    r"(?:^|[._-]|news)(train|valid|val|dev|test)"
    r"(?:ing|ation|el|elopment|set|test|s|a|b)?(?![a-z])",
    re.IGNORECASE,
)
_PART_NAMES = {"valid": "val", "dev": "val"}
_TWO_LETTERS = (
    " aa ab af ak am ar as ay az ba be bg bn bo br bs ca ce co cs cy da de dv dz ee el en eo es et"
    " eu fa fi fj fo fr fy ga gd gl gn gu ha he hi hr ht hu hy id ig is it iu ja jv ka kk km kn ko"
    " ks ku kw ky la lb lg ln lo lt lv mg mi mk ml mn mr ms mt my nb ne nl nn no ny oc om or os pa"
    " pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th"
    " ti tk tl tn to tr ts tt tw ug uk ur uz ve vi wa wo xh yi yo za zh zu "
)
_NO_LANGUAGE = (
    " txt text csv tsv tab json jsonl ndjson md rst html xml sgm sgml pdf doc docx log py yaml yml"
    " toml zip tar bz xz png jpg jpeg gif bmp webp tif tiff npy npz pt model vocab bin data names"
    " arff parquet idx ids lock tmp bak cfg ini sh "
)
_SUFFIX = re.compile(r"[A-Za-z]{2,12}(?:[_-][A-Za-z]{2,8})?$")


@dataclass(frozen=True)
class PairAsk:
    """What a user says about pairs.

    Args:
        source: the language to translate from: a file's ending, a column or a field.
        target: the language to translate into.
        places: the columns they stand in, from 0, of a file that does not tell it: those that a
            run learned from.
        is_measured: whether a run is measured on them, so that nothing of them is held out.
    """

    source: str | None = None
    target: str | None = None
    places: tuple[int, int] | None = None
    is_measured: bool = False

    def __bool__(self) -> bool:
        return self.source is not None or self.target is not None


@dataclass(frozen=True)
class Lines:
    """One side of one part of the data.

    Args:
        place: the file.
        lines: the sentences.
        numbers: in which line of the file each stands, from 1.
        data: the file's bytes, for the fingerprint.
        column: of the file it stands in, from 0, or None where the whole file is this side.
    """

    place: Path
    lines: list[str]
    numbers: Sequence[int]
    data: bytes
    column: int | None = None


def is_prefix(path: Path) -> bool:
    """Tell whether files begin with this name and end in languages, as `corpus` of `corpus.de`."""
    if path.exists() or not path.name or not path.parent.is_dir():
        return False
    return any(len(found) > 1 for found in [_grouped(path.parent).get(path.name, {})])


def holds_pairs(folder: Path, ask: PairAsk) -> bool:
    """Tell whether a folder holds files of two languages that belong together."""
    return bool(_stems(folder, ask))


def is_side(file: Path) -> bool:
    """Tell whether a file is one side of pairs: another language's file is beside it."""
    stem, suffix = _split_name(file.name)
    return suffix in _grouped(file.parent).get(stem, {}) and len(_grouped(file.parent)[stem]) > 1


def _split_name(name: str) -> tuple[str, str]:
    """Return a file's name without its ending, and the ending, `.gz` left out.

    >>> _split_name("train.de-en.de.gz")
    ('train.de-en', 'de')
    """
    stem, _, suffix = name.removesuffix(".gz").rpartition(".")
    return stem, suffix


def _grouped(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the files of a folder that may be sides of pairs: stem -> ending -> file."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()):
        stem, suffix = _split_name(file.name)
        is_language = f" {suffix.lower()} " in _TWO_LETTERS or (
            _part_of(stem) is not None
            and bool(_SUFFIX.match(suffix))
            and f" {suffix.lower()} " not in _NO_LANGUAGE
        )
        if stem and not file.name.startswith(".") and is_language and file.is_file():
            found.setdefault(stem, {}).setdefault(suffix, file)
    return found


def _stems(folder: Path, ask: PairAsk) -> dict[str, dict[str, Path]]:
    """Return the stems with two languages or more, those that were asked for where any are."""
    found = _grouped(folder)
    if ask.source and ask.target:
        for file in sorted(folder.iterdir()):
            stem, suffix = _split_name(file.name)
            if stem and suffix in (ask.source, ask.target) and file.is_file():
                found.setdefault(stem, {})[suffix] = file
    return {stem: sides for stem, sides in found.items() if len(sides) > 1}


def _part_of(stem: str) -> str | None:
    """Return which part of the data a stem names.

    >>> _part_of("train.de-en"), _part_of("test_2016_flickr"), _part_of("testament")
    ('train', 'test', None)
    """
    found = _PART.search(stem)
    if found is None:
        return None
    name = found.group(1).lower()
    return _PART_NAMES.get(name, name)


def find_parts(path: Path, ask: PairAsk) -> tuple[dict[str, tuple[Path, Path]], tuple[str, str]]:
    """Find the two files of each part.

    Returns:
        part -> (source file, target file), and the names of the two sides.

    Raises:
        OptionError: when the direction is not said.
        DataError: when no part can be learned from.
    """
    if path.is_dir():
        stems = _stems(path, ask)
    else:
        stem = path.name if is_prefix(path) else _split_name(path.name)[0]
        stems = {stem: _grouped(path.parent)[stem]}
    known = sorted({name for sides in stems.values() for name in sides})
    files = {name: [sides[name].name for sides in stems.values() if name in sides]
             for name in known}  # fmt: skip
    told = [f"{name} ({first_names(files[name], most=3)})" for name in known]
    names = direction(path, known, ask, told)
    whole = {stem: sides for stem, sides in stems.items() if set(names) <= set(sides)}
    if not whole:
        raise DataError(
            path, f"files that end in .{names[0]} and .{names[1]} beside each other",
            ", ".join(f"{stem}.{{{','.join(sides)}}}" for stem, sides in sorted(stems.items())),
            "give both sides of each part the same name before the ending",
        )  # fmt: skip
    _refuse_halves(path, names)
    parts: dict[str, tuple[Path, Path]] = {}
    for stem in sorted(whole):
        part = _part_of(stem) or "train"
        if part == "train" and part in parts:
            raise DataError(
                path, "one pair of files to learn from", f"{parts[part][0].name} and {stem}",
                f"join them with cat, or give one: samoyed train {shlex.quote(str(path / stem))}",
            )  # fmt: skip
        parts.setdefault(part, (whole[stem][names[0]], whole[stem][names[1]]))
    if "train" not in parts:
        is_named_otherwise = path.is_dir() and any(map(_part_of, whole))
        if len(parts) > 1 or is_named_otherwise or (path.is_dir() and len(whole) > 1):
            raise DataError(
                path, f"train.{names[0]} and train.{names[1]}",
                "only " + ", ".join(sorted(whole)), "name the files to learn from train.*",
            )  # fmt: skip
        parts = {"train": next(iter(parts.values()))}
    return parts, names


def _refuse_halves(path: Path, names: tuple[str, str]) -> None:
    """Raise for a part of a folder that has one of the two sides alone.

    Raises:
        DataError: naming the file without a partner.
    """
    for stem, sides in _grouped(path).items() if path.is_dir() else ():
        lonely = [name for name in names if name in sides]
        if _part_of(stem) is not None and len(lonely) == 1:
            other = names[1 - names.index(lonely[0])]
            raise DataError(
                sides[lonely[0]], f"{stem}.{other} beside it", "one side alone",
                "Put the other side there, or take this one away.",
            )  # fmt: skip


def direction(
    place: Path, known: Sequence[str], ask: PairAsk, sides: Sequence[str] = ()
) -> tuple[str, str]:
    """Return (from, to), both of them known.

    Args:
        place: the data.
        known: what pairs can be made of: languages, columns or fields.
        ask: what was said.
        sides: what each that is known is, in words; by default its name.

    Raises:
        Undirected: when nothing was said.
        OptionError: when what was said could be either, or names what is not there.
        DataError: when there are no two to choose from.
    """
    for option, name in (("--from", ask.source), ("--to", ask.target)):
        if name is not None and name not in known:
            same = next((k for k in known if k.lower() == name.lower()), "")
            near = f"Did you mean '{same}'?" if same else did_you_mean(name, known).strip()
            hint = near or "".join(f"take {option} {first}" for first in known[:1])
            raise OptionError(option, "one of " + ", ".join(known), repr(name), hint)
    one = ask.source or ask.target
    if one is not None and len(known) == 2 and not (ask.source and ask.target):
        other = next(name for name in known if name != one)
        return (one, other) if ask.source else (other, one)
    if ask.source and ask.target:
        if ask.source == ask.target:
            other = next((name for name in known if name != ask.source), "LANGUAGE")
            raise OptionError(
                "--to", "another language than --from", repr(ask.target), f"take --to {other}"
            )
        return ask.source, ask.target
    if len(known) < 2:
        raise DataError(
            place, "sentences in two languages, in two columns or fields", "only "
            + (", ".join(sides or known) or "what is no sentence"), "Add the translations.",
        )  # fmt: skip
    start = f"samoyed train {shlex.quote(str(place))}"
    both = [f"{start} --from {shlex.quote(a)} --to {shlex.quote(b)}"
            for a in known for b in known if a != b][:MOST_DIRECTIONS]  # fmt: skip
    if not ask:
        raise Undirected(known, sides or known, both)
    raise OptionError(
        "--from and --to", "the language to translate from and the one to translate into",
        "only one of them, among " + ", ".join(sides or known), "\n            or ".join(both),
    )  # fmt: skip


def read_lines(file: Path) -> tuple[list[str], bytes, tuple[str, ...]]:
    r"""Read one sentence for each line; `\r` before a line's end is dropped.

    Raises:
        DataError: for whatever is not UTF-8 text, with the line and the byte.
    """
    reading = read_file(file)
    lines = reading.data.decode("utf-8").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    notes = tuple(note for note in reading.notes if "lone carriage" not in note)
    return [line.removesuffix("\r") for line in lines], reading.data, notes


def read_two_files(
    source: Path, target: Path
) -> tuple[Lines, Lines, tuple[str, ...]]:  # fmt: skip
    """Read two files whose lines belong together.

    Raises:
        DataError: when one has more lines, naming the first that has no partner.
    """
    one, one_data, one_notes = read_lines(source)
    two, two_data, two_notes = read_lines(target)
    if len(one) != len(two):
        raise _unequal((source, one), (target, two))
    numbers = range(1, len(one) + 1)
    return (
        Lines(source, one, numbers, one_data), Lines(target, two, numbers, two_data),
        one_notes + two_notes,
    )  # fmt: skip


def _unequal(one: tuple[Path, list[str]], two: tuple[Path, list[str]]) -> DataError:
    (short, fewer), (long, more) = sorted((one, two), key=lambda side: len(side[1]))
    first = len(fewer) + 1
    lonely = [
        number
        for number, (a, b) in enumerate(zip(fewer, more, strict=False), start=1)
        if bool(a.strip()) != bool(b.strip())
    ]
    where = f"look near line {lonely[0]:,}, which is empty on one side only" if lonely else (
        "compare the files near their ends, or look for a sentence broken over two lines"
    )  # fmt: skip
    return DataError(
        f"{long}:{first}", f"{len(fewer):,} lines, as {short.name} has",
        f"{len(more):,} lines: line {first:,} (“{more[first - 1][:60]}”) is the first without a "
        "partner", where,
    )  # fmt: skip
