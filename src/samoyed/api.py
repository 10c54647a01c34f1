"""What `import samoyed` gives: train, check, load, export."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samoyed.catalog import choose
from samoyed.core.errors import DataError, RunError, SamoyedError, Undirected
from samoyed.core.spec import OnBad
from samoyed.core.stopping import stoppable
from samoyed.data.pair_files import PairAsk
from samoyed.data.tables import TableAsk, scan_unasked
from samoyed.data.tagged_columns import LEFT_OUT
from samoyed.opening import is_unasked_table, open_source, question_of
from samoyed.runs.conducting import check_numbers, describe_plan, prepare
from samoyed.runs.descending import descend
from samoyed.runs.finishing import finish, in_line
from samoyed.runs.folder import RunFolder
from samoyed.runs.request import Request
from samoyed.runs.run import Run
from samoyed.training import distribution

if TYPE_CHECKING:
    from samoyed.serving.asking import ExportedModel
    from samoyed.serving.exporting import Exported

MOST_LISTED = 20  # problems that `check` names
_DIRECTED = "sentence pairs need to be told which side is translated into which: --from and --to"
EXPORTED_SUFFIXES = (".onnx", ".pt2")


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
    target: str | int | None = None,
    test: str | Path | None = None,
    input: str | None = None,
    settings: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Run:
    """Learn a model from raw data, measure it, and write everything to a run folder.

    The same call again resumes a stopped run or returns the finished one; a longer one extends it.

    Args:
        data: a folder or file, a Gymnasium id, or a built-in sample or world.
        task: the question; the data decides by default.
        model: the system; the default is what does best in the time.
        size: one of the system's sizes.
        minutes: how long to train.
        epochs: passes through the data in the last stage; not together with `minutes`.
        out: the run folder; by default `runs/<data>`, with the task and the system where asked.
        init: a run whose weights to begin with.
        seed: of the initial weights and the order of examples.
        precision: auto, float32 or bfloat16.
        device: auto, cpu or cuda.
        on_bad: stop at the first bad file, or skip and list them.
        fresh: start over, dropping what the run folder holds.
        target: of a table: the column to learn, by name or number from 1; several with commas.
        test: of a table: the official test file; without it a fifth of the rows is held out.
        input: of a table: the columns to learn from, or "all but NAMES".
        settings: any other dial by name, as `--set` takes them; of pairs also `from` and `to`.
        quiet: print nothing. It, `precision` and `device` may stand in `settings` too.

    Returns:
        The finished run.

    Raises:
        SamoyedError: for anything wrong with the data or the options.
        Interrupted: when stopped by a signal; everything is saved.
    """
    settings = {"precision": precision, "device": device, "quiet": quiet, **(settings or {})}
    precision, device, quiet = (settings.pop(name) for name in ("precision", "device", "quiet"))
    request = Request(
        str(data), task, model, size, minutes, epochs, seed, precision, device, on_bad,
        _words(init), _words(target), _words(test), _words(input), tuple(sorted(settings.items())),
    )  # fmt: skip
    check_numbers(request)
    distribution.join_if_launched()
    say: Callable[[str], None] = _silent if quiet or distribution.rank() > 0 else print
    folder = RunFolder(Path(out) if out is not None else _default_folder(request))
    is_first = distribution.rank() == 0
    with stoppable(folder.forget_unbegun) as stop, _held(folder, is_first):
        stop.doing = "reading the data and planning"
        if not is_first:
            distribution.wait_for_all()  # until the first process has written the plan
        prepared = prepare(request, folder, say, is_fresh=fresh and is_first)
        if is_first:
            distribution.wait_for_all()
        if folder.is_finished and prepared.is_trained:
            return _finished_before(folder, say)
        say(describe_plan(prepared))
        stop.doing = "training"
        prepared, seconds = descend(prepared, stop, say, is_quiet=quiet)
        stop.doing = "scoring and writing the report"
        if is_first:
            finish(prepared, seconds, say)
        distribution.wait_for_all()
    return Run(folder.path)


def _longer(request: Mapping[str, Any]) -> str:
    """Say how a finished run learns longer: by more of what it was given.

    >>> _longer({"minutes": 2.0, "epochs": None})
    'more --minutes extends it, --fresh starts over'
    """
    for option in ("minutes", "epochs"):
        if request[option] is not None:
            return f"more --{option} extends it, --fresh starts over"
    return "to learn longer, start over: --fresh with --minutes or --epochs"


def _finished_before(folder: RunFolder, say: Callable[[str], None]) -> Run:
    """Say that there is nothing left to do, and the scores."""
    run = Run(folder.path)
    say(f"already finished: {folder.path}; {_longer(run.config['request'])}")
    for score in run.scores:
        say("  " + in_line(score))
    return run


def check(
    data: str | Path = "digits",
    *,
    on_bad: OnBad = "stop",
    task: str | None = None,
    target: str | int | None = None,
    test: str | Path | None = None,
    input: str | None = None,
    source: str | None = None,
    into: str | None = None,
) -> list[str]:
    """Look at the data as `train` would, every example of it, and train nothing.

    Args:
        data: as for `train`.
        on_bad: stop at the first bad file or row, or skip and list them.
        task: as for `train`.
        target: of a table: the column to learn; without it the columns are listed.
        test: of a table: the official test file.
        input: of a table: the columns to learn from.
        source: of sentence pairs: the language to translate from.
        into: of sentence pairs: the language to translate into.

    Returns:
        What was found, line by line; warnings begin with "warning:".

    Raises:
        DataError: when the data cannot be used; it lists everything that is bad.
    """
    ask = TableAsk(_words(target), _words(test), _words(input), task)
    if is_unasked_table(str(data), ask) and not (source or into):
        return scan_unasked(Path(data).expanduser(), on_bad=on_bad)
    pairs = PairAsk(source, into)
    about_text = Request(str(data), task).about_text
    open_as = partial(open_source, str(data), ask=ask, about_text=about_text, pairs=pairs)
    said = "".join(f" --{o} {shlex.quote(v)}" for o, v in (("from", source), ("to", into)) if v)
    commands = [f"samoyed train {shlex.quote(str(data))}{said}"]
    sides: list[str] = []
    try:
        found = _opened(open_as, on_bad)
    except Undirected as unsaid:
        sides, commands = [f"side: {side}" for side in unsaid.sides], [*unsaid.commands]
        if len(unsaid.known) > 2:
            return [*sides, _DIRECTED, *_to_train(commands, ask, on_bad)]
        one, two = unsaid.known
        found = _opened(partial(open_as, pairs=PairAsk(one, two)), on_bad)
    asked = question_of(found, task)
    row, why = choose(found.kind, asked, None)
    problems = found.verify()
    if problems and on_bad == "stop":
        raise _bad(found.path, problems)
    return [
        *sides,
        *found.describe(),
        *[f"warning: {warning}" for warning in found.warnings],
        *[f"skipped: {line}" for line in _most([*found.skipped, *problems])],
        f"task: {(asked or row.asked).replace('_', ' ')}; model: {why}",
        *([f"{_DIRECTED}; above, the first was taken"] if sides else []),
        *_to_train(commands, ask, on_bad),
    ]


def load(run: str | Path) -> Run:
    """Open a finished run.

    Raises:
        RunError: when there is none.
    """
    if is_exported(run):
        raise RunError(
            run, "a run folder", "an exported file",
            f"samoyed predict {run} asks it; from Python, samoyed.load_exported({str(run)!r})",
        )  # fmt: skip
    found = Run(Path(run))
    _ = found.config
    return found


def export(
    run: Run | str | Path, to: str = "onnx", out: str | Path | None = None, *, int8: bool = False
) -> Exported:
    """Write a run as one file that answers without samoyed, and compare its answers.

    Args:
        run: a finished run about pictures, tables or word vectors, or its folder.
        to: "onnx", "torch" for a `torch.export` program, or "word2vec" for word vectors.
        out: the file; by default the run's name with `.onnx`, `.pt2` or `.txt`, beside the run
            folder.
        int8: also write 8-bit weights and activations, and measure what they cost and bring.

    Returns:
        Where it was written, the largest difference to the run's own answers, and what was found.

    Raises:
        SamoyedError: for a run, an option or a package that is missing, or answers that differ.
    """
    from samoyed.serving.exporting import export as write

    return write(run if isinstance(run, Run) else load(run), to, out, is_int8=int8)


def load_exported(path: str | Path) -> ExportedModel:
    """Open a file that `export` wrote, to ask it with `predict`.

    Raises:
        DataError: for a file that is missing or not ours.
        MissingExtra: when onnxruntime is not installed.
    """
    from samoyed.serving.asking import load_exported as load_file

    return load_file(path)


def is_exported(path: str | Path) -> bool:
    """Tell by its name whether this is a file that `export` writes, and no run folder."""
    return Path(path).suffix.lower() in EXPORTED_SUFFIXES and not Path(path).is_dir()


@contextmanager
def _held(folder: RunFolder, is_first: bool) -> Iterator[None]:
    """Hold the run folder; where several processes train together, the first one does."""
    if not is_first:
        yield
        return
    folder.prepare()
    with folder.locked():
        try:
            yield
        finally:
            folder.forget_unbegun()


def _words(value: str | Path | int | None) -> str | None:
    """Write an option as the command line would."""
    return None if value is None else str(value)


def _to_train(commands: list[str], ask: TableAsk, on_bad: OnBad) -> list[str]:
    """Write commands of `train`, of which one is to be chosen, with what was said to `check`."""
    leads = ["to train:", *["      or:"] * (len(commands) - 1)]
    told = _options(ask, on_bad)
    return [f"{lead} {command}{told}" for lead, command in zip(leads, commands, strict=True)]


def _options(ask: TableAsk, on_bad: OnBad) -> str:
    """Write what was said to `check` as options of `train`."""
    said = {"target": ask.target, "test": ask.test, "input": ask.input, "task": ask.task}
    said["on-bad"] = on_bad if on_bad != "stop" else None
    return "".join(f" --{k} {shlex.quote(v)}" for k, v in said.items() if v is not None)


def _default_folder(request: Request) -> Path:
    name = Path(request.data).name or "data"
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    asked = (word for word in (request.task, request.model) if word)
    return Path("runs") / "-".join((safe, *asked))


def _opened(open_as: Callable[..., Any], on_bad: OnBad) -> Any:
    """Open the data, or raise for everything that is bad, where the rest can be used.

    Args:
        open_as: looks at it with an `on_bad`.
        on_bad: stop at what is bad, or skip it.

    Raises:
        DataError: for all that is bad, or for the first where nothing can be used.
    """
    try:
        return open_as(on_bad=on_bad)
    except DataError as first:
        try:
            found = open_as(on_bad="skip")
            problems = [*found.skipped, *found.verify()]
        except SamoyedError:
            problems = []
        raise (_bad(found.path, problems) if len(problems) > 1 else first) from None


def _bad(path: str, problems: list[str]) -> DataError:
    """Return the error for what is bad, at which `train` stops too, so that nothing is left out."""
    what = "their sentences" if any(line.endswith(LEFT_OUT) for line in problems) else "them"
    problems = [line.removesuffix(LEFT_OUT) for line in problems]
    if len(problems) == 1:
        first, _, reason = problems[0].partition(": ")
        return DataError(first, "a readable file", reason, "mend it, or use --on-bad skip")
    lines = [f"{len(problems):,} problems:", *_most(problems)]
    return DataError(
        path, "nothing that is bad", "\n    ".join(lines),
        f"mend them: train stops, unless it is given --on-bad skip, which leaves {what} out",
    )  # fmt: skip


def _most(lines: list[str]) -> list[str]:
    """Return the first lines and, where there are more, how many.

    >>> _most([str(k) for k in range(23)])[-2:]
    ['19', '... and 3 more']
    """
    rest = len(lines) - MOST_LISTED
    return lines if rest <= 0 else [*lines[:MOST_LISTED], f"... and {rest:,} more"]


def _silent(line: str) -> None:
    """Say nothing."""
