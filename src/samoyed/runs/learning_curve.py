"""How the score grows with the number of examples: the same network on an eighth, a quarter, ...

Off unless asked for by `--set learning_curve=true`. Four networks are trained from scratch on
1/8, 1/4, 1/2 and all of the examples, each for the same number of steps, together `SHARE` of the
time that the run itself trained. So all have seen equally many examples, the small parts more
often. They are trained much shorter than the run: the slope tells whether more examples would
help, the height does not tell how good they would make it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from samoyed.assembly import assemble_again
from samoyed.core.reference import Score
from samoyed.core.seeding import seed_everything
from samoyed.core.stage import Stage
from samoyed.kinds.parts import Assembly
from samoyed.runs.drawing import Figure, line_chart
from samoyed.runs.drawing_scores import beginning, in_unit, score_words, unit_of
from samoyed.training.loop import train
from samoyed.training.planning import Plan

SHARE = 0.12  # of the training time, for all parts together
PARTS = (8, 4, 2, 1)  # one of so many
FEWEST = 64  # examples of the smallest part
MOST_SCORED = 2000  # held-out examples
KINDS = ("images", "table")

Point = tuple[int, Score]
"""How many examples were learned from, and the headline score."""


def learning_curve(
    config: dict[str, Any], source: Any, plan: Plan, device: torch.device,
    say: Callable[[str], None],
) -> Figure | None:  # fmt: skip
    """Train on parts of the examples and draw the scores.

    Args:
        config: the run's config.json.
        source: its data.
        plan: how long the run trained.
        device: where to train.
        say: is told what comes of it.

    Returns:
        None where the data is of another kind or too small.
    """
    if source.kind not in KINDS or source.num_train < FEWEST * PARTS[0]:
        say(f"no learning curve: it needs pictures or a table, {FEWEST * PARTS[0]:,} to learn from")
        return None
    short = plan.fitted(SHARE * plan.seconds / len(PARTS))
    points = [
        measured(part_of(config, source, source.num_train // part), short, device, config)
        for part in PARTS
    ]
    for num, score in points:
        say(f"  learned from {num:,}: {score_words(score.name)} {score.value:.4f}")
    return learning_curve_figure(points, sum(short.steps), plan.seconds / short.seconds)


def part_of(config: dict[str, Any], source: Any, num: int) -> Assembly:
    """Put the run's question together with only so many examples to learn from."""
    limited = {**config["data_settings"], "num_labels": num}
    return assemble_again({**config, "data_settings": limited}, source)


def measured(
    assembly: Assembly, plan: Plan, device: torch.device, config: dict[str, Any]
) -> Point:  # fmt: skip
    """Train from scratch and return the headline score."""
    seed_everything(assembly.seed, "learning curve")
    model = assembly.make_model().to(device)
    for _ in train(model, _stages(assembly, model, plan), device=device,
                   precision=config["precision"], seed=assembly.seed):  # fmt: skip
        pass
    score = assembly.task.score(model.eval(), assembly.data, device=device, limit=MOST_SCORED)[0]
    return assembly.data_settings.num_labels or 0, score


def _stages(assembly: Assembly, model: nn.Module, plan: Plan) -> list[Stage]:
    made = assembly.make_stages(model)
    return [stage.lasting(steps) for stage, steps in zip(made, plan.steps, strict=True)]


def learning_curve_figure(points: list[Point], num_steps: int, factor: float) -> Figure:
    """Draw the scores over the number of examples and say what the last doubling brought.

    Args:
        points: the fewest examples first.
        num_steps: of each training.
        factor: how much longer the run itself trained.
    """
    name, unit = points[-1][1].name, unit_of(points[-1][1].name)
    curve = [(float(n), in_unit(name, s.value)) for n, s in points]
    spans = [(float(n), in_unit(name, s.low), in_unit(name, s.high)) for n, s in points]
    gains = [b - a for (_, a), (_, b) in itertools.pairwise(curve)]
    sign = 1 if points[-1][1].is_higher_better else -1
    before, last = points[-2][1], points[-1][1]
    is_clear = before.high < last.low if sign > 0 else last.high < before.low
    gain = f"{abs(gains[-1]):.3g} {'points' if unit else score_words(name)}"
    if is_clear:
        told = f"The last doubling of the examples brought {gain}: more of them would help."
    elif sign * gains[-1] > 0:
        told = f"The last doubling of the examples brought {gain}, within the intervals."
    else:
        told = "The last doubling of the examples brought nothing that can be measured so."
    return Figure(
        "Would more examples help?",
        f"{told} The same network from scratch on 1/8, 1/4, 1/2 and all of the examples, "
        f"{num_steps:,} steps each, where the run itself trained {factor:.0f} times as long: look "
        "at the slope, not at the height. One draw of the examples; 95 % intervals over the "
        "held-out ones.",
        line_chart(
            {score_words(name): curve}, x_label="examples learned from",
            y_label=beginning(score_words(name)) + (f", {unit}" if unit else ""), intervals=spans,
        ),
    )  # fmt: skip
