"""How long `samoyed --help` takes, and how long from the command to the first training step."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMOYED = [sys.executable, "-m", "samoyed.cli"]


def seconds_of_help(times: int = 7) -> float:
    """Return the median seconds of `samoyed --help`."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([*SAMOYED, "--help"], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def seconds_to_first_step(data: Path) -> float:
    """Return the seconds from the command to the first logged step (200 in an epoch of MNIST)."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        start = time.perf_counter()
        wall = time.time()
        quietly = ("--set", "quiet=true")
        process = subprocess.Popen(
            [*SAMOYED, "train", str(data), "--minutes", "0.5", *quietly, "--out", str(out)]
        )
        events = out / "events.jsonl"
        while not (events.exists() and events.stat().st_size) and process.poll() is None:
            time.sleep(0.005)
        taken = time.perf_counter() - start
        process.kill()
        process.wait()
        first = json.loads(events.read_text().splitlines()[0])
        assert time.time() >= wall
        return taken - first["seconds"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder that holds mnist/")
    chosen = parser.parse_args()
    print(f"samoyed --help: {seconds_of_help():.2f} s")
    if chosen.data is None:
        print("MNIST, command to first step: not run (give --data)")
        return
    seconds_to_first_step(chosen.data / "mnist")
    taken = [seconds_to_first_step(chosen.data / "mnist") for _ in range(3)]
    print(f"MNIST, command to first step, second time: {statistics.median(taken):.2f} s")


if __name__ == "__main__":
    main()
