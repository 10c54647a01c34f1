"""Run every benchmark: python -m benchmarks [--data FOLDER]."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NEED_DATA = ("mnist", "pictures", "start", "tables", "translation", "word_vectors")


def main() -> None:
    """Run each file in a process of its own and print what it prints."""
    here = Path(__file__).parent
    for file in sorted(here.glob("[a-z]*.py")):
        arguments = sys.argv[1:] if file.stem in NEED_DATA else []
        print(f"== {file.stem}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{file.stem}", *arguments], check=False)


if __name__ == "__main__":
    main()
