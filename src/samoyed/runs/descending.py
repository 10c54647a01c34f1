"""Carry out a run's plan, and keep to the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from samoyed.core.reach import within_reach
from samoyed.core.stopping import StopRequest
from samoyed.runs.conducting import Prepared
from samoyed.runs.folder import EventLog
from samoyed.runs.following import Follower
from samoyed.runs.pacing import Pace
from samoyed.runs.progress import Progress
from samoyed.training import checkpoint, distribution
from samoyed.training.loop import train
from samoyed.training.planning import Plan

QUICK_LIMIT = {
    "classify": 1000, "classify_table": 1000, "regress_table": 1000, "classify_several": 1000,
    "classify_labels": 1000, "continue_text": 20_000,
    "classify_text": 1000, "tag": 300, "classify_trees": 300, "translate": 200, "embed": 3000,
}  # fmt: skip


@within_reach()
def descend(
    prepared: Prepared, stop: StopRequest, say: Callable[[str], None], *, is_quiet: bool
) -> tuple[Prepared, float]:
    """Train from where the run stands to the end of its plan.

    Where the minutes asked for would be missed by far, as the machine is no longer as fast as it
    was measured, or more steps were seen to bring nothing, the plan is written anew and the run
    goes on with it.

    Returns:
        The run, with the plan that was carried out, and the training seconds.
    """
    while True:
        seconds, follower = _descend(prepared, stop, is_quiet)
        changed = follower.changed
        if changed is None:
            return prepared, seconds
        more = sum(changed.steps) - sum(prepared.plan.steps)
        if follower.is_over:
            say(f"worse on what is set aside: the rate falls now, {-more:,} steps are left out")
        elif more > 0:
            say(f"faster than measured: {more:,} further steps, to use the time")
        else:
            say(f"slower than measured: {-more:,} steps are left out, to keep to the time")
        prepared = with_plan(prepared, changed)


def with_plan(prepared: Prepared, plan: Plan) -> Prepared:
    """Return the run with another number of steps, to go on from its newest checkpoint."""
    folder, begun = prepared.folder, prepared.folder.read("config.json")
    epochs = begun["recipe"]["epochs"] * plan.steps[-1] / prepared.plan.steps[-1]
    folder.write("config.json", {
        **begun, "steps": plan.steps, "step_s": plan.step_s, "after_s": plan.after_s,
        "recipe": {**begun["recipe"], "epochs": epochs},
    })  # fmt: skip
    return replace(
        prepared, plan=plan, assembly=prepared.assembly.lasting(epochs),
        checkpoint=checkpoint.newest(folder.state),
    )  # fmt: skip


def _descend(prepared: Prepared, stop: StopRequest, is_quiet: bool) -> tuple[float, Follower]:
    """Train to the end of the plan or until another is better; return the seconds and who knows."""
    model, plan, assembly = prepared.model, prepared.plan, prepared.assembly
    resume = None
    if prepared.checkpoint is not None:
        model.load_state_dict(prepared.checkpoint.model)
        resume = prepared.checkpoint.resume
    model.to(prepared.device)
    stages = (
        stage.lasting(steps)
        for stage, steps in zip(assembly.make_stages(model), plan.steps, strict=True)
    )
    is_first = distribution.rank() == 0
    log = EventLog(prepared.folder.file("events.jsonl"), *prepared.position, is_writing=is_first)
    limit = QUICK_LIMIT.get(assembly.task.name)
    with Progress(plan.steps, plan.step_s, is_quiet or not is_first) as progress:
        follower = Follower(
            prepared.folder, log, model, plan, progress,
            checkpoint_s=prepared.settings.checkpoint_s, is_writing=is_first,
            pace=pace_of(prepared), may_end=distribution.num_ranks() == 1,
            quick_score=None if limit is None else lambda: assembly.task.score(
                model, assembly.data, device=prepared.device, limit=limit
            ),
        )  # fmt: skip
        moments = train(
            model, stages, device=prepared.device, precision=prepared.precision,
            seed=assembly.seed, resume=resume,
        )  # fmt: skip
        seconds = follower.follow(moments, stop)
    return seconds, follower


def pace_of(prepared: Prepared) -> Pace | None:
    """Return what to hold the training to: the minutes asked for, in a process of its own."""
    minutes = prepared.folder.read("config.json")["request"]["minutes"]
    if minutes is None or distribution.num_ranks() > 1:
        return None
    return Pace(prepared.plan, minutes * 60)
