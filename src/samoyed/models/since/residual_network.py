"""The residual network for small pictures: up to a hundred layers and more, each learning a change.

He, K., Zhang, X., Ren, S. & Sun, J. (2016a). Deep residual learning for image recognition.
Proceedings of CVPR, 770-778; section 4.2. With the order of operations of the same authors (2016b),
Identity mappings in deep residual networks, ECCV, 630-645, as a choice.

What was new: blocks learn what to add to their input instead of what to make of it. Plain stacks
learn worse, on the training set too, when they get deeper; these learn better.

Equation or figure -> here:

* 2016a eq. 1, y = relu(F(x) + x), figure 2          -> `Original`
* 2016a section 3.3, shortcut A: zeros for new maps  -> `shortcut`
* 2016a section 4.2, 6n + 2 layers, 16, 32, 64 maps  -> `Config.num_blocks`, `WIDTHS`
* 2016a section 4.2 and figure 6, plain networks     -> `Config.is_residual`
* 2016b eqs. 3 and 4, x + F(x), and figure 4(e)      -> `PreActivated`
* 2016b appendix, the first and the last activation  -> `ResidualNetwork`

Parameters for 3 colours and 10 classes, which table 6 of 2016a prints in millions: 20 layers
269,722 (0.27), 32 layers 464,154 (0.46), 44 layers 658,586 (0.66), 56 layers 853,018 (0.85), 110
layers 1,727,962 (1.7), 1202 layers 19,421,274 (19.4). The other order of operations changes none of
them. The residual networks of 18 to 152 layers for ImageNet are not in this file.

**Departures**

1. 2016a section 4.2: the mean picture of the training set is subtracted; here [0, 1] is brought to
   [-2, 2], as a network does not know its training set.
2. 2016a section 4.2: the rate falls along a cosine instead of by 10 after 32,000 and 48,000 of
   64,000 steps, and the momentum is Nesterov's. The lower rate with which 110 layers begin is a
   linear rise. `recipe_for` stops after far fewer epochs than the paper's 164 (`--epochs 164`).
3. Weight decay acts on filters and matrices, and not on normalisations and biases.
4. 2016a section 4.2: crops of padded pictures and mirror images are the task's
   (`--set augmentation=shift,flip`).
5. 2016b: bottleneck units (164 and 1001 layers) are left out.
6. Pictures of any size and colours, 1 or 3 channels, are brought to 32 x 32. Of the sizes, `paper`
   is the network of 110 layers and `medium` that of 20; `small` is ours, 8 layers (n = 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.layers.arithmetic import is_worth_full_size
from samoyed.layers.convolution import Convolution
from samoyed.layers.rectified import centre, draw_weights

REFERENCE = Reference(
    title="Deep residual learning for image recognition",
    authors="He, K., Zhang, X., Ren, S. & Sun, J.",
    year=2016,
    venue="Proceedings of CVPR, 770-778",
    url="https://doi.org/10.1109/CVPR.2016.90",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, batch_size=128, epochs=164, momentum=0.9,
    weight_decay=1e-4, schedule="cosine", warmup=0.01,
)  # fmt: skip
"""2016a, section 4.2."""

FEW_EXAMPLES = 20_000
SHORT_RECIPE = replace(RECIPE, epochs=12, warmup=0.1, weight_decay=5e-4)
FEW_RECIPE = replace(SHORT_RECIPE, batch_size=64, learning_rate=0.05)

WIDTHS = (16, 32, 64)  # maps at 32, 16 and 8 pixels


@dataclass(frozen=True)
class Config:
    """The sizes of section 4.2; the output layer follows the classes of the data.

    Args:
        num_blocks: n, blocks at each of three resolutions; the network has 6n + 2 weighted layers.
        order: of the operations in a block: "original" (2016a) or "preactivated" (2016b).
        is_residual: whether there are shortcuts; without them it is the paper's plain network.
    """

    num_blocks: Annotated[int, Gt(0), Le(1000)] = 18
    order: Literal["original", "preactivated"] = "original"
    is_residual: bool = True


SIZES: dict[str, dict[str, Any]] = {
    "paper": {},
    "medium": {"num_blocks": 3},
    "small": {"num_blocks": 1},
}
"""Named sizes: how they differ from `Config`'s defaults."""

