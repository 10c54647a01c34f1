"""Bars with intervals."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from samoyed.runs.drawing_numbers import interval_text, nice_ticks, tick_labels, unit_text


def bar_chart(
    rows: Sequence[tuple[str, float, float, float]],
    *,
    unit: str = "",
    is_higher_better: bool = True,
    highlight: str | None = None,
    axis: str | None = None,
) -> str:
    """Draw one bar per row with its interval.

    The axis starts at zero unless all bars are long; then it starts later, says so in its ticks,
    and the bars fade in from the left.

    Args:
        rows: (name, value, low, high), all in `unit`; low and high may be NaN where unknown.
        unit: written after every number, e.g. "%" (values from 0 to 100).
        is_higher_better: says in which direction better lies.
        highlight: name of the row that matters.
        axis: what is measured, where neither direction is better; then bars start at zero.
    """
    finite = [x for _, *numbers in rows for x in numbers if math.isfinite(x)]
    if not finite:
        return '<div class="bars-box"><p class="empty">Nothing was measured.</p></div>'
    low, high, is_cut = _bar_limits(min(finite), max(finite), unit, axis is None)
    decimals = None if axis is None or unit else _decimals(max(map(abs, finite)))
    items = "".join(
        _bar(*row, unit, low, high, is_cut, row[0] == highlight, decimals) for row in rows
    )
    ticks = nice_ticks(low, high, 5)
    marks = "".join(
        _mark(100 * (tick - low) / (high - low), label)
        for tick, label in zip(ticks, tick_labels(ticks), strict=True)
    )
    direction = "higher is better" if is_higher_better else "lower is better"
    measure = f"{html.escape(unit)}, {direction}" if unit else direction
    measure = measure if axis is None else html.escape(axis)
    return (
        f'<div class="bars-box"><ul class="bars">{items}</ul>'
        f'<div class="bar-axis" aria-hidden="true">{marks}</div>'
        f'<div class="axis-name axis-x">{measure}</div></div>'
    )


def _mark(left: float, label: str) -> str:
    """Set a tick's text under its place, but never beyond the ends of the axis."""
    edge = ' class="first"' if left < 2 else ' class="last"' if left > 97 else ""
    return f'<span{edge} style="left:{left:.2f}%">{label}</span>'


def _bar_limits(
    low: float, high: float, unit: str, may_cut: bool
) -> tuple[float, float, bool]:  # fmt: skip
    is_cut = may_cut and low > 0.6 * high > 0
    if is_cut:
        margin = 0.35 * (high - low) or 0.05 * high
        low, high = low - margin, high + margin / 2
    else:
        low, high = min(0.0, low), max(0.0, high)
        high += 0.04 * (high - low) if high > 0 else 0.0
    if unit == "%" and high > 100 >= high - 0.1 * (high - low):
        high = 100.0
    if high <= low:
        high = low + 1.0
    return low, high, is_cut


def _bar(
    name: str, value: float, low: float, high: float,
    unit: str, start: float, end: float, is_cut: bool, is_highlight: bool, decimals: int | None,
) -> str:  # fmt: skip
    def at(number: float) -> float:
        return min(100.0, max(0.0, 100 * (number - start) / (end - start)))

    classes = "bar-row highlight" if is_highlight else "bar-row"
    title = html.escape(name)
    if not math.isfinite(value):
        return f'<li class="{classes}"><span>{title}</span> <b>not measured</b></li>'
    left, right = sorted((at(0.0) if not is_cut else 0.0, at(value)))
    fade = " cut" if is_cut else ""
    drawn = f'<i class="bar{fade}" style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'
    spoken = ""
    if math.isfinite(low) and math.isfinite(high):
        drawn += (
            f'<i class="whisker" style="left:{at(low):.2f}%;width:{at(high) - at(low):.2f}%"></i>'
        )
        between = "no interval"  # where there is no spread to make one of
        if low < high:
            between = _fixed(decimals, low, high) or interval_text(low, high, unit)
        spoken = f" <small>{html.escape(between)}</small>"
    return (
        f'<li class="{classes}"><span>{title}</span>'
        f" <b>{html.escape(_fixed(decimals, value) or unit_text(value, unit))}{spoken}</b>"
        f'<span class="bar-track" aria-hidden="true">{drawn}</span></li>'
    )


def _decimals(largest: float) -> int | None:
    """Return how many decimals all bars get, so that the largest number has three digits."""
    return max(0, 2 - math.floor(math.log10(largest))) if 1e-3 < largest < 1e4 else None


def _fixed(decimals: int | None, *numbers: float) -> str:
    """Write numbers with so many decimals, or nothing."""
    if decimals is None:
        return ""
    rounded = (round(number, decimals) + 0.0 for number in numbers)  # a rounded -0.0 loses its sign
    return " to ".join(f"{number:,.{decimals}f}".replace("-", "−") for number in rounded)
