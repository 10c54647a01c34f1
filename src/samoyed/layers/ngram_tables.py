"""Counted n-grams as tensors: what comes after a context, for all symbols at once.

The counts are those of `layers.kneser_ney`. Smoothed, the probability of a symbol w after the
symbols h is, with h' all of h but its first symbol (Chen & Goodman 1999),

    p(w | h) = (c(h w) - D(c(h w))) / c(h)  +  (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h)  p(w | h')

where N1, N2, N3 tell how many symbols were counted after h once, twice, more often.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.layers.kneser_ney import KneserNey

# B batch, T time, V symbols, R rows (a context each), G n-grams, C contexts, K known n-grams

NOWHERE = -2  # what stands for a number that no table holds
_BUFFERS = ("grams", "counts", "contexts", "firsts", "totals", "kinds", "known")


class NGramTables(nn.Module):
    """N-grams up to an order; the discounts are its parameters, the counts its buffers.

    Before `learn`, all symbols are equally likely. Tables read from a file may be of any size.

    Args:
        num_symbols: V.
        order: symbols in the longest n-gram.
    """

    def __init__(self, num_symbols: int, order: int) -> None:
        super().__init__()
        self.num_symbols, self.order = num_symbols, order
        self.discounts = nn.Parameter(torch.tensor([[0.5, 1.0, 1.5]]).repeat(order, 1))
        none = torch.tensor([NOWHERE])
        for n in range(1, order + 1):
            empty = torch.zeros(0, dtype=torch.int64)
            self.register_buffer(f"grams_{n}", empty)
            self.register_buffer(f"counts_{n}", empty.clone())
            self.register_buffer(f"contexts_{n}", none - 1)
            self.register_buffer(f"firsts_{n}", torch.tensor([0, 0]))
            self.register_buffer(f"totals_{n}", torch.tensor([1]))
            self.register_buffer(f"kinds_{n}", torch.tensor([[0, 0, 0]]))
            self.register_buffer(f"known_{n}", none - 1)

    def table(self, kind: str, n: int) -> Tensor:
        """Return one of the buffers."""
        return self.get_buffer(f"{kind}_{n}")

    @torch.no_grad()
    def learn(self, counted: KneserNey) -> None:
        """Take over counts and discounts."""
        for n, level in enumerate(counted.levels, start=1):
            starts = level.firsts[:-1]
            kinds = [np.minimum(level.counts, 3) == k for k in (1, 2, 3)]
            found = {
                "grams": level.grams, "counts": level.counts, "contexts": level.contexts,
                "firsts": level.firsts, "totals": np.add.reduceat(level.counts, starts),
                "kinds": np.stack([np.add.reduceat(k.astype(np.int64), starts) for k in kinds], 1),
                "known": level.known if n < self.order else np.array([NOWHERE - 1]),
            }  # fmt: skip
            for name, values in found.items():
                tensor = torch.as_tensor(values, dtype=torch.int64, device=self.discounts.device)
                setattr(self, f"{name}_{n}", tensor)
            self.discounts[n - 1] = torch.as_tensor(level.discounts, dtype=self.discounts.dtype)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *others: Any
    ) -> None:  # as many n-grams as the file holds
        for n in range(1, self.order + 1):
            for name in (f"{kind}_{n}" for kind in _BUFFERS):
                if (kept := state_dict.get(prefix + name)) is not None:
                    setattr(self, name, torch.empty_like(kept, device=self.discounts.device))
        super()._load_from_state_dict(state_dict, prefix, *others)

    def start(self, batch_size: int) -> Int[Tensor, "B O"]:
        """Return what is known before the first symbol: nothing, O = order - 1 zeros."""
        shape = (batch_size, self.order - 1)
        return torch.zeros(shape, dtype=torch.int64, device=self.discounts.device)

    def places(
        self, tokens: Int[Tensor, "B T"], before: Int[Tensor, "B O"]
    ) -> Int[Tensor, "B T O"]:
        """Return where the n-grams that end at each symbol stand among the known ones.

        Args:
            tokens: the text.
            before: the same for the symbol before it.

        Returns:
            For n = 1, 2, ..., order - 1 the place and one more; 0 where the n-gram is unknown.
        """
        found: list[Tensor] = []
        for n in range(1, self.order):
            if n == 1:
                wanted = tokens
            else:
                shorter = torch.cat([before[:, n - 2 : n - 1], found[-1][:, :-1]], dim=1)
                wanted = (shorter - 1) * self.num_symbols + tokens
                wanted = torch.where(shorter > 0, wanted, NOWHERE)
            found.append(_find(self.table("known", n), wanted) + 1)
        if not found:
            return tokens.new_zeros(*tokens.shape, 0)
        return torch.stack(found, dim=2)

    def forward(self, places: Int[Tensor, "R O"]) -> Float[Tensor, "R V"]:
        """Return the probability of every symbol after each context.

        Args:
            places: of the n-grams that end the context, from `places`.
        """
        scale = torch.ones(len(places), dtype=self.discounts.dtype, device=places.device)
        parts: list[tuple[Tensor, Tensor]] = []
        for n in range(self.order, 1, -1):
            context = places[:, n - 2] - 1
            found = _find(self.table("contexts", n), torch.where(context >= 0, context, NOWHERE))
            parts.append(self._successors(n, found, scale))
            held = self._held_back(n)[found.clamp_min(0)]
            scale = torch.where(found >= 0, scale * held, scale)
        likely = (scale[:, None] * self._single()).view(-1)  # most numbers: one product
        if parts:
            spots, shares = (torch.cat(both) for both in zip(*parts, strict=True))
            likely = likely.index_add(0, spots, shares)
        return likely.view(-1, self.num_symbols)

    def _single(self) -> Float[Tensor, " V"]:
        """Return the probability of every symbol after nothing."""
        first = self.table("contexts", 1).new_zeros(1)
        which = _find(self.table("contexts", 1), first)  # that of none has number 0
        left = torch.where(which >= 0, self._held_back(1)[which.clamp_min(0)], 1.0)
        even = (left / self.num_symbols).expand(self.num_symbols)
        return even.index_add(0, *self._successors(1, which, torch.ones_like(left)))

    def _held_back(self, n: int) -> Tensor:
        """Return (C,) what each context of length n - 1 leaves to the shorter ones."""
        kinds = self.table("kinds", n).to(self.discounts.dtype)
        return (kinds * self.discounts[n - 1]).sum(1) / self.table("totals", n)

    def _successors(self, n: int, which: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Return where in (R V) the n-grams of each row's context lie, and what they add."""
        firsts = self.table("firsts", n)
        begins = firsts[which.clamp_min(0)]
        sizes = torch.where(which >= 0, firsts[which.clamp_min(0) + 1] - begins, 0)
        rows = torch.repeat_interleave(torch.arange(len(which), device=which.device), sizes)
        within = torch.arange(len(rows), device=which.device) - (sizes.cumsum(0) - sizes)[rows]
        grams = begins[rows] + within
        counts = self.table("counts", n)[grams]
        taken = self.discounts[n - 1][counts.clamp(1, 3) - 1]
        shares = (counts - taken) / self.table("totals", n)[which[rows]] * scale[rows]
        return rows * self.num_symbols + self.table("grams", n)[grams] % self.num_symbols, shares


def _find(keys: Int[Tensor, " K"], wanted: Tensor) -> Tensor:
    """Return where each wanted number stands among the sorted keys, -1 where it does not."""
    spots = torch.searchsorted(keys, wanted.contiguous()).clamp_max(len(keys) - 1)
    return torch.where(keys[spots] == wanted, spots, -1)