# Legend for shapes: B batch, C and D maps, H and I rows, W and J columns, K classes.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size: 32 x 32, colours kept.

    >>> accepts(Config(), ImageSpec(3, 500, 375))
    ImageSpec(channels=3, height=32, width=32)
    """
    return ImageSpec(3 if spec.channels == 3 else 1, 32, 32)


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> ResidualNetwork:
    """Build the network for pictures of this size and these classes."""
    return ResidualNetwork(config, spec, len(labels))


def recommend(spec: ImageSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: 110 layers given time for the paper's 164 passes, 20 given it for 12, else 8.

    Args:
        spec: natural size of the pictures.
        num_train: how many there are to learn from.
        seconds: how long training may take, or None for a few minutes.

    Returns:
        A key of `SIZES`.
    """
    taken, labels = accepts(Config(), spec), LabelSpec(("one", "other"))
    for name, epochs in (("paper", RECIPE.epochs), ("medium", SHORT_RECIPE.epochs)):
        with torch.device("meta"):
            net = build(Config(**SIZES[name]), taken, labels)
        if is_worth_full_size(net, taken, spec, num_train, seconds, epochs):
            return name
    return "small"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many examples: smaller batches where they are few."""
    return FEW_RECIPE if num_train < FEW_EXAMPLES else SHORT_RECIPE


def shortcut(
    maps: Float[Tensor, "B C H W"], num_outputs: int, stride: int
) -> Float[Tensor, "B D I J"]:
    """Return every `stride`-th place of the maps, and zeros for the maps that are new."""
    if stride == 1 and num_outputs == maps.shape[1]:
        return maps
    return F.pad(maps[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, num_outputs - maps.shape[1]))


def convolution(num_inputs: int, num_outputs: int, stride: int = 1) -> nn.Conv2d:
    """Return a 3 x 3 convolution; its bias would be undone by the normalisation."""
    return Convolution(num_inputs, num_outputs, 3, stride=stride, bias=False)


class Original(nn.Module):
    """2016a: relu(N(W N'(W' x)) + x), each N a normalisation, the inner one rectified.

    Args:
        num_inputs: C, maps in.
        num_outputs: D, maps out.
        stride: of the first convolution.
        is_residual: whether the input is added.
    """

    def __init__(self, num_inputs: int, num_outputs: int, stride: int, is_residual: bool) -> None:
        super().__init__()
        self.first = convolution(num_inputs, num_outputs, stride)
        self.first_norm = nn.BatchNorm2d(num_outputs)
        self.second = convolution(num_outputs, num_outputs)
        self.second_norm = nn.BatchNorm2d(num_outputs)
        self.stride = stride
        self.is_residual = is_residual

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D I J"]:
        """Return non-negative maps."""
        change = F.relu(self.first_norm(self.first(maps)), inplace=True)
        change = self.second_norm(self.second(change))
        if self.is_residual:
            change = change + shortcut(maps, change.shape[1], self.stride)
        return F.relu(change, inplace=True)


class PreActivated(nn.Module):
    """2016b: x + W relu(N(W' relu(N'(x)))), so that nothing stands in the way of x.

    Args:
        num_inputs: C, maps in.
        num_outputs: D, maps out.
        stride: of the first convolution.
        is_residual: whether the input is added.
        is_first: of the network: its input is normalised and rectified already, for both ways.
    """

    def __init__(
        self, num_inputs: int, num_outputs: int, stride: int, is_residual: bool, is_first: bool
    ) -> None:
        super().__init__()
        activation = (nn.BatchNorm2d(num_inputs), nn.ReLU(inplace=True))
        self.activation = nn.Sequential(*(() if is_first else activation))
        self.first = convolution(num_inputs, num_outputs, stride)
        self.norm = nn.BatchNorm2d(num_outputs)
        self.second = convolution(num_outputs, num_outputs)
        self.stride = stride
        self.is_residual = is_residual

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D I J"]:
        """Return the maps with their change, of either sign."""
        change = self.first(self.activation(maps))
        change = self.second(F.relu(self.norm(change), inplace=True))
        if self.is_residual:
            change = change + shortcut(maps, change.shape[1], self.stride)
        return change


class ResidualNetwork(nn.Module):
    """A convolution, 3n blocks, a mean over places, and a linear layer: 6n + 2 weighted layers.

    Args:
        config: the dials.
        spec: size and colours of the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        is_original = config.order == "original"
        width = WIDTHS[0]
        self.stem = nn.Sequential(
            convolution(spec.channels, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        blocks: list[nn.Module] = []
        for next_width in WIDTHS:
            for _ in range(config.num_blocks):
                stride = 1 if next_width == width else 2
                how = (width, next_width, stride, config.is_residual)
                blocks.append(
                    Original(*how) if is_original else PreActivated(*how, is_first=not blocks)
                )
                width = next_width
        self.blocks = nn.Sequential(*blocks)
        last = (nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.last = nn.Sequential(*(() if is_original else last))
        self.classes = nn.Linear(width, num_classes)
        draw_weights(self, self.classes)

    def forward(self, pictures: Float[Tensor, "B C H W"]) -> Logits:
        """Return (B, K) for pictures in [0, 1]."""
        maps = self.last(self.blocks(self.stem(centre(pictures))))
        return Logits(self.classes(maps.mean((2, 3))))
