"""Settings of the processor and of the C library with which training is faster."""

from __future__ import annotations

import ctypes
import platform

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of malloc.h
LARGEST_MMAP_THRESHOLD = 32 << 20  # bytes: the most that glibc takes
KEPT = (1 << 31) - 1  # bytes: freed memory beyond it goes back to the system


def prepare_processor() -> None:
    """Flush denormal numbers to zero and keep freed memory, in this process from here on.

    Once a network is sure of its answers, its gradients sink below 1e-38, where arithmetic with
    them is some hundred times slower: LeNet-5's step on MNIST grows from 20 to 50 ms within two
    hundred steps. Threads that start later take the setting over, so call it before any other
    work in torch.
    """
    torch.set_flush_denormal(True)
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory instead of returning it to the system at once.

    A training step allocates and frees the same few megabytes for every layer's maps. By default
    glibc maps each of them anew and the system clears them page by page, which costs up to half
    the time of a step of a small ConvNet.

    Returns:
        Whether it was taken; a C library other than glibc has no such setting.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    return bool(taken and mallopt(M_TRIM_THRESHOLD, KEPT))
