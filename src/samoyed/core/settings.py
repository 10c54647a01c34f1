"""`--set key=value`: which dials exist, and validated new values for them."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from samoyed.core.errors import OptionError, did_you_mean


def parse(pairs: Sequence[str]) -> dict[str, Any]:
    """Turn ["key=value", ...] into a dictionary; a value is JSON where it can be, else text.

    >>> parse(["hidden_size=128", "optimizer=sgd"])
    {'hidden_size': 128, 'optimizer': 'sgd'}

    Raises:
        OptionError: for a pair without "=" or a key given twice.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise OptionError("--set", "key=value", repr(pair))
        key = key.strip().replace("-", "_")
        if key in settings:
            raise OptionError("--set", "each key once", f"{key} twice")
        try:
            settings[key] = json.loads(text)
        except ValueError:
            settings[key] = text
    return settings


def apply(settings: Mapping[str, Any], groups: Sequence[Any]) -> list[Any]:
    """Return the groups (frozen dataclasses) with the settings in place of their fields.

    Args:
        settings: key -> value.
        groups: e.g. [config, recipe]; the first group that has a field of this name takes it.

    Raises:
        OptionError: for a key no group has, or a value of the wrong type.
    """
    known = [name for group in groups for name in dials(group)]
    for key in settings:
        if key not in known:
            hint = did_you_mean(key, known).strip() or "the known keys: " + ", ".join(sorted(known))
            raise OptionError(f"--set {key}", "a known key", repr(key), hint)
    taken: set[str] = set()
    changed = []
    for group in groups:
        mine = {k: v for k, v in settings.items() if k in dials(group) and k not in taken}
        taken.update(mine)
        changed.append(_with(group, mine))
    return changed


def refuse_dials(
    groups: Sequence[Any], changed: Sequence[Any], idle: Mapping[str, str]
) -> None:  # fmt: skip
    """Raise for a dial that was set to something else although it has no effect.

    Args:
        groups: what has the dials, before anything was set.
        changed: the same groups after it.
        idle: name of a dial -> why nothing comes of it.

    Raises:
        OptionError: naming the dial and the reason.
    """
    for before, after in zip(groups, changed, strict=True):
        for name, value in dials(after).items():
            if name in idle and value != getattr(before, name):
                raise OptionError(
                    f"--set {name}", f"a dial that changes something here: {idle[name]}",
                    f"{name}={value}", "leave it out",
                )  # fmt: skip


FROM_DATA = {"is_from_data": True}
"""Metadata of a field with a default that nobody sets: the data decides it."""


def dials(group: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that a user may set, with their values.

    Of the class itself these are the defaults.

    What has no default, or is marked `FROM_DATA`, is told by the data.
    """
    return {
        f.name: getattr(group, f.name)
        for f in fields(group)
        if f.init and _has_default(f) and not f.metadata.get("is_from_data")
    }


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _with(group: Any, mine: Mapping[str, Any]) -> Any:
    """Validate new values against the field types and return the changed group."""
    if not mine:
        return group
    for key, value in mine.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(f"--set {key}", "a finite number", repr(value))
    held = {f.name: getattr(group, f.name) for f in fields(group) if f.init}
    try:
        changed = _adapter(cast(Hashable, type(group))).validate_python({**held, **mine})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else next(iter(mine))
        message = first["msg"]
        raise OptionError(
            f"--set {key}", message[0].lower() + message[1:], repr(mine.get(key, mine))
        ) from None
    except ValueError as error:
        key = next(iter(mine))
        raise OptionError(f"--set {key}", str(error), repr(mine[key])) from None
    for key in mine:
        if any(isinstance(v, float) and not math.isfinite(v) for v in _flat(getattr(changed, key))):
            raise OptionError(f"--set {key}", "a finite number", repr(mine[key]))
    return changed


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    """Return what validates a dataclass: it takes milliseconds to make."""
    return TypeAdapter(cast(Any, kind))


def _flat(value: Any) -> Iterator[Any]:
    """Yield a value, or all values of a tuple and of the tuples in it."""
    if isinstance(value, tuple):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def to_json(group: Any) -> Any:
    """Return a dataclass as plain JSON values."""
    return _adapter(cast(Hashable, type(group))).dump_python(group, mode="json")


def from_json(kind: type, content: Any) -> Any:
    """Rebuild a dataclass from what `to_json` gave."""
    return _adapter(cast(Hashable, kind)).validate_python(content)
