"""Classify texts: which of the known classes is it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.numbers import Share
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.settings import FROM_DATA
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data import words
from samoyed.data.asked_texts import texts_of
from samoyed.data.labelled_lines import Form
from samoyed.data.labelled_text import LONGEST, LabelledData, Texts
from samoyed.data.word_feed import WordFeed, by_length
from samoyed.data.words import WordRows
from samoyed.tasks.classify import answer_of, cross_entropy, scores_of
from samoyed.tasks.tempering import left_out, tempered
from samoyed.training.stages import stage_of

NUM_TO_TEMPER = 300  # texts that the temperature is chosen on
NO_WORD = "note", "no known word"  # in the details of an answer about unknown words alone
FEWEST_TO_TEMPER = 3000  # texts to learn from, below which none are given away for it


@dataclass(frozen=True)
class ClassifyText:
    """The question, and how it is asked in training.

    Args:
        spec: the words.
        labels: the classes.
        label_smoothing: share of the target spread over all classes.
        is_tempered: whether one temperature sets how sure answers are, on the validation part,
            or on a few texts that are not learned from.
        column: of texts, in the table that was learned from, or nothing.
        is_whole: whether whole files were learned from, of a folder for each class.
        form: of the labelled lines that were learned from, if they were.
    """

    spec: WordSpec
    labels: LabelSpec
    label_smoothing: Share = 0.1
    is_tempered: bool = True
    column: str = field(default="", metadata=FROM_DATA)
    is_whole: bool = field(default=False, metadata=FROM_DATA)
    form: Form | None = field(default=None, metadata=FROM_DATA)
    name: ClassVar[str] = "classify_text"
    headline: ClassVar[str] = "accuracy"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.labels

    def stages(
        self, model: nn.Module, data: LabelledData, recipe: Recipe, seed: int
    ) -> Iterator[Stage]:
        """Yield the one stage of training."""
        train, kept = self._parts(data, seed)
        targets = torch.from_numpy(train.targets)
        feed = WordFeed(train.rows, lambda rows: targets[rows], recipe.batch_size, seed)

        def objective(model: nn.Module, batch: Any) -> Any:
            return cross_entropy(model, batch, label_smoothing=self.label_smoothing)

        stage = stage_of(recipe, feed, objective)
        yield stage if kept is None else tempered(stage, partial(_scores_and_classes, texts=kept))

    def _parts(self, data: LabelledData, seed: int) -> tuple[Texts, Texts | None]:
        """Return the texts to learn from, and those to set the temperature on, if any."""
        if not self.is_tempered:
            return data.train, None
        if data.validation is not None and len(data.validation) >= NUM_TO_TEMPER:
            return data.train, data.validation
        if len(data.train) < FEWEST_TO_TEMPER:
            return data.train, None
        generator = numpy_generator(seed, "temperature")
        is_kept = left_out(len(data.train), NUM_TO_TEMPER, generator)
        return data.train.some(np.flatnonzero(~is_kept)), data.train.some(np.flatnonzero(is_kept))

    def score(
        self, model: nn.Module, data: LabelledData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out texts.

        A quick look at a few is at the validation part where there is one.

        Returns:
            accuracy (Wilson's interval), macro F1, log loss and calibration error (bootstrap).
        """
        test = quick_look(data, limit)
        return scores_of(predict_probabilities(model, test.rows, device), test.targets, seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Name the class of each text.

        Args:
            model: the model.
            inputs: texts, or files with a text in every line, labelled as those that were learned
                from or not; tables and JSON lines too, and where whole files were learned from such
                files and folders of them.
            device: where to compute.

        Returns:
            Per text its class; a note in the details where the run knows none of its words, or
            where a file that was named is one text of several lines. The answer about a whole file
            is called by its path.

        Raises:
            DataError: for a file that cannot be read, or an input without a word.
        """
        texts = self.texts_of(inputs)
        if not texts:
            return []
        rows = rows_of([text for _, text in texts], self.spec)
        probabilities = predict_probabilities(model, rows, device)
        answers = [
            answer_of(name, row, self.labels)
            for (name, _), row in zip(texts, probabilities, strict=True)
        ]
        notes: list[tuple[tuple[str, str], ...]] = [
            () if rows.has_known(i) else (NO_WORD,) for i in range(len(answers))
        ]
        named = {*inputs} if self.is_whole else set()
        for i, (name, text) in enumerate(texts):
            num_lines = sum(map(bool, map(str.strip, text.split("\n"))))
            if name in named and num_lines > 1:  # and no file of a folder, which are meant so
                notes[i] += (("note", f"read as one text of {num_lines:,} lines"),)
        return [
            replace(answer, details=(*answer.details, *note))
            for answer, note in zip(answers, notes, strict=True)
        ]

    def texts_of(self, inputs: Sequence[str]) -> list[tuple[str, str]]:
        """Return what each text is called, and the text, as the run learned from them.

        Raises:
            DataError: for a file that cannot be read, or an input without a word.
        """
        return texts_of(
            inputs, self.column, is_whole=self.is_whole, form=self.form, labels=self.labels.names
        )


def rows_of(texts: Sequence[str], spec: WordSpec) -> WordRows:
    """Return texts as numbers of words."""
    return words.encode([words.shortened(words.split(text), LONGEST) for text in texts], spec)


def quick_look(data: LabelledData, limit: int | None) -> Texts:
    """Return the held-out part, or so many texts of the validation part, where there is one."""
    if limit is None:
        return data.test
    part = data.test if data.validation is None else data.validation
    if limit >= len(part):
        return part
    return part.some(np.linspace(0, len(part) - 1, limit).astype(np.int64))


def predict_probabilities(
    model: nn.Module, rows: WordRows, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return (N, K) float64 probabilities; the model is left in the mode it came in."""
    return torch.from_numpy(predict_scores(model, rows, device)).softmax(dim=1).numpy()


def _scores_and_classes(model: nn.Module, texts: Texts) -> tuple[Tensor, Tensor]:
    scores = predict_scores(model, texts.rows, next(model.parameters()).device)
    return torch.from_numpy(scores), torch.from_numpy(texts.targets)


def predict_scores(
    model: nn.Module, rows: WordRows, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return (N, K) float64 scores; the model is left in the mode it came in."""
    if len(rows) == 0:
        raise ValueError("no text to look at")
    was_training = model.training
    model.eval()
    pieces, order = [], by_length(rows)
    with torch.inference_mode():
        for chosen in order:
            values = model(rows.padded(chosen).to(device)).values
            pieces.append(values.double().cpu().numpy())
    model.train(was_training)
    back = np.argsort(np.concatenate(order), kind="stable")
    return np.concatenate(pieces)[back]
