"""The task: feed, carried memory, exact resume, scores and samples."""

import copy
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from samoyed.core.batch import Batch
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe
from samoyed.data.text import UNKNOWN, TextData, decode
from samoyed.models.recurrent import lstm_language_model as system
from samoyed.tasks.continue_text import (
    CarriedMemory,
    ContinueText,
    StretchFeed,
    write,
)
from samoyed.tasks.foreseeing import Aside, foresee, set_aside, surprise
from samoyed.training.loop import Resume, train

SPEC = TextSpec((*"\nabcdefgh", UNKNOWN))
CONFIG = system.Config(1, 16, 8, dropout=0.2, weight_dropout=0.2)
FAST = Recipe(optimizer="adam", learning_rate=0.01, batch_size=4, epochs=2.0, clip_norm=1.0)


def make_text(num, seed=0):
    """Alphabet runs of random length and beginning: the next letter is mostly the next letter."""
    random = np.random.default_rng(seed)
    codes = np.zeros(num, dtype=np.int64)
    for i in range(1, num):
        codes[i] = codes[i - 1] % 8 + 1 if random.random() < 0.9 else random.integers(0, 9)
    return codes


DATA = TextData(SPEC, make_text(3_000), make_text(700, seed=1))


def make_model(seed=0, config=CONFIG):
    torch.manual_seed(seed)
    return system.build(config, SPEC)


def make_stage(model, recipe=FAST, seed=3):
    [stage] = ContinueText(SPEC, unroll=16).stages(model, system, CONFIG, DATA, recipe, seed)
    return stage


def test_a_batch_is_the_text_and_what_follows():
    feed = StretchFeed(np.arange(1_000), batch_size=4, unroll=10, seed=0)
    for step in (0, 1, feed.steps_per_epoch - 1, feed.steps_per_epoch):
        batch = feed.batch(step)
        assert batch.inputs.shape == batch.targets.shape == (4, 10)
        assert torch.equal(batch.targets, batch.inputs + 1)


def test_stretches_follow_one_another_until_the_pass_ends():
    feed = StretchFeed(np.arange(1_000), batch_size=4, unroll=10, seed=0)
    before = feed.batch(0)
    assert before.is_start.all()
    for step in range(1, feed.steps_per_epoch):
        batch = feed.batch(step)
        assert torch.equal(batch.inputs[:, 0], before.targets[:, -1])
        assert not batch.is_start.any()
        before = batch
    again = feed.batch(feed.steps_per_epoch)
    assert again.is_start.all()
    assert not torch.equal(again.inputs, feed.batch(0).inputs), "every pass is cut differently"


def test_memories_are_cleared_now_and_then_by_seed_and_step_alone():
    feeds = [StretchFeed(np.arange(90_000), 20, 10, 0, forget=0.1) for _ in range(2)]
    starts = [feed.batch(step).is_start for step in range(1, 200) for feed in feeds]
    assert all(map(torch.equal, starts[::2], starts[1::2]))
    share = torch.stack(starts).float().mean().item()
    assert abs(share - 0.1) < 0.02
    assert feeds[0].batch(0).is_start.all()


def test_a_pass_reads_no_character_twice_and_nearly_all():
    feed = StretchFeed(np.arange(1_000), batch_size=4, unroll=10, seed=0)
    seen = torch.cat([feed.batch(s).inputs.flatten() for s in range(feed.steps_per_epoch)])
    assert len(seen.unique()) == len(seen) >= 900


def test_a_batch_depends_on_seed_and_step_alone():
    first, second = (StretchFeed(DATA.train, 4, 16, seed=5) for _ in range(2))
    list(map(first.batch, range(60)))
    assert torch.equal(first.batch(57).inputs, second.batch(57).inputs)
    other = StretchFeed(DATA.train, 4, 16, seed=6)
    assert not torch.equal(first.batch(0).inputs, other.batch(0).inputs)


