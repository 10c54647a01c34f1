"""Cho et al. 2014: a hand count at the paper's sizes, and appendix A word by word."""

import torch

from samoyed.core.spec import PairSpec, UnitSpec
from samoyed.models.recurrent.rnn_encoder_decoder import Config, RNNEncoderDecoder, build

UNITS = UnitSpec("character", ("<pad>", "<s>", "</s>", "<unk>", *"abcdefgh"))
SPEC = PairSpec(("one", "other"), UNITS, UNITS)


def test_parameter_count_is_the_hand_count():
    with torch.device("meta"):
        net = RNNEncoderDecoder(Config(100, 1000, 500), 15_000, 15_000)
    # words 2 x 15,000 x 100; encoder 3 x 1,000 x (100 + 1,000 + 1); V and V' 1,000 x 1,001 each;
    # decoder 3 x 1,000 x (100 + 1,000 + 1,000 + 1); maxout 1,000 x (1,000 + 100 + 1,000 + 1);
    # G_r 100 x 500; G_l 15,000 x (100 + 1)
    hand = 3_000_000 + 3_303_000 + 2_002_000 + 6_303_000 + 2_101_000 + 50_000 + 1_515_000
    assert sum(p.numel() for p in net.parameters()) == hand


def test_the_whole_is_the_appendix():
    """Appendix A, one unit at a time; r before the product in A.1.1, after it in A.1.2."""
    torch.manual_seed(0)
    model = build(Config(6, 5, 3, dropout=0.0), SPEC).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    source, target = torch.tensor([[5, 9, 7]]), torch.tensor([[1, 6, 4]])
    h = torch.zeros(5, dtype=torch.float64)
    (wz, wr, w), (uz, ur, u) = model.encoder.weight_ih.chunk(3), model.encoder.weight_hh.chunk(3)
    bz, br, b = model.encoder.bias.chunk(3)
    for unit in source[0].tolist():
        x = model.source_embedding.weight[unit]
        z, r = torch.sigmoid(wz @ x + uz @ h + bz), torch.sigmoid(wr @ x + ur @ h + br)
        h = z * h + (1 - z) * torch.tanh(w @ x + u @ (r * h) + b)
    c = torch.tanh(model.squeeze.weight @ h + model.squeeze.bias)
    assert torch.allclose(model.summary(source)[0], c, atol=1e-12)
    h = torch.tanh(model.first.weight @ c + model.first.bias)
    d = model.decoder
    (wz, wr, w), (uz, ur, u) = d.weight_ih.chunk(3), d.weight_hh.chunk(3)
    (cz, cr, cc), (bz, br, b) = d.weight_ch.chunk(3), d.bias.chunk(3)
    found = model(source, target).values[0]
    for i, unit in enumerate(target[0].tolist()):
        x = model.target_embedding.weight[unit]
        z = torch.sigmoid(wz @ x + uz @ h + cz @ c + bz)
        r = torch.sigmoid(wr @ x + ur @ h + cr @ c + br)
        h = z * h + (1 - z) * torch.tanh(w @ x + b + r * (u @ h + cc @ c))
        o = model.deep.weight
        s = o[:, :5] @ h + o[:, 5:11] @ x + o[:, 11:] @ c + model.deep.bias
        s = torch.stack([torch.maximum(s[2 * k], s[2 * k + 1]) for k in range(3)])
        logits = model.read_out.weight @ (model.factor.weight @ s) + model.read_out.bias
        assert torch.allclose(found[i], logits, atol=1e-12)
