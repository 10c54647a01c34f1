"""Every row of the catalog holds the conformance checks; and the checks can fail."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from samoyed.catalog import ROWS, choose, find
from samoyed.claims import CLAIMS
from samoyed.core.batch import Logits
from samoyed.core.errors import OptionError
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec
from samoyed.row import Row
from samoyed.testing.conformance import checks_of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_system_conforms(row: Row):
    failed = [f"{c.name}: {c.found}" for c in checks_of(row) if not c.is_passed]
    assert not failed


@dataclass
class Sloppy:
    """Not frozen."""


SOUND = Reference("A title", "Somebody", 1998, "A venue", url="a link")


@dataclass(frozen=True)
class Sound:
    """Nothing to choose."""


class SoundNet(nn.Module):
    """Holds every check; what is sloppy in one way derives from it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, x: torch.Tensor) -> Logits:
        return Logits(self.layer(x.flatten(1)))


class Unused(SoundNet):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 3)


class TimesZero(Unused):
    """Gives a gradient, but of zeros."""

    def forward(self, x: torch.Tensor) -> Logits:
        return Logits(super().forward(x).values + 0 * self.unused(x[:, 0, 0, :3]).sum())


class BiasBeforeNormalisation(SoundNet):
    """The normalisation takes the bias away: its gradient is zero but for rounding."""

    def __init__(self) -> None:
        super().__init__()
        self.normalisation = nn.BatchNorm1d(10)

    def forward(self, x: torch.Tensor) -> Logits:
        return Logits(self.normalisation(super().forward(x).values))


class ZeroScale(SoundNet):
    """A branch whose scale begins at zero, so that it learns from the second step on: sound."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.scale = nn.Linear(784, 10), nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> Logits:
        return Logits(super().forward(x).values + self.scale * self.branch(x.flatten(1)))


class Counting(SoundNet):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> Logits:
        self.seen += 1
        return Logits(super().forward(x).values + self.seen)


class WritesOnInputs(SoundNet):
    def forward(self, x: torch.Tensor) -> Logits:
        with torch.no_grad():
            x += 0.5
        return super().forward(x)


class MixesRows(SoundNet):
    def forward(self, x: torch.Tensor) -> Logits:
        return super().forward(x - x.mean(0))


class Unseeded(SoundNet):
    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            self.layer.bias.uniform_(generator=torch.Generator().manual_seed(next(COUNT)))


COUNT = itertools.count()


class Forgets(SoundNet):
    """Draws a tensor that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("drawn", torch.randn(784), persistent=False)

    def forward(self, x: torch.Tensor) -> Logits:
        return super().forward(x + self.drawn.view(28, 28))


class RoundsWhenSaved(SoundNet):
    """Its weights lose digits on their way to the file."""

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return {k: v.bfloat16() for k, v in super().state_dict(*args, **kwargs).items()}


def system(net: type = SoundNet, doc: str = "Departures: none.", **changes: Any) -> SimpleNamespace:
    parts = {
        "REFERENCE": SOUND, "Config": Sound,
        "accepts": lambda config, spec: ImageSpec(1, 28, 28),
        "build": lambda config, spec, labels: net(),
    }  # fmt: skip
    return SimpleNamespace(__doc__=doc, **(parts | changes))


@dataclass(frozen=True)
class OwnRow:
    system: Any
    name: str = "own"
    given: str = "images"
    asked: str = "classify"
    loss: Any = None
    pretrained: str = ""
    sizes: Mapping[str, Any] = field(default_factory=lambda: {"paper": {}})

    def load(self) -> Any:
        return self.system


SLOPPY = {
    "no venue": (system(REFERENCE=replace(SOUND, venue="")), {"reference complete"}),
    "not dated": (system(REFERENCE=replace(SOUND, year=3000)), {"reference complete"}),
    "not frozen": (system(Config=Sloppy), {"Config is a frozen dataclass"}),
    "no departures": (system(doc="A system."), {"departures listed and numbered"}),
    "not numbered": (system(doc="Departures: some."), {"departures listed and numbered"}),
    "unused": (system(Unused), {"every parameter gets a gradient"}),
    "times zero": (system(TimesZero), {"every parameter gets a gradient"}),
    "idle bias": (system(BiasBeforeNormalisation), {"every parameter gets a gradient"}),
    "counting": (system(Counting), {"evaluation is pure"}),
    "writing": (system(WritesOnInputs), {"inputs untouched", "evaluation is pure"}),
    "mixing": (system(MixesRows), {"rows independent"}),
    "unseeded": (system(Unseeded), {"same seed, same weights"}),
    "forgetful": (system(Forgets), {"same answers after saving"}),
    "rounding": (system(RoundsWhenSaved), {"same answers after saving"}),
}


@pytest.mark.parametrize("way", SLOPPY)
def test_what_is_sloppy_in_one_way_fails_that_check(way: str):
    sloppy, expected = SLOPPY[way]
    assert failed_checks(OwnRow(sloppy)) >= expected


def test_every_check_can_fail():
    names = {check.name for check in checks_of(OwnRow(system()))}
    assert names == set().union(*(expected for _, expected in SLOPPY.values()))


@pytest.mark.parametrize("net", [SoundNet, ZeroScale])
def test_what_is_sound_passes(net: type):
    assert not failed_checks(OwnRow(system(net)))


def test_what_only_earlier_stages_train_needs_no_gradient():
    assert failed_checks(OwnRow(system(Unused), pretrained="layer"))
    assert not failed_checks(OwnRow(system(Unused), pretrained="unused"))


def failed_checks(row: Any) -> set[str]:
    return {check.name for check in checks_of(row) if not check.is_passed}


def test_the_first_row_for_a_kind_of_data_is_its_default():
    for given in ("images", "text", "world"):
        row, _ = choose(given, None, None)
        assert row == next(r for r in ROWS if r.given == given)


@pytest.mark.parametrize(
    ("given", "asked", "name", "said"),
    [
        ("images", "play", None, "--task"),
        ("images", "clasify", None, "Did you mean 'classify'"),
        ("text", None, "lenet5", "for text"),
        ("images", None, "lenet", "Did you mean 'lenet5'"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(given: str, asked: str, name: str, said: str):
    with pytest.raises(OptionError, match=said):
        choose(given, asked, name)


def test_short_names_lead_to_the_same_rows_and_no_name_is_taken_twice():
    asked = (
        "linear perceptron mlp dropout lenet1 lenet5 simard neocognitron alexnet vgg googlenet "
        "multi_column resnet"
    )
    assert len({find(name).name for name in asked.split()}) == 13
    assert find("mlp") is find("multilayer_perceptron")
    every = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(every) == len(set(every))
    with pytest.raises(OptionError, match="Did you mean 'multi_column'"):
        find("multi_colum")


def test_claims_name_systems_that_exist_and_are_unique():
    for claim in CLAIMS:
        find(claim.system)
    keys = [(claim.system, claim.key) for claim in CLAIMS]
    assert len(set(keys)) == len(keys)
