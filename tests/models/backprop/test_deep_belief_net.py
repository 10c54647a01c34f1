"""The deep belief net: counts, stages, exact resume, and what each stage may change."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from samoyed.core.batch import Batch
from samoyed.core.seeding import torch_generator
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.models.backprop import deep_belief_net as dbn
from samoyed.training.loop import Resume, train
from samoyed.training.optimizers import of

SPEC = ImageSpec(1, 6, 5)
LABELS = LabelSpec(("a", "b", "c"))
SMALL = dbn.Config(hidden_sizes=(12, 7), pretrain_epochs=2.0, pretrain_early_epochs=1.0)


class DrawnFeed:
    """Random pictures with labels; a pure function of the step."""

    steps_per_epoch = 4

    def batch(self, step: int) -> Batch:
        generator = torch_generator(7, step % self.steps_per_epoch)
        images = torch.rand(8, *SPEC.shape, generator=generator)
        return Batch(images, torch.randint(3, (8,), generator=generator))


def cross_entropy(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    return F.cross_entropy(model(batch.inputs).values, batch.targets)


def fine_tune(steps: int = 5, **changes) -> Stage:
    recipe = Recipe(optimizer="sgd", learning_rate=0.1)
    return Stage("train", DrawnFeed(), cross_entropy, of(recipe), steps, **changes)


def small_net(config: dbn.Config = SMALL, seed: int = 0) -> dbn.DeepBeliefNet:
    torch.manual_seed(seed)
    return dbn.build(config, SPEC, LABELS)


def stages_of(model: dbn.DeepBeliefNet) -> list[Stage]:
    return list(dbn.stages(model, model.config, DrawnFeed(), fine_tune(), seed=0))


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def num_parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_number_of_parameters_by_hand():
    net = dbn.build(dbn.Config(), ImageSpec(1, 28, 28), LabelSpec(tuple("0123456789")))
    weights = 784 * 500 + 500 * 500 + 500 * 2000
    hidden_biases = 500 + 500 + 2000
    assert num_parameters(net.machines) == weights + hidden_biases + (784 + 500 + 500)
    assert num_parameters(net.recognition) == weights + hidden_biases + 2000 * 10 + 10
    assert num_parameters(net) == 1_646_784 + 1_665_010


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 8, 8), (1, 21, 28)])
def test_shapes(shape):
    net = dbn.build(SMALL, ImageSpec(*shape), LABELS)
    images = torch.rand(4, *shape)
    assert net(images).values.shape == (4, 3)
    assert [net.climb(images, n).shape[1] for n in (0, 1, 2)] == [np.prod(shape), 12, 7]
    dreams = net.dream(images, num_steps=3)
    assert dreams.shape == (4, *shape)
    assert 0 <= dreams.min() < dreams.max() <= 1


@pytest.mark.parametrize(
    ("natural", "taken"),
    [((1, 8, 8), (1, 8, 8)), ((3, 240, 320), (1, 21, 28)), ((1, 28, 28), (1, 28, 28)),
     ((3, 9, 400), (1, 1, 28))],
)  # fmt: skip
def test_pictures_are_grey_and_small(natural, taken):
    assert dbn.accepts(SMALL, ImageSpec(*natural)).shape == taken


def test_the_net_is_a_chain_of_sigmoids():
    net = small_net().double()
    images = torch.rand(3, *SPEC.shape, dtype=torch.float64)
    W1, b1, W2, b2, W3, b3 = (p.detach().numpy() for p in dbn.classifier_parameters(net))
    x = images.flatten(1).numpy()
    for W, b in ((W1, b1), (W2, b2)):
        x = 1 / (1 + np.exp(-(x @ W.T + b)))
    np.testing.assert_allclose(net(images).values.detach().numpy(), x @ W3.T + b3, rtol=1e-12)


def test_climbing_and_descending_follow_the_machines():
    net = small_net().double()
    images = torch.rand(3, *SPEC.shape, dtype=torch.float64)
    first, second = (list(m.parameters()) for m in net.machines)
    up = torch.sigmoid(torch.sigmoid(images.flatten(1) @ first[0].T + first[2]) @ second[0].T)
    torch.testing.assert_close(net.climb(images, 2), up)
    down = torch.sigmoid(torch.sigmoid(up @ second[0] + second[1]) @ first[0] + first[1])
    torch.testing.assert_close(net.descend(up, 2), down.reshape(3, *SPEC.shape))


def test_one_stage_per_machine_and_then_fine_tuning():
    stages = stages_of(small_net())
    assert [stage.name for stage in stages] == ["rbm 1", "rbm 2", "train"]
    assert [stage.steps for stage in stages] == [8, 8, 5]


def test_no_pre_training_leaves_the_random_weights():
    model = small_net(dbn.Config(hidden_sizes=(12, 7), pretrain_epochs=0.0))
    [stage] = stages_of(model)
    before = snapshot(model.recognition)
    stage.before(model)
    assert all(torch.equal(before[k], v) for k, v in model.recognition.state_dict().items())


def test_each_stage_changes_its_own_part_only():
    model = small_net()
    parts = {"rbm 1": model.machines[0], "rbm 2": model.machines[1], "train": model.recognition}
    for stage in stages_of(model):
        before = {name: snapshot(part) for name, part in parts.items()}
        for _ in train(model, [stage], seed=1):
            pass
        for name, part in parts.items():
            is_same = [torch.equal(before[name][k], v) for k, v in part.state_dict().items()]
            assert not any(is_same) if name == stage.name else all(is_same)


def test_fine_tuning_begins_at_the_pre_trained_weights():
    model = small_net()
    *pretraining, last = stages_of(model)
    for _ in train(model, pretraining, seed=1):
        pass
    said = []
    last = dbn.replace(last, before=dbn.partial(last.before, then=said.append))
    last.before(model)
    images = DrawnFeed().batch(0).inputs
    hidden = model.recognition[:-1](images)
    torch.testing.assert_close(hidden, model.climb(images, 2))
    assert said == [model]  # what the stage itself asked for is done too


def test_visible_biases_begin_at_the_log_odds_of_the_data():
    model, feed = small_net(), DrawnFeed()
    dbn.fit_visible_bias(model, layer=0, feed=feed)
    mean = torch.cat([feed.batch(i).inputs for i in range(4)]).flatten(1).mean(0)
    torch.testing.assert_close(model.machine(0).visible_bias, torch.log(mean / (1 - mean)))
    dbn.fit_visible_bias(model, layer=1, feed=feed)
    seen = torch.cat([model.climb(feed.batch(i).inputs, 1) for i in range(4)]).mean(0)
    torch.testing.assert_close(torch.sigmoid(model.machine(1).visible_bias), seen)


def test_momentum_rises_after_the_early_steps_and_decay_spares_biases():
    model = small_net()
    machine = model.machine(0)
    config = dbn.Config(pretrain_rate=0.2, pretrain_weight_decay=0.01)
    model.config = config
    optimizer = stages_of(small_net())[0].optimizer.func(model, layer=0, early_steps=2)
    weight, bias = machine.weight.detach().clone(), machine.hidden_bias.detach().clone()
    weight_speed, bias_speed = torch.zeros_like(weight), torch.zeros_like(bias)
    for momentum in (0.5, 0.5, 0.9, 0.9):
        for parameter in machine.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        weight_speed = momentum * weight_speed + 1 + 0.01 * weight
        bias_speed = momentum * bias_speed + 1
        weight -= 0.2 * weight_speed
        bias -= 0.2 * bias_speed
        torch.testing.assert_close(machine.weight.detach(), weight)
        torch.testing.assert_close(machine.hidden_bias.detach(), bias)


@pytest.mark.parametrize("stop", [(0, 2), (0, 5), (1, 3), (2, 2)])
def test_resuming_ends_in_the_same_weights(stop):
    whole = small_net()
    for _ in train(whole, dbn.stages(whole, SMALL, DrawnFeed(), fine_tune(), 0), seed=3):
        pass

    cut = small_net()
    for moment in train(cut, dbn.stages(cut, SMALL, DrawnFeed(), fine_tune(), 0), seed=3):
        if (moment.stage_index, moment.step) == stop:
            break
    resumed = small_net(seed=99)
    resumed.load_state_dict(snapshot(cut))
    resume = Resume(stop[0], stop[1] + 1, moment.optimizer.state_dict(), {})
    stages = dbn.stages(resumed, SMALL, DrawnFeed(), fine_tune(), 0)
    for _ in train(resumed, stages, seed=3, resume=resume):
        pass
    assert all(torch.equal(v, whole.state_dict()[k]) for k, v in resumed.state_dict().items())


def test_every_parameter_is_trained_by_some_stage():
    model = small_net()
    trained = {
        id(parameter)
        for stage in stages_of(model)
        for group in stage.optimizer(model).param_groups
        for parameter in group["params"]
    }
    assert trained == {id(parameter) for parameter in model.parameters()}


def test_bfloat16_learns_in_nearly_the_same_direction():
    model, batch = small_net(), DrawnFeed().batch(0)
    with torch.no_grad():
        model.machine(0).weight.normal_(std=0.5)

    def gradient() -> torch.Tensor:
        torch.manual_seed(0)
        loss = dbn.pretrain(model, batch, layer=0)
        return torch.autograd.grad(loss, model.machine(0).weight)[0].flatten()

    exact = gradient()
    with torch.autocast("cpu", torch.bfloat16):
        rough = gradient()
    assert F.cosine_similarity(exact, rough, dim=0) > 0.95


def test_rows_do_not_see_each_other():
    model = small_net().double().eval()
    images = torch.rand(5, *SPEC.shape, dtype=torch.float64)
    alone = torch.cat([model(images[i : i + 1]).values for i in range(5)])
    torch.testing.assert_close(model(images).values, alone)


def test_gradients_in_double_precision():
    model = small_net().double()
    images = torch.rand(2, *SPEC.shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: model(x).values, images)


def test_dropout_only_while_training():
    model = small_net(dbn.Config(hidden_sizes=(12, 7), dropout=0.5))
    images = torch.rand(4, *SPEC.shape)
    assert not torch.equal(model(images).values, model(images).values)
    model.eval()
    assert torch.equal(model(images).values, model(images).values)


def overfit(config: dbn.Config, epochs: int) -> float:
    class Sixteen:
        steps_per_epoch = 1

        def batch(self, step: int) -> Batch:
            generator = torch_generator(1)
            images = torch.rand(16, *SPEC.shape, generator=generator).round()
            return Batch(images, torch.arange(16) % 3)

    recipe = Recipe(optimizer="adam", learning_rate=0.02)
    model = small_net(config)
    last = Stage("train", Sixteen(), cross_entropy, of(recipe), epochs)
    for _ in train(model, dbn.stages(model, config, Sixteen(), last, 0)):
        pass
    batch = Sixteen().batch(0)
    return (model(batch.inputs).values.argmax(1) == batch.targets).float().mean().item()


def test_learns_sixteen_examples_by_heart():
    config = dbn.Config(hidden_sizes=(40, 40), pretrain_epochs=40.0)
    assert overfit(config, epochs=150) == 1.0
    assert overfit(config, epochs=1) < 1.0


def test_saved_and_loaded_answers_are_the_same(tmp_path):
    model = small_net().eval()
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    other = small_net(seed=1).eval()
    images = torch.rand(3, *SPEC.shape)
    assert not torch.equal(other(images).values, model(images).values)
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(other(images).values, model(images).values)


@pytest.mark.parametrize(
    "broken",
    [
        lambda: dbn.Config(hidden_sizes=()),
        lambda: dbn.Config(hidden_sizes=(5, 0)),
        lambda: dbn.Config(pretrain_epochs=-1.0),
        lambda: dbn.Config(gibbs_steps=0),
        lambda: dbn.Config(dropout=1.0),
    ],
)
def test_impossible_dials_are_refused(broken: Callable[[], object]):
    with pytest.raises(ValueError, match=r"hidden_sizes|pretrain_epochs|gibbs_steps|dropout"):
        broken()


def test_figures_show_filters_fantasies_and_reconstructions():
    from samoyed.data.images import ImageData, Pictures
    from samoyed.runs.figures import deep_belief_net as figures

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (15, *SPEC.shape), dtype=np.uint8)
    held_out = Pictures(images, np.arange(15) % 3, [str(i) for i in range(15)])
    data = ImageData(SPEC, LABELS, held_out, held_out)
    net = small_net()
    state = torch.get_rng_state()
    drawn = figures.draw(None, net, data, [])
    assert torch.equal(state, torch.get_rng_state())
    assert [f.title.split()[1] for f in drawn] == ["the", "it", "each"]
    assert [f.html.count("<img") for f in drawn] == [12, 15, 10 * 3]
    assert drawn[1].html.count("%</span>") == 15  # each fantasy has its class and probability
    assert drawn == figures.draw(None, net, data, [])
    plain = dbn.Config(hidden_sizes=(12, 7), pretrain_epochs=0.0)
    [only] = figures.draw(None, small_net(plain), data, [])
    assert "not pre-trained" in only.caption
