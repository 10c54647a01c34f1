"""The question "which class is it?", end to end on drawn pictures."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from samoyed.core.batch import Logits
from samoyed.core.errors import DataError, OptionError
from samoyed.core.settings import from_json, to_json
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe
from samoyed.data.images import ImageData, Pictures
from samoyed.metrics import classification
from samoyed.models.convnets import lenet5
from samoyed.models.since import compact_convnet
from samoyed.runs.figures import classify as figures
from samoyed.runs.figures import heat_maps
from samoyed.tasks.classify import (
    Classify,
    answer_of,
    predict_probabilities,
    resampled,
    scores_of,
    spread,
)
from samoyed.training.loop import Resume, train

SPEC = ImageSpec(3, 12, 12)
LABELS = LabelSpec(("red", "green", "blue"))
RECIPE = Recipe(batch_size=16, epochs=4.0, learning_rate=1e-2)


def drawn(num, seed, spec=SPEC):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, num)
    images = generator.integers(0, 100, (num, *spec.shape), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = generator.integers(0, 6, 2)
        image[label % spec.channels, y : y + 5, x : x + 5] += 150
    return Pictures(images, labels, [f"drawn {i}" for i in range(num)])


@pytest.fixture(scope="module")
def data():
    return ImageData(SPEC, LABELS, drawn(90, 0), drawn(60, 1))


def small_net(seed=0):
    torch.manual_seed(seed)
    return compact_convnet.build(compact_convnet.Config(widths=(8, 12)), SPEC, LABELS)


@pytest.fixture(scope="module")
def trained(data):
    model = small_net()
    list(train(model, Classify(SPEC, LABELS).stages(model, data, RECIPE, seed=0)))
    return model


class Constant(nn.Module):
    """Gives every picture the same answer, and counts training-mode calls."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, pictures):
        assert not self.training
        return Logits(self.logits.expand(len(pictures), -1))


def test_it_learns(data, trained):
    scores = Classify(SPEC, LABELS).score(trained, data)
    assert scores[0].name == Classify.headline
    assert scores[0].value > 0.9
    assert scores[0].low < scores[0].value <= scores[0].high
    untrained = Classify(SPEC, LABELS).score(small_net(), data)
    assert untrained[0].value < 0.6


def test_training_is_the_same_again_and_resumes_exactly(data):
    task = Classify(SPEC, LABELS, augmentation="affine,flip,cutout")
    recipe = Recipe(batch_size=16, epochs=2.0, learning_rate=1e-2, average=0.9)

    def stages(model):
        return task.stages(model, data, recipe, seed=3)

    whole = small_net()
    resume = weights = None
    for moment in train(whole, stages(whole), seed=3):
        if moment.step == 4:
            weights = {k: v.clone() for k, v in whole.state_dict().items()}
            average = moment.stage.keeps["average"].state_dict()
            held = {k: v.clone() for k, v in average.items()}
            resume = Resume(0, 5, _copy(moment.optimizer.state_dict()), {"average": held})
    parts = small_net(seed=1)
    parts.load_state_dict(weights)
    list(train(parts, stages(parts), seed=3, resume=resume))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


def _copy(state):
    if isinstance(state, dict):
        return {k: _copy(v) for k, v in state.items()}
    if isinstance(state, list):
        return [_copy(v) for v in state]
    return state.clone() if isinstance(state, torch.Tensor) else state


def test_number_of_steps_follows_the_recipe(data):
    model = small_net()
    [stage] = Classify(SPEC, LABELS).stages(model, data, RECIPE, seed=0)
    assert stage.steps == round(4.0 * 90 / 16)
    assert stage.lasting(7).steps == 7


def test_loss_is_the_smoothed_cross_entropy(data):
    model = small_net().eval()
    [stage] = Classify(SPEC, LABELS, label_smoothing=0.3).stages(model, data, RECIPE, seed=0)
    batch = stage.feed.batch(0)
    logits = model(batch.inputs).values.detach().double().numpy()
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = np.full((16, 3), 0.1)
    target[np.arange(16), batch.targets] += 0.7
    expected = -(target * log_p).sum(axis=1).mean()
    assert stage.objective(model, batch).item() == pytest.approx(expected, rel=1e-5)


