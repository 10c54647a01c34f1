"""Variations of training pictures, on whole batches at once, chosen by what the data is.

A variation is worth having when it keeps the class: a shifted digit is the same digit, a mirrored
one is not. `choose` decides by colour and, for mirroring, by asking the data.

Legend for shapes: B batch, C channels, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from samoyed.core.errors import OptionError, did_you_mean
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec
from samoyed.data.colouring import pca_coloured
from samoyed.data.elastic import as_grid_offsets, displacements
from samoyed.data.feeds import made_of
from samoyed.data.rand_augment import rand_augmented

VARIATIONS = {
    "shift": "moved by up to a fourteenth of the side",
    "affine": "moved, turned by up to 10 degrees, sheared and scaled by up to a tenth",
    "elastic": "distorted elastically: sigma 4 and alpha 34 in pixels of a 29 x 29 grid",
    "crop": "cut out and enlarged: 0.7 to 1 of the side, 3/4 to 4/3 in proportion",
    "flip": "mirrored left to right, every second one",
    "colour": "brightness, contrast and saturation changed by up to 0.3",
    "pca_colour": "colours moved along their principal components, by a tenth of the variance",
    "rand_augment": "two of RandAugment's fourteen operations, at magnitude 9 of 10",
    "cutout": "a square of a quarter of the side greyed, in every second one",
}
"""Name -> what it does, as it is printed."""

SHIFT = 1 / 14  # of the side: two pixels of 28
TURN_DEGREES = 10.0
STRETCH = 0.1  # shear and change of scale
CROP = 0.7  # smallest part of the side that is kept
PROPORTION = 4 / 3
COLOUR = 0.3
HOLE = 0.25  # of the side
ENOUGH_AGREEMENT = 0.85  # mirrored pictures must be recognised this well, relative to plain ones
MOST_BLIND = 0.5  # of plain pictures: a neighbour that knows fewer is not the last word
CLEARLY_WORSE = 3.0  # standard errors by which a linear model must know mirrored ones worse
RIDGE = 0.3  # of the mean square of a picture, that the linear model's weights are held back by
CLEARLY_SWAPPED = 4.0  # standard deviations by which mirroring must mix two classes up more often


@dataclass(frozen=True)
class Choice:
    """Which variations are used, and why.

    Args:
        names: keys of `VARIATIONS`.
        reason: one sentence.
    """

    names: tuple[str, ...]
    reason: str

    def describe(self) -> str:
        """Return a line for the plan that `train` prints."""
        names = ", ".join(self.names) or "none"
        return f"variations of training pictures: {names} ({self.reason})"


@dataclass(frozen=True)
class Augmentation:
    """Vary the pictures of a batch.

    Args:
        names: keys of `VARIATIONS`; geometry comes first, then colour, RandAugment, holes.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_names(self.names)

    def __call__(
        self, pictures: Float[Tensor, "B C H W"], generator: torch.Generator
    ) -> Float[Tensor, "B C H W"]:
        """Return varied copies of pictures in [0, 1]; random numbers come from `generator`."""
        if {"affine", "crop", "elastic"} & set(self.names):
            pictures = _warped(pictures, self.names, generator)
        elif {"shift", "flip"} & set(self.names):
            pictures = _moved(pictures, self.names, generator)
        if "colour" in self.names:
            pictures = _recoloured(pictures, generator)
        if "pca_colour" in self.names:
            pictures = pca_coloured(pictures, generator)
        if "rand_augment" in self.names:
            pictures = rand_augmented(pictures, generator)
        if "cutout" in self.names:
            pictures = _with_holes(pictures, generator)
        return pictures


def check_names(names: Sequence[str]) -> None:
    """Refuse variations that do not exist.

    Raises:
        OptionError: naming the known ones.
    """
    for name in names:
        if name not in VARIATIONS:
            raise OptionError(
                "--set augmentation", "some of " + ", ".join(VARIATIONS), repr(name),
                did_you_mean(name, VARIATIONS).strip(),
            )  # fmt: skip


