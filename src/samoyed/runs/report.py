"""The report of a run: one HTML file that opens offline, on light or dark paper, at any width."""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samoyed.core.reference import Reference, Score
from samoyed.runs.drawing import Figure, bar_chart, line_chart
from samoyed.runs.drawing_lines import running_mean
from samoyed.runs.drawing_numbers import number_text
from samoyed.runs.drawing_scores import (
    beginning,
    counted,
    held_out,
    in_unit,
    is_played,
    score_interval,
    score_words,
    unit_of,
    value_text,
    verdict,
)
from samoyed.runs.drawing_script import SCRIPT
from samoyed.runs.drawing_style import stylesheet
from samoyed.runs.drawing_thumbnails import whole

_NOT_SCORES = ("stage", "stage_index", "step", "steps", "loss", "rate", "seconds")

_LOOKED = "on some of the held-out part"  # a look on the way

_FEW_POINTS = 40  # up to here a curve is not smoothed

# Nothing may be fetched: a page that tried would be stopped by the browser itself.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True)
class ReportContent:
    """Everything a report says; all plain text, escaped where it is written.

    Args:
        title: what was learned, in a few words.
        sentence: what was learned from what.
        scores: the headline first.
        baselines: (name, score) of the shallow models on the same split.
        data_lines: what was found: counts, splits.
        warnings: what looked suspicious.
        skipped: "file: reason" of what was left out.
        model_rows: (name, value): model, size, parameters.
        reference: the paper the model comes from.
        training_rows: (name, value): minutes, steps, precision, seed.
        history: one mapping per logged step: stage, stage_index, step, loss, and maybe scores.
        figures: what the task shows of its model.
        commands: (what it does, the command).
        environment_rows: (name, value): versions, seed, fingerprint of the data.
        asked: the task's name.
        config_rows: (name, value): every dial of the model.
        recipe_rows: (name, value): every dial of the training.
    """

    title: str
    sentence: str
    scores: Sequence[Score]
    baselines: Sequence[tuple[str, Score]] = ()
    data_lines: Sequence[str] = ()
    warnings: Sequence[str] = ()
    skipped: Sequence[str] = ()
    model_rows: Sequence[tuple[str, str]] = ()
    reference: Reference | None = None
    training_rows: Sequence[tuple[str, str]] = ()
    history: Sequence[Mapping[str, float | int | str]] = ()
    figures: Sequence[Figure] = ()
    commands: Sequence[tuple[str, str]] = ()
    environment_rows: Sequence[tuple[str, str]] = ()
    asked: str = ""
    config_rows: Sequence[tuple[str, str]] = ()
    recipe_rows: Sequence[tuple[str, str]] = ()


def write_report(path: Path, content: ReportContent) -> None:
    """Write the report of a run, atomically."""
    parts = [
        ("score", "Score", _scores(content)),
        ("data", "Data", _data(content)),
        ("inside", "What it learned", _figures(content.figures)),
        ("model", "Model", _model(content)),
        ("training", "Training", _training(content)),
        ("use", "Use it", _commands(content.commands)),
        ("again", "Make it again", _rows(content.environment_rows)),
    ]
    write_atomically(path, _page(content.title, content.sentence, parts))


def write_page(path: Path, title: str, figures: Sequence[Figure]) -> None:
    """Write a page of figures alone, atomically."""
    body = _figures(figures) or '<p class="empty">Nothing to show.</p>'
    write_atomically(path, _page(title, "", [("figures", "", body)]))


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that no reader ever sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(path)


