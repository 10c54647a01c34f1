"""Every error samoyed raises on purpose.

* SamoyedError            anything a user can cause; the command line prints it and exits with 2
  * DataError             the data is not what it should be
    * SomeUnreadable      some inputs cannot be read; it knows those that can
  * OptionError           an option, a `--set` key or an argument is not what it should be
    * Undirected          nobody said which language of sentence pairs is translated into which
  * RunError              a run folder cannot be read, resumed or extended
    * ChangedData         the data of a run is no longer what it learned from
  * MissingExtra          an optional dependency is not installed
  * Diverged              training produced a loss that is not a number
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


class SamoyedError(Exception):
    """Say where, what was expected, what was found and what to do.

    Args:
        place: file, `file:line`, field or option.
        expected: what a correct input looks like.
        found: what is there instead.
        hint: what the user can do about it; a whole sentence or a command.
    """

    def __init__(self, place: str | Path, expected: str, found: str, hint: str = "") -> None:
        self.place = str(place)
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(self.__str__())

    def __str__(self) -> str:
        lines = [self.place, f"  expected: {self.expected}", f"  found:    {self.found}"]
        if self.hint:
            lines.append(f"  to do:    {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (self.place, self.expected, self.found, self.hint)


class DataError(SamoyedError):
    """The data is not what it should be."""


class SomeUnreadable(DataError):
    """Some of the inputs that a question is about cannot be read.

    Args:
        error: that names the first, and the others after it.
        each: one line about each of them, "file: reason".
        others: the inputs that can be read.
    """

    def __init__(self, error: DataError, each: Sequence[str], others: Sequence[str]) -> None:
        super().__init__(error.place, error.expected, error.found, error.hint)
        self.each, self.others = tuple(each), tuple(others)

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return DataError, (self.place, self.expected, self.found, self.hint)


class OptionError(SamoyedError):
    """An option, a `--set` key or an argument is not what it should be."""


class Undirected(OptionError):
    """Nobody said which language of sentence pairs is translated into which.

    Args:
        known: the languages, columns or fields that pairs can be made of, two or more.
        sides: what each of them is, in words.
        commands: that say it, one for each direction.
    """

    def __init__(self, known: Sequence[str], sides: Sequence[str], commands: Sequence[str]) -> None:
        super().__init__(
            "--from and --to", "the language to translate from and the one to translate into",
            f"neither; the sides: {'; '.join(sides)}", "\n            or ".join(commands),
        )  # fmt: skip
        self.known, self.sides, self.commands = tuple(known), tuple(sides), tuple(commands)

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return OptionError, (self.place, self.expected, self.found, self.hint)


class RunError(SamoyedError):
    """A run folder cannot be read, resumed or extended."""


class ChangedData(RunError):
    """The data of a run is no longer what it learned from."""


class MissingExtra(SamoyedError):
    """An optional dependency is not installed."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtra:
        """Name the package, what needs it and the exact install line."""
        return cls(
            package, f"{package} installed, for {purpose}", "not installed",
            f"pip install 'samoyed-dl[{extra}]'",
        )  # fmt: skip


class Diverged(SamoyedError):
    """Training produced a loss that is not a number."""


def did_you_mean(word: str, known: Iterable[str], *, least: float = 0.5) -> str:
    """Return " Did you mean 'x'?" for the nearest known word, or an empty string.

    Args:
        word: what was said.
        known: what could be meant.
        least: how alike they are at least, 1 for the same.

    >>> did_you_mean("lenet", ["lenet5", "lstm"])
    " Did you mean 'lenet5'?"
    >>> did_you_mean("hiden", ["num_hidden_units", "seed"])  # as a word inside the name
    " Did you mean 'num_hidden_units'?"
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=least)
    inside = {part: name for name in reversed(names) for part in name.split("_") if len(part) > 3}
    part = difflib.get_close_matches(word, list(inside), n=1, cutoff=0.8)
    if part and (not near or _likeness(word, near[0]) < 0.8 * _likeness(word, part[0])):
        near = [inside[part[0]]]
    return f" Did you mean '{near[0]}'?" if near else ""


def misspelt(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for a name in data that is nearly a known one, or nothing.

    Names in data may be alike and meant all the same, as `B-ORG` and `B-LOC` are, or `cat 1` and
    `cat 2`: only case, two letters exchanged or one too many are taken for a slip.

    >>> misspelt("Cat", ["cat"]), misspelt("rsoe", ["rose"])
    (" Did you mean 'cat'?", " Did you mean 'rose'?")
    >>> misspelt("B-ORG", ["B-LOC"]), misspelt("class 3", ["class 1", "class 2"])
    ('', '')
    """
    slips = [other for other in known if other != name and _is_slip(name.lower(), other.lower())]
    best = max(slips, key=lambda other: _likeness(name, other), default=None)
    return "" if best is None else f" Did you mean '{best}'?"


def _is_slip(one: str, other: str) -> bool:
    """Tell whether two names, in small letters, differ by what happens in typing."""
    short, long = sorted((one, other), key=len)
    if one == other:
        return True
    if len(long) == len(short) + 1:  # a letter too many, but no first one: asymmetric is meant
        return any(
            long[:k] + long[k + 1 :] == short and long[k].isalpha() for k in range(1, len(long))
        )
    differing = [k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    is_exchanged = len(differing) == 2 and differing[1] == differing[0] + 1
    return is_exchanged and sorted(one) == sorted(other)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def first_of(reasons: Sequence[str]) -> str:
    """Name the first reason and say how many more there are; each may be about several things.

    >>> first_of(["a.txt:2: no text", "a.txt:7: no text"]), first_of(["a.txt:2: no text"])
    ('a.txt:2: no text, and 1 more', 'a.txt:2: no text')
    """
    more = f", and {len(reasons) - 1:,} more" if len(reasons) > 1 else ""
    return reasons[0] + more


def first_names(names: Sequence[str], most: int = 10) -> str:
    """List the first names and say how many more there are.

    >>> first_names(("daisy", "rose", "tulip"), most=2)
    'daisy, rose and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
