"""Continue a text: guess the next character, byte or word from all before it, again and again.

Training cuts the text into B streams that lie side by side in it, and every stream into stretches
of T characters. A step reads the next stretch of every stream; the memory after it is carried over
to the next step (without its gradient), so that the model can learn to use what it read long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.numbers import Chance, Count
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import numpy_generator, torch_generator
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.cache import rows_of
from samoyed.data.text import TextData, line_end
from samoyed.data.units import after, decode, encode
from samoyed.decoding.sampling import sample
from samoyed.losses.large_softmax import large_cross_entropy
from samoyed.metrics import language
from samoyed.tasks.foreseeing import LEAD, foresee, set_aside, surprise
from samoyed.tasks.mixing import mixed_perplexity
from samoyed.training.averaging import WeightAverage
from samoyed.training.best_weights import BestWeights, watched
from samoyed.training.stages import averaged, stage_of

UNROLL = 32
"""T, characters in a stretch: how far the gradient goes back. The memory reaches further.

Half as long means twice as many updates for the same characters: on 1 MB of text, after three
passes with 256 units, 2.34 bits per character against 2.45 with 64.
"""

FEWEST_WORSE, SHARE_WORSE = 3, 0.1
"""Passes in a row that make it worse and are enough: so many, and such a share of those planned."""

MARGIN = 0.005
"""By which share of the bits it must be worse: at a high rate they waver."""

FEWEST_BETWEEN = 20  # steps between two looks at what is kept aside

# B batch, T time, V symbols, N characters
State = tuple[Tensor, ...]
Loss = Callable[[Any, Any, State], tuple[Tensor, State]]
"""(model, batch, memory before it) -> what is descended, shape (), and the memory after it."""


class StretchFeed:
    """The text in B streams, stretch by stretch; a pure function of the seed and the step.

    Every pass begins at another place of the text, drawn from the seed, and ends before its end, so
    the stretches are cut differently every time.

    Args:
        codes: (N,) the training part.
        batch_size: B, streams side by side; fewer where the text is too short.
        unroll: T.
        seed: of the beginnings.
        forget: chance with which a stream's memory is cleared before a stretch.
    """

    def __init__(
        self, codes: np.ndarray, batch_size: int, unroll: int, seed: int, forget: float = 0.0
    ) -> None:
        self.codes = codes
        self.forget = forget
        self.seed = seed
        self.unroll = max(1, min(unroll, (len(codes) - 1) // 2))
        self.batch_size = max(1, min(batch_size, (len(codes) - 1) // (2 * self.unroll)))
        self.steps_per_epoch = (len(codes) - 1 - self.unroll) // (self.batch_size * self.unroll)
        self.steps_per_epoch = max(1, self.steps_per_epoch)
        self._spare = len(codes) - 1 - self.steps_per_epoch * self.batch_size * self.unroll

    def batch(self, step: int) -> Batch:
        """Return (B, T) characters and the (B, T) characters that follow them."""
        epoch, stretch = divmod(step, self.steps_per_epoch)
        offset = int(numpy_generator(self.seed, "offset", epoch).integers(0, self._spare + 1))
        length = self.steps_per_epoch * self.unroll
        first = offset + stretch * self.unroll
        starts = range(first, first + self.batch_size * length, length)
        cut = [rows_of(self.codes, slice(at, at + self.unroll + 1)) for at in starts]
        rows = torch.as_tensor(np.stack(cut).astype(np.int64))
        is_start = torch.full((self.batch_size,), stretch == 0)
        if self.forget:
            drawn = numpy_generator(self.seed, "forget", step).random(self.batch_size)
            is_start |= torch.as_tensor(drawn < self.forget)
        return Batch(rows[:, :-1], rows[:, 1:], is_start)


class CarriedMemory:
    """The state after the last stretch, without its gradient; empty before the first."""

    def __init__(self) -> None:
        self.state: State = ()

    def before(self, model: Any, batch: Batch) -> State:
        """Return the memory to begin the stretch with: cleared in rows that begin a text."""
        num_rows = len(batch.inputs)
        if not self.state or len(self.state[0]) != num_rows:
            return model.start(num_rows)
        self.state = tuple(part.to(batch.inputs.device) for part in self.state)
        if batch.is_start is None:
            return self.state
        kept = ~batch.is_start[:, None]
        return tuple(torch.where(kept, part, torch.zeros_like(part)) for part in self.state)

    def keep(self, state: State) -> None:
        """Remember the memory after the stretch."""
        self.state = tuple(part.detach() for part in state)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the memory, for a checkpoint."""
        return {f"part_{index}": part for index, part in enumerate(self.state)}

    def load_state_dict(self, state_dict: Mapping[str, Tensor], /) -> None:
        """Restore the memory."""
        self.state = tuple(state_dict[f"part_{index}"] for index in range(len(state_dict)))


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean surprise in nats per character.

    Args:
        logits: (B, T, V); laid out time first underneath, it is read without a copy.
        targets: (B, T).
    """
    flat = logits.transpose(0, 1).flatten(0, 1)
    return large_cross_entropy(flat, targets.t().flatten())


def _surprise(model: Any, batch: Batch, state: State) -> tuple[Tensor, State]:
    """Return the mean surprise of a batch in nats per character, and the memory after it."""
    assert batch.targets is not None
    logits, state = model(batch.inputs, state)
    return cross_entropy(logits, batch.targets), state


@dataclass(frozen=True)
class ContinueText:
    """The question: what comes next?

    Args:
        spec: the symbols.
        unroll: T, how far the gradient goes back.
        mixed_with: of words with a validation part, also score the average with n-grams of this
            order; 0 does not.
        forget: chance with which a stream's memory is cleared before a stretch, so that the model
            also learns to begin with an empty one (Melis et al. 2018, On the state of the art of
            evaluation in neural language models, ICLR).
        num_aside: units kept aside, to look at after every pass: the weights that foresee them best
            are kept, and when no pass does better any more, training comes to its end. They are
            the first of a validation part, else pieces of the training part, a quarter of it at
            most. 0 goes by the plan.
    """

    spec: TextSpec
    unroll: Count = UNROLL
    mixed_with: Annotated[int, Ge(0), Le(20)] = 0
    forget: Chance = 0.0
    num_aside: Annotated[int, Ge(0)] = 0
    name: ClassVar[str] = "continue_text"

    @property
    def headline(self) -> str:
        """Return the first score: of words the perplexity, else the bits per character."""
        return "perplexity" if self.spec.unit == "word" else "bits_per_character"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return (self.spec,)

    def stages(
        self,
        model: nn.Module,
        system: Any,
        config: Any,
        data: TextData,
        recipe: Recipe,
        seed: int = 0,
        system_stages: Callable[..., Iterator[Stage]] | None = None,
        loss: Loss | None = None,
    ) -> Iterator[Stage]:
        """Yield one stage: descend the surprise with the memory carried over.

        Args:
            model: the model.
            system: its file; not looked at.
            config: its dials.
            data: the text.
            recipe: how fast and how long.
            seed: of the stretches' beginnings.
            system_stages: the system's own, which are told of this task and of `loss`.
            loss: what is descended in place of the mean surprise among all symbols.
        """
        if system_stages is not None:
            yield from system_stages(self, model, config, data, recipe, seed)
            return
        train, aside = set_aside(data, self.num_aside)
        feed = StretchFeed(train, recipe.batch_size, self.unroll, seed, self.forget)
        memory = CarriedMemory()
        average = WeightAverage(model, recipe.average) if recipe.average is not None else None

        def objective(model: Any, batch: Batch) -> Tensor:
            value, state = (loss or _surprise)(model, batch, memory.before(model, batch))
            memory.keep(state)
            return value

        stage = replace(stage_of(recipe, feed, objective), keeps={"memory": memory})
        if average is not None:
            stage = averaged(stage, average)
        if aside is None:
            yield stage
            return

        def mean_bits(network: nn.Module) -> float:
            return aside.mean_bits(network, next(network.parameters()).device)

        network = model if average is None else average.averaged.module
        patience = max(FEWEST_WORSE, round(SHARE_WORSE * recipe.epochs))
        every = max(feed.steps_per_epoch, FEWEST_BETWEEN)
        yield watched(stage, BestWeights(network, mean_bits, every, patience, MARGIN))

    def loss(self, model: Any, batch: Batch) -> Tensor:
        """Return the mean surprise of a batch read with an empty memory, in nats per character."""
        return _surprise(model, batch, model.start(len(batch.inputs)))[0]

    def score(
        self,
        model: nn.Module,
        data: TextData,
        device: torch.device | str = "cpu",
        limit: int | None = None,
        seed: int = 0,
    ) -> tuple[Score, ...]:
        """Score the held-out part: bits per character, perplexity, accuracy of the first guess.

        Of words the perplexity comes first and stands for one word, and no bits per character are
        told, as nobody knows how an unknown word is written. Bytes count for their characters.

        Args:
            model: the model.
            data: the text.
            device: where the model is.
            limit: read only so many units of the tail.
            seed: of the intervals' bootstrap.
        """
        lead = data.before_test(LEAD + 1)
        tail = data.test if limit is None else data.test[:limit]
        bits, is_right = foresee(model, np.concatenate([lead, tail]), len(lead), device)
        right = language.accuracy(is_right, seed=seed)
        if self.spec.unit == "word":
            score = language.perplexity(language.bits_per_character(bits, seed=seed))
            if not self.mixed_with or limit is not None or not len(data.valid):
                return score, right
            lead = rows_of(data.train, slice(-(LEAD + 1), None))
            before, _ = foresee(model, np.concatenate([lead, data.valid]), len(lead), device)
            mixed = mixed_perplexity(before, bits, data, self.mixed_with, seed)
            return score, mixed, right
        if self.spec.unit == "byte":
            bits = language.per_character(bits, tail)
        score = language.bits_per_character(bits, seed=seed)
        return score, language.perplexity(score), right

    def answer(
        self,
        model: nn.Module,
        inputs: Sequence[str],
        device: torch.device | str = "cpu",
        *,
        temperature: float = 0.8,
        length: int = 500,
        seed: int = 0,
        top_k: int | None = None,
    ) -> list[Answer]:
        """Continue each prompt.

        Args:
            model: the model.
            inputs: the prompts; an empty one begins after a line end.
            device: where the model is.
            temperature: how daring; 0 always takes the likeliest character.
            length: characters to write.
            seed: of the writing; a prompt's text does not depend on the other prompts.
            top_k: draw from only so many likeliest characters.

        Returns:
            Per prompt the continuation (without the prompt); its details tell the mean surprise of
            the prompt in bits per character, where it has two characters or more.
        """
        texts = write(
            model, self.spec, inputs, temperature=temperature, length=length, seed=seed,
            top_k=top_k, device=device,
        )  # fmt: skip
        answers = []
        for prompt, text in zip(inputs, texts, strict=True):
            details: tuple[tuple[str, float | str], ...] = ()
            if len(prompt) > 1:
                bits = surprise(model, self.spec, prompt, device)
                unit = self.spec.unit
                if len(bits) > 1:
                    details = ((f"prompt_bits_per_{unit}", float(bits[1:].mean())),)
            answers.append(Answer(prompt, text, None, details))
        return answers


@torch.inference_mode()
def write(
    model: Any,
    spec: TextSpec,
    prompts: Sequence[str],
    *,
    temperature: float,
    length: int,
    seed: int = 0,
    top_k: int | None = None,
    device: torch.device | str = "cpu",
) -> list[str]:
    """Return a continuation of `length` units for each prompt, written side by side."""
    if not prompts:
        return []
    was_training = model.training
    model.eval()
    chance = torch.stack(
        [torch.rand(length, generator=torch_generator(seed, "write", p)) for p in prompts], dim=1
    ).to(device)
    logits, state = _read(model, spec, prompts, device)
    written = []
    for row in chance:
        logits[:, -1] = float("-inf")  # the unknown symbol is never written
        token = sample(logits, row, temperature, top_k)
        written.append(token)
        logits, state = model.step(state, token)
    model.train(was_training)
    codes = torch.stack(written, dim=1).cpu().numpy() if written else np.zeros((len(prompts), 0))
    texts = [decode(row, spec) for row in codes]
    return [after(prompt, text, spec) for prompt, text in zip(prompts, texts, strict=True)]


def _read(
    model: Any, spec: TextSpec, prompts: Sequence[str], device: torch.device | str
) -> tuple[Tensor, State]:
    """Read each prompt; return the logits (P, V) of what follows and the memories."""
    rows, states = [], []
    for prompt in prompts:
        found = encode(prompt, spec)
        codes = torch.as_tensor(found if len(found) else line_end(spec), device=device).long()
        logits, state = model(codes[None], model.start(1))
        rows.append(logits[:, -1].float())
        states.append(state)
    return torch.cat(rows), tuple(torch.cat(parts) for parts in zip(*states, strict=True))