def choose(
    spec: ImageSpec,
    images: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str] = (),
    seed: int = 0,
) -> Choice:
    """Choose the variations for this data.

    Args:
        spec: size and colours of the pictures.
        images: (N, C, H, W) uint8, the training part.
        labels: (N,) their classes, or (N, K) 1 for each label they have.
        names: what the classes are called, for the reason; else by their numbers.
        seed: picks the pictures that mirroring is tried on.
    """
    if spec.channels == 1:
        return Choice(("affine",), "gray pictures, such as characters, are not mirrored")
    plain, mirrored, truths = _neighbours(images, labels, seed)
    before, after = agreements(plain, truths), agreements(mirrored, truths)
    shares = before.mean().item(), after.mean().item()
    numbers = "a nearest neighbour knows {:.0%} of plain, {:.0%} of mirrored ones".format(*shares)
    pair = swapped(plain, mirrored, truths) if labels.ndim == 1 else None
    if pair is not None:
        one, other = (names[index] if names else f"class {index}" for index in pair)
        numbers = f"{one} and {other} look like one another in the mirror"
    is_harmful = pair is not None or is_worse(before, after)
    if not is_harmful and shares[0] < MOST_BLIND and labels.ndim == 1:
        before, after = linear_agreements(images, labels, seed)
        if is_harmful := is_worse(before, after, CLEARLY_WORSE):
            numbers = (
                f"a linear model knows {before.mean():.0%} of plain, {after.mean():.0%} of "
                "mirrored ones"
            )
    if is_harmful:
        return Choice(("affine", "colour"), f"colour pictures that are not mirrored: {numbers}")
    return Choice(("crop", "flip", "colour"), f"colour pictures that are mirrored: {numbers}")


