"""Tables: what is read, how it is typed, split and encoded."""

import random

import numpy as np
import pytest

from samoyed.core.settings import from_json, to_json
from samoyed.core.spec import Column, TableSpec
from samoyed.data import table_encoding as encoding
from samoyed.data.table_feed import TableFeed
from samoyed.data.table_files import read_cells
from samoyed.data.table_rows import read_rows
from samoyed.data.table_values import guess, parse_numbers
from samoyed.data.tables import TableAsk, scan_held_out, scan_table


def write(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_text(content)
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
def test_every_delimiter_gives_the_same_cells(tmp_path, mark):
    lines = [["a", "b", "c"], ["1", "x", "2.5"], ["3", "y", "4"], ["5", "z", "?"]]
    cells = read_cells(write(tmp_path, "\n".join(mark.join(line) for line in lines)))
    assert cells.names == ("a", "b", "c")
    assert cells.columns == (("1", "3", "5"), ("x", "y", "z"), ("2.5", "4", "?"))
    assert list(cells.lines) == [2, 3, 4]


def test_quotes_spaces_blank_lines_and_line_numbers(tmp_path):
    content = 'name, note, n\r\n\r\n"a, b", "two\r\nlines", 1\r\n  c , d , 2 \r\n'
    cells = read_cells(write(tmp_path, content))
    assert cells.columns == (("a, b", "c"), ("two\nlines", "d"), ("1", "2"))
    assert list(cells.lines) == [3, 5]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1,a\n2,b\n", ("column 1", "column 2")),
        ("p,x\np,y\ne,x\np,x\n", ("column 1", "column 2")),
        ("kind,word\np,y\ne,x\np,x\n", ("kind", "word")),
        (",v\n1,2\n3,4\n", ("column 1", "v")),
    ],
)
def test_a_header_is_known_by_what_stands_below_it(tmp_path, content, names):
    assert read_cells(write(tmp_path, content)).names == names


def test_arff_with_quotes_comments_and_missing_values(tmp_path):
    content = """% a comment
@RELATION 'two words'
@attribute 'the size' REAL
@attribute kind {'a b', c}
@attribute note string
@DATA
1.5, 'a b', 'it\\'s, well'
?, c, plain
"""
    cells = read_cells(write(tmp_path, content, "t.arff"))
    assert cells.names == ("the size", "kind", "note")
    assert cells.columns == (("1.5", "?"), ("a b", "c"), ("it's, well", "plain"))
    assert cells.declared == {"the size": "number", "kind": "category"}


def test_parquet_reads_as_csv_does(tmp_path):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"x": [1.5, None, 3.0] * 10, "k": ["a", "b", "b"] * 10})
    frame.write_parquet(tmp_path / "t.parquet")
    cells = read_cells(tmp_path / "t.parquet")
    assert cells.column("x")[:3] == ("1.5", "", "3.0")
    source = scan_table(tmp_path / "t.parquet", TableAsk("k"))
    assert [c.kind for c in source.spec.columns] == ["number"]


def test_what_values_are():
    def kind(values, **more):
        found = guess("v", values, **more)
        return found.kind, found.form

    assert kind(["1", "2.5", "NA"] * 10) == ("number", "")
    assert kind(["1,5", "22,25", "3"] * 10) == ("number", "decimal comma")
    assert kind(["1,500", "22,250", "3"] * 10) == ("number", "thousands")
    assert kind(["2020-01-31", "2021-12-01"] * 10) == ("date", "iso")
    assert kind(["31.1.2020", "1.12.2021"] * 10) == ("date", "%d.%m.%Y")
    assert kind(["12/31/2020", "1/2/2021"] * 10) == ("date", "%m/%d/%Y")
    assert kind(["31/12/2020", "1/2/2021"] * 10) == ("date", "%d/%m/%Y")
    assert kind(["01234", "99999"] * 10) == ("category", "")
    assert kind(["a", "b"] * 10) == ("category", "")
    assert kind(["1", "2"] * 10, declared="category") == ("category", "")
    assert kind(["3.5"] * 20) == ("constant", "")
    assert kind(["", "NaN"] * 20) == ("empty", "")
    assert kind([str(i) for i in range(50)])[0] == "identifier"
    assert kind([f"{i * i * 0.37:.3f}" for i in range(50)])[0] == "number"
    found = guess("v", [*map(str, range(150, 0, -1)), *map(str, range(150)), "oops"])
    assert (found.kind, found.strays) == ("number", (300,))


