"""Shallow models on the same texts: always the commonest class, and linear ones on n-grams."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from samoyed.core.reference import Score
from samoyed.data import words
from samoyed.data.labelled_text import LabelledData
from samoyed.runs.baselines.commonest import COMMONEST, accuracy
from samoyed.runs.baselines.pixels import part_of

_MOST_TEXTS = 50_000


def measure(data: LabelledData, seed: int = 0) -> list[tuple[str, Score]]:
    """Fit each shallow model on the training texts and return its accuracy on the held-out ones.

    The linear models see words and pairs of words, weighted by how rare they are (TF-IDF, the
    logarithm of counts), and learn by scikit-learn with its defaults but for the constants here.

    Args:
        data: the texts.
        seed: of the order in which the linear models look.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC
    from threadpoolctl import threadpool_limits

    rows = part_of(data.train.targets, _MOST_TEXTS, seed)
    train, targets = [data.train.records[i] for i in rows], data.train.targets[rows]
    told = "" if len(rows) == len(data.train) else f" ({len(rows):,} texts)"
    truth = data.test.targets
    commonest = np.bincount(data.train.targets).argmax()
    found = [(COMMONEST, _score(np.full(len(truth), commonest), truth))]
    read = TfidfVectorizer(
        tokenizer=lambda text: words.split(text.lower()), token_pattern=None, lowercase=False,
        ngram_range=(1, 2), sublinear_tf=True, min_df=1 if len(train) < 15_000 else 2,
    )  # fmt: skip
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")  # a linear model may end before full convergence
        seen = read.fit_transform([record.text for record in train])
        asked = read.transform([record.text for record in data.test.records])
        models: dict[str, Any] = {
            "logistic regression on n-grams": LogisticRegression(C=10.0, max_iter=200),
            "support vectors on n-grams": LinearSVC(C=0.5, random_state=seed),
        }
        for name, model in models.items():
            answers = model.fit(seen, targets).predict(asked)
            found.append((name + told, _score(answers, truth)))
    return found


def _score(answers: np.ndarray, truth: np.ndarray) -> Score:
    return accuracy(int((answers == truth).sum()), len(truth))
