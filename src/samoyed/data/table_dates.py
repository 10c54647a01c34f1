"""Dates in a table: the ways they are written, and the days they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from samoyed.data.table_numbers import fewest

DATE_FORMS = (
    "iso", "%Y-%m", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p",
    "%d-%m-%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
    "%d %B %Y", "%B %d, %Y", "%m/%d/%y", "%m/%d/%y %H:%M", "%d/%m/%y", "%d/%m/%y %H:%M",
    "%d.%m.%y", "%d.%m.%y %H:%M", "%d-%b-%y",
)  # fmt: skip
"""As Python spells them; of two that fit all values the earlier is taken."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?$")
_MAYBE_DATE = re.compile(r"([A-Za-z]{3,9}|\d{1,4})[-/. ]")
_SPELLED = {
    "%Y": "year", "%y": "year in two digits", "%m": "month", "%d": "day", "%b": "month's name",
    "%B": "month's name", "%H": "hour", "%I": "hour", "%M": "minute", "%S": "second",
    "%p": "AM or PM",
}  # fmt: skip


def as_days(cell: str, form: str) -> float | None:
    """Return the days since 1970 that a date says, or None where it is none.

    >>> as_days("1970-01-02", "iso"), as_days("2.1.1970", "%d.%m.%Y"), as_days("x", "iso")
    (1.0, 1.0, None)
    >>> as_days("1970-01-02 12:00:00 UTC", "iso"), as_days("1970-02", "%Y-%m")
    (1.5, 31.0)
    """
    cell = cell.removesuffix(" UTC")
    try:
        if form == "iso":
            if not _ISO.match(cell):
                return None
            moment = datetime.fromisoformat(cell)
        else:
            moment = datetime.strptime(cell, form)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.timestamp() / 86_400


def date_form(values: Mapping[str, int]) -> str:
    """Return the format in which all values are dates, or nearly all of many; else nothing.

    A format that fits all goes before one that fits nearly all.
    """
    first = next(iter(values))
    if not _MAYBE_DATE.match(first) or not any(c.isdigit() for c in first):
        return ""
    total = sum(values.values())
    best, best_missed = "", total - fewest(total)
    for form in DATE_FORMS:
        missed = 0
        for value, num in values.items():
            missed += num if as_days(value, form) is None else 0
            if missed > best_missed or (best and missed == best_missed):
                break
        else:
            best, best_missed = form, missed
            if not missed:
                break
    return best


def exchanged(form: str, values: Iterable[str]) -> str:
    """Return the format with day and month exchanged where all values fit that one as well.

    >>> exchanged("%m/%d/%Y", ["1/2/2020"]), exchanged("%m/%d/%Y", ["1/31/2020"])
    ('%d/%m/%Y', '')
    """
    other = form.replace("%m/%d", "%d/%m")
    fits = other != form and all(as_days(value, other) is not None for value in values)
    return other if fits else ""


def spelled(form: str) -> str:
    """Say a format in words.

    >>> spelled("iso"), spelled("%d.%m.%Y %H:%M"), spelled("%B %d, %Y")
    ('year-month-day', 'day.month.year hour:minute', "month's name day, year")
    """
    if form == "iso":
        return "year-month-day"
    return re.sub("%.", lambda match: _SPELLED[match[0]], form)
