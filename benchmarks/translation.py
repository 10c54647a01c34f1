"""Translation beside what one writes by hand: training steps, beam search, filling, throughput.

The eager implementation of RNNsearch is the usual one: nn.GRU in both directions, a loop over the
target with nn.GRUCell and the alignment in three lines, autograd for the rest; same sizes, batches
and optimizer, float32. The naive beam search goes sentence by sentence and hypothesis by
hypothesis; its answers must be the same. Steps alternate; medians of the processor's seconds of
one thread. The searches are also timed by the clock with all threads.

    python -m benchmarks.translation [--data PAIRS --from de --to en] [--run RUN] [--repeats 7]
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.batch import Batch, DecoderState
from samoyed.core.spec import END, PAD, START
from samoyed.data.pair_feed import PairFeed
from samoyed.decoding.beam import beam_search
from samoyed.models.recurrent.attention import Attention, Config
from samoyed.tasks.translate import Translate
from samoyed.training.clipping import clip_gradient
from samoyed.training.precision import autocast, products_of, resolve
from samoyed.training.processor import prepare_processor

NUM_UNITS = 6_000  # of each language, about what Multi30k gets
NUM_PAIRS = 5_000
NUM_SENTENCES, WIDTH, LONGEST = 100, 5, 15
NUM_TIMED = 400  # held-out sentences of a run, for its sentences a minute

Clock = Callable[[], float]


class EagerAttention(nn.Module):
    """What one writes by hand, of the same sizes and with the same parameters."""

    def __init__(self, config: Config, num_source: int, num_target: int) -> None:
        super().__init__()
        D, H, A = config.embedding_size, config.num_units, config.num_alignment
        self.config = config
        self.source, self.target = nn.Embedding(num_source, D), nn.Embedding(num_target, D)
        self.encoder = nn.GRU(D, H, bidirectional=True, batch_first=True)
        self.first, self.cell = nn.Linear(H, H), nn.GRUCell(D + 2 * H, H)
        self.query, self.key = nn.Linear(H, A), nn.Linear(2 * H, A, bias=False)
        self.v = nn.Linear(A, 1, bias=False)
        self.deep = nn.Linear(H + D + 2 * H, 2 * config.num_maxout)
        self.out = nn.Linear(config.num_maxout, num_target)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        lengths = (source != PAD).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self._dropped(self.source(source)), lengths, batch_first=True, enforce_sorted=False
        )
        memory, last = self.encoder(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True)
        memory, keys = self._dropped(memory), self.key(memory)
        s, inputs = torch.tanh(self.first(last[1])), self._dropped(self.target(target))
        logits = []
        for x in inputs.unbind(1):
            scores = self.v(torch.tanh(keys + self.query(s)[:, None])).squeeze(2)
            alpha = torch.softmax(scores.masked_fill(source == PAD, -math.inf), dim=1)
            context = torch.bmm(alpha[:, None], memory).squeeze(1)
            s = self.cell(torch.cat([x, context], dim=1), s)
            deep = self.deep(torch.cat([s, x, context], dim=1)).unflatten(1, (-1, 2)).amax(2)
            logits.append(self.out(self._dropped(deep)))
        return torch.stack(logits, dim=1)

    def _dropped(self, values: Tensor) -> Tensor:
        return F.dropout(values, self.config.dropout, self.training)


def drawn_pairs(num: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return random units in sentences about as long as those of Multi30k."""
    random = np.random.default_rng(0)
    lengths = np.clip(random.normal(14, 4.5, num).round(), 4, 40).astype(int)
    others = np.clip(lengths + random.normal(1, 2, num).round(), 4, 40).astype(int)

    def draw(num: int) -> list[int]:
        drawn: list[int] = random.integers(4, NUM_UNITS, num).tolist()
        return drawn

    source = [np.array([*draw(n), END]) for n in lengths]
    return source, [np.array([START, *draw(n), END]) for n in others]


