"""The numbers by which the review cites a system's paper are those of its printed list."""

from __future__ import annotations

import pytest

from samoyed.catalog import METHODS, ROWS

# LeCun, Bengio & Hinton (2015), Nature 521, 436-444: number -> first author, words of the title.
PRINTED = {
    1: ("Krizhevsky", "ImageNet classification"),
    4: ("Szegedy", "Going deeper"),
    5: ("Mikolov", "large scale neural network language models"),
    8: ("Ma", "quantitative structure-activity relationships"),
    14: ("Collobert", "(almost) from scratch"),
    17: ("Sutskever", "Sequence to sequence"),
    19: ("Duda", "Pattern classification"),
    23: ("Rosenblatt", "perceptron"),
    27: ("Rumelhart", "back-propagating errors"),
    28: ("Glorot", "rectifier"),
    32: ("Hinton", "deep belief nets"),
    42: ("LeCun", "document recognition"),
    46: ("Fukushima", "Neocognitron"),
    49: ("Simard", "Best practices"),
    53: ("Ciresan", "Multi-column"),
    62: ("Srivastava", "Dropout"),
    65: ("Simonyan", "Very deep"),
    71: ("Bengio", "neural probabilistic language model"),
    72: ("Cho", "RNN encoder-decoder"),
    74: ("Socher", "natural scenes"),
    75: ("Mikolov", "words and phrases"),
    76: ("Bahdanau", "align and translate"),
    79: ("Hochreiter", "Long short-term memory"),
    80: ("El Hihi", "Hierarchical recurrent"),
    82: ("Pascanu", "difficulty of training"),
    83: ("Sutskever", "Generating text"),
    85: ("Rogers", "Semantic cognition"),
    100: ("Mnih", "Human-level control"),
    103: ("van der Maaten", "t-SNE"),
}
CHALLENGE = 10  # not a paper: what Melis 2015 won
CITED = [row for row in (*ROWS, *METHODS) if row.reference.review not in (None, CHALLENGE)]


@pytest.mark.parametrize("row", CITED, ids=lambda row: row.name)
def test_the_number_is_the_printed_one(row):
    author, words = PRINTED[row.reference.review]
    assert row.reference.authors.startswith(author)
    assert words in row.reference.title


def test_every_cited_paper_among_the_systems_has_its_number():
    unnumbered = [row.reference.title for row in (*ROWS, *METHODS) if row.reference.review is None]
    forgotten = [t for t in unnumbered for _, words in PRINTED.values() if words in t]
    assert not forgotten
