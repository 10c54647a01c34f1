"""Evidence is judged as it is: statuses, intervals, pages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from samoyed import verifying
from samoyed.catalog import find
from samoyed.claims import CLAIMS, claims_of

CLAIM = claims_of("lenet5")[0]
PAIRED = next(c for c in claims_of("deep_belief_net") if c.against is not None)


def test_a_mean_below_the_bound_is_not_reproduced():
    assert verifying._status(CLAIM, [0.991, 0.992, 0.9905], []) == "reproduced"
    assert verifying._status(CLAIM, [0.989, 0.9895, 0.9901], []) == "target not reached"


def test_how_many_seeds_must_reach_it():
    claim = replace(CLAIM, needed=2, bound=10.0, scale="reproduced at reduced scale")
    assert verifying._status(claim, [11, 12, 3], []) == "reproduced at reduced scale"
    assert verifying._status(claim, [11, 9, 3], []) == "target not reached"


def test_a_gain_must_be_large_and_certain():
    ours, others = [0.93, 0.92, 0.94, 0.93, 0.93], [0.88, 0.87, 0.885, 0.88, 0.875]
    assert verifying._status(PAIRED, ours, others) != "target not reached"
    uncertain = [0.70, 0.88, 0.93, 0.92, 0.99]
    assert verifying._status(PAIRED, ours, uncertain) == "target not reached"


def test_what_a_thing_may_cost_is_no_gain():
    claim = next(c for c in claims_of("large_vocabulary") if c.against is not None)
    assert (claim.bound, claim.is_relative) == (0.05, True)
    assert verifying._status(claim, [620.0], [600.0]) == claim.scale
    assert verifying._status(claim, [590.0], [600.0]) == claim.scale
    assert verifying._status(claim, [640.0], [600.0]) == "target not reached"
    said = verifying._in_words(claim, [606.0], [600.0])
    assert said == "606 against 600; difference +1.00% +- 0.00%"
    unsure = [[600.0, 625.0, 650.0], [600.0, 610.0, 620.0]]  # 15 more, but it may be 52
    assert verifying._status(claim, *unsure) == "target not reached"


def test_where_less_is_better_a_gain_is_a_fall():
    claim = next(c for c in claims_of("rnnlm") if c.against is not None)
    assert not claim.is_at_least
    assert verifying._status(claim, [150.0, 152.0], [180.0, 181.0]) == claim.scale
    assert verifying._status(claim, [170.0, 172.0], [180.0, 181.0]) == "target not reached"
    assert verifying._status(claim, [210.0, 212.0], [180.0, 181.0]) == "target not reached"
    assert verifying._in_words(claim, [150.0, 152.0], [180.0, 181.0]).startswith(
        "151 against 180.5; difference -29.5 +- "
    )


def test_f1_is_written_as_papers_do():
    (claim,) = claims_of("senna")
    assert verifying._in_words(claim, [0.91, 0.92], []) == "91.50, standard deviation 0.71"


def test_the_interval_is_students():
    values = [0.93, 0.92, 0.94, 0.93, 0.95]
    expected = stats.t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    assert verifying._interval(values) == pytest.approx(expected, rel=2e-3)


def test_pages_keep_earlier_measurements_and_name_what_was_not_run(tmp_path: Path):
    row = find("deep_belief_net")
    first, second = claims_of("deep_belief_net")
    measured = {
        "key": first.key, "statement": first.statement, "paper": first.paper,
        "target": first.target, "values": [0.987], "against": [], "ours": "98.70%",
        "status": "reproduced", "seconds": [60.0], "command": "samoyed train mnist",
        "machine": "a machine", "commit": "abc", "date": "2026-01-01",
    }  # fmt: skip
    verifying.write_evidence(row, [measured], tmp_path)
    page = (tmp_path / "deep_belief_net.md").read_text()
    assert "**reproduced**" in page
    assert "**not run**" in page
    assert second.statement in page
    verifying.write_evidence(row, [{**measured, "key": second.key}], tmp_path)
    held = json.loads((tmp_path / "deep_belief_net.json").read_text())["claims"]
    assert [claim["key"] for claim in held] == [first.key, second.key]


def test_a_claim_without_its_data_is_said_not_to_be_run(tmp_path: Path):
    said: list[str] = []
    assert verifying._measure(CLAIM, tmp_path, 1, said.append) is None
    assert "not run" in said[0]


def test_test_files_of_claims_lie_beside_what_is_learned_from():
    asked = [(claim, claim.table["test"]) for claim in CLAIMS if "test" in (claim.table or {})]
    assert len(asked) >= 5
    for claim, test in asked:
        assert Path(test).parent == Path(claim.data).parent, claim.key


def test_a_table_is_asked_for_its_columns_and_its_test_file(tmp_path: Path, monkeypatch):
    claim = next(c for c in claims_of("max_channel_network") if "test" in c.table)
    (tmp_path / "tables").mkdir()
    (tmp_path / claim.data).write_text("")
    asked = {}

    def train(place, **options):
        asked.update(options, place=place)
        raise KeyboardInterrupt  # nothing is trained here

    monkeypatch.setattr("samoyed.api.train", train)
    with pytest.raises(KeyboardInterrupt):
        verifying._measure(claim, tmp_path, 1, print)
    assert asked["place"] == str(tmp_path / "tables/binary.train")
    assert asked["test"] == str(tmp_path / "tables/binary.test")
    assert asked["target"] == "1"
    assert asked["model"] == "max_channel_network"
    assert "--target 1 --test tables/binary.test" in verifying._command(claim)


def test_what_was_measured_is_told_of_the_very_run():
    claim = replace(next(iter(claims_of("family_trees"))), epochs=20.0, settings={"num_threads": 1})
    measured = verifying._measure(claim, None, 1, lambda line: None)
    assert measured is not None
    assert measured["machine"].endswith(", 1 thread, float32")
    assert 0 <= measured["values"][0] <= 1
