"""The language model of words: its sizes, tied weights, dropout, and other cells."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import samoyed
from samoyed.core.batch import Batch
from samoyed.core.spec import TextSpec
from samoyed.losses.sampled_softmax import DrawnWords
from samoyed.models.recurrent import lstm_language_model as module
from samoyed.models.recurrent.lstm_language_model import (
    RECIPE,
    SIZES,
    WORD_RECIPE,
    WORDS_PER_S,
    WORDS_PER_S_IN_FLOAT32,
    Config,
    LSTMLanguageModel,
    idle,
    recipe_for,
    recommend,
)
from samoyed.training.checkpoint import own_tensors

V = 9
WORDS = TextSpec(("the", "<eos>", "<unk>"), "word")
CHARACTERS = TextSpec(("a", "b", "\ufffd"))


def make(seed=0, **dials):
    torch.manual_seed(seed)
    chosen = {"num_layers": 2, "num_units": 6, "embedding_size": 4, "dropout": 0.0,
              "weight_dropout": 0.0, **dials}  # fmt: skip
    return LSTMLanguageModel(Config(**chosen), V)


def tokens(*shape, seed=0):
    return torch.randint(0, V, shape, generator=torch.Generator().manual_seed(seed))


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_zaremba_2014_medium_has_its_weights():
    # sec. 4.1: 2 layers of 650 units, 10,000 words: embedding and read-out 10,000 x 650 each,
    # each layer 4 x 650 x (650 + 650 + 1), read-out biases 10,000
    two_layers = SIZES["two layers of words"]
    assert (two_layers["num_layers"], two_layers["num_units"]) == (2, 650)
    dials = {**two_layers, "embedding_size": 650, "is_tied": False}
    with torch.device("meta"):
        medium = count(LSTMLanguageModel(Config(**dials), 10_000))
        tied = count(LSTMLanguageModel(Config(**{**dials, "is_tied": True}), 10_000))
    assert medium == 2 * 6_500_000 + 2 * 2_600 * 1_301 + 10_000
    assert tied == medium - 6_500_000


@pytest.mark.parametrize("is_fast", [False, True])
def test_sizes_follow_the_unit_the_words_and_the_passes_that_the_time_allows(monkeypatch, is_fast):
    monkeypatch.setattr(module, "has_bfloat16_cpu", lambda: is_fast)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    rate = WORDS_PER_S if is_fast else WORDS_PER_S_IN_FLOAT32
    assert recommend(CHARACTERS, 10**9, 10.0) == "characters"
    assert Config(**SIZES["characters"]) == Config()
    for num in (50_000, 929_589, 400_000_000):
        slow = "few words" if num < 200_000 else "words"
        assert recommend(WORDS, num, 4.01 * num / rate) == slow
        assert recommend(WORDS, num, 3.99 * num / rate) == "hurried words"
        assert recommend(WORDS, num, None) == slow
    assert recipe_for(CHARACTERS, "characters") == RECIPE
    assert recipe_for(WORDS, "words") == recipe_for(WORDS, "hurried words") == WORD_RECIPE
    assert recipe_for(WORDS, "few words").batch_size > WORD_RECIPE.batch_size


def test_one_layer_of_words_is_as_wide_as_its_read_out_and_says_so():
    config = Config(**SIZES["words"])
    assert config.widths == (400,)
    assert "num_units" in idle(config)
    assert "num_units" not in idle(Config(**SIZES["two layers of words"]))


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
@pytest.mark.parametrize("is_tied", [False, True])
def test_every_cell_reads_step_by_step_what_it_reads_at_once(cell, is_tied):
    net, text = make(cell=cell, is_tied=is_tied), tokens(3, 8)
    logits, after = net(text, net.start(3))
    state = net.start(3)
    for t in range(8):
        one, state = net.step(state, text[:, t])
        torch.testing.assert_close(one, logits[:, t], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(state, after, rtol=1e-5, atol=1e-6)
    widths = (6, 4) if is_tied else (6, 6)
    assert [s.shape[1] for s in state] == [w for w in widths for _ in range(1 + (cell == "lstm"))]
    changed = text.clone()
    changed[1, 5:] = (changed[1, 5:] + 1) % V
    others, _ = net(changed, net.start(3))
    torch.testing.assert_close(logits[[0, 2]], others[[0, 2]], rtol=0, atol=1e-6)
    torch.testing.assert_close(logits[1, :5], others[1, :5], rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
def test_every_cell_overfits_sixteen_texts(cell):
    net, text = make(cell=cell, num_layers=1, num_units=48, embedding_size=16), tokens(16, 12)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        logits, _ = net(text[:, :-1], net.start(16))
        loss = torch.nn.functional.cross_entropy(logits[:, 2:].flatten(0, 1), text[:, 3:].flatten())
        loss.backward()
        optimizer.step()
    right = net(text[:, :-1], net.start(16)).values[:, 2:].argmax(2) == text[:, 3:]
    assert right.float().mean() > 0.99


def test_a_tied_read_out_is_the_embedding():
    net = make(is_tied=True)
    hidden, _ = net.hidden(tokens(2, 5), net.start(2))
    expected = hidden.transpose(0, 1) @ net.embedding.weight.t() + net.read_out.bias
    torch.testing.assert_close(net(tokens(2, 5), net.start(2)).values, expected)
    assert count(net) == count(make()) - V * 6 - 4 * 6 * 13 + 4 * 4 * 11


def test_tied_it_is_saved_and_loaded_bit_for_bit(tmp_path):
    net, text = make(is_tied=True).eval(), tokens(2, 7)
    save_file(own_tensors(net.state_dict()), tmp_path / "net.safetensors")
    other = make(seed=1, is_tied=True).eval()
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert other.read_out.weight is other.embedding.weight
    assert torch.equal(other(text, other.start(2)).values, net(text, net.start(2)).values)


def test_locked_dropout_leaves_out_the_same_numbers_of_every_word():
    """Of a text of one word without recurrence each step must give the same."""
    net = make(num_layers=1, is_locked=True, input_dropout=0.5, dropout=0.5)
    with torch.no_grad():
        net.layers[0].weight_hh.zero_()
        net.layers[0].bias[6:12] = -50.0  # what was before is forgotten
    text = torch.full((2, 9), 3)
    locked = net(text, net.start(2)).values
    torch.testing.assert_close(locked, locked[:, :1].expand_as(locked), rtol=0, atol=1e-6)
    assert not torch.allclose(locked[0], locked[1])
    net.eval()
    one, two = (net(text, net.start(2)).values for _ in range(2))
    assert torch.equal(one, two)
    torch.testing.assert_close(one[0], one[1])


def test_a_word_that_is_left_out_is_left_out_wherever_it_stands():
    net = make(num_layers=1, symbol_dropout=0.5)
    seen = []
    net.layers[0].of_symbols = lambda symbols, embedding, state: (
        seen.append(embedding) or (torch.zeros(*symbols.shape, 6), state)
    )
    net(tokens(2, 5), net.start(2))
    is_out = (seen[0] == 0).all(dim=1)
    assert 0 < is_out.sum() < V
    torch.testing.assert_close(seen[0][~is_out], 2 * net.embedding.weight[~is_out])


def test_told_among_all_words_the_loss_is_the_whole_one():
    net, text = make(is_tied=True).eval(), tokens(3, 9)
    batch = Batch(text[:, :-1], text[:, 1:])
    words = DrawnWords(np.full(V, 10), V)  # all are drawn, so that no chance is below 1
    found, state = net.loss_among(batch, net.start(3), words)
    logits, after = net(batch.inputs, net.start(3))
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(state, after)


@pytest.mark.parametrize("is_tied", [False, True])
def test_told_among_some_words_the_gradient_reaches_only_those_and_what_is_read(is_tied):
    """By hand: the logits of the subset, each less the log of its chance."""
    net = make(is_tied=is_tied).eval()
    text = torch.tensor([[0, 4, 4, 7], [7, 0, 4, 0]])
    batch = Batch(text[:, :-1], text[:, 1:])
    words = DrawnWords(np.full(V, 10), 1)
    torch.manual_seed(5)
    subset, logs = words.around(batch.targets.t().flatten())
    assert len(subset) < V
    logits, _ = net(batch.inputs, net.start(2))
    among = logits[:, :, subset] - logs
    right = torch.searchsorted(subset, batch.targets.contiguous())
    expected = torch.nn.functional.cross_entropy(among.flatten(0, 1), right.flatten())
    parameters = dict(net.named_parameters())
    gradients = torch.autograd.grad(expected, list(parameters.values()))
    torch.manual_seed(5)
    found, _ = net.loss_among(batch, net.start(2), words)
    torch.testing.assert_close(found, expected)
    found.backward()
    for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, msg=name)


def test_told_among_some_words_it_learns_about_all(tmp_path):
    """60 words, each of which follows from the one before: few steps bring it below 60."""
    generator = np.random.default_rng(0)
    nexts = generator.integers(0, 60, (60, 2))
    text, word = [], 0
    for _ in range(4000):
        text.append(f"w{word}")
        word = nexts[word, int(generator.random() < 0.5)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(text[i : i + 20]) for i in range(0, 4000, 20)))
    settings = {
        "unit": "word", "learning_rate": 0.02, "embedding_size": 16,
        "baselines": False, "report": False,
    }  # fmt: skip
    found = [
        samoyed.train(
            path, model="lstm_language_model", size="hurried words", out=tmp_path / str(num),
            epochs=5, quiet=True, settings={**settings, "num_drawn": num},
        ).scores[0].value
        for num in (0, 20)
    ]  # fmt: skip
    assert found[0] != found[1]
    assert max(found) < 50


def test_a_fresh_read_out_of_words_begins_with_their_frequencies(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a b a c a b a a\n" * 200)
    settings = {"unit": "word", "embedding_size": 8, "learning_rate": 1e-9, "weight_decay": 0.0}
    run = samoyed.train(
        path, model="lstm_language_model", size="hurried words", out=tmp_path / "run",
        epochs=0.2, quiet=True, settings={**settings, "baselines": False, "report": False},
    )  # fmt: skip
    bias = run.model.read_out.bias.detach()
    kinds = ["a", "b", "c"]
    shares = bias.softmax(0)[[run.task.spec.symbols.index(kind) for kind in kinds]]
    torch.testing.assert_close(shares / shares[2], torch.tensor([5.0, 2.0, 1.0]), rtol=0.05, atol=0)
    before = bias.clone()
    module._begin(run.model, np.array([1] * len(bias)), None)  # one that knows something keeps it
    assert torch.equal(run.model.read_out.bias, before)
