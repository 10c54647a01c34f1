"""Numbers as people read them, and where the ticks of an axis go."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def human_number(value: float, digits: int = 3) -> str:
    """Write a number with about `digits` significant digits, and k, M, G, T above 10,000.

    >>> [human_number(x) for x in (0, 0.05, 1.25, 9999, 61706, 1_234_567, 3.1e-7)]
    ['0', '0.05', '1.25', '9,999', '61.7k', '1.23M', '3.1e-7']
    >>> human_number(float("nan"))
    'not a number'
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value < 0:
        return "−" + human_number(-value, digits)
    if value == 0:
        return "0"
    if value < 1e-4:
        return f"{value:.{digits - 1}g}".replace("e-0", "e-")
    if value < 10_000:
        if value >= 10 ** (digits - 1) or value == int(value):
            return f"{value:,.0f}"
        decimals = max(0, digits - 1 - math.floor(math.log10(value)))
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    for size, letter in _LARGE:
        if value >= size * (1 - 0.5 * 10**-digits):
            scaled = value / size
            if scaled >= 1000 * (1 - 0.5 * 10**-digits) and letter == "T":
                return f"{value:.{digits - 1}e}"
            decimals = max(0, digits - 1 - math.floor(math.log10(max(scaled, 1.0))))
            text = f"{scaled:.{decimals}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    return f"{value:,.0f}"


def number_text(value: float, unit: str = "") -> str:
    """Write a measured number, without its unit: two decimals in percent, four digits otherwise.

    >>> number_text(99.231, "%"), number_text(1.93412)
    ('99.23', '1.934')
    """
    if unit == "%" and math.isfinite(value):
        return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no sign before a zero
    return human_number(value, 4)


def unit_text(value: float, unit: str = "") -> str:
    """Write a measured number and its unit.

    >>> unit_text(99.231, "%")
    '99.23 %'
    """
    return f"{number_text(value, unit)} {unit}".rstrip()


def interval_text(low: float, high: float, unit: str = "") -> str:
    """Write an interval, with the unit once.

    >>> interval_text(98.912, 99.347, "%")
    '98.91 to 99.35 %'
    """
    return f"{number_text(low, unit)} to {unit_text(high, unit)}"


def nice_ticks(low: float, high: float, num: int = 5) -> list[float]:
    """Return at most `num` + 1 round numbers in [low, high], at equal distances.

    >>> nice_ticks(0, 100)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    >>> nice_ticks(0.13, 0.42, 3)
    [0.2, 0.3, 0.4]
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    power = 10.0 ** (math.floor(math.log10(span / max(1, num))) - 1)
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50, 100):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first <= num:
            break
    decimals = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, decimals) + 0.0 for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten in [low, high], with 2 and 5 between them where they are few.

    >>> log_ticks(0.009, 12)
    [0.01, 0.1, 1.0, 10.0]
    >>> log_ticks(0.3, 2.5)
    [0.5, 1.0, 2.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high) - math.log10(low)
    if decades < 0.5:
        return [tick for tick in nice_ticks(low, high, 4) if tick > 0]
    factors = (1, 2, 5) if decades < 2 else (1,)
    stride = max(1, round((last - first) / 6))
    ticks = [
        float(f"{factor}e{power}")
        for power in range(first, last + 1)
        if (power - first) % stride == 0 or decades < 2
        for factor in factors
    ]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Write the ticks of one axis so that neighbours never read the same.

    >>> tick_labels([0.0, 0.5, 1.0])
    ['0', '0.5', '1.0']
    >>> tick_labels([0.0, 5000.0, 10000.0])
    ['0', '5k', '10k']
    """
    largest = max((abs(tick) for tick in ticks), default=0.0)
    steps = [abs(b - a) for a, b in itertools.pairwise(ticks) if a != b]
    step = min(steps, default=largest)
    if 1e-3 <= step < 1 or (step and largest < 10_000):
        exact = (d for d in range(8) if all(abs(round(t, d) - t) < 1e-3 * step for t in ticks))
        decimals = next(exact, 8)
        return ["0" if t == 0 else f"{t:,.{decimals}f}".replace("-", "−") for t in ticks]
    for size, letter in _LARGE:
        if largest >= max(size, 10_000) and step >= size / 10:
            scaled = [f"{tick / size:.2f}".rstrip("0").rstrip(".") for tick in ticks]
            return [f"{s}{letter}".replace("-", "−") if s != "0" else "0" for s in scaled]
    for digits in range(3, 9):
        labels = [human_number(tick, digits) for tick in ticks]
        if len(set(labels)) == len(labels):
            return labels
    return [repr(tick).replace("-", "−") for tick in ticks]
