"""Deep belief net: restricted Boltzmann machines learned one on top of another, then fine-tuned.

Hinton, G. E., Osindero, S. & Teh, Y.-W. (2006). A fast learning algorithm for deep belief nets.
Neural Computation 18, 1527-1554. What was new: a deep net could be learned greedily, one layer at a
time and without labels, because each new layer improves a bound on the likelihood of the data; from
the weights found that way, a deep net of sigmoid units can be trained further with labels.

Paper -> here:
    energy and conditionals of one layer (section 3)      layers.boltzmann
    contrastive divergence (section 3)                    losses.contrastive_divergence, `pretrain`
    greedy algorithm: learn a layer, fix it, take its
        hidden activities as data (section 4)             `stages`, `DeepBeliefNet.climb`
    untying recognition from generative weights
        (section 5)                                       `unroll`
    sampling: a long Gibbs chain in the top machine, then
        one pass down (section 7)                         `DeepBeliefNet.dream`
    784-500-500-2000 (figure 1)                           Config.hidden_sizes

The number of sweeps and the size of a batch are the paper's (section 6.1); rates, momentum, decay
and first weights are those of Hinton & Salakhutdinov (2006), Science 313, 504-507, supporting
text, and Hinton (2010), A practical guide to training restricted Boltzmann machines, UTML TR
2010-003.

**Departures**

1. The top machine sees no label units (paper: 10 softmax units beside the 500, figure 1), and the
   up-down algorithm (section 5, appendix B) is replaced by a softmax layer on top of the unrolled
   net and back-propagation, as in Hinton & Salakhutdinov (2006). The paper's 1.25 % belongs to the
   generative classifier; the discriminatively fine-tuned net of the same size is printed elsewhere
   as 1.15 to 1.2 %.
2. The generative weights stay as pre-training left them, so that the net can still dream; only the
   unrolled recognition net is fine-tuned.
3. The rate of pre-training rises over the first tenth of a stage and falls over its second half
   (`trapezium`); in the paper it is constant. At the full rate from the first step on, the 2000 top
   units, still all alike, overshoot together and nearly all of them stay off: on MNIST the mean
   activity was 0.002 after five steps.
4. Visible biases begin at the log-odds of the data in every layer, not in the first alone (Hinton
   2010, section 8). They are estimated on the first `BIAS_BATCHES` batches.
5. The optional dropout of fine-tuning came later (Hinton et al. 2012); it is off by default.
"""

# B batch, C channels, H height, W width, D = C H W pixels, K classes

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Count, Passes, Positive, Share, Sizes, Weight
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.boltzmann import RestrictedBoltzmannMachine, log_odds
from samoyed.layers.dropout import Dropout
from samoyed.losses.contrastive_divergence import contrastive_divergence

REFERENCE = Reference(
    title="A fast learning algorithm for deep belief nets",
    authors="Hinton, G. E., Osindero, S. & Teh, Y.-W.",
    year=2006,
    venue="Neural Computation 18, 1527-1554",
    review=32,
    url="https://doi.org/10.1162/neco.2006.18.7.1527",
)

LARGEST_SIDE = 28  # pixels; the net is fully connected
BIAS_BATCHES = 100


@dataclass(frozen=True)
class Config:
    """Sizes and the dials of pre-training; the recipe holds those of fine-tuning.

    Args:
        hidden_sizes: units of each hidden layer, from the bottom (figure 1).
        pretrain_epochs: sweeps of each layer through the pictures (section 6.1); 0 leaves
            pre-training out and begins from random weights.
        pretrain_rate: the largest, for the mean gradient of a batch (H&S 2006).
        pretrain_momentum: at first (Hinton 2010, section 9).
        pretrain_late_momentum: after `pretrain_early_epochs`.
        pretrain_early_epochs: how long the first momentum lasts.
        pretrain_weight_decay: on weights, not on biases (H&S 2006).
        gibbs_steps: k of CD-k.
        weight_std: standard deviation of the machines' first weights (Hinton 2010, section 8).
        dropout: share of hidden units left out while fine-tuning.
    """

    hidden_sizes: Sizes = (500, 500, 2000)
    pretrain_epochs: Passes = 30.0
    pretrain_rate: Positive = 0.1
    pretrain_momentum: Share = 0.5
    pretrain_late_momentum: Share = 0.9
    pretrain_early_epochs: Passes = 5.0
    pretrain_weight_decay: Weight = 2e-4
    gibbs_steps: Count = 1
    weight_std: Positive = 0.01
    dropout: Share = 0.0

    def __post_init__(self) -> None:
        if not self.hidden_sizes or min(self.hidden_sizes) < 1:
            raise ValueError("hidden_sizes holds one positive number per layer")
        if self.pretrain_epochs < 0:
            raise ValueError("pretrain_epochs is 0 or more")
        if self.gibbs_steps < 1:
            raise ValueError("gibbs_steps is 1 or more")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout is at least 0 and less than 1")


