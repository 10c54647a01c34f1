"""What torch refuses because a dial asks too much of the machine or of a picture, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from samoyed.core.errors import OptionError

# What torch says, as it has no errors of its own for it -> what was expected, and what to do.
REFUSALS = {
    ("allocate", "out of memory", "not enough memory", "Storage size calculation"): (
        "a model and a batch that fit into the memory",
        "take a smaller --size or batch_size, or smaller dials of the system",
    ),
    ("Output size is too small", "Kernel size can't be greater"): (
        "dials that leave something of every picture",
        "take a larger side, or smaller kernels and steps",
    ),
}


TENSORS = 4  # of a parameter's size: itself, its gradient and two moments
BYTES = 4


def refuse_too_large(num_parameters: int, memory_gib: float) -> None:
    """Raise for a model that cannot be trained in this memory, before the machine stands still.

    Args:
        num_parameters: of the model.
        memory_gib: of the machine; 0 where nobody knows.

    Raises:
        OptionError: with both sizes.
    """
    needed = num_parameters * TENSORS * BYTES / 2**30
    if 0 < memory_gib < needed:
        raise OptionError(
            "--set", f"a model that {memory_gib:.0f} GiB of memory can train",
            f"{num_parameters:,} parameters, which take {needed:,.0f} GiB with their gradient and "
            "moments", "take a smaller --size, or smaller dials of the system",
        )  # fmt: skip


@contextmanager
def within_reach() -> Iterator[None]:
    """Turn what an allocator or a convolution says into a message about the dials.

    >>> with within_reach():
    ...     raise MemoryError("Unable to allocate 536. GiB")
    Traceback (most recent call last):
    samoyed.core.errors.OptionError: --set
      expected: a model and a batch that fit into the memory
      found:    Unable to allocate 536. GiB
      to do:    take a smaller --size or batch_size, or smaller dials of the system

    Raises:
        OptionError: for what is out of reach; any other error is raised again.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = str(error) or "cannot allocate"
        for words, (expected, hint) in REFUSALS.items():
            if any(word in said for word in words):
                raise OptionError("--set", expected, said.splitlines()[0], hint) from None
        raise
