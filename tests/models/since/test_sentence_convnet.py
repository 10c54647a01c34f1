"""The convolutional network for texts beside n-grams."""

import pytest
import torch

from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.models.since.sentence_convnet import GAIN, Config, NgramBag, build, ngram_buckets

SPEC = WordSpec(tuple("abcdefgh"), ("a", "b"), ("g", "h"))
SMALL = Config(width=8, num_maps=5, num_buckets=64)


def drawn(num=4, length=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randint(1, size, (num, length), generator=generator) for size in SPEC.sizes]
    return torch.stack(parts, dim=2)


def make(config=SMALL):
    torch.manual_seed(0)
    model = build(config, SPEC, LabelSpec(("p", "q", "r"))).eval()
    if model.bag is not None:
        torch.nn.init.normal_(model.bag.weights.weight)
    return model


def test_parameter_count_is_the_hand_count():
    # vectors 8 x (10 + 4 + 4 + 6); maps 5 x (8 h + 1) for h = 2, 3, 4; 3 x 16; n-grams 64 x 3
    assert sum(p.numel() for p in make().parameters()) == 192 + 375 + 48 + 192


@pytest.mark.parametrize("ngram", [0, 1, 2, 3])
def test_padding_is_ignored(ngram):
    model = make(Config(width=8, num_maps=5, num_buckets=64, ngram=ngram))
    longer = torch.cat([drawn(), torch.zeros(4, 5, 4, dtype=torch.long)], dim=1)
    assert torch.allclose(model(drawn()).values, model(longer).values, atol=1e-5)


def test_maps_are_equation_2():
    model = make()
    vectors = model.vectors(drawn())
    for h, layer, maps in zip((2, 3, 4), model.convolutions, model.maps(vectors), strict=True):
        place = 3
        window = vectors[1, place : place + h]
        slow = (layer.weight[2] * window.t()).sum() + layer.bias[2]
        assert maps[1, 2, place + h].item() == pytest.approx(max(0.0, slow.item()), abs=1e-5)


def test_the_bag_is_the_sum_of_its_ngrams():
    bag = NgramBag(2, 64, 3)
    torch.nn.init.normal_(bag.weights.weight)
    words = torch.tensor([[3, 5, 3, 0]])
    buckets, is_there = ngram_buckets(words, 2, 64)
    assert is_there.tolist() == [[1, 1, 1, 0, 1, 1, 0]]
    slow = bag.weights.weight[buckets[is_there > 0]].sum(dim=0)
    assert torch.allclose(bag(words)[0], GAIN * slow / 5**0.5, atol=1e-5)
    assert len(set(buckets[0, [4, 5]].tolist())) == 2, "the order of two words matters"


def test_a_word_that_is_not_there_adds_nothing():
    model = make()
    words, present = drawn(), torch.ones(4, 7)
    present[:, 3] = 0
    holes = words.clone()
    holes[:, 3] = 0
    found = model.bag(words[..., 0], present)
    assert torch.allclose(found, model.bag(holes[..., 0]), atol=1e-5)
    assert torch.allclose(model(words, torch.ones(4, 7)).values, model(words).values, atol=1e-6)


def test_it_learns_sixteen_texts_by_heart():
    model = make().train()
    targets = torch.arange(16) % 3
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(drawn(16)).values, targets)
        loss.backward()
        optimizer.step()
    model.eval()
    assert (model(drawn(16)).values.argmax(dim=1) == targets).all()
