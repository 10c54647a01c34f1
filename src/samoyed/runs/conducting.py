"""Conduct one run from the request to the finished folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Gt, Le
from torch import nn

import samoyed
from samoyed.assembly import assemble, settle
from samoyed.catalog import choose, find
from samoyed.core.errors import OptionError, RunError
from samoyed.core.numbers import Weight
from samoyed.core.reach import refuse_too_large, within_reach
from samoyed.core.seeding import seed_everything
from samoyed.core.settings import to_json
from samoyed.data.corpora import refuse_units
from samoyed.kinds.parts import Assembly
from samoyed.opening import open_source, question_of
from samoyed.runs.environment import environment, memory_gib
from samoyed.runs.folder import RunFolder
from samoyed.runs.progress import in_words
from samoyed.runs.request import Request, another_run, stretch
from samoyed.runs.run import device_of
from samoyed.runs.same_data import file_names
from samoyed.training import checkpoint, planning, precision
from samoyed.training.planning import Plan
from samoyed.training.processor import prepare_processor

EXAMPLES = {"minutes": 0.5, "epochs": 3}
FEW_STEPS = 50
FITS = 0.5  # of the minutes: a shorter plan is no longer because its recipe is not
LONGEST = {"minutes": 366 * 24 * 60, "epochs": 1_000_000}


@dataclass(frozen=True)
class RunSettings:
    """Dials of the run itself that `--set` reaches.

    Args:
        checkpoint_s: seconds between checkpoints.
        baselines: also fit shallow models, to compare with.
        report: draw the report.
        learning_curve: train short again on parts of the examples, for the report.
        num_threads: of the processor; None leaves it to torch, but for small networks, which
            several threads slow down: there it is one.
        device: auto, cpu or cuda; taken out by `api.train`, as `quiet`.
        quiet: print nothing.
    """

    checkpoint_s: Weight = 20.0
    baselines: bool = True
    report: bool = True
    learning_curve: bool = False
    num_threads: Annotated[int, Gt(0), Le(1024)] | None = None
    device: str = "auto"
    quiet: bool = False


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to train, or to go on."""

    folder: RunFolder
    assembly: Assembly
    model: nn.Module
    plan: Plan
    device: torch.device
    precision: str
    settings: RunSettings
    checkpoint: checkpoint.Checkpoint | None

    @property
    def position(self) -> tuple[int, int]:
        """Return (stage, step) to go on from."""
        if self.checkpoint is None:
            return 0, 0
        return self.checkpoint.resume.stage_index, self.checkpoint.resume.step

    @property
    def is_trained(self) -> bool:
        """Tell whether every planned step is done."""
        return self.position == (len(self.plan.steps) - 1, self.plan.steps[-1])


