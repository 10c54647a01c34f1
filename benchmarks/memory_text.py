"""Train on a text larger than memory may hold, and say how much memory it took.

A text of at least 2 GB is generated: sentences of words drawn by Zipf's law. `samoyed train` counts
its units, writes their numbers to the disk, trains, scores, fits the baselines and draws the report
in one process, whose largest resident set is counted as in `benchmarks.memory`.

    python -m benchmarks.memory_text [--bytes 2.1e9] [--unit character] [--epochs 0.0001]
    python -m benchmarks.memory_text --task embed --epochs 0.01    # word vectors
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import CAP_BYTES, run

TEXT_BYTES = 2_100_000_000
NUM_WORDS = 20_000
SENTENCE = 20  # words


def generate(path: Path, num_bytes: int) -> None:
    """Write sentences of drawn words until there are enough bytes."""
    import numpy as np

    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwyp"))
    words = np.array(["".join(rng.choice(letters, 1 + len(str(k)))) for k in range(1, NUM_WORDS)])
    chances = 1 / np.arange(1, NUM_WORDS)
    chances = np.cumsum(chances / chances.sum())
    written = 0
    with path.open("w") as file:
        while written < num_bytes:
            drawn = words[np.searchsorted(chances, rng.random((20_000, SENTENCE)))]
            written += file.write("".join(" ".join(row) + " .\n" for row in drawn.tolist()))


def main() -> None:
    """Generate, train, measure and print; fail where the cap was passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bytes", type=float, default=TEXT_BYTES)
    parser.add_argument("--unit", help="character, unless vectors are learned")
    parser.add_argument("--task", default="continue_text")
    parser.add_argument("--epochs", type=float, default=1e-4)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(dir=chosen.folder))
    try:
        start = time.perf_counter()
        generate(work / "text.txt", int(chosen.bytes))
        size = (work / "text.txt").stat().st_size
        print(f"{size / 1e9:.2f} GB of text in {time.perf_counter() - start:.0f} s", flush=True)
        command = [
            sys.executable, "-m", "samoyed.cli", "train", str(work / "text.txt"), "--out",
            str(work / "run"), "--epochs", f"{chosen.epochs:g}", "--task", chosen.task,
        ]  # fmt: skip
        if chosen.task == "continue_text":
            command += ["--set", f"unit={chosen.unit or 'character'}"]
        start = time.perf_counter()
        code, resident, anonymous = run(command, {**os.environ, "SAMOYED_CACHE": f"{work}/cache"})
        seconds = time.perf_counter() - start
        print(f"read, trained, scored and reported in {seconds:.0f} s; exit code {code}")
        print(f"largest resident set {resident / 1e6:.0f} MB, largest anonymous part "
              f"{anonymous / 1e6:.0f} MB; cap {CAP_BYTES / 1e6:.0f} MB")  # fmt: skip
        if code or resident > CAP_BYTES or size < chosen.bytes:
            sys.exit("FAILED")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
