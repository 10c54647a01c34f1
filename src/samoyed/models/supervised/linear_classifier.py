"""The linear classifier: a weighted sum for each class, found in four classical ways.

Duda, R. O. & Hart, P. E. (1973). Pattern classification and scene analysis. Wiley; chapters 4 and
5. The LMS rule is from Widrow, B. & Hoff, M. E. (1960). Adaptive switching circuits. IRE WESCON
Convention Record 4, 96-104; the linear discriminant from Fisher, R. A. (1936). The use of multiple
measurements in taxonomic problems. Annals of Eugenics 7, 179-188.

What was new: a class is a half-space, its boundary is learned from examples, and which boundary is
best is a criterion to be descended or solved. What it cannot do is as old: among the dichotomies of
N points only a share is separable (Cover 1965), and the exclusive or is not among them.

Method -> here:

* softmax regression, log-likelihood descended in small steps             -> the task's own loss
* Widrow & Hoff's rule, w <- w + a (t - w'x) x / |x|^2, targets of -1 and 1 -> `lms`
* Duda & Hart, section 5.8, minimum squared error by the normal equations -> `least_squares`
* Fisher, and Duda & Hart, section 2.7, one covariance for all classes    -> `discriminant`
* the sums that both closed forms need, in one pass through the data      -> `Moments`, `OnePass`

Parameters for pictures of 28 x 28 pixels and 10 classes: 785 x 10, together 7,850.

**Departures**

1. Widrow & Hoff show one example at a time; here an update is the mean over a batch.
2. Inputs are divided by the square root of their number (and pixels multiplied by 3), so that one
   rate suits every width; the classifiers that can be expressed are the same.
3. The closed forms add `ridge` times the mean variance of an input to every variance, because
   pixels that are always white make the equations singular.
4. The answers of `lms` and `least_squares` are no log-probabilities; their softmax, which reports
   show, keeps the order of the classes and says little about how sure they are.
5. Several questions about a row (`classify_several`) are learned by the first two rules only; a
   number by all but Fisher's.
6. Besides pictures (at most `LARGEST_SIDE` pixels a side), rows of tables are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.errors import OptionError
from samoyed.core.numbers import Weight
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import DESCENT, Recipe, Stage
from samoyed.layers.flat_inputs import FlatInputs, num_outputs, small_picture

REFERENCE = Reference(
    title="Pattern classification and scene analysis",
    authors="Duda, R. O. & Hart, P. E.",
    year=1973,
    venue="Wiley, New York",
    review=19,
    url="https://archive.org/details/patternclassific0000duda",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=1.0, batch_size=100, epochs=20, momentum=0.9, schedule="linear",
)  # fmt: skip

LARGEST_SIDE = 32  # pixels
PIXEL_GAIN = 3.0  # numbers of tables have a mean square of about 1, pixels of about 1 / 9

Rule = Literal["softmax", "lms", "least_squares", "fisher"]


@dataclass(frozen=True)
class Config:
    """How the boundary is found.

    Args:
        rule: softmax descends the task's own loss (squared error where a number is asked), lms the
            error of Widrow & Hoff; least_squares and fisher solve equations after one pass.
        ridge: added to the variances in the closed forms, relative to their mean.
    """

    rule: Rule = "softmax"
    ridge: Weight = 1e-3


# Legend for shapes: B batch, D inputs, K answers, N examples.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the classifier takes for pictures of this natural size."""
    return small_picture(spec, LARGEST_SIDE)


def build(
    config: Config, spec: ImageSpec | TableSpec, target: LabelSpec | TargetSpec
) -> LinearClassifier:
    """Build the classifier for these inputs and this question.

    Raises:
        OptionError: for a rule that does not answer such questions.
    """
    kind = target.kind if isinstance(target, TargetSpec) else "classes"
    fitting = {
        "classes": ("softmax", "lms", "least_squares", "fisher"),
        "number": ("softmax", "lms", "least_squares"), "binaries": ("softmax", "lms"),
    }[kind]  # fmt: skip
    if config.rule not in fitting:
        raise OptionError("--set rule", f"for {kind}: {', '.join(fitting)}", repr(config.rule))
    return LinearClassifier(spec, num_outputs(target))