def step_of(
    model: nn.Module, loss: Callable[[Batch], Tensor], clip: Callable[[Optimizer], Tensor]
) -> Callable[[Batch], None]:
    """Return one training step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        loss(batch).backward()
        clip(optimizer)
        optimizer.step()

    return step


def training(feed: PairFeed, repeats: int, precision: str) -> dict[str, float]:
    """Return the median seconds of a training step: by hand, ours in float32, ours."""
    config = Config()
    eager = EagerAttention(config, NUM_UNITS, NUM_UNITS)
    ours = Attention(config, NUM_UNITS, NUM_UNITS)
    task = Translate()

    def eager_loss(batch: Batch) -> Tensor:
        assert batch.targets is not None
        logits = eager(batch.inputs, batch.targets[:, :-1]).flatten(0, 1)
        return F.cross_entropy(
            logits, batch.targets[:, 1:].flatten(), ignore_index=PAD, label_smoothing=0.1
        )

    def our_loss(kind: str) -> Callable[[Batch], Tensor]:
        def loss(batch: Batch) -> Tensor:
            with autocast("cpu", kind):
                return task.loss(ours, batch)

        return loss

    def usual_clip(_: Optimizer) -> Tensor:
        return nn.utils.clip_grad_norm_(eager.parameters(), 1.0)

    def our_clip(optimizer: Optimizer) -> Tensor:
        return clip_gradient(optimizer, list(ours.parameters()), 1.0)

    steps = {
        "by hand, float32": step_of(eager, eager_loss, usual_clip),
        "samoyed, float32": step_of(ours, our_loss("float32"), our_clip),
        f"samoyed, {precision}": step_of(ours, our_loss(precision), our_clip),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(repeats + 1):
        batch = feed.batch(repeat)
        for name, step in steps.items():
            start = time.process_time()
            step(batch)
            if repeat:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


@torch.inference_mode()
def naive_beam(model: Any, source: Tensor, width: int, most: int) -> list[tuple[int, ...]]:
    """Return the best translations as `beam_search` does, one hypothesis at a time."""
    found = []
    for row in source:
        first = model.start(row[row != PAD][None])
        alive: list[tuple[float, list[int], DecoderState]] = [(0.0, [START], first)]
        done: list[tuple[float, list[int]]] = []
        for length in range(1, most + 2):
            grown = []
            for score, units, state in alive:
                logits, after = model.step(state, torch.tensor([units[-1]]))
                likely = torch.log_softmax(logits[0], dim=0)
                likely[[PAD, START]] = -math.inf
                if length > most:
                    likely = torch.full_like(likely, -math.inf).index_fill_(
                        0, torch.tensor(END), float(likely[END])
                    )
                values, tokens = likely.topk(2 * width)
                for value, token in zip(values.tolist(), tokens.tolist(), strict=True):
                    grown.append((score + value, [*units, token], after))
            grown.sort(key=lambda g: -g[0])
            for score, units, _ in grown[:width]:
                if units[-1] == END and score > -math.inf and len(done) < width:
                    done.append((score / length, units[1:-1]))
            alive = [g for g in grown[: 2 * width] if g[1][-1] != END][:width]
            if len(done) >= width or not alive or length > most:
                break
        found.append(tuple(max(done, key=lambda d: d[0])[1]))
    return found


def searching(source: Sequence[np.ndarray], now: Clock) -> tuple[float, float, int]:
    """Return the seconds of the naive search and of ours, and how many answers are the same."""
    from samoyed.data.pair_feed import padded

    torch.manual_seed(0)
    model = Attention(Config(), NUM_UNITS, NUM_UNITS).eval()
    with torch.no_grad():
        model.read_out.weight.mul_(4)  # as sure as a trained one, so that answers differ
    batch = padded(sorted(source[:NUM_SENTENCES], key=len))
    start = now()
    one = naive_beam(model, batch, WIDTH, LONGEST)
    middle = now()
    with products_of(len(batch) * WIDTH, "cpu"):  # as the task does
        two = [f[0].units for f in beam_search(model, batch, width=WIDTH, most=LONGEST)]
    return middle - start, now() - middle, sum(map(tuple.__eq__, one, two))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="pairs, or the folder above translation/multi30k_de-en")
    parser.add_argument("--from", dest="source", default="de")
    parser.add_argument("--to", dest="into", default="en")
    parser.add_argument("--run", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    prepare_processor()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    precision = resolve("auto", "cpu")
    source, target = drawn_pairs(NUM_PAIRS)
    feed = PairFeed(source, target, Translate().batch_units, 256, seed=0)
    print(f"torch {torch.__version__}, one thread; seconds of the processor")
    times = training(feed, options.repeats, precision)
    hand = times["by hand, float32"]
    for name, seconds in times.items():
        print(f"training step of RNNsearch, {name}: {seconds:.3f} s, {hand / seconds:.2f}x")
    print(f"beam search, width {WIDTH}, {NUM_SENTENCES} sentences of at most {LONGEST} units:")
    for num_threads, now, told in (
        (1, time.process_time, "seconds of the processor"),
        (os.cpu_count() or 1, time.perf_counter, "by the clock"),
    ):
        torch.set_num_threads(num_threads)
        naive, ours, same = searching(source, now)
        print(f"  threads: {num_threads}, {told}: naive {naive:.2f} s, samoyed {ours:.2f} s, "
              f"{naive / ours:.1f}x; {same} of {NUM_SENTENCES} answers the same")  # fmt: skip
    torch.set_num_threads(1)
    print(f"filling: {feed.waste():.1%} of the units of drawn pairs")
    if options.data:
        from samoyed.data.pair_feed import encoded
        from samoyed.data.pair_files import PairAsk
        from samoyed.data.pairs import scan_pairs

        inside = Path(options.data) / "translation" / "multi30k_de-en"
        place = str(inside) if inside.is_dir() else options.data
        found = scan_pairs(place, PairAsk(options.source, options.into))
        spec = found.fit_units("bpe", None)
        held = PairFeed(*encoded(found.train, spec), Translate().batch_units, 256, seed=0)
        print(f"filling: {held.waste():.1%} of the units of {found.name}")
    for run in options.run:
        throughput(run)


def throughput(place: str) -> None:
    """Translate what a run held out; print the sentences per minute."""
    import samoyed

    run = samoyed.load(place)
    sentences = run.assembly().data.test.source[:NUM_TIMED]
    model, start = run.model, time.process_time()
    run.task.answer(model, sentences)
    minutes = (time.process_time() - start) / 60
    print(f"{run.config['system']}: {len(sentences) / minutes:,.0f} sentences a minute, "
          f"beam {run.task.beam}")  # fmt: skip


if __name__ == "__main__":
    main()
