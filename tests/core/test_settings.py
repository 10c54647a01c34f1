"""`--set key=value`: parsed, validated, and wrong ones explained."""

from __future__ import annotations

import pytest

from samoyed.core.errors import OptionError, did_you_mean
from samoyed.core.settings import apply, from_json, parse, to_json
from samoyed.core.spec import ImageSpec, LabelSpec, TextSpec, WorldSpec
from samoyed.core.stage import Recipe


def test_values_become_the_fields_types():
    pairs = ["learning_rate=0.1", "batch-size=32", "optimizer=sgd", "clip_norm=1"]
    [recipe] = apply(parse(pairs), [Recipe(clip_norm=None)])
    assert recipe == Recipe(optimizer="sgd", learning_rate=0.1, batch_size=32, clip_norm=1.0)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("lerning_rate=1", "Did you mean 'learning_rate'"),
        ("batch_size=many", "valid integer"),
        ("optimizer=adamm", "'adam'"),
        ("batch_size", "key=value"),
        ("=3", "key=value"),
        ("learning_rate=-1", "greater than 0"),
        ("batch_size=0", "greater than"),
        ("epochs=0", "greater than 0"),
        ("momentum=1.5", "less than"),
        ("average=2", "less than"),
    ],
)
def test_wrong_settings_are_explained(pair: str, said: str):
    with pytest.raises(OptionError) as caught:
        apply(parse([pair]), [Recipe()])
    assert said in str(caught.value)
    assert "--set" in caught.value.place


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("hiden", ["batch_size", "num_hidden_units_of_each"], "num_hidden_units_of_each"),
        ("hiden", ["hide", "num_hidden_units"], "hide"),
        ("smoothing", ["soothe", "label_smoothing_of_targets"], "label_smoothing_of_targets"),
        ("zzz", ["num_hidden_units", "seed"], None),
    ],
)
def test_the_nearest_name_may_hold_the_word_inside(word, known, found):
    assert did_you_mean(word, known) == (f" Did you mean '{found}'?" if found else "")


def test_a_key_given_twice_is_refused():
    with pytest.raises(OptionError, match="twice"):
        parse(["epochs=1", "epochs=2"])


@pytest.mark.parametrize(
    "spec",
    [
        ImageSpec(3, 32, 48),
        LabelSpec(("a", "ü")),
        TextSpec(("a", "\n", "\ufffd")),
        WorldSpec("Catch", (1, 24, 24), True, 3, ("left", "stay", "right")),
        Recipe(average=0.99),
    ],
)
def test_specs_survive_json(spec: object):
    import json

    assert from_json(type(spec), json.loads(json.dumps(to_json(spec)))) == spec