class LinearClassifier(nn.Module):
    """A weighted sum of the inputs for each answer; all weights start at zero.

    Args:
        spec: what the inputs are.
        num_answers: K.
    """

    def __init__(self, spec: ImageSpec | TableSpec, num_answers: int) -> None:
        super().__init__()
        self.flat = FlatInputs(spec)
        gain = PIXEL_GAIN if isinstance(spec, ImageSpec) else 1.0
        self.scale = gain * max(1, self.flat.width) ** -0.5
        self.answers = nn.Linear(self.flat.width, num_answers)
        nn.init.zeros_(self.answers.weight)
        nn.init.zeros_(self.answers.bias)

    def features(self, inputs: Float[Tensor, "B ..."]) -> Float[Tensor, "B D"]:
        """Return the inputs as vectors whose squared length is about 1."""
        return self.flat(inputs) * self.scale

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Logits:
        """Return (B, K)."""
        return Logits(self.answers(self.features(inputs)))


def goals(targets: Tensor, num_answers: int) -> Float[Tensor, "B K"]:
    """Return what each sum should be: -1 and 1 for classes and questions; numbers stay.

    >>> goals(torch.tensor([1, 0]), 2).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """
    if not targets.is_floating_point():
        return F.one_hot(targets, num_answers) * 2.0 - 1
    return targets[:, None] if targets.ndim == 1 else targets * 2 - 1


