"""Small generated data under the names that the pages use."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def put_all(root: Path) -> None:
    """Write every stand-in into a folder."""
    rng = np.random.default_rng(0)
    put_pictures(root, rng)
    put_mnist(root / "mnist", rng)
    put_tables(root, rng)
    put_texts(root, rng)
    put_pairs(root / "pairs", rng)
    (root / "sentences.txt").write_text("ein hund läuft.\neine katze schläft.\n")
    words = ["It was", "the best", "of times", "the worst", "ROMEO:", "and so", "on.\n"]
    (root / "book.txt").write_text(" ".join(rng.choice(words, 900)))


def put_pairs(root: Path, rng: np.random.Generator) -> None:
    """Write sentences of a few German words and the same in English, to learn from and to test."""
    root.mkdir()
    words = {
        "ein": "a",
        "hund": "dog",
        "katze": "cat",
        "läuft": "runs",
        "am": "at",
        "haus": "house",
    }
    for part, num in (("train", 60), ("test", 12)):
        rows = rng.choice(list(words), (num, 5)).tolist()
        (root / f"{part}.de").write_text("".join(" ".join(row) + ".\n" for row in rows))
        lines = [" ".join(words[word] for word in row) + ".\n" for row in rows]
        (root / f"{part}.en").write_text("".join(lines))
    pairs = [f"{' '.join(row)}.\t{line}" for row, line in zip(rows, lines, strict=True)]
    (root.parent / "other.tsv").write_text("de\ten\n" + "".join(pairs))


def put_pictures(root: Path, rng: np.random.Generator) -> None:
    """Write photos/ (two classes), folder/, single pictures and the tables that name some."""
    rows = []
    for k, name in enumerate(("daisy", "rose")):
        (root / "photos" / name).mkdir(parents=True)
        for i in range(1, 13):
            path = root / "photos" / name / f"{i}.jpg"
            pixels = rng.integers(0, 90, (16, 16, 3), dtype=np.uint8) + np.uint8(120 * k)
            Image.fromarray(pixels).save(path)
            rows.append([str(path.relative_to(root)), name])
    (root / "new-photos" / "rose").mkdir(parents=True)
    (root / "folder").mkdir()
    for path in ("picture.jpg", "dog.jpg", "folder/one.png", "folder/two.png",
                 "new-photos/rose/1.jpg", "new-photos/rose/2.jpg"):  # fmt: skip
        Image.fromarray(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(root / path)
    put_rows(root / "held-out.csv", [["file_name", "species"], rows[0], rows[-1]])
    put_rows(root / "labels.csv", [["file_name", "species"], *rows[1:-1]])


def put_mnist(root: Path, rng: np.random.Generator) -> None:
    """Write 200 noisy digits of 28 x 28 pixels as IDX files: 120 to learn from, 80 to test."""
    root.mkdir()
    for part, num in (("train", 120), ("t10k", 80)):
        labels = (np.arange(num) % 10).astype(np.uint8)
        images = rng.integers(0, 99, (num, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 8] += 150
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (root / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())


def put_tables(root: Path, rng: np.random.Generator) -> None:
    """Write tables laid out as those that the pages name, with a target that can be learned."""

    def adult(num: int) -> list[list[str]]:
        numbers = rng.integers(17, 90, (num, 6))
        jobs = rng.choice(["Sales", "Tech-support", "Other"], (num, 8))
        targets = np.where(numbers[:, 0] > 50, ">50K", "<=50K")
        return [[*map(str, a), *b, c] for a, b, c in zip(numbers, jobs, targets, strict=True)]

    put_rows(root / "adult.data", adult(160))
    put_rows(root / "adult.test", adult(40))
    put_rows(root / "new.csv", [row[:-1] for row in adult(5)])
    letters = rng.integers(0, 16, (150, 16))
    put_rows(root / "letter-recognition.data", [["ABC"[row[0] % 3], *row] for row in letters])
    bases = rng.choice(list("ACGT"), (150, 6))
    head = "\n".join(f"@attribute b{i} {{A,C,G,T}}" for i in range(6))
    body = "\n".join(",".join([*row, "EI" if row[0] in "AC" else "N"]) for row in bases)
    text = f"@relation splice\n{head}\n@attribute Class {{EI,N}}\n@data\n{body}\n"
    (root / "splice.arff").write_text(text)
    chains = ["C" * int(a) + str(b) for a in range(1, 21) for b in ("O", "N", "Cl", "Br", "F", "S")]
    answers = [[int("O" in c or "N" in c), len(c) % 2, ""] for c in chains]
    for i, row in enumerate(answers):
        row[2] = "" if i % 7 == 0 else str(i // 6 % 2)
    heads = ["NR-AR", "NR-ER", "SR-p53", "smiles"]
    put_rows(root / "tox21.csv", [heads, *([*a, c] for a, c in zip(answers, chains, strict=True))])


def put_rows(path: Path, rows: list) -> None:
    """Write rows as CSV."""
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def put_texts(root: Path, rng: np.random.Generator) -> None:
    """Write labelled lines, a folder of reviews, a table of them, and columns of tags."""
    asked = ["Who wrote", "Where is", "How many"]

    def questions(num: int) -> str:
        kinds = rng.integers(0, 3, num)
        return "".join(f"{k} {asked[k]} number {i} ?\n" for i, k in enumerate(kinds))

    (root / "questions.train").write_text(questions(90))
    (root / "questions.test").write_text(questions(20))
    (root / "lines.txt").write_text("Who wrote it ?\nThe dog sleeps in London .\n")
    rows = [["review", "stars", "liked"]]
    for k, name in enumerate(("neg", "pos")):
        (root / "reviews" / name).mkdir(parents=True)
        for i in range(12):
            text = f"it was {('dull', 'fine')[k]} to see , all of it and the end too {i}"
            (root / "reviews" / name / f"{i}.txt").write_text(text)
            rows.append([text, str(i % 5), name])
    put_rows(root / "reviews.csv", rows)
    put_rows(root / "new-reviews.csv", rows[:6])
    sentence = "The DT B-NP\ndog NN I-NP\nsleeps VB B-VP\nin IN B-PP\n{} NN B-NP\n. . O\n\n"
    (root / "chunks").mkdir()
    for name, num in (("chunks/train.txt", 40), ("chunks/test.txt", 12), ("names.conll", 30)):
        (root / name).write_text("".join(sentence.format(f"town{i}") for i in range(num)))
    said = {"tokens": ["The", "dog"], "pos_tags": ["DT", "NN"], "ner_tags": ["O", "O"]}
    lines = [json.dumps({**said, "tokens": ["The", f"dog{i}"]}) for i in range(30)]
    (root / "names.jsonl").write_text("\n".join(lines) + "\n")
    rows = [[i // 2, f"dog{i}", ("NN", "VB")[i % 2], ("O", "B-A")[i % 2]] for i in range(60)]
    put_rows(root / "names.csv", [["Sentence #", "Word", "POS", "Tag"], *rows])
    (root / "names.test").write_text(sentence.format("London") * 5)
    (root / "treebank").mkdir()
    trees = ["(3 (2 a) (4 (4 lovely) (2 film)))\n", "(1 (2 a) (0 (0 dull) (2 film)))\n"]
    for name, num in (("train", 40), ("dev", 6), ("test", 12)):
        (root / "treebank" / f"{name}.txt").write_text("".join(trees[i % 2] for i in range(num)))