def test_numbers_and_dates_as_numbers():
    values, bad = parse_numbers(["1", "?", "x", "inf", "-2e3"], "number", "")
    assert bad == [2, 3]
    np.testing.assert_array_equal(values[[0, 4]], [1, -2000])
    assert np.isnan(values[1])
    days, bad = parse_numbers(["1970-01-11", "1970-01-02 12:00", ""], "date", "iso")
    assert bad == []
    np.testing.assert_allclose(days[:2], [10.0, 1.5])


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [(["1", " 2.5", "-3e4"], []), (["1", "nan"], []), (["1", "-inf"], [1]), (["1_0", "2"], [0])],
)
def test_cells_that_are_all_numbers_are_read_as_cells_one_by_one(cells, wrong):
    values, bad = parse_numbers(cells, "number", "")
    assert bad == wrong
    for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
        assert np.isnan(value) if place in wrong or cell == "nan" else value == float(cell)


def drawn(num=400, seed=0):
    rng = random.Random(seed)
    lines = ["x,gap,letter,day,kind"]
    for _ in range(num):
        x, gap = rng.gauss(5, 2), rng.choice(["", "1", "2"])
        letter, day = rng.choice("aabbc"), f"2020-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        lines.append(f"{x:.4f},{gap},{letter},{day},{'high' if x > 5 else 'low'}")
    return "\n".join(lines) + "\n"


def test_encoding_follows_its_equations_with_the_training_parts_statistics(tmp_path):
    source = scan_table(write(tmp_path, drawn()), TableAsk("kind"))
    data = source.load()
    train = np.flatnonzero(source.splits == 0)
    x = np.array([float(source.cells.column("x")[i]) for i in train])
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75))
    for row, value in zip(data.train.inputs[:20], x[:20], strict=True):
        z = (value - middle) / (high - low)
        assert row[0] == pytest.approx(z / (1 + (z / 3) ** 2) ** 0.5, abs=1e-5)
    gaps = np.array([source.cells.column("gap")[i] == "" for i in train])
    np.testing.assert_array_equal(data.train.inputs[:, 3], gaps)  # x, gap, day, then the flag
    assert np.all(data.train.inputs[gaps, 1] == 0)
    letters = [source.cells.column("letter")[i] for i in train]
    np.testing.assert_array_equal(data.train.inputs[:, 4], ["?abc".index(c) for c in letters])
    assert data.spec.width == 5
    assert [data.spec.places(c) for c in data.spec.columns] == [[0], [1, 3], [4], [2]]


def test_the_held_out_part_has_no_say_in_the_statistics(tmp_path):
    train = write(tmp_path, drawn())
    one = scan_table(train, TableAsk("kind", str(write(tmp_path, drawn(50, 1), "one.csv"))))
    other = drawn(50, 1).replace(",a,", ",zzz,").replace("\n5.", "\n905.")
    two = scan_table(train, TableAsk("kind", str(write(tmp_path, other, "two.csv"))))
    assert one.spec == two.spec
    assert one.target == two.target
    letters = two.load().test.inputs[:, 4]
    assert 0 in letters  # a value that training never showed


def test_a_spec_survives_json(tmp_path):
    source = scan_table(write(tmp_path, drawn()), TableAsk("kind"))
    assert from_json(type(source.spec), to_json(source.spec)) == source.spec
    assert from_json(type(source.target), to_json(source.target)) == source.target


