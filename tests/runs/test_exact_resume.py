"""SIGKILL at any moment, the same command again: bit-identical final weights."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMON = ["--set", "baselines=false", "--set", "report=false", "--set", "checkpoint_s=0.05"]
SYSTEMS = {
    "lenet5": ["digits", "--model", "lenet5", "--epochs", "6"],
    "lstm_language_model": [
        "TEXT", "--epochs", "2", "--set", "num_units=64", "--set", "dropout=0.2",
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
        "--set", "num_networks=2",
    ],
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
    pairs = tmp_path / "pairs"
    if not pairs.exists():
        pairs.mkdir()
        rng = random.Random(2)
        rows = [[rng.choice("abcdefghij") for _ in range(rng.randint(3, 9))] for _ in range(600)]
        (pairs / "train.de").write_text("".join(" ".join(row) + "\n" for row in rows))
        lines = (" ".join(c.upper() for c in row) + "\n" for row in rows)
        (pairs / "train.en").write_text("".join(lines))
    places = {"PAIRS": str(pairs), "TEXT": str(text), "TABLE": str(table)}
    arguments = [places.get(a, a) for a in SYSTEMS[system]]
    return [sys.executable, "-m", "samoyed.cli", "train", *arguments, *COMMON, "--out", str(out)]


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "SAMOYED_CACHE": str(tmp_path / "cache")}


def run_to_the_end(system: str, tmp_path: Path, out: Path) -> str:
    done = subprocess.run(
        command(system, tmp_path, out), capture_output=True, text=True,
        env=environment(tmp_path), timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def kill_once(system: str, tmp_path: Path, out: Path, delay_s: float) -> bool:
    """Start, wait for a first checkpoint and `delay_s` more, kill; tell whether it was in time."""
    process = subprocess.Popen(
        command(system, tmp_path, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment(tmp_path),
    )  # fmt: skip
    known = set((out / "state").glob("[0-9]*"))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if set((out / "state").glob("[0-9]*")) - known:
            break
        time.sleep(0.01)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def assert_kills_change_nothing(system: str, tmp_path: Path, delays_s: list[float]) -> None:
    whole = run_to_the_end(system, tmp_path, tmp_path / "whole")
    killed = [kill_once(system, tmp_path, tmp_path / "cut", delay) for delay in delays_s]
    assert killed[0], "the first kill came too late to test anything"
    assert not (tmp_path / "cut" / "manifest.json").exists() or not all(killed)
    assert run_to_the_end(system, tmp_path, tmp_path / "cut") == whole


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_kill_changes_nothing(system: str, tmp_path: Path):
    assert_kills_change_nothing(system, tmp_path, [0.1])


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_five_random_kills_change_nothing(system: str, tmp_path: Path):
    rng = random.Random(system)
    assert_kills_change_nothing(system, tmp_path, [rng.uniform(0, 0.8) for _ in range(5)])
