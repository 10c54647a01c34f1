"""LeNet-5, the convolutional network that read cheques.

LeCun, Y., Bottou, L., Bengio, Y. & Haffner, P. (1998). Gradient-based learning applied to document
recognition. Proceedings of the IEEE 86(11), 2278-2324; section II-B, II-C, III and appendix A.

What was new: from pixels to classes in one network trained as a whole; local receptive fields,
shared weights and sub-sampling make it tolerant of shifts and distortions by construction, and the
loss is a maximum a posteriori criterion over classes rather than a sum of squares.

Equation or figure -> here:

* figure 2, the seven layers           -> `LeNet5`
* table I, which S2 maps C3 looks at   -> `TABLE_I`, `TableConvolution`
* S2 and S4, "added, then multiplied by a trainable coefficient, and added to a trainable bias"
                                       -> `Subsampling`
* eq. 6 and appendix A, f(a) = 1.7159 tanh(2a / 3) -> `squash`
* eq. 7, Euclidean distance to a class's code      -> `RadialBasis`
* figure 3, 7 x 12 bitmaps as codes    -> `DIGIT_BITMAPS`, `codes_of`
* eq. 9, the discriminative criterion  -> `map_mse`
* section II-B, pixels from -0.1 (background) to 1.175 (foreground)  -> `normalize`
* appendix A, weights from U(-2.4 / F, 2.4 / F), F the fan-in -> `_draw_within`

Parameters: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164; together 60,000. The output's
codes are fixed by hand.

**Departures**

1. The paper trains with a stochastic diagonal Levenberg-Marquardt method (appendix C), one example
   at a time for 20 passes; `RECIPE` descends the same loss in batches with first-order steps and a
   falling rate.
2. The paper prints bitmaps for all of printable ASCII (figure 3). Here the ten digits have bitmaps,
   drawn anew in the same 7 x 12 grid; a class of any other name gets 84 fixed random signs.
3. The constant j of eq. 9 is not printed; `REJECTION` is ours.
4. The figures answer with a probability: the softmax of minus the penalties, which is eq. 9's own
   posterior without its rejection class.
5. Pictures of any size and colour are brought to 28 x 28 gray first; the frame of two background
   pixels up to 32 x 32 is added here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Seed
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe

REFERENCE = Reference(
    title="Gradient-based learning applied to document recognition",
    authors="LeCun, Y., Bottou, L., Bengio, Y. & Haffner, P.",
    year=1998,
    venue="Proceedings of the IEEE 86(11), 2278-2324",
    review=42,
    url="https://doi.org/10.1109/5.726791",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=3e-3, batch_size=128, epochs=20, momentum=0.9,
    weight_decay=0.1, schedule="cosine", average=0.99, precision="float32",
)  # fmt: skip

FRAME = 2  # background pixels on each side of a 28 x 28 picture
DARKEST, BRIGHTEST = -0.1, 1.175  # of the network's input: mean about 0, variance about 1
AMPLITUDE, SLOPE = 1.7159, 2 / 3  # of the squashing function, so that f(1) = 1 and f(-1) = -1
REJECTION = 10.0  # j of eq. 9: the penalty of the class "none of these"

# Table I: for each of the 16 maps of C3, the maps of S2 it is connected to.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# 12 rows of 7 pixels, as hexadecimal numbers, the left pixel first.
DIGIT_BITMAPS = {
    "0": "3e 63 63 63 63 63 63 63 63 63 63 3e",
    "1": "0c 1c 3c 6c 0c 0c 0c 0c 0c 0c 0c 3f",
    "2": "3e 63 63 03 03 06 0c 18 30 60 60 7f",
    "3": "7f 03 06 0c 1e 03 03 03 03 63 63 3e",
    "4": "06 0e 1e 16 36 26 66 7f 7f 06 06 06",
    "5": "7f 60 60 60 7e 63 03 03 03 03 66 3c",
    "6": "1e 33 60 60 60 6e 73 63 63 63 33 1e",
    "7": "7f 7f 03 06 06 0c 0c 18 18 30 30 30",
    "8": "3e 63 63 63 36 1c 36 63 63 63 63 3e",
    "9": "3c 66 63 63 63 67 3b 03 03 03 66 3c",
}


@dataclass(frozen=True)
class Config:
    """The sizes of figure 2 (section II-B); the output layer follows the classes of the data.

    Args:
        code_seed: draws the codes of classes that are not digits.
    """

    code_seed: Seed = 1998


# Legend for shapes: B batch, C maps, H rows, W columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: 28 x 28, gray."""
    return ImageSpec(channels=1, height=28, width=28)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> LeNet5:
    """Build the network for these classes."""
    return LeNet5(codes_of(labels.names, config.code_seed))


