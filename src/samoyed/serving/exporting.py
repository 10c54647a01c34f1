"""`samoyed export`: a run as one file that answers elsewhere, compared before it is called done."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from samoyed.core.errors import MissingExtra, OptionError, RunError, did_you_mean
from samoyed.runs.drawing_scores import score_interval, score_words, value_text
from samoyed.runs.run import Run
from samoyed.serving.onnx_file import OnnxModel, import_onnx, import_runtime, write_int8, write_onnx
from samoyed.serving.packing import Answers, Inputs, Packed, pack, refuse_others, some
from samoyed.serving.torch_file import TorchModel, write_torch
from samoyed.serving.word_vectors import FORMAT as VECTORS
from samoyed.serving.word_vectors import export_vectors

FORMATS = {"onnx": ".onnx", "torch": ".pt2"}
TOLERANCE = 1e-4  # of a probability, or of the standard deviation of a number
TIMED_BATCH, TIMED_REPEATS = 32, 15
MEASURED_BATCH = 256


@dataclass(frozen=True)
class Exported:
    """What was written, and how it was checked.

    Args:
        path: of the file.
        difference: largest difference to the run's own answers, before any rounding to int8.
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
        run: a finished run about pictures or tables.
        to: "onnx", "torch" (a `torch.export` program), or "word2vec" for the vectors of words.
        out: the file; by default the run's name beside the run folder.
        is_int8: weights and activations as 8-bit integers (ONNX only); accuracy and speed are
            measured against the 32-bit file, which is written too.

    Raises:
        OptionError: for a format that does not exist, int8 for torch, or a name of another ending.
        RunError: when the run answers another question, or the file answers otherwise than the run.
        MissingExtra: when a package is missing.
    """
    if to == VECTORS:
        path, lines = export_vectors(run, out, is_int8=is_int8)
        return Exported(path, 0.0, lines)
    path = _file_for(run, to, out, is_int8)
    refuse_others(run)
    if to == "onnx":
        import_onnx()
        import_runtime()
    packed = pack(run, is_measured=is_int8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
            return _written(run, packed, to, path, Path(folder), is_int8)
    except OSError as error:
        raise OptionError("--out", "a file that can be written", f"{path}: {error}") from None


def _file_for(run: Run, to: str, out: str | Path | None, is_int8: bool) -> Path:
    """Return where the file goes."""
    if to not in FORMATS:
        known = (*FORMATS, VECTORS)
        hint = did_you_mean(to, known).strip()
        raise OptionError("--to", "one of " + ", ".join(known), repr(to), hint)
    if is_int8 and to != "onnx":
        raise OptionError("--int8", "--to onnx", f"--to {to}", "leave --int8 out")
    ending = FORMATS[to]
    if out is None:
        resolved = run.path.resolve()
        return run.path.parent / (resolved.name + (".int8" if is_int8 else "") + ending)
    path = Path(out)
    if path.is_dir():
        raise OptionError("--out", f"a file, such as {path / ('model' + ending)}", "a folder")
    if path.suffix.lower() != ending:
        raise OptionError(
            "--out", f"a name that ends in {ending}", repr(str(out)),
            f"--out {path.with_suffix(ending)}",
        )  # fmt: skip
    return path


def _written(
    run: Run, packed: Packed, to: str, path: Path, folder: Path, is_int8: bool
) -> Exported:
    """Write into a folder aside, and move what answers as it should to its place."""
    trials = packed.trials()
    aside = folder / ("model" + FORMATS[to])
    write, open_file = (write_torch, TorchModel) if to == "torch" else (write_onnx, OnnxModel)
    try:
        write(packed.graph, packed.made_up, packed.description, aside)
        answers = open_file(aside).answer
        difference = largest_difference(packed.own, answers, trials, packed.unit)
    except (MissingExtra, OSError):
        raise
    except Exception as error:  # exporters and runtimes raise anything
        raise RunError(
            run.path, f"a model that {to} can hold, for any number of {packed.what} at once",
            " ".join(str(error).split())[:300], "no file was written; please report this run",
        ) from error  # fmt: skip
    if not difference <= TOLERANCE:
        raise RunError(
            run.path, f"the file's answers within {TOLERANCE:g} of the run's",
            f"a difference of {difference:.2g}", "no file was written; please report this run",
        )  # fmt: skip
    unit = " standard deviations of the target" if packed.unit != 1.0 else ""
    checked = (
        f"  answers as the run does: largest difference {difference:.1e}{unit} over "
        + (f"held-out {packed.what} and made-up ones" if packed.is_seen else
           f"made-up {packed.what} alone, as the run's data has changed since it learned")
        + ", 1 and 7 at once"
    )  # fmt: skip
    if not is_int8:
        aside.replace(path)
        return Exported(path, difference, (_line_of(path), checked))
    plain = path.with_name(path.stem.removesuffix(".int8") + ".float32.onnx")
    small = folder / "small.onnx"
    if not write_int8(aside, packed.calibration, small):
        raise OptionError(
            "--int8", "a model whose layers onnxruntime can bring to 8-bit integers",
            f"{run.config['system']}, which has none", "leave --int8 out",
        )  # fmt: skip
    compared = compare({"float32": OnnxModel(aside), "int8": OnnxModel(small)}, packed)
    aside.replace(plain)
    small.replace(path)
    return Exported(path, difference, (_line_of(plain), checked, _line_of(path), *compared))


def _line_of(path: Path) -> str:
    return f"written: {path} ({path.stat().st_size / 1e6:.2f} MB)"


def largest_difference(
    ours: Answers, theirs: Answers, trials: list[Inputs], unit: float = 1.0
) -> float:
    """Return the largest difference between two ways to answer the same inputs.

    It is measured in `unit`, or in the answer itself where that is larger: 32-bit numbers are
    exact to a share of their size.
    """
    pairs = [(ours(each), theirs(each)) for each in trials]
    found = [(np.abs(a - b) / np.maximum(unit, np.abs(a))).max() for a, b in pairs]
    return float(np.max(found))  # which is not a number where one of them is none


def compare(models: dict[str, OnnxModel], packed: Packed) -> list[str]:
    """Measure files side by side on held-out examples, and say what the second costs and brings.

    Args:
        models: two files by name.
        packed: what they were made of.
    """
    num = len(packed.targets)
    batch = some(packed.held_out, slice(0, TIMED_BATCH))
    speeds = _speeds([partial(model.answer, batch) for model in models.values()])
    rates = [len(next(iter(batch.values()))) / seconds for seconds in speeds]
    answers, lines = [], []
    for (name, model), rate in zip(models.items(), rates, strict=True):
        parts = range(0, num, MEASURED_BATCH)
        pieces = [model.answer(some(packed.held_out, slice(i, i + MEASURED_BATCH))) for i in parts]
        answers.append(np.concatenate(pieces))
        score = packed.headline(answers[-1], packed.targets)
        lines.append(
            f"  {name:<8} {score_words(score.name)} {value_text(score)} {score_interval(score)} "
            f"on {num:,} held-out {packed.what}; {rate:,.0f} {packed.what}/s"
        )
    gain = rates[1] / rates[0]
    verdict = "" if gain > 1 else ": no gain in speed on this machine"
    lines.append(f"  int8 is {gain:.2f} times as fast, in batches of {TIMED_BATCH}{verdict}")
    if answers[0].shape[1] > 1 and packed.targets.ndim == 1:
        same = float(np.mean(answers[0].argmax(1) == answers[1].argmax(1)))
        lines.append(f"  both give the same answer for {same:.2%} of them")
    return lines


def _speeds(calls: list[Callable[[], object]]) -> list[float]:
    """Return the median seconds of each call, taken in turns so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(TIMED_REPEATS):
        for call, found in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]