@within_reach()
def prepare(
    request: Request, folder: RunFolder, say: Callable[[str], None], *, is_fresh: bool = False
) -> Prepared:
    """Read the data, choose the system, make or take up the plan, and say all of it.

    With `is_fresh`, what the folder held goes only when everything asked for turned out to fit.

    Raises:
        SamoyedError: for anything in the request or the data that does not fit.
    """
    prepare_processor()
    device = device_of(request.device)
    precision.resolve(request.precision, device)  # refused before any data is read
    before = folder.read("config.json") if folder.is_begun and not is_fresh else None
    other = None
    if before is not None:
        other = another_run(folder, request.as_json(), before["request"])
    source = open_source(
        request.data, on_bad=request.on_bad, seed=0, ask=request.about_table,
        about_text=request.about_text, pairs=request.about_pairs,
    )  # fmt: skip
    refuse_units(source.kind, dict(request.settings))
    asked = question_of(source, request.task)
    row, why = choose(source.kind, asked, request.model)
    seconds = None if request.minutes is None else request.minutes * 60
    dials: dict[str, Any] = {
        "size": request.size, "settings": request.dials, "seconds": seconds,
        "epochs": request.epochs, "extra_groups": (RunSettings(),),
    }  # fmt: skip
    if other is not None:
        settle(row, source, **dials)  # a mistake in what is asked for is told first
        raise other
    for line in source.describe():
        say(line)
    said = len(source.warnings)
    for warning in source.warnings:
        say(f"warning: {warning}")
    for line in shortened(source.skipped):
        say(f"skipped: {line}")
    assembly, [settings] = assemble(row, source, seed=request.seed, **dials)
    check_batch(assembly, request)
    for warning in source.warnings[said:]:  # what decoding has shown
        say(f"warning: {warning}")
    for note in assembly.notes:
        say(note)
    use_threads(settings, assembly, before)
    wanted = assembly.recipe.precision if request.precision == "auto" else request.precision
    number = precision.resolve(wanted, device)
    seed_everything(request.seed, "initial weights")
    model = assembly.make_model()
    refuse_too_large(num_parameters(model), memory_gib() if device.type == "cpu" else 0.0)
    if request.init is not None:
        say(begin_with(model, request.init))
    say(f"model: {why}" + (f", size {assembly.size}" if len(row.sizes) > 1 else "")
        + f"; {num_parameters(model):,} parameters, {number} on {device}")  # fmt: skip
    if is_fresh:
        folder.clear()
    if before is None:
        assembly, plan = make_plan(assembly, model, device, number, seconds)
        write_beginning(folder, request, assembly, plan, number)
    else:
        plan = take_up_plan(folder, request, before, source.fingerprint)
        if (added := plan.steps[-1] - before["steps"][-1]) and len(plan.steps) > 1:
            say(
                f"longer: the last of {len(plan.steps)} stages takes all {added:,} further steps; "
                "what the others learned stays as it is (--fresh divides the time anew)"
            )
        number = before["precision"]
        longer = plan.steps[-1] / before["steps"][-1]
        assembly = assembly.lasting(before["recipe"]["epochs"] * longer)
        now = folder.read("config.json")
        folder.write("config.json", {**now, "config": to_json(assembly.config)})  # what is built
    kept = checkpoint.newest(folder.state)
    return Prepared(folder, assembly, model, plan, device, number, settings, kept)


def shortened(lines: Sequence[str], most: int = 10) -> list[str]:
    """Return the first lines and, where there are more, how many.

    >>> shortened(["a", "b", "c"], most=2)
    ['a', 'and 2 more, listed in the report']
    """
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"and {len(lines) - most + 1:,} more, listed in the report"]


def use_threads(settings: RunSettings, assembly: Assembly, before: dict[str, Any] | None) -> None:
    """Set the number of threads: on resuming the one of the beginning, for identical sums."""
    if before is not None:
        torch.set_num_threads(before["num_threads"])
    elif settings.num_threads is not None:
        torch.set_num_threads(settings.num_threads)
    elif assembly.row.has_small_steps or (
        assembly.row.given == "world" and not assembly.source.spec.is_pixels
    ):
        torch.set_num_threads(1)


def check_batch(assembly: Assembly, request: Request) -> None:
    """Refuse to put more examples in a batch, or to take more labels, than there are to draw from.

    Raises:
        OptionError: saying how many there are.
    """
    is_world = assembly.row.given == "world"
    most = assembly.config.replay_size if is_world else assembly.source.num_train
    if "batch_size" in dict(request.settings) and assembly.recipe.batch_size > most:
        what = "moves that are remembered" if is_world else "examples to learn from"
        raise OptionError(
            "--set batch_size", f"at most {most:,}, the {what}", f"{assembly.recipe.batch_size:,}",
            "take fewer, or leave it out",
        )  # fmt: skip
    num_labels = assembly.data_settings.num_labels
    if num_labels is not None and num_labels > assembly.source.num_train:
        raise OptionError(
            "--set num_labels", f"at most {most:,}, the examples to learn from",
            f"{num_labels:,}", "leave it out to learn from all",
        )  # fmt: skip


