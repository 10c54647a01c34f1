"""Every dial of every system: absurd numbers are refused by name, or taken without a traceback."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from tests.architecture import stand_ins

from samoyed.assembly import assemble
from samoyed.catalog import ROWS, find
from samoyed.core.errors import OptionError
from samoyed.core.reach import within_reach
from samoyed.core.seeding import seed_everything
from samoyed.core.settings import apply, dials
from samoyed.core.stage import Recipe
from samoyed.data.augmentation import VARIATIONS
from samoyed.data.corpora import TextAsk
from samoyed.data.pair_files import PairAsk
from samoyed.data.tables import TableAsk
from samoyed.kinds.parts import Assembly
from samoyed.opening import open_source
from samoyed.row import Row
from samoyed.runs.conducting import RunSettings
from samoyed.training.loop import train

ABSURD = (-1, 0, 10**9)
SMALL: dict[str, dict[str, Any]] = {  # nets of a size that a test can build
    "compact_convnet": {"widths": (2, 2, 2)},
    "tabular_network": {"width": 8, "num_members": 2},
    "lstm_language_model": {"num_units": 8, "embedding_size": 8},
    "alexnet": {
        "side": 64,
        "full": 16,
        "widths": (4, 4, 4, 4, 4),
        "first_kernel": 5,
        "first_stride": 1,
    },
    "vgg": {"side": 32, "full": 16, "width": 2, "configuration": "A"},
    "googlenet": {"side": 32, "narrowing": 16, "head_units": 16, "first_stride": 1},
    "resnet": {"num_blocks": 1},
    "deep_belief_net": {"hidden_sizes": (8, 8, 8)},
    "multi_column_network": {"side": 32, "num_maps": (2, 2, 2), "num_hidden": 4, "num_repeats": 1},
    "multilayer_perceptron": {"hidden_sizes": (8,)},
    "dropout_network": {"hidden_sizes": (8,)},
    "activity_network": {"hidden_sizes": (8, 8, 8, 8)},
    "max_channel_network": {"hidden_sizes": (6, 6), "num_members": 2},
    "sentence_convnet": {"num_maps": 4},
    "rnnlm": {"hash_size": 16, "num_units": 8},
    "deep_q_network": {"replay_size": 100, "learning_starts": 10},
    "neocognitron": {"num_planes": 2, "num_presentations": 2},
    "transformer": {"width": 8, "num_heads": 2, "num_inner": 8, "num_layers": 1},
    "attention": {"embedding_size": 8, "num_units": 8, "num_alignment": 8, "num_maxout": 8},
    "seq2seq": {"embedding_size": 8, "num_units": 8},
    "rnn_encoder_decoder": {"embedding_size": 8, "num_units": 8, "num_maxout": 8},
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One source of every kind, and a text for vectors of words under "embed"."""
    root = tmp_path_factory.mktemp("data")
    stand_ins.put_all(root)
    words = np.random.default_rng(0).choice([f"word{k}" for k in range(20)], 2000)
    (root / "words.txt").write_text(" ".join(words))
    return {
        "images": open_source(str(root / "photos")),
        "table": open_source(str(root / "adult.data"), ask=TableAsk("15")),
        "classify_several": open_source(
            str(root / "tox21.csv"), ask=TableAsk("NR-AR,NR-ER", input="SR-p53")
        ),
        "text": open_source(str(root / "book.txt"), about_text=TextAsk("character")),
        "embed": open_source(
            str(root / "words.txt"), ask=TableAsk(task="embed"), about_text=TextAsk("word", 1)
        ),
        "labelled_text": open_source(str(root / "reviews")),
        "tagged_text": open_source(str(root / "names.conll")),
        "trees": open_source(str(root / "treebank")),
        "pairs": open_source(str(root / "pairs"), pairs=PairAsk("de", "en")),
        "sequences": open_source("adding-12"),
        "facts": open_source("living-things"),
        "world": open_source("catch"),
    }  # fmt: skip


def source_for(row: Row, sources: Mapping[str, Any]) -> Any:
    asked = row.asked if row.asked in sources else row.given
    return sources[asked]


def put_together(row: Row, source: Any, settings: Mapping[str, Any]) -> Assembly:
    few = {"batch_size": 2} if source.kind == "images" else {}
    small = {**few, **SMALL.get(row.name, {}), **settings}
    size = next(iter(row.sizes))
    return assemble(row, source, size=size, settings=small, extra_groups=(RunSettings(),))[0]


def numbers_of(group: Any) -> Iterator[str]:
    """Yield the dials of a group that are numbers, or may be."""
    for field in dataclasses.fields(group):
        kind = str(field.type)
        is_number = any(word in kind for word in NUMBERS) and "tuple" not in kind
        if field.name in dials(group) and is_number:
            yield field.name


