"""Near-duplicates against correlations computed one pair at a time by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data.image_source import ImageData, Pictures
from samoyed.runs.figures.near_duplicates import near_duplicates_figure, nearest_learned


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 1, 16, 16), dtype=np.uint8)


def correlation(first, second):
    return float(np.corrcoef(first.ravel().astype(float), second.ravel().astype(float))[0, 1])


def test_the_most_alike_partner_is_that_of_a_slow_search(noise):
    held_out, learned = noise[:10], noise[10:]
    found = nearest_learned(held_out, learned)
    for i in range(10):
        both = [
            [correlation(picture, other) for other in learned]
            for picture in (held_out[i], held_out[i][:, :, ::-1])
        ]
        assert found.alike[i] == pytest.approx(np.max(both), abs=1e-4)
        assert found.partners[i] == np.max(both, axis=0).argmax()
        assert found.is_mirrored[i] == (max(both[1]) > max(both[0]))


def test_other_light_and_mirrors_are_seen_through_and_flat_pictures_are_like_nothing(noise):
    learned = noise[:20]
    brighter = (learned[3] * 0.5 + 100).astype(np.uint8)
    flat = np.full((1, 16, 16), 77, np.uint8)
    found = nearest_learned(np.stack([brighter, learned[7][:, :, ::-1], flat]), learned)
    assert found.partners[:2].tolist() == [3, 7]
    assert (found.alike[:2] > 0.999).all()
    assert found.is_mirrored.tolist() == [False, True, False]
    assert found.alike[2] == pytest.approx(0)


def test_the_score_without_copies_and_the_contradictions_are_told(noise):
    held_out = np.concatenate([noise[:2], noise[20:28]])  # two copies, eight strangers
    names = [f"{i}.png" for i in range(20)]
    data = ImageData(
        ImageSpec(1, 16, 16), LabelSpec(("cat", "dog")),
        Pictures(noise[:20], np.zeros(20, np.int64), names),
        Pictures(held_out, np.array([0, 1] + [0] * 8), names[:10]),
    )  # fmt: skip
    answers = np.array([0, 1] + [0] * 6 + [1] * 2)
    figure = near_duplicates_figure(data, answers)
    assert "2 of 10 held-out pictures are nearly equal" in figure.caption
    assert "1 of them under another class" in figure.caption
    assert "75.0 % of the answers are right" in figure.caption
    assert "held out: dog, learned: cat; 100.0&nbsp;% alike" in figure.html