def make_plan(
    assembly: Assembly, model: nn.Module, device: torch.device, number: str, seconds: float | None
) -> tuple[Assembly, Plan]:
    """Measure how long the steps of the recipe take, and make it last as long as it may.

    Returns:
        The assembly, its recipe as long as the plan, and the plan.
    """
    seed_everything(assembly.seed, "planning")
    measured = planning.measure(
        assembly.make_stages, model, device=device, precision=number, seconds=seconds
    )
    is_enough = assembly.row.is_limited and seconds is not None and measured.seconds <= seconds
    plan = measured if seconds is None or is_enough else measured.fitted(seconds)
    if assembly.row.is_limited:
        plan = replace(plan, most=sum(measured.steps))
    return assembly.lasting(assembly.recipe.epochs * plan.steps[-1] / measured.steps[-1]), plan


def take_up_plan(
    folder: RunFolder, request: Request, before: dict[str, Any], fingerprint: str
) -> Plan:
    """Return the saved plan, stretched where the second command asks for more.

    Raises:
        RunError: when the data is no longer the same.
    """
    known = folder.read("data.json")["fingerprint"]
    if fingerprint != known:
        raise RunError(
            request.data, f"the data this run began with (fingerprint {known[:12]})",
            f"other content (fingerprint {fingerprint[:12]})",
            "put the data back, choose another --out, or start over with --fresh",
        )  # fmt: skip
    most = sum(before["steps"]) if find(before["system"]).is_limited else None
    plan = Plan(
        tuple(before["steps"]), tuple(before["step_s"]), before.get("after_s", 0.0),
        before.get("most_steps", most),
    )  # fmt: skip
    factor = stretch(request.as_json(), before["request"])
    if factor == 1.0:
        return plan
    last = plan.steps[-1]
    if request.minutes is not None:
        last += round((request.minutes - before["request"]["minutes"]) * 60 / plan.step_s[-1])
    else:
        last = math.ceil(last * factor)
    plan = replace(plan, steps=(*plan.steps[:-1], last))
    folder.file("manifest.json").unlink(missing_ok=True)
    recipe = {**before["recipe"], "epochs": before["recipe"]["epochs"] * last / before["steps"][-1]}
    asked = {"request": request.as_json(), "steps": plan.steps, "recipe": recipe}
    folder.write("config.json", {**before, **asked})
    return plan


def write_beginning(
    folder: RunFolder, request: Request, assembly: Assembly, plan: Plan, number: str
) -> None:
    """Write what is known before the first step; config.json last, as it marks the run as begun."""
    source = assembly.source
    folder.write("environment.json", environment())
    folder.write("data.json", {
        "path": request.data, "kind": source.kind, "fingerprint": source.fingerprint,
        "described": source.describe(), "warnings": source.warnings, "skipped": source.skipped,
        "files": file_names(source),
    })  # fmt: skip
    folder.write("config.json", {
        "format": checkpoint.FORMAT, "samoyed": samoyed.__version__, "request": request.as_json(),
        "data": str(Path(request.data).resolve()) if Path(request.data).exists() else request.data,
        "split_seed": 0, "system": assembly.row.name, "size": assembly.size,
        "config": to_json(assembly.config), "recipe": to_json(assembly.recipe),
        "task": {"name": assembly.task.name, **to_json(assembly.task)}, **_about_table(request),
        "data_settings": to_json(assembly.data_settings), "seed": assembly.seed,
        "precision": number, "num_threads": torch.get_num_threads(),
        "steps": plan.steps, "step_s": plan.step_s, "after_s": plan.after_s,
        "most_steps": plan.most,
    })  # fmt: skip


