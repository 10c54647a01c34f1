"""The question what is on a picture, any number of labels: loss, scores, answers, training."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from samoyed.catalog import ROWS
from samoyed.core.batch import Batch, Logits
from samoyed.core.seeding import seed_everything
from samoyed.core.settings import from_json, to_json
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.data.augmentation import recognised
from samoyed.data.image_source import ImageData, Pictures
from samoyed.runs.baselines import images as baselines
from samoyed.runs.figures import classify_labels as figures
from samoyed.tasks.classify_labels import ClassifyLabels, label_scores, predict_chances
from samoyed.training.loop import train

SPEC = ImageSpec(3, 16, 16)
LABELS = LabelSpec(("red", "green", "blue"))
RECIPE = Recipe(learning_rate=5e-2, batch_size=16, epochs=10)


def drawn(num: int, seed: int) -> Pictures:
    """Dark noise; each label is a bright square of its colour, somewhere."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((num, 3)) < 0.4).astype(np.float32)
    images = rng.integers(0, 80, (num, *SPEC.shape), np.uint8)
    for image, row in zip(images, targets, strict=True):
        for k in np.flatnonzero(row):
            top, left = rng.integers(0, 12, 2)
            image[k, top : top + 5, left : left + 5] = 250
    return Pictures(images, targets, [f"drawn {i}" for i in range(num)])


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 8, 3, padding=1)
        self.top = nn.Linear(8, 3)

    def forward(self, inputs):
        return Logits(self.top(F.relu(self.maps(inputs)).amax((2, 3))))


@pytest.fixture(scope="module")
def data():
    return ImageData(SPEC, LABELS, drawn(160, 0), drawn(80, 1))


@pytest.fixture(scope="module")
def trained(data):
    seed_everything(0, "net")
    model = Net()
    task = ClassifyLabels(SPEC, LABELS, augmentation="none")
    for _ in train(model, task.stages(model, data, RECIPE, 0), device="cpu", seed=0):
        pass
    return model.eval()


def test_loss_by_hand_with_unknown_answers(data):
    model = Net()
    inputs = torch.rand(4, *SPEC.shape)
    targets = torch.tensor([[1, 0, 1], [0, 0, 1], [torch.nan, 1, 0], [1, torch.nan, torch.nan]])
    found = ClassifyLabels(SPEC, LABELS).loss(model, Batch(inputs, targets))
    chances = torch.sigmoid(model(inputs).values)
    terms = [
        -torch.log(chances[i, k] if targets[i, k] else 1 - chances[i, k])
        for i in range(4) for k in range(3) if not targets[i, k].isnan()
    ]  # fmt: skip
    assert len(terms) == 9
    assert found.item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)


def test_it_learns_and_beats_chance(data, trained):
    scores = {s.name: s for s in ClassifyLabels(SPEC, LABELS).score(trained, data)}
    assert list(scores) == [
        "mean_average_precision", "macro_f1", "micro_f1", "log_loss", "all_right_share",
    ]  # fmt: skip
    assert scores["mean_average_precision"].value > 0.9
    for score in scores.values():
        assert score.low <= score.value <= score.high
        assert score.num == 80


def test_perfect_answers_score_one():
    targets = drawn(30, 2).labels
    found = {s.name: s.value for s in label_scores(targets, targets.astype(float))}
    assert found.pop("log_loss") == 0.0
    assert set(found.values()) == {1.0}


def test_constant_answers_have_the_precision_of_the_shares():
    targets = drawn(50, 3).labels
    found = label_scores(targets, np.full(targets.shape, 0.3))
    assert found[0].value == pytest.approx(targets.mean(axis=0).mean())
    assert found[1].value == found[2].value == 0.0


def test_answers_are_lists_with_probabilities(data, trained, tmp_path):
    for i in range(6):
        Image.fromarray(data.test.images[i].transpose(1, 2, 0)).save(tmp_path / f"{i}.png")
    answers = ClassifyLabels(SPEC, LABELS).answer(trained, [str(tmp_path)])
    chances = predict_chances(trained, data.test.images[:6])
    logits = trained(torch.from_numpy(data.test.images[:6] / np.float32(255))).values
    np.testing.assert_allclose(chances, torch.sigmoid(logits).detach().numpy(), atol=1e-5)
    for answer, row in zip(answers, chances, strict=True):
        expected = [LABELS.names[k] for k in np.argsort(-row) if row[k] > 0.5]
        assert answer.answer == (", ".join(expected) or "none")
        assert dict(answer.details) == pytest.approx(dict(zip(LABELS.names, row, strict=True)))


def test_a_task_survives_json():
    task = ClassifyLabels(SPEC, LABELS, augmentation="flip", label_smoothing=0.1)
    assert from_json(ClassifyLabels, json.loads(json.dumps(to_json(task)))) == task


def test_quick_looks_are_at_the_validation_part(data, trained):
    held = ImageData(SPEC, LABELS, data.train, data.test, drawn(30, 5))
    task = ClassifyLabels(SPEC, LABELS)
    assert task.score(trained, held, limit=1000)[0].num == 30
    assert task.score(trained, held, limit=10)[0].num == 10
    assert task.score(trained, held)[0].num == 80


def test_mirroring_is_tried_on_lists_of_labels(data):
    plain, mirrored = recognised(data.train.images, data.train.labels)
    assert 0.3 < plain < 0.9
    assert abs(plain - mirrored) < 0.15


def test_few_labelled_pictures_hold_every_label(data, trained):
    task = ClassifyLabels(SPEC, LABELS, augmentation="none")
    [stage] = task.stages(Net(), data, RECIPE, 0, num_labels=8)
    batch = stage.feed.batch(0)
    assert batch.targets.shape == (16, 3)
    assert (batch.targets.sum(0) > 0).all()


@pytest.mark.parametrize(
    "row", [r for r in ROWS if "classify_labels" in r.also_asked], ids=lambda row: row.name
)
def test_systems_that_can_be_asked_give_one_number_for_each_label(row, data):
    assert not row.has_own_loss
    system = row.load()
    config = system.Config(**next(iter(row.sizes.values())))
    spec = system.accepts(config, SPEC)
    if spec.height * spec.width > 100 * 100:
        pytest.skip("the paper's own size takes seconds; its own test builds it")
    model = system.build(config, spec, LABELS)
    batch = Batch(torch.rand(3, *spec.shape), torch.from_numpy(data.train.labels[:3]))
    loss = ClassifyLabels(spec, LABELS).loss(model, batch)
    loss.backward()
    assert loss.ndim == 0
    assert torch.isfinite(loss)


def test_shallow_models_are_measured_by_the_same_score(data):
    found = dict(baselines.measure(data))
    assert [score.name for score in found.values()] == ["mean_average_precision"] * 3
    shares = np.full(data.test.labels.shape, 0.5)
    assert found["always the shares of the labels"].value == label_scores(
        data.test.labels, shares
    )[0].value  # fmt: skip
    assert found["a logistic regression for each label"].value > 0.5
    assert found == dict(baselines.measure(data))


def test_figures_are_drawn_and_explained(data, trained, tmp_path):
    task = ClassifyLabels(SPEC, LABELS)
    titles = [figure.title for figure in figures.draw(task, trained, data, [])]
    assert titles[0] == "Label by label"
    assert "Calibration" in titles
    Image.fromarray(data.test.images[0].transpose(1, 2, 0)).save(tmp_path / "a.png")
    drawn_of = figures.explain(task, trained, [str(tmp_path / "a.png")])
    assert drawn_of[0].title.startswith(str(tmp_path / "a.png"))
    assert "What mattered for" in drawn_of[1].title
