"""How well a model foresees a text: unit by unit, in many pieces at once, each after its past."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from samoyed.core.spec import TextSpec
from samoyed.data.cache import is_mapped, rows_of
from samoyed.data.text import TextData, line_end
from samoyed.data.units import encode

NUM_STREAMS = 32
"""The held-out part is read in so many pieces at once."""

LEAD = 256
"""Characters read before each piece, unscored, so that the memory is filled."""

MOST_LOGITS = 1 << 22
"""So many numbers at once at most when a text is scored; a large vocabulary takes shorter steps."""

PIECE = 1_000
"""Units in a piece that is kept aside, about."""

MOST_ASIDE = 0.25  # of the training part

# S streams, N units, L units of a lead, K pieces


@dataclass(frozen=True)
class Aside:
    """Pieces of a text that training does not see.

    Args:
        rows: (K, L + 1 + N) units: each piece after what stands before it in the text.
        num_lead: L + 1.
    """

    rows: np.ndarray
    num_lead: int

    def mean_bits(self, model: Any, device: torch.device | str = "cpu") -> float:
        """Return the mean surprise of their units in bits; the model is left in its mode."""
        bits, _ = _foreseen(model, torch.as_tensor(self.rows, device=device).long())
        return float(bits[:, self.num_lead - 1 :].mean())


def set_aside(data: TextData, num: int) -> tuple[np.ndarray, Aside | None]:
    """Return what is learned from, and what is looked at in between.

    Without a validation part the pieces are spread over the training part, as what stands close
    together in a text is alike: a net that never saw the last chapter's names would be poor at
    them. Of a text that lies on the disk the end is taken.

    Args:
        data: the text.
        num: how many units to keep aside; of none nothing is.
    """
    train = data.train
    num = min(num, len(data.valid) or int(MOST_ASIDE * len(train)))
    if num < 1:
        return train, None
    num_pieces = max(1, num // PIECE)
    size, part = num // num_pieces, len(train) // num_pieces
    if len(data.valid):
        lead = rows_of(train, slice(max(0, len(train) - LEAD - 1), None))
        whole = np.concatenate([lead, data.valid[:num]])
        firsts = len(lead) + size * np.arange(num_pieces)
    else:
        is_end = is_mapped(train)
        kept = len(train) - size * num_pieces
        whole = rows_of(train, slice(max(0, kept - LEAD - 1), None)) if is_end else train
        first = min(LEAD + 1, kept) if is_end else part - size
        firsts = first + (size if is_end else part) * np.arange(num_pieces)
        train = train[:kept] if is_end else np.delete(train, _places(firsts, size))
    num_lead = min(LEAD + 1, int(firsts[0]))
    rows = whole[_places(firsts - num_lead, num_lead + size).reshape(num_pieces, -1)]
    return train, Aside(rows, num_lead)


def _places(firsts: np.ndarray, size: int) -> np.ndarray:
    """Return the places of pieces of one size, one piece after the other."""
    return (firsts[:, None] + np.arange(size)).ravel()


def foresee(
    model: Any, codes: np.ndarray, num_lead: int, device: torch.device | str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Read a text in `NUM_STREAMS` pieces at once, each with `LEAD` characters before it.

    Where the lead is shorter than that, the text is read in one piece.

    Args:
        model: the model; left in the mode it came in.
        codes: (L + N,) the text, with a lead.
        num_lead: L >= 1, characters at the beginning that are not scored.
        device: where the model is.

    Returns:
        (N,) the surprise in bits of each character after the lead, and (N,) whether it was the
        first guess.
    """
    assert num_lead >= 1, "nothing can be foreseen before the first symbol is read"
    num = len(codes) - num_lead
    lead = min(LEAD, num_lead - 1)
    num_streams = max(1, min(NUM_STREAMS, num // LEAD)) if lead == LEAD else 1
    size = math.ceil(num / num_streams)
    first = num_lead + np.arange(num_streams)[:, None] * size - lead - 1
    places = np.minimum(first + np.arange(lead + size + 1), len(codes) - 1)
    found = _foreseen(model, torch.as_tensor(codes[places], device=device).long())
    bits, is_right = (part[:, lead:].reshape(-1)[:num] for part in found)
    return bits.double().cpu().numpy(), is_right.cpu().numpy()


@torch.inference_mode()
def _foreseen(model: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the surprise in bits (S, N) of rows (S, 1 + N) but their first unit, and the hits."""
    was_training = model.training
    model.eval()
    num_streams, num = rows.shape[0], rows.shape[1] - 1
    state = model.start(num_streams)
    num_symbols = model.step(state, rows[:, 0])[0].shape[1]
    step = max(1, min(LEAD, MOST_LOGITS // (num_streams * num_symbols)))
    bits = torch.empty(num_streams, num, device=rows.device)  # not a list of small pieces:
    is_right = torch.empty_like(bits, dtype=torch.bool)  # they would lie between the large ones
    for start in range(0, num, step):
        piece = rows[:, start : start + step + 1]
        logits, state = model(piece[:, :-1], state)
        nats = F.cross_entropy(logits.float().transpose(1, 2), piece[:, 1:], reduction="none")
        bits[:, start : start + step] = nats / math.log(2)
        is_right[:, start : start + step] = logits.argmax(dim=2) == piece[:, 1:]
    model.train(was_training)
    return bits, is_right


def surprise(
    model: Any, spec: TextSpec, text: str, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return by how many bits each unit of a text surprised, (N,).

    The first one is guessed after a line end, as at the beginning of a line.
    """
    codes = encode(text, spec)
    if not len(codes):
        return np.zeros(0)
    return foresee(model, np.concatenate([line_end(spec), codes]), 1, device)[0]
