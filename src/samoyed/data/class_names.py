"""What the names of classes say of mistakes in them."""

from __future__ import annotations

from collections.abc import Iterable

from samoyed.core.errors import first_names


def alike(names: Iterable[str]) -> list[str]:
    """Warn of classes whose names differ in nothing but case or spaces.

    >>> alike(["pos", "neg", "Pos"])
    ["classes whose names differ in case or spaces alone: 'Pos' and 'pos'; if they are the same \
class, give them one name"]
    >>> alike(["pos", "neg"])
    []
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(" ".join(name.split()).casefold(), []).append(name)
    same = [" and ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    if not same:
        return []
    return [
        f"classes whose names differ in case or spaces alone: {first_names(same)}; if they are the "
        "same class, give them one name"
    ]