@pytest.mark.parametrize("num", [2, 3, 50, 900])
def test_short_texts_still_make_batches(num):
    feed = StretchFeed(np.arange(num), batch_size=64, unroll=64, seed=0)
    batch = feed.batch(feed.steps_per_epoch * 3 - 1)
    assert torch.equal(batch.targets, batch.inputs + 1)


def test_the_carried_memory_is_one_long_pass_and_cleared_where_a_text_begins():
    model, memory = make_model().eval(), CarriedMemory()
    codes = torch.as_tensor(DATA.train[:60]).view(2, 30)
    state, pieces = None, []
    for start in range(0, 30, 10):
        part = codes[:, start : start + 10]
        batch = Batch(part, part, torch.tensor([start == 0, start == 0]))
        logits, state = model(part, memory.before(model, batch))
        memory.keep(state)
        pieces.append(logits)
    whole, _ = model(codes, model.start(2))
    torch.testing.assert_close(torch.cat(pieces, 1), whole, rtol=0, atol=1e-6)
    assert not any(part.requires_grad for part in memory.state)
    cleared = memory.before(model, Batch(codes, codes, torch.tensor([False, True])))
    assert all(part[0].abs().sum() > 0 and part[1].abs().sum() == 0 for part in cleared)


def test_the_memory_saves_plain_tensors():
    memory, other = CarriedMemory(), CarriedMemory()
    other.load_state_dict(memory.state_dict())
    assert other.state == ()
    memory.keep((torch.randn(2, 3), torch.randn(2, 3, requires_grad=True)))
    assert all(isinstance(part, torch.Tensor) for part in memory.state_dict().values())
    other.load_state_dict(memory.state_dict())
    assert all(map(torch.equal, memory.state, other.state))


@pytest.mark.parametrize("stop", [1, 7, 49])
def test_interrupted_and_resumed_it_ends_in_the_same_weights(stop):
    model = make_model()
    for _ in train(model, [make_stage(model)], seed=3):
        pass
    interrupted = make_model()
    stage = make_stage(interrupted)
    assert stage.steps > 49 > stage.feed.steps_per_epoch
    *_, moment = itertools.islice(train(interrupted, [stage], seed=3), stop)
    saved = copy.deepcopy(
        (
            interrupted.state_dict(),
            moment.optimizer.state_dict(),
            {name: keeper.state_dict() for name, keeper in stage.keeps.items()},
        )
    )
    resumed = make_model(seed=9)
    resumed.load_state_dict(saved[0])
    resume = Resume(0, stop, saved[1], saved[2])
    for _ in train(resumed, [make_stage(resumed)], seed=3, resume=resume):
        pass
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_resume_that_forgot_the_memory_would_be_noticed():
    states = []
    for forget in (False, True):
        model = make_model()
        stage = make_stage(model)
        for moment in train(model, [stage.lasting(12)], seed=3):
            if forget and moment.step == 5:
                stage.keeps["memory"].load_state_dict({})
        states.append(model.read_out.weight.clone())
    assert not torch.equal(*states)


def test_it_learns_and_scores_better_than_the_frequencies():
    model, task = make_model(), ContinueText(SPEC, unroll=16)
    untrained = task.score(model, DATA)[0].value
    for moment in train(model, [make_stage(model, replace(FAST, epochs=5.0))], seed=0):
        loss = moment.loss.item()
    bits, perplexity, accuracy = task.score(model, DATA)
    assert [s.name for s in (bits, perplexity, accuracy)] == [
        "bits_per_character", "perplexity", "accuracy",
    ]  # fmt: skip
    chance = math.log2(len(SPEC))
    best = -(0.9 + 0.1 / 9) * math.log2(0.9 + 0.1 / 9) - 8 * 0.1 / 9 * math.log2(0.1 / 9)
    assert untrained == pytest.approx(chance, abs=0.4)
    assert best - 0.15 < bits.value < 1.5
    assert accuracy.value > 0.8
    assert perplexity.value == pytest.approx(2**bits.value)
    assert bits.low < bits.value < bits.high
    assert bits.num == 700
    assert loss / math.log(2) < 1.6
    assert task.headline == bits.name


