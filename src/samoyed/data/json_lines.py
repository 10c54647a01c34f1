"""One line of JSON lines: what it holds, or what is wrong with it."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF = re.compile(r"[\ud800-\udfff]")


def parse(line: str) -> Any:
    r"""Return what a line of JSON holds.

    Raises:
        ValueError: for what is no JSON, a name that is given twice in an object, and half a
            surrogate pair, which is no character.

    >>> parse('{"text": "a"}')
    {'text': 'a'}
    """
    try:
        found = json.loads(line, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        is_open = line.strip() in ("[", "[{", "{")
        reason = "the beginning of a value of several lines" if is_open else str(error)
        raise ValueError(reason.split(": line")[0]) from None
    if "\\u" in line and (half := _HALF.search(json.dumps(found, ensure_ascii=False))):
        raise ValueError(f"\\u{ord(half[0]):x}, half of a surrogate pair and no character")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for k, (name, _) in enumerate(pairs) if name in dict(pairs[:k]))
        raise ValueError(f"the name {twice!r} is given twice in one object")
    return found
