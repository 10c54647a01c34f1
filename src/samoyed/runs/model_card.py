"""The model card: MODEL_CARD.md with the front matter that model hubs read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

from samoyed.core.reference import Score
from samoyed.runs.drawing_scores import (
    beginning,
    counted,
    held_out,
    score_interval,
    score_words,
    value_text,
    verdict,
)
from samoyed.runs.report import ReportContent, address_of, write_atomically

# What model hubs call the tasks and the scores; other scores keep their own names there.
_PURPOSES = {
    "classify": "image-classification",
    "classify_labels": "image-classification",
    "classify_table": "tabular-classification",
    "classify_several": "tabular-classification",
    "regress_table": "tabular-regression",
    "continue_text": "text-generation",
    "classify_text": "text-classification",
    "classify_trees": "text-classification",
    "tag": "token-classification",
    "embed": "feature-extraction",
    "translate": "translation",
    "play": "reinforcement-learning",
}
_METRICS = {"macro_f1": "f1", "return": "mean_reward", "mean_return": "mean_reward"}


def write_model_card(path: Path, content: ReportContent) -> None:
    """Write the model card of a run, atomically."""
    parts = [
        _front_matter(content),
        f"# {plain(content.title)}\n\n{plain(content.sentence)}",
        "## Intended use\n\n" + _intended_use(content),
        "## Scores\n\n" + _scores(content),
        _section("Data", [plain(line) for line in content.data_lines]),
        _section("Limitations", _limitations(content)),
        _section("Model", _rows([*content.model_rows, *content.config_rows]) + _paper(content)),
        _section("Training", _rows([*content.training_rows, *content.recipe_rows])),
        _commands(content.commands),
        _section("Reproduction", _rows(content.environment_rows)),
    ]
    write_atomically(path, "\n\n".join(part for part in parts if part) + "\n")


def plain(text: str) -> str:
    r"""Write a text so that Markdown shows it as it is, on one line.

    >>> plain("a_b | <i>")
    'a\\_b \\| &lt;i&gt;'
    """
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", text)


def quoted(text: str) -> str:
    r"""Write a text as a double-quoted YAML scalar.

    >>> quoted('say: "é"')
    '"say: \\"é\\""'
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in _json_escaped(text))


def _json_escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _front_matter(content: ReportContent) -> str:
    """Return what hubs read; no licence is claimed, as only the owner can give one."""
    purpose = _PURPOSES.get(content.asked, "")
    scores = [score for score in content.scores if math.isfinite(score.value)]
    lines = ["---", "license: unknown", "library_name: samoyed", "tags:", "- samoyed"]
    lines += [f"- {purpose}", f"pipeline_tag: {purpose}"] if purpose else []
    if scores:
        types = dict.fromkeys(_metric(score) for score in scores)
        lines += ["metrics:", *(f"- {quoted(kind)}" for kind in types)]
        lines += _model_index(content.title, scores, purpose or "other")
    return "\n".join([*lines, "---"])


def _metric(score: Score) -> str:
    name = score.name.partition(" of ")[0]
    return _METRICS.get(name, name)


def _model_index(title: str, scores: Sequence[Score], purpose: str) -> list[str]:
    """Return the results in the layout that hubs validate; a value is always a number."""
    lines = [
        "model-index:",
        f"- name: {quoted(title)}",
        "  results:",
        "  - task:",
        f"      type: {purpose}",
        "    dataset:",
        f"      name: {quoted(title)}",
        "      type: local",
        "      split: held-out",
        "    metrics:",
    ]
    for score in scores:
        words = f"{beginning(score_words(score.name))}, 95 % interval {score_interval(score)}"
        lines += [
            f"    - type: {quoted(_metric(score))}",
            f"      value: {json.dumps(float(f'{score.value:.6g}'))}",
            f"      name: {quoted(words)}",
        ]
    return lines


def _intended_use(content: ReportContent) -> str:
    where = f", on {_measured(content.scores[0])}" if content.scores else ""
    return (
        "For data of the same kind, and from the same source, as the data it was trained on. It "
        f"was measured only there{where}. For anything else, measure first "
        "with `samoyed evaluate` and examples whose answer you know. No licence is given here: "
        "whoever owns the data and the model chooses one before passing it on."
    )


def _measured(score: Score) -> str:
    return f"{counted(score.name, score.num)} {held_out(score.name)}"


def _scores(content: ReportContent) -> str:
    if not content.scores:
        return "No score was measured."
    lines = ["| | score | value | 95 % interval | measured on |", "|---|---|---|---|---|"]
    named = [("this model", score) for score in content.scores] + list(content.baselines)
    for name, score in named:
        better = "" if score.is_higher_better else " (lower is better)"
        lines.append(
            f"| {plain(name)} | {plain(score_words(score.name))}{better} | {value_text(score)} "
            f"| {score_interval(score)} | {counted(score.name, score.num)} |"
        )
    judged = verdict(content.scores[0], content.baselines, content.scores[1:])
    return "\n".join(lines) + f"\n\n{plain(judged.sentence)}"


def _limitations(content: ReportContent) -> list[str]:
    lines = [plain(line) for line in content.warnings]
    if content.skipped:
        shown = "; ".join(content.skipped[:10])
        rest = f"; and {len(content.skipped) - 10:,} more" if len(content.skipped) > 10 else ""
        lines.append(f"Inputs left out, {len(content.skipped):,} in all: {plain(shown + rest)}")
    kind = verdict(content.scores[0], content.baselines).kind if content.scores else "alone"
    if kind == "lose":
        lines.append("A shallow baseline is better; see the scores.")
    elif kind == "tie":
        lines.append("A shallow baseline may do as well, as the intervals overlap; see the scores.")
    lines.append(
        "The interval covers the choice of held-out examples, not a change of source, time or "
        "measuring device, and not the choice of the seed."
    )
    return lines


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{plain(name)}: {plain(value)}" for name, value in rows]


def _paper(content: ReportContent) -> list[str]:
    if content.reference is None:
        return []
    address = address_of(content.reference)
    return [f"Paper: {plain(str(content.reference))}" + (f" <{address}>" if address else "")]


def _commands(commands: Sequence[tuple[str, str]]) -> str:
    if not commands:
        return ""
    blocks = []
    for purpose, command in commands:
        longest = max((len(run) for run in re.findall("`+", command)), default=0)
        fence = "`" * max(3, longest + 1)
        blocks.append(f"{plain(purpose)}:\n\n{fence}\n{command}\n{fence}")
    return "## How to use it\n\n" + "\n\n".join(blocks)
