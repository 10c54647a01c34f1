"""Randomness as a pure function of the place."""

from __future__ import annotations

import numpy as np
import torch

from samoyed.core.seeding import derive_seed, numpy_generator, seed_everything, torch_generator


def test_a_place_always_gives_the_same_numbers():
    assert torch.equal(
        torch.rand(5, generator=torch_generator(1, "a", 2)),
        torch.rand(5, generator=torch_generator(1, "a", 2)),
    )
    assert np.array_equal(numpy_generator(1, 2).random(5), numpy_generator(1, 2).random(5))
    seed_everything(3, 4)
    first = torch.rand(3)
    seed_everything(3, 4)
    assert torch.equal(first, torch.rand(3))


def test_neighbouring_places_share_nothing():
    seeds = {
        derive_seed(s, stage, step) for s in range(5) for stage in range(5) for step in range(400)
    }
    assert len(seeds) == 5 * 5 * 400
    low_bits = np.array([derive_seed(0, 0, step) & 0xFFFFFFFF for step in range(20_000)])
    assert len(np.unique(low_bits)) > 19_990
    ones = np.mean([(low_bits >> b) & 1 for b in range(32)], axis=1)
    assert np.all(np.abs(ones - 0.5) < 0.02)


def test_names_and_order_matter():
    assert derive_seed(0, "ab") != derive_seed(0, "ba")
    assert derive_seed(0, 1, 2) != derive_seed(0, 2, 1)
    assert derive_seed(0, "stage one, a long name") != derive_seed(0, "stage two, a long name")