def lms(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return half the squared error of a batch, each example's divided by its squared length.

    Its gradient for one example is Widrow & Hoff's change of the weights, the length of the input
    taken with the constant 1 that the bias sees. Answers that are unknown (NaN) count nothing.
    """
    assert isinstance(model, LinearClassifier)
    assert batch.targets is not None
    x = model.features(batch.inputs)
    wanted = goals(batch.targets, model.answers.out_features)
    errors = (wanted.nan_to_num() - model.answers(x)) * ~wanted.isnan()
    return (errors.square().sum(1) / (1 + x.square().sum(1))).mean() / 2


@dataclass
class OnePass:
    """The batches of another feed, each example once; after that, empty batches.

    Args:
        feed: the other feed; its length is the number of examples.
    """

    feed: SizedFeed

    def batch(self, step: int) -> Batch:
        """Return the batch of this step, cut where the pass ends."""
        size = len(self.feed.batch(0))
        left = max(0, len(self.feed) - step * size)
        batch = self.feed.batch(step if left else 0)
        assert batch.targets is not None
        return Batch(batch.inputs[:left], batch.targets[:left])


class SizedFeed(Protocol):
    """A feed that knows how many examples there are."""

    def __len__(self) -> int: ...

    def batch(self, step: int) -> Batch:
        """Return the batch of this step."""
        ...


@dataclass
class Moments:
    """Sums over all examples, with a constant 1 appended to each input.

    Args:
        products: (D + 1, D + 1) sum of x x'.
        answers: (D + 1, K) sum of x t'.
    """

    products: Tensor
    answers: Tensor
    solve: Any = field(default=None, repr=False)

    def objective(self, model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
        """Add a batch to the sums; return the squared error, which nothing descends."""
        assert isinstance(model, LinearClassifier)
        assert batch.targets is not None
        with torch.no_grad():
            x = F.pad(model.features(batch.inputs).double(), (0, 1), value=1.0)
            t = goals(batch.targets, model.answers.out_features).double()
            self.products = self.products.to(x.device) + x.T @ x
            self.answers = self.answers.to(x.device) + x.T @ t
        return (model(batch.inputs).values - t).square().sum() / max(1, len(batch))

    def after(self, model: nn.Module) -> None:
        """Solve the equations and put the weights in place."""
        assert isinstance(model, LinearClassifier)
        found = self.solve(self.products, self.answers)  # (D + 1, K)
        with torch.no_grad():
            model.answers.weight.copy_(found[:-1].T)
            model.answers.bias.copy_(found[-1])

    def state_dict(self) -> dict[str, Tensor]:
        """Return the sums so far, for a checkpoint."""
        return {"products": self.products, "answers": self.answers}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Restore the sums."""
        self.products, self.answers = state_dict["products"], state_dict["answers"]


def least_squares(
    products: Float[Tensor, "E E"], answers: Float[Tensor, "E K"], ridge: float
) -> Float[Tensor, "E K"]:
    """Return the weights with the smallest squared error, the bias last (section 5.8)."""
    num, mean, spread = _about_the_mean(products, ridge)
    mean_answer = answers[-1] / num
    weights = torch.linalg.solve(spread, answers[:-1] / num - mean[:, None] * mean_answer)
    return torch.cat([weights, (mean_answer - mean @ weights)[None]])


def discriminant(
    products: Float[Tensor, "E E"], answers: Float[Tensor, "E K"], ridge: float
) -> Float[Tensor, "E K"]:
    """Return the log-posteriors of classes that are Gaussian with one covariance (section 2.7).

    g_k(x) = m_k' S^-1 x - m_k' S^-1 m_k / 2 + log P(k), S the covariance within the classes.

    Args:
        products: sum of x x'.
        answers: sum of x t', t of -1 and 1.
        ridge: relative to the mean variance.
    """
    sums = (answers + products[:, -1:]) / 2  # of the examples of each class
    counts = sums[-1].clamp(min=1)
    means = sums[:-1] / counts  # (D, K)
    num = products[-1, -1]
    within = (products[:-1, :-1] - (means * counts) @ means.T) / num
    weights = torch.linalg.solve(_ridged(within, ridge), means)
    bias = (counts / num).log() - (means * weights).sum(0) / 2
    return torch.cat([weights, bias[None]])


def _about_the_mean(products: Tensor, ridge: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return how many examples there are, their mean and their covariance."""
    num = products[-1, -1]
    mean = products[:-1, -1] / num
    return num, mean, _ridged(products[:-1, :-1] / num - torch.outer(mean, mean), ridge)


def _ridged(spread: Tensor, ridge: float) -> Tensor:
    added = ridge * spread.diagonal().mean() + 1e-12
    return spread + added * torch.eye(len(spread), dtype=spread.dtype, device=spread.device)


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    if config.rule == "softmax":
        return {"ridge": "softmax regression descends; nothing is solved"}
    plain = {"label_smoothing": f"the targets of {config.rule} are plain"}
    if config.rule == "lms":
        return {**plain, "ridge": "the weights are descended to, not solved for"}
    return plain | dict.fromkeys(
        (*DESCENT, "epochs", "accumulate"), f"{config.rule} is solved in one pass"
    )


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the one stage that finds the weights.

    Args:
        model: the classifier.
        config: which rule.
        feed: not used; the stage has the examples whose labels are known.
        stage: the task's own stage, which descends its loss.
        seed: not used.
    """
    assert isinstance(model, LinearClassifier)
    if config.rule == "softmax":
        yield stage
        return
    if config.rule == "lms":
        yield replace(stage, objective=lms)
        return
    solve = {"least_squares": least_squares, "fisher": discriminant}[config.rule]
    wide, num_answers = model.flat.width + 1, model.answers.out_features
    moments = Moments(
        torch.zeros(wide, wide, dtype=torch.float64),
        torch.zeros(wide, num_answers, dtype=torch.float64), partial(solve, ridge=config.ridge),
    )  # fmt: skip
    examples = cast(SizedFeed, stage.feed)
    size = len(examples.batch(0))
    yield replace(
        stage, name="one pass", feed=OnePass(examples), objective=moments.objective,
        steps=-(-len(examples) // size), rate=lambda progress: 0.0, after=moments.after,
        after_step=lambda model, step: None, keeps={"moments": moments}, accumulate=1,
    )  # fmt: skip