def test_the_split_is_stratified_repeatable_and_keeps_copies_together(tmp_path):
    content = drawn(300)
    body = content.split("\n", 1)[1]
    path = write(tmp_path, content + "".join(body.splitlines(keepends=True)[:60]))
    source = scan_table(path, TableAsk("kind"))
    again = scan_table(path, TableAsk("kind"))
    np.testing.assert_array_equal(source.splits, again.splits)
    sides = {}
    for i, row in enumerate(zip(*source.cells.columns, strict=True)):
        assert sides.setdefault(row, source.splits[i]) == source.splits[i]
    answers = np.array(source.cells.column("kind"))
    for kind in ("high", "low"):
        assert np.mean(source.splits[answers == kind]) == pytest.approx(0.4, abs=0.03)  # TEST is 2
    assert not np.array_equal(source.splits, scan_table(path, TableAsk("kind"), seed=1).splits)


def test_which_question_the_target_asks_and_why(tmp_path):
    rng = random.Random(0)
    lines = ["a,b,c,d,e"]
    for i in range(400):
        known = rng.choice(["0", "1", ""])
        lines.append(f"{i % 7},{rng.gauss(0, 1):.4f},{i % 2},{known},{rng.choice('pqr')}")
    path = write(tmp_path, "\n".join(lines))

    def question(target, task=None):
        source = scan_table(path, TableAsk(target, task=task))
        return source.asked, source.why

    assert question("e") == ("classify", "its values are words")
    assert question("2")[0] == "regress"
    assert question("a")[0] == "classify"
    assert "--task regress" in question("a")[1]
    assert question("a", "regress") == ("regress", "as asked")
    assert question("c,d")[0] == "classify_several"
    several = scan_table(path, TableAsk("c,d")).load()
    assert several.train.targets.shape[1] == 2
    assert np.isnan(several.train.targets[:, 1]).any()
    assert scan_table(path, TableAsk("b")).target.scale == pytest.approx(1, abs=0.15)


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    content = drawn().replace("high", "?", 30)
    source = scan_table(write(tmp_path, content), TableAsk("kind"))
    assert len(source.cells) == 370
    assert any("30 rows have no value in kind" in line for line in source.describe())


def test_inputs_can_be_chosen_or_left_out(tmp_path):
    path = write(tmp_path, drawn())

    def used(said):
        return [c.name for c in scan_table(path, TableAsk("kind", input=said)).spec.columns]

    assert used("letter,1") == ["letter", "x"]
    assert used("all but x, day") == ["gap", "letter"]


def test_labels_that_end_in_a_dot_and_comments_as_in_the_adult_table(tmp_path):
    rng = random.Random(0)
    lines = [f"{rng.randint(20, 60)}, {rng.choice('ab')}, {rng.choice(['<=50K', '>50K'])}"
             for _ in range(80)]  # fmt: skip
    train = write(tmp_path, "\n".join(lines) + "\n\n", "adult.data")
    test = "|1x3 Cross validator\n" + "".join(line + ".\n" for line in lines[:40])
    source = scan_table(train, TableAsk("3", str(write(tmp_path, test, "adult.test"))))
    assert source.target.names == ("<=50K", ">50K")
    said = "\n".join(source.describe())
    assert "40 labels end in a dot" in said
    assert "comment left out: '|1x3 Cross validator'" in said
    data = source.load()
    np.testing.assert_array_equal(data.test.targets, data.train.targets[:40])
    assert data.test.names[0].endswith("adult.test:2")
    again = scan_held_out(tmp_path / "adult.test", source.spec, source.target).load()
    np.testing.assert_array_equal(again.test.inputs, data.test.inputs)


