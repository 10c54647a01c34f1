"""A validation part chooses the weights, of all those that training passes through."""

from __future__ import annotations

import copy
from dataclasses import replace

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
from samoyed.tasks.picture_training import to_choose_by, to_temper_on
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


class Scaled(Plane):
    """The same with scores that can be scaled."""

    def scale_scores(self, factor: float) -> None:
        self.layer.weight.mul_(factor)
        self.layer.bias.mul_(factor)


def many(num: int, num_valid: int | None = None) -> ImageData:
    """Pictures whose last two pixels are their number."""
    train = noisy(num, 5)
    train.images[:, 0, 5, 4], train.images[:, 0, 5, 5] = np.divmod(np.arange(num), 256)
    return ImageData(
        SPEC, LABELS, train, noisy(500, 6), None if num_valid is None else noisy(num_valid, 7)
    )


def test_a_large_training_part_keeps_a_few_pictures_for_the_temperature():
    data = many(6400)
    aside, learned = to_temper_on(data, seed=3)
    assert aside is not None
    assert learned is not None
    part, kept = aside
    assert part is data.train
    assert len(kept) == 500
    assert sorted([*kept, *learned]) == list(range(6400)), "each one is kept or learned from"
    (stage,) = TASK.stages(Scaled(), data, Recipe(batch_size=100, epochs=1.0), 3)
    assert stage.steps == 59
    seen = torch.cat([stage.feed.batch(step).inputs for step in range(59)])
    numbers = (255 * seen[:, 0, 5, 4:]).round().long() @ torch.tensor([256, 1])
    assert sorted(numbers.tolist()) == learned.tolist()
    (untouched,) = TASK.stages(Plane(), data, Recipe(batch_size=100, epochs=1.0), 3)
    assert untouched.steps == 64, "a model without a temperature learns from all"


def test_a_small_part_is_learned_from_as_it_is_and_a_validation_part_serves():
    assert to_temper_on(many(600), seed=0) == (None, None)
    data = many(600, 400)
    aside, learned = to_temper_on(data, seed=0)
    assert aside is not None
    assert aside[0] is data.validation
    assert aside[1].tolist() == list(range(400))
    assert learned is None
    assert to_temper_on(many(600, 200), seed=0) == (None, None)


def test_the_temperature_makes_answers_as_sure_as_they_are_right():
    data = many(6400)
    found = []
    for is_tempered in (False, True):
        task = replace(TASK, label_smoothing=0.4, is_tempered=is_tempered)
        model = Scaled()
        recipe = Recipe(batch_size=100, epochs=6.0, learning_rate=0.02)
        for _ in train(model, task.stages(model, data, recipe, 0)):
            pass
        found.append({score.name: score.value for score in task.score(model, data)})
    plain, tempered = found
    assert tempered["log_loss"] < 0.8 * plain["log_loss"]
    assert tempered["calibration_error"] < 0.6 * plain["calibration_error"]
