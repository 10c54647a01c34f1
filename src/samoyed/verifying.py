"""`samoyed verify`: exact checks in seconds; the papers' claims by training; the evidence pages."""

from __future__ import annotations

import json
import shlex
import statistics
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from samoyed.catalog import METHODS, ROWS, find
from samoyed.claims import Claim, claims_of
from samoyed.core.errors import OptionError, did_you_mean
from samoyed.row import Row
from samoyed.runs.drawing_scores import is_share
from samoyed.runs.progress import in_words
from samoyed.showing import evidence_of

T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}


def verify_systems(
    chosen: Sequence[str],
    *,
    with_claims: bool,
    data: Path | None,
    num_seeds: int | None,
    only: str | None,
    out: Path,
    say: Callable[[str], None],
) -> bool:
    """Check systems, say what came of it, and tell whether everything passed.

    Args:
        chosen: names of systems; all when empty.
        with_claims: also train and measure the claims, and write the evidence pages.
        data: the folder with mnist/ and the other data the claims need.
        num_seeds: in place of each claim's own number.
        only: measure the claim of this key alone.
        out: folder of the evidence pages.
        say: where the lines go.

    Raises:
        OptionError: for a system, a claim or a folder that does not exist.
    """
    known = (*ROWS, *METHODS)
    rows = [find(name, rows=known) for name in chosen] or list(known)
    _check_options([row.name for row in rows], data, num_seeds, only)
    is_sound = True
    for row in rows:
        say(f"{row.name}: {row.reference}")
        is_sound &= _conformance(row, say)
        told = evidence_of(row.name)
        if with_claims:
            chosen_claims = [c for c in claims_of(row.name) if only in (None, c.key)]
            found = [_measure(c, data, num_seeds, say) for c in chosen_claims]
            told = [measured for measured in found if measured is not None]
            write_evidence(row, told, out)
            say(f"  written: {out / row.name}.md")
        for claim in told:
            say(f"  evidence  {claim['statement']}: {claim['ours']} ({claim['status']})")
    return is_sound


def _check_options(
    chosen: Sequence[str], data: Path | None, num_seeds: int | None, only: str | None
) -> None:
    """Raise for what would otherwise pass for "nothing to measure"."""
    if data is not None and not data.is_dir():
        raise OptionError("--data", "the folder that holds mnist/ and the other data", str(data))
    if num_seeds is not None and num_seeds < 1:
        raise OptionError("--seeds", "a whole number from 1", str(num_seeds))
    keys = [claim.key for name in chosen for claim in claims_of(name)]
    if only is not None and only not in keys:
        raise OptionError(
            "--only", "a claim's key: " + (", ".join(keys) or "these systems have none"),
            repr(only), did_you_mean(only, keys).strip(),
        )  # fmt: skip


def _conformance(row: Row, say: Callable[[str], None]) -> bool:
    from samoyed.testing.conformance import checks_of

    checks = checks_of(row)
    for check in checks:
        say(f"  {'passed' if check.is_passed else 'FAILED'}  {check.name}: {check.found}")
    return all(check.is_passed for check in checks)