def _page(title: str, sentence: str, parts: Iterable[tuple[str, str, str]]) -> str:
    """Put a page together from (anchor, heading, body); parts without a body are left out."""
    shown = [(anchor, heading, body) for anchor, heading, body in parts if body]
    links = "".join(f'<li><a href="#{a}">{h}</a></li>' for a, h, _ in shown if h)
    nav = f'<nav aria-label="Parts of this page"><ul>{links}</ul></nav>' if links else ""
    sections = "".join(
        f'<section class="part" id="{anchor}">{f"<h2>{heading}</h2>" if heading else ""}{body}'
        "</section>"
        for anchor, heading, body in shown
    )
    lead = f'<p class="lead">{html.escape(sentence)}</p>' if sentence else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{stylesheet()}</style></head><body>"
        '<header class="top"><div class="brand"><b>samoyed</b>'
        '<button id="theme" type="button" title="Light or dark paper" hidden>Dark</button></div>'
        f"<h1>{html.escape(title)}</h1>{lead}</header>{nav}<main>{sections}</main>"
        "<footer>Written by samoyed. This file needs no network: everything is inside it.</footer>"
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _scores(content: ReportContent) -> str:
    if not content.scores:
        return '<p class="empty">No score was measured.</p>'
    headline, *others = content.scores
    judged = verdict(headline, content.baselines, others)
    colour = {"win": "good", "tie": "even", "lose": "bad", "alone": ""}[judged.kind]
    sentence = whole(judged.sentence)
    more = "".join(
        f"<li>{html.escape(beginning(score_words(s.name)))}<b>{html.escape(value_text(s))}</b>"
        f"<small>{score_interval(s)}, {counted(s.name, s.num)}</small></li>"
        for s in others
    )
    return (
        f'<div class="hero"><div>{_headline(headline)}</div>'
        f"<div>{_beside_baselines(headline, content.baselines)}</div></div>"
        f'<p class="verdict {colour}">{sentence}</p>'
        + (f'<ul class="more">{more}</ul>' if more else "")
    )


def _headline(score: Score) -> str:
    unit = unit_of(score.name)
    number = number_text(in_unit(score.name, score.value), unit)
    better = "" if score.is_higher_better else ", lower is better"
    return (
        f'<p class="score-name">{html.escape(beginning(score_words(score.name)))}{better}</p>'
        f'<p class="big">{number}{f"<small>{unit}</small>" if unit else ""}</p>'
        f'<p class="measured">95 % interval <b>{score_interval(score)}</b><br>'
        f"measured on <b>{counted(score.name, score.num)}</b> {held_out(score.name)}</p>"
    )


def _beside_baselines(score: Score, baselines: Sequence[tuple[str, Score]]) -> str:
    ours = "this model"
    same = [(name, s) for name, s in baselines if s.name == score.name]
    same.sort(key=lambda row: row[1].value, reverse=score.is_higher_better)
    rows = [
        (name, in_unit(s.name, s.value), in_unit(s.name, s.low), in_unit(s.name, s.high))
        for name, s in [(ours, score), *same]
    ]
    return bar_chart(
        rows,
        unit=unit_of(score.name),
        is_higher_better=score.is_higher_better,
        highlight=ours,
    )


def _data(content: ReportContent) -> str:
    pairs = [line.partition(": ") for line in content.data_lines]
    if all(mark and len(name) < 32 for name, mark, _ in pairs):
        found = _rows([(name, text) for name, _, text in pairs])
    else:
        found = _list(content.data_lines, "plain")
    if content.warnings:
        num = len(content.warnings)
        found += (
            f'<div class="alert"><h3>{num} warning{"s" if num > 1 else ""}</h3>'
            f"{_list(content.warnings)}</div>"
        )
    if content.skipped:
        num = len(content.skipped)
        shown = _list(content.skipped[:200])
        rest = f'<p class="note">and {num - 200:,} more</p>' if num > 200 else ""
        found += f'<details class="alert"><summary>{num:,} skipped</summary>{shown}{rest}</details>'
    return found


def _list(lines: Sequence[str], name: str = "") -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul{f' class={name!r}' if name else ''}>{items}</ul>" if lines else ""


def _model(content: ReportContent) -> str:
    paper = _reference(content.reference) if content.reference else ""
    return _rows(content.model_rows) + _folded("Every dial", content.config_rows) + paper


def _reference(reference: Reference) -> str:
    title = f"<cite>{html.escape(reference.title)}</cite>"
    address = address_of(reference)
    if address:
        title = f'<a href="{html.escape(address, quote=True)}" rel="noreferrer">{title}</a>'
    cited = f" Reference {reference.review} of the 2015 review." if reference.review else ""
    return (
        f'<p class="reference">From the paper: {html.escape(reference.authors)} '
        f"({reference.year}). {title}. {html.escape(reference.venue.rstrip('.'))}.{cited}</p>"
    )


