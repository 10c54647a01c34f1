"""The 1989 zip-code network: the first convolutional network trained by back-propagation on mail.

LeCun, Y., Boser, B., Denker, J. S., Henderson, D., Howard, R. E., Hubbard, W. & Jackel, L. D.
(1989). Backpropagation applied to handwritten zip code recognition. Neural Computation 1, 541-551.
The review cites its sister of the same winter, on 28 x 28 pixels (reference 41); here stands the
network on 16 x 16 pixels, whose every layer the paper counts.

What was new: from pixels to digits by back-propagation alone, with what is known of the task built
into the architecture: fields are local, and the units of a map share their weights, so that a
feature is found wherever it is.

Paper -> here:

* figure 3, H1: 12 maps of 8 x 8, fields of 5 x 5 two pixels apart -> `SharedWeights`
* figure 3, H2: 12 maps of 4 x 4, each with fields in 8 of the 12 maps of H1 -> `sources`
* figure 3, H3: 30 units, connected to all of H2; the output: one unit a class -> `LeNet1989`
* section 2.2, pixels from -1 to 1; beyond the border lies -1 -> `normalize`, `BEYOND`
* biases are not shared: one for every unit of a map -> `SharedWeights.bias`
* 1.7159 tanh(2a / 3)                          -> `squash`
* mean squared error; targets +1 for the class, -1 for the others -> `loss`
* section 4, weights from U(-2.4 / F, 2.4 / F), F the fan-in -> `_draw_within`

Trainable parameters for ten classes, as printed: H1 1,068, H2 2,592, H3 5,790, output 310; together
9,760. Connections: 19,968, 38,592, 5,790 and 310; together 64,660.

**Departures**

1. The paper says that the eight maps each map of H2 sees follow a scheme that it does not describe.
   Here map j sees maps j to j + 7, counted around the circle of twelve, so that each map of H1 is
   seen by eight of H2.
2. The paper descends one example at a time with a diagonal Newton method, 23 passes. `RECIPE`
   descends the same error in batches with first-order steps and a falling rate.
3. What the network hands on are minus the squared distances between its outputs and the classes'
   targets, so that their softmax is a probability and the nearest class is the largest output, as
   in the paper. Probabilities are the figures' need; the paper rejects by the outputs themselves.
4. The paper scales digits into 16 x 16 pixels, keeping their proportions. Pictures of any size and
   colour are brought to 16 x 16 gray here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe

REFERENCE = Reference(
    title="Backpropagation applied to handwritten zip code recognition",
    authors="LeCun, Y., Boser, B., Denker, J. S., Henderson, D., Howard, R. E., Hubbard, W. & "
    "Jackel, L. D.",
    year=1989,
    venue="Neural Computation 1, 541-551",
    url="https://doi.org/10.1162/neco.1989.1.4.541",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=3e-3, batch_size=32, epochs=23, momentum=0.9,
    weight_decay=0.0, schedule="cosine", precision="float32",
)  # fmt: skip

SIDE = 16  # pixels
FIELD, STRIDE = 5, 2  # of H1 and H2
BEYOND = -1.0  # what lies beyond the border of a picture and of the maps
REACH = FIELD // 2  # how far fields reach over the border
NUM_MAPS = 12  # of H1 and of H2
NUM_SEEN = 8  # maps of H1 that a map of H2 sees
AMPLITUDE, SLOPE = 1.7159, 2 / 3  # of the squashing function


@dataclass(frozen=True)
class Config:
    """The one size of figure 3 that is not fixed by the maps.

    Args:
        num_hidden: units of H3.
    """

    num_hidden: Count = 30


# Legend for shapes: B batch, I maps in, O maps out, S side, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: 16 x 16, gray."""
    return ImageSpec(channels=1, height=SIDE, width=SIDE)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> LeNet1989:
    """Build the network for these classes."""
    return LeNet1989(config, len(labels))


def normalize(pictures: Float[Tensor, "B 1 16 16"]) -> Float[Tensor, "B 1 16 16"]:
    """Bring pixels from [0, 1] to [-1, 1]."""
    return pictures * 2 - 1


