"""After the last step: measure, compare with shallow models, draw, write the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from samoyed.core.reference import Score
from samoyed.runs.baselines.table import measure
from samoyed.runs.conducting import Prepared, RunSettings, num_parameters, write_weights
from samoyed.runs.drawing_scores import is_share, verdict
from samoyed.runs.figures.table import draw
from samoyed.runs.folder import RunFolder, read_events
from samoyed.runs.learning_curve import learning_curve
from samoyed.runs.model_card import write_model_card
from samoyed.runs.progress import in_words
from samoyed.runs.report import ReportContent, write_report

# Logged facts that the figures of a task or a system draw, or nobody needs.
NOT_DRAWN = ("moves", "epsilon", "apart")


def finish(prepared: Prepared, seconds: float, say: Callable[[str], None]) -> None:
    """Score the trained model and write everything that a finished run holds."""
    folder, assembly, model = prepared.folder, prepared.assembly, prepared.model
    model.eval()
    write_weights(folder, model)
    say(f"trained for {in_words(seconds)}; {_what_follows(prepared.settings)}")
    scores = assembly.task.score(model, assembly.data, device=prepared.device)
    for note in told_by(model):
        say(note)
    for score in scores:
        say("  " + in_line(score))
    baselines = []
    if prepared.settings.baselines:
        say("shallow baselines on the same split:")
        kind, asked = assembly.source.kind, assembly.task.name
        baselines = measure(kind, asked, assembly.data, seed=assembly.seed)
        for name, score in baselines:
            say(f"  {name}: {in_line(score)}")
    say(verdict(scores[0], baselines, scores[1:]).sentence)
    folder.write("scores.json", {
        "scores": [asdict(score) for score in scores],
        "baselines": [{"name": name, "score": asdict(score)} for name, score in baselines],
        "training_seconds": round(seconds, 2),
    })  # fmt: skip
    if prepared.settings.report:
        content = report_content(prepared, scores, baselines, seconds, say)
        write_report(folder.file("report.html"), content)
        write_model_card(folder.file("MODEL_CARD.md"), content)
    folder.finish()
    say(f"report: {folder.file('report.html')}")


def _what_follows(settings: RunSettings) -> str:
    """Say what is still done, which no minutes were asked for.

    >>> _what_follows(RunSettings(report=False))
    'scoring and shallow baselines follow'
    """
    others = {"shallow baselines": settings.baselines, "the report": settings.report}
    parts = ["scoring", *(name for name, is_done in others.items() if is_done)]
    verb = "follows" if len(parts) == 1 else "follow"
    return f"{', '.join(parts[:-1])}{' and ' if parts[:-1] else ''}{parts[-1]} {verb}"


def in_line(score: Score) -> str:
    """Say a score in one line.

    >>> in_line(Score("accuracy", 0.9923, 0.9904, 0.9938, 10000))
    'accuracy 99.23 % [99.04, 99.38] on 10,000'
    >>> in_line(Score("bleu", 100.0, 100.0, 100.0, 6))
    'bleu 100 on 6, no spread: no interval'
    """
    name = score.name.replace("_", " ")
    if score.low == score.high:
        value = f"{score.value * 100:.2f} %" if is_share(score.name) else f"{score.value:.4g}"
        return f"{name} {value} on {score.num:,}, no spread: no interval"
    if is_share(score.name):
        value = f"{score.value * 100:.2f} % [{score.low * 100:.2f}, {score.high * 100:.2f}]"
    else:
        value = f"{score.value:.4g} [{score.low:.4g}, {score.high:.4g}]"
    return f"{name} {value} on {score.num:,}"


def told_by(model: Any) -> list[str]:
    """Return what a trained model has to say of itself, if anything."""
    return list(model.told()) if hasattr(model, "told") else []


def note_rows(notes: Sequence[str]) -> list[tuple[str, str]]:
    """Return what was chosen for training, as names and texts.

    >>> note_rows(["validation: 500 pictures", "left to right"])
    [('validation', '500 pictures'), ('note', 'left to right')]
    """
    parts = [note.partition(": ") for note in notes]
    return [(name, text) if mark else ("note", name) for name, mark, text in parts]


def report_content(
    prepared: Prepared, scores: Sequence[Score], baselines: Sequence[tuple[str, Score]],
    seconds: float, say: Callable[[str], None],
) -> ReportContent:  # fmt: skip
    """Gather what the report tells."""
    folder, assembly = prepared.folder, prepared.assembly
    config = folder.read("config.json")
    history = read_events(folder.file("events.jsonl"))
    row, source = assembly.row, assembly.source
    figures = draw(row.name, assembly.task, prepared.model, assembly.data, history)
    if prepared.settings.learning_curve:
        curve = learning_curve(config, source, prepared.plan, prepared.device, say)
        figures += [curve] if curve else []
    return ReportContent(
        title=source.name,
        sentence=sentence(row.in_words, assembly.task.name, source.name),
        scores=scores, baselines=baselines, data_lines=source.describe(),
        warnings=source.warnings, skipped=source.skipped,
        model_rows=[
            ("system", f"{row.name}: {row.summary}"), ("size", assembly.size),
            ("parameters", f"{num_parameters(prepared.model):,}"),
        ],
        config_rows=dial_rows(config["config"]),
        reference=row.reference,
        training_rows=[
            *training_rows(config, seconds),
            *note_rows([*assembly.notes, *told_by(prepared.model)]),
        ],
        recipe_rows=dial_rows(config["recipe"]),
        history=[{k: v for k, v in e.items() if _is_drawn(k)} for e in history],
        figures=figures, commands=commands(folder, source.kind, assembly.task.name),
        environment_rows=environment_rows(folder, source.fingerprint), asked=assembly.task.name,
    )  # fmt: skip


def _is_drawn(key: str) -> bool:
    """Tell whether a logged fact has a curve of its own."""
    return key.split(" ")[0] not in NOT_DRAWN


def sentence(written: str, asked: str, name: str) -> str:
    """Say in one sentence what was learned from what.

    >>> sentence("AlexNet", "classify", "flowers")
    'An AlexNet that learned to tell apart the classes of flowers.'
    """
    learned = {
        "classify": "tell apart the classes of", "continue_text": "continue", "play": "play",
        "classify_table": "tell apart the classes of", "regress_table": "foretell the numbers of",
        "classify_several": "answer the questions of", "classify_labels": "name what is on",
        "classify_text": "tell apart the classes of", "tag": "tag the words of",
        "translate": "translate", "classify_trees": "tell apart the phrases of",
        "embed": "tell which words are alike in", "remember": "remember what matters in",
        "complete": "complete the facts of",
    }  # fmt: skip
    article = "An" if written[0] in "AEIOaeiou" or written.startswith(("LSTM", "RNN")) else "A"
    return f"{article} {written} that learned to {learned[asked]} {name}."


def training_rows(config: dict[str, Any], seconds: float) -> list[tuple[str, str]]:
    """Say how the model was trained; where minutes decided, the recipe's epochs did not."""
    recipe = dict(config["recipe"])
    if config["request"]["minutes"] is not None:
        recipe.pop("epochs", None)
    return [
        ("time", in_words(seconds)),
        ("steps", " + ".join(f"{n:,}" for n in config["steps"])),
        ("precision", config["precision"]),
        ("seed", str(config["seed"])),
    ]


