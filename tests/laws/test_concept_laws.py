"""What nets make of things from facts about them alone.

Rogers & McClelland (2004), chapter 3: what things are is learned from the coarse to the fine.
Hinton (1986): six units come to encode nationality, generation and branch.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samoyed.core.seeding import seed_everything
from samoyed.data.facts import FactData, numbered, scan_facts
from samoyed.models.language import family_trees, semantic_network
from samoyed.models.language.semantic_network import Split, apart, attributes_of, splits
from samoyed.tasks.complete import Complete
from samoyed.training.loop import train

GENERATIONS = (0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2)  # of each family's people in order


def course(data: FactData, seed: int, sweeps: int, every: int) -> np.ndarray:
    """Return (S, 7): how far the sides of each split are apart, every so many sweeps."""
    config = semantic_network.Config()
    seed_everything(seed)
    net = semantic_network.build(config, data.spec)
    task, recipe = Complete(data.spec, False), semantic_network.RECIPE
    followed = splits(attributes_of(data.questions, data.answers))
    found = []
    for stage in task.stages(data, recipe):
        made = semantic_network.stages(net, config, stage.feed, stage.lasting(sweeps), seed)
        for moment in train(net, made, seed=seed):
            if moment.step % every == 0:
                with torch.no_grad():
                    found.append([float(apart(net.pictures(), split)) for split in followed])
    assert task.score(net, data)[0].value == 1, "everything was learned"
    return np.array(found)


def half_at(curve: np.ndarray) -> int:
    return int(np.argmax(curve >= curve.max() / 2))


def is_coarse_first(found: np.ndarray, followed: list[Split]) -> bool:
    """Tell whether plants part from animals before birds from fish and trees from flowers."""
    halves = [half_at(curve) for curve in found.T]
    return all(halves[0] < h for h, s in zip(halves[1:], followed[1:], strict=True) if s.level == 1)


def test_plants_part_from_animals_before_birds_from_fish():
    source = scan_facts("living-things")
    data = numbered(source.facts, source.spec)
    followed = splits(attributes_of(data.questions, data.answers))
    assert is_coarse_first(course(data, 0, 3000, 20), followed)


@pytest.mark.slow
def test_the_order_holds_in_nine_of_ten_nets():
    source = scan_facts("living-things")
    data = numbered(source.facts, source.spec)
    followed = splits(attributes_of(data.questions, data.answers))
    found = [is_coarse_first(course(data, seed, 3000, 20), followed) for seed in range(10)]
    assert sum(found) >= 9


@pytest.mark.slow
def test_codes_tell_nationality_and_generation():
    """A linear read-out of the six units: all 24 nationalities, and nearly all generations."""
    source = scan_facts("family-trees")
    data = source.load(0)
    config = family_trees.Config()
    seed_everything(0)
    net = family_trees.build(config, data.spec)
    task = Complete(data.spec)
    for stage in task.stages(data, family_trees.RECIPE):
        for _ in train(net, family_trees.stages(net, config, stage.feed, stage, 0)):
            pass
    assert task.score(net, data)[1].value >= 0.97
    names = data.spec.subjects
    english = torch.tensor([names.index(n) < 12 for n in names]).float()
    codes = torch.cat([net.codes(), torch.ones(24, 1)], 1)
    for wanted in (english, torch.tensor([float(g) for g in GENERATIONS] * 2)):
        weights = torch.linalg.lstsq(codes, wanted[:, None]).solution
        told = (codes @ weights)[:, 0]
        assert ((told - wanted).abs() < 0.5).float().mean() >= 0.9
