"""RNNsearch, checked seven ways; the kernels' gradients are in tests/layers/test_gru.py."""

import torch
from safetensors.torch import load_file, save_file

from samoyed.core.batch import Batch
from samoyed.core.spec import END, PAD, START, PairSpec, UnitSpec
from samoyed.layers.gru import gru_step
from samoyed.models.recurrent.attention import REFERENCE, Config, build
from samoyed.tasks.translate import Translate

UNITS = UnitSpec("character", ("<pad>", "<s>", "</s>", "<unk>", *"abcdefgh"))
SPEC = PairSpec(("one", "other"), UNITS, UNITS)
SMALL = Config(embedding_size=6, num_units=5, num_alignment=4, num_maxout=3, dropout=0.0)


def make(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return build(config, SPEC).double()


def rows(*shape, seed=0):
    return torch.randint(4, 12, shape, generator=torch.Generator().manual_seed(seed))


def count(config):
    return sum(p.numel() for p in build(config, SPEC).parameters())


def test_parameter_count_is_the_hand_count():
    # embeddings 2 x 12 x 6; each direction 15 x (6 + 5 + 1); W_s 5 x (5 + 1); the decoder
    # 15 x (6 + 5 + 10 + 1); alignment 4 x (5 + 10 + 1); maxout 6 x (5 + 6 + 10 + 1); 12 x (3 + 1)
    assert count(SMALL) == 144 + 2 * 180 + 30 + 330 + 64 + 132 + 48
    assert REFERENCE.review == 76


def test_shapes():
    model = make()
    for num, length, written in ((1, 1, 1), (4, 7, 5)):
        output = model(rows(num, length), rows(num, written))
        assert output.values.shape == (num, written, 12)
        assert output.state[0].shape == (written, num, length)


def test_the_whole_is_the_equations():
    """Sec. 3 and appendix A of the paper, one sentence, one place and one unit at a time."""
    model = make()
    source, target = rows(1, 4), rows(1, 3, seed=1)
    embedded = model.source_embedding.weight[source[0]]
    halves = []
    for gru, order in ((model.encoder.forwards, range(4)), (model.encoder.backwards, range(3, -1, -1))):  # fmt: skip  # noqa: E501
        h, states = torch.zeros(1, 5, dtype=torch.float64), {}
        for j in order:
            h = states[j] = gru_step(
                embedded[j : j + 1] @ gru.weight_ih.t() + gru.bias, h, gru.weight_hh
            )
        halves.append(torch.cat([states[j] for j in range(4)]))
    annotations = torch.cat(halves, dim=1)
    d = model.decoder
    s = torch.tanh(model.first.weight @ halves[1][0] + model.first.bias)
    found = model(source, target).values[0]
    for i, y in enumerate(target[0].tolist()):
        e = torch.stack([d.v @ torch.tanh(d.query @ s + d.key @ h) for h in annotations])
        c = torch.softmax(e, 0) @ annotations
        x = model.target_embedding.weight[y]
        drive = d.weight_x @ x + d.bias + d.weight_c @ c
        s = gru_step(drive[None], s[None], d.weight_hh)[0]
        wo = model.deep.weight
        t = wo[:, :5] @ s + wo[:, 5:11] @ x + wo[:, 11:] @ c + model.deep.bias
        t = torch.stack([torch.maximum(t[2 * k], t[2 * k + 1]) for k in range(3)])
        logits = model.read_out.weight @ t + model.read_out.bias
        assert torch.allclose(found[i], logits, atol=1e-10)


def test_step_after_step_is_all_at_once():
    model = make().eval()
    source, target = rows(3, 5), rows(3, 4, seed=1)
    source[1, 3:] = PAD
    whole = model(source, target).values
    state = model.start(source)
    for i in range(4):
        logits, state = model.step(state, target[:, i])
        assert torch.allclose(logits, whole[:, i], atol=1e-10)


def test_filling_is_ignored_and_rows_are_independent():
    model = make().eval()
    source, target = rows(2, 6), rows(2, 4, seed=1)
    source[0, 3:] = PAD
    alone = model(source[:1, :3], target[:1]).values
    assert torch.allclose(model(source, target).values[:1], alone, atol=1e-10)


def test_it_does_not_see_what_it_is_to_write():
    model = make().eval()
    source, target = rows(2, 6), rows(2, 5, seed=1)
    changed = target.clone()
    changed[:, 3] = 4 + (changed[:, 3] - 3) % 8
    one, two = model(source, target).values, model(source, changed).values
    assert torch.equal(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3], two[:, 3])


def test_it_learns_16_pairs_by_heart_and_writes_them():
    torch.manual_seed(0)
    model = build(Config(32, 32, 32, 32, dropout=0.0), SPEC)
    task = Translate(SPEC, unit="character", label_smoothing=0.0)
    letters = "abcdefgh"
    random = torch.Generator().manual_seed(0)
    said = ["".join(letters[k] for k in torch.randint(8, (6,), generator=random))
            for _ in range(16)]  # fmt: skip
    code = {letter: 4 + k for k, letter in enumerate(letters)}
    # a space is no symbol here: both sides are numbered by hand
    source = torch.tensor([[3, *(code[c] for c in s), END] for s in said])
    target = torch.tensor([[START, *(code[c] for c in reversed(s)), END] for s in said])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = task.loss(model, Batch(source, target))
        loss.backward()
        optimizer.step()
    assert loss < 0.05
    answers = task.answer(model, said)
    assert [a.answer for a in answers] == [s[::-1] for s in said]
    weights, _, written = task.aligned(model, said[0])
    assert weights is not None
    assert weights.shape == (len(written), 8)


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    one, two = make().eval(), make(seed=1).eval()
    save_file(one.state_dict(), tmp_path / "m.safetensors")
    two.load_state_dict(load_file(tmp_path / "m.safetensors"))
    source, target = rows(2, 6), rows(2, 5, seed=1)
    assert torch.equal(one(source, target).values, two(source, target).values)
