"""Curves over a common axis."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samoyed.runs.drawing_numbers import human_number, log_ticks, nice_ticks, tick_labels

Point = tuple[float, float]

_NUM_COLOURS = 6
_MAX_POINTS = 400
_MAX_DOTS = 16


def line_chart(
    series: Mapping[str, Sequence[Point]],
    *,
    x_label: str,
    y_label: str,
    log_y: bool = False,
    height: int = 260,
    smooth: bool = False,
    intervals: Sequence[tuple[float, float, float]] = (),
    y_most: float = math.inf,
    is_dated: bool = False,
) -> str:
    """Draw curves over a common x axis.

    Args:
        series: points (x, y) by name; what is not finite is left out and counted.
        x_label: what the x axis counts.
        y_label: what the y axis measures.
        log_y: a logarithmic y axis; numbers that are not positive are left out and counted.
        height: of the drawing in CSS pixels.
        smooth: draw the points faintly and a running mean of them strongly.
        intervals: (x, low, high) of the first curve's points, drawn as upright whiskers.
        y_most: what no y can exceed: where the axis ends at the latest.
        is_dated: x counts the days since 1970-01-01, and is written as dates.
    """
    kept = {name: [p for p in points if _can_draw(p, log_y)] for name, points in series.items()}
    lost = sum(len(points) for points in series.values()) - sum(map(len, kept.values()))
    kept = {name: sorted(points) for name, points in kept.items() if points}
    note = f'<p class="note">{_not_drawn(lost, log_y)}</p>' if lost else ""
    if not kept:
        return f'<div class="plot"><p class="empty">No curve was recorded.</p>{note}</div>'
    xs = [x for points in kept.values() for x, _ in points]
    ys = [y for points in kept.values() for y in _extent(points, smooth)]
    ys += [y for _, *ends in intervals for y in ends]
    x_low, x_high = _widen(min(xs), max(xs))
    y_low, y_high = _y_limits(min(ys), max(ys), log_y)
    if y_low < y_most:
        y_high = min(y_high, y_most)
    place = _Plane(x_low, x_high, y_low, y_high, log_y)
    x_ticks = nice_ticks(x_low, x_high, 3 if is_dated else 4)
    x_ticks = [tick for tick in x_ticks if tick == int(tick)] if is_dated else x_ticks
    x_texts = [date_text(tick) for tick in x_ticks] if is_dated else tick_labels(x_ticks)
    y_ticks = log_ticks(y_low, y_high) if log_y else nice_ticks(y_low, y_high, 5)
    curves = "".join(
        _curve(name, points, index % _NUM_COLOURS + 1, place, smooth)
        for index, (name, points) in enumerate(kept.items())
    )
    spoken = "; ".join(
        f"{name}: from {human_number(points[0][1])} to {human_number(points[-1][1])}"
        for name, points in kept.items()
    )
    label = html.escape(f"{y_label} over {x_label}. {spoken}", quote=True)
    limits = f'data-x="{x_low!r} {x_high!r}" data-y="{y_low!r} {y_high!r}"'
    limits += ' data-dated="1"' if is_dated else ""
    return (
        f'<div class="plot" role="img" aria-label="{label}">'
        f'<div class="plot-head"><span class="axis-name">{html.escape(y_label)}</span>'
        f"{_legend(kept)}</div>"
        f'<div class="plot-area" style="height:{height}px" {limits} data-log="{int(log_y)}">'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f"{_grid(y_ticks, place)}{_whiskers(intervals, place)}{curves}</svg>"
        f"{_tick_texts(x_ticks, x_texts, y_ticks, place)}</div>"
        f'<div class="axis-name axis-x">{html.escape(x_label)}</div>{note}</div>'
    )


@dataclass(frozen=True)
class _Plane:
    """From numbers to the 1000 x 1000 square of a drawing."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    log_y: bool

    def x(self, value: float) -> float:
        return 1000 * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        low, high = self.y_low, self.y_high
        if self.log_y:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return min(1000.0, max(0.0, 1000 * (high - value) / (high - low)))


def _can_draw(point: Point, log_y: bool) -> bool:
    x, y = point
    return math.isfinite(x) and math.isfinite(y) and (y > 0 or not log_y)


def _not_drawn(num: int, log_y: bool) -> str:
    what = "not a positive number" if log_y else "not a number"
    return f"{num} point{'s are' if num > 1 else ' is'} left out: {what}."


def _extent(points: Sequence[Point], smooth: bool) -> list[float]:
    """Return the numbers that must fit; of a noisy curve's own points, all but a few per cent."""
    ys = [y for _, y in points]
    if not smooth or len(ys) < 50:
        return ys
    ranked, spare = sorted(ys), len(ys) // 50
    return [ranked[spare], ranked[-1 - spare], *running_mean(ys)]


def _widen(low: float, high: float) -> Point:
    if high > low:
        return low, high
    margin = abs(low) / 2 or 0.5
    return low - margin, high + margin


