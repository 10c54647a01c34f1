"""The default for tables beside scikit-learn's models: same rows, same machine, one run.

* samoyed: what `samoyed train TABLE --target T` does, the default model as it comes
* scikit-learn, each with its own defaults and the preparation that its documentation asks for:
  boosted trees (HistGradientBoosting, missing numbers and categories as they are), a random
  forest (medians for missing numbers, one-hot categories), logistic or ridge regression and a
  multilayer perceptron (the same, standardised)

Adult and HIGGS come with their own test rows, on which several trainings are averaged; of the other
tables every fifth is held out in turn (folds with equal shares of the classes, copies on one side),
small tables several times over. Every model sees the same rows. Scores are in per cent (accuracy,
or the mean area under the ROC curve), or root mean squared errors; seconds are of the processor,
on one thread. The last column is the mean difference to the best of the others, and half of its 95
per cent interval over the folds (Nadeau, C. & Bengio, Y. (2003). Inference for the generalization
error. Machine Learning 52, 239-281: folds share rows, so that the variance is larger than n
independent ones would have).

With `--within` the rows to learn from are split again and the test rows are never looked at.

    python -m benchmarks.tables --data FOLDER [--minutes 1] [--only iris,adult] [--repeats 1]
        [--within]
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as students_t
from sklearn import datasets, ensemble, linear_model, neural_network
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from samoyed.assembly import assemble
from samoyed.catalog import choose
from samoyed.core.seeding import seed_everything
from samoyed.data.image_source import TEST, TRAIN
from samoyed.data.table_files import Cells
from samoyed.data.table_molecules import fingerprints
from samoyed.data.table_rows import without
from samoyed.data.table_split import digests_of, split, strata_of
from samoyed.data.table_target import encode_target
from samoyed.data.table_values import parse_numbers
from samoyed.data.tables import TableAsk, TableSource
from samoyed.metrics.ranking import roc_auc
from samoyed.opening import open_source
from samoyed.runs.conducting import make_plan
from samoyed.training.loop import train
from samoyed.training.processor import prepare_processor

NUM_FOLDS = 5
MOST_ONE_HOT_TREES = 255  # categories of one column that boosted trees take


Found = dict[str, list[tuple[float, float]]]
"""For each model its score and seconds, split by split."""


@dataclass(frozen=True)
class Question:
    """A table and what is asked of it.

    Args:
        file: below the data folder, or the name of one of scikit-learn's tables.
        target: the column or columns.
        test: the file of official test rows.
        input: the columns to learn from, where not all.
        repeats: how often all fifths are held out in turn; below 1 only some of them. Where
            there is an official test part, how many trainings.
    """

    file: str
    target: str
    test: str | None = None
    input: str | None = None
    repeats: float = 1


QUESTIONS = {
    "iris": Question("iris", "target", repeats=2),
    "wine": Question("wine", "target", repeats=2),
    "breast_cancer": Question("breast_cancer", "target", repeats=2),
    "digits": Question("digits", "target"),
    "diabetes": Question("diabetes", "target", repeats=2),
    "esol": Question(
        "delaney-processed.csv", "measured log solubility in mols per litre",
        input="all but ESOL predicted log solubility in mols per litre",
    ),
    "splice": Question("splice.arff", "Class"),
    "tox21": Question("tox21.csv", "NR-AR,NR-ER,SR-p53", input="smiles", repeats=0.4),
    "higgs": Question("binary.train", "1", test="binary.test", repeats=5),
    "letter": Question("letter-recognition.data", "1", repeats=0.4),
    "adult": Question("adult.data", "15", test="adult.test", repeats=2),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Part:
    """Rows as the other models get them.

    Args:
        numbers: (N, D) with NaN where missing; the bits of fingerprints too.
        words: (N, C) categories as they are written.
        answers: (N,) or (N, T) as the task has them.
    """

    numbers: np.ndarray
    words: np.ndarray
    answers: np.ndarray


def write_bundled(name: str, folder: Path) -> Path:
    """Write one of scikit-learn's tables as CSV, its column "target" last."""
    held = getattr(datasets, f"load_{name}")()
    path = folder / f"{name}.csv"
    names = [str(n) for n in held.feature_names]
    words = [str(n) for n in getattr(held, "target_names", ())]
    with path.open("w") as file:
        file.write(",".join([*names, "target"]) + "\n")
        for row, answer in zip(held.data.tolist(), held.target.tolist(), strict=True):
            last = f"class {words[answer]}" if words else repr(answer)
            file.write(",".join([*map(repr, row), last]) + "\n")
    return path