NUMBERS = (
    "int", "float", "Count", "Seed", "Share", "Chance", "Positive", "Weight", "Passes", "Size"
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_absurd_numbers_of_a_system_are_refused_by_name(row: Row):
    """Without any data: below zero and a thousand million are numbers of nothing."""
    for group in (row.load().Config(), Recipe()):
        for name in numbers_of(group):
            for value in (*ABSURD, float("nan"), float("inf"), "many", {"a": 1}, 10**400):
                error = refusal(partial(apply, {name: value}, [group]))
                if error is not None:
                    assert error.place == f"--set {name}", (name, value, str(error))
                    continue
                assert value in ABSURD, (name, value)
                is_count = type(getattr(group, name)) is int and name not in LARGE
                assert not (is_count and value == 10**9), name


LARGE = (
    "batch_size", "replay_size", "learning_starts", "target_update", "exploration_moves",
    "num_presentations", "most_symbols", "code_seed", "wiring_seed", "short_list", "num_subset",
    "num_drawn",
)  # fmt: skip


IDLE = [
    ("lstm", {"average": 0.9}, "last step"),
    ("lstm1997", {"num_labels": 5}, "drawn"),
    ("family_trees", {"average": 0.9}, "last step"),
    ("semantic_network", {"batch_size": 7}, "all facts"),
    ("recursive", {"average": 0.9}, "last step"),
    ("recursive", {"margin_weight": 0, "kappa": 0.1}, "no trees are built"),
    ("sentence_convnet", {"average": 0.9}, "last step"),
    ("sentence_convnet", {"ngram": 0, "num_buckets": 64}, "no n-grams"),
    ("senna", {"average": 0.9}, "last step"),
    ("senna", {"num_labels": 5}, "every example"),
    ("tabular_network", {"average": 0.9}, "last step"),
    ("tabular_network", {"num_trees": 3}, "share their weights"),
    ("tabular_network", {"num_folds": 2, "depth": 3}, "share nothing"),
    ("tabular_network", {"num_folds": 2, "num_leaves": 9}, "no trees"),
    ("ngram", {"learning_rate": 0.5}, "counted once"),
    ("ngram", {"batch_size": 9}, "counted once"),
    ("ngram", {"epochs": 3}, "counted once"),
    ("ngram", {"average": 0.5}, "counted once"),
    ("nnlm", {"mixed_with": 4}, "words whose n-grams"),
    ("lstm_language_model", {"cell": "gru", "forget_bias": 2.0}, "cell gru"),
    ("rnnlm", {"hash_size": 0, "direct_order": 2}, "no direct weights"),
    ("skip_gram", {"optimizer": "adam"}, "plain descent"),
    ("skip_gram", {"schedule": "cosine"}, "along a line"),
    ("skip_gram", {"phrase_delta": 1.0}, "without phrase_passes"),
    ("skip_gram", {"objective": "hierarchical_softmax", "num_noise": 3}, "draws no noise"),
    ("transformer", {"num_labels": 5}, "every example"),
    ("transformer", {"beam": 1, "length_alpha": 0.5}, "beam of one"),
    ("deep_q_network", {"optimizer": "rmsprop", "momentum": 0.5}, "rmsprop"),
    ("lenet5", {"label_smoothing": 0.1}, "its own loss"),
    ("multilayer_perceptron", {"is_tempered": True}, "no temperature"),
    ("backpropagation", {"label_smoothing": 0.1}, "plain targets"),
    ("perceptron", {"num_units": 0, "threshold": 1.0}, "no association units"),
    ("linear_classifier", {"ridge": 0.1}, "nothing is solved"),
    ("linear_classifier", {"rule": "fisher", "learning_rate": 0.1}, "in one pass"),
    ("neocognitron", {"clip_norm": 1.0}, "nothing is descended"),
    ("deep_belief_net", {"pretrain_epochs": 0, "gibbs_steps": 2}, "nothing is pre-trained"),
    ("googlenet", {"is_headed": False, "head_units": 32}, "no auxiliary heads"),
    ("attention", {"learning_curve": True}, "pictures and tables alone"),
]


@pytest.mark.parametrize(("name", "settings", "why"), IDLE)
def test_a_dial_without_effect_is_refused_with_the_reason(
    sources: dict[str, Any], name: str, settings: dict[str, Any], why: str
):
    row = find(name)
    with pytest.raises(OptionError, match=why) as caught:
        put_together(row, source_for(row, sources), settings)
    assert caught.value.place == f"--set {list(settings)[-1]}"


def test_the_value_that_holds_anyway_is_let_pass(sources: dict[str, Any]):
    assemble(find("ngram"), sources["text"], epochs=1.0, settings={"momentum": 0.9})
    with pytest.raises(OptionError, match="counted once"):
        assemble(find("ngram"), sources["text"], epochs=3.0)


def test_what_the_data_tells_is_no_dial(sources: dict[str, Any]):
    for name, dial in (
        ("skip_gram", "counts"), ("skip_gram", "spec"), ("semantic_network", "has_held"),
        ("transformer", "spec"), ("lenet5", "labels"), ("senna", "tags"),
    ):  # fmt: skip
        row = find(name)
        with pytest.raises(OptionError, match="a known key"):
            put_together(row, source_for(row, sources), {dial: [1, 2]})


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_absurd_numbers_are_refused_or_taken(row: Row, sources: dict[str, Any]):
    source = source_for(row, sources)
    usual = put_together(row, source, {})
    groups = (usual.config, usual.recipe, usual.task, usual.data_settings, RunSettings())
    asked = [(group, name) for group in groups for name in numbers_of(group)]
    assert len(asked) >= 10  # those of every recipe, at least
    refused = 0
    for group, name in asked:
        for value in ABSURD:
            is_of_net = group in (usual.config, usual.task)
            error = refusal(partial(tried, row, source, {name: value}, is_of_net))
            if error is not None:
                refused += 1
                assert error.place in (f"--set {name}", "--set"), (name, value, str(error))
                assert error.expected
    assert refused >= 12  # a batch of none, a rate below zero, ...


def refusal(act: Callable[[], object]) -> OptionError | None:
    """Return what an act was refused with; anything else that it raises is a traceback."""
    try:
        act()
    except OptionError as error:
        return error
    return None


def tried(row: Row, source: Any, settings: Mapping[str, Any], is_of_net: bool) -> None:
    """Put a question together, and where the net or the question differ, begin to train."""
    assembly = put_together(row, source, settings)
    if is_of_net:
        with within_reach():
            begin(assembly)


def begin(assembly: Assembly) -> None:
    """Build the model, and look at the first batch of the first stage."""
    seed_everything(0, "initial weights")
    model = assembly.make_model()
    stage = next(iter(assembly.make_stages(model)))
    if stage.before is not None:
        stage.before(model)
    stage.optimizer(model)
    stage.objective(model, stage.feed.batch(0))


# Dials whose effect data of this size does not show, with the reason.
UNSEEN = {
    "precision": "a number format is taken by the run, not by the stages",
    "is_tempered": "fewer texts than FEWEST_TO_TEMPER",
    "neocognitron epochs": "as many presentations as there are by default fit into half of them",
    "neocognitron augmentation": "three steps of naming name the same cells",
    "largest_side": "the pictures are smaller",
    "is_legal": "after three steps no tag is answered that is not legal",
    "has_slack": "no output is beyond 0.2 and 0.8 yet",
    "pretrain_late_momentum": "comes after more than three steps",
    "pretrain_early_epochs": "the same",
    "target_update": "the same",
    "epsilon_final": "the same",
    "exploration_moves": "the same",
    "is_reward_clipped": "rewards are -1, 0 and 1",
    "error_limit": "no error is as large",
    "margin_weight": "the right trees stand above by the margin",
    "kappa": "the same",
    "is_lowercase": "the text is in small letters",
    "phrase_passes": "words drawn at random make no phrases",
    "num_answers": "words are named for a question, none is asked",
    "length_alpha": "after three steps all hypotheses are alike",
    "replay_size": "fewer moves are played",
}


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_dial_changes_something_or_is_refused(row: Row, sources: dict[str, Any]):
    source = source_for(row, sources)
    usual = put_together(row, source, {})
    known = traces(usual)
    groups = (usual.config, usual.recipe, usual.task, usual.data_settings)
    silent = []
    for name, value in {k: v for group in groups for k, v in dials(group).items()}.items():
        if (
            name in UNSEEN
            or f"{row.name} {name}" in UNSEEN
            or (other := another(name, value)) is None
        ):
            continue
        try:
            left = traces(put_together(row, source, {name: other}))
        except OptionError:
            continue
        if left == known:
            silent.append(f"{name}={other}")
    assert not silent


def traces(assembly: Assembly) -> tuple[Any, ...]:
    """Return what training for a few steps leaves behind: lengths, weights and scores."""
    seed_everything(0, "initial weights")
    model = assembly.make_model()
    stages = list(assembly.make_stages(model))
    steps = [stage.steps for stage in stages]
    short = [stage.lasting(min(3, stage.steps)) for stage in stages]
    for _ in train(model, short, device=torch.device("cpu"), precision="float32", seed=0):
        pass
    weights = {name: (*w.shape, w.double().sum().item(), w.double().norm().item())
               for name, w in model.state_dict().items()}  # fmt: skip
    return steps, weights, str(assembly.task.score(model.eval(), assembly.data))


def another(name: str, value: Any) -> Any:
    """Return another value of a dial, or None where a number does not tell which."""
    known = {"augmentation": "none" if value != "none" else ",".join(VARIATIONS), "size": 7}
    match value:
        case _ if name in OTHERS:
            return OTHERS[name] if value != OTHERS[name] else LAST.get(name)
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 if value else 0.25
        case str():
            return known.get(name)
        case (int(), *_):
            return tuple(k + 1 for k in value)
        case (float(), *_):
            return tuple(k / 2 for k in value)
    return known.get(name)


LAST = {"schedule": "linear", "optimizer": "sgd"}
OTHERS: dict[str, Any] = {
    "optimizer": "rmsprop", "schedule": "constant", "clip_norm": 1e-3, "average": 0.5,
    "warmup": 0.5, "accumulate": 2, "batch_size": 3, "num_labels": 5, "num_symbols": 12,
    "unit": None, "min_count": None, "order": 2, "most_symbols": 300, "batch_units": 40,
    "beam": 1, "test_epsilon": 0.5, "widths": None, "hidden_sizes": None,
}  # fmt: skip