def _y_limits(low: float, high: float, log_y: bool) -> Point:
    if log_y:
        low, high = (low, high) if high > low * 1.05 else (low / 2, high * 2)
        margin = (high / low) ** 0.05
        return low / margin, high * margin
    if 0 <= low < 0.35 * high:
        low = 0.0
    low, high = _widen(low, high)
    margin = 0.06 * (high - low)
    return (low if low == 0 else low - margin), high + margin


def running_mean(values: Sequence[float]) -> list[float]:
    """Average each value with its neighbours, over a window that narrows towards the ends.

    >>> running_mean([1.0, 1.0, 4.0, 1.0, 1.0])
    [1.0, 2.0, 2.0, 2.0, 1.0]
    """
    reach = max(1, len(values) // 40)
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    means = []
    for index in range(len(values)):
        side = min(reach, index, len(values) - 1 - index)
        means.append((sums[index + side + 1] - sums[index - side]) / (2 * side + 1))
    return means


def _thin(points: Sequence[Point]) -> list[Point]:
    """Keep the lowest and the highest of every bin, so that spikes survive."""
    if len(points) <= _MAX_POINTS:
        return list(points)
    num_bins = _MAX_POINTS // 2
    kept: list[Point] = []
    for index in range(num_bins):
        inside = points[index * len(points) // num_bins : (index + 1) * len(points) // num_bins]
        extremes = {min(inside, key=lambda p: p[1]), max(inside, key=lambda p: p[1])}
        kept.extend(sorted(extremes))
    return [points[0], *kept[1:-1], points[-1]]


def _curve(name: str, points: Sequence[Point], colour: int, place: _Plane, smooth: bool) -> str:
    paint = f'stroke="var(--series-{colour})" data-name="{html.escape(name, quote=True)}"'
    if len(points) == 1:
        x, y = place.x(points[0][0]), place.y(points[0][1])
        return f'<path class="dot" d="M{x:.1f} {y:.1f}h0" {paint}/>'
    if not smooth or len(points) < 8:
        drawn = f'<polyline class="strong" points="{_path(_thin(points), place)}" {paint}/>'
        return drawn + (_dots(points, colour, place) if len(points) <= _MAX_DOTS else "")
    means = running_mean([y for _, y in points])
    middle = [(x, y) for (x, _), y in zip(points, means, strict=True)]
    faint = f'stroke="var(--series-{colour})"'
    return (
        f'<polyline class="faint" points="{_path(_thin(points), place)}" {faint}/>'
        f'<polyline class="strong" points="{_path(_thin(middle), place)}" {paint}/>'
    )


def _dots(points: Sequence[Point], colour: int, place: _Plane) -> str:
    marks = "".join(f"M{place.x(x):.1f} {place.y(y):.1f}h0" for x, y in points)
    return f'<path class="dot" d="{marks}" stroke="var(--series-{colour})"/>'


def _path(points: Sequence[Point], place: _Plane) -> str:
    return " ".join(f"{place.x(x):.1f},{place.y(y):.1f}" for x, y in points)


def _grid(y_ticks: Sequence[float], place: _Plane) -> str:
    lines = (f"M0 {place.y(tick):.1f}h1000" for tick in y_ticks)
    return f'<path class="grid" d="{"".join(lines)}"/>'


def _whiskers(intervals: Sequence[tuple[float, float, float]], place: _Plane) -> str:
    lines = "".join(
        f"M{place.x(x):.1f} {place.y(low):.1f}V{place.y(high):.1f}" for x, low, high in intervals
    )
    return f'<path class="upright" d="{lines}"/>' if lines else ""


def date_text(days: float) -> str:
    """Write the day so many days after 1970-01-01.

    >>> date_text(19_400.0)
    '2023-02-12'
    """
    return str(np.datetime64(round(days), "D"))


def _tick_texts(
    x_ticks: Sequence[float], x_texts: Sequence[str], y_ticks: Sequence[float], place: _Plane
) -> str:  # fmt: skip
    y_texts = [human_number(t) for t in y_ticks] if place.log_y else tick_labels(y_ticks)
    rows = zip(y_ticks, y_texts, strict=True)
    columns = zip(x_ticks, x_texts, strict=True)
    texts = [
        f'<span class="tick-y" style="top:{place.y(tick) / 10:.2f}%">{label}</span>'
        for tick, label in rows
    ]
    texts += [
        f'<span class="tick-x" style="left:{place.x(tick) / 10:.2f}%">{label}</span>'
        for tick, label in columns
    ]
    return f'<span aria-hidden="true">{"".join(texts)}</span>'


def _legend(series: Mapping[str, Sequence[Point]]) -> str:
    if len(series) < 2:
        return ""
    names = "".join(
        f'<span><i style="background:var(--series-{index % _NUM_COLOURS + 1})"></i>'
        f"{html.escape(name)}</span>"
        for index, name in enumerate(series)
    )
    return f'<span class="legend">{names}</span>'