def test_a_systems_own_loss_takes_the_place_of_the_cross_entropy():
    spec = ImageSpec(1, 28, 28)
    torch.manual_seed(0)
    model = lenet5.build(lenet5.Config(), spec, LABELS)
    data = ImageData(spec, LABELS, drawn(20, 0, spec), drawn(10, 1, spec))
    task = Classify(spec, LABELS, augmentation="none")
    [stage] = task.stages(model, data, RECIPE, seed=0, system_loss=lenet5.loss)
    batch = stage.feed.batch(0)
    assert stage.objective(model, batch) == lenet5.loss(model(batch.inputs), batch.targets)


def test_a_systems_own_stages_see_plain_pictures_and_wrap_the_last_stage(data):
    seen = {}

    def system_stages(feed, stage):
        seen["inputs"] = feed.batch(0).inputs
        yield stage.lasting(1)
        yield stage.lasting(2)

    model = small_net()
    task = Classify(SPEC, LABELS)
    stages = list(task.stages(model, data, RECIPE, seed=0, system_stages=system_stages))
    assert [stage.steps for stage in stages] == [1, 2]
    assert any(torch.equal(seen["inputs"][0] * 255, torch.from_numpy(image).float())
               or np.allclose(seen["inputs"][0].numpy(), image / 255, atol=1e-6)
               for image in data.train.images)  # fmt: skip


def test_few_labels_are_spread_over_the_classes(data):
    rows = spread(data.train.labels, 30, seed=0)
    assert len(set(rows.tolist())) == 30
    assert np.bincount(data.train.labels[rows]).tolist() == [10, 10, 10]
    [stage] = Classify(SPEC, LABELS).stages(small_net(), data, RECIPE, 0, num_labels=12)
    labels = torch.cat([stage.feed.batch(step).targets for step in range(3)])
    assert labels.bincount().tolist() == [16, 16, 16]
    rare = spread(np.array([0] * 50 + [1]), 10, seed=0)
    assert 50 in rare


def test_variations_are_chosen_named_and_switched_off(data):
    assert Classify(SPEC, LABELS, augmentation="none").variations(data.train).names == ()
    named = Classify(SPEC, LABELS, augmentation="shift, cutout").variations(data.train)
    assert named.names == ("shift", "cutout")
    assert "flip" in Classify(SPEC, LABELS).variations(data.train).names
    with pytest.raises(OptionError, match="Did you mean 'cutout'"):
        Classify(SPEC, LABELS, augmentation="cutuot").variations(data.train)


def test_a_task_survives_json():
    task = Classify(SPEC, LABELS, augmentation="flip", label_smoothing=0.2)
    assert from_json(Classify, json.loads(json.dumps(to_json(task)))) == task


def test_probabilities_are_probabilities_in_the_order_of_the_pictures(data, trained):
    found = predict_probabilities(trained, data.test.images)
    assert found.shape == (60, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    again = predict_probabilities(trained, data.test.images[::-1])[::-1]
    np.testing.assert_allclose(found, again, atol=1e-6)


def test_looking_at_pictures_leaves_the_model_as_it_was(data):
    model = small_net().train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    predict_probabilities(model, data.test.images)
    assert model.training
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    predict_probabilities(Constant([0.0, 1.0, 2.0]), data.test.images)


def test_scores_by_hand():
    probabilities = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]])
    accuracy, f1, log_loss, calibration = scores_of(probabilities, np.array([0, 1, 1, 0]))
    assert (accuracy.value, accuracy.num) == (0.75, 4)
    assert f1.value == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert log_loss.value == pytest.approx(-np.log([0.7, 0.4, 0.8, 0.9]).mean())
    assert not log_loss.is_higher_better
    assert calibration.value == pytest.approx((0.3 + 0.6 + 0.2 + 0.1) / 4)
    for score in (accuracy, f1, log_loss, calibration):
        assert score.low <= score.value <= score.high


def test_perfect_answers_score_one():
    scores = {s.name: s.value for s in scores_of(np.eye(3)[[0, 1, 2, 1]], np.array([0, 1, 2, 1]))}
    assert scores == {"accuracy": 1.0, "macro_f1": 1.0, "log_loss": 0.0, "calibration_error": 0.0}


def test_a_quick_look_is_spread_over_the_held_out_part(data, trained):
    task = Classify(SPEC, LABELS)
    assert task.score(trained, data, limit=20)[0].num == 20
    assert task.score(trained, data, limit=1000)[0].num == 60


