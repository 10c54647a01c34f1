"""RandAugment: a few operations out of fourteen, all at one strength.

Cubuk, E. D., Zoph, B., Shlens, J. & Le, Q. V. (2020). RandAugment: practical automated data
augmentation with a reduced search space. NeurIPS 33, section 3: N operations are drawn uniformly
for every picture, each at magnitude M of 10; both are the same for all of training. How strong an
operation is at magnitude 10 comes from the paper's own source for it: Cubuk et al. (2019),
AutoAugment, CVPR, table 6.

Operations are those of the Python Imaging Library on 8 bits, here on whole batches of floats in
[0, 1]. Every picture draws a sign of its own: turn, shear and move to either side, more or less
colour, contrast, brightness, sharpness. What comes in from outside repeats the border.

Legend for shapes: B batch, C channels, H rows, W columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

NUM_OPERATIONS = 2  # N
MAGNITUDE = 9.0  # M, of 10
LARGEST = {
    "rotate": math.radians(30.0),
    "shear_x": 0.3,
    "shear_y": 0.3,
    "translate_x": 150 / 331,  # of the side
    "translate_y": 150 / 331,
    "enhance": 0.9,  # more or less of a quality than the 1 that a picture has
    "posterize": 4.0,  # bits taken away
    "solarize": 256.0,  # how far the threshold falls from 256
}
"""Strength at magnitude 10."""

GRAY_WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R 601
SMOOTH = ((1.0, 1.0, 1.0), (1.0, 5.0, 1.0), (1.0, 1.0, 1.0))  # over 13: the library's SMOOTH

Pictures = Float[Tensor, "B C H W"]
Operation = Callable[[Tensor, Tensor, float], Tensor]
"""(pictures, a sign for each, magnitude of 10) -> changed pictures."""


def rand_augmented(
    pictures: Float[Tensor, "B C H W"], generator: torch.Generator
) -> Float[Tensor, "B C H W"]:
    """Return pictures after `NUM_OPERATIONS` drawn operations each."""
    num = len(pictures)
    for _ in range(NUM_OPERATIONS):
        drawn = torch.randint(len(OPERATIONS), (num,), generator=generator)
        signs = torch.randint(0, 2, (num,), generator=generator) * 2.0 - 1
        changed = pictures.clone()
        for index, operation in enumerate(OPERATIONS.values()):
            rows = (drawn == index).nonzero().flatten()
            if len(rows):
                changed[rows] = operation(pictures[rows], signs[rows], MAGNITUDE)
        pictures = changed
    return pictures


def identity(pictures: Pictures, signs: Tensor, magnitude: float) -> Pictures:
    """Return the pictures."""
    return pictures


def warp(name: str) -> Operation:
    """Return the operation that turns, shears or moves pictures."""

    def warped(pictures: Tensor, signs: Tensor, magnitude: float) -> Tensor:
        height, width = pictures.shape[2:]
        amount = signs * LARGEST[name] * magnitude / 10
        matrices = torch.eye(2, 3).repeat(len(pictures), 1, 1)
        if name == "rotate":
            cos, sin = amount.cos(), amount.sin()
            matrices[:, 0, 0] = matrices[:, 1, 1] = cos
            matrices[:, 0, 1], matrices[:, 1, 0] = -sin * height / width, sin * width / height
        elif name == "shear_x":
            matrices[:, 0, 1] = amount * height / width
        elif name == "shear_y":
            matrices[:, 1, 0] = amount * width / height
        else:  # half a side is 1
            matrices[:, int(name == "translate_y"), 2] = 2 * amount
        grid = F.affine_grid(matrices, list(pictures.shape), align_corners=False)
        grid = grid.to(pictures.dtype)
        return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)

    return warped


def auto_contrast(pictures: Pictures, signs: Tensor, magnitude: float) -> Pictures:
    """Stretch every channel so that it reaches from 0 to 1; an even one stays."""
    low, high = pictures.amin((2, 3), keepdim=True), pictures.amax((2, 3), keepdim=True)
    stretched = (pictures - low) / (high - low).clamp(min=1e-6)
    return torch.where(high > low, stretched, pictures)


def equalize(pictures: Pictures, signs: Tensor, magnitude: float) -> Pictures:
    """Make all 256 levels of every channel about equally frequent.

    Level i becomes (step / 2 + the number of pixels below i) / step in whole numbers, where step
    is a 255th of the number of pixels that are not at the brightest level that occurs.
    """
    levels = (pictures * 255).round().long().flatten(2)
    counts = levels.new_zeros(*levels.shape[:2], 256)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    brightest = levels.amax(2, keepdim=True)
    step = (levels.shape[2] - counts.gather(2, brightest)) // 255
    below = counts.cumsum(2) - counts
    table = ((step // 2 + below) // step.clamp(min=1)).clamp(0, 255)
    equalized = table.gather(2, levels).view_as(pictures).to(pictures.dtype) / 255
    return torch.where((step > 0).unsqueeze(3), equalized, pictures)


def solarize(pictures: Pictures, signs: Tensor, magnitude: float) -> Pictures:
    """Invert what is at least as bright as a threshold."""
    threshold = (256 - LARGEST["solarize"] * magnitude / 10) / 255
    return torch.where(pictures >= threshold, 1 - pictures, pictures)


def posterize(pictures: Pictures, signs: Tensor, magnitude: float) -> Pictures:
    """Keep the upper bits only."""
    levels = 2 ** int(LARGEST["posterize"] * magnitude / 10)
    return torch.floor((pictures * 255).round() / levels) * levels / 255


def gray_of(pictures: Pictures) -> Float[Tensor, "B 1 H W"]:
    """Return the brightness of every pixel."""
    if pictures.shape[1] != 3:
        return pictures.mean(1, keepdim=True)
    weights = pictures.new_tensor(GRAY_WEIGHTS)[:, None, None]
    return (pictures * weights).sum(1, keepdim=True)


def blurred(pictures: Pictures) -> Pictures:
    """Smooth with 3 x 3 weights; the outermost pixels stay as they are."""
    channels = pictures.shape[1]
    weights = pictures.new_tensor(SMOOTH).expand(channels, 1, 3, 3) / 13
    result = pictures.clone()
    result[..., 1:-1, 1:-1] = F.conv2d(pictures, weights, groups=channels)
    return result


def enhance(dull: Callable[[Tensor], Tensor]) -> Operation:
    """Return the operation that goes from a duller version towards the picture, or past it."""

    def enhanced(pictures: Tensor, signs: Tensor, magnitude: float) -> Tensor:
        factor = (1 + signs * LARGEST["enhance"] * magnitude / 10).view(-1, 1, 1, 1)
        return dull(pictures).lerp(pictures, factor.to(pictures.dtype)).clamp(0, 1)

    return enhanced


OPERATIONS: dict[str, Operation] = {
    "identity": identity,
    "auto_contrast": auto_contrast,
    "equalize": equalize,
    "rotate": warp("rotate"),
    "solarize": solarize,
    "colour": enhance(lambda p: gray_of(p).expand_as(p)),
    "posterize": posterize,
    "contrast": enhance(lambda p: gray_of(p).mean((2, 3), keepdim=True).expand_as(p)),
    "brightness": enhance(torch.zeros_like),
    "sharpness": enhance(blurred),
    "shear_x": warp("shear_x"),
    "shear_y": warp("shear_y"),
    "translate_x": warp("translate_x"),
    "translate_y": warp("translate_y"),
}
"""The fourteen operations of section 3."""
