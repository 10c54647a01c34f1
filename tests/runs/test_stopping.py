"""Ctrl-C and SIGTERM, really sent: in every phase the first one acts, and it says what it did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

AT_ONCE = "everything is saved; the same command goes on"


def stopped(options: list[str], mark: str, number: int, out: Path) -> tuple[int, str]:
    """Run the command line, send a signal when a line with `mark` appears; return what came."""
    command = [sys.executable, "-u", *options, "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SAMOYED_CACHE": str(out.parent / "c")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if mark in line:
                process.send_signal(number)
                break
        said = process.stdout.read()
        code = process.wait(60)
    assert "Traceback" not in said
    return code, said


SLOW = pytest.mark.slow
IMPORTING = ["-X", "importtime", "-m", "samoyed.cli", "train", "digits"]
TRAINING = ["-m", "samoyed.cli", "train", "digits", "--model", "lenet5", "--epochs"]
PHASES = {
    "importing the parser": (IMPORTING, "cyclopts.utils", "while starting;"),
    "importing torch": (IMPORTING, "torch._C", "while starting;"),
    "planning": ([*TRAINING, "1"], "model: ", "while reading the data and planning;"),
    "training": ([*TRAINING, "900"], "step ", "stopped at step "),
    "finishing": ([*TRAINING, "1"], "shallow baselines", "while scoring and writing the report;"),
}


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW)])
@pytest.mark.parametrize("phase", PHASES)
def test_the_first_signal_stops_and_says_so(phase: str, number: int, tmp_path: Path):
    options, mark, expected = PHASES[phase]
    code, said = stopped(options, mark, number, tmp_path / "run")
    assert code == 128 + number
    assert expected in said
    assert said.count(AT_ONCE) == 1
    assert phase != "training" or "the step under way is finished and saved" in said
    if phase.startswith("importing") or phase == "planning":
        assert not (tmp_path / "run").exists()