def test_answers_name_the_class_and_the_runners_up(data, trained, tmp_path):
    (tmp_path / "folder").mkdir()
    for i in range(3):
        pixels = data.test.images[i].transpose(1, 2, 0)
        Image.fromarray(pixels).save(tmp_path / "folder" / f"{i}.png")
    answers = Classify(SPEC, LABELS).answer(trained, [str(tmp_path / "folder")])
    expected = predict_probabilities(trained, data.test.images[:3])
    for answer, row in zip(answers, expected, strict=True):
        assert answer.answer == LABELS.names[row.argmax()]
        assert answer.probability == pytest.approx(row.max())
        assert [name for name, _ in answer.details] == [
            LABELS.names[k] for k in np.argsort(-row)[1:]
        ]
    with pytest.raises(DataError, match="does not exist"):
        Classify(SPEC, LABELS).answer(trained, [str(tmp_path / "missing.png")])


def test_an_answer_is_plain_json():
    answer = answer_of("a.png", np.array([0.2, 0.5, 0.3]), LABELS)
    assert answer.answer == "green"
    assert json.loads(json.dumps(answer.details)) == [["blue", 0.3], ["red", 0.2]]


def test_the_reports_figures(data, trained):
    history = [{"step": s, "loss": 1.0 / (s + 1), "stage_index": 0} for s in range(20)]
    history[9]["accuracy"], history[19]["accuracy"] = 0.5, 0.8
    drawn_figures = figures.draw(Classify(SPEC, LABELS), trained, data, history)
    titles = [figure.title for figure in drawn_figures]
    assert titles[:2] == ["What is taken for what", "Class by class"]
    assert any(title.startswith("Layer by layer") for title in titles)
    assert "First-layer filters" in titles
    assert all(figure.html and figure.caption for figure in drawn_figures)


def test_every_system_shows_its_maps_layer_by_layer():
    spec = ImageSpec(1, 28, 28)
    image = drawn(1, 0, spec).images[0]
    lenet = lenet5.build(lenet5.Config(), spec, LABELS)
    shapes = [(name, maps.shape) for name, maps in figures.feature_maps(lenet, image)]
    assert shapes == [
        ("C1", (6, 28, 28)), ("S2", (6, 14, 14)), ("C3", (16, 10, 10)), ("S4", (16, 5, 5)),
    ]  # fmt: skip
    config = compact_convnet.Config(widths=(8, 12, 16), depth=1)
    names = [n for n, _ in figures.feature_maps(compact_convnet.build(config, spec, LABELS), image)]
    assert names == ["stem", "levels.0.0", "levels.0.1", "levels.1.0", "levels.1.1"]


def test_occlusion_finds_the_place_that_decides():
    class LooksAtACorner(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, pictures):
            corner = pictures[:, :, :4, :4].mean((1, 2, 3)) * 10 * self.weight
            return Logits(torch.stack([corner, 2 - corner], dim=1))

    image = np.zeros((3, 12, 12), dtype=np.uint8)
    image[:, :4, :4] = 255
    drop = heat_maps.occlusion_map(LooksAtACorner(), image, 0)
    assert drop.shape == (12, 12)
    assert np.unravel_index(drop.argmax(), drop.shape) < (4, 4)
    assert abs(drop[8:, 8:]).max() < 1e-6


def test_explaining_draws_maps_and_occlusion_for_every_picture(data, trained, tmp_path):
    paths = []
    for i in range(2):
        path = tmp_path / f"{i}.png"
        Image.fromarray(data.test.images[i].transpose(1, 2, 0)).save(path)
        paths.append(str(path))
    found = figures.explain(Classify(SPEC, LABELS), trained, paths)
    assert len(found) == 6
    assert sum("What mattered" in figure.title for figure in found) == 2


def test_of_many_pictures_only_the_first_are_drawn_layer_by_layer(data, trained, tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(data.test.images[0].transpose(1, 2, 0)).save(path)
    found = figures.explain(Classify(SPEC, LABELS), trained, [str(path)] * 14)
    layered = [figure for figure in found if figure.title.startswith("Layer by layer")]
    assert len(layered) == figures.MOST_LAYERED == 12
    assert "Of the other 2, only what mattered is drawn." in layered[-1].caption
    assert sum("What mattered" in figure.title for figure in found) == 14


def test_an_interval_holds_what_it_is_the_interval_of():
    """Resamples of a calibration error are all larger than the error itself."""
    generator = np.random.default_rng(0)
    sure = generator.uniform(0.5, 1, 800)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    targets = (generator.uniform(size=800) > sure).astype(int)

    def error(rows):
        return classification.calibration_error(probabilities[rows], targets[rows])

    low, high = resampled(error, 800, 0)
    assert low < error(np.arange(800)) < high
