"""samoyed: a deep-learning system. Point it at raw data; question what it learned.

>>> import samoyed
>>> run = samoyed.train("photos/", minutes=5)   # doctest: +SKIP
>>> run.scores; run.predict("dog.jpg")          # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from samoyed.api import check, export, load, load_exported, train
    from samoyed.core.errors import (
        DataError,
        Diverged,
        MissingExtra,
        OptionError,
        RunError,
        SamoyedError,
    )
    from samoyed.core.reference import Answer, Score
    from samoyed.runs.run import Run

_HOMES = {
    "train": "samoyed.api",
    "check": "samoyed.api",
    "load": "samoyed.api",
    "load_exported": "samoyed.api",
    "export": "samoyed.api",
    "Run": "samoyed.runs.run",
    "Answer": "samoyed.core.reference",
    "Score": "samoyed.core.reference",
    "SamoyedError": "samoyed.core.errors",
    "DataError": "samoyed.core.errors",
    "OptionError": "samoyed.core.errors",
    "RunError": "samoyed.core.errors",
    "MissingExtra": "samoyed.core.errors",
    "Diverged": "samoyed.core.errors",
}

__all__ = [
    "Answer",
    "DataError",
    "Diverged",
    "MissingExtra",
    "OptionError",
    "Run",
    "RunError",
    "SamoyedError",
    "Score",
    "check",
    "export",
    "load",
    "load_exported",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import samoyed` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'samoyed' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