def test_scoring_leaves_the_model_as_it_was_and_repeats():
    model, task = make_model().train(), ContinueText(SPEC)
    before = copy.deepcopy(model.state_dict())
    assert task.score(model, DATA) == task.score(model, DATA)
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert task.score(model, DATA, limit=100)[0].num == 100


def test_every_held_out_character_is_scored_once_whatever_the_cut():
    """Pieces read side by side with a lead agree with one pass over the whole."""
    model = make_model().eval()
    codes = make_text(4_321, seed=4)
    bits, is_right = foresee(model, codes, 300)
    assert len(bits) == len(is_right) == 4_021
    text = torch.as_tensor(codes)[None]
    with torch.no_grad():
        logits, _ = model(text[:, :-1], model.start(1))
    nats = torch.nn.functional.cross_entropy(logits[0], text[0, 1:], reduction="none")
    expected = (nats / math.log(2)).numpy()[299:]
    np.testing.assert_allclose(bits, expected, atol=1e-4)
    assert np.array_equal(is_right, (logits[0].argmax(1) == text[0, 1:]).numpy()[299:])


def test_the_part_for_choices_stands_before_the_held_out_one():
    train, valid, test = (make_text(num, seed=num) for num in (900, 200, 300))
    data, model = TextData(SPEC, train, test, valid), make_model()
    assert np.array_equal(data.before_test(257), np.concatenate([train[-57:], valid]))
    assert np.array_equal(data.before_test(9), valid[-9:])
    assert np.array_equal(TextData(SPEC, train[:5], test).before_test(9), train[:5])
    bits, _ = foresee(model, np.concatenate([train, valid, test])[-557:], 257)
    score = ContinueText(SPEC).score(model, data)[0]
    assert score.value == pytest.approx(bits.mean())


def test_surprise_is_one_number_per_character():
    model = make_model().eval()
    bits = surprise(model, SPEC, "abcd")
    logits, _ = model(torch.tensor([[0, 1, 2, 3]]), model.start(1))
    expected = -torch.log_softmax(logits[0], 1)[torch.arange(4), torch.tensor([1, 2, 3, 4])]
    np.testing.assert_allclose(bits, expected.detach().numpy() / math.log(2), rtol=1e-5)
    assert surprise(model, SPEC, "").shape == (0,)


def test_writing_is_reading_and_sampling_one_by_one():
    """Greedy writing against a loop of whole passes."""
    model = make_model().eval()
    [text] = write(model, SPEC, ["abc"], temperature=0, length=12)
    codes = [1, 2, 3]
    for _ in range(12):
        logits, _ = model(torch.tensor([codes]), model.start(1))
        codes.append(logits[0, -1, :-1].argmax().item())
    assert text == decode(codes[3:], SPEC)


def test_answers_depend_on_prompt_and_seed_alone():
    model, task = make_model(), ContinueText(SPEC)
    together = task.answer(model, ["abc", "", "hgf"], length=40, seed=1)
    assert [len(answer.answer) for answer in together] == [40, 40, 40]
    assert task.answer(model, ["hgf"], length=40, seed=1)[0] == together[2]
    assert task.answer(model, ["hgf"], length=40, seed=2)[0].answer != together[2].answer
    assert together[0].details[0][0] == "prompt_bits_per_character"
    assert together[1].details == ()
    assert task.answer(model, []) == []
    assert task.answer(model, ["a"], length=0)[0].answer == ""
    assert model.training


def test_the_unknown_symbol_is_read_but_never_written():
    model = make_model()
    with torch.no_grad():
        model.read_out.bias[-1] = 100.0
    [answer] = ContinueText(SPEC).answer(model, ["a?!"], length=50, temperature=1.0)
    assert UNKNOWN not in answer.answer


