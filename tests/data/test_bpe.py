"""Units: merges against the paper's algorithm 1, and the way back."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samoyed.data import bpe

TEXT = ["low lower newest", "low low widest newest", "newest widest lowest low", "Ein Hund, nass."]


def slowly(sentences, num):
    """Algorithm 1 of Sennrich et al. 2016: all counts anew for each merge."""
    words = Counter(chunk for s in sentences for chunk in bpe.chunks(s))
    spelled = {word: list(word) for word in words}
    merges = []
    for _ in range(num):
        pairs = Counter()
        for word, pieces in spelled.items():
            for pair in pairwise(pieces):
                pairs[pair] += words[word]
        if not pairs or max(pairs.values()) < 2:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = {word: bpe.merged(pieces, best) for word, pieces in spelled.items()}
    return merges


@pytest.mark.parametrize("sentences", [TEXT, ["aaa aaaa aa aaaaaaa", "abab ababab baba"]])
def test_merges_are_those_of_the_paper(sentences):
    spec = bpe.fit(sentences, "bpe", 200)
    assert list(spec.merges) == slowly(sentences, 200)
    assert len(spec.merges) > 4


@pytest.mark.parametrize("kind", ["bpe", "character"])
@given(text=st.text(alphabet="low nwidest, .EHu\u3000_ß\t'", max_size=40))
def test_the_way_back_is_exact(kind, text):
    spec = bpe.fit([*TEXT, "\u3000 _ ß \t '"], kind, 60)
    assert bpe.decode(bpe.encoder(spec)(text), spec) == text


def test_words_that_are_rare_are_unknown():
    spec = bpe.fit(TEXT, "word", 100)
    codes = bpe.encoder(spec)("low Hund newest")
    assert bpe.decode(codes, spec) == f"low {bpe.UNSEEN} newest"


def test_marks_written_in_a_text_are_text():
    spec = bpe.fit([*TEXT, "<pad> <s>"], "bpe", 100)
    assert min(bpe.encoder(spec)("<s><pad>")) > 3
