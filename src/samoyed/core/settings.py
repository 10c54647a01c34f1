"""`--set key=value`: which dials exist, and validated new values for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

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


def dials(group: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that a user may set, with their values."""
    return {f.name: getattr(group, f.name) for f in fields(group) if f.init}


def _with(group: Any, mine: Mapping[str, Any]) -> Any:
    """Validate new values against the field types and return the changed group."""
    if not mine:
        return group
    try:
        return TypeAdapter(type(group)).validate_python({**dials(group), **mine})
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


def to_json(group: Any) -> Any:
    """Return a dataclass as plain JSON values."""
    return TypeAdapter(type(group)).dump_python(group, mode="json")


def from_json(kind: type, content: Any) -> Any:
    """Rebuild a dataclass from what `to_json` gave."""
    return TypeAdapter(kind).validate_python(content)
