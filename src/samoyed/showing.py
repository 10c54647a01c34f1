"""What `samoyed models` and `samoyed doctor` say, and how answers are written."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from samoyed.catalog import METHODS, ROWS, find
from samoyed.core.errors import SomeUnreadable
from samoyed.core.reference import Answer
from samoyed.core.settings import dials
from samoyed.kinds.tasks import TASKS
from samoyed.row import Row

EXTRAS = {
    "text": ("sacrebleu", "scores of translations"),
    "play": ("gymnasium", "worlds from Gymnasium"),
    "export": ("onnxruntime", "files that answer without samoyed"),
    "tabular": ("polars", "Parquet files"),
    "map": ("openTSNE", "larger maps of words and pictures, sooner"),
    "molecules": ("rdkit", "molecules written as SMILES"),
}


def answers_of_readable(
    ask: Callable[[Sequence[str]], list[Answer]], asked: Sequence[str]
) -> Iterator[Answer]:
    """Yield the answers; where some inputs cannot be read, those to the others, and end with 1.

    Raises:
        SamoyedError: when none of them can be read, or for anything else.
        SystemExit: after the answers, when some could not be read; each is named by then.
    """
    unreadable: tuple[str, ...] = ()
    try:
        answers = ask(asked)
    except SomeUnreadable as error:
        answers, unreadable = ask(error.others), error.each
    yield from answers
    for line in unreadable:
        print(f"error: {line}", file=sys.stderr)
    if unreadable:
        raise SystemExit(1)


def show_models(name: str | None, *, is_json: bool = False) -> list[str]:
    """List the canon, or show one system.

    Raises:
        OptionError: for a system that does not exist.
    """
    if name is not None:
        row = find(name, rows=(*ROWS, *METHODS))
        return [json.dumps(_as_json(row))] if is_json else list(_one(row))
    if is_json:
        return [json.dumps([_as_json(row) for row in (*ROWS, *METHODS)])]
    every = (*ROWS, *METHODS)
    width = max(len(row.name) for row in every)
    lines = [
        f"{row.name.ljust(width)}  {row.reference.year}  {row.given}: {row.summary}"
        for row in every
    ]
    return [*lines, "samoyed models NAME shows one: paper, sizes, dials, evidence"]


def _one(row: Row) -> Iterator[str]:
    reference = row.reference
    yield f"{row.name}: {row.summary}"
    if row.aliases:
        yield f"  also      --model {', '.join(row.aliases)}"
    yield f"  paper     {reference}"
    if reference.url:
        yield f"            {reference.url}"
    if reference.review is not None:
        yield f"  review    reference {reference.review}, section {row.section}"
    else:
        yield f"  review    section {row.section}"
    kinds = " or ".join((row.given, *row.also_given))
    yield f"  given     {kinds}, to {row.asked.replace('_', ' ')}"
    if row.has_sizes:
        yield f"  sizes     {', '.join(row.sizes)}"
    yield "  dials     (--set key=value)" if row.given != "vectors" else "  dials"
    for key, value in {**row.dials, **_task_dials(row)}.items():
        yield f"            {key} = {value}"
    yield "  evidence"
    rows = evidence_of(row.name)
    for claim in rows:
        yield f"            {claim['statement']}: {claim['ours']} ({claim['status']})"
    if not rows:
        yield "            none measured here; samoyed verify --claims measures it"


def _task_dials(row: Row) -> dict[str, Any]:
    """Return what may be set of the question that a system answers by default."""
    asked = "classify_table" if (row.given, row.asked) == ("table", "classify") else row.asked
    if asked not in TASKS:
        return {}
    module, name = TASKS[asked]
    return dials(getattr(import_module(module), name))


def _as_json(row: Row) -> dict[str, Any]:
    reference = row.reference
    return {
        "name": row.name, "aliases": list(row.aliases), "summary": row.summary,
        "given": row.given, "asked": row.asked,
        "section": row.section, "reference": reference.__dict__, "sizes": list(row.sizes),
        "evidence": evidence_of(row.name),
    }  # fmt: skip


def evidence_folder() -> Path | None:
    """Return where the evidence is: beside the package when installed, else in the checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "evidence", here.parents[1] / "evidence"):
        if folder.is_dir():
            return folder
    return None


def evidence_of(name: str) -> list[dict[str, Any]]:
    """Return the measured claims of a system."""
    folder = evidence_folder()
    if folder is None or not (folder / f"{name}.json").exists():
        return []
    return json.loads((folder / f"{name}.json").read_text())["claims"]


def examine() -> list[str]:
    """Say what this machine can do."""
    import torch

    from samoyed.data.cache import cache_folder
    from samoyed.runs.environment import environment, version_of

    found = environment()
    lines = [
        f"samoyed    {found['samoyed']}" + (f" at {found['commit']}" if found["commit"] else ""),
        f"python     {found['python']} on {found['system']}",
        f"processor  {found['processor']}, {found['num_cores']} cores, "
        f"{found['num_threads']} threads, {found['memory_gib']} GiB",
        f"gpu        {found['gpu'] or 'none'}",
        f"packages   {', '.join(f'{k} {v}' for k, v in found['packages'].items())}",
    ]
    for number in (torch.float32, torch.bfloat16):
        name = str(number).removeprefix("torch.")
        lines.append(f"{name:<11}{matrix_product_gflops(number):.0f} GFLOP/s in a matrix product")
    used = "bfloat16" if found["has_bfloat16"] or found["gpu"] else "float32"
    lines.append(f"precision  auto means {used} here")
    for extra, (package, purpose) in EXTRAS.items():
        version = version_of(package)
        state = version or f"not installed: pip install 'samoyed-dl[{extra}]'"
        lines.append(f"extra      {extra} ({purpose}): {state}")
    cache = cache_folder()
    lines.append(f"cache      {cache}, {_size_mib(cache):.0f} MiB used, "
                 f"{_free_gib(cache):.1f} GiB free")  # fmt: skip
    return lines


def matrix_product_gflops(number: Any, side: int = 1024, seconds: float = 0.4) -> float:
    """Measure the speed of a square matrix product: the ceiling of everything here."""
    import torch

    a = torch.randn(side, side).to(number)
    a @ a
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        before = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - before)
    return 2 * side**3 / sorted(times)[len(times) // 2] / 1e9


def _size_mib(folder: Path) -> float:
    files = folder.rglob("*") if folder.is_dir() else []
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def _free_gib(folder: Path) -> float:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 2**30


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON values."""
    row = {"input": answer.input, "answer": answer.answer, "probability": answer.probability}
    others = {name: value for name, value in answer.details if name not in row}
    hidden = {name: value for name, value in answer.details if name in row}
    return {**row, **others, **({"details": hidden} if hidden else {})}


def _unfolded(details: tuple[tuple[str, Any], ...]) -> Iterator[tuple[str, Any]]:
    """Yield each detail; of those by name, each name."""
    for name, value in details:
        yield from value.items() if isinstance(value, dict) else ((name, value),)


def _detail(name: str, value: float | str) -> str:
    """Write one detail of an answer."""
    if isinstance(value, float):
        return f"{name} {value:.3f}"
    return f"{name}: {value}" if name == "note" else f"{name} {value}"


def answer_in_line(answer: Answer) -> str:
    """Return an answer as one line of a table."""
    parts = [answer.input, answer.answer]
    if answer.probability is not None:
        parts.append(f"{answer.probability:.3f}")
    details = ", ".join(
        _detail(name, value) for name, value in _unfolded(answer.details) if name != "value"
    )  # which is the answer itself, as a number
    return "\t".join([part for part in parts if part] + ([details] if details else []))
