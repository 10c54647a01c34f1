"""Which number format to compute in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path

import torch

from samoyed.core.errors import OptionError

PRECISIONS = ("auto", "float32", "bfloat16")
MANY_ROWS = 32
"""Rows from which on oneDNN is faster in float32, with matrices of 300,000 numbers and more."""


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
    flags = _processor()
    return "amx_bf16" in flags or ("avx512_bf16" in flags and "AuthenticAMD" in flags)


@cache
def _processor() -> str:
    """Return what the system says of its first processor; nothing where it says nothing."""
    try:
        return Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return ""


@contextmanager
def products_of(num_rows: int, device: torch.device | str) -> Iterator[None]:
    """Let oneDNN multiply float32 matrices of so many rows where it is faster (decision 0017).

    On an AMD processor with AVX-512 it takes less time than the usual library from some 30 rows on,
    half of it for hundreds, and twice as long for a single one. It computes in float32 there; with
    AMX tiles it would round to bfloat16, so nothing changes where there are any. The setting holds
    for all threads.
    """
    flags = _processor()
    is_faster = "AuthenticAMD" in flags and "avx512f" in flags and "amx_bf16" not in flags
    if num_rows < MANY_ROWS or torch.device(device).type != "cpu" or not is_faster:
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def autocast(device: torch.device | str, precision: str) -> AbstractContextManager[None]:
    """Return the context in which one objective is computed."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
