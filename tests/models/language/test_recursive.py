"""Recursive networks: counts, nodes against plain recursion, gradients, trees that are built."""

import itertools
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from samoyed.core.batch import NO_LABEL
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data import tree_rows
from samoyed.data.tree_text import parse
from samoyed.models.language.recursive import Composition, Config, build, loss, spans_of

WORDS = WordSpec(tuple("abcd"), (), ())
LABELS = LabelSpec(tuple("01234"))
TREES = [
    parse("(3 (2 a) (4 (4 b) (2 c)))"), parse("(1 (2 (0 a) (1 b)) (4 (4 (1 b) (2 d)) (2 c)))"),
    parse("(0 e)"), parse("(0 (1 d) (1 d))"),
]  # fmt: skip
SMALL = Config(width=4, dropout=0.0)


def encoded(trees=TREES):
    rows = tree_rows.encode(trees, WORDS)
    targets = tree_rows.targets_of(trees, LABELS)
    nodes = rows.padded(np.arange(len(trees)))
    wanted = torch.full(nodes.shape[:2], NO_LABEL)
    for i in range(len(trees)):
        held = targets[rows.starts[i] : rows.starts[i + 1]]
        wanted[i, : len(held)] = torch.from_numpy(held)
    return nodes, wanted


def made(is_tensor=False, seed=0, **more):
    torch.manual_seed(seed)
    config = Config(width=4, dropout=0.0, is_tensor=is_tensor, **more)
    return build(config, WORDS, LABELS)


def vector(model, tree, place):
    """One node by the papers' equations, child by child."""
    if place < len(tree.words):
        word = tree.words[place]
        number = WORDS.words.index(word) + 2 if word in WORDS.words else 1
        return model.words.weight[number]
    left, right = tree.children[place - len(tree.words)]
    both = torch.cat([vector(model, tree, left), vector(model, tree, right)])
    inner = model.composition.linear.weight @ both + model.composition.linear.bias
    if model.composition.tensor is not None:
        inner = inner + torch.stack(
            [both @ model.composition.tensor[:, k] @ both for k in range(len(inner))]
        )
    return torch.tanh(inner)


@pytest.mark.parametrize("is_tensor", [False, True])
def test_parameter_count_is_the_hand_count(is_tensor):
    """Words 6 x 4; W 4 x 8 and b 4; V 8 x 8 x 4; classes 5 x 4 and 5; the score 4."""
    num = sum(p.numel() for p in made(is_tensor).parameters())
    assert num == 24 + 36 + (256 if is_tensor else 0) + 25 + 4


@pytest.mark.parametrize("is_tensor", [False, True])
def test_every_node_is_what_plain_recursion_gives(is_tensor):
    model = made(is_tensor)
    nodes, _ = encoded()
    states = model.composed(nodes, model.words(nodes[..., 0]))
    for i, tree in enumerate(TREES):
        for place in range(len(tree.labels)):
            assert torch.allclose(states[i, place], vector(model, tree, place), atol=1e-6)


@pytest.mark.parametrize("is_tensor", [False, True])
def test_gradients_through_structure_are_those_of_plain_recursion(is_tensor):
    model = made(is_tensor, margin_weight=0.0)
    nodes, targets = encoded()
    loss(model(nodes), targets).backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    every = [
        F.cross_entropy(model.classes(vector(model, tree, i)), torch.tensor(int(label)))
        for tree in TREES for i, label in enumerate(tree.labels)
    ]  # fmt: skip
    torch.stack(every).mean().backward()
    for name, p in model.named_parameters():
        assert torch.allclose(found[name], p.grad, atol=1e-6), name


@pytest.mark.parametrize("is_tensor", [False, True])
def test_gradients_are_finite_differences(is_tensor):
    model = made(is_tensor, kappa=0.5).double()
    nodes, targets = encoded(TREES[:2])
    named = dict(model.named_parameters())

    def value(*weights):
        held = dict(zip(named, weights, strict=True))
        output = torch.func.functional_call(model, held, (nodes,))
        return loss(output, targets)

    assert model(nodes).margins.detach().min() > 0.01, "the margin has a part in it"
    weights = tuple(p.detach().clone().requires_grad_() for p in named.values())
    assert torch.autograd.gradcheck(value, weights, eps=1e-6, atol=1e-5)


def test_the_tensor_at_zero_is_the_network_without_it():
    torch.manual_seed(0)
    plain, tensor = Composition(3, False), Composition(3, True)
    tensor.linear.load_state_dict(plain.linear.state_dict())
    torch.nn.init.zeros_(tensor.tensor)
    both = torch.randn(5, 6)
    assert torch.equal(plain(both), tensor(both))


def test_padding_and_other_trees_change_nothing():
    model = made().eval()
    nodes, _ = encoded()
    longer = torch.cat([nodes, torch.zeros(4, 3, 6, dtype=torch.long)], dim=1)
    assert torch.allclose(model(nodes).values, model(longer).values[:, :9], atol=1e-6)
    alone, _ = encoded(TREES[:1])
    assert torch.allclose(model(nodes).values[0, :5], model(alone).values[0], atol=1e-6)