def _about_table(request: Request) -> dict[str, Any]:
    """Return what was said about a table or pairs, a test file with its whole path, or nothing."""
    if request.about_pairs:
        return {"about_pairs": dict(request.about_pairs.__dict__)}
    if request.target is None and request.test is None:
        return {}
    test = None if request.test is None else str(Path(request.test).resolve())
    return {"about_table": {**request.about_table.__dict__, "test": test}}


def write_weights(folder: RunFolder, model: nn.Module) -> None:
    """Write the final weights atomically."""
    temporary = folder.file(".model.safetensors")
    checkpoint.write_tensors(temporary, model.state_dict())
    checkpoint.flush(temporary)
    temporary.chmod(0o644)
    temporary.rename(folder.file("model.safetensors"))


def begin_with(model: nn.Module, init: str) -> str:
    """Copy the weights of an earlier run where names and shapes agree; say how many.

    Raises:
        RunError: when there are none, or none agree.
    """
    weights = RunFolder(Path(init)).file("model.safetensors")
    if not weights.exists():
        raise RunError(init, "a finished run", "no model.safetensors there")
    mine, theirs = model.state_dict(), checkpoint.read_tensors(weights)
    fitting = {k: v for k, v in theirs.items() if k in mine and mine[k].shape == v.shape}
    if not fitting:
        raise RunError(init, "a run of the same system", "not one tensor of the same shape")
    model.load_state_dict({**mine, **fitting})
    return f"begin with {len(fitting)} of {len(mine)} tensors of {init}"


def num_parameters(model: nn.Module) -> int:
    """Count the trainable numbers."""
    return sum(p.numel() for p in model.parameters())


def describe_plan(prepared: Prepared) -> str:
    """Say how long it will take."""
    stages = len(prepared.plan.steps)
    stage_index, step = prepared.position
    left = prepared.plan.steps[stage_index] - step
    left_s = left * prepared.plan.step_s[stage_index] + sum(
        n * s for n, s in list(zip(prepared.plan.steps, prepared.plan.step_s, strict=True))
        [stage_index + 1 :]
    )  # fmt: skip
    parts = f"{sum(prepared.plan.steps):,} steps" + (f" in {stages} stages" if stages > 1 else "")
    if prepared.position != (0, 0):
        return f"plan: {parts}; goes on after step {step:,}, about {in_words(left_s)} left"
    minutes = prepared.folder.read("config.json")["request"]["minutes"]
    is_cut = minutes is not None and prepared.plan.seconds > FITS * minutes * 60
    hint = " (so few teach little: give it more --minutes)"
    num_steps, most = sum(prepared.plan.steps), prepared.plan.most
    is_short = is_cut and num_steps < min(FEW_STEPS, most or FEW_STEPS)
    return f"plan: {parts}, about {in_words(left_s)}{hint if is_short else ''}"


def check_numbers(request: Request) -> None:
    """Refuse numbers that make no sense.

    Raises:
        OptionError: naming the option.
    """
    for name in ("minutes", "epochs"):
        value = getattr(request, name)
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise OptionError(
                f"--{name}", "a number above 0", f"{value:g}", f"--{name} {EXAMPLES[name]}, say"
            )
        if value is not None and value > LONGEST[name]:
            expected = f"at most {LONGEST[name]:,}" + (" (a year)" if name == "minutes" else "")
            raise OptionError(
                f"--{name}", expected, f"{value:g}", "a run can be extended: begin with less"
            )
    if request.minutes is not None and request.epochs is not None:
        raise OptionError("--minutes", "--minutes or --epochs", "both", "leave one out")
    for name in ("minutes", "epochs"):
        if getattr(request, name) is not None and "epochs" in dict(request.settings):
            raise OptionError(
                "--set epochs", f"--{name} or --set epochs", "both", "leave one out"
            )  # fmt: skip
    if request.on_bad not in ("stop", "skip"):
        raise OptionError("--on-bad", "stop or skip", repr(request.on_bad), "leave it out to stop")
    if request.seed < 0:
        raise OptionError("--seed", "a whole number from 0", str(request.seed), "--seed 0")
