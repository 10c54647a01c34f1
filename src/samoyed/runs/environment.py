"""The machine and the versions a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import samoyed
from samoyed.training.precision import has_bfloat16_cpu

PACKAGES = ("torch", "numpy", "scikit-learn", "safetensors", "pillow", "gymnasium")


def environment() -> dict[str, Any]:
    """Describe processor, memory, threads, versions and, in a checkout, the commit."""
    return {
        "samoyed": samoyed.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        "memory_gib": round(memory_gib(), 1),
        "has_bfloat16": has_bfloat16_cpu(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "packages": {name: version for name in PACKAGES if (version := version_of(name))},
    }


def version_of(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """Return the processor's own name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory_gib() -> float:
    """Return the machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return 0.0


def commit() -> str | None:
    """Return the checkout's commit, with "+" when its code was changed since; None elsewhere."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(here)]
        name = subprocess.run(
            [*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, timeout=5
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src"],
            capture_output=True, text=True, timeout=5,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return (name + ("+" if changed else "")) or None