def best_first(model, words, bonus):
    """Build a tree the slow way: all pairs of neighbours at every step, one sentence."""
    held = [(model.words.weight[n], i, i + 1) for i, n in enumerate(words)]
    found = []
    while len(held) > 1:
        choices = []
        for (one, i, _), (two, _, j) in itertools.pairwise(held):
            parent = model.composition(torch.cat([one, two])[None])[0]
            choices.append((float(model.score(parent)) + float(bonus[i, j]), parent, i, j))
        place = max(range(len(choices)), key=lambda p: choices[p][0])
        _, *merged = choices[place]
        held[place : place + 2] = [tuple(merged)]
        found.append((merged[1], merged[2]))
    return found


@pytest.mark.parametrize("is_tensor", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_trees_are_built_best_merge_first(is_tensor, seed):
    model = made(is_tensor, seed).eval()
    generator = torch.Generator().manual_seed(seed)
    lengths = [6, 1, 4, 2]
    nodes = torch.zeros(4, 11, 6, dtype=torch.long)
    for i, num in enumerate(lengths):
        nodes[i, :num, 0] = torch.randint(1, 6, (num,), generator=generator)
        nodes[i, :num, 4], nodes[i, :num, 5] = torch.arange(num), torch.arange(num) + 1
    bonus = torch.rand(4, 6, 7, generator=generator) * 0.1
    with torch.no_grad():
        found = model.built(nodes, model.words(nodes[..., 0]), bonus)
        for i, num in enumerate(lengths):
            slow = best_first(model, nodes[i, :num, 0], bonus[i])
            assert [tuple(row) for row in found[i, num : 2 * num - 1, 4:].tolist()] == slow
            assert not found[i, 2 * num - 1 :].any()
            for row, (_, left, right, height, first, end) in enumerate(found[i].tolist()):
                if left:
                    one, two = found[i, left - 1].tolist(), found[i, right - 1].tolist()
                    assert row > max(left, right) - 1
                    assert (first, end) == (one[4], two[5])
                    assert one[5] == two[4]
                    assert height == 1 + max(one[3], two[3])


def test_the_margin_counts_wrong_spans_and_scores():
    model = made(kappa=0.3)
    nodes, _ = encoded(TREES[:2])
    words = model.words(nodes[..., 0])
    states = model.composed(nodes, words)
    found = model.margins(nodes, words, states)
    bonus = 0.3 * (~spans_of(nodes)).float()
    other = model.built(nodes, words.detach(), bonus)
    for i, tree in enumerate(TREES[:2]):
        num = len(tree.words)
        right = set(tree.spans)
        wrong = sum(tuple(s) not in right for s in other[i, num : 2 * num - 1, 4:].tolist())
        merges = states[i, num : 2 * num - 1]
        others = model.composed(other, words)[i, num : 2 * num - 1]
        gap = (others.sum(0) - merges.sum(0)) @ model.score.weight[0] + 0.3 * wrong
        assert found[i].item() == pytest.approx(max(0.0, gap.item()) / (num - 1), abs=1e-5)


def test_the_right_tree_costs_nothing():
    """Where every merge of the right tree scores far above others, there is no margin to pay."""
    model = made()
    nodes, _ = encoded(TREES[3:])
    words = model.words(nodes[..., 0])
    assert model.margins(nodes, words, model.composed(nodes, words)).tolist() == [0.0]


def descended(model, nodes, targets, num_steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(num_steps):
        optimizer.zero_grad()
        value = loss(model(nodes), targets)
        value.backward()
        optimizer.step()
    return value.item()


def test_it_learns_sixteen_trees_by_heart():
    draw = random.Random(0)
    texts = [
        "({} ({} ({} {}) ({} {})) ({} {}))".format(
            draw.randrange(5), draw.randrange(5),
            *(x for k in draw.sample(range(4), 3) for x in (k, "abcd"[k])),
        )
        for _ in range(30)
    ]  # fmt: skip
    words = {" ".join(parse(text).words): text for text in texts}
    trees = [parse(text) for text in list(words.values())[:16]]
    assert len(trees) == 16
    torch.manual_seed(0)
    model = build(Config(width=16, dropout=0.0, margin_weight=0.0), WORDS, LABELS)
    nodes, targets = encoded(trees)
    descended(model, nodes, targets, 300)
    by_words = {tuple(t.words[:2]) for t in trees}
    found = model(nodes).values.argmax(dim=2)
    assert len(by_words) < 16, "some phrases are there twice, with classes that need not agree"
    assert torch.equal(found[:, 4], targets[:, 4])
    assert torch.equal(found[:, :3], targets[:, :3])


def test_it_learns_to_build_a_tree():
    torch.manual_seed(1)
    model = build(Config(width=12, dropout=0.0, margin_weight=1.0), WORDS, LABELS)
    nodes, targets = encoded(TREES[1:2])
    vectors = model.words(nodes[..., 0]).detach()
    assert not torch.equal(spans_of(model.built(nodes, vectors)), spans_of(nodes))
    assert descended(model, nodes, targets, 150) < 0.05
    built = model.built(nodes, model.words(nodes[..., 0]).detach())
    assert torch.equal(spans_of(built), spans_of(nodes))
