"""What training asks of the processor and the C library holds, in a process of its own."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

PROBE = """
import resource, torch
from samoyed.training.processor import prepare_processor
if {is_prepared}:
    prepare_processor()
torch.set_num_threads(1)
product = torch.full((4,), 1e-30) * 1e-10


def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        maps = [torch.empty(2_000_000).fill_(1.0) for _ in range(8)]
        del maps
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


faults(2)  # the first touch of every page is a fault either way
print(product[0].item(), faults(20))
"""


def probe(is_prepared):
    program = PROBE.format(is_prepared=is_prepared)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    number, faults = done.stdout.split()
    return float(number), int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_denormal_numbers_are_flushed_and_freed_memory_is_used_again():
    plain_number, _ = probe(is_prepared=False)
    number, faults = probe(is_prepared=True)
    assert plain_number > 0
    assert number == 0
    touched = 20 * 8 * 8_000_000 // resource.getpagesize()
    assert faults < touched / 4  # without the setting, nearly every page is a fault on most systems
