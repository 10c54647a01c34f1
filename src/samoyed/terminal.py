"""What a terminal shows: any file name, and warnings as one line of words."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import TextIO

_PACKAGE = Path(__file__).parent


def prepare_terminal() -> None:
    """Let names that the terminal cannot show be printed as escapes, and warnings as words."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show


def _show(
    message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """Print our own warnings without the place in the program, others as Python does."""
    is_ours = Path(filename).is_relative_to(_PACKAGE)
    shown = warnings.formatwarning(message, category, filename, lineno, line)
    print(f"warning: {message}" if is_ours else shown.rstrip("\n"), file=file or sys.stderr)
