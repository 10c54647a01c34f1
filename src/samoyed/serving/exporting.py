"""`samoyed export`: a run as one file that answers elsewhere, compared before it is called done."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from samoyed.core.errors import OptionError, RunError
from samoyed.core.seeding import numpy_generator
from samoyed.runs.run import Run
from samoyed.serving.answering import PictureAnswers, description, largest_difference
from samoyed.serving.onnx_file import OnnxModel, quiet_exporter, write_int8, write_onnx

FORMATS = {"onnx": ".onnx", "torch": ".pt2"}
TOLERANCE = 1e-4  # of a probability
NUM_CALIBRATION = 256  # pictures from which int8 takes its bounds
NUM_MEASURED = 2000  # held-out pictures on which int8 is compared
TIMED_BATCH, TIMED_REPEATS = 32, 15


@dataclass(frozen=True)
class Exported:
    """What was written, and how it was checked.

    Args:
        path: of the file.
        difference: largest difference to the run's own probabilities.
        lines: what there is to say, for a person.
    """

    path: Path
    difference: float
    lines: tuple[str, ...]


def export(
    run: Run, to: str = "onnx", out: str | Path | None = None, *, is_int8: bool = False
) -> Exported:
    """Write a run as one file, preprocessing inside, and compare it with the run.

    Args:
        run: a finished run that classifies pictures.
        to: "onnx" or "torch" (a `torch.export` program).
        out: the file; by default the run's name beside the run folder.
        is_int8: weights and activations as 8-bit integers (ONNX only); accuracy and speed are
            measured against the 32-bit file.

    Raises:
        OptionError: for a format that does not exist, or int8 for torch.
        RunError: when the run answers another question, or the file answers otherwise than the run.
        MissingExtra: when a package is missing.
    """
    if to not in FORMATS:
        raise OptionError("--to", "one of " + ", ".join(FORMATS), repr(to))
    if is_int8 and to != "onnx":
        raise OptionError("--int8", "--to onnx", f"--to {to}", "leave --int8 out")
    if run.task.name != "classify":
        raise RunError(run.path, "a run that classifies pictures", f"one of {run.task.name}")
    path = Path(out) if out is not None else run.path.with_name(run.path.name + FORMATS[to])
    if path.is_dir():
        raise OptionError("--out", f"a file, such as {path.name}{FORMATS[to]}", "a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = PictureAnswers(run.model).eval()
    scores = run.folder.read("scores.json")["scores"]
    described = description(run.task.spec, run.task.labels, run.config["system"], scores)
    inputs = trial_inputs(run)
    if to == "torch":
        return _to_torch(run, graph, described, inputs, path)
    plain = path.with_suffix(".float32.onnx") if is_int8 else path
    write_onnx(graph, inputs[1], described, plain)
    difference = _checked(run, graph, OnnxModel(plain), inputs, plain)
    lines = _written(plain, difference)
    if not is_int8:
        return Exported(path, difference, lines)
    lines = (*lines, *_to_int8(run, plain, path))
    return Exported(path, difference, lines)


def trial_inputs(run: Run) -> list[Tensor]:
    """Return pictures to compare answers on: held-out ones and noise, 1 and 7 at once."""
    shape = run.task.spec.shape
    held_out = np.asarray(run.assembly().data.test.images[:7])
    noise = numpy_generator(0, "export").integers(0, 256, (7, *shape), dtype=np.uint8)
    pools = (torch.from_numpy(np.array(held_out)), torch.from_numpy(noise))
    return [pool[:num] for pool in pools for num in (1, 7)]


def _checked(
    run: Run, graph: PictureAnswers, exported: Callable[[Tensor], Tensor], inputs: list[Tensor],
    path: Path,
) -> float:  # fmt: skip
    """Return the largest difference; a file that answers otherwise is removed again."""
    with torch.inference_mode():
        difference = largest_difference(graph, exported, inputs)
    if not difference <= TOLERANCE:
        path.unlink()
        raise RunError(
            run.path, f"the file's answers within {TOLERANCE:g} of the run's",
            f"a difference of {difference:.2g}", "the file was removed; please report this run",
        )  # fmt: skip
    return difference


def _written(path: Path, difference: float) -> tuple[str, ...]:
    size = path.stat().st_size / 1e6
    return (
        f"written: {path} ({size:.2f} MB)",
        f"  answers as the run does: largest difference {difference:.1e} over held-out pictures "
        "and noise, 1 and 7 at once",
    )


def _to_torch(
    run: Run, graph: PictureAnswers, described: dict[str, object], inputs: list[Tensor], path: Path
) -> Exported:
    number = torch.export.Dim("number")
    with quiet_exporter():
        program = torch.export.export(graph, (inputs[1],), dynamic_shapes=({0: number},))
        torch.export.save(program, str(path), extra_files={"samoyed.json": json.dumps(described)})
    loaded = torch.export.load(str(path)).module()
    difference = _checked(run, graph, loaded, inputs, path)
    return Exported(path, difference, _written(path, difference))


def _to_int8(run: Run, plain: Path, path: Path) -> tuple[str, ...]:
    """Quantize, measure both files on the held-out part, and say what it costs and brings."""
    data = run.assembly().data
    rows = numpy_generator(0, "calibration").permutation(len(data.train))[:NUM_CALIBRATION]
    write_int8(plain, np.asarray(data.train.images[np.sort(rows)]), path)
    test, targets = data.test.images[:NUM_MEASURED], np.asarray(data.test.labels[:NUM_MEASURED])
    models = {"float32": OnnxModel(plain), "int8": OnnxModel(path)}
    lines = [f"written: {path} ({path.stat().st_size / 1e6:.2f} MB)"]
    for name, model in models.items():
        answers = np.concatenate([
            model.answer(np.asarray(test[i : i + 256])).argmax(1) for i in range(0, len(test), 256)
        ])  # fmt: skip
        lines.append(
            f"  {name:<8} accuracy {np.mean(answers == targets):.2%} of {len(test):,} held-out "
            f"pictures, {pictures_per_s(model, test):,.0f} pictures/s"
        )
    return tuple(lines)


def pictures_per_s(model: OnnxModel, images: np.ndarray) -> float:
    """Return the median speed of answering batches of up to 32 pictures."""
    batch = np.asarray(images[:TIMED_BATCH])
    times = []
    for _ in range(TIMED_REPEATS):
        start = time.perf_counter()
        model.answer(batch)
        times.append(time.perf_counter() - start)
    return len(batch) / statistics.median(times)
