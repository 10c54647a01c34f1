"""Set runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samoyed.core.errors import OptionError
from samoyed.core.reference import Score
from samoyed.runs.drawing import Figure, bar_chart, line_chart, table
from samoyed.runs.drawing_scores import score_interval, score_words, value_text
from samoyed.runs.progress import in_words
from samoyed.runs.run import Run


def compare_runs(paths: Sequence[Path], out: Path | None = None) -> list[str]:
    """Return a table of the runs' scores; write a page with curves when `out` is given.

    Raises:
        OptionError: with fewer than two runs, or a place no page can be written to.
        RunError: when a folder holds no finished run.
    """
    if len(paths) < 2:
        raise OptionError("RUNS", "two or more run folders", str(len(paths)))
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        found = "a folder" if out.is_dir() else f"no folder {out.parent}"
        raise OptionError("--out", "a file to write the page to", found)
    runs = [Run(path) for path in paths]
    rows = [_row(run) for run in runs]
    header = ["run", "system", "headline", "95 % interval", "on", "seconds", "seed"]
    lines = _aligned([header, *rows])
    figures: list[Figure] = []
    if len({run.scores[0].name for run in runs}) > 1:
        lines.append("the runs answer different questions")
    elif len({_measured_on(run) for run in runs}) > 1:
        lines.append("the runs were measured on different data: none of them is the better one")
    else:
        lines.append(_conclusion(runs))
        if all(run.config["task"]["name"] == "translate" for run in runs):
            from samoyed.runs.comparing_translations import by_length

            told, figure = by_length(runs)
            lines += _aligned(told)
            figures = [figure]
    if out is not None:
        _write_page(out, runs, header, rows, figures)
        lines.append(f"page: {out}")
    return lines


def _row(run: Run) -> list[str]:
    score = run.scores[0]
    seconds = run.folder.read("scores.json")["training_seconds"]
    return [
        str(run.path), run.config["system"], f"{score_words(score.name)} {value_text(score)}",
        score_interval(score), f"{score.num:,}", in_words(seconds),
        str(run.config["seed"]),
    ]  # fmt: skip


def _measured_on(run: Run) -> tuple[str, str | None]:
    """Return what names the run's held-out examples: the content of the data, and the target."""
    return run.folder.read("data.json")["fingerprint"], run.config["request"].get("target")


def _conclusion(runs: Sequence[Run]) -> str:
    """Say which run is best, and whether that is more than chance."""
    sign = 1 if runs[0].scores[0].is_higher_better else -1
    ranked = sorted(runs, key=lambda run: -sign * run.scores[0].value)
    best, second = ranked[0].scores[0], ranked[1].scores[0]
    if best.value == second.value:
        return f"{ranked[0].path} and {ranked[1].path} score the same"
    if _overlap(best, second):
        return f"{ranked[0].path} is best, but its interval overlaps the next one's"
    return f"{ranked[0].path} is best, beyond the 95 % intervals"


def _overlap(a: Score, b: Score) -> bool:
    return a.low <= b.high and b.low <= a.high


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Pad the columns to equal width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _write_page(
    out: Path, runs: Sequence[Run], header: Sequence[str], rows: Sequence[Sequence[str]],
    more: Sequence[Figure],
) -> None:  # fmt: skip
    from samoyed.runs.report import write_page

    curves = {
        str(run.path): [(e["seconds"], e["loss"]) for e in run.history if "seconds" in e]
        for run in runs
    }
    score = runs[0].scores[0]
    bars = [(str(r.path), r.scores[0].value, r.scores[0].low, r.scores[0].high) for r in runs]
    figures = [
        Figure("Side by side", "The headline score of each run, with its 95 % interval.",
               bar_chart(bars, is_higher_better=score.is_higher_better)),
        Figure("The runs", "As their folders tell.", table(header, rows)),
        Figure("Loss over time", "Training loss against training seconds.",
               line_chart(curves, x_label="seconds", y_label="loss")),
        *more,
    ]  # fmt: skip
    write_page(out, "Runs side by side", figures)
