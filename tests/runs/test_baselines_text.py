"""The baselines of text against brute force."""

import lzma
import random
from collections import defaultdict

import numpy as np
import pytest

from samoyed.core.spec import TextSpec
from samoyed.data.text import UNKNOWN, TextData
from samoyed.layers.kneser_ney import KneserNey
from samoyed.runs.baselines.text import lzma_bits, measure

V = 5


def draw_text(num, seed=0):
    """A second-order chain, so that there is something to foresee."""
    generator = random.Random(seed)
    codes = [0, 1]
    while len(codes) < num:
        likely = (codes[-1] + 2 * codes[-2]) % 4
        codes.append(likely if generator.random() < 0.7 else generator.randrange(4))
    return np.array(codes)


def brute_force(codes, order):
    """Interpolated modified Kneser-Ney with dictionaries, from the formulas of Chen & Goodman."""
    codes = codes.tolist()
    tables = {order: defaultdict(int)}
    for i in range(len(codes) - order + 1):
        tables[order][tuple(codes[i : i + order])] += 1
    for n in range(order - 1, 0, -1):
        tables[n] = defaultdict(int)
        for gram in tables[n + 1]:
            tables[n][gram[1:]] += 1
    discounts = {}
    for n, table in tables.items():
        n1, n2, n3, n4 = (sum(c == k for c in table.values()) for k in (1, 2, 3, 4))
        usual = n1 and n2 and n3 and n4
        if usual:
            y = n1 / (n1 + 2 * n2)
            found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
            usual = all(0 < d < k for k, d in enumerate(found, 1))
        discounts[n] = found if usual else [0.5, 1.0, 1.5]

    def probability(gram):
        n = len(gram)
        if n == 0:
            return 1 / V
        total = sum(c for g, c in tables[n].items() if g[:-1] == gram[:-1])
        shorter = probability(gram[1:])
        if not total:
            return shorter
        cut = lambda c: discounts[n][min(c, 3) - 1] if c else 0.0  # noqa: E731
        held = sum(cut(c) for g, c in tables[n].items() if g[:-1] == gram[:-1])
        count = tables[n].get(gram, 0)
        return (count - cut(count)) / total + held / total * shorter

    return probability


@pytest.mark.parametrize("num", [60, 3_000])
def test_kneser_ney_is_the_brute_force_one(num):
    train, test = draw_text(num), draw_text(40, seed=1)
    test[7] = V - 1  # a symbol that training did not show
    model = KneserNey.learn(train, V, 3)
    likely = model.probabilities(train[-3:], test)
    probability = brute_force(train, 3)
    text = [*train[-3:].tolist(), *test.tolist()]
    expected = [probability(tuple(text[i - 2 : i + 1])) for i in range(3, len(text))]
    np.testing.assert_allclose(likely, expected, rtol=1e-12)


def test_kneser_ney_probabilities_sum_to_one():
    train = draw_text(2_000)
    model = KneserNey.learn(train, V, 4)
    for context in ([0, 1, 2], [3, 3, 3], [4, 4, 4], [4, 0, 1]):
        total = sum(model.probabilities(np.array(context), np.array([s]))[0] for s in range(V))
        assert total == pytest.approx(1.0, abs=1e-12)


def test_longer_contexts_foresee_a_chain_better_and_all_beat_chance():
    symbols = TextSpec(("a", "b", "c", "d", UNKNOWN))
    codes = draw_text(22_000)
    data = TextData(symbols, codes[:20_000], codes[20_000:])
    scores = dict(measure(data))
    assert set(scores) == {"character frequencies", "6-gram, Kneser-Ney", "LZMA compression"}
    entropy = -0.775 * np.log2(0.775) - 3 * 0.075 * np.log2(0.075)
    ngram = scores["6-gram, Kneser-Ney"]
    assert entropy - 0.1 < ngram.value < entropy + 0.1
    assert ngram.low < ngram.value < ngram.high
    assert ngram.num == 2_000
    assert ngram.value < scores["LZMA compression"].value
    assert 1.9 < scores["character frequencies"].value < 2.01
    assert all(not score.is_higher_better for score in scores.values())


def test_the_compressor_knows_the_training_part():
    codes = np.random.default_rng(0).integers(0, 4, 20_000)
    data = TextData(TextSpec(("a", "b", "c", "d", UNKNOWN)), codes, codes[5_000:7_000])
    assert lzma_bits(data) < 0.1
    fresh = np.random.default_rng(1).integers(0, 4, 2_000)
    bits = lzma_bits(TextData(data.spec, codes, fresh))
    alone = 8 * len(lzma.compress("".join("abcd"[c] for c in fresh).encode())) / 2_000
    assert 2.0 < bits < alone + 0.5


END = 0