def sources(question: Question, data: Path, folder: Path, within: bool) -> Iterator[TableSource]:
    """Yield the table, split in so many ways."""
    path = data / question.file
    if not path.exists():
        path = write_bundled(question.file, folder)
    if question.test or within:
        test = str(data / question.test) if question.test else None
        ask = TableAsk(question.target, test, question.input)
        for seed in range(math.ceil(question.repeats)):
            source = open_source(str(path), seed=seed, ask=ask)
            yield split_again(source, seed) if within else source
        return
    whole = open_source(str(path), ask=TableAsk(question.target, None, question.input))
    for number in range(round(NUM_FOLDS * question.repeats)):
        yield fold_of(whole, question, folder, *divmod(number, NUM_FOLDS))


def fold_of(
    whole: TableSource, question: Question, folder: Path, turn: int, fold: int
) -> TableSource:
    """Return the table with one of its fifths as a test file, as one would bring it."""
    cells = whole.cells
    answers, _, _ = encode_target(whole.target, cells)
    strata = strata_of(whole.target.kind, answers)
    digests = digests_of(cells, [column.name for column in whole.spec.columns])
    groups = np.unique(digests, return_inverse=True)[1]
    folds = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=turn)
    train_rows, test_rows = list(folds.split(strata, strata, groups))[fold]
    train_file, test_file = folder / "learned.csv", folder / "held_out.csv"
    for file, rows in ((train_file, train_rows), (test_file, test_rows)):
        with file.open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(cells.names)
            writer.writerows(zip(*([column[i] for i in rows] for column in cells.columns),
                                 strict=True))  # fmt: skip
    names = {str(i): name for i, name in enumerate(cells.names, 1)}
    target = question.target if cells.has_header else names[question.target]
    ask = TableAsk(target, str(test_file), question.input)
    return open_source(str(train_file), ask=ask)


def split_again(source: TableSource, seed: int) -> TableSource:
    """Return a table whose held-out rows are a fifth of the rows to learn from."""
    cells = without(source.cells, set(np.flatnonzero(source.splits == TEST).tolist()))
    answers, _, _ = encode_target(source.target, cells)
    digests = digests_of(cells, [column.name for column in source.spec.columns])
    splits = split(strata_of(source.target.kind, answers), digests, seed)
    return replace(source, cells=cells, splits=splits, test=None)


def parts(source: TableSource) -> tuple[Part, Part]:
    """Return the rows to learn from and those held out, not encoded."""
    whole = part_of(source, source.cells)
    train_rows = some(whole, source.splits == TRAIN)
    if source.test is not None:
        return train_rows, part_of(source, source.test)
    return train_rows, some(whole, source.splits == TEST)


def part_of(source: TableSource, cells: Cells) -> Part:
    """Return all rows of a table."""
    numbers, words = [np.empty((len(cells), 0))], [np.empty((len(cells), 0), object)]
    for column in source.spec.columns:
        written = cells.column(column.name)
        if column.is_number:
            numbers.append(parse_numbers(written, column.kind, column.form)[0][:, None])
        elif column.kind == "molecule":
            numbers.append(fingerprints(written)[0])
        else:
            words.append(np.array(written, object)[:, None])
    answers, _, _ = encode_target(source.target, cells)
    return Part(np.concatenate(numbers, 1), np.concatenate(words, 1), answers)


def some(part: Part, rows: np.ndarray) -> Part:
    """Return these rows."""
    return Part(part.numbers[rows], part.words[rows], part.answers[rows])


