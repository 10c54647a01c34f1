"""How good translations are: BLEU and chrF as sacreBLEU computes them, with its signatures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from samoyed.core.errors import MissingExtra
from samoyed.core.reference import Score
from samoyed.metrics.language import block_interval

NUM_RESAMPLES = 1_000


def need_sacrebleu() -> Any:
    """Return sacreBLEU's metrics.

    Raises:
        MissingExtra: when it is not installed.
    """
    try:
        from sacrebleu import metrics
    except ImportError:
        raise MissingExtra.of("sacrebleu", "text", "the scores of translations") from None
    return metrics


def bleu(answers: Sequence[str], truths: Sequence[str], *, num: int = NUM_RESAMPLES) -> Score:
    """Score BLEU of a corpus, 0 to 100 (Papineni et al. 2002; Post 2018 for the protocol)."""
    return _scored("bleu", need_sacrebleu().BLEU(), answers, truths, num)


def chrf(answers: Sequence[str], truths: Sequence[str], *, num: int = NUM_RESAMPLES) -> Score:
    """Score chrF2 of a corpus, 0 to 100 (Popovic 2015)."""
    return _scored("chrf", need_sacrebleu().CHRF(), answers, truths, num)


def sentence_bleu(answer: str, truth: str) -> float:
    """Return BLEU of one sentence, by its own effective order."""
    metric = need_sacrebleu().BLEU(effective_order=True)
    return float(metric.sentence_score(answer, [truth]).score)


def signature() -> str:
    """Return the signature under which BLEU is to be reported."""
    metric = need_sacrebleu().BLEU()
    metric.corpus_score(["a"], [["a"]])
    return str(metric.get_signature())


def _scored(
    name: str, metric: Any, answers: Sequence[str], truths: Sequence[str], num: int
) -> Score:  # fmt: skip
    """Score a corpus; the interval is sacreBLEU's bootstrap over sentences."""
    count = len(answers)
    compute = metric._compute_score_from_stats

    def in_one_type(stats: Any) -> Any:
        """Return a score as a float: sacreBLEU's mean takes no mixture of 0.0 and float32."""
        score = compute(stats)
        score.score = float(score.score)
        return score

    metric._compute_score_from_stats = in_one_type
    found = metric.corpus_score(list(answers), [list(truths)], n_bootstrap=num if count > 1 else 1)
    if count < 2:
        return Score(name, float(found.score), float(found.score), float(found.score), count)
    told = json.loads(found.format(width=6, signature=str(metric.get_signature()), is_json=True))
    spread = float(told.get("confidence_var", 0.0))
    value = min(100.0, float(found.score))  # a perfect BLEU is computed as a hair more
    return Score(name, value, max(0.0, value - spread), min(100.0, value + spread), count)


def perplexity(nats: np.ndarray, *, seed: int = 0) -> Score:
    """Score e to the power of the mean surprise of a unit.

    Args:
        nats: (N,) surprise of each unit, in the text's order.
        seed: of the interval's bootstrap.
    """
    low, high = block_interval(nats, seed=seed)
    value = float(np.mean(nats, dtype=np.float64))
    found, least, most = (float(np.exp(x)) for x in (value, low, high))
    return Score("unit_perplexity", found, least, most, len(nats), is_higher_better=False)
