"""The tabular network: hand counts, slow references, and what its sizes promise."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.layers.forest import Forest
from samoyed.layers.number_pieces import NumberEmbeddings, pieces
from samoyed.layers.shared_linear import SharedLinear
from samoyed.losses import tabular
from samoyed.models.since import tabular_network
from samoyed.models.since.tabular_network import (
    KINDS,
    SIZES,
    Config,
    build,
)
from samoyed.training.loop import train
from samoyed.training.out_of_fold import OutOfFold, held_out, mean_answer, set_aside

SPEC = TableSpec(
    (
        Column("x", "number", edges=(-1.0, 0.0, 0.5, 2.0)),
        Column("y", "number", has_missing=True, edges=(0.0, 1.0)),
        Column("k", "category", categories=("a", "b", "c")),
        Column("m", "molecule", num_bits=4),
    )
)
CLASSES = TargetSpec("classes", ("t",), ("p", "q", "r"))
NUMBER = TargetSpec("number", ("t",))
SEVERAL = TargetSpec("binaries", ("s", "t"), ("0", "1", "0", "1"))
FEW = Config(num_members=6, width=8, num_folds=3, num_pieces=3, dropout=0.0)
SMALL = Config(num_members=3, width=16, depth=2, embedding=5, dropout=0.0)


def rows(num=16, seed=1):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(num, 2, generator=generator)
    bits = torch.randint(2, (num, 5), generator=generator).float()
    letters = torch.randint(4, (num, 1), generator=generator).float()
    return torch.cat([numbers, bits, letters], dim=1)


def net_for(target=CLASSES, config=SMALL):
    torch.manual_seed(0)
    return build(config, SPEC, target)


def test_number_of_parameters_by_hand():
    embeddings = 2 * 2 * 5 + 2 * 3 * 5 + 4 * 5  # lines and biases, 3 pieces each, 4 categories
    flat = 2 * 5 + 1 + 4 + 5
    first = flat * 16 + 3 * (flat + 16 + 16)
    second = 16 * 16 + 3 * (16 + 16 + 16)
    last = 3 * (16 + 1) * 3
    total = embeddings + first + second + last
    assert sum(p.numel() for p in net_for().parameters()) == total


@pytest.mark.parametrize("target", [CLASSES, NUMBER, SEVERAL], ids=lambda t: t.kind)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("num", [1, 5])
def test_shapes(target, size, num):
    config = replace(Config(), **SIZES[size])
    net = net_for(target, config)
    members = len(net.speakers()) * config.num_members
    assert net.train()(rows(num)).values.shape == (num, members, target.num_outputs)
    assert net.eval()(rows(num)).values.shape == (num, target.num_outputs)


def test_pieces_follow_the_equation():
    edges = [-1.0, 0.0, 0.5, 2.0]
    low, high = torch.tensor([edges[:-1]]), torch.tensor([edges[1:]])
    for x in (-3.0, -1.0, -0.25, 0.2, 0.5, 1.0, 2.0, 4.0):
        wanted = []
        for t in range(3):
            if x < edges[t] and t > 0:
                wanted.append(0.0)
            elif x >= edges[t + 1] and t < 2:
                wanted.append(1.0)
            else:
                wanted.append((x - edges[t]) / (edges[t + 1] - edges[t]))
        found = pieces(torch.tensor([[x]]), low, high)[0, 0]
        torch.testing.assert_close(found, torch.tensor(wanted))


def test_embeddings_of_columns_with_different_numbers_of_pieces():
    layer = NumberEmbeddings([(-1.0, 0.0, 0.5, 2.0), (0.0, 1.0)], 5)
    with torch.no_grad():
        layer.weight.normal_()
    numbers = torch.tensor([[0.2, 3.0], [-2.0, 0.5]])
    found = layer(numbers)
    for b in range(2):
        x, y = numbers[b].tolist()
        first = [min(x + 1, 1), max(0, min(x / 0.5, 1)), max(0, (x - 0.5) / 1.5)]
        wanted = layer.line[0] * x + layer.bias[0]
        wanted = wanted + sum(p * layer.weight[0, t] for t, p in enumerate(first))
        torch.testing.assert_close(found[b, 0], wanted)
        torch.testing.assert_close(
            found[b, 1], layer.line[1] * y + layer.bias[1] + y * layer.weight[1, 0]
        )


def test_shared_layer_follows_the_equation():
    layer = SharedLinear(3, 4, 2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    x = torch.randn(3, 5, 4)
    found = layer(x)
    for m in range(3):
        for b in range(5):
            scaled = (x[m, b] * layer.r[m]) @ layer.weight
            torch.testing.assert_close(found[m, b], scaled * layer.s[m] + layer.bias[m])


def test_the_mean_answer_is_that_of_probabilities_or_numbers():
    answers, weights = torch.randn(4, 3, 2), torch.tensor([0.5, 0.5, 0.0])
    classes = mean_answer(answers, weights, "classes").softmax(1)
    torch.testing.assert_close(classes, answers[:, :2].softmax(2).mean(1))
    several = mean_answer(answers, weights, "binaries").sigmoid()
    torch.testing.assert_close(several, answers[:, :2].sigmoid().mean(1))
    torch.testing.assert_close(mean_answer(answers, weights, "number"), answers[:, :2].mean(1))


def test_members_begin_different_and_descend_their_own_losses():
    net = net_for().train()
    values = net(rows()).values
    assert (values[:, 0] - values[:, 1]).abs().mean() > 1e-3
    targets = torch.arange(16) % 3
    each = [torch.nn.functional.cross_entropy(values[:, m], targets) for m in range(3)]
    found = tabular.cross_entropy(values, targets)
    torch.testing.assert_close(found, torch.stack(each).mean())


@pytest.mark.parametrize("target", [CLASSES, NUMBER, SEVERAL], ids=lambda t: t.kind)
def test_learns_sixteen_rows_by_heart(target):
    net = net_for(target, replace(SMALL, width=64)).train()
    inputs = rows()
    classes = torch.arange(16) % 3
    loss, targets = {
        "classes": (tabular.cross_entropy, classes),
        "number": (tabular.squared_error, classes - 1.0),
        "binaries": (tabular.masked_binary, torch.stack([classes == 0, classes == 1], 1).float()),
    }[target.kind]
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        value = loss(net(inputs).values, targets)
        value.backward()
        optimizer.step()
    assert value.item() < 0.02


def test_rows_do_not_see_each_other_and_unknown_values_have_a_place_of_their_own():
    net = net_for().eval()
    inputs = rows()
    with torch.no_grad():
        torch.testing.assert_close(net(inputs).values[2:3], net(inputs[2:3]).values)
        known, unknown = inputs.clone(), inputs.clone()
        known[:, -1], unknown[:, -1] = 1.0, 0.0
        assert not torch.allclose(net(known).values, net(unknown).values)


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net = net_for()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    torch.manual_seed(9)
    other = build(SMALL, SPEC, CLASSES)
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net.eval()(rows()).values, other.eval()(rows()).values)


def test_dropout_leaves_out_the_same_units_for_all_members_only_in_training():
    net = net_for(config=replace(SMALL, dropout=0.5)).train().networks[0]
    x = torch.ones(3, 200, 16)
    dropped = net._leave_out(x)
    assert torch.equal(dropped[0], dropped[2])
    assert 0.4 < (dropped == 0).float().mean() < 0.6
    assert torch.equal(net.eval()._leave_out(x), x)


def test_a_table_of_a_thousand_columns_gets_narrow_embeddings():
    wide = TableSpec(tuple(Column(f"c{i}", "number", edges=(0.0, 1.0)) for i in range(1000)))
    assert tabular_network.embedding_width(Config(), wide) == 2
    assert build(SMALL, wide, CLASSES)(torch.randn(2, 1000)).values.shape == (2, 3, 3)


def test_more_time_is_never_less_and_recipes_follow_the_rows():
    ranks = list(SIZES)
    chosen = [ranks.index(tabular_network.recommend(SPEC, 30_000, s)) for s in (1, 60, 100_000)]
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (0, len(ranks) - 1)
    assert tabular_network.recommend(SPEC, 500, None) == "few"
    batches = [tabular_network.recipe_for(n).batch_size for n in (100, 5_000, 50_000)]
    assert batches == sorted(batches)


def test_masked_loss_is_the_sum_of_single_losses_over_known_answers():
    values = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1, math.nan], [0, 1], [math.nan] * 2, [1, 0], [0, math.nan], [1, 1]])
    found = tabular.masked_binary(values, targets)
    singles = []
    for b, t in np.argwhere(~np.isnan(targets.numpy())):
        p = torch.sigmoid(values[b, t])
        singles.append(-torch.log(p if targets[b, t] else 1 - p))
    torch.testing.assert_close(found.double(), torch.stack(singles).mean(), rtol=1e-5, atol=1e-6)
    found.backward()
    assert torch.equal(values.grad == 0, targets.isnan())


def test_of_very_few_rows_none_and_of_many_only_some_are_set_aside():
    assert [len(set_aside(num, 0)) for num in (40, 1000, 10**6)] == [0, 150, 4000]


def test_one_network_learns_from_rows_that_are_not_set_aside():
    net, inputs = net_for(), rows(200).numpy()
    feed, seen = TableFeed(inputs, np.arange(200) % 3, batch_size=20, seed=0), []

    def objective(model: nn.Module, batch: Batch) -> Tensor:
        seen.append(batch.inputs)
        return of_members(model, batch)

    [stage] = tabular_network.stages(net, SMALL, feed, Stage("train", feed, objective, sgd, 6), 0)
    learned = {row.tobytes() for row in stage.feed.inputs}
    stage.keeps["best"].measure(net)
    aside = {row.numpy().tobytes() for row in torch.cat(seen)}
    assert (len(learned), len(aside), learned & aside) == (170, 30, set())


@pytest.mark.parametrize("target", [CLASSES, NUMBER, SEVERAL], ids=lambda t: t.kind)
def test_separate_members_learn_in_stages_from_rows_of_their_own(target):
    net = net_for(target, FEW)
    inputs, classes = rows(60).numpy(), np.arange(60) % 3
    objective, targets = {
        "classes": (of_members, classes),
        "number": (of_numbers, (inputs[:, 0] * 2).astype(np.float32)),
        "binaries": (of_answers, np.eye(3, dtype=np.float32)[classes][:, :2]),
    }[target.kind]
    feed = TableFeed(inputs, targets, batch_size=20, seed=0)
    whole = Stage("train", feed, objective, sgd, steps=12, clip_norm=1.0)
    for k, stage in enumerate(tabular_network.stages(net, FEW, feed, whole, 0)):
        before = {name: value.clone() for name, value in net.state_dict().items()}
        batch = stage.feed.batch(0)
        assert batch.inputs.shape[:2] == (20, 6)
        assert len(batch.targets) == 120
        list(train(net, [stage]))
        moved = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
        assert all(name.startswith((f"networks.{k}.", "shares", "sharp")) for name in moved)
        assert len(moved) > 2
        if k == 0:
            assert net.shares.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert k == len(KINDS) - 1 == 3
    torch.testing.assert_close(net.shares.sum(), torch.tensor(1.0))


def test_separate_members_never_see_the_rows_that_they_are_judged_by():
    inputs, targets = rows(60).numpy(), np.arange(60) % 3
    found = []
    for change in (0.0, 100.0):
        net = net_for(config=FEW)
        feed = TableFeed(inputs.copy(), targets, batch_size=20, seed=0)
        stages = list(
            tabular_network.stages(net, FEW, feed, Stage("t", feed, of_members, sgd, 5), 0)
        )
        assert [stage.name for stage in stages] == list(KINDS)
        bent = stages[2]
        assert bent.name == "hidden layer"
        is_learned = bent.feed.is_learned
        held = np.flatnonzero(~is_learned[:, 0])
        bent.feed.inputs[held] += change
        bent.before(net)
        bent.feed.is_learned.flags.writeable = False
        list(train(net, [replace(bent, before=None, after=None, after_step=lambda m, s: None)]))
        found.append(net.networks[2].first.detach().clone())
    assert torch.equal(found[0][0], found[1][0])
    assert not torch.equal(found[0][1], found[1][1])


def test_a_forest_is_grown_on_the_rows_of_its_members_once_the_networks_have_learned():
    config = replace(FEW, num_trees=3, num_leaves=8)
    net, inputs = net_for(config=config), rows(60).numpy()
    classes = (inputs[:, 0] > 0.2).astype(np.int64)  # what one cut tells apart
    feed = TableFeed(inputs, classes, batch_size=20, seed=0)
    whole = Stage("train", feed, of_members, sgd, steps=6)
    stages = list(tabular_network.stages(net, config, feed, whole, 0))
    assert [stage.name for stage in stages] == list(KINDS)
    for stage in stages:
        assert len(net.shares) == 5
        assert not net.forest.answer.any()
        list(train(net, [stage]))
    assert net.shares[4] > 0.3
    torch.testing.assert_close(net.shares.sum(), torch.tensor(1.0))
    (told,) = net.told()
    assert f"forest {100 * float(net.shares[4]):.0f} %" in told
    assert told.count("%") == int((net.shares > 0).sum())
    is_held = held_out(classes, 6, 3, 0)
    alone = Forest(SPEC, 6, 3, 3, 8, "classes")
    alone.fit(torch.from_numpy(inputs), torch.from_numpy(classes), torch.from_numpy(~is_held), 0)
    assert torch.equal(net.forest.members(rows(9)), alone.members(rows(9)))
    likely = net.eval()(rows(200, seed=5)).values.argmax(1)
    assert float((likely == (rows(200, seed=5)[:, 0] > 0.2)).float().mean()) > 0.9


def of_numbers(model, batch):
    return tabular.squared_error(model(batch.inputs).values, batch.targets)


def of_answers(model, batch):
    return tabular.masked_binary(model(batch.inputs).values, batch.targets)


def of_members(model, batch):
    return tabular.cross_entropy(model(batch.inputs).values, batch.targets)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def test_one_network_is_made_as_sure_as_rows_set_aside_say():
    net, inputs = net_for(), rows(200).numpy()
    feed = TableFeed(inputs, np.arange(200) % 3, batch_size=20, seed=0)
    [stage] = tabular_network.stages(net, SMALL, feed, Stage("train", feed, of_members, sgd, 6), 0)
    with torch.no_grad():  # answers that are far too sure, of classes that nothing tells apart
        net.networks[0].last.mul_(300)
    stage.after(net)
    aside = np.array([row for row in inputs if row.tobytes() not in {
        r.tobytes() for r in stage.feed.inputs
    }])  # fmt: skip
    targets = torch.tensor([int(np.flatnonzero((inputs == row).all(1))[0]) % 3 for row in aside])
    values = net.eval()(torch.from_numpy(aside)).values.detach()
    loss = torch.nn.functional.cross_entropy(values, targets)
    for factor in (0.8, 1.25):
        assert loss <= torch.nn.functional.cross_entropy(values * factor, targets)
    assert net.sharpness < 1


def test_what_members_say_of_unseen_rows_is_what_each_says_of_its_own():
    net = net_for(config=FEW).networks[2]
    inputs, targets = rows(59), np.arange(59) % 3
    net.fit(inputs)
    with torch.no_grad():
        net.of_products.normal_()
    is_held = torch.from_numpy(held_out(targets, 6, 3, seed=0))
    unseen = OutOfFold(is_held, torch.from_numpy(targets), "classes")
    found = unseen.answers(net, net.features(inputs))
    wanted = net.eval().members(inputs) * is_held[:, :, None]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
