"""The command line, as tests meet it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from samoyed import cli


def refused_by_check(path: Path) -> str:
    """Run `samoyed check`; return its message, after making sure that it is one, with code 2."""
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit) as stopped:
        cli.main(["check", str(path)])
    assert stopped.value.code == 2
    message = said.getvalue()
    for part in ("error: ", "  expected: ", "  found:    ", "  to do:    "):
        assert message.count(part) == 1
    assert "Traceback" not in message
    return message
