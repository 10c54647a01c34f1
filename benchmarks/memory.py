"""Train on more decoded pictures than memory may hold, and say how much memory it took.

A folder of JPEG files is generated, two classes, that takes at least 3 GB when decoded. `samoyed
train` reads, decodes, compares, trains, scores, fits the baselines and draws the report in one
process, whose largest resident set the system counts (`ru_maxrss`). That number holds everything:
the program, its libraries, and every page of a mapped file. The kernel's own cache of files, which
it drops whenever somebody needs the memory, is not the process's and is not counted. Beside it
stands the largest anonymous part (`RssAnon`, looked at twice a second): what could not be dropped.
Every picture is looked at, when it is decoded and when the two sides of the split are compared,
however small a part of an epoch is trained.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SIDE = 224  # pixels
BATCH_SIZE = 8  # whose activations at this size stay well below the cap
DECODED_BYTES = 3_200_000_000
CAP_BYTES = 1_000_000_000
CLASSES = ("level", "upright")


def generate(root: Path, num: int) -> None:
    """Paint pictures of stripes over soft clouds: upright ones and level ones, in all colours."""
    import numpy as np
    from PIL import Image

    for name in CLASSES:
        (root / name).mkdir(parents=True)
    places = np.arange(SIDE) / SIDE

    def paint(i: int) -> None:
        rng = np.random.default_rng(i)
        clouds = Image.fromarray(rng.integers(40, 216, (5, 5, 3), np.uint8))
        clouds = clouds.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        stripes = np.rint(30 + 30 * np.sin(2 * np.pi * (rng.uniform(3, 9) * places + rng.random())))
        along = (1, SIDE, 1) if i % 2 else (SIDE, 1, 1)
        pixels = np.asarray(clouds) // 4 * 3 + stripes.astype(np.uint8).reshape(along)
        picture = Image.fromarray(pixels)
        picture.save(root / CLASSES[i % 2] / f"{i}.jpg", quality=80)

    with ThreadPoolExecutor() as pool:
        for first in range(0, num, 4096):
            list(pool.map(paint, range(first, min(num, first + 4096))))


def run(command: list[str], environment: dict[str, str]) -> tuple[int, int, int]:
    """Run a command; return its exit code, largest resident set and largest anonymous part."""
    pid = os.posix_spawn(command[0], command, environment)
    anonymous, is_done = 0, threading.Event()

    def watch() -> None:
        nonlocal anonymous
        while not is_done.wait(0.5):
            try:
                text = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                return
            found = re.search(r"RssAnon:\s+(\d+)", text)
            anonymous = max(anonymous, 1024 * int(found[1]) if found else 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, used = os.wait4(pid, 0)
    is_done.set()
    watcher.join()
    return os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024, anonymous


def main() -> None:
    """Generate, train, measure and print; fail where the cap was passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--decoded", type=float, default=DECODED_BYTES, help="bytes")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(dir=chosen.folder))
    try:
        num = int(chosen.decoded) // (3 * SIDE * SIDE) + 1
        start = time.perf_counter()
        generate(work / "pictures", num)
        print(f"{num:,} pictures generated in {time.perf_counter() - start:.0f} s", flush=True)
        command = [
            sys.executable, "-m", "samoyed.cli", "train", str(work / "pictures"), "--out",
            str(work / "run"), "--epochs", f"{chosen.epochs:g}", "--size", "small",
            "--set", f"largest_side={SIDE}", "--set", f"batch_size={BATCH_SIZE}",
        ]  # fmt: skip
        start = time.perf_counter()
        code, resident, anonymous = run(command, {**os.environ, "SAMOYED_CACHE": f"{work}/cache"})
        seconds = time.perf_counter() - start
        decoded = max(path.stat().st_size for path in (work / "cache").glob("*.npy"))
        print(f"decoded {decoded / 1e9:.2f} GB on disk; read, trained, scored and reported in "
              f"{seconds:.0f} s; exit code {code}")  # fmt: skip
        print(f"largest resident set {resident / 1e6:.0f} MB, largest anonymous part "
              f"{anonymous / 1e6:.0f} MB; cap {CAP_BYTES / 1e6:.0f} MB")  # fmt: skip
        if code or resident > CAP_BYTES or decoded < chosen.decoded:
            sys.exit("FAILED")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