def dial_rows(dials: dict[str, Any]) -> list[tuple[str, str]]:
    """Write dials for people."""

    def written(value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(map(written, value)) or "none"
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "none"}[value]
        return f"{value:g}" if isinstance(value, float) else str(value)

    return [(key.replace("_", " "), written(value)) for key, value in dials.items()]


def commands(folder: RunFolder, given: str, task: str) -> list[tuple[str, str]]:
    """List what can be done with the run, as commands."""
    run = str(folder.path)
    asked = {
        "images": "picture.jpg", "table": "new.csv", "text": '--prompt "Once upon a time"',
        "world": "", "labelled_text": '"A text of your own"', "tagged_text": '"A sentence ."',
        "pairs": '"A sentence."', "trees": '"A sentence ."', "sequences": "0",
        "facts": '"subject relation"',
    }[given]  # fmt: skip
    question = {
        "images": '"picture.jpg"', "table": '"new.csv"', "text": '"Once upon a time"', "world": "",
        "labelled_text": '"A text of your own"', "tagged_text": '"A sentence ."',
        "pairs": '"A sentence."', "trees": '"A sentence ."', "sequences": '"0"',
        "facts": '"subject relation"',
    }[given]  # fmt: skip
    if task == "embed":
        return [
            ("find the nearest words", f"samoyed predict {run} --near WORD"),
            ("ask what is to a third word as two are to each other",
             f"samoyed predict {run} --analogy king man woman"),
            ("draw the map of words", f"samoyed explain {run}"),
            ("take the vectors away", f"samoyed export {run} --to word2vec"),
            ("measure them again", f"samoyed evaluate {run}"),
            ("from Python", f'import samoyed; samoyed.load("{run}").predict("WORD")'),
        ]  # fmt: skip
    exported = [("take it away, to run without samoyed", f"samoyed export {run}")]
    return [
        ("question it", f"samoyed predict {run} {asked}".strip()),
        ("look inside", f"samoyed explain {run} {asked}".strip()),
        ("measure it again", f"samoyed evaluate {run}"),
        *(exported if given in ("images", "table") else []),
        ("from Python", f'import samoyed; samoyed.load("{run}").predict({question})'),
    ]


def environment_rows(folder: RunFolder, fingerprint: str) -> list[tuple[str, str]]:
    """Say with what the run was made."""
    made = folder.read("environment.json")
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    return [
        ("samoyed", made["samoyed"] + (f" at {made['commit']}" if made["commit"] else "")),
        ("machine", f"{made['processor']}, {made['memory_gib']} GiB"),
        ("threads", str(made["num_threads"])),
        ("gpu", made["gpu"] or "none"),
        ("python", made["python"]),
        ("packages", packages),
        ("data fingerprint", fingerprint),
    ]  # fmt: skip
