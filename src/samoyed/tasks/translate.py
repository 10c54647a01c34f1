"""Translate: write a sentence in another language.

Training foresees every unit of the true translation from the source and the true units before it;
`answer` writes by beam search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.errors import first_names
from samoyed.core.numbers import LargeCount, Share
from samoyed.core.reference import Answer, Score
from samoyed.core.settings import FROM_DATA
from samoyed.core.spec import END, PAD, START, UNKNOWN_UNIT, PairSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data import bpe
from samoyed.data.asked_texts import is_file, refuse_no_text
from samoyed.data.pair_columns import sentences_in
from samoyed.data.pair_feed import PairFeed, encoded, padded, sources
from samoyed.data.pairs import PairData, Pairs
from samoyed.decoding.beam import Hypothesis, beam_search
from samoyed.losses.large_softmax import large_cross_entropy
from samoyed.metrics import translation
from samoyed.training.averaging import WeightAverage
from samoyed.training.precision import products_of
from samoyed.training.stages import averaged, stage_of

ROWS = 100
"""Sentences translated at once."""


@dataclass(frozen=True)
class Translate:
    """The question: how is this said in the other language?

    Args:
        spec: the units of both languages; chosen from the data.
        unit: bpe, word or character.
        num_symbols: units of each language, or None for a number that suits the data.
        batch_units: units in a batch, filling and both languages counted.
        label_smoothing: share of the target spread over all units (Szegedy et al. 2016).
        beam: hypotheses that are kept while writing.
        length_alpha: 0 compares log-probabilities of hypotheses, 1 their means for each unit.
        places: the columns of the two sides, from 0, where one file had both.
    """

    spec: PairSpec | None = field(default=None, metadata=FROM_DATA)
    unit: Literal["bpe", "word", "character"] = "bpe"
    num_symbols: Annotated[int, Ge(10), Le(1 << 20)] | None = None
    batch_units: LargeCount = 3_000
    label_smoothing: Share = 0.1
    beam: Annotated[int, Gt(0), Le(100)] = 5
    length_alpha: Annotated[float, Ge(0), Le(3)] = 1.0
    places: tuple[int, int] | None = field(default=None, metadata=FROM_DATA)
    name: ClassVar[str] = "translate"
    headline: ClassVar[str] = "bleu"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return (self.spec,)

    @property
    def units(self) -> PairSpec:
        """Return the units, which the data has decided by now."""
        assert self.spec is not None
        return self.spec

    def stages(
        self, model: nn.Module, data: PairData, recipe: Recipe, seed: int = 0
    ) -> Iterator[Stage]:  # fmt: skip
        """Yield one stage: descend the surprise of the true translations."""
        source, target = encoded(data.train, self.units)
        feed = PairFeed(source, target, self.batch_units, recipe.batch_size, seed)
        average = WeightAverage(model, recipe.average) if recipe.average is not None else None
        stage = stage_of(recipe, feed, self.loss)
        yield stage if average is None else averaged(stage, average)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean surprise in nats per unit, with smoothed targets."""
        assert batch.targets is not None
        logits = model(batch.inputs, batch.targets[:, :-1]).values
        wanted = batch.targets[:, 1:]
        if not logits.is_contiguous():  # time first: so they are read as they lie
            logits, wanted = logits.transpose(0, 1), wanted.t()
        return large_cross_entropy(
            logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip

    def score(
        self, model: nn.Module, data: PairData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Score the held-out pairs: BLEU and chrF of what is written, perplexity of the truth.

        Args:
            model: the model.
            data: the pairs.
            device: where the model is.
            limit: a quick look: only the perplexity of so many pairs that are not the test part's.
            seed: of the intervals' bootstrap.
        """
        if limit is not None:
            some = data.val.some(range(min(limit, len(data.val))))
            return (translation.perplexity(self.surprise(model, some, device), seed=seed),)
        answers = [a.answer for a in self.answer(model, data.test.source, device)]
        nats = self.surprise(model, data.test, device)
        return (
            translation.bleu(answers, data.test.target),
            translation.chrf(answers, data.test.target),
            translation.perplexity(nats, seed=seed),
        )

    @torch.inference_mode()
    def surprise(
        self, model: nn.Module, pairs: Pairs, device: torch.device | str = "cpu"
    ) -> np.ndarray:  # fmt: skip
        """Return by how many nats each unit of the true translations surprised, (N,)."""
        was_training = model.training
        model.eval()
        source, target = encoded(pairs, self.units)
        found = []
        for start in range(0, len(pairs), ROWS):
            inputs = padded(source[start : start + ROWS]).to(device)
            targets = padded(target[start : start + ROWS]).to(device)
            logits = model(inputs, targets[:, :-1]).values
            nats = F.cross_entropy(logits.float().transpose(1, 2), targets[:, 1:], reduction="none")
            found.append(nats[targets[:, 1:] != PAD].cpu().double().numpy())
        model.train(was_training)
        return np.concatenate(found)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:  # fmt: skip
        """Translate each sentence; sentences of like length are translated together.

        A unit that is not known is replaced by the source's unit it is aligned with most, where the
        system aligns.

        Returns:
            Per sentence the translation; its probability is the mean one of a unit. Where there is
            nothing to translate it is empty, and has none. A note in the details names the words of
            the sentence in which something is not known.
        """
        was_training = model.training
        model.eval()
        rows = sources(inputs, self.units)
        order = sorted(range(len(rows)), key=lambda k: -len(rows[k]))
        answers: list[Answer | None] = [None] * len(rows)
        encode = bpe.encoder(self.units.source)
        for start in range(0, len(order), ROWS):
            places = order[start : start + ROWS]
            batch = padded([rows[k] for k in places]).to(device)
            for k, found in zip(places, self._written(model, batch), strict=True):
                best = found[0]
                text = bpe.decode(best.units, self.units.target)
                if UNKNOWN_UNIT in best.units:
                    text = self._known(model, inputs[k], best.units)
                mean = float(np.exp(best.log_probability / (len(best.units) + 1)))
                said, sure = (text, mean) if inputs[k].strip() else ("", None)
                answers[k] = Answer(inputs[k], said, sure, _strange(inputs[k], rows[k], encode))
        model.train(was_training)
        return [answer for answer in answers if answer is not None]

    def sentences_of(self, inputs: Sequence[str]) -> list[str]:
        """Return the sentences: each input is one, or names a file of them.

        A file has one in every line, empty ones included, or columns or fields of which one is the
        language that is translated.

        Raises:
            DataError: for a folder, a file that is not there, or one that does not tell.
        """
        sentences: list[str] = []
        for given in inputs:
            if is_file(given):
                place = None if self.places is None else self.places[0]
                sentences += sentences_in(Path(given), self.units.names[0], place)
            else:
                refuse_no_text(given)
                sentences.append(given)
        return sentences

    def _written(self, model: nn.Module, batch: Tensor) -> list[list[Hypothesis]]:
        """Return the hypotheses of each source (B, S), the best first."""
        with products_of(len(batch) * self.beam, batch.device):
            return beam_search(model, batch, width=self.beam, alpha=self.length_alpha)

    def _known(self, model: nn.Module, sentence: str, units: Sequence[int]) -> str:
        """Write a translation with what is aligned in place of units that are not known."""
        alphas, _, _ = self.aligned(model, sentence, units)
        words = bpe.chunks(sentence)
        parts = bpe.written(units, self.units.target)
        if alphas is not None and self.unit == "word":
            for place, unit in enumerate(units):
                if unit == UNKNOWN_UNIT:
                    parts[place] = words[min(int(alphas[place].argmax()), len(words) - 1)]
        return "".join(parts).removeprefix(" ")

    @torch.inference_mode()
    def aligned(
        self, model: Any, sentence: str, units: Sequence[int] | None = None
    ) -> tuple[np.ndarray | None, list[str], list[str]]:
        """Return the alignment (T, S) of a sentence with its translation, and both sides' units.

        Args:
            model: the model; the alignment is None where it has none.
            sentence: to be translated.
            units: of the translation, or None to write one.
        """
        model.eval()
        row = sources([sentence], self.units)
        device = next(model.parameters()).device
        batch = padded(row).to(device)
        if units is None:
            units = self._written(model, batch)[0][0].units
        output = model(batch, torch.tensor([[START, *units]], device=device))
        names = self.units
        source = [names.source.symbols[c].strip() for c in row[0]]
        target = [names.target.symbols[c].strip() for c in (*units, END)]
        if not output.state:
            return None, source, target
        return output.state[0][:, 0].float().cpu().numpy(), source, target

    @torch.inference_mode()
    def doubts(self, model: nn.Module, sentence: str) -> tuple[list[str], np.ndarray]:
        """Translate a sentence; return how each unit is written, and its surprise in nats, (T,)."""
        model.eval()
        device = next(model.parameters()).device
        batch = padded(sources([sentence], self.units)).to(device)
        units = self._written(model, batch)[0][0].units
        target = torch.tensor([[START, *units, END]], device=device)
        logits = model(batch, target[:, :-1]).values[0]
        nats = F.cross_entropy(logits.float(), target[0, 1:], reduction="none")
        return [*bpe.written(units, self.units.target), " \N{END OF PROOF}"], nats.cpu().numpy()

    @torch.inference_mode()
    def summaries(self, model: Any, sentences: Sequence[str]) -> np.ndarray:
        """Return what the encoder makes of each sentence, a vector (N, D), for maps of them."""
        model.eval()
        rows, device = sources(sentences, self.units), next(model.parameters()).device
        found = [
            model.summary(padded(rows[start : start + ROWS]).to(device)).float().cpu()
            for start in range(0, len(rows), ROWS)
        ]
        return torch.cat(found).numpy()


def _strange(
    sentence: str, row: np.ndarray, encode: Callable[[str], list[int]]
) -> tuple[tuple[str, Any], ...]:
    """Return a note of the words of a source with a unit that is not known, if there are."""
    if UNKNOWN_UNIT not in row:
        return ()
    words = [word.strip() for word in bpe.chunks(sentence) if UNKNOWN_UNIT in encode(word)]
    return (("note", f"not known: {first_names(list(dict.fromkeys(words)), most=5)}"),)
