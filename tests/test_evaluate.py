"""`evaluate` on other data scores all that the user brought, and says which part that is."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed
from samoyed import cli
from samoyed.assembly import to_measure_on
from samoyed.core.errors import ChangedData, DataError
from samoyed.data.text import encode
from samoyed.tasks.foreseeing import foresee


def fill(folder: Path, names: list[str], num: int, seed: int) -> Path:
    """Write pictures of stripes (class bars), and of one dark or bright gray."""
    rng = np.random.default_rng(seed)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(num):
            pixels = rng.integers(0, 40, (12, 12)).astype(np.uint8)
            pixels += np.uint8({"dark": 0, "bright": 200, "bars": 0}[name])
            if name == "bars":
                pixels[::3] = 255
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> samoyed.Run:
    root = tmp_path_factory.mktemp("evaluate")
    pictures = fill(root / "pictures", ["bars", "bright", "dark"], 15, seed=0)
    return samoyed.train(
        pictures, epochs=8, out=root / "run", quiet=True, size="small",
        settings={"batch_size": 8, "report": False, "baselines": False},
    )  # fmt: skip


def evaluated(run: samoyed.Run, data: Path) -> tuple[samoyed.Score, list[str]]:
    said: list[str] = []
    return run.evaluate(data, say=said.append)[0], said


def test_its_own_pictures_are_scored_where_they_were_held_out(run: samoyed.Run, tmp_path: Path):
    pictures = Path(run.config["data"])
    for place in (pictures, Path(shutil.copytree(pictures, tmp_path / "moved"))):
        score, said = evaluated(run, place)
        assert score == run.scores[0]
        assert said == ["scored: the part that was held out when the run learned"]


def test_all_pictures_of_a_folder_without_a_test_part_are_scored(run: samoyed.Run, tmp_path: Path):
    score, said = evaluated(run, fill(tmp_path, ["bars", "bright", "dark"], 7, seed=1))
    assert score.num == 21
    assert said == ["scored: all of it, as it has no test part"]


def test_the_test_part_is_scored_where_there_is_one(run: samoyed.Run, tmp_path: Path):
    fill(tmp_path / "train", ["bars", "bright", "dark"], 7, seed=2)
    fill(tmp_path / "test", ["bars", "bright", "dark"], 4, seed=3)
    score, said = evaluated(run, tmp_path)
    assert score.num == 12
    assert said == ["scored: its test part"]


def test_some_of_the_classes_keep_their_places(run: samoyed.Run, tmp_path: Path):
    """With the classes renumbered from 0, bright and dark would be taken for bars and bright."""
    both = fill(tmp_path, ["bright", "dark"], 9, seed=4)
    score, _ = evaluated(run, both)
    answers = run.predict(both)
    is_right = [Path(answer.input).parent.name == answer.answer for answer in answers]
    assert score.num == len(is_right) == 18
    assert score.value == pytest.approx(np.mean(is_right))
    assert score.value > 0.9


def test_another_text_is_read_whole_in_the_symbols_of_the_run(tmp_path: Path):
    def write(name: str, words: list[str]) -> Path:
        rng = random.Random(name)
        text = "".join(rng.choice(words) + rng.choice("  \n") for _ in range(600))
        (tmp_path / name).write_text(text)
        return tmp_path / name

    run = samoyed.train(
        write("learned.txt", ["snow", "dog", "white", "wolf"]), epochs=1, out=tmp_path / "run",
        quiet=True, settings={"num_units": 16, "report": False, "baselines": False},
    )  # fmt: skip
    other = write("other.txt", ["zoo", "dog", "alpaca"])  # with letters that were never learned
    score, said = evaluated(run, other)
    text = other.read_text()
    codes = np.concatenate([encode("\n", run.task.spec), encode(text, run.task.spec)])
    assert score.num == len(text)
    assert score.value == pytest.approx(foresee(run.model, codes, 1)[0].mean())
    assert said == ["scored: all of it; 40% of its characters are not known to the run"]


def test_its_own_table_is_scored_where_rows_were_held_out(tmp_path: Path):
    rng = random.Random(0)
    lines = [f"{rng.gauss(k, 1):.3f},{rng.choice('ab')},{k}" for k in [0, 1] * 60]
    table, test = tmp_path / "t.csv", tmp_path / "test.csv"
    table.write_text("x,letter,kind\n" + "\n".join(lines[:90]) + "\n")
    test.write_text("x,letter,kind\n" + "\n".join(lines[90:]) + "\n")
    for asked, num in ((None, 18), (test, 30)):
        run = samoyed.train(
            table, target="kind", test=asked, epochs=1, out=tmp_path / f"run {num}", quiet=True,
            settings={"num_members": 5, "report": False, "baselines": False},
        )  # fmt: skip
        score, said = evaluated(run, table)
        assert score == run.scores[0]
        assert score.num == num
        assert said == ["scored: the part that was held out when the run learned"]
        score, said = evaluated(run, test)
        assert (score.num, said) == (30, ["scored: every row"])


def test_other_pictures_are_scored_without_the_bad_ones_where_so_asked(
    run: samoyed.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = fill(tmp_path / "other", ["bars", "bright", "dark"], 7, seed=1)
    (place / "bars" / "0.png").write_bytes(b"\x89PNG\r\n")
    whole = (place / "dark" / "0.png").read_bytes()
    (place / "dark" / "0.png").write_bytes(whole[: len(whole) * 2 // 3])  # its header is sound
    with pytest.raises(SystemExit):
        cli.main(["evaluate", str(run.path), str(place)])
    assert "--on-bad skip" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", str(run.path), str(place), "--on-bad", "skip"])
    assert ended.value.code == 0
    said, score = capsys.readouterr().out.splitlines()[:2]
    assert "left out as bad: " in said
    assert "1 cannot be decoded and are left out (first: " in said
    assert "19" in score
    with pytest.raises(samoyed.core.errors.OptionError, match="the run's own"):
        run.evaluate(on_bad="skip")


def test_pictures_beside_a_broken_one_are_answered(
    run: samoyed.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = fill(tmp_path / "asked", ["dark"], 3, seed=2) / "dark"
    good = [answer.answer for answer in run.predict(place)]
    (place / "1a.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", str(run.path), str(place), "--json"])
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert [json.loads(line)["answer"] for line in printed.out.splitlines()] == good
    reason = "a damaged or cut off PNG picture"
    assert printed.err == f"error: {place / '1a.png'}: {reason}\n"
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", str(run.path), str(place / "1a.png")])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert reason in printed.err
    assert "--on-bad" not in printed.err


def test_data_that_has_changed_is_not_taken_for_what_was_learned(tmp_path: Path):
    """A class that sorts first would move the numbers of all others."""
    pictures = fill(tmp_path / "pictures", ["bright", "dark"], 10, seed=5)
    run = samoyed.train(
        pictures, epochs=1, out=tmp_path / "run", quiet=True, size="small",
        settings={"batch_size": 8, "report": False, "baselines": False},
    )  # fmt: skip
    fill(pictures, ["bars"], 6, seed=6)
    (pictures / "dark" / "0.png").unlink()
    with pytest.raises(ChangedData) as refused:
        run.evaluate()
    assert refused.value.place == str(pictures)
    assert refused.value.found == (
        "a new class: bars; new files: bars/0.png, bars/1.png, bars/2.png, bars/3.png, "
        "bars/4.png and 1 more; a file that is gone: dark/0.png"
    )
    assert f"samoyed train {pictures} --out NEW" in refused.value.hint
    assert "samoyed evaluate" not in refused.value.hint  # would refuse the new class
    shutil.rmtree(pictures / "bars")
    with pytest.raises(ChangedData) as refused:
        run.evaluate()
    assert refused.value.found == "a file that is gone: dark/0.png"
    assert f"samoyed evaluate {run.path} {pictures}" in refused.value.hint
    score, said = evaluated(run, pictures)  # as that hint says
    assert (score.num, said[0]) == (19, "scored: all of it, as it has no test part")
    assert "the scores flatter" in said[1]
    shutil.rmtree(pictures / "dark")  # what is left cannot even be learned from
    with pytest.raises(ChangedData) as refused:
        run.evaluate()
    assert refused.value.found == "one class only, 'bright'"
    assert f"samoyed evaluate {run.path} {pictures}" in refused.value.hint
    assert "samoyed train" not in refused.value.hint  # would refuse one class
    assert evaluated(run, pictures)[0].num == 10  # as that hint says
    broken = pictures / "bright" / "3.png"
    broken.write_bytes(b"")
    with pytest.raises(ChangedData) as refused:
        run.evaluate()
    assert refused.value.found == f"an empty file (0 bytes) ({broken})"
    assert "Copy or download it again" in refused.value.hint
    assert "samoyed evaluate" not in refused.value.hint  # would refuse the broken one too


def test_a_table_that_has_changed_is_told_of(tmp_path: Path):
    table = tmp_path / "t.csv"
    rows = [f"{i % 7},{i % 3},{'ab'[i % 2]}\n" for i in range(60)]
    table.write_text("x,y,kind\n" + "".join(rows))
    run = samoyed.train(
        table, target="kind", epochs=1, out=tmp_path / "run", quiet=True,
        settings={"num_members": 5, "report": False, "baselines": False},
    )  # fmt: skip
    assert run.evaluate()[0] == run.scores[0]
    table.write_text("x,y,kind\n" + "".join(rows[:50]))
    with pytest.raises(ChangedData, match=r"50 rows.*then .*60 rows"):
        run.evaluate()


def test_pictures_of_one_class_are_scored_by_its_name(run: samoyed.Run, tmp_path: Path):
    fill(tmp_path / "other", ["dark"], 5, seed=7)
    for place in (tmp_path / "other", tmp_path / "other" / "dark"):
        score, said = evaluated(run, place)
        answers = run.predict(place)
        assert score.num == 5
        assert score.value == np.mean([answer.answer == "dark" for answer in answers])
        assert said == ["scored: all of it, as it has no test part"]


def test_a_test_part_alone_is_scored(run: samoyed.Run, tmp_path: Path):
    fill(tmp_path / "test", ["bright", "dark"], 4, seed=8)
    score, said = evaluated(run, tmp_path)
    assert (score.num, said) == (8, ["scored: its test part"])


def test_classes_that_the_run_does_not_know_are_left_out_where_so_asked(
    run: samoyed.Run, tmp_path: Path
):
    fill(tmp_path, ["bars", "dark"], 4, seed=9)
    (tmp_path / "bars").rename(tmp_path / "drak")
    with pytest.raises(DataError) as refused:
        run.evaluate(tmp_path)
    assert refused.value.found == "class 'drak' with 4 pictures, which the run does not know"
    assert "rename it to 'dark'" in refused.value.hint
    said: list[str] = []
    [score, *_] = run.evaluate(tmp_path, on_bad="skip", say=said.append)
    assert score.num == 4
    assert "left out as bad: " in said[0]
    assert "class 'drak' with 4 pictures" in said[0]


def test_lists_of_labels_are_matched_by_name(tmp_path: Path):
    """A table that names two of the three labels, in another order than the run's."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        has = [bool(i & 1), bool(i & 2), bool(i & 4)]
        pixels = rng.integers(0, 30, (12, 12)).astype(np.uint8)
        for k in np.flatnonzero(has):
            pixels[4 * k : 4 * k + 4] += 200
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        rows.append([f"{i}.png", *map(int, has)])
    table = tmp_path / "all.csv"
    table.write_text("path,a,b,c\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    run = samoyed.train(
        table, epochs=3, out=tmp_path / "run", quiet=True, size="small",
        settings={"batch_size": 8, "report": False, "baselines": False},
    )  # fmt: skip
    some = tmp_path / "some.csv"
    some.write_text("path,c,a\n" + "".join(f"{r[0]},{r[3]},{r[1]}\n" for r in rows))
    held, _ = to_measure_on(run.config, str(some), "")
    wanted = np.array([[row[1], np.nan, row[3]] for row in rows], np.float32)
    order = [int(Path(name).stem) for name in held.test.names]
    np.testing.assert_array_equal(held.test.labels, wanted[order])
