"""Planes as small multiples: a grid of lines, bent or straight, with points upon it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from samoyed.runs.drawing_pictures import address

_SIDE = 400  # units of a drawing
_MARGIN = 0.04  # of the plane around what is drawn
_NUM_COLOURS = 6

# Legend for shapes: L lines, T places along a line, N points.


@dataclass(frozen=True, eq=False)
class Plane:
    """One panel.

    Args:
        title: what its two axes are, plain text.
        note: one line under it, plain text.
        points: (N, 2), y upwards.
        lines: (L, T, 2) a grid of lines, or none.
        ground: (H, W) uint8 colour numbers of a ground that fills the plane, or None.
        strength: (H, W) how opaque each place of the ground is, 0 to 1.
    """

    title: str
    note: str
    points: Float[np.ndarray, "N 2"]
    lines: Float[np.ndarray, "L T 2"] | None = None
    ground: Int[np.ndarray, "H W"] | None = None
    strength: Float[np.ndarray, "H W"] | None = None


def planes(panels: Sequence[Plane], kinds: Int[np.ndarray, " N"], names: Sequence[str]) -> str:
    """Draw panels side by side, each scaled to what it holds.

    Args:
        panels: with the same N points each.
        kinds: (N,) which kind each point is, its colour.
        names: of the kinds.
    """
    legend = "".join(
        f'<span><i style="background:var(--series-{k % _NUM_COLOURS + 1})"></i>'
        f"{html.escape(name)}</span>"
        for k, name in enumerate(names)
    )
    drawn = "".join(
        f'<li><b>{html.escape(panel.title)}</b><div class="plane">{_drawing(panel, kinds)}</div>'
        f"<span>{html.escape(panel.note)}</span></li>"
        for panel in panels
    )
    return f'<p class="legend">{legend}</p><ul class="planes">{drawn}</ul>'


def _drawing(panel: Plane, kinds: np.ndarray) -> str:
    low, scale = _frame(panel)
    ground = ""
    if panel.ground is not None and panel.strength is not None:
        ground = "".join(
            _ground(panel.ground == k, panel.strength, k) for k in np.unique(panel.ground)
        )
    grid = ""
    if panel.lines is not None:
        placed = np.rint((panel.lines - low) * scale).astype(int)
        path = "".join("M" + "L".join(f"{x} {_SIDE - y}" for x, y in _thin(t)) for t in placed)
        grid = f'<path class="mesh" d="{path}"/>'
    dots = ""
    placed = np.rint((panel.points - low) * scale).astype(int)
    for k in np.unique(kinds):
        marks = "".join(f"M{x} {_SIDE - y}h0" for x, y in placed[kinds == k])
        dots += f'<path class="mark" d="{marks}" stroke="var(--series-{k % _NUM_COLOURS + 1})"/>'
    spoken = html.escape(f"{panel.title}. {panel.note}", quote=True)
    return (
        f'{ground}<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{spoken}">'
        f"{grid}{dots}</svg>"
    )


def _frame(panel: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower left corner and the factor that fit what is drawn into the square."""
    held = panel.points if panel.lines is None else panel.lines.reshape(-1, 2)
    low, high = held.min(axis=0), held.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    margin = 0.0 if panel.ground is not None or panel.lines is None else _MARGIN
    return low - margin * span, _SIDE / ((1 + 2 * margin) * span)


def _thin(track: np.ndarray) -> list[tuple[int, int]]:
    """Leave out places that fall on the one before."""
    moves = np.ones(len(track), bool)
    moves[1:] = (track[1:] != track[:-1]).any(axis=1)
    return [(int(x), int(y)) for x, y in track[moves]]


def _ground(is_kind: np.ndarray, strength: np.ndarray, kind: int) -> str:
    """Return one kind's part of the ground as a mask over its colour."""
    pixels = np.zeros((*is_kind.shape, 4), np.uint8)
    pixels[..., 3] = np.rint(255 * np.clip(strength, 0, 1) * is_kind)
    colour = f"background:var(--series-{kind % _NUM_COLOURS + 1})"
    mask = f"mask-image:url({address(pixels)})"
    return f'<i class="ground" style="{colour};-webkit-{mask};{mask}"></i>'
