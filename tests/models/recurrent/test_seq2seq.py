"""Sutskever, Vinyals & Le 2014: the printed counts, the order of reading, the equations."""

import torch

from samoyed.core.spec import END, PAD, PairSpec, UnitSpec
from samoyed.layers.lstm import lstm_step
from samoyed.models.recurrent.seq2seq import REFERENCE, Config, Seq2Seq, build, in_reading_order

UNITS = UnitSpec("character", ("<pad>", "<s>", "</s>", "<unk>", *"abcdefgh"))
SPEC = PairSpec(("one", "other"), UNITS, UNITS)


def test_weights_are_the_papers():
    """Sec. 3.4: 384M parameters, 64M of them recurrent, 32M on each side; 8,000 numbers."""
    paper = Config(num_layers=4, num_units=1000, embedding_size=1000)
    with torch.device("meta"):
        net = Seq2Seq(paper, 160_000, 80_000)
    weights = {n: p.numel() for n, p in net.named_parameters() if not n.endswith("bias")}
    assert sum(weights.values()) == 384_000_000
    for side in ("encoder", "decoder"):
        assert sum(num for n, num in weights.items() if n.startswith(f"{side}.")) == 32_000_000
    biases = sum(p.numel() for p in net.parameters()) - 384_000_000
    assert biases == 8 * 4000 + 80_000
    assert 2 * paper.num_layers * paper.num_units == 8000
    assert REFERENCE.review == 17


def test_the_order_of_reading():
    source = torch.tensor([[5, 6, 7, END], [8, 9, END, PAD], [END, PAD, PAD, PAD]])
    units, is_pad = in_reading_order(source, is_reversed=True)
    read = [u[~p].tolist() for u, p in zip(units, is_pad, strict=True)]
    assert read == [[7, 6, 5], [9, 8], []]
    units, is_pad = in_reading_order(source, is_reversed=False)
    read = [u[~p].tolist() for u, p in zip(units, is_pad, strict=True)]
    assert read == [[5, 6, 7], [8, 9], []]
    assert is_pad[1].tolist() == [True, True, False, False]  # all rows end together


def test_the_whole_is_the_equations():
    """Eq. 1: layer by layer, the last word first, and the decoder from every layer's state."""
    torch.manual_seed(0)
    model = build(Config(2, 5, 6, dropout=0.0), SPEC).double().eval()
    source, target = torch.tensor([[5, 9, 7, END]]), torch.tensor([[1, 6, 4]])
    zero = torch.zeros(1, 5, dtype=torch.float64)
    states = [(zero, zero), (zero, zero)]

    def through(layers, unit, table):
        signal = table.weight[unit][None]
        for index, layer in enumerate(layers):
            drive = signal @ layer.weight_ih.t() + layer.bias
            states[index] = lstm_step(drive, states[index], layer.weight_hh)
            signal = states[index][0]
        return signal[0]

    for unit in (7, 9, 5):
        through(model.encoder, unit, model.source_embedding)
    assert torch.allclose(
        model.summary(source), torch.cat([p for s in states for p in s], 1), atol=1e-12
    )
    found = model(source, target).values[0]
    for i, unit in enumerate(target[0].tolist()):
        h = through(model.decoder, unit, model.target_embedding)
        logits = model.read_out.weight @ h + model.read_out.bias
        assert torch.allclose(found[i], logits, atol=1e-12)
