"""Figures of a tagger: which kinds it misses, what is taken for what, sentences with errors."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.data.tag_schemes import spans_of
from samoyed.data.tagged_text import TaggedData
from samoyed.data.words import encode
from samoyed.metrics import classification
from samoyed.metrics.intervals import wilson
from samoyed.runs.drawing import Figure, bar_chart, table
from samoyed.runs.figures.classify import confusion_figure
from samoyed.tasks.tag import Tag, sentences_of

NUM_SENTENCES = 8
MOST_TAGS = 20  # of the confusion
NUM_WORDS = 15
NUM_BARS = 12
LONGEST = 60  # words of a sentence that is shown


def draw(
    task: Tag, model: nn.Module, data: TaggedData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures."""
    truth = [sentence.tags for sentence in data.test.sentences]
    answers, sure = task.tag(model, data.test.rows, next(model.parameters()).device)
    figures = [
        _by_kind(truth, answers, bool(task.tags.scheme)),
        _confusion(truth, answers),
        _sentences(data, answers, sure),
        _words(data, answers),
    ]
    return [figure for figure in figures if figure is not None]


def explain(task: Tag, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw each sentence with its tags.

    Raises:
        DataError: for a file that cannot be read, or an input without a word.
    """
    sentences = sentences_of(inputs, task.spec)
    if not sentences:
        return []
    rows = encode(sentences, task.spec)
    answers, sure = task.tag(model, rows, next(model.parameters()).device)
    figures = []
    for i, (words, tags, share) in enumerate(zip(sentences, answers, sure, strict=True)):
        numbers = rows.padded(np.array([i]))[0, :, 0].tolist()
        new = [word for word, number in zip(words, numbers, strict=True) if number == 1]
        said = " ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))
        figures.append(
            Figure(
                " ".join(words)[:60],
                f"The likeliest tags; the model gives this whole sequence {100 * share:.1f} %."
                + (f" New words: {', '.join(new)}." if new else ""),
                marked(words, tags, tags),
                said=said,
            )
        )
    return figures


def marked(words: Sequence[str], truth: Sequence[str], answers: Sequence[str]) -> str:
    """Write words over their tags; where the answer is wrong, both, the wrong one struck out."""
    parts = []
    for word, true, told in zip(words, truth, answers, strict=True):
        tag = html.escape(true)
        style = ""
        if true != told:
            tag = f"<del>{html.escape(told)}</del> {tag}"
            style = "background:rgba(214,69,65,.25);"
        parts.append(
            f'<span style="display:inline-block;{style}margin:2px 5px 6px 0;text-align:center">'
            f'{html.escape(word)}<br><small style="opacity:.75">{tag}</small></span>'
        )
    return f"<p>{''.join(parts)}</p>"


def _by_kind(
    truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]], has_chunks: bool
) -> Figure:
    """Show F1 of each type of chunk, or how often each tag is found."""
    right: Counter[str] = Counter()
    told: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for one, two in zip(truth, answers, strict=True):
        if has_chunks:
            held, found = set(spans_of(one)), set(spans_of(two))
            right.update(kind for kind, _, _ in held & found)
            true.update(kind for kind, _, _ in held)
            told.update(kind for kind, _, _ in found)
        else:
            right.update(a for a, b in zip(one, two, strict=True) if a == b)
            true.update(one)
            told.update(two)
    kinds = sorted(true, key=lambda kind: (-true[kind], kind))
    scores = {kind: 2 * right[kind] / (true[kind] + told[kind]) for kind in kinds}
    rows = [
        (
            kind, f"{100 * scores[kind]:.1f} %",
            f"{100 * right[kind] / max(1, told[kind]):.1f} %",
            f"{100 * right[kind] / true[kind]:.1f} %", f"{true[kind]:,}",
        )
        for kind in kinds
    ]  # fmt: skip
    what = "chunks" if has_chunks else "tags"
    bars = []
    for kind in kinds[:NUM_BARS]:
        low, high = wilson(right[kind], true[kind])
        bars.append((kind, 100 * right[kind] / true[kind], 100 * low, 100 * high))
    return Figure(
        f"{'Chunk by chunk' if has_chunks else 'Tag by tag'}",
        f"Of the most frequent kinds of {what}, which share is found (recall), with 95 % "
        "intervals. Precision is which share of the answers is right, F1 their harmonic mean.",
        bar_chart(bars, unit="%")
        + "<details><summary>Precision and F1</summary>"
        + table(("kind", "F1", "precision", "recall", what), rows) + "</details>",
    )  # fmt: skip


def _confusion(truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> Figure:
    flat = [(a, b) for one, two in zip(truth, answers, strict=True)
            for a, b in zip(one, two, strict=True)]  # fmt: skip
    wrong = Counter(tag for a, b in flat if a != b for tag in (a, b))
    names = [tag for tag, _ in wrong.most_common(MOST_TAGS)] or [flat[0][0]]
    places = {name: k for k, name in enumerate(names)}
    pairs = [(places[a], places[b]) for a, b in flat if a in places and b in places]
    counts = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    matrix = classification.confusion_matrix(counts[:, 0], counts[:, 1], len(names))
    return confusion_figure(matrix, names)


def _sentences(data: TaggedData, answers: Sequence[Sequence[str]], sure: np.ndarray) -> Figure:
    """Show the sentences that the model was surest of and wrong about."""
    wrong = [
        i for i, s in enumerate(data.test.sentences)
        if list(s.tags) != list(answers[i]) and 4 <= len(s.words) <= LONGEST
    ]  # fmt: skip
    order = sorted(wrong, key=lambda i: -sure[i])[:NUM_SENTENCES]
    num = sum(list(s.tags) != list(a) for s, a in zip(data.test.sentences, answers, strict=True))
    shown = "".join(
        f"<p><small>{html.escape(data.test.sentences[i].place.rsplit('/', 1)[-1])}, sure to "
        f"{100 * sure[i]:.0f} %</small></p>"
        + marked(data.test.sentences[i].words, data.test.sentences[i].tags, answers[i])
        for i in order
    )
    return Figure(
        "Most confident mistakes",
        f"{num:,} of {len(answers):,} sentences have a mistake; in these the model was surest. "
        "Struck out is the answer, behind it the truth; some may be wrong labels.",
        shown or "<p>No sentence is wrong.</p>",
    )


def _words(data: TaggedData, answers: Sequence[Sequence[str]]) -> Figure | None:
    """List the words whose tags are most often wrong."""
    wrong: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for sentence, told in zip(data.test.sentences, answers, strict=True):
        for word, true, tag in zip(sentence.words, sentence.tags, told, strict=True):
            seen[word] += 1
            wrong[word] += true != tag
    shown = [(word, num) for word, num in wrong.most_common(NUM_WORDS) if num]
    if not shown:
        return None
    rows = [(word, f"{num:,}", f"{seen[word]:,}") for word, num in shown]
    return Figure(
        "Words that are tagged wrong most often",
        "Small words that serve several purposes are often the hardest.",
        table(("word", "wrong", "occurs"), rows),
    )
