"""What `import samoyed` gives: train, check, load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samoyed.assembly import open_source
from samoyed.catalog import choose
from samoyed.core.errors import DataError
from samoyed.core.spec import OnBad
from samoyed.runs.conducting import check_numbers, descend, describe_plan, prepare
from samoyed.runs.finishing import finish, in_line
from samoyed.runs.folder import RunFolder
from samoyed.runs.following import stoppable
from samoyed.runs.request import Request
from samoyed.runs.run import Run
from samoyed.training import distribution


def train(
    data: str | Path = "digits",
    *,
    task: str | None = None,
    model: str | None = None,
    size: str | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    out: str | Path | None = None,
    init: str | Path | None = None,
    seed: int = 0,
    precision: str = "auto",
    device: str = "auto",
    on_bad: OnBad = "stop",
    fresh: bool = False,
    settings: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Run:
    """Learn a model from raw data, measure it, and write everything to a run folder.

    The same call again resumes a run that was stopped, or returns the finished one; more epochs
    or minutes extend it.

    Args:
        data: a folder or file, a Gymnasium id, or a built-in sample or world.
        task: the question; the data decides by default.
        model: the system; the default is what does best in the time.
        size: one of the system's sizes.
        minutes: how long to train.
        epochs: passes through the data in the last stage; not together with `minutes`.
        out: the run folder; `runs/<data>-<system>` by default.
        init: a run whose weights to begin with.
        seed: of the initial weights and the order of examples.
        precision: auto, float32 or bfloat16.
        device: auto, cpu or cuda.
        on_bad: stop at the first bad file, or skip and list them.
        fresh: start over, dropping what the run folder holds.
        settings: any other dial by name, as `--set` takes them.
        quiet: print nothing.

    Returns:
        The finished run.

    Raises:
        SamoyedError: for anything wrong with the data or the options.
        Interrupted: when stopped by a signal; everything is saved.
    """
    request = Request(
        str(data), task, model, size, minutes, epochs, seed, precision, device, on_bad,
        None if init is None else str(init), tuple(sorted((settings or {}).items())),
    )  # fmt: skip
    check_numbers(request)
    distribution.join_if_launched()
    say: Callable[[str], None] = _silent if quiet or distribution.rank() > 0 else print
    folder = RunFolder(Path(out) if out is not None else _default_folder(request))
    is_first = distribution.rank() == 0
    with stoppable() as stop, _held(folder, is_first):
        if fresh and is_first:
            folder.clear()
        if not is_first:
            distribution.wait_for_all()  # until the first process has written the plan
        prepared = prepare(request, folder, say)
        if is_first:
            distribution.wait_for_all()
        if folder.is_finished and prepared.is_trained:
            say(f"already finished: {folder.path}; more --epochs extends it, --fresh starts over")
            for score in Run(folder.path).scores:
                say("  " + in_line(score))
            return Run(folder.path)
        say(describe_plan(prepared))
        seconds = descend(prepared, stop, is_quiet=quiet)
        if is_first:
            finish(prepared, seconds, say)
        distribution.wait_for_all()
    return Run(folder.path)


def check(data: str | Path = "digits", *, on_bad: OnBad = "stop") -> list[str]:
    """Look at the data as `train` would, every example of it, and train nothing.

    Returns:
        What was found, line by line; warnings begin with "warning:".

    Raises:
        DataError: when the data cannot be used.
    """
    source = open_source(str(data), on_bad=on_bad)
    row, why = choose(source.kind, None, None)
    problems = source.verify()
    if problems and on_bad == "stop":
        raise _bad(source.path, problems)
    return [
        *source.describe(),
        *[f"warning: {warning}" for warning in source.warnings],
        *[f"skipped: {line}" for line in [*source.skipped, *problems]],
        f"task: {row.asked.replace('_', ' ')}; model: {why}",
        f"to train: samoyed train {data}",
    ]


def load(run: str | Path) -> Run:
    """Open a finished run.

    Raises:
        RunError: when there is none.
    """
    found = Run(Path(run))
    _ = found.config
    return found


@contextmanager
def _held(folder: RunFolder, is_first: bool) -> Iterator[None]:
    """Hold the run folder; where several processes train together, the first one does."""
    if not is_first:
        yield
        return
    folder.prepare()
    with folder.locked():
        yield


def _default_folder(request: Request) -> Path:
    name = Path(request.data).name or "data"
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return Path("runs") / (f"{safe}-{request.model}" if request.model else safe)


def _bad(path: str, problems: list[str]) -> DataError:
    first, _, reason = problems[0].partition(": ")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return DataError(first, "a readable file", reason + more, "mend it, or use --on-bad skip")


def _silent(line: str) -> None:
    """Say nothing."""