def _measure(
    claim: Claim, data: Path | None, num_seeds: int | None, say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Train for every seed and judge the claim; None where its data is not given."""
    from samoyed.data.built_in_facts import BUILT_IN
    from samoyed.runs.environment import environment
    from samoyed.worlds.scan import is_world_name
    from samoyed.worlds.sequences import is_sequence_name

    place = claim.data
    if not (is_world_name(place) or is_sequence_name(place) or place in BUILT_IN):
        if data is None or not (data / place).exists():
            say(f"  not run: {claim.key} needs {place} (give its folder with --data)")
            return None
        place = str(data / place)
    seeds = range(num_seeds or claim.seeds)
    values, others, seconds, how = [], [], [], ""
    for seed in seeds:
        value, took, how = _train_once(claim, place, data, claim.settings, seed)
        values.append(value)
        seconds.append(took)
        if claim.against is not None:
            others.append(_train_once(claim, place, data, claim.against, seed)[0])
        shown = f"{value:.5g}" + (f" against {others[-1]:.5g}" if others else "")
        say(f"  {claim.key}, seed {seed}: {claim.score} {shown} in {in_words(took)}")
    made = environment()
    return {
        "key": claim.key, "statement": claim.statement, "paper": claim.paper,
        "target": claim.target, "score": claim.score, "values": values, "against": others,
        "ours": _in_words(claim, values, others), "status": _status(claim, values, others),
        "seconds": [round(s, 1) for s in seconds], "command": _command(claim),
        "machine": f"{made['processor']}, {how}",
        "commit": made["commit"], "date": date.today().isoformat(),
        "packages": made["packages"],
    }  # fmt: skip


def _train_once(
    claim: Claim, place: str, data: Path | None, settings: Any, seed: int
) -> tuple[float, float, str]:
    """Train one run in a temporary folder; return the score, the training seconds, and how."""
    from samoyed import api

    asked = dict(claim.table)
    if "test" in asked and data is not None:
        asked["test"] = str(data / asked["test"])
    with tempfile.TemporaryDirectory() as folder:
        run = api.train(
            place, model=claim.system, minutes=claim.minutes, epochs=claim.epochs, seed=seed,
            out=Path(folder) / "run", quiet=True,
            settings={**settings, "baselines": False, "report": False},
            target=asked.get("target"), test=asked.get("test"), input=asked.get("input"),
        )  # fmt: skip
        held, begun = run.folder.read("scores.json"), run.config
        found = {score["name"]: score["value"] for score in held["scores"]}
        for event in run.history:
            for name in event.keys() - found.keys():
                if isinstance(event[name], float):
                    largest = f"largest {name}"
                    found[largest] = max(found.get(largest, event[name]), event[name])
    if claim.score not in found:
        raise OptionError(claim.key, f"a score named {claim.score}", ", ".join(found))
    num = begun["num_threads"]
    how = f"{num} thread{'s' if num > 1 else ''}, {begun['precision']}"
    return found[claim.score], held["training_seconds"], how


def _differences(
    claim: Claim, values: Sequence[float], others: Sequence[float]
) -> list[float]:  # fmt: skip
    if not others:
        return list(values)
    whole = others if claim.is_relative else [1.0] * len(others)
    return [(a - b) / c for a, b, c in zip(values, others, whole, strict=True)]


def _interval(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean (Student's t)."""
    if len(values) < 2:
        return 0.0
    return T_95.get(len(values), 2.0) * statistics.stdev(values) / len(values) ** 0.5


def _in_words(claim: Claim, values: Sequence[float], others: Sequence[float]) -> str:
    shown = _differences(claim, values, others)
    mean, spread = statistics.mean(shown), statistics.stdev(shown) if len(shown) > 1 else 0.0
    if others:
        arms = " against ".join(_written(claim, statistics.mean(arm)) for arm in (values, others))
        if claim.is_relative:
            return f"{arms}; difference {mean:+.2%} +- {_interval(shown):.2%}"
        if not is_share(claim.score):
            kind = "gain" if claim.is_at_least else "difference"
            return f"{arms}; {kind} {mean:.4g} +- {_interval(shown):.2g}"
        return f"{arms}; gain {mean * 100:.2f} +- {_interval(shown) * 100:.2f} points"
    if is_share(claim.score):
        text = _written(claim, mean)
        text += f" right, an error of {1 - mean:.2%}" if claim.score == "accuracy" else ""
        return text + (f", standard deviation {spread * 100:.2f}" if len(shown) > 1 else "")
    each = ", ".join(f"{v:.4g}" for v in shown)
    return f"{mean:.4g}" + (f" (seeds: {each})" if len(shown) > 1 else "")


def _written(claim: Claim, value: float) -> str:
    """Write a value of the claim's score: an F1 as the papers do, other shares in percent.

    >>> _written(claims_of("senna")[0], 0.9102)
    '91.02'
    """
    if not is_share(claim.score):
        return f"{value:.4g}"
    return f"{100 * value:.2f}" if claim.score.endswith("f1") else f"{value:.2%}"


def _status(claim: Claim, values: Sequence[float], others: Sequence[float]) -> str:
    shown = _differences(claim, values, others)
    sign = 1 if claim.is_at_least else -1
    reached = [sign * value >= sign * claim.bound for value in shown]
    mean = statistics.mean(shown)
    if claim.needed is not None:
        is_met = sum(reached) >= claim.needed
    else:
        is_met = sign * mean >= sign * claim.bound
    if others:
        least = min(0.0, sign * claim.bound)  # below zero where the claim is what a thing may cost
        is_met = is_met and sign * mean - _interval(shown) > least
    return claim.scale if is_met else "target not reached"


def _command(claim: Claim) -> str:
    parts = [f"samoyed train {claim.data} --model {claim.system}"]
    for option, value in claim.table.items():
        parts.append(f"--{option} {shlex.quote(value)}")
    if claim.minutes is not None:
        parts.append(f"--minutes {claim.minutes:g}")
    if claim.epochs is not None:
        parts.append(f"--epochs {claim.epochs:g}")
    parts += [f"--set {key}={value}" for key, value in claim.settings.items()]
    return " ".join(parts)


def write_evidence(row: Row, measured: Sequence[dict[str, Any]], out: Path) -> None:
    """Merge new measurements into evidence/<system>.json and write the page from it."""
    out.mkdir(parents=True, exist_ok=True)
    store = out / f"{row.name}.json"
    held = {c["key"]: c for c in json.loads(store.read_text())["claims"]} if store.exists() else {}
    held.update({claim["key"]: claim for claim in measured})
    order = [claim.key for claim in claims_of(row.name) if claim.key in held]
    rows = [held[key] for key in order]
    store.write_text(json.dumps({"system": row.name, "claims": rows}, indent=1) + "\n")
    (out / f"{row.name}.md").write_text(evidence_page(row, rows))


def evidence_page(row: Row, rows: Sequence[dict[str, Any]]) -> str:
    """Write the page of one system's evidence, in Markdown."""
    lines = [f"# {row.name}", "", f"{row.reference}", ""]
    missing = [c for c in claims_of(row.name) if c.key not in {r["key"] for r in rows}]
    for claim in rows:
        against = f" against {_list(claim['against'])}" if claim["against"] else ""
        lines += [
            f"## {claim['statement']}", "", "| | |", "|---|---|",
            f"| status | **{claim['status']}** |", f"| paper | {claim['paper']} |",
            f"| target | {claim['target']} |", f"| ours | {claim['ours']} |",
            f"| each seed | {_list(claim['values'])}{against} |",
            f"| command | `{claim['command']}` |",
            f"| training seconds | {_list(claim['seconds'])} |",
            f"| machine | {claim['machine']} |",
            f"| commit | {claim['commit']}, {claim['date']} |", "",
        ]  # fmt: skip
    for unmeasured in missing:
        lines += [
            f"## {unmeasured.statement}", "", "| | |", "|---|---|",
            "| status | **not run** |", f"| paper | {unmeasured.paper} |",
            f"| target | {unmeasured.target} |", "",
        ]  # fmt: skip
    return "\n".join(lines)


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.5g}" for value in values)
