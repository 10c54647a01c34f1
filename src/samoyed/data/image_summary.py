"""What a scan says about the pictures it found: their usual size, their number, their split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samoyed.core.spec import ImageSpec
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN, VALIDATION
from samoyed.data.image_split import count_labels
from samoyed.data.pixels import Inspection

_BITS = (8, 10, 12, 14, 16)
_NEARLY_BLACK = 4096  # of 65,536 grays: all of 12 bits
_ENLARGED = 8  # times smaller than usual at which a picture is named


def natural_size(headers: Sequence[Inspection]) -> tuple[ImageSpec, str]:
    """Return the median size, gray only if all are; and between which sizes they differ, if so."""
    widths = np.array([header.width for header in headers])
    heights = np.array([header.height for header in headers])
    channels = 1 if all(header.is_gray for header in headers) else 3
    spec = ImageSpec(channels, round(float(np.median(heights))), round(float(np.median(widths))))
    if np.ptp(widths) == 0 and np.ptp(heights) == 0:
        return spec, ""
    areas = widths * heights
    least, most = int(areas.argmin()), int(areas.argmax())
    return spec, (
        f"sizes differ, from {widths[least]} x {heights[least]} to {widths[most]} x {heights[most]}"
    )


def gray_bits(headers: Sequence[Inspection], names: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many of 16 bits a set's grays use, and a warning where it is not all of them.

    Cameras and scanners of 10, 12 or 14 bits write files of 16, which would be nearly black.
    """
    tops = [(header.top, name) for header, name in zip(headers, names, strict=True) if header.top]
    most = max((top for top, _ in tops), default=0)
    if not most:
        return 16, []
    bits = next(num for num in _BITS if most < 2**num)
    if bits < 16:
        return bits, [
            f"16-bit pictures with no value above {most:,}, {len(tops):,}: taken for {bits}-bit "
            f"ones, {2**bits - 1:,} is white (write values up to 65,535 if they are as dark as "
            f"that): {named([name for _, name in tops])}"
        ]
    dark = [name for top, name in tops if top < _NEARLY_BLACK]
    if not dark:
        return bits, []
    return bits, [
        f"16-bit pictures with no value above {_NEARLY_BLACK - 1:,}, {len(dark):,}: nearly black, "
        f"as others of the set go up to {most:,} and 65,535 is white: {named(dark)}"
    ]


def suspicious_shapes(
    headers: Sequence[Inspection], names: Sequence[str], spec: ImageSpec
) -> list[str]:
    """Name pictures of which more than half is cut away, and those that are enlarged a lot.

    Args:
        headers: N headers.
        names: N names.
        spec: the size that most have.
    """
    wanted = spec.width / spec.height
    shapes = [header.width / header.height / wanted for header in headers]
    cut = [name for name, shape in zip(names, shapes, strict=True) if not 0.5 <= shape <= 2]
    tiny = [
        name for name, header in zip(names, headers, strict=True)
        if _ENLARGED * max(header.width, header.height) < min(spec.width, spec.height)
    ]  # fmt: skip
    found = []
    if cut:
        found.append(
            f"long or narrow pictures, of which more than half is cut away, {len(cut):,}: "
            f"{named(cut)}"
        )
    if tiny:
        found.append(
            f"pictures less than 1/{_ENLARGED} of the usual size, {len(tiny):,}: {named(tiny)}"
        )
    return found


def describe(
    targets: np.ndarray,
    splits: np.ndarray,
    classes: Sequence[str],
    spec: ImageSpec,
    has_official_test: bool,
    seed: int,
    sizes: str = "",
) -> tuple[str, ...]:
    """Return lines: how many pictures, which classes, what size, how they are split."""
    size = f"{spec.width} x {spec.height} pixels, {'gray' if spec.channels == 1 else 'colour'}"
    if sizes:
        size = f"{sizes}; brought to {size}: scaled to cover, and cut around the centre"
    used = targets[splits <= TEST]
    counts = count_labels(used, len(classes))
    each = [f"{name} ({count:,})" for name, count in zip(classes, counts, strict=True)]
    train, validation, test = (int((splits == s).sum()) for s in (TRAIN, VALIDATION, TEST))
    how = "as the data came" if has_official_test else f"a fifth of each class, seed {seed}"
    third = f", {validation:,} for validation" if validation else ""
    num = train + validation + test
    first = f"pictures: {num:,} in {len(classes)} classes", f"classes:  {named(each)}"
    if targets.ndim == 2:
        how_many = np.nansum(used, axis=1)
        without = int((how_many == 0).sum())
        unknown = int(np.isnan(used).sum())
        first = (
            f"pictures: {num:,}, each with any number of {len(classes)} labels, "
            f"{how_many.mean():.1f} on average"
            + (f", {without:,} with none" if without else "")
            + (f"; {unknown:,} answers are not known" if unknown else ""),
            f"labels:   {named(each)}",
        )
        how = how.replace("each class", "each label")
    return (
        *first,
        f"size:     {size}",
        f"split:    {train:,} to learn from{third}, {test:,} held out ({how})",
    )
