"""A validation part chooses the weights, of all those that training passes through."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.data.images import ImageData, Pictures
from samoyed.tasks.classify import Classify
from samoyed.tasks.classify_labels import ClassifyLabels
from samoyed.tasks.picture_training import to_choose_by
from samoyed.training.loop import Resume, train

SPEC = ImageSpec(1, 6, 6)
LABELS = LabelSpec(("left", "right"))
TASK = Classify(SPEC, LABELS, augmentation="none", label_smoothing=0.0)
RECIPE = Recipe(batch_size=8, epochs=12.0, learning_rate=0.05, schedule="constant")
STEPS_PER_EPOCH = 5


class Plane(nn.Module):
    """Logistic regression on pixels: with few pictures and long training it overfits."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(36, 2)

    def forward(self, pictures: torch.Tensor) -> Logits:
        return Logits(self.layer(pictures.flatten(1)))


def noisy(num: int, seed: int) -> Pictures:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, num)
    images = generator.integers(0, 256, (num, 1, 6, 6), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 2, 3 * label] = np.maximum(image[0, 2, 3 * label], 200)
    return Pictures(images, labels, [f"{seed} {i}" for i in range(num)])


@pytest.fixture(scope="module")
def data() -> ImageData:
    return ImageData(SPEC, LABELS, noisy(40, 0), noisy(20, 1), noisy(80, 2))


def loss_on(model: nn.Module, pictures: Pictures) -> float:
    """Return the mean cross-entropy, written out again."""
    inputs = torch.from_numpy(pictures.images).float() / 255
    with torch.no_grad():
        return float(F.cross_entropy(model(inputs).values, torch.from_numpy(pictures.labels)))


@pytest.mark.parametrize("decay", [None, 0.8])
def test_the_weights_that_do_best_on_the_validation_part_are_kept(data, decay):
    recipe = Recipe(**{**RECIPE.__dict__, "average": decay})
    model, followed = Plane(), None
    passed: list[dict] = []
    for moment in train(model, TASK.stages(model, data, recipe, seed=0), seed=0):
        now = {k: v.clone() for k, v in model.state_dict().items()}
        if decay is not None:  # an average of the weights of every step, written out again
            followed = now if followed is None else {
                k: decay * followed[k] + (1 - decay) * v for k, v in now.items()
            }  # fmt: skip
            now = followed
        if (moment.step + 1) % STEPS_PER_EPOCH == 0:
            passed.append(copy.deepcopy(now))
    other = Plane()
    losses = []
    for weights in passed:
        other.load_state_dict(weights)
        losses.append(loss_on(other, data.validation))
    best = int(np.argmin(losses))
    assert best < len(losses) - 1, "training must overfit for this to say anything"
    assert loss_on(model, data.validation) == pytest.approx(losses[best], rel=1e-4)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, passed[best][name], rtol=1e-4, atol=1e-5)


def test_without_a_validation_part_the_last_weights_stay(data):
    model = Plane()
    [stage] = TASK.stages(model, ImageData(SPEC, LABELS, data.train, data.test), RECIPE, seed=0)
    assert stage.after is None
    assert not stage.keeps


def test_what_was_best_survives_a_restart(data):
    def stages(model):
        return TASK.stages(model, data, RECIPE, seed=3)

    whole, resume, weights = Plane(), None, None
    for moment in train(whole, stages(whole), seed=3):
        if moment.step == 41:
            weights = copy.deepcopy(whole.state_dict())
            held = {"best": copy.deepcopy(moment.stage.keeps["best"].state_dict())}
            resume = Resume(0, 42, copy.deepcopy(moment.optimizer.state_dict()), held)
    parts = Plane()
    parts.load_state_dict(weights)
    list(train(parts, stages(parts), seed=3, resume=resume))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


def test_label_lists_are_chosen_by_their_own_loss(data):
    def listed(part: Pictures) -> Pictures:
        return Pictures(part.images, np.eye(2, dtype=np.float32)[part.labels], part.names)

    held = ImageData(SPEC, LABELS, *map(listed, (data.train, data.test, data.validation)))
    task = ClassifyLabels(SPEC, LABELS, augmentation="none")
    model = Plane()
    [stage] = task.stages(model, held, RECIPE, seed=0)
    list(train(model, [stage], seed=0))
    inputs = torch.from_numpy(held.validation.images).float() / 255
    with torch.no_grad():
        found = F.binary_cross_entropy_with_logits(
            model(inputs).values, torch.from_numpy(held.validation.labels)
        )
    assert stage.keeps["best"].best_loss == pytest.approx(float(found), rel=1e-4)


@pytest.mark.parametrize(
    ("validation", "train", "num"),
    [(80, 40, 80), (300, 40, 100), (300, 1000, 200), (90, 10**6, 90)],
)
def test_how_many_are_looked_at(validation, train, num):
    part = noisy(validation, 0)
    assert len(to_choose_by(part, train)) == num
