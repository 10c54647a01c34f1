"""Pictures with something said about each: pairs, cards, and a map that magnifies what is touched.

Shapes: C channels (1 gray, 3 red green blue), H rows, W columns; 8 bits a value.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samoyed.runs.drawing_pictures import address

PICTURE_WIDTH = 104  # CSS pixels of a picture in a pair or on a card
_GAP = 8

Painted = np.ndarray
"""(C, H, W) uint8."""


def displayed(image: np.ndarray) -> np.ndarray:
    """Turn (C, H, W) into (H, W) or (H, W, 3)."""
    return image.transpose(1, 2, 0) if image.shape[0] == 3 else image[0]


def cards(rows: Sequence[tuple[Sequence[tuple[Painted, str]], str]]) -> str:
    """Lay cards out: a few pictures side by side, and a line that speaks of all of them.

    Args:
        rows: (pictures with the words under each, the line), plain text.
    """
    items = "".join(
        f'<li style="width:{len(pictures) * (PICTURE_WIDTH + _GAP) - _GAP}px"><div class="side">'
        f"{''.join(_titled(*picture) for picture in pictures)}</div>"
        f"<span>{whole(text)}</span></li>"
        for pictures, text in rows
    )
    return f'<ul class="cards">{items}</ul>'


def whole(text: str) -> str:
    """Escape a text and keep numbers and their percent signs on one line."""
    return html.escape(text).replace(" %", "&nbsp;%")


def picture_pairs(pairs: Sequence[tuple[Painted, Painted, str]]) -> str:
    """Set two pictures side by side, with a line about both.

    Args:
        pairs: (left, right, plain text).
    """
    return cards([(((left, ""), (right, "")), text) for left, right, text in pairs])


def _titled(image: Painted, title: str) -> str:
    shown = displayed(image)
    height, width = shown.shape[:2]
    tall = round(PICTURE_WIDTH * height / width)
    smooth = ' class="smooth"' if width >= PICTURE_WIDTH // 2 else ""
    under = f"<small>{html.escape(title)}</small>" if title else ""
    return (
        f'<div><img{smooth} src="{address(shown)}" alt="" width="{PICTURE_WIDTH}" '
        f'height="{tall}">{under}</div>'
    )


@dataclass(frozen=True)
class Cell:
    """What a map says of one picture.

    Args:
        kind: its true class, by number.
        answer: the class that was answered, by number.
        percent: the probability of the answer.
        name: where the picture came from.
    """

    kind: int
    answer: int
    percent: int
    name: str


def picture_map(
    mosaic: np.ndarray, columns: int, cells: Sequence[Cell], names: Sequence[str],
    colours: Sequence[str],
) -> str:  # fmt: skip
    """Show a mosaic whose cells are magnified and explained where one touches them.

    Args:
        mosaic: (H, W, 3) uint8, all cells of one size.
        columns: cells in a row.
        cells: row by row.
        names: of the classes.
        colours: CSS colours of the first classes' frames; none where classes have no frames.
    """
    facts = [[c.kind, c.answer, c.percent, c.name] for c in cells]
    data = html.escape(json.dumps({"names": list(names), "cells": facts}), quote=True)
    num_wrong = sum(c.kind != c.answer for c in cells)
    buttons = "".join(
        f'<button type="button" data-kind="{k}"><i style="background:{colour}"></i>'
        f"{html.escape(name)}</button>"
        for k, (name, colour) in enumerate(zip(names, colours, strict=False))
    )
    if 0 < num_wrong < len(cells):
        word = "answer" if num_wrong == 1 else "answers"
        buttons += f'<button type="button" data-kind="wrong">{num_wrong} wrong {word}</button>'
    spoken = f"{len(cells)} pictures laid out so that alike ones are near"
    return (
        f'<div class="map-keys">{buttons}</div>'
        f'<div class="map" data-columns="{columns}" data-rows="{len(cells) // columns}" '
        f'data-map="{data}"><img src="{address(mosaic)}" alt="{spoken}" '
        f'width="{mosaic.shape[1]}" height="{mosaic.shape[0]}"></div>'
    )
