"""The net over very many words: the whole softmax when all are asked for, nearly it with few."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from samoyed.core.spec import TextSpec
from samoyed.data.text import TextData
from samoyed.models.language import large_vocabulary
from samoyed.models.language.large_vocabulary import Config, LargeVocabulary, build
from samoyed.tasks.continue_text import ContinueText
from samoyed.training.loop import train

V = 800
SPEC = TextSpec((*(f"w{i}" for i in range(V - 1)), "<unk>"), "word")
SMALL = Config(num_subset=120, num_drawn=60, context=1, num_features=12, num_hidden=24, dropout=0.0)
RECIPE = replace(
    large_vocabulary.RECIPE, learning_rate=0.02, batch_size=8, epochs=4, precision="float32"
)


def drawn(num=12_000):
    """Return words as frequent as words are, two of five of which follow from the one before."""
    rng, shares = np.random.default_rng(0), 1 / np.arange(1, V) ** 1.1
    codes = rng.choice(V - 1, num, p=shares / shares.sum())
    for i in np.flatnonzero(rng.random(num) < 0.4)[1:]:
        codes[i] = (codes[i - 1] * 7 + 3) % 40
    return TextData(SPEC, codes[: num - 3_000], codes[num - 3_000 :])


def learned(data, seed=0, recipe=RECIPE, **changes):
    config = replace(SMALL, **changes)
    torch.manual_seed(seed)
    task, model = ContinueText(data.spec), build(config, data.spec)
    stages = task.stages(model, large_vocabulary, config, data, recipe, 0, large_vocabulary.stages)
    losses = [float(moment.loss) for moment in train(model, stages)]
    return task, model, losses


def test_parameters_are_the_hand_count():
    # |V| (m + h + 1) + h (1 + (n - 1) m)
    num = sum(p.numel() for p in LargeVocabulary(Config(), 50_001).parameters())
    assert num == 50_001 * (64 + 128 + 1) + 128 * (1 + 4 * 64)


def test_with_all_words_drawn_every_step_is_that_of_the_whole_softmax():
    data, short = drawn(5_000), replace(RECIPE, epochs=0.5)
    _, whole, losses = learned(data, recipe=short, num_subset=0)
    _, among_all, others = learned(data, recipe=short, num_drawn=V)
    assert others == pytest.approx(losses, rel=1e-4)
    for one, other in zip(whole.parameters(), among_all.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


def test_corrected_it_is_as_good_as_the_whole_softmax_and_uncorrected_far_from_it():
    data = drawn()
    value = {}
    for name, changes in {
        "whole": {"num_subset": 0}, "corrected": {},
        "as printed": {"is_corrected": False, "num_drawn": 0},
    }.items():  # fmt: skip
        task, model, _ = learned(data, **changes)
        value[name] = task.score(model, data)[0].value
    assert value["corrected"] < 1.05 * value["whole"]
    assert value["as printed"] > 1.5 * value["whole"]


def test_words_that_training_does_not_show_are_learned_to_be_unlikely():
    data = drawn(6_000)
    unseen = np.bincount(data.train, minlength=V) == 0
    assert unseen[V - 1]  # the unknown word among them
    likely = {}
    for name, changes in {"ours": {}, "printed": {"is_corrected": False, "num_drawn": 0}}.items():
        _, model, _ = learned(data, **changes)
        shares = model(torch.arange(V)[:, None], model.start(V)).values[:, 0].softmax(1).mean(0)
        likely[name] = float(shares[torch.as_tensor(unseen)].sum().detach())
    assert likely["ours"] < 0.5 * likely["printed"]
    moved = model.output.bias.detach()[torch.as_tensor(unseen)]
    assert moved.abs().max() == 0  # as printed, nothing ever reaches them


def test_the_forward_pass_tells_every_word_among_all():
    net = LargeVocabulary(replace(SMALL, context=3), 30)
    tokens, targets = torch.randint(30, (2, 2, 7))
    values, after = net(tokens, net.start(2))
    assert values.shape == (2, 7, 30)
    loss, state = net.loss(tokens, targets, net.start(2), torch.arange(30))
    assert torch.equal(after[0], state[0])
    torch.testing.assert_close(
        loss, torch.nn.functional.cross_entropy(values.flatten(0, 1), targets.flatten())
    )


def test_steps_and_pieces_are_the_forward_pass():
    net, tokens = LargeVocabulary(replace(SMALL, context=3), 30), torch.randint(30, (2, 8))
    values, after = net(tokens, net.start(2))
    first, state = net(tokens[:, :5], net.start(2))
    second, _ = net(tokens[:, 5:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), values)
    state = net.start(2)
    for t in range(8):
        one, state = net.step(state, tokens[:, t])
        torch.testing.assert_close(one, values[:, t])
    assert torch.equal(state[0], after[0])


def test_overfits_sixteen_texts():
    torch.manual_seed(0)
    net = LargeVocabulary(replace(SMALL, context=4, num_hidden=48), 40)
    text = torch.randint(40, (16, 12))
    subset = text.unique()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        net.loss(text[:, :-1], text[:, 1:], net.start(16), subset)[0].backward()
        optimizer.step()
    right = net(text[:, :-1], net.start(16)).values[:, 3:, subset].argmax(2)
    assert (subset[right] == text[:, 4:]).float().mean() > 0.97
