"""The n-gram system: its scores are the baseline's, which a brute force holds."""

import numpy as np
import pytest
import torch

from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.text import TextData
from samoyed.models.language import ngram
from samoyed.runs.baselines.text import measure
from samoyed.tasks.continue_text import ContinueText
from samoyed.training.loop import train

WORDS = TextSpec((SENTENCE_END, *"abcdefg", "<unk>"), "word")


def drawn(spec=WORDS):
    codes = np.random.default_rng(0).zipf(1.5, 3_000) % len(spec)
    return TextData(spec, codes[:2_400], codes[2_400:])


def counted(data, config=None):
    config = config or ngram.Config()
    task, model = ContinueText(data.spec), ngram.build(config, data.spec)
    stages = task.stages(model, ngram, config, data, ngram.RECIPE, 0, ngram.stages)
    assert [float(moment.loss) for moment in train(model, stages)] == [0.0]
    return task, model


@pytest.mark.parametrize("unit", ["word", "character"])
def test_scores_are_those_of_the_baseline(unit):
    spec = WORDS if unit == "word" else TextSpec(tuple("abcdefg\ufffd"))
    data = drawn(spec)
    task, model = counted(data)
    score = task.score(model, data)[0]
    expected = next(s for name, s in measure(data) if "gram" in name)
    assert score.name == expected.name
    assert score.value == pytest.approx(expected.value, rel=1e-5)
    assert score.value < len(spec)


def test_one_discount_for_each_length_and_number():
    _, model = counted(drawn(), ngram.Config(order=4))
    assert sum(p.numel() for p in model.parameters()) == 4 * 3
    assert [ngram.build(ngram.Config(), s).tables.order for s in (WORDS, TextSpec("ab"))] == [5, 6]


def test_only_the_end_of_a_long_text_is_counted():
    data = drawn()
    _, whole = counted(data)
    _, part = counted(data, ngram.Config(most_symbols=500))
    assert part.tables.table("counts", 5).sum() < 500 < whole.tables.table("counts", 5).sum()


def test_steps_are_the_forward_pass_and_it_continues_what_it_counted():
    data = drawn()
    task, model = counted(data)
    tokens = torch.tensor(data.test[:20]).view(2, 10)
    values, after = model(tokens, model.start(2))
    state = model.start(2)
    for t in range(10):
        one, state = model.step(state, tokens[:, t])
        torch.testing.assert_close(one, values[:, t])
    assert torch.equal(state[0], after[0])
    again = TextData(WORDS, np.tile([1, 2, 3, 4, 0], 300), data.test)
    task, model = counted(again)
    [answer] = task.answer(model, ["a b"], temperature=0.0, length=2)
    assert answer.answer.split() == ["c", "d"]
