"""A `torch.export` program: written from a graph, and asked, with torch alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from samoyed.core.errors import DataError
from samoyed.serving import describing
from samoyed.serving.onnx_file import any_number, quiet_exporter, tensors
from samoyed.serving.packing import Inputs

EXTRA_FILE = "samoyed.json"  # within the program's archive: what it says of itself


class TorchModel:
    """An exported program, ready to answer.

    Raises:
        DataError: when it is no `torch.export` file, or not one of ours.
    """

    def __init__(self, path: str | Path) -> None:
        held = {EXTRA_FILE: ""}
        try:
            with quiet_exporter():
                program = torch.export.load(str(path), extra_files=held)
        except Exception as error:  # the loader's own exceptions share no base
            raise DataError(
                path, "a torch.export file", " ".join(str(error).split())[:200],
                "write it again: samoyed export RUN --to torch",
            ) from None  # fmt: skip
        self.described = describing.read(Path(path), held[EXTRA_FILE])
        self.program = program.module()

    def answer(self, inputs: Inputs) -> np.ndarray:
        """Return (B, K) float32 answers for inputs by their names."""
        with torch.inference_mode():
            return self.program(*tensors(inputs)).numpy()


def write_torch(graph: nn.Module, example: Inputs, described: dict[str, Any], path: Path) -> None:
    """Write a graph whose batch may have any size.

    Args:
        graph: in evaluation mode.
        example: inputs of at least 2 examples.
        described: what the file says of itself.
        path: of the file.
    """
    with quiet_exporter():
        program = torch.export.export(
            graph, tensors(example), dynamic_shapes=any_number(graph, example)
        )
        held = json.dumps(described, ensure_ascii=False)
        torch.export.save(program, str(path), extra_files={EXTRA_FILE: held})