def normalize(pictures: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 1 32 32"]:
    """Bring pixels from [0, 1] to [-0.1, 1.175] and add the frame of background."""
    return F.pad(pictures * (BRIGHTEST - DARKEST) + DARKEST, (FRAME,) * 4, value=DARKEST)


def squash(a: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Return 1.7159 tanh(2a / 3) (eq. 6)."""
    return AMPLITUDE * torch.tanh(SLOPE * a)


class Subsampling(nn.Module):
    """S2, S4: the sum of a 2 x 2 field, times a coefficient, plus a bias (section II-B).

    Args:
        num_maps: C, each with its own coefficient and bias.
    """

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(num_maps))
        self.bias = nn.Parameter(torch.empty(num_maps))
        _draw_within(2.4 / 4, self.coefficient, self.bias)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H//2 W//2"]:
        """Halve the resolution; not squashed yet. A mean of 4, and the coefficient 4 times."""
        means = F.avg_pool2d(maps, 2)
        return means * (4 * self.coefficient[:, None, None]) + self.bias[:, None, None]


class TableConvolution(nn.Module):
    """C3: a 5 x 5 convolution in which every output map looks at some of the input maps.

    Only connected kernels are stored. The forward pass lays them into a dense filter bank whose
    other kernels are zero and receive no gradient.

    Args:
        table: for each output map, the input maps it is connected to.
        num_inputs: how many input maps there are.
        side: of the square kernels.
    """

    links: Tensor

    def __init__(
        self, table: tuple[tuple[int, ...], ...], num_inputs: int = 6, side: int = 5
    ) -> None:
        super().__init__()
        self.dense_shape = (len(table), num_inputs, side, side)
        links = [o * num_inputs + i for o, row in enumerate(table) for i in row]
        self.register_buffer("links", torch.tensor(links), persistent=False)
        self.weight = nn.Parameter(torch.empty(len(links), side, side))
        self.bias = nn.Parameter(torch.empty(len(table)))
        start = 0
        for o, row in enumerate(table):
            bound = 2.4 / (len(row) * side * side)
            _draw_within(bound, self.weight[start : start + len(row)], self.bias[o : o + 1])
            start += len(row)

    def filters(self) -> Float[Tensor, "O I K K"]:
        """Return the dense filter bank."""
        num_outputs, num_inputs, side, _ = self.dense_shape
        empty = self.weight.new_zeros(num_outputs * num_inputs, side, side)
        return empty.index_copy(0, self.links, self.weight).view(self.dense_shape)

    def forward(self, maps: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O U V"]:
        """Convolve; not squashed yet."""
        return F.conv2d(maps, self.filters(), self.bias)


class RadialBasis(nn.Module):
    """The output layer: one Euclidean radial basis unit per class (eq. 7).

    Args:
        codes: (K, 84) of -1 and +1, fixed.
    """

    codes: Tensor

    def __init__(self, codes: Float[Tensor, "K 84"]) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, features: Float[Tensor, "B 84"]) -> Float[Tensor, "B K"]:
        """Return the penalties y_k = sum_j (x_j - w_kj)^2, written out as x^2 - 2 x w + w^2."""
        x, w = features.float(), self.codes
        return x.square().sum(1, keepdim=True) - 2 * x @ w.T + w.square().sum(1)


class LeNet5(nn.Module):
    """Figure 2, from C1 to the output.

    Args:
        codes: (K, 84) the output units' codes.
    """

    def __init__(self, codes: Float[Tensor, "K 84"]) -> None:
        super().__init__()
        self.C1 = nn.Conv2d(1, 6, kernel_size=5)
        self.S2 = Subsampling(6)
        self.C3 = TableConvolution(TABLE_I)
        self.S4 = Subsampling(16)
        self.C5 = nn.Conv2d(16, 120, kernel_size=5)
        self.F6 = nn.Linear(120, 84)
        self.output = RadialBasis(codes)
        for layer, fan_in in ((self.C1, 25), (self.C5, 16 * 25), (self.F6, 120)):
            _draw_within(2.4 / fan_in, *layer.parameters())

    def features(self, pictures: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 84"]:
        """Return the states of F6, within (-1.7159, 1.7159)."""
        maps = squash(self.C1(normalize(pictures)))  # (B, 6, 28, 28)
        maps = squash(self.S2(maps))  # (B, 6, 14, 14)
        maps = squash(self.C3(maps))  # (B, 16, 10, 10)
        maps = squash(self.S4(maps))  # (B, 16, 5, 5)
        maps = squash(self.C5(maps))  # (B, 120, 1, 1)
        return squash(self.F6(maps.flatten(1)))

    def forward(self, pictures: Float[Tensor, "B 1 28 28"]) -> Logits:
        """Return minus the penalty of each class, (B, K), for pictures in [0, 1]."""
        return Logits(-self.output(self.features(pictures)))


def map_mse(
    penalties: Float[Tensor, "B K"], targets: Int[Tensor, " B"], rejection: float
) -> Float[Tensor, ""]:
    """Return the criterion of eq. 9, the mean of y_D + log(e^-j + sum_i e^-y_i).

    The first term pulls the right class's penalty down. The second pushes those of the others up,
    and j keeps classes whose penalties are already large from being pushed further.

    Args:
        penalties: y, one per class.
        targets: D, the right classes.
        rejection: j, positive.
    """
    wanted = penalties.gather(1, targets[:, None]).squeeze(1)
    with_rejection = F.pad(-penalties, (0, 1), value=-rejection)
    return (wanted + torch.logsumexp(with_rejection, dim=1)).mean()


def loss(output: Logits, targets: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Return what training descends."""
    return map_mse(-output.values, targets, REJECTION)


def codes_of(names: tuple[str, ...], seed: int) -> Float[Tensor, "K 84"]:
    """Return a code of -1 and +1 per class: a digit's bitmap, else random signs."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(0, 2, (len(names), 84), generator=generator).float() * 2 - 1
    for k, name in enumerate(names):
        if name in DIGIT_BITMAPS:
            drawn[k] = torch.tensor(bitmap(name)).flatten() * 2.0 - 1
    return drawn


def bitmap(digit: str) -> list[list[int]]:
    """Return 12 rows of 7 pixels, 1 where there is ink.

    >>> bitmap("1")[0]
    [0, 0, 0, 1, 1, 0, 0]
    """
    rows = DIGIT_BITMAPS[digit].split()
    return [[int(row, 16) >> (6 - column) & 1 for column in range(7)] for row in rows]


def _draw_within(bound: float, *tensors: Tensor) -> None:
    """Fill with U(-bound, bound)."""
    with torch.no_grad():
        for tensor in tensors:
            tensor.uniform_(-bound, bound)