def address_of(reference: Reference) -> str:
    """Return where the paper can be read, or an empty string.

    >>> address_of(Reference("T", "A", 1998, "V", url="10.1109/5.726791"))
    'https://doi.org/10.1109/5.726791'
    """
    url = reference.url.strip()
    if url.startswith(("https://", "http://")):
        return url
    doi = url.removeprefix("doi:").strip()
    return f"https://doi.org/{doi}" if doi.startswith("10.") else ""


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in rows
    )
    return f"<dl>{lines}</dl>" if lines else ""


def _training(content: ReportContent) -> str:
    told = _rows(content.training_rows) + _folded("The whole recipe", content.recipe_rows)
    stages = _by_stage(content.history)
    headline = content.scores[0].name if content.scores else ""
    shown: list[str] = []
    folded: list[str] = []
    for (_, name), events in stages.items():
        of_stage = f", {name}" if len(stages) > 1 else ""
        for what, chart in _stage_curves(of_stage, events):
            (shown if what in ("loss", headline) else folded).append(chart)
    if len(shown) + len(folded) <= 4:
        shown, folded = shown + folded, []
    rest = f"<details><summary>More curves</summary>{_curves(folded)}</details>" if folded else ""
    if any(_LOOKED in chart for chart in (*shown, *folded)):
        told += (
            '<p class="note">Scores on the way are looks at a part of the held-out examples, '
            "or of the validation part where there is one; they choose nothing.</p>"
        )
    return told + _curves(shown) + rest


def _curves(charts: Sequence[str]) -> str:
    look = "curves many" if len(charts) > 2 else "curves"
    return f'<div class="{look}">{"".join(charts)}</div>' if charts else ""


def _folded(title: str, rows: Sequence[tuple[str, str]]) -> str:
    return f"<details><summary>{title}</summary>{_rows(rows)}</details>" if rows else ""


Events = list[Mapping[str, float | int | str]]


def _by_stage(history: Iterable[Mapping[str, float | int | str]]) -> dict[tuple[int, str], Events]:
    stages: dict[tuple[int, str], Events] = {}
    for event in history:
        key = (int(event.get("stage_index", 0)), str(event.get("stage", "train")))
        stages.setdefault(key, []).append(event)
    return dict(sorted(stages.items()))


def _stage_curves(of_stage: str, events: Events) -> list[tuple[str, str]]:
    """Draw the loss of a stage, and every score that was looked at on the way: (name, chart)."""
    charts = []
    loss = _points(events, "loss")
    if loss:
        means = running_mean([y for _, y in loss if math.isfinite(y)])
        is_log = bool(means) and min(means) > 0 and max(means) > 20 * min(means)
        label = "loss, with its running mean" if len(loss) > _FEW_POINTS else "loss"
        charts.append(("loss", _chart(f"loss{of_stage}", label, loss, is_log)))
    names = {str(n): None for e in events for n, v in e.items() if _is_score(n, v)}
    for name in names:
        points = [(x, in_unit(name, y)) for x, y in _points(events, name)]
        where = "in a few episodes" if is_played(name) else _LOOKED
        label = f"{unit_of(name) or score_words(name)}, {where}"
        charts.append((name, _chart(f"{score_words(name)}{of_stage}", label, points)))
    return charts


def _chart(title: str, label: str, points: list[tuple[float, float]], is_log: bool = False) -> str:
    drawn = line_chart(
        {title: points}, x_label="step", y_label=label, log_y=is_log,
        smooth=len(points) > _FEW_POINTS, height=220,
    )  # fmt: skip
    return f"<div><h3>{html.escape(beginning(title))}</h3>{drawn}</div>"


def _is_score(name: str, value: object) -> bool:
    return name not in _NOT_SCORES and isinstance(value, int | float)


def _points(events: Events, name: str) -> list[tuple[float, float]]:
    """Return (steps done, value) wherever the value was recorded."""
    return [
        (float(event["step"]) + 1, float(event[name]))
        for event in events
        if isinstance(event.get(name), int | float)
    ]


def _figures(figures: Sequence[Figure]) -> str:
    return "".join(
        f"<figure><figcaption><h3>{html.escape(figure.title)}</h3>"
        + (f"<p>{whole(figure.caption)}</p>" if figure.caption else "")
        + f"</figcaption>{figure.html}</figure>"
        for figure in figures
    )


def _commands(commands: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<div class="use"><p>{html.escape(purpose)}</p><div class="code">'
        f'<pre tabindex="0"><code>{html.escape(command)}</code></pre></div></div>'
        for purpose, command in commands
    )
