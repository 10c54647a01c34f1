"""Vaswani et al. 2017: the printed sizes of table 3, attention place by place, torch's layers."""

import math

import pytest
import torch
from torch import nn

from samoyed.core.errors import OptionError
from samoyed.models.since.transformer import (
    Config,
    EncoderLayer,
    Transformer,
    attend,
    waves,
)


@pytest.mark.parametrize(
    ("config", "printed"),
    [(Config(512, 6, 8, 2048), 65e6), (Config(1024, 6, 16, 4096), 213e6)],
)
def test_sizes_are_near_the_papers(config, printed):
    """Table 3 rounds, and does not say how many of the "about 37,000" units there were."""
    with torch.device("meta"):
        net = Transformer(config, 37_000, 37_000)
    D, F = config.width, config.num_inner
    shared = sum(p.numel() for p in net.parameters()) - 37_000 * D  # the paper has one table
    looking, inner, norm = 4 * D * (D + 1), D * F + F + F * D + D, 2 * D
    hand = 6 * (looking + inner + 2 * norm) + 6 * (2 * looking + inner + 3 * norm) + 2 * norm
    assert shared == hand + 37_000 * D
    assert abs(shared / printed - 1) < 0.035


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_attention_is_equation_1_by_head_and_place():
    query, key, value = drawn(2, 3, 4), drawn(2, 5, 4, seed=1), drawn(2, 5, 4, seed=2)
    is_hidden = torch.zeros(2, 1, 1, 5, dtype=torch.bool)
    is_hidden[1, ..., 3:] = True
    read, weights = attend(query, key, value, is_hidden, 2)
    for b, seen in ((0, 5), (1, 3)):
        for i in range(3):
            shares = torch.zeros(5, dtype=torch.float64)
            for head in (slice(0, 2), slice(2, 4)):
                scores = [
                    float(query[b, i, head] @ key[b, j, head]) / math.sqrt(2) for j in range(seen)
                ]
                total = sum(math.exp(s) for s in scores)
                share = torch.tensor([math.exp(s) / total for s in scores], dtype=torch.float64)
                shares[:seen] += share / 2
                assert torch.allclose(read[b, i, head], share @ value[b, :seen, head], atol=1e-6)
            assert torch.allclose(weights[b, i].double(), shares, atol=1e-6)


def test_waves_are_those_of_section_3_5():
    found = waves(7, 6, drawn(1))
    for place in range(7):
        for i in range(3):
            angle = place / 10_000 ** (2 * i / 6)
            assert found[place, 2 * i] == pytest.approx(math.sin(angle), abs=1e-12)
            assert found[place, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-12)


def test_a_layer_is_torchs_with_the_norm_first():
    torch.manual_seed(0)
    ours = EncoderLayer(Config(8, 1, 2, 12, dropout=0.0)).double()
    peer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True).double()
    looking = ours.looking
    with torch.no_grad():
        for norm in ours.norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
        attention = peer.self_attn
        attention.in_proj_weight.copy_(torch.cat([looking.query.weight, looking.key_value.weight]))
        attention.in_proj_bias.copy_(torch.cat([looking.query.bias, looking.key_value.bias]))
        attention.out_proj.load_state_dict(looking.out.state_dict())
        peer.linear1.load_state_dict(ours.inner[0].state_dict())
        peer.linear2.load_state_dict(ours.inner[2].state_dict())
        peer.norm1.load_state_dict(ours.norms[0].state_dict())
        peer.norm2.load_state_dict(ours.norms[1].state_dict())
    x = drawn(2, 5, 8)
    is_pad = torch.zeros(2, 5, dtype=torch.bool)
    is_pad[1, 3:] = True
    expected = peer(x, src_key_padding_mask=is_pad)
    assert torch.allclose(ours(x, is_pad[:, None, None]), expected, atol=1e-6)


def test_heads_must_divide_the_width():
    with pytest.raises(OptionError, match="a divisor of the width, 10"):
        Transformer(Config(10, 1, 4, 8), 12, 12)
