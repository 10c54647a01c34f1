"""What every system file must hold, whatever it is: the conformance checks.

They are shipped, so that anyone can check a system file of their own:

>>> from samoyed.testing.conformance import checks_of
>>> from samoyed.catalog import find
>>> for check in checks_of(find("lenet5")):       # doctest: +SKIP
...     print(check.name, check.is_passed, check.found)
"""

from __future__ import annotations

import copy
import dataclasses
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from samoyed.core.batch import NO_LABEL, SequenceLogits
from samoyed.core.reference import Reference
from samoyed.core.seeding import seed_everything
from samoyed.core.spec import (
    Column,
    FactSpec,
    ImageSpec,
    LabelSpec,
    PairSpec,
    SequenceSpec,
    TableSpec,
    TagSpec,
    TargetSpec,
    TextSpec,
    UnitSpec,
    WordSpec,
    WorldSpec,
)
from samoyed.losses import tabular
from samoyed.losses.chain import NO_TAG, chain_loss
from samoyed.testing.layouts import facts_of
from samoyed.training.checkpoint import read_tensors, write_tensors

NUM_ROWS = 6
NUM_STEPS = 2
NOISE = 1e-5  # of the largest gradient: less is the rounding of a gradient that is zero


class Row(Protocol):
    """What the checks need to know of a system; the catalog's rows have it."""

    @property
    def name(self) -> str:
        """Return what the system is called."""
        ...

    @property
    def given(self) -> str:
        """Return the kind of data it takes."""
        ...

    def load(self) -> Any:
        """Return the system's module."""
        ...

    @property
    def asked(self) -> str:
        """Return the task."""
        ...

    @property
    def pretrained(self) -> str:
        """Return the name of the part that only earlier stages train, or nothing."""
        ...

    @property
    def loss(self) -> Callable[..., Any] | None:
        """Return the system's own loss, or None."""
        ...

    @property
    def sizes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the named sizes: Config fields that differ from the defaults."""
        ...


@dataclass(frozen=True)
class Check:
    """One check and what came of it."""

    name: str
    is_passed: bool
    found: str


@dataclass(frozen=True)
class Subject:
    """A small instance of a system with inputs to try it on."""

    build: Callable[..., nn.Module]
    inputs: Tensor
    targets: Tensor
    loss: Callable[[Any, Tensor], Tensor]
    forward: Callable[[nn.Module, Tensor], Any]


def checks_of(row: Row) -> list[Check]:
    """Run every conformance check on a system; of one that trains nothing, those that fit it."""
    system = row.load()
    if row.given == "vectors":
        told = [*_reference(system.REFERENCE), *_config(system.Config)]
        told += _departures(system.__doc__ or "")
        return [*told, *(Check(*fact) for fact in facts_of(system))]
    subject = subject_of(row, system)
    found = []
    for check in (
        lambda: _reference(system.REFERENCE),
        lambda: _config(system.Config),
        lambda: _departures(system.__doc__ or ""),
        lambda: _same_seed(subject),
        lambda: _every_gradient(subject, row.pretrained),
        lambda: _pure_evaluation(subject),
        lambda: _inputs_untouched(subject),
        lambda: _rows_independent(subject),
        lambda: _survives_saving(subject),
    ):
        found += list(check())
    return found


def subject_of(row: Row, system: Any) -> Subject:
    """Make a small instance of a system and inputs of its kind."""
    generator = torch.Generator().manual_seed(1)
    forward = _forward
    if row.given == "images":
        labels = LabelSpec(tuple("0123456789"))
        config, spec = _smallest(row, system, ImageSpec(1, 28, 28), labels)
        inputs = torch.rand(NUM_ROWS, *spec.shape, generator=generator)
        targets = torch.randint(len(labels), (NUM_ROWS,), generator=generator)
        build = lambda: system.build(config, spec, labels)  # noqa: E731
    elif row.given == "table":
        table, target = _drawn_table()
        config = dataclasses.replace(system.Config(), **next(iter(row.sizes.values())))
        numbers = torch.randn(NUM_ROWS, 2, generator=generator)
        flags = torch.randint(2, (NUM_ROWS, 1), generator=generator).float()
        letters = torch.randint(4, (NUM_ROWS, 1), generator=generator).float()
        inputs = torch.cat([numbers, flags, letters], dim=1)
        targets = torch.randint(3, (NUM_ROWS,), generator=generator)
        build = lambda: system.build(config, table, target)  # noqa: E731
        return Subject(_seeded(build), inputs, targets, row.loss or _members_entropy, forward)
    elif row.given in ("labelled_text", "tagged_text"):
        return _subject_of_words(row, system, generator)
    elif row.given == "trees":
        return _subject_of_trees(row, system, generator)
    elif row.asked == "embed":
        words = TextSpec((*"abcdefgh", "<eos>", "<unk>"), "word")
        inputs = torch.randint(8, (NUM_ROWS,), generator=generator)
        targets = torch.randint(8, (NUM_ROWS,), generator=generator)
        build = lambda: system.build(system.Config(), words, range(8, 0, -1))  # noqa: E731
    elif row.given == "text":
        text = TextSpec(tuple("abcdefgh"))
        inputs = torch.randint(len(text), (NUM_ROWS, 12), generator=generator)
        targets = torch.randint(len(text), (NUM_ROWS, 12), generator=generator)
        build = lambda: system.build(system.Config(), text)  # noqa: E731
        forward = _forward_from_start
    elif row.given == "sequences":
        problem = SequenceSpec("drawn", 40, 5, ("p", "q", "r"))
        inputs = torch.randn(NUM_ROWS, 40, 5, generator=generator)
        targets = torch.randint(3, (NUM_ROWS,), generator=generator)
        build = lambda: system.build(system.Config(), problem)  # noqa: E731
    elif row.given == "facts":
        facts = FactSpec(tuple("abcd"), ("p", "q", "r"), tuple("vwxyz"))
        inputs = torch.tensor([[0, 0], [1, 1], [2, 2], [3, 0], [0, 1], [1, 2]])
        targets = torch.randint(len(facts.objects), (NUM_ROWS,), generator=generator)
        build = lambda: system.build(system.Config(), facts)  # noqa: E731
    elif row.given == "pairs":
        units = UnitSpec("character", ("<pad>", "<s>", "</s>", "<unk>", *"abcdefgh"))
        pairs = PairSpec(("one", "other"), units, units)
        inputs = torch.randint(2, len(units), (NUM_ROWS, 9), generator=generator)
        targets = torch.randint(2, len(units), (NUM_ROWS, 9), generator=generator)
        build = lambda: system.build(system.Config(), pairs)  # noqa: E731
        forward = _forward_from_itself
    else:
        world = WorldSpec("drawn", (4,), False, 3, ("left", "stay", "right"))
        inputs = torch.randn(NUM_ROWS, 4, generator=generator)
        targets = torch.randint(3, (NUM_ROWS,), generator=generator)
        build = lambda: system.build(system.fit(world)[0], world)  # noqa: E731
    return Subject(_seeded(build), inputs, targets, row.loss or _cross_entropy, forward)


def _subject_of_words(row: Row, system: Any, generator: torch.Generator) -> Subject:
    """Make a small instance of a system that reads words, and texts of different lengths."""
    spec = WordSpec(tuple("abcdefg"), ("a", "b"), ("f", "g"))
    config = dataclasses.replace(system.Config(), **next(iter(row.sizes.values())))
    inputs = torch.stack(
        [torch.randint(1, size, (NUM_ROWS, 9), generator=generator) for size in spec.sizes], dim=2
    )
    lengths = torch.tensor([9, 1, 7, 5, 9, 3])
    is_word = torch.arange(9) < lengths[:, None]
    inputs = inputs * is_word[..., None]
    if row.given == "labelled_text":
        labels = LabelSpec(("p", "q", "r"))
        targets = torch.randint(3, (NUM_ROWS,), generator=generator)
        build = lambda: system.build(config, spec, labels)  # noqa: E731
        return Subject(_seeded(build), inputs, targets, row.loss or _cross_entropy, _forward)
    tags = TagSpec(("O", "p", "q"))
    targets = torch.randint(3, (NUM_ROWS, 9), generator=generator).masked_fill(~is_word, NO_TAG)
    build = lambda: system.build(config, spec, tags)  # noqa: E731
    return Subject(_seeded(build), inputs, targets, row.loss or _chain, _forward)


def _subject_of_trees(row: Row, system: Any, generator: torch.Generator) -> Subject:
    """Make a small instance of a system that reads trees, and trees of different sizes."""
    spec, labels = WordSpec(tuple("abcdefg"), (), ()), LabelSpec(("p", "q", "r"))
    config = dataclasses.replace(system.Config(), **next(iter(row.sizes.values())))
    inputs = torch.zeros(NUM_ROWS, 9, 6, dtype=torch.long)
    for tree, num in zip(inputs, (5, 1, 4, 3, 5, 2), strict=True):
        tree[:num, 0] = torch.randint(1, spec.sizes[0], (num,), generator=generator)
        tree[:num, 4], tree[:num, 5] = torch.arange(num), torch.arange(num) + 1
        for i in range(1, num):  # each word joins the phrase on its left
            left = num + i - 1 if i > 1 else 1
            tree[num + i - 1] = torch.tensor([0, left, i + 1, i, 0, i + 1])
    targets = torch.randint(3, (NUM_ROWS, 9), generator=generator)
    targets = targets.masked_fill(inputs[..., 5] == 0, NO_LABEL)
    build = lambda: system.build(config, spec, labels)  # noqa: E731
    return Subject(_seeded(build), inputs, targets, row.loss or _cross_entropy, _forward)


def _chain(output: Any, targets: Tensor) -> Tensor:
    return chain_loss(output.values, output.transitions, output.starts, targets)


def _smallest(
    row: Row, system: Any, natural: ImageSpec, labels: LabelSpec
) -> tuple[Any, ImageSpec]:
    """Return the size with the fewest parameters, so that the checks take seconds."""
    configs = [dataclasses.replace(system.Config(), **changes) for changes in row.sizes.values()]
    offers = [(config, system.accepts(config, natural)) for config in configs]
    if len(offers) == 1:
        return offers[0]
    counts = []
    for config, spec in offers:
        with torch.device("meta"):  # shapes without numbers
            net = system.build(config, spec, labels)
        counts.append(sum(p.numel() for p in net.parameters()))
    return offers[counts.index(min(counts))]


def _drawn_table() -> tuple[TableSpec, TargetSpec]:
    """Return columns of numbers, one of them with gaps, a column of letters, and three classes."""
    edges = (-1.0, 0.0, 1.0)
    columns = (
        Column("x", "number", edges=edges), Column("y", "number", has_missing=True, edges=edges),
        Column("letter", "category", categories=("a", "b", "c")),
    )  # fmt: skip
    return TableSpec(columns), TargetSpec("classes", ("kind",), ("p", "q", "r"))


def _seeded(build: Callable[[], nn.Module]) -> Callable[..., nn.Module]:
    def seeded(seed: int = 0) -> nn.Module:
        seed_everything(seed, "conformance")
        return build()

    return seeded


def _cross_entropy(output: Any, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(output.values.flatten(0, -2), targets.flatten())


def _members_entropy(output: Any, targets: Tensor) -> Tensor:
    """Return the cross-entropy, of each member where a model is an ensemble of them."""
    return tabular.cross_entropy(output.values, targets)


def _forward(model: nn.Module, inputs: Tensor) -> Any:
    return model(inputs)


def _forward_from_itself(model: nn.Module, inputs: Tensor) -> Any:
    """Let a translator foresee the units of what it reads, the other way round."""
    return model(inputs, inputs.flip(1))


def _forward_from_start(model: Any, inputs: Tensor) -> Any:
    return model(inputs, model.start(len(inputs)))


def _reference(reference: Reference) -> Iterator[Check]:
    empty = [n for n in ("title", "authors", "venue", "url") if not getattr(reference, n)]
    is_dated = 1900 < reference.year < 2100
    yield Check("reference complete", not empty and is_dated, ", ".join(empty) or str(reference))


def _config(config: type) -> Iterator[Check]:
    is_dataclass = dataclasses.is_dataclass(config)
    is_frozen = is_dataclass and config.__dataclass_params__.frozen  # type: ignore[attr-defined]
    yield Check("Config is a frozen dataclass", is_frozen, config.__name__)


def _departures(docstring: str) -> Iterator[Check]:
    _, heading, after = docstring.partition("Departures")
    numbered = re.findall(r"^\s*(\d+)\.", after, flags=re.MULTILINE)
    is_listed = bool(heading) and (bool(numbered) or "none" in after[:40].lower())
    yield Check("departures listed and numbered", is_listed, f"{len(numbered)} departures")


def _same_seed(subject: Subject) -> Iterator[Check]:
    one, two = subject.build().state_dict(), subject.build().state_dict()
    differing = [name for name in one if not torch.equal(one[name], two[name])]
    yield Check("same seed, same weights", not differing, ", ".join(differing) or "identical")


def _every_gradient(subject: Subject, pretrained: str) -> Iterator[Check]:
    """Every parameter must learn from the loss, but for the part that earlier stages train.

    A gradient of zeros teaches nothing, nor does the rounding of one, as a bias just before a
    batch normalisation has. What lies behind a scale or a read-out that begins at zero learns
    from the second step on, so a step is taken and the gradients are looked at again.
    """
    model = subject.build().train()
    names = [name for name, _ in model.named_parameters()]
    idle = {n for n in names if not (pretrained and n.startswith(f"{pretrained}."))}
    num_exempt = len(names) - len(idle)
    seed_everything(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(NUM_STEPS):
        optimizer.zero_grad()
        subject.loss(subject.forward(model, subject.inputs), subject.targets).backward()
        held = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        grads = {n: grad.to_dense().abs().max() for n, grad in held.items()}
        idle -= {n for n, g in grads.items() if g > NOISE * max(grads.values())}
        optimizer.step()
    others = f", but {num_exempt} of {pretrained}, which earlier stages train" if num_exempt else ""
    found = ", ".join(sorted(idle)) or f"all{others}"
    yield Check("every parameter gets a gradient", not idle, found)


def _pure_evaluation(subject: Subject) -> Iterator[Check]:
    model = subject.build().eval()
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        one, two = (subject.forward(model, subject.inputs).values for _ in range(2))
    unchanged = all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    is_pure = torch.equal(one, two) and unchanged
    yield Check("evaluation is pure", is_pure, "twice the same, nothing stored")


def _inputs_untouched(subject: Subject) -> Iterator[Check]:
    inputs = subject.inputs.clone()
    model = subject.build().train()
    subject.loss(subject.forward(model, inputs), subject.targets).backward()
    yield Check("inputs untouched", torch.equal(inputs, subject.inputs), "forward and backward")


def _rows_independent(subject: Subject) -> Iterator[Check]:
    """In evaluation, what a row gives must not depend on the other rows."""
    model = subject.build().eval()
    with torch.no_grad():
        whole = subject.forward(model, subject.inputs).values
        alone = subject.forward(model, subject.inputs[2:3]).values
    difference = (whole[2:3] - alone).abs().max().item()
    scale = whole.abs().max().item() + 1e-6
    yield Check("rows independent", difference <= 1e-5 * scale, f"largest change {difference:.1e}")


def _survives_saving(subject: Subject) -> Iterator[Check]:
    """Written to a file and read from it into a model of another seed, it answers the same."""
    one = subject.build(0).train()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(0.01)
        subject.forward(one, subject.inputs)  # moves the buffers
    one, two = one.eval(), subject.build(1).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        write_tensors(file, one.state_dict())
        two.load_state_dict(read_tensors(file))
    with torch.no_grad():
        before, after = (subject.forward(m, subject.inputs) for m in (one, two))
    is_same = torch.equal(before.values, after.values)
    kind = "outputs"
    if isinstance(before, SequenceLogits):
        kind = "outputs and state"
        is_same &= all(map(torch.equal, before.state, after.state))
    yield Check("same answers after saving", is_same, f"{kind} bit-identical: {is_same}")
