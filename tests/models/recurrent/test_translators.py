"""What every translator holds, whatever it is made of."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from samoyed.core.batch import Batch
from samoyed.core.spec import END, PAD, START, PairSpec, UnitSpec
from samoyed.decoding.beam import beam_search
from samoyed.models.recurrent import rnn_encoder_decoder, seq2seq
from samoyed.models.since import transformer
from samoyed.tasks.translate import Translate

UNITS = UnitSpec("character", ("<pad>", "<s>", "</s>", "<unk>", *"abcdefgh"))
SPEC = PairSpec(("one", "other"), UNITS, UNITS)
SMALL = {
    "seq2seq": (seq2seq, seq2seq.Config(2, 5, 6, dropout=0.0)),
    "seq2seq forward": (seq2seq, seq2seq.Config(2, 5, 6, is_reversed=False, dropout=0.0)),
    "rnn_encoder_decoder": (
        rnn_encoder_decoder, rnn_encoder_decoder.Config(6, 5, 3, dropout=0.0),
    ),
    "transformer": (transformer, transformer.Config(8, 2, 2, 12, dropout=0.0)),
}  # fmt: skip
LARGER = {
    "seq2seq": seq2seq.Config(1, 48, 32, dropout=0.0),
    "rnn_encoder_decoder": rnn_encoder_decoder.Config(32, 64, 32, dropout=0.0),
    "transformer": transformer.Config(32, 2, 2, 64, dropout=0.0),
}


@pytest.fixture(params=list(SMALL))
def model(request):
    return make(request.param)


def make(name, seed=0):
    torch.manual_seed(seed)
    system, config = SMALL[name]
    return system.build(config, SPEC).double().eval()


def rows(*shape, seed=0):
    return torch.randint(4, 12, shape, generator=torch.Generator().manual_seed(seed))


def test_shapes(model):
    for num, length, written in ((1, 1, 1), (4, 7, 5)):
        output = model(rows(num, length), rows(num, written))
        assert output.values.shape == (num, written, 12)
        assert all(part.shape == (written, num, length) for part in output.state)
        assert model.summary(rows(num, length)).shape[0] == num


def test_step_after_step_is_all_at_once(model):
    source, target = rows(3, 5), rows(3, 4, seed=1)
    source[1, 3:] = PAD
    whole = model(source, target)
    state = model.start(source)
    for i in range(4):
        logits, state = model.step(state, target[:, i])
        assert torch.allclose(logits, whole.values[:, i], atol=1e-10)
        for alphas in whole.state:
            assert torch.allclose(state.moving[-1], alphas[i], atol=1e-10)


def test_hypotheses_of_one_sentence_share_its_memory(model):
    source, target = rows(3, 5), rows(6, 2, seed=1)
    state = model.start(source)
    shared = state._replace(moving=tuple(p.repeat_interleave(2, 0) for p in state.moving))
    apart = model.start(source.repeat_interleave(2, 0))
    for i in range(2):
        one, shared = model.step(shared, target[:, i])
        two, apart = model.step(apart, target[:, i])
        assert torch.allclose(one, two, atol=1e-10)


def test_filling_is_ignored_and_rows_are_independent(model):
    source, target = rows(2, 6), rows(2, 4, seed=1)
    source[0, 2] = END
    source[0, 3:] = PAD
    alone = model(source[:1, :3], target[:1]).values
    assert torch.allclose(model(source, target).values[:1], alone, atol=1e-10)
    assert torch.allclose(model.summary(source)[:1], model.summary(source[:1, :3]), atol=1e-10)


def test_it_does_not_see_what_it_is_to_write(model):
    source, target = rows(2, 6), rows(2, 5, seed=1)
    changed = target.clone()
    changed[:, 3] = 4 + (changed[:, 3] - 3) % 8
    one, two = model(source, target).values, model(source, changed).values
    assert torch.equal(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3], two[:, 3])


@pytest.mark.parametrize("name", list(LARGER))
def test_it_learns_16_pairs_by_heart_and_writes_them(name):
    torch.manual_seed(0)
    model = SMALL[name][0].build(LARGER[name], SPEC)
    task = Translate(SPEC, unit="character", label_smoothing=0.0)
    said = rows(16, 5)
    source = torch.cat([said, torch.full((16, 1), END)], dim=1)
    target = torch.cat([torch.full((16, 1), START), said.flip(1), source[:, -1:]], dim=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(110):
        optimizer.zero_grad()
        loss = task.loss(model, Batch(source, target))
        loss.backward()
        optimizer.step()
    assert loss < 0.05
    found = beam_search(model.eval(), source, width=3)
    assert [f[0].units for f in found] == [tuple(row) for row in said.flip(1).tolist()]


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    for name in LARGER:
        one, two = make(name), make(name, seed=1)
        save_file(one.state_dict(), tmp_path / "m.safetensors")
        two.load_state_dict(load_file(tmp_path / "m.safetensors"))
        source, target = rows(2, 6), rows(2, 5, seed=1)
        assert torch.equal(one(source, target).values, two(source, target).values)
