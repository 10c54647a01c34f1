"""Skip-gram with negative sampling beside gensim's: words per second, and what the vectors know.

Both read the same words of the same file with the same dials (100 dimensions, window 5, 5 noise
words, subsampling 1e-3, 5 passes unless said otherwise, words that occur 5 times or more). Seconds
are of the processor, over all threads, so that other work on the machine falls on neither; a pass
over the text counts its words before subsampling. gensim must be installed beside samoyed.

    python -m benchmarks.word_vectors TEXT [--similarity FILE ...] [--seeds 3] [--threads 2]
                                           [--epochs 5]
    python -m benchmarks.word_vectors --data FOLDER

TEXT: one sentence a line, words between blanks. FILE: `word word number` lines. FOLDER: the one
with text/brown, which is read in lower case.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from samoyed.core.seeding import seed_everything
from samoyed.core.spec import SENTENCE_END
from samoyed.data.numbered_words import Words
from samoyed.data.word_stream import UNKNOWN_WORD
from samoyed.data.word_stretches import StretchesOfWords
from samoyed.models.language.skip_gram import RECIPE, STRETCH, Config, SkipGram, stage_of
from samoyed.opening import open_source
from samoyed.training.loop import train
from samoyed.training.precision import resolve
from samoyed.training.processor import prepare_processor

LEAST = 5  # occurrences of a word that is learned


def ours(
    sentences: list[list[str]], words: list[str], counts: Counter, seed: int, epochs: float
) -> tuple[np.ndarray, float, float]:
    """Train ours; return the vectors, and the processor's and the clock's seconds."""
    known = {word: code for code, word in enumerate(words)}
    rows = [[known[w] for w in row if w in known] for row in sentences]
    codes = np.concatenate([np.array(row, np.int64) for row in rows])
    where = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    seed_everything(seed, "initial weights")
    config = Config()
    times = np.array([counts[w] for w in words])
    model = SkipGram(config, times)
    feed = StretchesOfWords(
        Words(codes, where), times, num_words=RECIPE.batch_size,
        stretch=STRETCH, window=config.window, threshold=config.threshold, seed=seed,
        num_shared=config.num_shared,
    )  # fmt: skip
    recipe = replace(RECIPE, epochs=epochs)
    precision = resolve(recipe.precision, "cpu")
    busy, clock = time.process_time(), time.perf_counter()
    for _ in train(model, stage_of(config, recipe, feed), precision=precision, seed=seed):
        pass
    took = time.process_time() - busy, time.perf_counter() - clock
    return model.given.weight.detach().numpy(), *took


def peer(
    sentences: list[list[str]], words: list[str], seed: int, threads: int, epochs: float
) -> tuple[np.ndarray, float, float]:
    """Train gensim's; return the vectors, and the processor's and the clock's seconds."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=100, window=5, min_count=LEAST, sg=1, negative=5, sample=1e-3, workers=threads,
        seed=seed,
    )  # fmt: skip
    model.build_vocab(sentences)
    busy, clock = time.process_time(), time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=int(epochs))
    took = time.process_time() - busy, time.perf_counter() - clock
    return np.stack([model.wv[word] for word in words]), *took


def sentences_of(path: Path) -> list[list[str]]:
    """Return the words of each sentence of a file of lines, or of a corpus that samoyed knows."""
    if path.is_file():
        return [line.split() for line in path.read_text().splitlines() if line.strip()]
    data = open_source(str(path)).load()
    symbols = np.array([symbol.lower() for symbol in data.spec.symbols], dtype=object)
    codes = np.concatenate([data.train, data.valid, data.test])
    ends = np.flatnonzero(codes == data.spec.symbols.index(SENTENCE_END))
    rows = np.split(codes, ends + 1)
    return [[w for w in symbols[row] if w not in (SENTENCE_END, UNKNOWN_WORD)] for row in rows]


def correlation(vectors: np.ndarray, words: list[str], file: Path) -> tuple[float, int]:
    """Return Spearman's correlation with people's judgements, and on how many pairs."""
    known = {word: code for code, word in enumerate(words)}
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    asked, answered = [], []
    for line in file.read_text().splitlines():
        one, two, value = line.lower().split()
        if one in known and two in known:
            asked.append(float(value))
            answered.append(float(unit[known[one]] @ unit[known[two]]))
    return float(spearmanr(asked, answered)[0]), len(asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--data", type=Path, help="the folder with text/brown")
    parser.add_argument("--similarity", type=Path, nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=int(RECIPE.epochs))
    options = parser.parse_args()
    text = options.text or (options.data and options.data / "text" / "brown")
    if text is None or importlib.util.find_spec("gensim") is None:
        print("not run: needs gensim, and a text: python -m benchmarks.word_vectors TEXT")
        return
    torch.set_num_threads(options.threads)
    prepare_processor()
    sentences = sentences_of(text)
    counts = Counter(word for row in sentences for word in row)
    words = [word for word, num in counts.most_common() if num >= LEAST]
    total = sum(map(len, sentences)) * options.epochs
    print(f"{total / options.epochs:,.0f} words, {len(words):,} learned, {options.threads} threads")
    found: dict[str, list[list[float]]] = {"samoyed": [], "gensim": []}
    for seed in range(1, options.seeds + 1):
        for name, lines in found.items():
            is_ours = name == "samoyed"
            made = ours(sentences, words, counts, seed, options.epochs) if is_ours else peer(
                sentences, words, seed, options.threads, options.epochs
            )  # fmt: skip
            rhos = [correlation(made[0], words, file)[0] for file in options.similarity]
            lines.append([total / made[1], total / made[2], *rhos])
            told = " ".join(f"{rho:.3f}" for rho in rhos)
            print(f"{name:8} seed {seed}: {total / made[1]:,.0f} words per second of processor, "
                  f"{total / made[2]:,.0f} by the clock; {told}", flush=True)  # fmt: skip
    for name, lines in found.items():
        means = [statistics.mean(column) for column in zip(*lines, strict=True)]
        told = " ".join(f"{rho:.3f}" for rho in means[2:])
        print(f"{name:8} mean: {means[0]:,.0f} and {means[1]:,.0f}; {told}")


if __name__ == "__main__":
    main()
