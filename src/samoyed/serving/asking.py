"""Ask an exported file as one asks a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.reference import Answer
from samoyed.data.asked_kind import refuse_pictures
from samoyed.data.images import read_pictures
from samoyed.data.table_rows import read_raw_rows
from samoyed.runs.run import as_list
from samoyed.serving.describing import Described
from samoyed.serving.onnx_file import OnnxModel
from samoyed.serving.packing import Inputs, inputs_of, some
from samoyed.serving.torch_file import TorchModel
from samoyed.tasks.classify import answer_of
from samoyed.tasks.classify_labels import labels_answer
from samoyed.tasks.table_regress import answer_of_number
from samoyed.tasks.table_several import answer_of_several

PICTURES_AT_ONCE, ROWS_AT_ONCE = 64, 1024


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """A file that `samoyed export` wrote, opened.

    >>> load_exported("flowers.onnx").predict("rose.jpg")  # doctest: +SKIP

    Args:
        path: of the file.
        model: what answers.
    """

    path: Path
    model: OnnxModel | TorchModel

    @property
    def described(self) -> Described:
        """Return what the file says of itself."""
        return self.model.described

    def predict(self, inputs: str | Path | Sequence[str | Path]) -> list[Answer]:
        """Answer for pictures, folders of pictures, or tables.

        Raises:
            DataError: for a path that is missing or holds something else.
        """
        said = self.described
        asked = as_list(inputs)
        if said.image is not None:
            images, names = read_pictures(asked, said.image)
            rows = self._answers({"pictures": images})
            told = answer_of if said.task == "classify" else labels_answer
            return [told(n, row, said.labels) for n, row in zip(names, rows, strict=True)]
        assert said.table is not None
        assert said.target is not None
        refuse_pictures(asked, self.path, said.task, said.table)
        raw, names = read_raw_rows(asked, said.table, said.target)
        answers = zip(names, self._answers(inputs_of(said.table, raw)), strict=True)
        if said.target.kind == "classes":
            return [answer_of(name, row, said.labels) for name, row in answers]
        if said.target.kind == "binaries":
            return [answer_of_several(name, row, said.labels.names) for name, row in answers]
        return [answer_of_number(name, float(row[0])) for name, row in answers]

    def _answers(self, inputs: Inputs) -> np.ndarray:
        num = len(next(iter(inputs.values())))
        size = PICTURES_AT_ONCE if "pictures" in inputs else ROWS_AT_ONCE
        parts = (slice(i, i + size) for i in range(0, num, size))
        pieces = [self.model.answer(some(inputs, part)) for part in parts]
        return np.concatenate(pieces)


def load_exported(path: str | Path) -> ExportedModel:
    """Open a file that `samoyed export` wrote: ONNX or, by its name `.pt2`, a torch program.

    Raises:
        DataError: for a file that is missing or not ours.
        MissingExtra: when onnxruntime is not installed.
    """
    file = Path(path)
    if not file.is_file():
        found = "a folder" if file.is_dir() else "nothing there"
        raise DataError(path, "an exported file", found, "samoyed export RUN writes one")
    return ExportedModel(
        file, TorchModel(file) if file.suffix.lower() == ".pt2" else OnnxModel(file)
    )
