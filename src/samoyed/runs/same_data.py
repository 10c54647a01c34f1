"""Whether a run's data is still what it learned from; and if not, what is new and what is gone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samoyed.core.errors import ChangedData, DataError, first_names
from samoyed.data.image_files import Files
from samoyed.data.image_layout import natural

MOST_FILES = 100_000  # whose names a run keeps
_NUM_NAMED = 5


def file_names(source: Any) -> list[str]:
    """Return the names of the pictures that were found, or nothing for data of another kind."""
    if source.kind != "images" or not isinstance(source.contents, Files):
        return []
    return sorted(source.names, key=natural) if len(source.names) <= MOST_FILES else []


def refuse_changed(
    run: Path, config: Mapping[str, Any], learned: Mapping[str, Any], source: Any
) -> None:
    """Raise where the data of a run is no longer the same.

    Args:
        run: the run folder.
        config: its config.json.
        learned: its data.json.
        source: the data as it is found now.

    Raises:
        ChangedData: with the classes and files that are new or gone.
    """
    is_there = Path(config["data"]).exists()  # and not built in or a world
    if not is_there or source.fingerprint == learned["fingerprint"]:
        return
    known = config["task"].get("labels", {}).get("names", ())
    now = _classes_of(source)
    changes = _changes("class", "classes", known, now) if now else []
    is_same_classes = not changes
    changes += _changes("file", "files", learned.get("files", ()), file_names(source))
    changes = changes or _lines_that_differ(learned.get("described", ()), source.describe())
    found = "; ".join(changes) or "the same names with other contents"
    place = shlex.quote(str(config["data"]))
    hint = f"put it back as it was, or train again: samoyed train {place} --out NEW"
    if is_same_classes:
        hint += f"; {_as_it_is(run, place)}"
    raise ChangedData(config["data"], _as_it_was(run), found, hint)


def no_longer_usable(
    run: Path, config: Mapping[str, Any], error: DataError, can_be_scored: bool
) -> ChangedData:
    """Return the error for data that a run learned from, and that cannot be opened any more.

    Args:
        run: the run folder.
        config: its config.json.
        error: what opening the data raised; what it says to do is kept.
        can_be_scored: whether the run can be scored on what is left.
    """
    place = str(config["data"])
    where = "" if error.place == place else f" ({error.place})"
    hint = f"Put it back as it was. {error.hint}"
    if can_be_scored:
        hint = f"Put it back as it was; {_as_it_is(run, shlex.quote(place))}"
    return ChangedData(place, _as_it_was(run), f"{error.found}{where}", hint)


def _as_it_was(run: Path) -> str:
    return f"the data as it was when {run} learned from it"


def _as_it_is(run: Path, place: str) -> str:
    return f"to score the run on it as it is now: samoyed evaluate {run} {place}"


def _classes_of(source: Any) -> Sequence[str]:
    return source.labels.names if source.kind in ("images", "labelled_text") else ()


def _changes(one: str, many: str, before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Say which names are new and which are gone.

    >>> _changes("class", "classes", ["a", "b"], ["b", "c", "d"])
    ['new classes: c, d', 'a class that is gone: a']
    """
    if not before:
        return []
    then, here = set(before), set(now)
    new = [name for name in now if name not in then]
    gone = [name for name in before if name not in here]
    said = []
    if new:
        said.append(f"{f'a new {one}' if len(new) == 1 else f'new {many}'}: {_some(new)}")
    if gone:
        head = f"a {one} that is gone" if len(gone) == 1 else f"{many} that are gone"
        said.append(f"{head}: {_some(gone)}")
    return said


def _some(names: Sequence[str]) -> str:
    return first_names(names, most=_NUM_NAMED)


def _lines_that_differ(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Show what was found then, and now, where the two differ."""
    words = [(_plain(old), _plain(new)) for old, new in zip(before, now, strict=False)]
    return [f"“{new}”, then “{old}”" for old, new in words if old != new][:2]


def _plain(line: str) -> str:
    return " ".join(line.split())