def test_new_rows_with_and_without_the_target_in_any_order(tmp_path):
    source = scan_table(write(tmp_path, drawn()), TableAsk("kind"))
    head = "letter,kind,day,x,gap\na,low,2020-01-01,5.0,\n"
    bare = "5.0,,a,2020-01-01\n"
    rows = [
        read_rows([str(write(tmp_path, content, name))], source.spec, source.target)
        for content, name in ((head, "a.csv"), (head.replace("low,", ",", 1), "c.csv"))
    ]
    with pytest.warns(UserWarning, match="no header names its columns"):
        rows += [read_rows([str(write(tmp_path, bare, "b.csv"))], source.spec, source.target)]
    for inputs, _ in rows[1:]:
        np.testing.assert_array_equal(inputs, rows[0][0])
    assert rows[0][1][0].endswith("a.csv:2")


def test_molecules_become_fingerprints(tmp_path):
    pytest.importorskip("rdkit")
    from rdkit import Chem
    from rdkit.Chem import AllChem

    smiles = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CCN", "O=C=O"] * 8
    content = "smiles,y\n" + "".join(f"{s},{i % 2}\n" for i, s in enumerate(smiles))
    path = write(tmp_path, content)
    source = scan_table(path, TableAsk("y", input="smiles"))
    assert source.spec.columns == (Column("smiles", "molecule", num_bits=1024),)
    bits = encoding.encode(source.spec, source.cells)[0]
    generator = AllChem.GetMorganGenerator(radius=2, fpSize=1024)
    for row, s in zip(bits[:5], smiles[:5], strict=True):
        wanted = generator.GetFingerprint(Chem.MolFromSmiles(s))
        assert set(np.flatnonzero(row)) == set(wanted.GetOnBits())
    from samoyed.core.errors import DataError

    spoilt = write(tmp_path, content.replace("CCN", "C1CC", 1), "spoilt.csv")
    with pytest.raises(DataError, match="a molecule as SMILES"):
        scan_table(spoilt, TableAsk("y", input="smiles"))


def test_batches_are_a_pure_function_of_seed_and_step():
    inputs = np.arange(20, dtype=np.float32).reshape(10, 2)
    feed = TableFeed(inputs, np.arange(10), 4, seed=3)
    batches = [feed.batch(step) for step in range(5)]
    again = TableFeed(inputs, np.arange(10), 4, seed=3)
    for step in (4, 0, 3):
        assert again.batch(step).inputs.equal(batches[step].inputs)
    seen = np.concatenate([b.targets.numpy() for b in batches])
    assert sorted(seen[:10]) == list(range(10))
    assert feed.batch(0).inputs[:, 0].tolist() == [2.0 * t for t in feed.batch(0).targets.tolist()]


def test_places_of_every_kind_of_column():
    columns = (
        Column("m", "molecule", num_bits=3), Column("x", "number"),
        Column("d", "date", has_missing=True), Column("k", "category", categories=("a",)),
        Column("n", "molecule", num_bits=2),
    )  # fmt: skip
    spec = TableSpec(columns)
    assert [spec.places(c) for c in columns] == [[3, 4, 5], [0], [1, 2], [8], [6, 7]]
    assert spec.width == 9


@pytest.mark.parametrize(("num", "most"), [(1_000, 49), (30_000, 150), (100_000, 257)])
def test_many_rows_have_more_bounds_and_never_more_than_there_are_values(num, most):
    generator = np.random.default_rng(0)
    spread = encoding.fit_column(
        "x", "number", "", [f"{v:.6f}" for v in generator.normal(size=num)]
    )
    assert most // 2 < len(spread.edges) <= most + 1
    assert list(spread.edges) == sorted(set(spread.edges))
    sums = np.where(generator.random(num) < 0.9, 0, generator.integers(1, 100, num) * 37)
    column = encoding.fit_column("x", "number", "", [str(v) for v in sums])
    distinct = len(set(sums.tolist()))
    is_told_apart = len(column.edges) == distinct
    assert is_told_apart == (distinct <= max(49, num // 200))
