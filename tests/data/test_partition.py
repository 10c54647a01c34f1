"""Pieces of few different words: what they hold, and that they follow from seed and step."""

import numpy as np
import torch

from samoyed.core.batch import Batch
from samoyed.data.partition import BLOCK, PartitionedFeed, pieces_of

V = 400


class Drawn:
    """Batches of words, frequent ones first."""

    def batch(self, step):
        words = np.random.default_rng(step).zipf(1.3, (4, 9)) % V
        return Batch(torch.as_tensor(words), torch.as_tensor(words[:, ::-1].copy()))


def test_pieces_are_the_longest_that_hold_few_enough():
    targets = [Drawn().batch(s).targets.numpy() for s in range(60)]
    pieces = pieces_of(targets, 50)
    assert [p.first for p in pieces] == [0, *(p.last + 1 for p in pieces[:-1])]
    assert pieces[-1].last == 59
    assert len(pieces) > 5
    for piece in pieces:
        held = np.unique(np.concatenate([t.ravel() for t in targets[piece.first : piece.last + 1]]))
        assert piece.words.tolist() == held.tolist()
        assert piece.num_read == 36 * (piece.last + 1 - piece.first)
        assert len(held) <= 50
        if piece.last < 59:  # one more would have been too many
            assert len(np.union1d(held, targets[piece.last + 1])) > 50
    alone = pieces_of([np.arange(9), np.arange(3)], 5)
    assert [(p.first, p.last, len(p.words)) for p in alone] == [(0, 0, 9), (1, 1, 3)]


def test_every_batch_comes_with_its_targets_and_with_words_drawn():
    feed = PartitionedFeed(Drawn(), V, 60, 25, seed=1)
    subsets = []
    for step in range(30):
        batch, plain = feed.batch(step), Drawn().batch(step)
        assert torch.equal(batch.inputs, plain.inputs)
        assert torch.equal(batch.targets, plain.targets)
        assert np.isin(batch.targets.numpy(), batch.subset).all()
        assert (np.diff(batch.subset) > 0).all()
        assert 25 <= len(batch.subset) <= 60 + 25
        subsets.append(batch.subset)
    assert 1 < len({s.tobytes() for s in subsets}) < 30  # some share a piece, not all
    none = PartitionedFeed(Drawn(), V, 60, 0, seed=1).batch(3)
    assert set(none.targets.flatten().tolist()) <= set(none.subset.tolist())
    assert len(PartitionedFeed(Drawn(), V, 60, 10 * V, seed=1).batch(0).subset) == V


def test_a_batch_follows_from_seed_and_step_alone():
    there, back = PartitionedFeed(Drawn(), V, 60, 25, 1), PartitionedFeed(Drawn(), V, 60, 25, 1)
    steps = [0, 5, BLOCK - 1, BLOCK, BLOCK + 3]
    ahead = [there.batch(s) for s in steps]
    behind = [back.batch(s) for s in reversed(steps)][::-1]
    for one, other in zip(ahead, behind, strict=True):
        assert one.subset.tolist() == other.subset.tolist()
        assert one.num_read == other.num_read
    other = PartitionedFeed(Drawn(), V, 60, 25, 2).batch(0)
    assert other.subset.tolist() != ahead[0].subset.tolist()


def test_moved_or_shared_out_a_batch_keeps_its_subset():
    batch = PartitionedFeed(Drawn(), V, 60, 25, 1).batch(2)
    half = batch.shard(1, 2).to("cpu")
    assert len(half) == 2
    assert half.subset is batch.subset
