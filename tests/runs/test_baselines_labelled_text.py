"""Linear models of words beside a classifier of texts."""

import pytest

from samoyed.data.labelled_text import scan_labelled_text
from samoyed.runs.baselines import labelled_text
from samoyed.runs.baselines.labelled_text import measure


@pytest.fixture
def data(tmp_path):
    """Texts of two classes, one folder after the other."""
    for k in range(80):
        path = tmp_path / ("bad", "good")[k // 40] / f"{k}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"it was {('dull', 'lovely')[k // 40]} number {k}\n")
    return scan_labelled_text(tmp_path).load()


def test_words_tell_classes_apart(data):
    scores = dict(measure(data))
    assert scores["always the commonest class"].value == 0.5
    assert scores["logistic regression on n-grams"].value == 1.0


def test_a_part_of_very_many_texts_has_every_class_and_is_called_one(data, monkeypatch):
    monkeypatch.setattr(labelled_text, "_MOST_TEXTS", 20)
    scores = dict(measure(data))
    assert scores["support vectors on n-grams (20 texts)"].value == 1.0
