"""Dials that would have no effect on what is asked, and why: `--set` refuses them by name."""

from __future__ import annotations

from typing import Any

from samoyed.core.stage import Recipe
from samoyed.row import Row

_NO_AVERAGE = "the weights of the last step are kept, not their average"
_NO_LABELS = "every example is learned from"
_NO_CURVE = "such a curve is drawn of pictures and tables alone"
_ONE_BY_ONE = "vectors of single words are moved one by one, by plain descent"

# Kind of data -> dial -> why nothing comes of it.
_BY_KIND: dict[str, dict[str, str]] = {
    "images": {},
    "table": {"average": _NO_AVERAGE},
    "labelled_text": {"average": _NO_AVERAGE, "learning_curve": _NO_CURVE},
    "tagged_text": {
        "average": _NO_AVERAGE, "num_labels": _NO_LABELS, "learning_curve": _NO_CURVE,
    },
    "trees": {"average": _NO_AVERAGE, "num_labels": _NO_LABELS, "learning_curve": _NO_CURVE},
    "text": {"num_labels": _NO_LABELS, "learning_curve": _NO_CURVE},
    "pairs": {"num_labels": _NO_LABELS, "learning_curve": _NO_CURVE},
    "sequences": {
        "average": _NO_AVERAGE, "num_labels": "sequences are drawn, never used up",
        "learning_curve": _NO_CURVE,
    },
    "facts": {
        "average": _NO_AVERAGE, "batch_size": "every step sees all facts", "num_labels": _NO_LABELS,
        "learning_curve": _NO_CURVE,
    },
    "world": {"num_labels": "a world has no labels", "learning_curve": _NO_CURVE},
}  # fmt: skip
_OF_VECTORS = dict.fromkeys(
    ("optimizer", "momentum", "weight_decay", "warmup", "clip_norm", "average", "accumulate"),
    _ONE_BY_ONE,
)


def idle_dials(row: Row, kind: str, task: Any, config: Any, recipe: Recipe) -> dict[str, str]:
    """Return the dials that change nothing here, each with the reason.

    Args:
        row: the system.
        kind: of the data.
        task: the question, as it will be asked.
        config: the system's dials, as they will be used.
        recipe: how it will be trained.
    """
    idle = {**_BY_KIND[kind], **_of_task(task), **row.idle(config)}
    if recipe.optimizer == "rmsprop":
        idle["momentum"] = "rmsprop, as it is used here, has none"
    if task.name == "embed":
        idle.update(_OF_VECTORS)
        if recipe.schedule not in ("linear", "constant"):
            idle["schedule"] = "the rate of word vectors falls along a line, or is constant"
    if task.name == "classify" and not row.is_varied:
        idle["is_tempered"] = f"the scores of {row.name} have no temperature"
    if row.has_own_loss and task.name == "classify":
        idle["label_smoothing"] = f"{row.name} descends its own loss, with plain targets"
    return idle


def _of_task(task: Any) -> dict[str, str]:
    """Return dials of a question that the data, or other dials of it, leave without effect."""
    match task.name:
        case "continue_text" if task.spec.unit != "word":
            return {"mixed_with": "it is words whose n-grams are averaged with"}
        case "tag" if not task.tags.scheme:
            return {"is_legal": "the tags mark no chunks, so every order of them is legal"}
        case "embed" if not task.phrase_passes:
            why = "no phrases are made without phrase_passes"
            return {"phrase_threshold": why, "phrase_delta": why}
        case "play" if not task.spec.is_pixels:
            return {"filters": "its observations are numbers, not screens"}
        case "translate" if task.beam == 1:
            return {"length_alpha": "a beam of one compares no hypotheses"}
    return {}
