"""The likelihood of a sequence of tags: a chain in which each tag depends on the one before.

Collobert, R. et al. (2011). Natural language processing (almost) from scratch. JMLR 12, section
3.4.2: the score of a path is the sum of its words' scores and of its transitions (eq. 12), and its
likelihood is normalised over all paths by a recursion (eq. 14). With transitions of zero it is the
product of the words' own softmaxes, the word-level likelihood of section 3.4.1.

Legend for shapes: B batch, L words of a sentence, K tags.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

NO_TAG = -1  # the target behind a sentence's end


def log_partition(
    values: Float[Tensor, "B L K"], transitions: Float[Tensor, "K K"],
    starts: Float[Tensor, K], is_word: Bool[Tensor, "B L"],
) -> Float[Tensor, B]:  # fmt: skip
    """Return the logarithm of the sum over all paths of the exponential of their scores.

    The recursion over words of eq. 14.

    Args:
        values: scores of tags for words.
        transitions: scores of the second tag after the first.
        starts: scores of the first word's tag.
        is_word: where there is a word; sentences begin at 0.
    """
    delta = starts + values[:, 0]
    for t in range(1, values.shape[1]):
        step = torch.logsumexp(delta[:, :, None] + transitions, dim=1) + values[:, t]
        delta = torch.where(is_word[:, t, None], step, delta)
    return torch.logsumexp(delta, dim=1)


def path_score(
    values: Float[Tensor, "B L K"], transitions: Float[Tensor, "K K"],
    starts: Float[Tensor, K], path: Int[Tensor, "B L"],
) -> Float[Tensor, B]:  # fmt: skip
    """Return the score of a path of tags (eq. 12); `NO_TAG` behind a sentence's end."""
    is_word = path >= 0
    tags = path.clamp(min=0)
    own = values.gather(2, tags[:, :, None]).squeeze(2)
    moves = transitions[tags[:, :-1], tags[:, 1:]]
    total = (own * is_word).sum(dim=1) + (moves * is_word[:, 1:]).sum(dim=1)
    return total + starts[tags[:, 0]]


def chain_loss(
    values: Float[Tensor, "B L K"], transitions: Float[Tensor, "K K"],
    starts: Float[Tensor, K], targets: Int[Tensor, "B L"],
) -> Float[Tensor, ""]:  # fmt: skip
    """Return minus the log-likelihood of the tags, per word.

    Args:
        values: scores of tags for words.
        transitions: scores of the second tag after the first.
        starts: scores of the first word's tag.
        targets: the tags, `NO_TAG` behind a sentence's end.
    """
    is_word = targets >= 0
    whole = log_partition(values, transitions, starts, is_word)
    return (whole - path_score(values, transitions, starts, targets)).sum() / is_word.sum()