def run_samoyed(source: TableSource, seconds: float | None, seed: int) -> np.ndarray:
    """Train the default for so long and return its values for the held-out rows."""
    from samoyed.tasks.table_training import predict_values

    row, _ = choose("table", source.asked, None)
    assembly, _ = assemble(row, source, seconds=seconds, seed=seed)
    seed_everything(seed, "initial weights")
    model = assembly.make_model()
    assembly, plan = make_plan(assembly, model, torch.device("cpu"), "float32", seconds)
    stages = zip(assembly.make_stages(model), plan.steps, strict=True)
    for _ in train(model, (stage.lasting(steps) for stage, steps in stages), seed=seed):
        pass
    values = predict_values(model, assembly.data.test.inputs)
    target = source.target
    return values * target.scale + target.centre if target.kind == "number" else values


def peers(kind: str, part: Part, seed: int) -> dict[str, Callable[[], Any]]:
    """Return how to make each of scikit-learn's models for inputs as `joined` lays them out."""
    num, num_words = part.numbers.shape[1], part.words.shape[1]
    numbers, words = slice(0, num), slice(num, num + num_words)
    is_number = kind == "number"

    def of_columns(for_numbers: Any, for_words: Any) -> Any:
        both = ((for_numbers, numbers), (for_words, words))
        return make_column_transformer(*(b for b in both if b[1].start < b[1].stop))

    def prepared(model: Any, is_scaled: bool) -> Any:
        steps = [SimpleImputer(strategy="median"), *([StandardScaler()] if is_scaled else [])]
        hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return make_pipeline(of_columns(make_pipeline(*steps), hot), model)

    def boosted() -> Any:
        kinds = ensemble.HistGradientBoostingRegressor, ensemble.HistGradientBoostingClassifier
        few = [len(set(column)) < MOST_ONE_HOT_TREES for column in part.words.T]
        indices = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        model = kinds[not is_number](categorical_features=[False] * num + few, random_state=seed)
        return make_pipeline(of_columns("passthrough", indices), model)

    def forest() -> Any:
        kinds = ensemble.RandomForestRegressor, ensemble.RandomForestClassifier
        return prepared(kinds[not is_number](random_state=seed), False)

    def linear() -> Any:
        model = linear_model.RidgeCV() if is_number else linear_model.LogisticRegression(
            max_iter=1000
        )  # fmt: skip
        return prepared(model, True)

    def perceptron() -> Any:
        kinds = neural_network.MLPRegressor, neural_network.MLPClassifier
        return prepared(kinds[not is_number](random_state=seed), True)

    return {"trees": boosted, "forest": forest, "linear": linear, "mlp": perceptron}


def joined(part: Part) -> np.ndarray:
    """Return (N, D + C): numbers, then words."""
    return np.concatenate([part.numbers, part.words], axis=1) if part.words.size else part.numbers


def run_peer(make: Callable[[], Any], kind: str, train_part: Part, test_part: Part) -> np.ndarray:
    """Fit one of scikit-learn's models and return its values for the held-out rows."""
    inputs, test = joined(train_part), joined(test_part)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # a perceptron that stops at its own limit says so
        if kind == "number":
            return make().fit(inputs, train_part.answers).predict(test)[:, None]
        if kind == "classes":
            model = make().fit(inputs, train_part.answers)
            values = np.zeros((len(test), int(train_part.answers.max()) + 1))
            values[:, model.classes_] = model.predict_proba(test)
            return values
        columns = []
        for answers in train_part.answers.T:
            known = ~np.isnan(answers)
            columns.append(make().fit(inputs[known], answers[known]).predict_proba(test)[:, 1])
        return np.stack(columns, axis=1)


def score(kind: str, values: np.ndarray, answers: np.ndarray) -> float:
    """Return per cent of accuracy or of the mean area under the ROC curve, or an error."""
    if kind == "number":
        return float(np.sqrt(np.mean((values[:, 0] - answers) ** 2)))
    if kind == "classes":
        return 100 * float((values.argmax(1) == answers).mean())
    areas = []
    for column, truth in zip(values.T, answers.T, strict=True):
        known = ~np.isnan(truth)
        areas.append(roc_auc(truth[known], column[known]))
    return 100 * float(np.mean(areas))


