"""Sampled softmax: the whole one when the subset is all; its estimate, over all texts there are."""

import itertools
import math

import numpy as np
import pytest
import torch

from samoyed.losses.sampled_softmax import DrawnWords, chances, sampled_softmax

V, H = 12, 5


def drawn(num=7):
    generator = torch.Generator().manual_seed(0)
    hidden, weight, bias = (
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((num, H), (V, H), (V,))
    )
    return hidden, weight, bias, torch.randint(V, (num,), generator=generator)


def test_among_all_words_it_is_the_softmax():
    hidden, weight, bias, targets = drawn()
    whole = torch.nn.functional.cross_entropy(hidden @ weight.T + bias, targets)
    expected = torch.autograd.grad(whole, (hidden, weight, bias))
    for log_chances in (None, torch.zeros(V, dtype=torch.float64)):
        found = sampled_softmax(hidden, weight, bias, targets, torch.arange(V), log_chances)
        torch.testing.assert_close(found, whole)
        for one, other in zip(
            torch.autograd.grad(found, (hidden, weight, bias)), expected, strict=True
        ):
            torch.testing.assert_close(one, other)


def test_among_few_it_is_their_formula_in_plain_numbers():
    hidden, weight, bias, _ = drawn(2)
    subset, targets, q = [1, 4, 9], [9, 1], [0.5, 0.2, 0.9]
    total = 0.0
    for row, target in zip(hidden.tolist(), targets, strict=True):
        z = [
            sum(x * w for x, w in zip(row, weight[word].tolist(), strict=True))
            + bias[word].item() - math.log(chance)
            for word, chance in zip(subset, q, strict=True)
        ]  # fmt: skip
        total += math.log(sum(map(math.exp, z))) - z[subset.index(target)]
    found = sampled_softmax(
        hidden, weight, bias, torch.tensor(targets), torch.tensor(subset),
        torch.tensor(q, dtype=torch.float64).log(),
    )  # fmt: skip
    assert found.item() == pytest.approx(total / 2, abs=1e-12)


def test_gradients_are_finite_differences_and_other_words_get_none():
    hidden, weight, bias, _ = drawn(4)
    subset, targets = torch.tensor([0, 3, 5, 11]), torch.tensor([5, 0, 11, 5])
    logs = torch.tensor([0.3, 0.9, 0.1, 0.6], dtype=torch.float64).log()
    assert torch.autograd.gradcheck(
        lambda h, w, b: sampled_softmax(h, w, b, targets, subset, logs), (hidden, weight, bias)
    )
    sampled_softmax(hidden, weight, bias, targets, subset, logs).backward()
    is_moved = weight.grad.abs().sum(1) > 0
    assert torch.nonzero(is_moved).flatten().tolist() == subset.tolist()


def every_subset(text, num_read, num_drawn):
    """List the subsets, equally likely: all choices of `num_read` places and all draws."""
    num = max(text) + 1
    draws = list(itertools.combinations(range(num), num_drawn))
    places = itertools.combinations(range(len(text)), num_read)
    return [sorted({*(text[k] for k in some), *draw}) for some in places for draw in draws]


@pytest.mark.parametrize("num_drawn", [0, 2])
def test_the_chances_are_those_of_all_pieces_and_make_the_sum_unbiased(num_drawn):
    text, z = [0] * 5 + [1] * 3 + [2, 2, 3, 4], np.array([0.3, -1.0, 2.0, 0.1, 1.5])
    q = chances(np.bincount(text), len(text), 4, num_drawn / 5)
    subsets = every_subset(text, 4, num_drawn)
    held = np.mean([np.isin(np.arange(5), subset) for subset in subsets], axis=0)
    np.testing.assert_allclose(held, q, rtol=1e-9)
    estimates = [float((np.exp(z[subset]) / q[subset]).sum()) for subset in subsets]
    assert np.mean(estimates) == pytest.approx(np.exp(z).sum(), rel=1e-9)
    assert np.std(estimates) > 0.1


def test_corrected_the_true_distribution_is_where_nothing_pulls_and_uncorrected_it_is_not():
    # one place of the text has the word t with chance p; the piece holds t and two words more
    text, p = [0] * 8 + [1] * 5 + [2] * 2 + [3], np.array([0.1, 0.2, 0.3, 0.4])
    q = chances(np.bincount(text), len(text), 2, 0.25)
    subsets = every_subset(text, 2, 1)
    pull = {}
    for is_corrected in (True, False):
        scores = torch.tensor(np.log(p), requires_grad=True)
        for others in subsets:
            for t in range(4):
                subset = torch.tensor(sorted({t, *others}))
                logs = torch.tensor(q).log()[subset] if is_corrected else None
                value = sampled_softmax(
                    torch.zeros(1, 1, dtype=torch.float64),
                    torch.zeros(4, 1, dtype=torch.float64), scores, torch.tensor([t]), subset, logs,
                )  # fmt: skip
                (p[t] / len(subsets) * value).backward()
        pull[is_corrected] = scores.grad.abs().max().item()
    assert pull[True] < 0.2 * pull[False]


def test_chances_of_what_is_always_there_are_one():
    counts = np.array([0, 1, 10])
    assert chances(counts, 11, 11, 0.0) == pytest.approx([0.0, 1.0, 1.0])
    assert chances(counts, 11, 3, 1.0) == pytest.approx([1.0, 1.0, 1.0])
    assert chances(counts, 11, 3, 0.25)[0] == pytest.approx(0.25)


def test_words_are_drawn_as_often_as_their_chances_say():
    counts = np.array([4000, 500, 100, 100, 20, 1, 0])
    words = DrawnWords(counts, 3)
    assert words.shares.sum() == pytest.approx(3)
    assert words.shares[0] == 1
    assert words.shares[2] / words.shares[4] == pytest.approx(5**0.75)
    assert words.shares[6] == words.shares[5] > 0, "a word that the text lacks may be asked for"
    torch.manual_seed(0)
    targets = torch.tensor([5, 2, 5])
    met = np.zeros(7)
    for _ in range(2000):
        subset, logs = words.around(targets)
        assert subset.tolist() == sorted({*subset.tolist(), 2, 5})
        assert len(logs) == len(subset)
        met[subset.numpy()] += 1
    for word in (1, 3, 4):
        error = 4 * (words.shares[word] * (1 - words.shares[word]) / 2000) ** 0.5
        assert met[word] / 2000 == pytest.approx(words.shares[word], abs=error)
    assert met[2] == met[5] == 2000


def test_the_chances_are_those_of_being_drawn_or_read():
    counts = np.array([400, 100, 100, 20])
    words = DrawnWords(counts, 2)
    torch.manual_seed(0)
    subset, logs = words.around(torch.tensor([3, 3, 1]))
    expected = chances(counts[subset.numpy()], 620, 3, 0.0)
    expected = 1 - (1 - expected) * (1 - words.shares[subset.numpy()])
    np.testing.assert_allclose(logs.exp().numpy(), expected, rtol=1e-5)
