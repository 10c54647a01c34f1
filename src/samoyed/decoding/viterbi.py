"""The best sequence of tags of a chain.

Viterbi, A. (1967). Error bounds for convolutional codes and an asymptotically optimum decoding
algorithm. IEEE Transactions on Information Theory 13(2), 260-269; Collobert et al. (2011), 3.4.2.

Legend for shapes: B batch, L words of a sentence, K tags.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def viterbi(
    values: Float[Tensor, "B L K"], transitions: Float[Tensor, "K K"],
    starts: Float[Tensor, K], is_word: Bool[Tensor, "B L"],
    ends: Float[Tensor, K] | None = None,
) -> tuple[Int[Tensor, "B L"], Float[Tensor, B]]:  # fmt: skip
    """Return the path with the largest sum of scores, and that sum.

    Args:
        values: scores of tags for words.
        transitions: scores of the second tag after the first.
        starts: scores of the first word's tag.
        is_word: where there is a word; sentences begin at 0.
        ends: scores of the last word's tag, zeros by default.

    Returns:
        The tags, -1 behind a sentence's end, and the score of each path.
    """
    num, length, num_tags = values.shape
    best, back = starts + values[:, 0], []
    stay = torch.arange(num_tags, device=values.device).expand(num, num_tags)
    for t in range(1, length):
        through = best[:, :, None] + transitions
        reached, come_from = through.max(dim=1)
        here = is_word[:, t, None]
        best = torch.where(here, reached + values[:, t], best)
        back.append(torch.where(here, come_from, stay))
    score, tag = (best if ends is None else best + ends).max(dim=1)
    path = [tag]
    for come_from in reversed(back):
        tag = come_from.gather(1, tag[:, None]).squeeze(1)
        path.append(tag)
    found = torch.stack(path[::-1], dim=1)
    return torch.where(is_word, found, torch.full_like(found, -1)), score