def recognised(images: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return which share of plain and of mirrored pictures their nearest neighbour recognises.

    Where mirroring keeps the class both shares are alike; where it turns one class into another
    (arrows, letters) the second is lower.

    Args:
        images: (N, C, H, W) uint8.
        labels: (N,) their classes, or (N, K) 1 for each label they have; then a neighbour that
            shares some of the labels counts for the share of them (Jaccard's index).
        seed: picks the pictures.
    """
    plain, mirrored, truths = _neighbours(images, labels, seed)
    return agreements(plain, truths).mean().item(), agreements(mirrored, truths).mean().item()


def _neighbours(
    images: np.ndarray, labels: np.ndarray, seed: int, num: int = 1500, side: int = 12
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the labels of the nearest of plain and of mirrored pictures, and the true ones.

    Each half of up to `num` pictures (60 a class, where that is more), averaged down to `side` rows
    and columns, serves as neighbours of the other.
    """
    small, classes = _small(images, labels, seed, num, side)
    halves = _halves(len(small))
    found: list[list[Tensor]] = [[], [], []]
    for known, asked in (halves, halves[::-1]):
        for k, pictures in enumerate((small[asked], small[asked].flip(3))):
            apart = torch.cdist(pictures.flatten(1), small[known].flatten(1))
            found[k].append(classes[known][apart.argmin(1)])
        found[2].append(classes[asked])
    plain, mirrored, truths = (torch.cat(parts) for parts in found)
    return plain, mirrored, truths


def _halves(num: int) -> tuple[slice, slice]:
    return slice(0, num // 2), slice(num // 2, num)


def _small(
    images: np.ndarray, labels: np.ndarray, seed: int, num: int = 1500, side: int = 12
) -> tuple[Tensor, Tensor]:
    """Return up to `num` pictures (60 a class, where that is more), averaged down, and labels."""
    num = max(num, 60 * (int(labels.max()) + 1)) if labels.ndim == 1 else num
    rows = numpy_generator(seed, "mirror").permutation(len(labels))[:num]
    small = made_of(images, lambda pictures: F.adaptive_avg_pool2d(pictures, side), rows)
    return small - small.mean((2, 3), keepdim=True), torch.from_numpy(labels[rows])


def linear_agreements(
    images: np.ndarray, labels: np.ndarray, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Return (N,) 1 for each plain and each mirrored picture that a linear model knows.

    Ridge regression on small pictures of equal contrast; each half is asked of the other. It sees
    what a nearest neighbour does not where classes are many and pictures are dim or bright.

    Args:
        images: (M, C, H, W) uint8.
        labels: (M,) their classes.
        seed: picks the pictures.
    """
    small, classes = _small(images, labels, seed)
    small = F.normalize(small.flatten(1), dim=1).view_as(small)
    halves = _halves(len(small))
    found: list[list[Tensor]] = [[], []]
    for known, asked in (halves, halves[::-1]):
        x, y = small[known].flatten(1), F.one_hot(classes[known], int(classes.max()) + 1).float()
        shares = y.mean(0)
        products = x @ x.T
        products.diagonal().add_(RIDGE)
        weights = x.T @ torch.linalg.solve(products, y - shares)
        for k, pictures in enumerate((small[asked], small[asked].flip(3))):
            answers = (pictures.flatten(1) @ weights + shares).argmax(1)
            found[k].append(agreements(answers, classes[asked]))
    return torch.cat(found[0]), torch.cat(found[1])


def swapped(plain: Tensor, mirrored: Tensor, truths: Tensor) -> tuple[int, int] | None:
    """Return the two classes that mirroring most clearly turns into one another, if any.

    Arrows to the left and to the right may be two classes of forty, which hardly shows in how many
    pictures are recognised in all. The two are taken for swapped where mirrored pictures of them
    are mixed up at least twice as often as plain ones, and that by so much that it is no chance.

    Args:
        plain: (N,) the answers to plain pictures.
        mirrored: (N,) the answers to the same pictures, mirrored.
        truths: (N,) their classes.
    """
    num = int(torch.cat([plain, mirrored, truths]).max()) + 1

    def mixed_up(answers: Tensor) -> Tensor:
        counts = torch.bincount(truths * num + answers, minlength=num * num).view(num, num)
        return (counts + counts.t()).triu(1).double()

    before, after = mixed_up(plain), mixed_up(mirrored)
    surprise = (after - before) / (after + before).clamp(min=1).sqrt()
    surprise[after < 2 * before] = 0
    place = int(surprise.argmax())
    pair = divmod(place, num)
    return pair if surprise[pair] >= CLEARLY_SWAPPED else None


def is_worse(before: Tensor, after: Tensor, errors: float = 2.0) -> bool:
    """Tell whether fewer of (N,) mirrored pictures are known, by much and not by chance."""
    is_much = bool(after.mean() < ENOUGH_AGREEMENT * before.mean())
    return is_much and is_beyond_chance(before - after, errors)


def is_beyond_chance(differences: Tensor, errors: float = 2.0) -> bool:
    """Tell whether the mean of (N,) differences is above 0 by so many standard errors."""
    mean, error = differences.mean(), differences.std() / len(differences) ** 0.5
    return bool(mean > errors * error)


def agreements(answers: Tensor, truths: Tensor) -> Tensor:
    """Return (N,): 1 where classes (N,) are the same, or how far sets of labels (N, K) agree.

    >>> agreements(torch.tensor([[1, 1, 0.0]]), torch.tensor([[1, 0, 0.0]]))
    tensor([0.5000])
    """
    if answers.ndim == 1:
        return (answers == truths).float()
    one, other = answers.nan_to_num() > 0.5, truths.nan_to_num() > 0.5
    either = (one | other).sum(1)
    return torch.where(either == 0, 1.0, (one & other).sum(1) / either.clamp(min=1))


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _signs(count: int, is_used: bool, generator: torch.Generator) -> Tensor:
    """Return -1 for every second one where mirroring is used, else +1."""
    if not is_used:
        return torch.ones(count)
    return torch.randint(0, 2, (count,), generator=generator) * 2.0 - 1


def _moved(pictures: Tensor, names: tuple[str, ...], generator: torch.Generator) -> Tensor:
    """Shift by whole pixels and mirror, in one gathering; the border is repeated."""
    num, _, height, width = pictures.shape

    def source(side: int, signs: Tensor) -> Tensor:  # (B, side) which row or column comes here
        reach = round(SHIFT * side) if "shift" in names else 0
        shift = torch.randint(-reach, reach + 1, (num, 1), generator=generator)
        order = torch.arange(side)
        turned = torch.where(signs[:, None] < 0, side - 1 - order, order)
        return (turned + shift).clamp_(0, side - 1)

    rows = source(height, torch.ones(num))
    columns = source(width, _signs(num, "flip" in names, generator))
    batch = torch.arange(num)[:, None, None]
    moved = pictures.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _warped(pictures: Tensor, names: tuple[str, ...], generator: torch.Generator) -> Tensor:
    """Map every picture through a matrix of its own, bilinearly; the border is repeated.

    Elastic displacements are added to where the matrix looks, so that the picture is read once.
    """
    matrices = warps(len(pictures), names, generator)
    grid = F.affine_grid(matrices, list(pictures.shape), align_corners=False)
    if "elastic" in names:
        num, _, height, width = pictures.shape
        grid = grid + as_grid_offsets(displacements(num, height, width, generator))
    return F.grid_sample(
        pictures, grid.to(pictures.dtype), padding_mode="border", align_corners=False
    )


def warps(num: int, names: tuple[str, ...], generator: torch.Generator) -> Float[Tensor, "B 2 3"]:
    """Draw one matrix per picture: from places in the result to places in the picture.

    Places run from -1 to 1 over the picture, so that half a side is 1.
    """
    across = down = torch.ones(num)
    turn = shear = torch.zeros(num)
    reach_x = reach_y = torch.full((num,), 2 * SHIFT if "shift" in names else 0.0)
    if "affine" in names:
        across = 1 + _uniform(num, -STRETCH, STRETCH, generator)
        down = 1 + _uniform(num, -STRETCH, STRETCH, generator)
        turn = _uniform(num, -1, 1, generator) * np.deg2rad(TURN_DEGREES)
        shear = _uniform(num, -STRETCH, STRETCH, generator)
        reach_x = reach_y = torch.full((num,), 2 * SHIFT)
    if "crop" in names:
        part = _uniform(num, CROP, 1, generator)
        root = torch.exp(_uniform(num, -0.5, 0.5, generator) * np.log(PROPORTION))
        across, down = across * (part * root).clamp(max=1), down * (part / root).clamp(max=1)
        reach_x, reach_y = (1 - across).clamp(min=0), (1 - down).clamp(min=0)
    across = across * _signs(num, "flip" in names, generator)
    cos, sin = turn.cos(), turn.sin()
    shift_x = _uniform(num, -1, 1, generator) * reach_x
    shift_y = _uniform(num, -1, 1, generator) * reach_y
    rows = (
        torch.stack([cos * across, (shear - sin) * down, shift_x], dim=1),
        torch.stack([sin * across, cos * down, shift_y], dim=1),
    )
    return torch.stack(rows, dim=1)


def _recoloured(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and, of colour pictures, saturation."""
    num = len(pictures)
    bright, contrast, colourful = (
        (1 + _uniform(num, -COLOUR, COLOUR, generator)).view(num, 1, 1, 1) for _ in range(3)
    )
    mean = pictures.mean((1, 2, 3), keepdim=True)
    if pictures.shape[1] == 3:
        gray = pictures.mean(1, keepdim=True)
        pictures = gray.lerp(pictures, colourful)
    return mean.lerp(pictures, contrast).mul_(bright).clamp_(0, 1)


def _with_holes(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Grey a square in every second picture (DeVries & Taylor 2017, cutout)."""
    num, _, height, width = pictures.shape

    def inside(side: int) -> Tensor:  # (B, side)
        centre = _uniform(num, 0, side, generator)[:, None]
        return (torch.arange(side) + 0.5 - centre).abs() < HOLE * side / 2

    is_cut = torch.randint(0, 2, (num,), generator=generator).bool().view(num, 1, 1, 1)
    hole = inside(height)[:, None, :, None] & inside(width)[:, None, None, :] & is_cut
    return torch.where(hole, pictures.mean((1, 2, 3), keepdim=True), pictures)
