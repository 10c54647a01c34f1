"""The activity network: one deep net for many assays of the same molecules, with gaps.

Ma, J., Sheridan, R. P., Liaw, A., Dahl, G. E. & Svetnik, V. (2015). Deep neural nets as a method
for quantitative structure-activity relationships. Journal of Chemical Information and Modeling
55(2), 263-274.

What was new: what helped speech and pictures helps drug discovery. One set of dials, found once,
beats random forests on most of 15 assays; and an assay with few molecules gains from learning
together with others.

Part of the paper -> here:

* recommended: hidden layers of 4,000, 2,000, 1,000 and 1,000 rectified units -> `Config`
* dropout: none of the inputs, 25 % in three hidden layers, 10 % in the last  -> `Config`
* log(x + 1) of counts of substructures                                      -> `squeezed`
* a joint net, each row learning only the assays it was tested in -> `losses.tabular.masked_binary`
* rate 0.05, momentum 0.9, weight cost 1e-4, no pre-training                -> `RECIPE`

Parameters for 1,024 bits of a fingerprint and 12 assays: 1,025 x 4,000 + 4,001 x 2,000 + 2,001 x
1,000 + 1,001 x 1,000 + 1,001 x 12, together 15,116,012.

**Departures**

1. The paper describes molecules by counts of atom pairs and donor-acceptor pairs; here by the
   columns of the table: molecules become fingerprints (whose bits log(x + 1) only scales), numbers
   may be negative, and sign(x) log(|x| + 1) is taken of them.
2. The paper's assays have numbers as answers. Questions of two answers descend the binary cross-
   entropy, a number the squared error.
3. The paper's batches and passes differ by data set ("a large number of epochs"); here 128 rows
   and 40 passes, the rate falling to zero along a straight line.
4. `small` is the same net with an eighth of the units, for little time.
5. The norm of the whole gradient is clipped at 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.errors import OptionError
from samoyed.core.numbers import Share, Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import MULTIPLICATIONS_PER_S, UNHURRIED_S
from samoyed.layers.dropout import dropout
from samoyed.layers.flat_inputs import FlatInputs

REFERENCE = Reference(
    title="Deep neural nets as a method for quantitative structure-activity relationships",
    authors="Ma, J., Sheridan, R. P., Liaw, A., Dahl, G. E. & Svetnik, V.",
    year=2015,
    venue="Journal of Chemical Information and Modeling 55(2), 263-274",
    review=8,
    url="https://doi.org/10.1021/ci500747n",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.05, batch_size=128, epochs=40, momentum=0.9,
    weight_decay=1e-4, schedule="linear", clip_norm=5.0,
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The recommended dials.

    Args:
        hidden_sizes: units of each hidden layer.
        dropouts: share of the units of each hidden layer that are left out in training.
    """

    hidden_sizes: Sizes = (4000, 2000, 1000, 1000)
    dropouts: tuple[Share, ...] = (0.25, 0.25, 0.25, 0.10)


SIZES: dict[str, dict[str, Any]] = {
    "small": {"hidden_sizes": (500, 250, 125, 125)},
    "paper": {},
}
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, D inputs, H units of a layer, K assays.


def recommend(spec: TableSpec, num_train: int, seconds: float | None) -> str:
    """Choose the paper's size where the time does for its passes on a few processor cores."""
    sizes = (FlatInputs(spec).width, *Config().hidden_sizes)
    row = sum(num_inputs * num_units for num_inputs, num_units in pairwise(sizes))
    needed_s = RECIPE.epochs * num_train * row / MULTIPLICATIONS_PER_S
    return "paper" if needed_s <= (seconds or UNHURRIED_S) else "small"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many rows."""
    return RECIPE


def build(config: Config, spec: TableSpec, target: TargetSpec) -> ActivityNetwork:
    """Build the net for these columns and these assays.

    Raises:
        OptionError: when there is not one dropout for each hidden layer.
    """
    if len(config.dropouts) != len(config.hidden_sizes):
        raise OptionError(
            "--set dropouts", f"{len(config.hidden_sizes)} shares, one for each hidden layer",
            str(len(config.dropouts)),
        )  # fmt: skip
    return ActivityNetwork(config, spec, target)


def squeezed(x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """Return sign(x) log(|x| + 1): for counts, the paper's log(x + 1)."""
    return x.sign() * x.abs().log1p()


class ActivityNetwork(nn.Module):
    """Rectified layers with dropout, and a sum for each assay.

    Args:
        config: the dials.
        spec: the columns.
        target: the assays.
    """

    def __init__(self, config: Config, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.dropouts = config.dropouts
        self.flat = FlatInputs(spec)
        sizes = (self.flat.width, *config.hidden_sizes)
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))
        self.answers = nn.Linear(sizes[-1], target.num_outputs)
        for layer in self.hidden:
            assert isinstance(layer, nn.Linear)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return (B, K): log odds of each assay, or a number."""
        h = squeezed(self.flat(rows))
        for layer, share in zip(self.hidden, self.dropouts, strict=True):
            h = dropout(torch.relu(layer(h)), share, self.training)
        return Logits(self.answers(h))
