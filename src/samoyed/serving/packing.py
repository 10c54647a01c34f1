"""What is exported of a run: a graph, what is said of it, and inputs to hold it against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.errors import ChangedData, RunError
from samoyed.core.reference import Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import TableSpec
from samoyed.data.table_encoding import RawRows, lay_out
from samoyed.kinds.parts import Assembly
from samoyed.runs.run import Run
from samoyed.serving import describing
from samoyed.serving.answering import PictureAnswers, RowAnswers
from samoyed.tasks.classify import predict_probabilities, scores_of
from samoyed.tasks.classify_labels import label_scores, predict_chances
from samoyed.tasks.table_regress import number_scores
from samoyed.tasks.table_several import several_scores, sigmoid
from samoyed.tasks.table_training import predict_values

Inputs = dict[str, np.ndarray]
"""Arrays by name, in the order in which the graph takes them; their first axis is the batch."""

Answers = Callable[[Inputs], np.ndarray]
"""From inputs to (B, K) answers."""

NUM_TRIED = 7  # examples at once, in the larger of two trials
NUM_CALIBRATION = 256  # examples from which int8 takes its bounds
NUM_MEASURED = 2000  # held-out examples on which int8 is compared
MISSING_SHARE = 0.2  # of the numbers in made-up rows


@dataclass(frozen=True)
class Packed:
    """What is exported of a run.

    Args:
        graph: in evaluation mode.
        description: what the file will say of itself.
        own: the run's answers, by the run's own code and not by the graph.
        unit: in which differences between answers are measured.
        what: what an example is called, in the plural.
        held_out: examples on which int8 is measured.
        targets: theirs.
        made_up: `NUM_TRIED` examples no one has seen.
        calibration: examples of the training part.
        headline: (answers, targets) -> the run's first score.
        is_seen: whether held-out examples are at hand: not where the data has changed.
    """

    graph: nn.Module
    description: dict[str, Any]
    own: Answers
    unit: float
    what: str
    held_out: Inputs
    targets: np.ndarray
    made_up: Inputs
    calibration: Inputs
    headline: Callable[[np.ndarray, np.ndarray], Score]
    is_seen: bool = True

    def trials(self) -> list[Inputs]:
        """Return inputs to compare answers on: held-out and made-up ones, 1 and 7 at once."""
        pools = (self.held_out, self.made_up) if self.is_seen else (self.made_up,)
        return [some(pool, slice(0, num)) for pool in pools for num in (1, NUM_TRIED)]


def some(inputs: Inputs, rows: slice) -> Inputs:
    """Return these examples."""
    return {name: np.ascontiguousarray(array[rows]) for name, array in inputs.items()}


def pack(run: Run, *, is_measured: bool = False) -> Packed:
    """Return what is exported of a run.

    Args:
        run: a finished run.
        is_measured: whether its examples are needed, as for int8; else, where the data is no
            longer what the run learned from, made-up ones alone are there to compare.

    Raises:
        RunError: when the run's question cannot leave as one graph.
        ChangedData: when the data has changed and is needed.
        DataError: when the run's data is gone.
    """
    refuse_others(run)
    of = _pictures if run.task.name in describing.PICTURE_TASKS else _rows
    try:
        return of(run, run.assembly())
    except ChangedData:
        if is_measured:
            raise
        return of(run, None)


def refuse_others(run: Run) -> None:
    """Raise a RunError for a run whose question cannot leave as one graph."""
    if run.task.name in (*describing.PICTURE_TASKS, *describing.TABLE_TASKS):
        return
    hint = "such runs cannot be exported; this one answers with samoyed alone: samoyed predict"
    if run.task.name == "embed":
        hint = f"its vectors leave as a file of the program word2vec: samoyed export {run.path} "
        hint += "--to word2vec"
    raise RunError(
        run.path, "a run about pictures, tables or word vectors",
        f"one of the task {run.task.name}", hint,
    )  # fmt: skip


def _about(run: Run, described: dict[str, Any]) -> dict[str, Any]:
    """Add what every file says."""
    scores = run.folder.read("scores.json")["scores"]
    return {
        "format": describing.FORMAT, **described, "system": run.config["system"],
        "numbers": "float32", "scores": scores,
    }  # fmt: skip


def _pictures(run: Run, assembly: Assembly | None) -> Packed:
    shape = run.task.spec.shape
    noise = numpy_generator(0, "export").integers(0, 256, (NUM_TRIED, *shape), dtype=np.uint8)
    held_out, targets, calibration = noise, np.empty(0), noise
    if assembly is not None:
        data = assembly.data
        held_out, targets = data.test.images[:NUM_MEASURED], data.test.labels[:NUM_MEASURED]
        calibration = data.train.images[np.sort(_calibration_rows(len(data.train)))]
    is_several = run.task.name == "classify_labels"
    probabilities_of = predict_chances if is_several else predict_probabilities
    measure: Callable[[np.ndarray, np.ndarray], Score] = (
        (lambda answers, targets: label_scores(targets, answers)[0]) if is_several
        else lambda answers, targets: scores_of(answers, targets)[0]
    )  # fmt: skip
    described = describing.of_pictures(run.task.name, run.task.spec, run.task.labels)
    return Packed(
        graph=PictureAnswers(run.model, is_several=is_several).eval(),
        description=_about(run, described),
        own=lambda inputs: probabilities_of(run.model, inputs["pictures"]),
        unit=1.0, what="pictures",
        held_out={"pictures": np.asarray(held_out)}, targets=np.asarray(targets),
        made_up={"pictures": noise}, calibration={"pictures": np.asarray(calibration)},
        headline=measure, is_seen=assembly is not None,
    )  # fmt: skip


def _rows(run: Run, assembly: Assembly | None) -> Packed:
    task = run.task
    spec, target = task.spec, task.target
    made_up = inputs_of(spec, _made_up(spec))
    held_out, targets, calibration = made_up, np.empty(0), made_up
    if assembly is not None:
        train, test = assembly.source.raw()
        held_out = inputs_of(spec, test.some(slice(0, NUM_MEASURED)))
        targets = assembly.data.test.targets[:NUM_MEASURED]
        calibration = inputs_of(spec, train.some(_calibration_rows(len(train))))

    def own(inputs: Inputs) -> np.ndarray:
        rows = lay_out(spec, raw_of(inputs))
        if target.kind == "number":
            return task.numbers(run.model, rows)[:, None]
        values = predict_values(run.model, rows)
        if target.kind == "binaries":
            return sigmoid(values)
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def headline(answers: np.ndarray, targets: np.ndarray) -> Score:
        if target.kind == "number":
            return number_scores(targets, answers[:, 0])[0]
        if target.kind == "binaries":
            return several_scores(targets, answers, target.columns)[0]
        return scores_of(answers, targets)[0]

    return Packed(
        graph=RowAnswers(run.model, spec, target).eval(),
        description=_about(run, describing.of_rows(task.name, spec, target)),
        own=own, unit=target.scale if target.kind == "number" else 1.0, what="rows",
        held_out=held_out, targets=targets, made_up=made_up, calibration=calibration,
        headline=headline, is_seen=assembly is not None,
    )  # fmt: skip


def _calibration_rows(num: int) -> np.ndarray:
    return numpy_generator(0, "calibration").permutation(num)[:NUM_CALIBRATION]


def _made_up(spec: TableSpec) -> RawRows:
    """Return rows that no table holds: far and missing numbers, any bits, any category."""
    generator = numpy_generator(0, "export")
    centre = np.array([column.centre for column in spec.numbers])
    scale = np.array([column.scale for column in spec.numbers])
    numbers = centre + 3 * scale * generator.standard_normal((NUM_TRIED, len(spec.numbers)))
    numbers[generator.random(numbers.shape) < MISSING_SHARE] = np.nan
    bits = generator.integers(0, 2, (NUM_TRIED, spec.num_bits), dtype=np.uint8)
    most = np.array([len(column.categories) for column in spec.categories], dtype=np.int64)
    return RawRows(numbers, bits, generator.integers(0, most + 1, (NUM_TRIED, len(most))))


def inputs_of(spec: TableSpec, raw: RawRows) -> Inputs:
    """Return rows as a table's graph takes them."""
    parts = {"numbers": raw.numbers, "bits": raw.bits, "categories": raw.indices}
    return {name: parts[name] for name in describing.input_names(spec)}


def raw_of(inputs: Inputs) -> RawRows:
    """Return the rows that `inputs_of` took apart."""
    num = len(next(iter(inputs.values())))
    empty = np.zeros((num, 0))
    return RawRows(
        inputs.get("numbers", empty), inputs.get("bits", empty), inputs.get("categories", empty)
    )
