"""Words as numbers, and the feed of texts of like length."""

import numpy as np
import pytest
import torch

from samoyed.core.spec import WordSpec
from samoyed.data import words
from samoyed.data.word_feed import WordFeed, by_length


def rows_of(lengths, seed=0):
    rng = np.random.default_rng(seed)
    texts = [[f"w{rng.integers(30)}" for _ in range(n)] for n in lengths]
    return words.encode(texts, words.fit(texts)), texts


def test_every_word_is_told_by_four_numbers():
    spec = words.fit([["The", "cat", "the", "cats"], ["Cathedral", "1984"]])
    assert spec.words == ("the", "0000", "cat", "cathedral", "cats")
    assert spec.beginnings == (), "none begins two different words"
    assert words.fit([["walked", "walker", "talked"]]).beginnings == ("walk",)
    assert words.fit([["walked", "walker", "talked"]]).endings == ("ked",)
    rows = words.encode([["THE", "dog"]], spec)
    the, dog = rows.padded(np.array([0]))[0].tolist()
    assert the[0] == 2
    assert the[3] == 2
    assert dog == [1, 1, 1, 1]


def test_the_most_frequent_words_are_kept():
    spec = words.fit([["b"] * 3 + ["a"] * 2 + ["c"]], most=2)
    assert spec.words == ("b", "a")
    assert words.fit([["b"] * 3 + ["a"] * 2 + ["c"]], fewest=3).words == ("b",)


def test_padding_is_zero_and_behind():
    rows, _ = rows_of([3, 1, 2])
    padded = rows.padded(np.array([1, 0, 2]))
    assert padded.shape == (3, 3, 4)
    assert (padded[..., 0] > 0).tolist() == [[True, False, False], [True] * 3, [True, True, False]]
    some = rows.some(np.array([2, 0]))
    assert some.lengths.tolist() == [2, 3]
    assert torch.equal(some.padded(np.array([1])), rows.padded(np.array([0])))


def test_other_scripts_are_cut_into_characters():
    assert words.split("犬が走る dogs 2,5 ไป") == ["犬", "が", "走", "る", "dogs", "2,5", "ไ", "ป"]
    assert words.split("हिन्दी में 10") == ["हिन्दी", "में", "10"]


def feed_of(lengths, batch_size=4, seed=0):
    rows, _ = rows_of(lengths)
    return WordFeed(rows, torch.from_numpy, batch_size, seed)


def test_an_epoch_sees_every_text_once():
    feed = feed_of([1 + i % 7 for i in range(50)])
    assert feed.steps_per_epoch == 13
    for epoch in range(2):
        steps = range(13 * epoch, 13 * epoch + 13)
        seen = torch.cat([feed.batch(step).targets for step in steps])
        assert sorted(seen.tolist()) == list(range(50))


def test_a_batch_depends_on_seed_and_step_alone():
    lengths = [1 + i % 7 for i in range(50)]
    one, two, other = feed_of(lengths), feed_of(lengths), feed_of(lengths, seed=1)
    for step in range(20):
        one.batch(step)
    assert torch.equal(one.batch(3).targets, two.batch(3).targets)
    orders = [torch.cat([f.batch(s).targets[:1] for s in range(8)]).tolist() for f in (two, other)]
    assert orders[0] != orders[1]


def test_little_is_padding():
    rng = np.random.default_rng(0)
    feed = feed_of(rng.integers(1, 60, 2000), batch_size=32)
    places = words_in = 0
    for step in range(feed.steps_per_epoch):
        inputs = feed.batch(step).inputs
        places += inputs[..., 0].numel()
        words_in += int((inputs[..., 0] > 0).sum())
    assert 1 - words_in / places < 0.1


@pytest.mark.parametrize("budget", [1, 20, 10_000])
def test_batches_by_length_hold_every_text_once(budget):
    rows, _ = rows_of([5, 1, 9, 3, 3, 0])
    batches = by_length(rows, budget)
    assert sorted(np.concatenate(batches).tolist()) == list(range(6))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(rows.lengths[batch]) <= budget


def test_a_text_without_a_word_is_padding_alone():
    rows = words.encode([[], ["a"]], WordSpec(("a",), (), ()))
    assert rows.padded(np.array([0])).tolist() == [[[0, 0, 0, 0]]]
