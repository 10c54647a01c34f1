"""What a report is drawn with: every function returns a self-contained HTML fragment.

Charts are fluid: lines and bars stretch with their box, while text keeps its size. Colours are
the page's CSS variables, so that the same fragment works on light and on dark paper. Whatever
comes from data is escaped here; callers pass plain text.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from samoyed.runs.drawing_bars import bar_chart
from samoyed.runs.drawing_lines import line_chart
from samoyed.runs.drawing_numbers import human_number
from samoyed.runs.drawing_pictures import heat_text, image_grid, matrix

__all__ = [
    "Figure",
    "bar_chart",
    "heat_text",
    "human_number",
    "image_grid",
    "line_chart",
    "matrix",
    "table",
]


@dataclass(frozen=True)
class Figure:
    """One picture of a report.

    Args:
        title: a few words, plain text.
        caption: what to see in it, whole sentences, plain text.
        html: the picture itself, as returned by the functions of this file.
        said: what a command line says of it, or nothing.
    """

    title: str
    caption: str
    html: str
    said: str = ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set rows of plain text in a table; columns of numbers are set right.

    Args:
        header: one title per column.
        rows: each as long as the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} titles")
    is_number = [
        bool(rows) and all(_looks_numeric(row[column]) for row in rows)
        for column in range(len(header))
    ]
    style = [' class="number"' if flag else "" for flag in is_number]
    head = "".join(
        f'<th scope="col"{s}>{html.escape(title)}</th>'
        for title, s in zip(header, style, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{s}>{html.escape(cell)}</td>" for cell, s in zip(row, style, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _looks_numeric(text: str) -> bool:
    stripped = text.strip().rstrip("%kMGTs ").replace(",", "").replace("−", "-")
    try:
        float(stripped)
    except ValueError:
        return stripped in ("", "-")
    return True
