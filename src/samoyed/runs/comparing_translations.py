"""Translators side by side: whose translations fall off where sentences are long."""

from __future__ import annotations

from collections.abc import Sequence

from samoyed.runs.drawing import Figure, line_chart
from samoyed.runs.figures.translate import Bin, bins_of_length
from samoyed.runs.run import Run

KEPT = "translations.json"
"""In a run's folder: its translations of what was held out, so that they are made once."""


def by_length(runs: Sequence[Run]) -> tuple[list[list[str]], Figure]:
    """Translate what was held out with every run, and score it by the length of the source.

    Args:
        runs: of translators, measured on the same data.

    Returns:
        Rows for people, the header first, and the figure.
    """
    found = {f"{run.path} ({run.config['system']})": _bins(run) for run in runs}
    first = next(iter(found.values()))
    header = ["words in the source", *(f"{b.shortest}-{b.longest}" for b in first)]
    counts = ["sentences", *(str(b.num) for b in first)]
    rows = [[f"BLEU of {name}", *(f"{b.bleu:.1f}" for b in bins)] for name, bins in found.items()]
    figure = Figure(
        "BLEU and the length of sentences",
        "The held-out sentences in groups of equal number by the length of the source.",
        line_chart(
            {name: [(b.words, b.bleu) for b in bins] for name, bins in found.items()},
            x_label="words in the source", y_label="BLEU",
        ),
    )  # fmt: skip
    return [header, counts, *rows], figure


def _bins(run: Run) -> list[Bin]:
    test = run.assembly().data.test
    weights = run.folder.file("model.safetensors").stat().st_mtime_ns
    kept = run.folder.read(KEPT) if run.folder.file(KEPT).exists() else {}
    if kept.get("weights") != weights or len(kept["answers"]) != len(test):
        answers = [answer.answer for answer in run.task.answer(run.model, test.source)]
        kept = {"weights": weights, "answers": answers}
        run.folder.write(KEPT, kept)
    return bins_of_length(test.source, kept["answers"], test.target)
