"""What a scan says about the pictures it found: their usual size, their number, their split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samoyed.core.spec import ImageSpec
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN, VALIDATION
from samoyed.data.pixels import Inspection


def natural_size(headers: Sequence[Inspection]) -> tuple[ImageSpec, str]:
    """Return the median size, gray only if all are; and a warning where sizes differ."""
    widths = np.array([header.width for header in headers])
    heights = np.array([header.height for header in headers])
    channels = 1 if all(header.is_gray for header in headers) else 3
    spec = ImageSpec(channels, round(float(np.median(heights))), round(float(np.median(widths))))
    if np.ptp(widths) == 0 and np.ptp(heights) == 0:
        return spec, ""
    areas = widths * heights
    least, most = int(areas.argmin()), int(areas.argmax())
    return spec, (
        f"sizes differ, from {widths[least]} x {heights[least]} to {widths[most]} x "
        f"{heights[most]} pixels: scaled to cover one size and cut around the centre"
    )


def describe(
    targets: np.ndarray,
    splits: np.ndarray,
    classes: Sequence[str],
    spec: ImageSpec,
    has_official_test: bool,
    seed: int,
) -> tuple[str, ...]:
    """Return lines: how many pictures, which classes, what size, how they are split."""
    counts = np.bincount(targets[splits <= TEST], minlength=len(classes))
    each = [f"{name} ({count:,})" for name, count in zip(classes, counts, strict=True)]
    train, validation, test = (int((splits == s).sum()) for s in (TRAIN, VALIDATION, TEST))
    colour = "gray" if spec.channels == 1 else "colour"
    how = "as the data came" if has_official_test else f"a fifth of each class, seed {seed}"
    third = f", {validation:,} for validation" if validation else ""
    return (
        f"pictures: {train + validation + test:,} in {len(classes)} classes",
        f"classes:  {named(each)}",
        f"size:     {spec.width} x {spec.height} pixels, {colour}",
        f"split:    {train:,} to learn from{third}, {test:,} held out ({how})",
    )
