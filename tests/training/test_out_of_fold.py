"""Out of fold: every row held out in each round, judged only by those that did not learn it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from samoyed.training.out_of_fold import OutOfFold, held_out, mean_answer


@pytest.mark.parametrize("num", [8, 103])
def test_each_round_of_folds_holds_out_every_row_once_and_keeps_the_shares_of_classes(num):
    targets = np.arange(num) % 3
    is_held = held_out(targets, 10, 5, seed=0)
    assert is_held.shape == (num, 10)
    np.testing.assert_array_equal(is_held[:, :5].sum(1), 1)
    np.testing.assert_array_equal(is_held[:, 5:].sum(1), 1)
    assert not np.array_equal(is_held[:, :5], is_held[:, 5:])
    np.testing.assert_array_equal(is_held, held_out(targets, 10, 5, seed=0))
    if num > 100:
        counts = np.stack([is_held[targets == k].sum(0) for k in range(3)])
        assert counts.max() - counts.min() <= 2


def test_unknown_answers_do_not_disturb_the_folds():
    targets = np.array([[np.nan, 1.0], [0.0, np.nan]] * 10)
    np.testing.assert_array_equal(held_out(targets, 5, 5, seed=1).sum(1), 1)


@pytest.mark.parametrize("kind", ["classes", "number", "binaries"])
def test_rows_are_judged_by_members_that_did_not_learn_them(kind):
    is_held = torch.from_numpy(held_out(np.zeros(20), 4, 2, seed=0))
    answers = torch.randn(20, 4, 3)
    unseen = OutOfFold(is_held, torch.zeros(20, dtype=torch.long), kind)
    found = unseen.mean(answers)
    for i in range(20):
        held = answers[i, is_held[i]]
        if kind == "number":
            torch.testing.assert_close(found[i], held.mean(0))
        elif kind == "classes":
            torch.testing.assert_close(found[i].softmax(0), held.softmax(1).mean(0))
        else:
            torch.testing.assert_close(found[i].sigmoid(), held.sigmoid().mean(0))


def test_sureness_is_tempered_and_the_order_of_classes_stays():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(300, 3, generator=generator)
    targets = torch.multinomial(values.softmax(1), 1, generator=generator)[:, 0]
    unseen = OutOfFold(torch.ones(300, 1, dtype=torch.bool), targets, "classes")
    loss, factor = unseen.tempered(3 * values)
    assert 0.28 < factor < 0.42
    wanted = log_loss(targets.numpy(), (3 * factor * values).double().softmax(1).numpy())
    assert loss == pytest.approx(wanted, rel=1e-4)


def test_the_network_that_says_it_better_gets_the_larger_share():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randn(200, generator=generator)
    noise = torch.randn(2, 200, 1, 1, generator=generator)
    unseen = OutOfFold(torch.ones(200, 1, dtype=torch.bool), targets, "number")
    good, bad = (targets[:, None, None] + size * n for size, n in zip((0.5, 1), noise, strict=True))
    shares, sharpness = unseen.weigh(good, bad)
    assert sharpness == 1.0
    assert shares[0] in torch.tensor([0.7, 0.8, 0.9])  # 1 / (1 + 0.5^2) is best
    both = mean_answer(torch.cat([good, bad], 1), shares, "number")[:, 0]
    assert (both - targets).square().mean() <= (good[:, 0, 0] - targets).square().mean()


def test_of_three_networks_one_that_says_nothing_gets_no_share():
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(300) % 2
    noise = torch.randn(2, 300, 1, 2, generator=generator)
    signs = torch.nn.functional.one_hot(targets, 2)[:, None, :] * 2.0
    unseen = OutOfFold(torch.ones(300, 1, dtype=torch.bool), targets, "classes")
    nonsense = torch.randn(300, 1, 2, generator=generator) * 3
    shares, factor = unseen.weigh(signs + noise[0], nonsense, signs + noise[1])
    assert shares[1] == 0
    assert shares.sum() == pytest.approx(1)
    assert min(shares[0], shares[2]) >= 0.3
    both = mean_answer(torch.cat([signs + noise[0], signs + noise[1]], 1), shares[[0, 2]],
                       "classes")  # fmt: skip
    loss = torch.nn.functional.cross_entropy(both * factor, targets)
    for share in (0.0, 1.0):
        alone = torch.tensor([share, 1 - share])
        single = mean_answer(torch.cat([signs + noise[0], signs + noise[1]], 1), alone, "classes")
        assert loss < unseen.tempered(single)[0]


def test_rows_that_members_do_not_learn_from_are_repeated_to_be_as_many_for_all():
    is_held = torch.from_numpy(held_out(np.zeros(23), 10, 5, seed=0))
    rows = OutOfFold(is_held, torch.zeros(23), "number").padded()
    assert rows.shape == (10, 5)
    for m in range(10):
        assert set(rows[m].tolist()) == set(is_held[:, m].nonzero()[:, 0].tolist())
