"""Training speed of the language model of words beside the usual PyTorch loop, in one run.

Both train two LSTM layers of 650 units on 10,000 words, 35 x 20 a step, with Adam and the gradient
clipped, the memory carried over: Zaremba, Sutskever & Vinyals 2014, sec. 4.1. The usual loop is
that of PyTorch's word-language-model example in float32: nn.Embedding, nn.LSTM, nn.Linear,
nn.CrossEntropyLoss, the read-out's weights its own or, with --tied, the embedding's. Ours computes
in the number format that `auto` chooses on this processor, or the one asked for. Steps alternate,
so that whatever else the machine does falls on both; medians.

    python -m benchmarks.language [--threads 2] [--repeats 31] [--precision auto] [--tied]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samoyed.models.recurrent.lstm_language_model import Config, LSTMLanguageModel
from samoyed.tasks.continue_text import cross_entropy
from samoyed.training.clipping import clip_gradient
from samoyed.training.precision import autocast, resolve
from samoyed.training.processor import prepare_processor

NUM_WORDS, NUM_LAYERS, NUM_UNITS = 10_000, 2, 650
UNROLL, BATCH = 35, 20
DROPOUT = 0.5

Step = Callable[[Tensor, Tensor], float]


class PlainModel(nn.Module):
    """What one writes by hand."""

    def __init__(self, is_tied: bool) -> None:
        super().__init__()
        self.drop = nn.Dropout(DROPOUT)
        self.embedding = nn.Embedding(NUM_WORDS, NUM_UNITS)
        self.lstm = nn.LSTM(NUM_UNITS, NUM_UNITS, NUM_LAYERS, dropout=DROPOUT)
        self.linear = nn.Linear(NUM_UNITS, NUM_WORDS)
        if is_tied:
            self.linear.weight = self.embedding.weight

    def forward(
        self, words: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        hidden, state = self.lstm(self.drop(self.embedding(words)), state)
        return self.linear(self.drop(hidden)).view(-1, NUM_WORDS), state


def plain_step(is_tied: bool) -> Step:
    """Return one training step of the usual loop; it takes the words time first."""
    model = PlainModel(is_tied).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    carried = tuple(torch.zeros(NUM_LAYERS, BATCH, NUM_UNITS) for _ in range(2))

    def step(inputs: Tensor, targets: Tensor) -> float:
        nonlocal carried
        carried = tuple(part.detach() for part in carried)
        optimizer.zero_grad()
        logits, carried = model(inputs.t().contiguous(), carried)
        loss = F.cross_entropy(logits, targets.t().reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        return loss.item()

    return step


def our_step(is_tied: bool, precision: str) -> Step:
    """Return one training step of ours."""
    config = Config(
        NUM_LAYERS, NUM_UNITS, NUM_UNITS, dropout=DROPOUT, input_dropout=DROPOUT,
        weight_dropout=0.0, is_locked=True, is_tied=is_tied,
    )  # fmt: skip
    model = LSTMLanguageModel(config, NUM_WORDS).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    carried = model.start(BATCH)

    def step(inputs: Tensor, targets: Tensor) -> float:
        nonlocal carried
        optimizer.zero_grad()
        with autocast("cpu", precision):
            logits, state = model(inputs, carried)
            loss = cross_entropy(logits, targets)
        loss.backward()
        clip_gradient(optimizer, list(model.parameters()), 0.25)
        optimizer.step()
        carried = tuple(part.detach() for part in state)
        return loss.item()

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--tied", action="store_true")
    options = parser.parse_args()
    precision = resolve(options.precision, "cpu")
    prepare_processor()  # the peer profits from it too
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    steps = {
        "usual loop, float32": plain_step(options.tied),
        f"samoyed, {precision}": our_step(options.tied, precision),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(options.repeats + 2):
        text = torch.randint(0, NUM_WORDS, (BATCH, UNROLL + 1))
        for name, step in steps.items():
            start = time.perf_counter()
            step(text[:, :-1], text[:, 1:])
            if repeat >= 2:
                times[name].append(time.perf_counter() - start)
    print(f"torch {torch.__version__}, {options.threads} threads; {NUM_LAYERS} x {NUM_UNITS}")
    print(f"{UNROLL} x {BATCH}, {NUM_WORDS:,} words" + (", tied" if options.tied else ""))
    middle = {name: statistics.median(found) for name, found in times.items()}
    for name, seconds in middle.items():
        print(f"{name:24} {BATCH * UNROLL / seconds:9,.0f} words/s")
    plain_s, ours_s = middle.values()
    print(f"ratio {plain_s / ours_s:.2f}")


if __name__ == "__main__":
    main()
