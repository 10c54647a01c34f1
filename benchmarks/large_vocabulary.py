"""A training step over 50,000 words, each told among all, or among those of a piece, in one run.

The same net (`large_vocabulary`, its default sizes and recipe), the same batches of 64 x 32 words,
as frequent as the words of a text are (Zipf's law), AdamW, the gradient clipped. The one loss is
the usual softmax over all words, in the quickest form that is here; the other tells a word among
those of its piece and those drawn besides, with all that belongs to it: cutting the text into
pieces, drawing, looking up the chances. Steps alternate, so that whatever else the machine does
falls on both; medians of the processor's seconds.

    python -m benchmarks.large_vocabulary [--words 50000] [--repeats 9] [--precision auto]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from samoyed.core.spec import TextSpec
from samoyed.data.text import TextData
from samoyed.models.language import large_vocabulary
from samoyed.tasks.continue_text import ContinueText
from samoyed.training.loop import train
from samoyed.training.precision import resolve
from samoyed.training.processor import prepare_processor

NUM_READ = 800_000  # words of the text, as of the Brown corpus
WARM_UP = 3  # steps of each that are left out; the pieces of the first 256 steps are cut in them


def drawn(num_symbols: int) -> TextData:
    """Return a text of words without sense, as frequent as words are."""
    shares = 1 / np.arange(1, num_symbols + 1)
    codes = np.random.default_rng(0).choice(num_symbols, NUM_READ, p=shares / shares.sum())
    spec = TextSpec((*(f"w{i}" for i in range(num_symbols - 1)), "<unk>"), "word")
    return TextData(spec, codes, codes[:1_000])


def steps_of(
    data: TextData, changes: dict[str, Any], precision: str
) -> tuple[nn.Module, Callable[[], float]]:
    """Return a net and what does its next training step and tells the loss."""
    config = replace(large_vocabulary.Config(), **changes)
    torch.manual_seed(0)
    model = large_vocabulary.build(config, data.spec)
    stages = ContinueText(data.spec).stages(
        model, large_vocabulary, config, data, large_vocabulary.RECIPE, 0, large_vocabulary.stages
    )
    moments = train(model, stages, precision=precision)
    return model, lambda: float(next(moments).loss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    precision = resolve(options.precision, "cpu")
    prepare_processor()
    torch.set_num_threads(1)
    data = drawn(options.words)
    nets = {
        "among all": steps_of(data, {"num_subset": 0}, precision),
        "among a piece's": steps_of(data, {}, precision),
    }
    times: dict[str, list[float]] = {name: [] for name in nets}
    for repeat in range(options.repeats + WARM_UP):
        for name, (_, step) in nets.items():
            start = time.process_time()
            step()
            if repeat >= WARM_UP:
                times[name].append(time.process_time() - start)
    middle = {name: statistics.median(found) for name, found in times.items()}
    print(f"torch {torch.__version__}, 1 thread, {precision}; {options.words:,} words, 64 x 32")
    for name, seconds in middle.items():
        print(f"{name:16} {seconds * 1000:8.1f} ms a step")
    print("ratio {:.2f}".format(middle["among all"] / middle["among a piece's"]))


if __name__ == "__main__":
    main()
