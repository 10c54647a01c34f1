"""Beam search: the best of many ways to write, for all sentences and hypotheses at once.

One search serves whatever has `start(inputs) -> state` and `step(state, token) -> (logits, state)`.
Every hypothesis is scored by its log-probability divided by its length to the power of `alpha`
(length counts the unit that ends it); a sentence is done when it has as many finished hypotheses
as the beam is wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from samoyed.core.batch import DecoderState
from samoyed.core.spec import END, PAD, START


@dataclass(frozen=True)
class Hypothesis:
    """One way to write an answer.

    Args:
        units: without the marks at both ends.
        score: log-probability divided by length to the power of alpha.
        log_probability: of the units and the end.
    """

    units: tuple[int, ...]
    score: float
    log_probability: float


@torch.inference_mode()
def beam_search(
    model: Any, inputs: Int[Tensor, "B S"], *, width: int = 5, alpha: float = 1.0,
    most: int | None = None,
) -> list[list[Hypothesis]]:  # fmt: skip
    """Return the finished hypotheses of each sentence, the best first.

    Args:
        model: with `start` and `step`, in evaluation mode.
        inputs: sentences, filled up with `PAD`.
        width: K, hypotheses kept for each sentence.
        alpha: 0 compares log-probabilities, 1 their means.
        most: units an answer may have; by default twice the source's and ten.
    """
    K, device = width, inputs.device
    limit = most if most is not None else 2 * inputs.shape[1] + 10
    done: list[list[Hypothesis]] = [[] for _ in range(len(inputs))]
    alive = torch.arange(len(inputs), device=device)  # which sentences the rows belong to
    state = model.start(inputs)
    scores = torch.zeros(len(inputs), 1, device=device)  # of one hypothesis each: nothing written
    units = torch.full((len(inputs), 1, 1), START, dtype=torch.long, device=device)
    for length in range(1, limit + 2):
        logits, state = model.step(state, units[:, :, -1].reshape(-1))
        num = scores.shape[1]  # hypotheses of each sentence
        likely = torch.log_softmax(logits.float(), dim=1).view(len(alive), num, -1)
        likely[..., [PAD, START]] = -math.inf
        if length > limit:
            ends = likely[..., END].clone()
            likely.fill_(-math.inf)
            likely[..., END] = ends
        V = likely.shape[2]
        total = likely.add_(scores[:, :, None]).flatten(1)
        best, places = total.topk(min(2 * K, total.shape[1]), dim=1)
        parents, tokens = places // V, places % V
        _finish(done, alive, units, best, parents, tokens, length, K, alpha)
        is_open = [len(done[k]) < K for k in alive.tolist()]
        going = (tokens != END).to(torch.int8)
        chosen = going.sort(dim=1, descending=True, stable=True).indices[:, :K]
        scores, tokens = best.gather(1, chosen), tokens.gather(1, chosen)
        parents = parents.gather(1, chosen)
        scores = scores.masked_fill(tokens == END, -math.inf)
        is_open = [o and bool(r) for o, r in zip(
            is_open, (scores > -math.inf).any(1).tolist(), strict=True)]  # fmt: skip
        kept = torch.tensor(is_open, device=device)
        if not any(is_open) or length > limit:
            break
        rows = torch.arange(len(alive), device=device)[:, None] * num + parents
        memory = state.memory
        if not all(is_open):
            alive, scores, tokens, rows = alive[kept], scores[kept], tokens[kept], rows[kept]
            parents, units = parents[kept], units[kept]
            memory = tuple(part[kept] for part in memory)
        moving = tuple(part[rows.flatten()] for part in state.moving)
        state = DecoderState(memory, moving)
        units = units.gather(1, parents[:, :, None].expand(-1, -1, length))
        units = torch.cat([units, tokens[:, :, None]], dim=2)
    return [sorted(found, key=lambda h: -h.score) for found in done]


def _finish(
    done: list[list[Hypothesis]], alive: Tensor, units: Tensor, best: Tensor, parents: Tensor,
    tokens: Tensor, length: int, width: int, alpha: float,
) -> None:  # fmt: skip
    """Take the hypotheses among the best `width` that end here, as long as there is room."""
    ended = ((tokens == END) & (best > -math.inf))[:, :width].nonzero().tolist()
    sentences = alive.tolist()
    for row, place in ended:
        found = done[sentences[row]]
        if len(found) < width:
            value = float(best[row, place])
            written = units[row, parents[row, place], 1:].tolist()
            found.append(Hypothesis(tuple(written), value / length**alpha, value))
