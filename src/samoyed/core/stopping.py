"""Ctrl-C and SIGTERM: at once where nothing is lost by it, after the step under way in training.

Everything in a run folder is written atomically, so outside the steps of training a process may
stop at any moment. The command line then leaves without unwinding: an error raised at any moment
would end as a traceback wherever foreign code catches it, as in the middle of an import. In a
program that only uses the library, `Interrupted` is raised instead.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GOES_ON = "everything is saved; the same command goes on"


class Interrupted(KeyboardInterrupt):
    """A signal stopped the work. Not an Exception: nothing that catches those may swallow it.

    Args:
        number: of the signal.
        said: what was stopped and what comes of it.
    """

    def __init__(self, number: int, said: str) -> None:
        self.number = number
        super().__init__(said)


@dataclass
class StopRequest:
    """What a signal does, depending on what is under way.

    Args:
        doing: what is under way, in words after "while"; or nothing.
        is_kept: whether the same command goes on where this one stops.
        is_training: whether the step under way is to be finished and saved first.
        is_program: whether the process is ours, to end at once.
        leave: what to tidy up before.
        number: the signal that has asked to stop, or 0.
    """

    doing: str = ""
    is_kept: bool = False
    is_training: bool = False
    is_program: bool = False
    leave: Callable[[], None] | None = None
    number: int = 0

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Stop at once or, the first time in training, after the step under way."""
        if self.is_training and not self.number:
            self.number = number
            tell("stopping: the step under way is finished and saved; once more stops at once")
            return
        self.number = number
        stopped = Interrupted(number, self.said())
        if not self.is_program:
            raise stopped
        if self.leave is not None:
            with suppress(OSError):
                self.leave()
        with suppress(OSError, RuntimeError, ValueError):  # closed, or in the middle of a print
            sys.stdout.flush()
        tell(str(stopped))
        os._exit(128 + number)

    def said(self) -> str:
        """Say what is being stopped and what comes of it.

        >>> StopRequest("reading", is_kept=True).said()
        'stopped while reading; everything is saved; the same command goes on'
        """
        while_doing = f" while {self.doing}" if self.doing else ""
        return f"stopped{while_doing}" + (f"; {GOES_ON}" if self.is_kept else "")


def tell(line: str) -> None:
    """Write a line to the standard error, past Python's buffers, which may be in use."""
    with suppress(OSError):
        shown = f"\x1b[?25h\n{line}\n" if os.isatty(2) else f"{line}\n"  # a bar hides the cursor
        os.write(2, shown.encode())


def take_over(request: StopRequest) -> None:
    """Let the request of a program of ours receive the signals until its process ends."""
    if request.is_program:
        for number in SIGNALS:
            signal.signal(number, request.receive)


@contextmanager
def receiving(request: StopRequest) -> Iterator[None]:
    """Let the request receive SIGINT and SIGTERM; in all but the main thread, nothing changes."""
    try:
        before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stoppable(leave: Callable[[], None] | None = None) -> Iterator[StopRequest]:
    """Give what is told of the work that is under way: the command line's request, or a new one.

    Args:
        leave: what to tidy up where the process ends at once.
    """
    request = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    if not isinstance(request, StopRequest):
        request = StopRequest(is_kept=True)
        with receiving(request):
            yield request
        return
    before = request.doing, request.is_kept, request.leave
    request.is_kept, request.leave = True, leave
    try:
        yield request
    finally:
        request.doing, request.is_kept, request.leave = before
