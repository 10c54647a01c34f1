"""From a path and a row of the catalog to everything training needs, for each kind of data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import nn

from samoyed.catalog import Row, find
from samoyed.core.errors import DataError, OptionError, did_you_mean
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import seed_everything
from samoyed.core.settings import apply, from_json, to_json
from samoyed.core.stage import Recipe, Stage

PICTURE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm",
}  # fmt: skip
IDX_NAME = re.compile(r"idx[13]-ubyte(\.gz)?$|idx[13]$")
WORLD_NAME = re.compile(r"^(?:[\w.-]+/)?[A-Za-z][\w:.-]*-v\d+$")
SAMPLE = "digits"


class Source(Protocol):
    """What a reader found; nothing is decoded yet."""

    kind: str
    name: str
    path: str
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str

    def describe(self) -> list[str]:
        """Say in plain lines what was found."""
        ...


class Task(Protocol):
    """The question asked."""

    name: str
    headline: str

    def score(
        self, model: nn.Module, data: Any, device: Any = "cpu", limit: int | None = None,
        seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out part, the headline first."""
        ...

    def answer(self, model: nn.Module, inputs: Any, device: Any = "cpu") -> list[Answer]:
        """Answer the task's question for each input."""
        ...


@dataclass(frozen=True)
class DataSettings:
    """Dials of the data that `--set` reaches.

    Args:
        num_labels: train on the labels of only this many examples (spread over the classes);
            pre-training still sees every example.
    """

    num_labels: int | None = None


@dataclass(frozen=True)
class Assembly:
    """A question, put together: data, task, model and how to train it."""

    row: Row
    size: str
    source: Any
    data: Any
    task: Any
    config: Any
    recipe: Recipe
    seed: int
    data_settings: DataSettings
    make_model: Callable[[], nn.Module]
    make_stages: Callable[[nn.Module], Iterator[Stage]]


def open_source(path: str, *, on_bad: str = "stop", seed: int = 0) -> Any:
    """Find out what kind of data this is and scan it.

    Args:
        path: a file, a folder, a Gymnasium id, the name of a built-in world, or "digits".
        on_bad: "stop" at the first bad file, or "skip" and list them.
        seed: decides the split where the data brings none.

    Raises:
        DataError: when there is no such data or it cannot be used.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        return _open_folder(target, on_bad, seed)
    if target.is_file():
        return _open_file(target, on_bad, seed)
    if path == SAMPLE:
        from samoyed.data.digits import scan_digits

        return scan_digits(seed=seed)
    from samoyed.worlds.scan import BUILT_IN, scan_world

    if path in BUILT_IN or WORLD_NAME.match(path):
        return scan_world(path, on_bad=on_bad, seed=seed)
    siblings = [p.name for p in target.parent.iterdir()] if target.parent.is_dir() else []
    hint = did_you_mean(target.name, [*siblings, *BUILT_IN, SAMPLE, "CartPole-v1"]).strip()
    raise DataError(
        path, "a file, a folder, a Gymnasium id or a built-in sample or world", "nothing there",
        hint or f"built in are: {', '.join([SAMPLE, *BUILT_IN])}",
    )  # fmt: skip


def _open_file(target: Path, on_bad: str, seed: int) -> Any:
    if target.suffix.lower() in PICTURE_SUFFIXES:
        raise DataError(
            target, "a folder of pictures with one folder per class", "a single picture",
            f"give the folder: samoyed train {target.parent.parent}",
        )  # fmt: skip
    if IDX_NAME.search(target.name):
        from samoyed.data.images import scan_images

        return scan_images(target.parent, on_bad=on_bad, seed=seed)
    from samoyed.data.text import scan_text

    return scan_text(target, on_bad=on_bad, seed=seed)


def _open_folder(target: Path, on_bad: str, seed: int) -> Any:
    """Pictures or texts: whichever the folder holds, by suffix."""
    pictures = texts = 0
    for file in _some_files(target):
        suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
        pictures += suffix in PICTURE_SUFFIXES or bool(IDX_NAME.search(file.name))
        texts += suffix in (".txt", ".text")
    if texts and pictures and min(texts, pictures) * 20 > texts + pictures:
        raise DataError(
            target, "a folder of pictures or a folder of texts",
            f"both ({pictures} pictures and {texts} texts among the first files)",
            "move one kind elsewhere and give the folder of the other",
        )  # fmt: skip
    if texts > pictures:
        from samoyed.data.text import scan_text

        return scan_text(target, on_bad=on_bad, seed=seed)
    from samoyed.data.images import scan_images

    return scan_images(target, on_bad=on_bad, seed=seed)


def _some_files(folder: Path, limit: int = 2000) -> Iterator[Path]:
    """Yield up to `limit` files below a folder; hidden ones are left out."""
    import os

    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            yield Path(place, name)
            seen += 1
            if seen >= limit:
                return


def assemble(
    row: Row,
    source: Any,
    *,
    size: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    seed: int = 0,
    epochs: float | None = None,
    extra_groups: tuple[Any, ...] = (),
) -> tuple[Assembly, list[Any]]:
    """Put a question together.

    Args:
        row: the system.
        source: the data.
        size: one of the system's sizes, or None to choose it.
        settings: `--set` keys and values.
        seconds: how long training may take, if the user said so.
        seed: decides initial weights and the order of examples.
        epochs: passes through the data, if the user said so.
        extra_groups: further settable dataclasses of the caller.

    Returns:
        The assembly and the extra groups with their settings applied.

    Raises:
        OptionError: for a size or a setting that does not exist.
    """
    system = row.load()
    size = size or _size(row, system, source, seconds)
    if size not in row.sizes:
        raise OptionError(
            "--size", f"a size of {row.name}: " + ", ".join(row.sizes), repr(size),
            did_you_mean(size, row.sizes).strip(),
        )  # fmt: skip
    build = {"images": _images, "text": _text, "world": _world}[row.given]
    return build(row, system, source, size, settings or {}, seed, epochs, extra_groups)
