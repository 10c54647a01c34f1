"""Sampling against counting."""

import pytest
import torch

from samoyed.decoding.sampling import probabilities, sample

LOGITS = torch.tensor([[2.0, 0.0, 1.0, -1.0], [0.0, 0.0, 3.0, 3.0]])


def test_temperature_one_is_the_softmax():
    torch.testing.assert_close(probabilities(LOGITS), torch.softmax(LOGITS, 1))


def test_temperature_divides_the_logits():
    torch.testing.assert_close(probabilities(LOGITS, 0.5), torch.softmax(LOGITS * 2, 1))


def test_temperature_zero_takes_the_first_of_the_likeliest():
    assert sample(LOGITS, torch.tensor([0.99, 0.99]), temperature=0).tolist() == [0, 2]


def test_top_k_keeps_the_k_likeliest():
    kept = probabilities(LOGITS, 1.0, 2)
    assert (kept > 0).tolist() == [[True, False, True, False], [False, False, True, True]]
    torch.testing.assert_close(kept.sum(1), torch.ones(2))
    assert torch.equal(probabilities(LOGITS, 1.0, 4), probabilities(LOGITS))


def test_drawn_as_often_as_likely():
    num = 100_000
    chance = (torch.arange(num) + 0.5) / num
    drawn = sample(LOGITS[:1].expand(num, 4), chance, 0.7)
    frequencies = torch.bincount(drawn, minlength=4) / num
    torch.testing.assert_close(frequencies, probabilities(LOGITS, 0.7)[0], rtol=0, atol=2e-5)


def test_what_is_excluded_is_never_drawn():
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf")]]).expand(3, 3)
    assert sample(logits, torch.tensor([0.0, 0.5, 1 - 2**-24])).tolist() == [1, 1, 1]


def test_a_row_depends_on_itself_alone():
    together = sample(LOGITS, torch.tensor([0.3, 0.8]))
    alone = [sample(LOGITS[i : i + 1], c[None]) for i, c in enumerate(torch.tensor([0.3, 0.8]))]
    assert together.tolist() == torch.cat(alone).tolist()


@pytest.mark.parametrize("options", [{"temperature": -0.1}, {"top_k": 0}])
def test_nonsense_is_refused(options):
    with pytest.raises(ValueError, match="must"):
        probabilities(LOGITS, **options)
