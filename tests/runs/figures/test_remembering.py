"""What a language model remembers: traces against a slow reference, and what is drawn."""

import numpy as np
import torch

from samoyed.core.spec import TextSpec
from samoyed.models.recurrent.lstm_language_model import Config, build
from samoyed.runs.figures.remembering import remembered, traces

SPEC = TextSpec(("the", "dog", "saw", "<eos>", "<unk>"), "word")
CODES = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2, 1])


def make():
    torch.manual_seed(0)
    return build(Config(1, 12, 6, is_locked=True), SPEC).train()


def test_traces_are_the_divergences_of_texts_read_one_by_one():
    net = make()
    found = traces(net, SPEC, CODES)
    assert net.training
    net.eval()

    def guesses(codes):
        logits, _ = net(torch.as_tensor(codes)[None], net.start(1))
        return torch.log_softmax(logits[0], 1).detach().double()

    whole = guesses(CODES)
    for i in range(len(CODES)):
        changed = CODES.copy()
        changed[i] = 4
        other = guesses(changed)
        for j in range(len(CODES)):
            apart = sum(
                p.exp() * (p - q) / np.log(2) for p, q in zip(whole[j], other[j], strict=True)
            )
            assert abs(found[i, j] - float(apart) * (j >= i)) < 1e-5
    assert (found[np.tril_indices(len(CODES), -1)] == 0).all()
    assert found.diagonal().min() > 0


def test_words_characters_and_bytes_are_drawn_as_they_can_be_read():
    figures = remembered(make(), SPEC, CODES)
    assert [figure.title for figure in figures] == ["How long it remembers a word",
                                                    "What it remembers"]  # fmt: skip
    assert "without the word" in figures[0].html
    assert remembered(make(), SPEC, CODES[:4]) == []
    letters = TextSpec((*"ab c", "\ufffd"))
    net = build(Config(1, 8, 4), letters)
    codes = np.arange(60) % 4
    assert [figure.title for figure in remembered(net, letters, codes)] == ["What it remembers"]
    assert remembered(net, TextSpec(tuple(map(chr, range(256))), "byte"), codes) == []
