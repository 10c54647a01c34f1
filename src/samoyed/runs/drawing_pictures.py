"""Pictures of arrays: grids of images, coloured text, matrices."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence

import numpy as np

from samoyed.runs.drawing_numbers import human_number

_BLUE = np.array([33, 102, 172], dtype=np.float64)
_RED = np.array([178, 24, 43], dtype=np.float64)
_NUM_LEVELS = 10
_LARGEST_TABLE, _LARGEST_SHORT_TABLE = 24, 30  # classes; where all names are short
_LARGEST_PICTURE = 400
_PHOTOGRAPH = 64 * 64  # pixels from which a coloured picture is stored as a photograph


def image_grid(
    images: np.ndarray,
    labels: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    scale: int = 2,
    diverging: bool = False,
    value_range: tuple[float, float] | None = None,
) -> str:
    """Lay pictures out side by side.

    Args:
        images: (N, H, W) or (N, H, W, 3); uint8 as they are, floats scaled to black and white.
        labels: one line of plain text under each picture.
        columns: how many in a row; as many as fit when None.
        scale: CSS pixels per pixel.
        diverging: (N, H, W) only; negative blue, zero white, positive red.
        value_range: the numbers that become black and white (with `diverging`, the larger
            magnitude of the two is full colour); each picture's own extremes when None.
    """
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise ValueError(f"images are (N, H, W) or (N, H, W, 3), not {images.shape}")
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"{len(labels)} labels for {len(images)} images")
    if len(images) == 0:
        return '<p class="empty">No picture to show.</p>'
    width = images.shape[2] * scale
    cells = []
    for index, image in enumerate(images):
        source = address(_paint(image, diverging, value_range))
        under = f"<span>{html.escape(labels[index])}</span>" if labels is not None else ""
        cells.append(
            f'<li style="width:{width}px"><img src="{source}" alt="" width="{width}" '
            f'height="{images.shape[1] * scale}">{under}</li>'
        )
    box = f' style="display:grid;grid-template-columns:repeat({columns},{width}px)"'
    spoken = f"{len(images)} picture{'s' if len(images) > 1 else ''}"
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{spoken}">'
        f'<ul class="pictures"{box if columns else ""}>{"".join(cells)}</ul></div>'
    )


def _paint(
    image: np.ndarray, diverging: bool, value_range: tuple[float, float] | None
) -> np.ndarray:
    """Return uint8 (H, W) or (H, W, 3)."""
    if image.dtype == np.uint8 and not diverging:
        return image
    values = np.nan_to_num(image.astype(np.float64), posinf=0.0, neginf=0.0)
    if diverging:
        limit = max(map(abs, value_range)) if value_range else float(np.abs(values).max())
        part = np.clip(values / (limit or 1.0), -1.0, 1.0)[..., None]
        ends = np.where(part >= 0, _RED, _BLUE)
        return np.rint(255 + (ends - 255) * np.abs(part)).astype(np.uint8)
    low, high = value_range or (float(values.min()), float(values.max()))
    return np.rint(255 * np.clip((values - low) / ((high - low) or 1.0), 0, 1)).astype(np.uint8)


def address(pixels: np.ndarray) -> str:
    """Return uint8 (H, W), (H, W, 3) or (H, W, 4) as a data address; large photographs as JPEG."""
    from PIL import Image

    picture, buffer = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    if picture.mode == "RGB" and pixels.shape[0] * pixels.shape[1] >= _PHOTOGRAPH:
        picture.save(buffer, "JPEG", quality=90, optimize=True)
        kind = "jpeg"
    else:
        picture.save(buffer, "PNG", optimize=True)
        kind = "png"
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


def heat_text(text: Sequence[str], values: Sequence[float], *, low: float, high: float) -> str:
    """Write a text with one background per character, or per piece.

    Args:
        text: a string, or its pieces in a list; shown as it is; line ends are kept and marked.
        values: one number per character or piece; where not finite, no background.
        low: the number of the lightest background.
        high: the number of the strongest background.
    """
    if len(text) != len(values):
        raise ValueError(f"{len(values)} values for {len(text)} characters")
    pieces = []
    for character, value in zip(text, values, strict=True):
        if not math.isfinite(value):
            pieces.append(html.escape(character))
            continue
        shown = "↵\n" if character == "\n" else html.escape(character)
        part = (value - low) / ((high - low) or 1.0)
        level = round(_NUM_LEVELS * min(1.0, max(0.0, part)))
        pieces.append(f'<i class="h{level}" title="{human_number(value)}">{shown}</i>')
    body = f'<div class="heat" dir="auto">{"".join(pieces)}</div>'
    if not any(map(math.isfinite, values)):
        return body
    scale = "".join(f'<i class="h{level}"></i>' for level in range(_NUM_LEVELS + 1))
    return (
        f'{body}<p class="heat-key">{human_number(low)} <span aria-hidden="true">{scale}</span> '
        f"{human_number(high)}</p>"
    )


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    row_title: str,
    column_title: str,
) -> str:
    """Show a matrix: a table of numbers when small, else a picture and its largest entries.

    Colours are shares of each row's sum; with the same names on both sides the diagonal is
    good and the rest bad.

    Args:
        values: (R, C), not negative; counts or probabilities.
        rows: R names.
        columns: C names.
        row_title: what the rows are, "true class".
        column_title: what the columns are, "answer".
    """
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"matrix {values.shape} for {len(rows)} rows, {len(columns)} columns")
    if values.size == 0:
        return '<p class="empty">No class to show.</p>'
    numbers = np.nan_to_num(values.astype(np.float64))
    shares = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1e-12)
    is_confusion = list(rows) == list(columns)
    is_short = max(map(len, [*rows, *columns])) <= 3
    if max(values.shape) <= (_LARGEST_SHORT_TABLE if is_short else _LARGEST_TABLE):
        return _matrix_table(numbers, shares, rows, columns, row_title, column_title, is_confusion)
    return _matrix_picture(numbers, shares, rows, columns, row_title, column_title, is_confusion)


def _matrix_table(
    numbers: np.ndarray, shares: np.ndarray, rows: Sequence[str], columns: Sequence[str],
    row_title: str, column_title: str, is_confusion: bool,
) -> str:  # fmt: skip
    head = "".join(f'<th scope="col"><span>{html.escape(name)}</span></th>' for name in columns)
    body = []
    for r, name in enumerate(rows):
        cells = []
        for c in range(len(columns)):
            kind = "plain" if not is_confusion else "right" if r == c else "wrong"
            share = float(shares[r, c])
            # Cube root: one mistake in a hundred must be seen.
            depth = math.cbrt(share) if kind == "wrong" else share
            text = human_number(float(numbers[r, c])) if numbers[r, c] else "·"
            cells.append(f'<td class="{kind}" style="--d:{depth:.2f}">{text}</td>')
        body.append(f'<tr><th scope="row">{html.escape(name)}</th>{"".join(cells)}</tr>')
    is_long = len(columns) > 5 and max(map(len, columns)) > 5
    look = "matrix long" if is_long else "matrix"
    look += " dense" if len(columns) > 16 else ""
    corner = f"{html.escape(column_title)} →<br>{html.escape(row_title)} ↓"
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="matrix">'
        f'<table class="{look}"><thead><tr><th class="corner">{corner}</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _matrix_picture(
    numbers: np.ndarray, shares: np.ndarray, rows: Sequence[str], columns: Sequence[str],
    row_title: str, column_title: str, is_confusion: bool,
) -> str:  # fmt: skip
    shrunk = _shrink(shares)
    pixels = np.zeros((*shrunk.shape, 4), dtype=np.uint8)
    pixels[..., :3] = (70, 130, 210)
    pixels[..., 3] = np.rint(255 * np.sqrt(np.clip(shrunk, 0, 1)))
    scale = max(1, _LARGEST_PICTURE // max(shrunk.shape))
    spoken = html.escape(
        f"{len(rows)} by {len(columns)} matrix: {row_title} down, {column_title} across",
        quote=True,
    )
    ranked = numbers.copy()
    if is_confusion:
        np.fill_diagonal(ranked, 0)
    largest = [i for i in np.argsort(-ranked, axis=None)[:15] if ranked.flat[i] > 0]
    lines = "".join(
        f"<tr><td>{html.escape(rows[i // len(columns)])}</td>"
        f"<td>{html.escape(columns[i % len(columns)])}</td>"
        f'<td class="number">{human_number(float(ranked.flat[i]))}</td></tr>'
        for i in map(int, largest)
    )
    return (
        '<div class="matrix-picture"><div>'
        f'<img src="{address(pixels)}" alt="{spoken}" width="{shrunk.shape[1] * scale}" '
        f'height="{shrunk.shape[0] * scale}">'
        f'<p class="axis-name">{html.escape(row_title)} ↓ &nbsp; {html.escape(column_title)} →</p>'
        '</div><div class="scroll" tabindex="0" role="group" aria-label="largest entries">'
        f'<table><thead><tr><th scope="col">{html.escape(row_title)}</th>'
        f'<th scope="col">{html.escape(column_title)}</th>'
        f'<th scope="col" class="number">count</th></tr></thead><tbody>{lines}</tbody></table>'
        "</div></div>"
    )


def _shrink(values: np.ndarray) -> np.ndarray:
    """Take the largest entry of each block, so that at most 400 x 400 remain."""
    factor = math.ceil(max(values.shape) / _LARGEST_PICTURE)
    if factor == 1:
        return values
    height, width = (math.ceil(n / factor) for n in values.shape)
    padded = np.zeros((height * factor, width * factor))
    padded[: values.shape[0], : values.shape[1]] = values
    blocks: np.ndarray = padded.reshape(height, factor, width, factor).max(axis=(1, 3))
    return blocks