RECIPE = Recipe(
    optimizer="adamw",
    learning_rate=1e-3,
    batch_size=100,
    epochs=30.0,
    schedule="cosine",
)


class DeepBeliefNet(nn.Module):
    """A stack of restricted Boltzmann machines, and the net of sigmoid units unrolled from it.

    Args:
        config: sizes and dials.
        spec: the pictures.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: ImageSpec, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.spec = spec
        sizes = (spec.channels * spec.height * spec.width, *config.hidden_sizes)
        pairs = list(pairwise(sizes))
        self.machines = nn.ModuleList(
            RestrictedBoltzmannMachine(below, above, config.weight_std) for below, above in pairs
        )
        self.recognition = nn.Sequential(nn.Flatten())
        for below, above in pairs:
            self.recognition.extend([_sigmoid_layer(below, above), nn.Sigmoid()])
            if config.dropout:
                self.recognition.append(Dropout(config.dropout))
        readout = nn.Linear(sizes[-1], num_classes)
        nn.init.normal_(readout.weight, std=0.01)
        nn.init.zeros_(readout.bias)
        self.recognition.append(readout)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Logits:
        """Classify pictures with values in [0, 1]."""
        return Logits(self.recognition(images))

    def machine(self, layer: int) -> RestrictedBoltzmannMachine:
        """Return the machine of this layer, from 0 at the bottom."""
        machine = self.machines[layer]
        assert isinstance(machine, RestrictedBoltzmannMachine)
        return machine

    @torch.no_grad()
    def climb(self, images: Float[Tensor, "B C H W"], num_layers: int) -> Float[Tensor, "B D"]:
        """Return what machine `num_layers` sees: probabilities of the layer below it."""
        activity = images.flatten(1)
        for layer in range(num_layers):
            activity = self.machine(layer).hidden_given(activity)
        return activity

    @torch.no_grad()
    def descend(self, activity: Float[Tensor, "B D"], num_layers: int) -> Float[Tensor, "B C H W"]:
        """Return the pictures that what machine `num_layers` sees stands for: one pass down."""
        for layer in reversed(range(num_layers)):
            activity = self.machine(layer).visible_given(activity)
        return activity.unflatten(1, self.spec.shape)

    @torch.no_grad()
    def dream(self, start: Float[Tensor, "B C H W"], num_steps: int) -> Float[Tensor, "B C H W"]:
        """Sample pictures: Gibbs steps in the top machine, then one pass down (section 7).

        Args:
            start: pictures at which the chains start; after many steps they are forgotten.
            num_steps: Gibbs steps.
        """
        top = len(self.machines) - 1
        memory = self.machine(top)
        hidden_input = memory.hidden_input(self.climb(start, top))
        return self.descend(memory.gibbs_chain(hidden_input, num_steps, "probabilities"), top)


def _sigmoid_layer(below: int, above: int) -> nn.Linear:
    """Return a layer that suits sigmoid units without pre-training (Glorot & Bengio 2010).

    The sigmoid's slope at 0 is a quarter of tanh's, hence the gain of 4.
    """
    layer = nn.Linear(below, above)
    nn.init.xavier_uniform_(layer.weight, gain=4.0)
    nn.init.zeros_(layer.bias)
    return layer


def build(config: Config, spec: ImageSpec, labels: LabelSpec) -> nn.Module:
    """Return the net for these pictures and classes."""
    return DeepBeliefNet(config, spec, len(labels))


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return the size to bring pictures to: grey, the longer side at most 28 pixels.

    >>> accepts(Config(), ImageSpec(3, 240, 320))
    ImageSpec(channels=1, height=21, width=28)
    """
    factor = min(1.0, LARGEST_SIDE / max(spec.height, spec.width))
    return ImageSpec(1, max(1, round(spec.height * factor)), max(1, round(spec.width * factor)))


