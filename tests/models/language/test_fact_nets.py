"""The family trees net and the semantic network: counts, equations, errors, splits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.stage import Stage
from samoyed.data.facts import SweepFeed, numbered, scan_facts
from samoyed.models.language import family_trees, semantic_network
from samoyed.models.language.semantic_network import attributes_of, splits
from samoyed.training.loop import train

FAMILY, THINGS = scan_facts("family-trees"), scan_facts("living-things")


@pytest.mark.parametrize(
    ("net", "count"),
    [
        (
            family_trees.build(family_trees.Config(), FAMILY.spec),
            25 * 6 + 13 * 6 + 13 * 12 + 13 * 6 + 7 * 24,
        ),
        (semantic_network.build(semantic_network.Config(), THINGS.spec), 9 * 8 + 13 * 15 + 16 * 36),
    ],
)
def test_weights_are_as_many_as_a_hand_count(net: nn.Module, count: int):
    assert sum(p.numel() for p in net.parameters()) == count


def layer(weights: list[list[float]], bias: list[float], x: list[float]) -> list[float]:
    """Eqs. 1 and 2 unit by unit."""
    sums = [sum(w * v for w, v in zip(row, x, strict=True)) + b
            for row, b in zip(weights, bias, strict=True)]  # fmt: skip
    return [1 / (1 + math.exp(-s)) for s in sums]


def one_hot(k: int, num: int) -> list[float]:
    return [float(i == k) for i in range(num)]


def test_the_family_trees_net_computes_its_layers():
    torch.manual_seed(0)
    net = family_trees.build(family_trees.Config(), FAMILY.spec).double()
    found = torch.sigmoid(net(torch.tensor([[10, 7]])).values)[0].tolist()
    held = [(m.weight.tolist(), m.bias.tolist())
            for m in (net.subject, net.relation, net.hidden, net.answer, net.output)]  # fmt: skip
    code = [*layer(*held[0], one_hot(10, 24)), *layer(*held[1], one_hot(7, 12))]
    for weights in held[2:]:
        code = layer(*weights, code)
    assert found == pytest.approx(code)
    assert net.codes()[10].tolist() == pytest.approx(layer(*held[0], one_hot(10, 24)))


def test_the_semantic_network_computes_its_layers():
    torch.manual_seed(0)
    net = semantic_network.build(semantic_network.Config(), THINGS.spec).double()
    found = torch.sigmoid(net(torch.tensor([[5, 2]])).values)[0].tolist()
    held = [(m.weight.tolist(), m.bias.tolist()) for m in (net.picture, net.hidden, net.output)]
    picture = layer(*held[0], one_hot(5, 8))
    hidden = layer(*held[1], [*picture, *one_hot(2, 4)])
    assert found == pytest.approx(layer(*held[2], hidden))


def test_outputs_beyond_the_targets_make_no_error():
    net = family_trees.build(family_trees.Config(), FAMILY.spec)
    with torch.no_grad():
        net.output.weight.zero_()
        net.output.bias.fill_(-5.0)
        net.output.bias[3] = 5.0
        net.output.bias[4] = 0.0
    wanted = torch.zeros(1, 24)
    wanted[0, 3] = 1
    batch = Batch(torch.tensor([[0, 0]]), wanted)
    assert family_trees.descend(net, batch).item() == pytest.approx((0.5 - 0.2) ** 2 / 2)
    net.config = family_trees.Config(has_slack=False)
    low, high = 1 / (1 + math.exp(5)), 1 / (1 + math.exp(-5))
    whole = (22 * (low - 0.2) ** 2 + (high - 0.8) ** 2 + 0.3**2) / 2
    assert family_trees.descend(net, batch).item() == pytest.approx(whole, rel=1e-5)


def test_descent_is_by_eq_9_and_weights_shrink():
    """w <- (1 - 0.004) (w - e dE/dw + a (the last change before shrinking))."""
    torch.manual_seed(0)
    data, config = numbered(FAMILY.facts, FAMILY.spec), family_trees.Config()
    net = family_trees.build(config, FAMILY.spec).double()
    mirror = family_trees.build(config, FAMILY.spec).double()
    mirror.load_state_dict(net.state_dict())
    batch = Batch(data.questions, data.answers.double())

    class Feed:
        def batch(self, step: int) -> Batch:
            return batch

    def nesterov(model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)

    stage = Stage("train", Feed(), family_trees.descend, nesterov, 3)
    for _ in train(net, family_trees.stages(net, config, None, stage, 0)):
        pass
    change = [torch.zeros_like(p) for p in mirror.parameters()]
    for _ in range(3):
        slopes = torch.autograd.grad(family_trees.descend(mirror, batch), list(mirror.parameters()))
        with torch.no_grad():
            for p, last, slope in zip(mirror.parameters(), change, slopes, strict=True):
                last.mul_(0.9).sub_(0.01 * slope)
                p.add_(last).mul_(1 - 0.004)
    for one, two in zip(net.parameters(), mirror.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-10)


def test_living_things_part_as_their_tree_does():
    data = numbered(THINGS.facts, THINGS.spec)
    found = splits(attributes_of(data.questions, data.answers))
    names = THINGS.spec.subjects
    groups = {frozenset({frozenset(names[k] for k in side) for side in (s.left, s.right)})
              for s in found}  # fmt: skip
    plants, animals = {"pine", "oak", "rose", "daisy"}, {"robin", "canary", "sunfish", "salmon"}
    assert frozenset({frozenset(plants), frozenset(animals)}) in groups
    assert [s.level for s in found] == [0, 1, 1, 2, 2, 2, 2]
    for one, two in (
        ({"pine", "oak"}, {"rose", "daisy"}),
        ({"robin", "canary"}, {"sunfish", "salmon"}),
    ):
        assert frozenset({frozenset(one), frozenset(two)}) in groups


def test_the_semantic_network_tells_how_far_things_are_apart():
    torch.manual_seed(0)
    data, config = numbered(THINGS.facts, THINGS.spec), semantic_network.Config()
    net = semantic_network.build(config, THINGS.spec)
    feed = SweepFeed(data.questions, data.answers)
    stage = Stage("train", feed, lambda m, b: torch.zeros(()), torch.optim.SGD, 1)  # type: ignore[arg-type]
    [made] = semantic_network.stages(net, config, feed, stage, 0)
    told = made.tells()
    assert list(told) == [f"apart {k}" for k in range(7)]
    [first, *_] = splits(attributes_of(data.questions, data.answers))
    pictures = net.pictures().detach()
    far = (
        sum((pictures[list(first.left)].mean(0) - pictures[list(first.right)].mean(0)) ** 2) ** 0.5
    )
    assert told["apart 0"] == pytest.approx(float(far), rel=1e-5)
    y = torch.sigmoid(net(data.questions).values).detach()
    error = sum(
        float((a - t) ** 2) for a, t in zip(y.flatten(), data.answers.flatten(), strict=True)
    )
    assert made.objective(net, feed.batch(0)).item() == pytest.approx(error, rel=1e-4)
