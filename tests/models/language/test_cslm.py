"""The continuous-space language model: its formula, by brute force, and what its nets learn."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.text import TextData
from samoyed.layers.window import windows_of
from samoyed.models.language import cslm
from samoyed.models.language.cslm import CSLM, Config, build
from samoyed.tasks.continue_text import ContinueText
from samoyed.training.loop import Resume, train

WORDS = TextSpec((SENTENCE_END, *"abcdefghijklmnop", "<unk>"), "word")
V = len(WORDS)
SMALL = Config(order=3, short_list=5, num_features=4, num_hidden=8, dropout=0.0)
RECIPE = replace(cslm.RECIPE, learning_rate=0.02, batch_size=4, epochs=1, precision="float32")


def drawn(num=3_000):
    codes = (np.random.default_rng(0).zipf(1.3, num) - 1) % V
    return TextData(WORDS, codes[: num * 4 // 5], codes[num * 4 // 5 :])


def learned(config=SMALL, data=None, recipe=RECIPE):
    torch.manual_seed(0)
    data = data or drawn()
    task, model = ContinueText(data.spec, unroll=8), build(config, data.spec)
    stages = task.stages(model, cslm, config, data, recipe, 0, cslm.stages)
    losses = [float(moment.loss) for moment in train(model, stages)]
    return task, model, losses


def test_parameters_are_the_hand_count():
    # |V| m + h (1 + (n - 1) m) + S (1 + h), and 3 discounts of each order
    sizes = Config(order=4, short_list=2_000, num_features=50, num_hidden=200, num_networks=3)
    num = sum(p.numel() for p in CSLM(sizes, 51_000).parameters())
    assert num == 3 * (51_000 * 50 + 200 * (1 + 3 * 50) + 2_000 * 201) + 4 * 3
    assert len(CSLM(sizes, 90).listed) == 90


@pytest.mark.parametrize("num_networks", [1, 3])
def test_it_is_the_net_times_the_share_of_the_list_and_the_n_grams_elsewhere(num_networks):
    data = drawn()
    _, model, _ = learned(replace(SMALL, num_networks=num_networks))
    model = model.double().eval()
    text = [*data.test[:25].tolist()]
    values, _ = model(torch.tensor([text]), model.start(1))
    counts = np.bincount(data.train, minlength=V)
    listed = set(np.argsort(-counts, kind="stable")[:5].tolist())
    assert set(model.listed.tolist()) == listed
    tables = model.tables
    for t in range(len(text)):
        window = [0] * max(0, 1 - t) + [w + 1 for w in text[max(0, t - 1) : t + 1]]
        each = []
        for net in model.networks:  # written out: projection, hidden layer, softmax
            x = [
                v
                for w in window
                for v in (net.window.projection.weight[w - 1].tolist() if w else [0] * 4)
            ]
            d = [
                math.tanh(b + sum(m * v for m, v in zip(row, x, strict=True)))
                for row, b in zip(
                    net.window.hidden.weight.tolist(), net.window.hidden.bias.tolist(), strict=True
                )
            ]
            o = [
                k + sum(m * v for m, v in zip(row, d, strict=True))
                for row, k in zip(net.output.weight.tolist(), net.output.bias.tolist(), strict=True)
            ]
            total = sum(map(math.exp, o))
            each.append([math.exp(v) / total for v in o])
        places = tables.places(torch.tensor([text[: t + 1]]), tables.start(1))
        backed_off = tables(places[:, -1])[0].tolist()
        share = sum(backed_off[w] for w in listed)
        for slot, w in enumerate(sorted(listed)):
            of_nets = sum(p[slot] for p in each) / num_networks
            assert values[0, t, w].exp().item() == pytest.approx(of_nets * share, rel=1e-9)
        for w in set(range(V)) - listed:
            assert values[0, t, w].exp().item() == pytest.approx(backed_off[w], rel=1e-9)


def test_probabilities_sum_to_one_after_every_history():
    _, model, _ = learned()
    model.eval()
    pairs = torch.cartesian_prod(torch.arange(V), torch.arange(V))  # what a trigram sees
    values, _ = model(pairs, model.start(len(pairs)))
    assert (values.exp().sum(2) - 1).abs().max() < 1e-5


def test_what_is_descended_is_the_part_of_the_surprise_that_the_nets_decide():
    data = drawn()
    _, model, losses = learned()
    assert np.mean(losses[-10:]) < np.mean(losses[1:11])
    text = torch.tensor(data.test[:60]).view(3, 20)
    tokens, targets = text[:, :-1], text[:, 1:]
    loss, after = model.loss(tokens, targets, model.start(3))
    values, state = model(tokens, model.start(3))
    assert torch.equal(after[0], state[0])
    is_listed = model.slots[targets] >= 0
    assert 0 < is_listed.sum() < is_listed.numel()
    share = values[:, :, model.listed].exp().sum(2)
    nats = -(values.gather(2, targets[..., None])[..., 0] - share.log())
    torch.testing.assert_close(loss, nats[is_listed].mean(), rtol=1e-4, atol=1e-5)
    rare = int(torch.nonzero(model.slots < 0)[0])
    nothing, _ = model.loss(tokens, torch.full_like(targets, rare), model.start(3))
    nothing.backward()
    assert float(nothing.detach()) == 0.0


def test_a_list_of_all_symbols_leaves_nothing_to_the_n_grams():
    _, model, _ = learned(replace(SMALL, short_list=V + 3))
    model.eval()
    tokens = torch.randint(V, (2, 6))
    logits = model.networks[0](windows_of(tokens, model.start(2)[0])[0].flatten(0, 1))
    values = model(tokens, model.start(2)).values.flatten(0, 1)
    torch.testing.assert_close(values, logits.log_softmax(1), rtol=1e-4, atol=1e-5)


def test_steps_and_pieces_are_the_forward_pass():
    _, model, _ = learned()
    model.eval()
    tokens = torch.tensor(drawn().test[:24]).view(3, 8)
    values, after = model(tokens, model.start(3))
    first, state = model(tokens[:, :3], model.start(3))
    second, _ = model(tokens[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), values)
    state = model.start(3)
    for t in range(8):
        one, state = model.step(state, tokens[:, t])
        torch.testing.assert_close(one, values[:, t])
    assert torch.equal(state[0], after[0])


def test_many_histories_at_once_are_as_each_alone():
    _, model, _ = learned()
    model.eval()
    windows = torch.randint(V + 1, (40, 2)).sort(1).values
    together = model.log_probabilities(windows)
    alone = torch.cat([model.log_probabilities(window[None]) for window in windows])
    torch.testing.assert_close(together, alone)


def test_it_learns_of_alike_words_what_counting_cannot():
    rng = np.random.default_rng(1)
    groups, codes = [0, 1], [1, 5]
    for _ in range(4_000):  # four words stand for the same thing; the last two things decide
        groups.append((2 * groups[-2] + groups[-1] + (rng.random() < 0.1)) % 4)
        codes.append(1 + 4 * groups[-1] + int(rng.integers(4)))
    data = TextData(WORDS, np.array(codes[:1_200]), np.array(codes[3_000:]))
    config = Config(order=3, short_list=13, num_features=8, num_hidden=32, dropout=0.0)
    task, model, _ = learned(config, data, replace(RECIPE, epochs=12, weight_decay=0.3))
    both = task.score(model, data)[0].value
    counted = task.score(build_alone(model), data)[0].value
    assert both < 0.95 * counted


def build_alone(model):
    """Return its n-grams as a model of their own."""
    from samoyed.models.language.ngram import NGram

    alone = NGram(V, model.config.order)
    alone.tables = model.tables
    return alone


def test_stopped_in_the_second_stage_it_goes_on_to_the_same_weights():
    config, data = replace(SMALL, dropout=0.3), drawn()

    def make():
        torch.manual_seed(0)
        model = build(config, WORDS)
        task = ContinueText(WORDS, unroll=8)
        return model, task.stages(model, cslm, config, data, RECIPE, 0, cslm.stages)

    whole, stages = make()
    held = None
    for moment in train(whole, stages, seed=3):
        if (moment.stage_index, moment.step) == (1, 6):
            weights = {k: v.clone() for k, v in whole.state_dict().items()}
            keeps = {k: dict(v.state_dict()) for k, v in moment.stage.keeps.items()}
            state = moment.optimizer.state_dict()
            state = torch.utils._pytree.tree_map(
                lambda v: v.clone() if isinstance(v, torch.Tensor) else v, state
            )
            held = Resume(1, 7, state, keeps)
    again, stages = make()
    again.load_state_dict(weights)
    for _ in train(again, stages, seed=3, resume=held):
        pass
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_overfits_sixteen_texts():
    torch.manual_seed(0)
    model = CSLM(Config(5, V, 12, 48, dropout=0.0), V)
    text = torch.randint(V, (16, 12))
    optimizer = torch.optim.Adam(model.networks.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        loss, _ = model.loss(text[:, :-1], text[:, 1:], model.start(16))
        loss.backward()
        optimizer.step()
    right = model(text[:, :-1], model.start(16)).values[:, 3:].argmax(2) == text[:, 4:]
    assert right.float().mean() > 0.97
