"""Facts of three parts: forms, what is held out, built-in ones, and ways to spoil a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.architecture import stand_ins

from samoyed.core.errors import DataError, SamoyedError
from samoyed.data.built_in_facts import relatives
from samoyed.data.facts import scan_facts
from samoyed.data.tables import TableAsk
from samoyed.opening import open_source
from samoyed.tasks.complete import Complete, is_completed, question_of

LINES = [("a", "likes", "b"), ("a", "knows", "c"), ("b", "likes", "c"), ("b", "knows", "b"),
         ("c", "likes", "b"), ("c", "knows", "c"), ("a", "likes", "c")]  # fmt: skip


@pytest.mark.parametrize("mark", ["\t", ",", " "])
def test_parts_are_parted_by_tabs_commas_or_spaces(tmp_path: Path, mark: str):
    file = tmp_path / "x.triples"
    file.write_text("\n\n".join(mark.join(line) for line in LINES) + "\n")
    source = open_source(str(file))
    assert source.facts == tuple(LINES)
    assert source.spec.subjects == ("a", "b", "c")
    data = source.load(0)
    assert data.questions.shape == (6, 2)
    assert data.answers[0].tolist() == [1, 1]  # a likes b and c
    assert data.is_held.sum() == 1


def test_any_file_is_read_so_where_it_is_asked_for(tmp_path: Path):
    from samoyed.data.tables import TableAsk

    file = tmp_path / "x.csv"
    file.write_text("\n".join(",".join(line) for line in LINES))
    assert open_source(str(file), ask=TableAsk(task="complete")).kind == "facts"


def test_the_family_trees_are_the_papers():
    source = scan_facts("family-trees")
    assert len(source.questions) == 104
    assert len(source.facts) == 112
    assert (len(source.spec.subjects), len(source.spec.relations)) == (24, 12)
    assert relatives(10)["aunt"] == {8, 4}  # Colin has aunts Jennifer and Margaret
    assert set(source.spec.objects) == set(source.spec.subjects)


def test_the_living_things_are_eight_with_four_relations_and_36_attributes():
    source = scan_facts("living-things")
    assert len(source.questions) == 32
    spec = source.spec
    assert (len(spec.subjects), len(spec.relations), len(spec.objects)) == (8, 4, 36)
    assert ("canary", "can", "sing") in source.facts
    assert ("pine", "has", "leaves") not in source.facts


def test_what_is_held_out_can_be_answered_and_depends_on_the_seed():
    source = scan_facts("family-trees")
    held = [source.load(seed) for seed in (0, 0, 1)]
    assert held[0].is_held.sum() == 4
    assert (held[0].is_held == held[1].is_held).all()
    assert (held[0].is_held != held[2].is_held).any()
    questions, answers = held[0].part(is_held=False)
    assert len(questions) == 100
    assert len(questions[:, 0].unique()) == 24
    assert len(questions[:, 1].unique()) == 12
    assert (answers.sum(0) > 0).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a likes b\na likes\n", "line 2"),
        ("a,likes,b\na,,b\n", "empty relation"),
        ("a\tb\tc\td\n", "4 parts"),
        ("", "facts.triples"),
        ("a likes b\n", "at least 4 questions"),
        ("a p x\na q x\nb p x\nb q x\nc q x\n", "different objects"),
    ],
)
def test_a_spoilt_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    file = tmp_path / "facts.triples"
    file.write_text(text)
    with pytest.raises(SamoyedError) as caught:
        scan_facts(str(file))
    assert said in str(caught.value)


def test_bad_lines_can_be_left_out_and_copies_are_counted(tmp_path: Path):
    file = tmp_path / "x.facts"
    rows = [" ".join(line) for line in LINES]
    file.write_text("\n".join([*rows, "a likes", rows[0]]))
    source = scan_facts(str(file), on_bad="skip")
    assert source.skipped == (f"{file}:8: 2 parts",)
    assert "more than once" in source.warnings[0]
    file.write_text("a p x\nb q y\nc r z\nd s w\n")
    with pytest.raises(DataError, match="other facts mention too"):
        scan_facts(str(file)).load(0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Colin", "1 parts"),
        ("Colin, cousin", "relation that was learned"),
        ("Collin, aunt", "Did you mean 'Colin'"),
    ],
)
def test_questions_about_what_was_not_learned_are_refused(line: str, said: str):
    with pytest.raises(DataError) as caught:
        question_of(line, scan_facts("family-trees").spec)
    assert said in str(caught.value)


def test_what_is_there_comes_before_a_built_in_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert open_source("family-trees").kind == "facts"
    stand_ins.put_pictures(tmp_path, np.random.default_rng(0))
    for name in ("family-trees", "living-things", "my.triples"):
        (tmp_path / "photos").rename(tmp_path / name)
        assert open_source(name).kind == "images"
        (tmp_path / name).rename(tmp_path / "photos")
    with pytest.raises(DataError, match="a folder"):
        open_source("photos", ask=TableAsk(task="complete"))


def test_right_objects_must_stand_above_all_others():
    answers = torch.tensor([[1.0, 1, 0], [1, 0, 0]])
    found = is_completed(torch.tensor([[0.6, 0.4, 0.3], [0.5, 0.5, 0.1]]), answers)
    assert found.tolist() == [True, False]
    assert Complete(scan_facts("living-things").spec, False).headline == "recalled_share"
