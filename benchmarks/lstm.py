"""Training speed of the LSTM language model beside the usual PyTorch loop, in one run.

Both train the same network: embedding, LSTM, linear read-out, cross-entropy, gradient clipping,
Adam; same sizes, batch and unroll, memory carried over. The usual loop is nn.Embedding, nn.LSTM,
nn.Linear in float32; ours computes in the number format that `auto` chooses on this processor, or
the one asked for. Steps alternate, so that whatever else the machine does falls on both; medians.

    python -m benchmarks.lstm [--threads 2] [--repeats 9] [--precision auto]
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

NUM_SYMBOLS = 65
CASES = (
    (1, 512, 64, 32),
    # layers, units, batch, unroll
    (1, 512, 64, 64),
    (1, 512, 128, 64),
    (1, 512, 64, 128),
    (1, 1024, 64, 64),
    (2, 256, 64, 64),
    (2, 256, 128, 64),
    (2, 512, 64, 64),
)


class PlainModel(nn.Module):
    """What one writes by hand."""

    def __init__(self, num_layers: int, num_units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(NUM_SYMBOLS, num_units)
        self.lstm = nn.LSTM(num_units, num_units, num_layers, batch_first=True)
        self.linear = nn.Linear(num_units, NUM_SYMBOLS)

    def forward(self, tokens: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, object]:
        hidden, state = self.lstm(self.embedding(tokens), state)
        return self.linear(hidden), state


def plain_step(num_layers: int, num_units: int) -> Callable[[Tensor, Tensor], None]:
    """Return one training step of the usual loop."""
    model = PlainModel(num_layers, num_units)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    carried = None

    def step(inputs: Tensor, targets: Tensor) -> None:
        nonlocal carried
        optimizer.zero_grad()
        logits, state = model(inputs, carried)
        F.cross_entropy(logits.reshape(-1, NUM_SYMBOLS), targets.reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        carried = tuple(part.detach() for part in state)

    return step


def our_step(num_layers: int, num_units: int, precision: str) -> Callable[[Tensor, Tensor], None]:
    """Return one training step of ours."""
    config = Config(num_layers, num_units, num_units, dropout=0.0, weight_dropout=0.0)
    model = LSTMLanguageModel(config, NUM_SYMBOLS)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    carried = None

    def step(inputs: Tensor, targets: Tensor) -> None:
        nonlocal carried
        optimizer.zero_grad()
        with autocast("cpu", precision):
            logits, state = model(inputs, carried or model.start(len(inputs)))
            loss = cross_entropy(logits, targets)
        loss.backward()
        clip_gradient(optimizer, list(model.parameters()), 1.0)
        optimizer.step()
        carried = tuple(part.detach() for part in state)

    return step


def matmul_ceiling(repeats: int) -> float:
    """Return the GFLOP/s of a large float32 matrix product."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times) / 1e9


def measure(case: tuple[int, int, int, int], repeats: int, precision: str) -> tuple[float, float]:
    """Return the median seconds of a step: the usual loop's, ours."""
    num_layers, num_units, batch, unroll = case
    steps = plain_step(num_layers, num_units), our_step(num_layers, num_units, precision)
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 2):
        text = torch.randint(0, NUM_SYMBOLS, (batch, unroll + 1))
        for step, record in zip(steps, times, strict=True):
            start = time.perf_counter()
            step(text[:, :-1], text[:, 1:])
            if repeat >= 2:
                record.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    precision = resolve(options.precision, "cpu")
    prepare_processor()  # the peers profit from it too
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    ceiling = matmul_ceiling(20)
    print(f"torch {torch.__version__}, {options.threads} threads, ours in {precision}; "
          f"float32 matrix product {ceiling:.0f} GFLOP/s")  # fmt: skip
    print("GFLOP/s count the usual loop's arithmetic (ours skips part of it) for plain, "
          "what is done for ours")  # fmt: skip
    print("layers units batch unroll | plain tok/s GFLOP/s | ours tok/s GFLOP/s of ceiling | ratio")
    for case in CASES:
        num_layers, num_units, batch, unroll = case
        plain_s, ours_s = measure(case, options.repeats, precision)
        tokens = batch * unroll
        product = 6 * tokens * 4 * num_units * num_units
        read_out = 6 * tokens * num_units * NUM_SYMBOLS
        plain_flop = product * 2 * num_layers + read_out
        ours_flop = product * (2 * num_layers - 1) + read_out
        rate = ours_flop / ours_s / 1e9
        print(
            f"{num_layers:6} {num_units:5} {batch:5} {unroll:6} | {tokens / plain_s:11,.0f} "
            f"{plain_flop / plain_s / 1e9:7.0f} | {tokens / ours_s:10,.0f} {rate:7.0f} "
            f"{rate / ceiling:10.0%} | {plain_s / ours_s:5.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