@runtime_checkable
class EpochFeed(Protocol):
    """A feed that knows how many steps make one sweep through its pictures."""

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches one sweep has."""
        ...

    def batch(self, step: int) -> Batch:
        """Return the batch of this step."""
        ...


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    if config.pretrain_epochs > 0:
        return {}
    names = (
        "pretrain_rate", "pretrain_momentum", "pretrain_late_momentum", "pretrain_early_epochs",
        "pretrain_weight_decay", "gibbs_steps",
    )  # fmt: skip
    return dict.fromkeys(names, "nothing is pre-trained with pretrain_epochs=0")


def stages(
    model: DeepBeliefNet, config: Config, feed: EpochFeed, fine_tune: Stage, seed: int
) -> Iterator[Stage]:
    """Yield one stage per machine, from the bottom, and then the fine-tuning of the unrolled net.

    Args:
        model: the net.
        config: its dials.
        feed: pictures to pre-train on; their labels are not looked at.
        fine_tune: the stage that descends the task's loss, over all of a model's parameters.
        seed: not needed; all sampling draws from torch's global generator.
    """
    steps = max(1, round(config.pretrain_epochs * feed.steps_per_epoch))
    early_steps = round(config.pretrain_early_epochs * feed.steps_per_epoch)
    for layer in range(len(model.machines)) if config.pretrain_epochs > 0 else ():
        yield Stage(
            name=f"rbm {layer + 1}",
            feed=feed,
            objective=partial(pretrain, layer=layer, num_steps=config.gibbs_steps),
            optimizer=partial(_pretrain_optimizer, layer=layer, early_steps=early_steps),
            steps=steps,
            before=partial(fit_visible_bias, layer=layer, feed=feed),
            rate=trapezium,
        )
    yield replace(
        fine_tune,
        optimizer=partial(_fine_tune_optimizer, build_optimizer=fine_tune.optimizer),
        before=partial(_begin_fine_tuning, then=fine_tune.before),
    )


def pretrain(model: nn.Module, batch: Batch, *, layer: int, num_steps: int = 1) -> Tensor:
    """Return the contrastive divergence of one machine, shape ()."""
    assert isinstance(model, DeepBeliefNet)
    seen = model.climb(batch.inputs, layer)
    return contrastive_divergence(model.machine(layer), seen, num_steps=num_steps)


def trapezium(progress: float, rise: float = 0.1, fall: float = 0.5) -> float:
    """Rise from 0 over the first `rise` of a stage, hold, fall to 0 over the last `fall`.

    >>> [round(trapezium(p), 2) for p in (0.05, 0.1, 0.5, 0.75)]
    [0.5, 1.0, 1.0, 0.5]
    """
    return min(max(progress, 1e-3) / rise, 1.0, (1 - progress) / fall)


@torch.no_grad()
def fit_visible_bias(model: nn.Module, *, layer: int, feed: EpochFeed) -> None:
    """Set a machine's visible biases to the log-odds of its data."""
    assert isinstance(model, DeepBeliefNet)
    bias = model.machine(layer).visible_bias
    num_batches = min(BIAS_BATCHES, feed.steps_per_epoch)
    total = torch.zeros_like(bias)
    for step in range(num_batches):
        total += model.climb(feed.batch(step).inputs.to(bias.device), layer).mean(0)
    bias.copy_(log_odds(total / num_batches))


@torch.no_grad()
def unroll(model: DeepBeliefNet) -> None:
    """Give the recognition net the machines' weights and hidden biases (section 5: untie)."""
    layers = [layer for layer in model.recognition if isinstance(layer, nn.Linear)]
    for index, layer in enumerate(layers[:-1]):
        layer.weight.copy_(model.machine(index).weight)
        layer.bias.copy_(model.machine(index).hidden_bias)


def classifier_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that classify: those of the recognition net, not of the machines."""
    assert isinstance(model, DeepBeliefNet)
    return list(model.recognition.parameters())


def _begin_fine_tuning(model: nn.Module, *, then: Callable[[nn.Module], None] | None) -> None:
    """Unroll what was pre-trained, then do what the stage itself asks for."""
    assert isinstance(model, DeepBeliefNet)
    if model.config.pretrain_epochs > 0:
        unroll(model)
    if then is not None:
        then(model)


def _fine_tune_optimizer(
    model: nn.Module, *, build_optimizer: Callable[[nn.Module], Optimizer]
) -> Optimizer:
    """Build the stage's own optimizer over the recognition net alone."""
    assert isinstance(model, DeepBeliefNet)
    return build_optimizer(model.recognition)


def _pretrain_optimizer(model: nn.Module, *, layer: int, early_steps: int) -> Optimizer:
    """Return gradient descent on one machine, with decay on its weights alone."""
    assert isinstance(model, DeepBeliefNet)
    machine, config = model.machine(layer), model.config
    groups: list[dict[str, Any]] = [
        {"params": [machine.weight], "weight_decay": config.pretrain_weight_decay},
        {"params": [machine.visible_bias, machine.hidden_bias], "weight_decay": 0.0},
    ]
    return RisingMomentum(
        groups,
        rate=config.pretrain_rate,
        momentum=config.pretrain_momentum,
        late_momentum=config.pretrain_late_momentum,
        early_steps=early_steps,
    )


class RisingMomentum(torch.optim.SGD):
    """Gradient descent whose momentum rises once; the count of steps is part of its saved state.

    Args:
        groups: parameter groups.
        rate: learning rate.
        momentum: for the first `early_steps` steps.
        late_momentum: from then on.
        early_steps: how long the first momentum lasts.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        rate: float,
        momentum: float,
        late_momentum: float,
        early_steps: int,
    ) -> None:
        super().__init__(groups, lr=rate, momentum=momentum, fused=True)
        for group in self.param_groups:
            group.update(late_momentum=late_momentum, steps_left=early_steps)

    def step(self, closure: Any = None) -> Any:
        """Descend one step."""
        for group in self.param_groups:
            if group["steps_left"] <= 0:
                group["momentum"] = group["late_momentum"]
            group["steps_left"] -= 1
        return super().step(closure)