def compare(
    question: Question, data: Path, seconds: float | None, within: bool, only: set[str]
) -> tuple[str, Found]:
    """Return the kind of question, and each model's score and seconds in every split."""
    found: Found = {}
    kind = ""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with fewer rows than there are folds
        for seed, source in enumerate(sources(question, data, Path(folder), within)):
            kind = source.target.kind
            learned, held_out = parts(source)
            runs: dict[str, Callable[[], np.ndarray]] = {
                "samoyed": partial(run_samoyed, source, seconds, seed)
            }
            for name, make in peers(kind, learned, seed).items():
                runs[name] = partial(run_peer, make, kind, learned, held_out)
            for name, run in runs.items():
                if only and name not in only:
                    continue
                start = time.process_time()
                values = run()
                took = time.process_time() - start
                found.setdefault(name, []).append((score(kind, values, held_out.answers), took))
    return kind, found


def verdict(kind: str, found: Found, is_split: bool) -> str:
    """Say how far samoyed is from the best of the others; an interval only over several splits."""
    scores = {name: np.array([value for value, _ in rows]) for name, rows in found.items()}
    if "samoyed" not in scores or len(scores) < 2:
        return ""
    ours = scores.pop("samoyed")
    is_number = kind == "number"
    best = (min if is_number else max)(scores, key=lambda name: float(scores[name].mean()))
    scale = 100 / float(scores[best].mean()) if is_number else 1.0
    gaps = scale * (ours - scores[best])
    unit = f"% of the error of {best}" if is_number else f"points on {best}"
    around = f" +- {half_interval(gaps):.2f}" if is_split and len(gaps) > 1 else ""
    return f"{gaps.mean():+.2f}{around} {unit}"


def half_interval(gaps: np.ndarray) -> float:
    """Return half of the 95 per cent interval of the mean over folds (Nadeau & Bengio 2003)."""
    num = len(gaps)
    spread = float(gaps.std(ddof=1)) * math.sqrt(1 / num + 1 / (NUM_FOLDS - 1))
    return float(students_t.ppf(0.975, num - 1)) * spread


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder with tables/, or tables/ itself")
    parser.add_argument("--minutes", type=float, help="for samoyed; without, as long as it likes")
    parser.add_argument("--only", default="", help="names of tables, separated by commas")
    parser.add_argument("--models", default="", help="names of models, separated by commas")
    parser.add_argument("--repeats", type=float, help="instead of what stands in `QUESTIONS`")
    parser.add_argument("--within", action="store_true", help="never look at the test rows")
    options = parser.parse_args()
    prepare_processor()
    torch.set_num_threads(1)
    data = options.data or Path("nowhere")
    data = data / "tables" if (data / "tables").is_dir() else data
    chosen = [n for n in options.only.split(",") if n] or list(QUESTIONS)
    only = {name for name in options.models.split(",") if name}
    print(
        f"{'':<14}" + "".join(f"{n:>18}" for n in ("samoyed", "trees", "forest", "linear", "mlp"))
    )
    for name in chosen:
        question = QUESTIONS[name]
        if options.repeats is not None:
            question = replace(question, repeats=options.repeats)
        is_bundled = hasattr(datasets, f"load_{question.file}")
        if not is_bundled and not (data / question.file).exists():
            print(f"{name:<14} not run: give --data FOLDER with {question.file}")
            continue
        seconds = None if options.minutes is None else 60 * options.minutes
        kind, found = compare(question, data, seconds, options.within, only)
        scores = {model: np.mean(rows, axis=0) for model, rows in found.items()}
        cells = [
            f"{scores[n][0]:>10.3f} {scores[n][1]:>5.0f} s" if n in scores else f"{'-':>18}"
            for n in ("samoyed", "trees", "forest", "linear", "mlp")
        ]
        print(
            f"{name:<14}" + "".join(cells) + "  " + verdict(kind, found, question.test is None),
            flush=True,
        )


if __name__ == "__main__":
    main()
