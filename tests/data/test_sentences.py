"""A fifth of cut sentences held out."""

import pytest

from samoyed.core.errors import DataError
from samoyed.data.sentences import copies, without_a_fifth
from samoyed.data.tagged_columns import Sentence


def sentence(words: str, line: int) -> Sentence:
    cut = tuple(words.split())
    return Sentence(cut, ("O",) * len(cut), (line,) * len(cut), "a.conll")


def test_copies_stay_on_one_side():
    sentences = [sentence(f"word {k % 25}", k) for k in range(100)]
    train, test = without_a_fifth(sentences, seed=0)
    assert len(test) == 20
    assert {s.words for s in train}.isdisjoint(s.words for s in test)


def test_many_copies_of_one_that_are_held_out_are_told():
    many = [sentence("the weather was fine", k) for k in range(20)]
    others = [sentence(f"word {k}", 100 + k) for k in range(80)]
    [warning] = copies({"train": others[:40], "test": [*others[40:], *many]})
    assert warning.startswith("20 of the 60 sentences of the test part are copies of one")
    assert not copies({"train": others[:40], "test": [*others[40:], *many[:3]]})


def test_copies_of_one_sentence_cannot_be_split():
    with pytest.raises(DataError, match=r"a\.conll:0(.|\n)*12 copies of one"):
        without_a_fifth([sentence("a b c", k) for k in range(12)], seed=0)