def squash(a: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Return 1.7159 tanh(2a / 3)."""
    return AMPLITUDE * torch.tanh(SLOPE * a)


def sources(output_map: int) -> list[int]:
    """Return which maps of H1 a map of H2 sees.

    >>> sources(10)
    [10, 11, 0, 1, 2, 3, 4, 5]
    """
    return [(output_map + i) % NUM_MAPS for i in range(NUM_SEEN)]


class SharedWeights(nn.Module):
    """H1, H2: maps whose units share their weights but not their biases.

    Only connected kernels are stored. The forward pass lays them into a dense filter bank whose
    other kernels are zero and receive no gradient.

    Args:
        seen: for each map, the maps below that it sees; as many for each.
        num_inputs: how many maps there are below.
        side: of the maps below, in units.
    """

    links: Tensor

    def __init__(self, seen: list[list[int]], num_inputs: int, side: int) -> None:
        super().__init__()
        num_maps, num_seen = len(seen), len(seen[0])
        self.dense_shape = (num_maps, num_inputs, FIELD, FIELD)
        links = [o * num_inputs + i for o, row in enumerate(seen) for i in row]
        self.register_buffer("links", torch.tensor(links), persistent=False)
        self.weight = nn.Parameter(torch.empty(num_maps, num_seen, FIELD, FIELD))
        self.bias = nn.Parameter(torch.empty(num_maps, side // STRIDE, side // STRIDE))
        _draw_within(2.4 / (num_seen * FIELD * FIELD), self.weight, self.bias)

    def forward(self, maps: Float[Tensor, "B I S S"]) -> Float[Tensor, "B O S//2 S//2"]:
        """Convolve in steps of two; not squashed yet.

        Fields begin two units before the border and end one behind it: the sides are even.
        """
        framed = F.pad(maps, (REACH, REACH - 1) * 2, value=BEYOND)
        num_maps, num_inputs, _, _ = self.dense_shape
        empty = self.weight.new_zeros(num_maps * num_inputs, FIELD, FIELD)
        filters = empty.index_copy(0, self.links, self.weight.flatten(0, 1))
        return F.conv2d(framed, filters.view(self.dense_shape), stride=STRIDE) + self.bias


class LeNet1989(nn.Module):
    """Figure 3, from H1 to the output.

    Args:
        config: the sizes.
        num_classes: K.
    """

    def __init__(self, config: Config, num_classes: int) -> None:
        super().__init__()
        self.H1 = SharedWeights([[0]] * NUM_MAPS, 1, SIDE)
        self.H2 = SharedWeights([sources(j) for j in range(NUM_MAPS)], NUM_MAPS, SIDE // 2)
        self.H3 = nn.Linear(NUM_MAPS * (SIDE // 4) ** 2, config.num_hidden)
        self.output = nn.Linear(config.num_hidden, num_classes)
        for layer in (self.H3, self.output):
            _draw_within(2.4 / layer.in_features, *layer.parameters())

    def outputs(self, pictures: Float[Tensor, "B 1 16 16"]) -> Float[Tensor, "B K"]:
        """Return the states of the output units, within (-1.7159, 1.7159)."""
        maps = squash(self.H1(normalize(pictures)))  # (B, 12, 8, 8)
        maps = squash(self.H2(maps))  # (B, 12, 4, 4)
        return squash(self.output(squash(self.H3(maps.flatten(1)))))

    def forward(self, pictures: Float[Tensor, "B 1 16 16"]) -> Logits:
        """Return minus the squared distance to each class's targets, (B, K)."""
        return Logits(-distances(self.outputs(pictures)))


def distances(outputs: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """Return sum_j (y_j - t_j)^2 for the targets t of every class.

    The targets of class k are +1 at k and -1 elsewhere, and (y - 1)^2 - (y + 1)^2 = -4 y.
    """
    return (outputs + 1).square().sum(1, keepdim=True) - 4 * outputs


def loss(output: Logits, targets: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Return the squared error of an output unit, averaged over units and examples."""
    wanted = output.values.gather(1, targets[:, None])
    return -wanted.mean() / output.values.shape[1]


def _draw_within(bound: float, *tensors: Tensor) -> None:
    """Fill with U(-bound, bound)."""
    with torch.no_grad():
        for tensor in tensors:
            tensor.uniform_(-bound, bound)
