"""Laws of greedy pre-training (Hinton, Osindero & Teh 2006, section 4; Bengio et al. 2007).

Small enough that every probability of the deep net is a sum over all states.
"""

from statistics import mean

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.boltzmann import RestrictedBoltzmannMachine, all_bits
from samoyed.losses.contrastive_divergence import contrastive_divergence
from samoyed.models.backprop import deep_belief_net as dbn
from samoyed.training import optimizers, schedules
from samoyed.training.loop import train


def bars(side: int = 3) -> torch.Tensor:
    """Every picture of full columns, and every picture of full rows."""
    states = all_bits(side, like=torch.zeros((), dtype=torch.float64))
    columns = states[:, None, :].expand(-1, side, -1).flatten(1)
    rows = states[:, :, None].expand(-1, -1, side).flatten(1)
    return torch.cat([columns, rows])


def log_likelihood(machine: RestrictedBoltzmannMachine, data: torch.Tensor) -> float:
    return (-machine(data).mean() - machine.log_partition()).item()


def learned(machine: RestrictedBoltzmannMachine, data: torch.Tensor, steps: int) -> None:
    optimizer = torch.optim.SGD(machine.parameters(), lr=0.2, momentum=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        contrastive_divergence(machine, data).backward()
        optimizer.step()


def test_contrastive_divergence_raises_the_likelihood():
    torch.manual_seed(0)
    data = bars()
    machine = RestrictedBoltzmannMachine(9, 12).double()
    before = log_likelihood(machine, data)
    learned(machine, data.repeat(4, 1), steps=600)
    assert before == pytest.approx(-9 * np.log(2), abs=0.1)  # it began by knowing nothing
    assert log_likelihood(machine, data) > before + 2


def bound_and_likelihood(
    bottom: RestrictedBoltzmannMachine, top: RestrictedBoltzmannMachine, data: torch.Tensor
) -> tuple[float, float]:
    """Average over the data the variational bound and log P(v) of the two-layer net.

    P(v) = sum_h P_top(h) P(v | h); the bound takes Q(h | v) from the bottom machine (eq. 6-8).
    """
    hidden = all_bits(bottom.num_hidden, like=bottom.weight)
    log_prior = -top(hidden) - top.log_partition()
    log_v_given_h = -F.binary_cross_entropy_with_logits(
        bottom.visible_input(hidden)[None].expand(len(data), -1, -1),
        data[:, None].expand(-1, len(hidden), -1),
        reduction="none",
    ).sum(-1)
    joint = log_prior + log_v_given_h
    log_q = -F.binary_cross_entropy_with_logits(
        bottom.hidden_input(data)[:, None].expand(-1, len(hidden), -1),
        hidden[None].expand(len(data), -1, -1),
        reduction="none",
    ).sum(-1)
    bound = (log_q.exp() * (joint - log_q)).sum(1)
    return float(bound.mean()), float(torch.logsumexp(joint, 1).mean())


def transposed(bottom: RestrictedBoltzmannMachine) -> RestrictedBoltzmannMachine:
    """Return the machine on top whose hidden layer is the data's layer again."""
    top = RestrictedBoltzmannMachine(bottom.num_hidden, bottom.num_visible).double()
    with torch.no_grad():
        top.weight.copy_(bottom.weight.t())
        top.visible_bias.copy_(bottom.hidden_bias)
        top.hidden_bias.copy_(bottom.visible_bias)
    return top


@torch.no_grad()
def test_a_transposed_layer_on_top_changes_nothing_and_learning_it_raises_the_bound():
    torch.manual_seed(0)
    data = bars()
    bottom = RestrictedBoltzmannMachine(9, 4).double()
    with torch.enable_grad():
        learned(bottom, data.repeat(4, 1), steps=200)
    alone = log_likelihood(bottom, data)
    top = transposed(bottom)
    bound, likelihood = bound_and_likelihood(bottom, top, data)
    assert likelihood == pytest.approx(alone, rel=1e-9)
    assert bound == pytest.approx(alone, rel=1e-9)

    hidden = all_bits(4, like=bottom.weight)
    p = bottom.hidden_given(data)[:, None]
    posterior = (hidden * p + (1 - hidden) * (1 - p)).prod(-1).mean(0)  # (2^H,) over the data
    with torch.enable_grad():
        optimizer = torch.optim.SGD(top.parameters(), lr=0.1)
        for _ in range(100):
            optimizer.zero_grad()
            (posterior @ top(hidden) + top.log_partition()).backward()
            optimizer.step()
    better_bound, better_likelihood = bound_and_likelihood(bottom, top, data)
    assert better_bound > bound + 0.01
    assert better_likelihood >= better_bound


class Rows:
    """Pictures in shuffled batches, a pure function of seed and step."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, seed: int) -> None:
        self.images, self.labels, self.seed = images, labels, seed
        self.steps_per_epoch = max(1, len(images) // 20)

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        order = numpy_generator(self.seed, epoch).permutation(len(self.images))
        rows = torch.from_numpy(order[place * 20 : place * 20 + 20])
        return Batch(self.images[rows], self.labels[rows])


def digits_error(pretrain_epochs: float, seed: int, num_labelled: int, rate: float) -> float:
    """Return the percentage of held-out digits that are mistaken."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = numpy_generator(seed).permutation(len(digits.images))
    images = torch.from_numpy(digits.images[order]).float()[:, None] / 16
    labels = torch.from_numpy(digits.target[order])
    config = dbn.Config(hidden_sizes=(80, 80, 80), pretrain_epochs=pretrain_epochs)
    torch.manual_seed(seed)
    model = dbn.build(config, ImageSpec(1, 8, 8), LabelSpec(tuple("0123456789")))
    unlabelled = Rows(images[:1200], labels[:1200], seed)
    labelled = Rows(images[:num_labelled], labels[:num_labelled], seed + 1)
    recipe = Recipe(optimizer="sgd", learning_rate=rate, schedule="linear")

    def objective(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        return F.cross_entropy(model(batch.inputs).values, batch.targets)

    last = Stage(
        "train", labelled, objective, optimizers.of(recipe), 400, rate=schedules.of(recipe)
    )
    for _ in train(model, dbn.stages(model, config, unlabelled, last, seed), seed=seed):
        pass
    with torch.no_grad():
        answers = model.eval()(images[1200:]).values.argmax(1)
    return 100 * (answers != labels[1200:]).float().mean().item()


@pytest.mark.slow
def test_with_few_labels_pre_training_beats_random_weights():
    best = {}
    for epochs in (0.0, 20.0):
        errors = {
            rate: mean(digits_error(epochs, seed, num_labelled=60, rate=rate) for seed in range(3))
            for rate in (0.1, 0.3)
        }
        best[epochs] = min(errors.values())  # the same tuning budget for both
    assert best[20] < best[0] - 1
