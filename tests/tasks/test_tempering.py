"""One temperature: against a search by hand, and on a model whose answers must not change."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data import words
from samoyed.data.labelled_lines import Labelled
from samoyed.data.labelled_text import LabelledData, Texts
from samoyed.models.language import senna
from samoyed.models.since import sentence_convnet
from samoyed.tasks import classify_text
from samoyed.tasks.classify_text import ClassifyText
from samoyed.tasks.tempering import COLDEST, HOTTEST, left_out, temperature_of, tempered

SPEC, LABELS = WordSpec(tuple("abcd"), (), ()), LabelSpec(("p", "q", "r"))
BUILT = {
    "sentence_convnet": lambda: sentence_convnet.build(
        sentence_convnet.Config(width=4, num_maps=3, num_buckets=32), SPEC, LABELS
    ),
    "senna": lambda: senna.build(senna.Config(num_hidden=6), SPEC, LABELS),
}


def drawn(num=400, scale=1.0, seed=0):
    """Scores whose classes are drawn from their own probabilities, then scaled."""
    generator = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(num, 3, generator=generator).double()
    targets = torch.multinomial(scores.softmax(dim=1), 1, generator=generator)[:, 0]
    return scores * scale, targets


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_it_is_the_best_of_a_grid(scale):
    scores, targets = drawn(scale=scale)
    found = temperature_of(scores, targets)
    grid = np.geomspace(0.3, 5, 400)
    losses = [F.cross_entropy(scores / t, targets).item() for t in grid]
    assert found == pytest.approx(grid[int(np.argmin(losses))], rel=0.01)


def test_scores_that_are_probabilities_are_left_as_they_are():
    assert temperature_of(*drawn(20_000)) == pytest.approx(1.0, abs=0.03)
    assert temperature_of(*drawn(20_000, scale=3.0)) == pytest.approx(3.0, abs=0.09)


def test_it_stays_within_bounds():
    scores = torch.tensor([[1.0, 0.0]]).double()
    assert temperature_of(scores, torch.tensor([0])) == pytest.approx(COLDEST)
    assert temperature_of(scores, torch.tensor([1])) == pytest.approx(HOTTEST)


@pytest.mark.parametrize("name", BUILT)
def test_scaling_scales_the_scores(name):
    torch.manual_seed(0)
    model = BUILT[name]().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    inputs = torch.ones(5, 7, 4, dtype=torch.long)
    inputs[..., 0] = torch.randint(1, 6, (5, 7), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = model(inputs).values
        model.scale_scores(2.5)
        after = model(inputs).values
    assert torch.allclose(after, 2.5 * before, atol=1e-5)


def test_it_is_set_once_what_was_to_be_done_is_done():
    torch.manual_seed(0)
    model, order = BUILT["senna"](), []
    scores, targets = drawn()

    def ask(model):
        order.append("asked")
        return scores, targets

    stage = Stage(
        "train", feed=None, objective=None, optimizer=None, steps=1,
        after=lambda model: order.append("before"),
    )  # fmt: skip
    weight = model.classes.weight.detach().clone()
    tempered(stage, ask).after(model)
    assert order == ["before", "asked"]
    assert torch.allclose(model.classes.weight, weight / temperature_of(scores, targets))


def texts(num):
    rng = np.random.default_rng(num)
    found = [rng.choice(list("abcd"), 3).tolist() for _ in range(num)]
    targets = rng.integers(0, 3, num)
    records = [
        Labelled(LABELS.names[k], " ".join(t), "x") for k, t in zip(targets, found, strict=True)
    ]
    return Texts(words.encode(found, SPEC), targets, records)


@pytest.mark.parametrize(
    ("num_train", "num_validation", "num_learned"),
    [(100, 0, 100), (4000, 0, 3700), (4000, 400, 4000), (4000, 10, 3700)],
)
def test_which_texts_are_kept_for_it(num_train, num_validation, num_learned):
    task = ClassifyText(SPEC, LABELS)
    validation = texts(num_validation) if num_validation else None
    data = LabelledData(SPEC, LABELS, texts(num_train), texts(5), validation)
    [stage] = task.stages(BUILT["senna"](), data, Recipe(batch_size=50), 0)
    assert len(stage.feed.rows) == num_learned
    [plain] = ClassifyText(SPEC, LABELS, is_tempered=False).stages(
        BUILT["senna"](), data, Recipe(batch_size=50), 0
    )
    assert len(plain.feed.rows) == num_train
    assert plain.after is None
    assert (stage.after is None) == (num_train < classify_text.FEWEST_TO_TEMPER)


def test_what_is_left_out_is_drawn_once():
    one, two = (left_out(50, 9, np.random.default_rng(3)) for _ in range(2))
    assert one.sum() == 9
    assert np.array_equal(one, two)
