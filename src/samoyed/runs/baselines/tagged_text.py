"""Shallow models on the same sentences: each word's most frequent tag, and always the commonest."""

from __future__ import annotations

from collections import Counter, defaultdict

from samoyed.core.reference import Score
from samoyed.data.tagged_text import TaggedData
from samoyed.data.words import normal
from samoyed.tasks.tag import scores_of


def measure(data: TaggedData, seed: int = 0) -> list[tuple[str, Score]]:
    """Return the headline score of each shallow model on the held-out sentences.

    A word that training did not show gets the most frequent tag of its last three letters, and
    where those are new too, the commonest tag of all.

    Args:
        data: the sentences.
        seed: of the intervals.
    """
    by_word: dict[str, Counter[str]] = defaultdict(Counter)
    by_ending: dict[str, Counter[str]] = defaultdict(Counter)
    whole: Counter[str] = Counter()
    for sentence in data.train.sentences:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            by_word[normal(word)][tag] += 1
            by_ending[normal(word)[-3:]][tag] += 1
            whole[tag] += 1
    commonest = whole.most_common(1)[0][0]

    def best(word: str) -> str:
        for counts in (by_word.get(normal(word)), by_ending.get(normal(word)[-3:])):
            if counts:
                return counts.most_common(1)[0][0]
        return commonest

    sentences = data.test.sentences
    truth = [sentence.tags for sentence in sentences]
    answers = {
        "each word's most frequent tag": [[best(word) for word in s.words] for s in sentences],
        "always the commonest tag": [[commonest] * len(s.words) for s in sentences],
    }
    return [
        (name, scores_of(truth, told, data.tags.scheme, seed)[0]) for name, told in answers.items()
    ]
