"""Ask an exported file as one asks a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samoyed.core.errors import DataError
from samoyed.core.reference import Answer
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data.images import read_pictures
from samoyed.serving.onnx_file import OnnxModel
from samoyed.tasks.classify import answer_of

SUFFIXES = (".onnx", ".pt2")
BATCH = 64  # pictures at once


def is_exported(path: str | Path) -> bool:
    """Tell by its name whether this is a file that `samoyed export` writes."""
    return Path(path).suffix.lower() in SUFFIXES


def ask(path: str | Path, inputs: Sequence[str]) -> list[Answer]:
    """Say what is on each picture, with an exported file in the model's place.

    Args:
        path: an `.onnx` or `.pt2` file.
        inputs: pictures, and folders of which every picture is taken.

    Raises:
        DataError: for a file that is missing or not ours, or a path that is no picture.
        MissingExtra: when onnxruntime is not installed.
    """
    if not Path(path).is_file():
        raise DataError(path, "an exported file", "nothing there", "samoyed export RUN writes one")
    graph, described = _opened(Path(path))
    spec = ImageSpec(described["channels"], described["rows"], described["columns"])
    labels = LabelSpec(tuple(described["labels"]))
    images, names = read_pictures(inputs, spec)
    pieces = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(np.array(images[start : start + BATCH]))
            pieces.append(graph(batch).numpy())
    probabilities = np.concatenate(pieces)
    return [answer_of(n, row, labels) for n, row in zip(names, probabilities, strict=True)]


def _opened(path: Path) -> tuple[Callable[[Tensor], Tensor], dict[str, Any]]:
    """Return the graph and what the file says of itself."""
    if path.suffix.lower() == ".onnx":
        model = OnnxModel(path)
        return model, model.description
    held = {"samoyed.json": ""}
    try:
        program = torch.export.load(str(path), extra_files=held)
    except Exception as error:  # the loader's own exceptions share no base
        raise DataError(
            path, "a torch.export file", str(error).splitlines()[0][:200],
            "write it again: samoyed export RUN --to torch",
        ) from None  # fmt: skip
    if not held["samoyed.json"]:
        raise DataError(path, "a file that `samoyed export` wrote", "one without its labels")
    return program.module(), json.loads(held["samoyed.json"])