def test_a_system_may_bring_its_own_stages_and_weights_may_be_averaged():
    model = make_model()
    own = object()

    def system_stages(task, model, config, data, recipe, seed):
        yield own

    task = ContinueText(SPEC)
    assert list(task.stages(model, system, CONFIG, DATA, FAST, 0, system_stages)) == [own]
    [stage] = task.stages(model, system, CONFIG, DATA, replace(FAST, average=0.9), 0)
    assert set(stage.keeps) == {"memory", "average"}
    for _ in train(model, [stage.lasting(3)]):
        pass
    averaged = stage.keeps["average"].averaged.module.state_dict()
    assert all(torch.equal(v, averaged[k]) for k, v in model.state_dict().items())


def test_pieces_kept_aside_are_spread_over_the_text_and_not_learned_from():
    text = np.arange(100_000)
    data = TextData(SPEC, text, text[:10])
    train, aside = set_aside(data, 3_000)
    assert aside is not None
    assert aside.rows.shape == (3, 257 + 1000)
    for row in aside.rows:
        assert np.array_equal(row, np.arange(row[0], row[0] + 1257)), "each after its own past"
    kept = aside.rows[:, 257:]
    assert not np.intersect1d(kept, train).size
    assert np.array_equal(np.union1d(kept, train), text)
    assert np.ptp(kept[:, 0]) > 60_000, "spread"


def test_of_a_validation_part_its_beginning_is_taken_and_everything_is_learned_from():
    text = np.arange(5_000)
    train, aside = set_aside(TextData(SPEC, text, text[:10], text[:2_500] + 5_000), 2_000)
    assert aside is not None
    assert train is text
    assert aside.rows[:, 257:].ravel().tolist() == list(range(5_000, 7_000))
    assert aside.rows[0, 0] == 5_000 - 257


def test_of_a_text_on_the_disk_the_end_is_kept_aside(tmp_path, monkeypatch):
    monkeypatch.setattr("samoyed.data.cache._LARGE", 1)
    np.save(tmp_path / "text.npy", np.arange(9_000))
    text = np.load(tmp_path / "text.npy", mmap_mode="r")
    train, aside = set_aside(TextData(SPEC, text, text[:10]), 2_000)
    assert aside is not None
    assert np.array_equal(train, np.arange(7_000))
    assert aside.rows[:, 257:].ravel().tolist() == list(range(7_000, 9_000))


@pytest.mark.parametrize("num", [0, 1, 5, 10**9])
def test_a_short_text_keeps_most_of_itself(num):
    train, aside = set_aside(TextData(SPEC, DATA.train[:40], DATA.test), num)
    assert (aside is None) == (num == 0)
    assert len(train) == 40 - min(num, 10)


@pytest.mark.parametrize("num_valid", [0, 500])
def test_what_is_kept_aside_is_measured_after_the_text_before_it(num_valid):
    data = TextData(SPEC, DATA.train, DATA.test, make_text(num_valid, seed=2))
    _, aside = set_aside(data, 400)
    assert isinstance(aside, Aside)
    model = make_model().eval().requires_grad_(False)
    whole = np.concatenate([DATA.train, data.valid])
    first = 3000 if num_valid else 2600
    logits, _ = model(torch.as_tensor(whole[None, first - 257 : first + 399]), model.start(1))
    nats = -logits.log_softmax(2)[0, 256:].gather(
        1, torch.as_tensor(whole[first : first + 400])[:, None]
    )
    assert aside.mean_bits(model) == pytest.approx(float(nats.mean()) / math.log(2), rel=1e-5)
    task = ContinueText(SPEC, unroll=16, num_aside=400)
    [stage] = task.stages(model, system, CONFIG, data, FAST, 0)
    assert stage.keeps["best"].measure(model) == aside.mean_bits(model)
    assert len(stage.feed.codes) == (3000 if num_valid else 2600)
