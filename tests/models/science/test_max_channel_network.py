"""The max-channel network: hand counts, competition by plain loops, its penalty, its bag."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.errors import OptionError
from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.losses import tabular
from samoyed.models.science.max_channel_network import (
    SIZES,
    Config,
    build,
    drawn_links,
    max_channel,
    median_significance,
    penalised,
    penalty,
    recommend,
    stages,
)
from samoyed.training.checkpoint import own_tensors
from samoyed.training.loop import train

TABLE = TableSpec(
    (*(Column(n, "number") for n in "xyz"), Column("k", "category", categories=("a",)))
)
NUMBERS = TableSpec(tuple(Column(str(i), "number") for i in range(30)))
CLASSES = TargetSpec("classes", ("t",), ("background", "signal"))
NUMBER = TargetSpec("number", ("t",))
SMALL = Config(num_members=3, hidden_sizes=(12, 9), num_links=2, dropout=0.0, l1=0.0, l2=0.0)


def rows(num=16):
    generator = torch.Generator().manual_seed(1)
    letters = torch.randint(2, (num, 1), generator=generator).float()
    return torch.cat([torch.randn(num, 3, generator=generator), letters], dim=1)


def net_for(config=SMALL, target=CLASSES):
    torch.manual_seed(0)
    return build(config, TABLE, target)


def test_as_many_parameters_as_counted_by_hand():
    net = build(Config(num_members=2), NUMBERS, CLASSES)
    one = 600 * 31 + 2 * 601 * 600 + 601 * 2
    assert one == 741_002
    assert sum(p.numel() for p in net.parameters()) == 2 * one
    assert int(net.links.sum(1).max()) <= 10
    assert int(net.links.sum()) <= 2 * 6_000


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("num", [1, 5])
def test_shapes_in_training_and_after(size, num):
    config = Config(**{**SIZES[size], "num_members": 2})
    for target, width in ((CLASSES, 2), (NUMBER, 1)):
        net = build(config, TABLE, target)
        assert net.train()(rows(num)).values.shape == (num, 2, width)
        assert net.eval()(rows(num)).values.shape == (num, width)


def test_competition_by_plain_loops():
    x = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    found = max_channel(x, 4)
    for row, heard in zip(x.tolist(), found.tolist(), strict=True):
        for start in range(0, 12, 4):
            group = row[start : start + 4]
            best = max(range(4), key=lambda i: group[i])
            wanted = [value if i == best else 0.0 for i, value in enumerate(group)]
            assert heard[start : start + 4] == wanted
    tied = max_channel(torch.tensor([2.0, 2.0, 1.0]), 3)
    assert tied.tolist() == [2.0, 0.0, 0.0]
    assert torch.equal(max_channel(x, 1), x.relu())


def test_only_winners_learn():
    x = torch.randn(4, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: max_channel(x, 3), x)
    (gradient,) = torch.autograd.grad(max_channel(x, 3).sum(), x)
    assert gradient.sum(1).tolist() == [3.0] * 4
    assert set(gradient.flatten().tolist()) == {0.0, 1.0}


def test_the_answer_of_a_bag_by_hand():
    net = net_for().eval()
    inputs = rows(3)
    chances = np.zeros((3, 2))
    for m in range(3):
        for b, row in enumerate(inputs.tolist()):
            h = [*row[:3], *(float(i == row[3]) for i in range(2))]
            for index, layer in enumerate([*net.hidden, net.answers]):
                weight = layer.weight[m] * net.links[m] if index == 0 else layer.weight[m]
                bias = layer.bias[m, 0].tolist()
                h = [sum(weight[i, j].item() * h[i] for i in range(len(h))) + bias[j]
                     for j in range(len(bias))]  # fmt: skip
                if index < 2:
                    for start in range(0, len(h), 3):
                        best = max(range(start, start + 3), key=lambda j: h[j])
                        h[start : start + 3] = [
                            h[j] if j == best else 0.0 for j in range(start, start + 3)
                        ]
            total = sum(math.exp(value) for value in h)
            chances[b] += [math.exp(value) / total / 3 for value in h]
    found = net(inputs).values.softmax(1).detach().numpy()
    np.testing.assert_allclose(found, chances, rtol=1e-4)
    numbers = net_for(target=NUMBER)
    torch.testing.assert_close(
        numbers.eval()(inputs).values, numbers.train()(inputs).values.mean(1)
    )


def test_first_layer_units_see_the_inputs_they_were_given_and_no_others():
    torch.manual_seed(0)
    links = drawn_links(2, 50, 40, 10)
    counts = links.sum(1)
    assert counts.max() <= 10
    assert counts.min() >= 5  # drawn with replacement
    assert float(counts.mean()) == pytest.approx(40 * (1 - (39 / 40) ** 10), rel=0.03)
    assert drawn_links(2, 3, 4, 0).all()
    net = net_for().train()
    tabular.cross_entropy(net(rows()).values, torch.arange(16) % 2).backward()
    assert not net.hidden[0].weight.grad[net.links == 0].any()
    assert net.hidden[0].weight.grad[net.links == 1].any()


def test_the_penalty_by_hand_and_what_training_descends():
    net = net_for(Config(num_members=2, hidden_sizes=(6,), num_links=2, l1=0.1, l2=0.01, dropout=0))
    total = 0.0
    for weight, link in zip(
        net.hidden[0].weight.flatten().tolist(), net.links.flatten().tolist(), strict=True
    ):
        total += link * (0.1 * abs(weight) + 0.01 / 2 * weight * weight)
    assert penalty(net).item() == pytest.approx(total / 2, rel=1e-5)

    def plain(model, batch):
        return tabular.cross_entropy(model(batch.inputs).values, batch.targets)

    batch = Batch(rows(), torch.arange(16) % 2)
    found = penalised(net, batch, objective=plain)
    mean = plain(net, batch) + penalty(net)
    torch.testing.assert_close(found, mean)
    weights = list(net.parameters())
    of_one, of_both = torch.autograd.grad(mean, weights), torch.autograd.grad(found, weights)
    for one, both in zip(of_one, of_both, strict=True):
        torch.testing.assert_close(both, 2 * one)  # each member as fast as if it were alone


def test_in_training_half_of_the_units_are_left_out_and_afterwards_none():
    net = net_for(Config(num_members=1, hidden_sizes=(300,), group=3, num_links=0))
    with torch.no_grad():
        net.answers.weight.fill_(1.0)
    torch.manual_seed(0)
    draws = {round(net.train()(rows(1)).values[0, 0, 0].item(), 4) for _ in range(5)}
    assert len(draws) == 5
    assert torch.equal(net.eval()(rows(1)).values, net.eval()(rows(1)).values)


@pytest.mark.parametrize(
    ("signal", "background", "wanted"),
    [(0, 0, 0.0), (10, 0, math.sqrt(2 * (20 * math.log(2) - 10))),
     (100, 90, math.sqrt(2 * (200 * math.log(2) - 100)))],
)  # fmt: skip
def test_the_challenges_score_on_hand_cases(signal, background, wanted):
    assert median_significance(signal, background) == pytest.approx(wanted)
    small = median_significance(1.0, 1e6)
    assert small == pytest.approx(1 / math.sqrt(1e6 + 10), rel=1e-4)  # s / sqrt(b)


def test_layers_that_do_not_divide_are_refused_and_little_time_gets_the_small_size():
    with pytest.raises(OptionError, match="multiples of the group"):
        build(Config(hidden_sizes=(600, 100)), TABLE, CLASSES)
    assert recommend(TABLE, 7_000, None) == "paper"
    assert recommend(TABLE, 7_000, 10.0) == "small"


def test_learns_sixteen_rows_by_heart():
    config = Config(num_members=2, hidden_sizes=(60, 60), num_links=3, dropout=0.0)
    net = net_for(config)
    targets = np.arange(16) % 2
    feed = TableFeed(rows().numpy(), targets, 16, seed=0)

    def plain(model, batch):
        return nn.functional.cross_entropy(
            model(batch.inputs).values.flatten(0, 1), batch.targets.repeat_interleave(2)
        )

    own = Stage("t", feed, plain, lambda m: torch.optim.AdamW(m.parameters(), lr=1e-2), 150)
    for _ in train(net, stages(net, config, None, own, 0)):
        pass
    assert (net.eval()(rows()).values.argmax(1).numpy() == targets).all()


def test_saved_and_loaded_it_answers_bit_for_bit_the_same_and_rows_are_independent():
    net, other = net_for(), build(SMALL, TABLE, CLASSES)  # with other connections, until loaded
    assert not torch.equal(net.links, other.links)
    other.load_state_dict(own_tensors(net.state_dict()))
    one, two = net.eval()(rows()).values, other.eval()(rows()).values
    assert torch.equal(one, two)
    torch.testing.assert_close(one[2:3], net(rows()[2:3]).values)
