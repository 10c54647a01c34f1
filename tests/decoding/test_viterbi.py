"""The best path against every path."""

import itertools

import pytest
import torch

from samoyed.decoding.viterbi import viterbi
from samoyed.losses.chain import path_score

LENGTHS = [4, 1, 3, 2]


def drawn(seed):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return draw(4, 4, 3), draw(3, 3), draw(3), draw(3)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("has_ends", [False, True])
def test_no_path_is_better(seed, has_ends):
    values, transitions, starts, ends = drawn(seed)
    is_word = torch.arange(4) < torch.tensor(LENGTHS)[:, None]
    found, score = viterbi(values, transitions, starts, is_word, ends if has_ends else None)
    for row, length in enumerate(LENGTHS):
        best = max(
            itertools.product(range(3), repeat=length),
            key=lambda p: full(values[row], transitions, starts, ends * has_ends, p),
        )
        assert found[row].tolist() == [*best, *[-1] * (4 - length)]
        slow = full(values[row], transitions, starts, ends * has_ends, best)
        assert score[row].item() == pytest.approx(slow, abs=1e-9)


def full(values, transitions, starts, ends, path):
    total = starts[path[0]] + ends[path[-1]] + sum(values[t, k] for t, k in enumerate(path))
    return (total + sum(transitions[a, b] for a, b in itertools.pairwise(path))).item()


def test_a_forbidden_step_is_never_taken():
    values, transitions, starts, _ = drawn(9)
    transitions[0, 1] = transitions[1, 1] = transitions[2, 1] = -1e4
    values[..., 1] += 50
    starts = starts.clone()
    starts[1] = -1e4
    path, score = viterbi(values, transitions, starts, torch.ones(4, 4, dtype=torch.bool))
    assert not (path == 1).any()
    assert torch.allclose(score, path_score(values, transitions, starts, path))
