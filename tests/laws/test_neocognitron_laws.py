"""Fukushima's demonstration: five digits, no teacher, and then their place does not matter."""

import pytest
import torch

from samoyed.core.batch import Batch
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Stage
from samoyed.models.convnets.neocognitron import Config, build, stages
from samoyed.training.loop import train

DIGITS = (
    ".####.. #....#. #....#. #....#. #....#. #....#. #....#. #....#. .####..",
    "...#... ..##... .#.#... ...#... ...#... ...#... ...#... ...#... .#####.",
    ".####.. #....#. .....#. .....#. ....#.. ...#... ..#.... .#..... ######.",
    "######. ....#.. ...#... ..##... ....#.. .....#. .....#. #....#. .####..",
    "....#.. ...##.. ..#.#.. .#..#.. #...#.. ####### ....#.. ....#.. ....#..",
)  # 7 x 9 pixels, lines one pixel wide


def drawn(digit, down=0, right=0):
    """Draw a digit on 16 x 16 pixels, in the middle or away from it."""
    picture = torch.zeros(1, 16, 16)
    for y, row in enumerate(DIGITS[digit].split()):
        for x, ink in enumerate(row):
            picture[0, 3 + down + y, 4 + right + x] = float(ink == "#")
    return picture


def all_drawn(down=0, right=0):
    return torch.stack([drawn(digit, down, right) for digit in range(5)])


class Patterns:
    """The five digits in turn, in the middle; the labels are there for the naming only."""

    steps_per_epoch = 1

    def batch(self, step):
        return Batch(all_drawn(), torch.arange(5))


@pytest.fixture(scope="module", params=[0, 1])
def net(request):
    """Each layer has seen each pattern twenty times, as in the paper."""
    torch.manual_seed(request.param)
    net = build(Config(), ImageSpec(1, 16, 16), LabelSpec(tuple("01234")))
    task = Stage("train", Patterns(), lambda m, b: None, lambda m: None, steps=20)
    for _ in train(net, stages(net, Config(), Patterns(), task, seed=0)):
        pass
    return net


def test_each_pattern_has_found_a_cell_of_its_own(net):
    """At the top one cell answers to each digit, another one to each, and no other cell at all."""
    responses = net.respond(all_drawn())
    assert ((responses > 0).sum(1) == 1).all()
    assert len(set(responses.argmax(1).tolist())) == 5


def test_it_is_recognised_wherever_it_is(net):
    """Only the middle was ever shown."""
    right = []
    for down in range(-3, 4):
        for across in range(-3, 4):
            answers = net(all_drawn(down, across)).values.argmax(1)
            right.append((answers == torch.arange(5)).float().mean().item())
            if max(abs(down), abs(across)) <= 2:
                assert right[-1] == 1
    assert sum(right) / len(right) > 0.97


def test_and_with_some_noise(net):
    generator = torch.Generator().manual_seed(0)
    right = 0
    for _ in range(20):
        noise = (torch.rand(5, 1, 16, 16, generator=generator) < 0.02).float()
        answers = net((all_drawn() - noise).abs()).values.argmax(1)
        right += (answers == torch.arange(5)).sum().item()
    assert right / 100 > 0.8


def test_what_was_never_shown_is_not_taken_for_one_of_them_by_force(net):
    """An empty picture and a full one leave the top silent: all classes are alike."""
    for picture in (torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)):
        assert (net.respond(picture) == 0).all()
        assert net(picture).values.std() < 1e-6