def count_sentences(codes, order):
    """Count as KenLM does: <s> begins and </s> ends each sentence; n-grams do not leave it."""
    sentences, current = [], ["<s>"]
    for code in codes.tolist():
        current.append(code)
        if code == END:
            sentences.append(current)
            current = ["<s>"]
    sentences.append(current)
    raw = {n: defaultdict(int) for n in range(1, order + 1)}
    for sentence in sentences:
        for n in raw:
            for i in range(len(sentence) - n + 1):
                raw[n][tuple(sentence[i : i + n])] += 1
    tables = {order: dict(raw[order])}
    for n in range(1, order):
        before = defaultdict(set)
        for gram in raw[n + 1]:
            before[gram[1:]].add(gram[0])
        tables[n] = {
            gram: times if gram[0] == "<s>" else len(before[gram])
            for gram, times in raw[n].items()
            if gram != ("<s>",)
        }
    return tables


def sentence_brute_force(codes, order):
    """Interpolated modified Kneser-Ney over the sentences' counts."""
    tables = count_sentences(codes, order)

    def discount(n, count):
        n1, n2, n3, n4 = (sum(c == k for c in tables[n].values()) for k in (1, 2, 3, 4))
        if not (n1 and n2 and n3 and n4):
            return [0, 0.5, 1.0, 1.5][min(count, 3)]
        y = n1 / (n1 + 2 * n2)
        found = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        is_usual = all(0 < d < k for k, d in enumerate(found[1:], 1))
        return (found if is_usual else [0, 0.5, 1.0, 1.5])[min(count, 3)]

    def probability(gram):
        n = len(gram)
        if n == 0:
            return 1 / V
        beside = [c for g, c in tables[n].items() if g[:-1] == gram[:-1]]
        shorter = probability(gram[1:])
        if not beside:
            return shorter
        count = tables[n].get(gram, 0)
        held = sum(discount(n, c) for c in beside)
        return (count - discount(n, count)) / sum(beside) + held / sum(beside) * shorter

    return probability


def test_kneser_ney_over_sentences_is_the_brute_force_one():
    train, test = draw_text(500), draw_text(120, seed=1)
    model = KneserNey.learn(train, V, 4, end=END)
    likely = model.probabilities(np.array([END]), test)
    probability = sentence_brute_force(train, 4)
    context, expected = ["<s>"], []
    for code in test.tolist():
        expected.append(probability((*context[-3:], code)))
        context = ["<s>"] if code == END else [*context, code]
    np.testing.assert_allclose(likely, expected, rtol=1e-10)


@pytest.mark.parametrize("longest", [0, 1, 2])
def test_sentences_too_short_for_the_order_are_the_brute_force_ones(longest):
    drawn = np.random.default_rng(longest)
    lines = [drawn.integers(1, 4, longest) for _ in range(60)]
    train = np.concatenate([np.append(line, END) for line in lines]).astype(np.int64)
    model = KneserNey.learn(train, V, 5, end=END)
    assert len(model.levels) == longest + 2 if longest else 2  # <s>, the words and the end
    test = np.array([1, END, 2, 2, 3, END, 4, END, END, 1])
    likely = model.probabilities(np.array([END]), test)
    probability = sentence_brute_force(train, 5)
    context, expected = ["<s>"], []
    for code in test.tolist():
        expected.append(probability((*context[-4:], code)))
        context = ["<s>"] if code == END else [*context, code]
    np.testing.assert_allclose(likely, expected, rtol=1e-12)


def test_sentence_counts_of_a_corpus_one_can_count_by_hand():
    # a b </s> a b </s> b </s>, with a = 1, b = 2, </s> = 0
    codes = np.array([1, 2, 0, 1, 2, 0, 2, 0])
    model = KneserNey.learn(codes, 3, 2, end=END)
    # bigrams (<s> a) 2, (<s> b) 1, (a b) 2, (b </s>) 3: no count of four, so the discounts are
    # 0.5, 1, 1.5; before a stands <s>; before b stand <s> and a; before </s> stands b
    unigram = {0: 0.5 / 4, 1: 0.5 / 4, 2: 1 / 4}
    unigram = {w: p + (0.5 + 0.5 + 1) / 4 / 3 for w, p in unigram.items()}
    expected = [(2 - 1) / 3 + 1.5 / 3 * unigram[1], (2 - 1) / 2 + 1 / 2 * unigram[2]]
    likely = model.probabilities(np.array([END]), np.array([1, 2]))
    np.testing.assert_allclose(likely, expected, rtol=1e-12)


def test_sentences_sum_to_one_and_alphabets_may_be_large():
    train = draw_text(2_000)
    model = KneserNey.learn(train, V, 5, end=END)
    for context in ([0, 1, 2, 3], [3, 0], [4, 4, 4, 4], [1, 2]):
        total = sum(model.probabilities(np.array(context), np.array([s]))[0] for s in range(V))
        assert total == pytest.approx(1.0, abs=1e-12)
    spread = train * 12_000  # 60,000 symbols to the fifth are no 63 bits
    wide = KneserNey.learn(spread, 60_000, 5)
    near = KneserNey.learn(train, 60_000, 5)
    np.testing.assert_allclose(
        wide.probabilities(spread[:4], spread[4:60]), near.probabilities(train[:4], train[4:60])
    )
