"""Which number format to compute in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from samoyed.core.errors import OptionError

PRECISIONS = ("auto", "float32", "bfloat16")


def resolve(precision: str, device: torch.device | str) -> str:
    """Turn `auto` into bfloat16 where the processor is faster in it, else float32.

    On a CPU that means AMX tiles, or AVX512-BF16 on an AMD processor. Others with AVX512-BF16
    alone multiply bfloat16 too, but slower than float32 (decision 0005); elsewhere it is emulated
    and slower still.

    Raises:
        OptionError: for a precision that does not exist.
    """
    if precision not in PRECISIONS:
        raise OptionError("--set precision", "one of " + ", ".join(PRECISIONS), repr(precision))
    if precision != "auto":
        return precision
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if has_bfloat16_cpu() else "float32"


def has_bfloat16_cpu() -> bool:
    """Tell whether this processor is faster in bfloat16 than in float32."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return False
    return "amx_bf16" in first or ("avx512_bf16" in first and "AuthenticAMD" in first)


def autocast(device: torch.device | str, precision: str) -> AbstractContextManager[None]:
    """Return the context in which one objective is computed."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
