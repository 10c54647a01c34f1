"""SIGKILL at any moment, the same command again: bit-identical final weights."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMON = ["--set", "baselines=false", "--set", "report=false", "--set", "checkpoint_s=0.05"]
SYSTEMS = {
    "lenet5": ["digits", "--model", "lenet5", "--epochs", "6"],
    "lstm_language_model": [
        "TEXT", "--epochs", "2", "--set", "num_units=64", "--set", "dropout=0.2",
    ],
    "skip_gram": [
        "TEXT", "--task", "embed", "--epochs", "40", "--set", "size=20", "--set", "phrase_passes=1",
    ],
    "attention": [
        "PAIRS", "--from", "de", "--to", "en", "--epochs", "4", "--set", "num_units=32",
        "--set", "batch_units=300",
    ],
    "deep_belief_net": [
        "digits", "--model", "deep_belief_net", "--epochs", "6",
        "--set", "hidden_sizes=[64,64,128]", "--set", "pretrain_epochs=6",
    ],
    "tabular_network": [
        "TABLE", "--target", "kind", "--epochs", "40", "--set", "num_members=4",
    ],
    "recursive": ["TREES", "--epochs", "8", "--set", "batch_size=8", "--set", "width=16"],
    "senna": ["TAGS", "--epochs", "30", "--set", "pretrain_epochs=20"],
    "regularised_rnn": [
        "temporal-order-20", "--model", "regularised_rnn", "--epochs", "1",
    ],
    "semantic_network": ["living-things", "--model", "semantic_network", "--epochs", "1500"],
    "deep_q_network": [
        "CartPole-v1", "--epochs", "1.6", "--set", "learning_starts=400",
    ],
}  # fmt: skip


def command(system: str, tmp_path: Path, out: Path) -> list[str]:
    text = tmp_path / "text.txt"
    if not text.exists():
        rng = random.Random(0)
        words = ["sled", "snow", "dog", "white", "wolf", "runs", "sleeps", "and", "the", "far"]
        text.write_text("".join(rng.choice(words) + rng.choice("  \n") for _ in range(12_000)))
    table = tmp_path / "table.csv"
    if not table.exists():
        rng = random.Random(1)
        rows = [(rng.gauss(0, 1), rng.gauss(0, 1), rng.choice("abc")) for _ in range(600)]
        lines = [f"{x:.3f},{y:.3f},{c},{int(x * y + (c == 'a') > 0)}" for x, y, c in rows]
        table.write_text("\n".join(["x,y,letter,kind", *lines]) + "\n")
    tags = tmp_path / "tags.conll"
    if not tags.exists():
        rng = random.Random(2)
        words = [(f"w{i}", "BO"[i % 2] + "-X" * (1 - i % 2)) for i in range(40)]
        sentences = [[rng.choice(words) for _ in range(rng.randint(3, 9))] for _ in range(300)]
        tags.write_text("\n".join("".join(f"{w} {t}\n" for w, t in s) for s in sentences))
    trees = tmp_path / "trees.txt"
    if not trees.exists():
        rng = random.Random(3)
        rows = [[rng.randrange(9) for _ in range(6)] for _ in range(300)]
        trees.write_text("".join(
            "({0} ({1} ({1} w{1}) ({2} ({2} w{2}) ({3} w{3}))) ({4} ({4} w{4}) ({5} w{5})))\n"
            .format(*row) for row in rows
        ))  # fmt: skip
    pairs = tmp_path / "pairs"
    if not pairs.exists():
        pairs.mkdir()
        rng = random.Random(2)
        rows = [[rng.choice("abcdefghij") for _ in range(rng.randint(3, 9))] for _ in range(600)]
        (pairs / "train.de").write_text("".join(" ".join(row) + "\n" for row in rows))
        lines = (" ".join(c.upper() for c in row) + "\n" for row in rows)
        (pairs / "train.en").write_text("".join(lines))
    places = {
        "TREES": str(trees),
        "PAIRS": str(pairs),
        "TAGS": str(tags),
        "TEXT": str(text),
        "TABLE": str(table),
    }
    arguments = [places.get(a, a) for a in SYSTEMS[system]]
    return [sys.executable, "-m", "samoyed.cli", "train", *arguments, *COMMON, "--out", str(out)]


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "SAMOYED_CACHE": str(tmp_path / "cache")}


def start(arguments: list[str], tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(tmp_path),
    )  # fmt: skip


def finish(arguments: list[str], tmp_path: Path, out: Path) -> str:
    """Run the command to its end; return what the weights are."""
    process = start(arguments, tmp_path)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert (out / "manifest.json").exists()
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def kill_when(
    is_time: Callable[[], bool], arguments: list[str], tmp_path: Path, delay_s: float = 0.0
) -> bool:
    """Start the command, kill it `delay_s` after it is time; tell whether it was still running."""
    process = start(arguments, tmp_path)
    deadline = time.monotonic() + 120
    while not is_time() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay_s)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def checkpoints(out: Path) -> set[str]:
    return {folder.name for folder in (out / "state").glob("[0-9]*")}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_kill_changes_nothing(system: str, tmp_path: Path):
    cut = tmp_path / "cut"
    arguments = command(system, tmp_path, cut)
    assert kill_when(lambda: bool(checkpoints(cut)), arguments, tmp_path, 0.1)
    assert not (cut / "manifest.json").exists()
    whole = tmp_path / "whole"
    expected = finish(command(system, tmp_path, whole), tmp_path, whole)
    assert finish(arguments, tmp_path, cut) == expected


PHASES: dict[str, Callable[[Path], bool]] = {
    "planning": lambda out: out.is_dir(),
    "the plan is written": lambda out: (out / "config.json").exists(),
    "training": lambda out: bool(checkpoints(out)),
    "the weights are written": lambda out: (out / "model.safetensors").exists(),
    "the scores are written": lambda out: (out / "scores.json").exists(),
}
"""When to kill; after the scores the report is still to be drawn, and the manifest comes last."""


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_kill_in_every_phase_changes_nothing(system: str, phase: str, tmp_path: Path):
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    arguments = command(system, tmp_path, cut)
    arguments[arguments.index("report=false")] = "report=true"
    assert kill_when(lambda: PHASES[phase](cut), arguments, tmp_path)
    assert not (cut / "manifest.json").exists(), "the kill came too late to test anything"
    expected = finish(command(system, tmp_path, whole), tmp_path, whole)
    assert finish(arguments, tmp_path, cut) == expected


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_kill_while_extending_changes_nothing(system: str, tmp_path: Path):
    hashes = []
    for name in ("whole", "cut"):
        out = tmp_path / name
        arguments = command(system, tmp_path, out)
        short = finish(arguments, tmp_path, out)
        place = arguments.index("--epochs") + 1
        arguments[place] = str(float(arguments[place]) * 2)
        if name == "cut":
            known = checkpoints(out)
            assert kill_when(lambda out=out, known=known: bool(checkpoints(out) - known),
                             arguments, tmp_path)  # fmt: skip
        hashes.append(finish(arguments, tmp_path, out))
        assert hashes[-1] != short
    assert hashes[0] == hashes[1]


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_random_kills_change_nothing(system: str, tmp_path: Path):
    """Four kills each, at any time between the start and the end of an undisturbed run."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    begun = time.monotonic()
    expected = finish(command(system, tmp_path, whole), tmp_path, whole)
    seconds = time.monotonic() - begun
    rng = random.Random(system)
    arguments = command(system, tmp_path, cut)
    killed = [
        kill_when(lambda: True, arguments, tmp_path, rng.uniform(0.2, seconds)) for _ in range(4)
    ]
    assert any(killed)
    assert finish(arguments, tmp_path, cut) == expected
