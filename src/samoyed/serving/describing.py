"""What an exported file says of itself: JSON that a person or another program can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError
from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec

FORMAT = 1
METADATA_KEY = "samoyed"  # under which an ONNX file holds it
PICTURES = (
    "pictures: uint8, (number, channels, rows, columns), red before green before blue; scaled "
    "until the picture covers rows x columns and cut around its centre"
)
NUMBERS = (
    "numbers: float64, (number, columns whose kind is number or date, in the order of `columns`), "
    "as written, dates as days since 1970-01-01 UTC, NaN where missing"
)
BITS = "bits: uint8, (number, bits), Morgan fingerprints of radius 2"
CATEGORIES = (
    "categories: int64, (number, columns whose kind is category, in order), 1 for the first of "
    "`categories`, 2 for the second ...; 0 for a value that is not among them; '' is missing"
)
PICTURE_TASKS = ("classify", "classify_labels")
TABLE_TASKS = ("classify_table", "regress_table", "classify_several")
OUTPUTS = {
    "classes": "probabilities: (number, classes in the order of `labels`)",
    "labels": "probabilities: (number, labels in the order of `labels`), each of a yes",
    "binaries": "probabilities: (number, questions in the order of `labels`), each of a yes",
    "number": "values: (number, 1), in the target's own unit",
}


def of_pictures(task: str, spec: ImageSpec, labels: LabelSpec) -> dict[str, Any]:
    """Describe a file that classifies pictures.

    Args:
        task: the question's name.
        spec: size and colours of the pictures it takes.
        labels: the classes or labels, in the order of its answers.
    """
    output = OUTPUTS["classes" if task == "classify" else "labels"]
    return {
        "task": task, "inputs": [PICTURES], "output": output,
        "channels": spec.channels, "rows": spec.height, "columns": spec.width,
        **({"gray_bits": spec.gray_bits} if spec.gray_bits != 16 else {}),
        "labels": list(labels.names),
    }  # fmt: skip


def of_rows(task: str, spec: TableSpec, target: TargetSpec) -> dict[str, Any]:
    """Describe a file that answers for the rows of a table.

    Args:
        task: the question's name.
        spec: the columns; their statistics are inside the graph and left out here.
        target: what is asked.
    """
    inputs = zip((NUMBERS, BITS, CATEGORIES), input_names(spec, only_used=False), strict=True)
    return {
        "task": task,
        "inputs": [text for text, name in inputs if name in input_names(spec)],
        "output": OUTPUTS[target.kind],
        "columns": [_of_column(column) for column in spec.columns],
        "file_columns": list(spec.names), "has_header": spec.has_header,
        "target": {"kind": target.kind, "columns": list(target.columns)},
        "labels": list(target.names if target.kind == "classes" else target.columns),
    }  # fmt: skip


def _of_column(column: Column) -> dict[str, Any]:
    said = {"form": column.form, "num_bits": column.num_bits}
    described = {"name": column.name, "kind": column.kind, **{k: v for k, v in said.items() if v}}
    if column.kind == "category":
        described["categories"] = list(column.categories)
    return described


def input_names(spec: TableSpec, *, only_used: bool = True) -> list[str]:
    """Return what a table's graph takes, in order."""
    used = {"numbers": spec.numbers, "bits": spec.num_bits, "categories": spec.categories}
    return [name for name, some in used.items() if some or not only_used]


@dataclass(frozen=True)
class Described:
    """What an exported file said of itself, read back.

    Args:
        task: the question it answers.
        labels: classes or questions.
        image: pictures: their size.
        table: rows: the columns.
        target: rows: the question.
        all: everything that was said.
    """

    task: str
    labels: LabelSpec
    image: ImageSpec | None
    table: TableSpec | None
    target: TargetSpec | None
    all: Mapping[str, Any]


def read(path: Path, text: str) -> Described:
    """Read what a file says of itself.

    Raises:
        DataError: when it says nothing, or what this version does not understand.
    """
    hint = "write it with: samoyed export RUN"
    if not text:
        raise DataError(
            path, "a file that `samoyed export` wrote", "a model that says nothing of its labels",
            f"{hint}; others answer with their own tools",
        )  # fmt: skip
    try:
        said = json.loads(text)
        if said["format"] > FORMAT:
            raise DataError(
                path, f"format {FORMAT} or older", f"format {said['format']}", "update samoyed"
            )
        labels = LabelSpec(tuple(said["labels"]))
        if said["task"] in PICTURE_TASKS:
            image = ImageSpec(
                said["channels"], said["rows"], said["columns"], said.get("gray_bits", 16)
            )
            return Described(said["task"], labels, image, None, None, said)
        columns = tuple(
            Column(
                column["name"], column["kind"], form=column.get("form", ""),
                categories=tuple(column.get("categories", ())), num_bits=column.get("num_bits", 0),
            )
            for column in said["columns"]
        )  # fmt: skip
        spec = TableSpec(columns, tuple(said["file_columns"]), said["has_header"])
        asked = said["target"]
        target = TargetSpec(asked["kind"], tuple(asked["columns"]), labels.names)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            path, "what `samoyed export` wrote about the file", f"something else: {error!r}", hint
        ) from None
    return Described(said["task"], labels, None, spec, target, said)
