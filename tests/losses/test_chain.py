"""The chain's likelihood against every path, one after another."""

import itertools
import math

import pytest
import torch

from samoyed.losses.chain import NO_TAG, chain_loss, log_partition, path_score


def drawn(num=3, length=4, num_tags=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return draw(num, length, num_tags), draw(num_tags, num_tags), draw(num_tags)


def slow_score(values, transitions, starts, path):
    total = starts[path[0]].item()
    for t, tag in enumerate(path):
        total += values[t, tag].item()
        if t:
            total += transitions[path[t - 1], tag].item()
    return total


def every_path(length, num_tags):
    return itertools.product(range(num_tags), repeat=length)


LENGTHS = [4, 1, 3]


def masked():
    return torch.arange(4) < torch.tensor(LENGTHS)[:, None]


def test_the_partition_is_the_sum_over_every_path():
    values, transitions, starts = drawn()
    found = log_partition(values, transitions, starts, masked())
    for row, length in enumerate(LENGTHS):
        scores = [slow_score(values[row], transitions, starts, p) for p in every_path(length, 3)]
        assert found[row].item() == pytest.approx(math.log(sum(map(math.exp, scores))), abs=1e-9)


def test_a_path_scores_the_sum_of_its_words_and_transitions():
    values, transitions, starts = drawn(seed=1)
    path = torch.tensor([[0, 2, 1, 1], [2, -1, -1, -1], [1, 0, 0, -1]])
    found = path_score(values, transitions, starts, path)
    for row, length in enumerate(LENGTHS):
        slow = slow_score(values[row], transitions, starts, path[row, :length].tolist())
        assert found[row].item() == pytest.approx(slow, abs=1e-9)


def test_the_likelihoods_of_all_paths_sum_to_one():
    values, transitions, starts = drawn(num=1, seed=2)
    total = 0.0
    for path in every_path(4, 3):
        loss = chain_loss(values, transitions, starts, torch.tensor([path]))
        total += math.exp(-4 * loss.item())
    assert total == pytest.approx(1.0, abs=1e-9)


def test_without_transitions_it_is_the_word_level_likelihood():
    values, transitions, starts = drawn(seed=3)
    targets = torch.tensor([[0, 2, 1, 1], [2, NO_TAG, NO_TAG, NO_TAG], [1, 0, 0, NO_TAG]])
    found = chain_loss(values, 0 * transitions, 0 * starts, targets)
    flat = torch.nn.functional.cross_entropy(
        values.flatten(0, 1), targets.flatten(), ignore_index=-1
    )
    assert found.item() == pytest.approx(flat.item(), abs=1e-9)


def test_gradients_are_finite_differences():
    values, transitions, starts = drawn(num=2, length=3, seed=4)
    targets = torch.tensor([[0, 2, 1], [2, 1, NO_TAG]])
    parts = [part.requires_grad_() for part in (values, transitions, starts)]
    assert torch.autograd.gradcheck(lambda *p: chain_loss(*p, targets), parts)


def test_what_stands_behind_the_end_has_no_say():
    values, transitions, starts = drawn(seed=5)
    changed = torch.where(masked()[..., None], values, values + 7)
    one, two = (log_partition(v, transitions, starts, masked()) for v in (values, changed))
    assert torch.equal(one, two)
