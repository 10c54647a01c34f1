"""Every row of the catalog holds the conformance checks; and the checks can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from samoyed.catalog import ROWS, Row, choose, find
from samoyed.claims import CLAIMS
from samoyed.core.batch import Logits
from samoyed.core.errors import OptionError
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec
from samoyed.testing.conformance import checks_of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_system_conforms(row: Row):
    failed = [f"{c.name}: {c.found}" for c in checks_of(row) if not c.is_passed]
    assert not failed


@dataclass
class Sloppy:
    """Not frozen."""


class SloppyNet(nn.Module):
    """Stores what it sees, mixes rows, writes on its inputs, and leaves a weight unused."""

    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Linear(784, 10)
        self.unused = nn.Linear(3, 3)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> Logits:
        self.seen += 1
        with torch.no_grad():
            x += 0.5
        flat = x.flatten(1)
        return Logits(self.used(flat - flat.mean(0)) + self.seen)


SLOPPY = SimpleNamespace(
    __doc__="A system without a list of what differs.",
    REFERENCE=Reference("", "Nobody", 3000, ""),
    Config=Sloppy,
    accepts=lambda config, spec: ImageSpec(1, 28, 28),
    build=lambda config, spec, labels: SloppyNet(),
)


@dataclass(frozen=True)
class SloppyRow:
    name: str = "sloppy"
    given: str = "images"
    loss: Any = None
    pretrained: str = ""
    sizes: Mapping[str, Any] = field(default_factory=lambda: {"paper": {}})

    def load(self) -> Any:
        return SLOPPY


def test_a_sloppy_system_fails_every_check_it_should():
    failed = {check.name for check in checks_of(SloppyRow()) if not check.is_passed}
    assert failed >= {
        "reference complete", "Config is a frozen dataclass", "departures listed and numbered",
        "every parameter gets a gradient", "evaluation is pure", "inputs untouched",
        "rows independent",
    }  # fmt: skip


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
