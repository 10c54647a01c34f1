"""Ways to spoil a table: each gives a precise error or a named warning, never a traceback."""

import gzip
import random

import pytest

from samoyed.core.errors import DataError, OptionError, SamoyedError
from samoyed.data.table_files import read_cells
from samoyed.data.table_rows import read_rows
from samoyed.data.tables import TableAsk, scan_held_out, scan_table, scan_unasked


def rows(num=120, seed=0):
    rng = random.Random(seed)
    return [
        [f"{rng.gauss(0, 1):.4f}", rng.choice("abc"), str(rng.randint(0, 50)),
         rng.choice(["no", "yes"])]
        for _ in range(num)
    ]  # fmt: skip


HEADER = ["x", "letter", "age", "kind"]


def text(lines, header=HEADER, mark=","):
    return "\n".join(mark.join(line) for line in [header, *lines]) + "\n"


def changed(row, column, value, num=120):
    """Return the table with one cell of row `row` (from 0) changed."""
    lines = rows(num)
    lines[row][column] = value
    return text(lines)


def many(column, values):
    """Return the table with a whole column changed."""
    lines = rows()
    for i, line in enumerate(lines):
        line[column] = values(i)
    return text(lines)


ERRORS = {
    "empty file": ("", "empty file"),
    "only blank lines": ("\n \n\n", "empty file"),
    "header only": (text([]), "no row below"),
    "one column": ("x\n1\n2\n3\n4\n", "one column only"),
    "too few rows": (text(rows(5)), "at least 10 rows"),
    "ragged row": (text(rows()).replace("\n", ",extra\n", 8).replace(",extra\n", "\n", 7), "csv:8"),
    "short row": (text([*rows(), ["1.0", "a"]]), "csv:122\n  expected: 4 cells"),
    "header too short": (text(rows(), HEADER[:3]), "csv:1\n"),
    "decimal commas between commas": (
        text([[line[0].replace(".", ","), *line[1:]] for line in rows()]), "decimal comma"),
    "unclosed quote": (changed(9, 1, '"a'), "csv:11\n"),
    "quote inside a quoted cell": (changed(9, 1, '"a"b"'), "csv:11\n"),
    "same name twice": (text(rows(), ["x", "x", "age", "kind"]), "column 1 and column 2"),
    "no such target": ((text(rows()), "knd"), "Did you mean 'kind'"),
    "number of target too large": ((text(rows()), "9"), "from 1 to 4"),
    "target twice": ((text(rows()), "kind,4"), "twice"),
    "target never known": (many(3, lambda i: "?"), "no value in any of 120 rows"),
    "one class": (many(3, lambda i: "yes"), "at least two classes"),
    "as many classes as rows": (many(3, lambda i: f"k{i}"), "120 different values in 120 rows"),
    "constant number": ((many(2, lambda i: "7"), "age", "regress"), "numbers that differ"),
    "regress on words": ((text(rows()), "kind", "regress"), "regress"),
    "no such task": ((text(rows()), "kind", "clasify"), "Did you mean 'classify'"),
    "several with many values": ((text(rows()), "kind,age"), "exactly two values"),
    "date as target": ((many(3, lambda i: f"2020-01-{1 + i % 28:02d}"), "kind"), "dates"),
    "word among numbers": (changed(44, 0, "abc"), "csv:46, column 1 ('x')"),
    "infinite number": (changed(44, 0, "inf"), "csv:46, column 1 ('x')\n  expected: a finite"),
    "huge number": (changed(44, 0, "1e999"), "a finite number"),
    "infinite target": ((many(2, lambda i: "inf" if i == 44 else f"{i}"), "age"),
                        "csv:46, column 3 ('age')\n  expected: a finite"),
    "number of target that is no plain digit": ((text(rows()), "²"), "--target"),
    "nothing to learn from": (
        "id,kind\n" + "".join(f"r{i},{'ab'[i % 2]}\n" for i in range(60)), "none beside the target",
    ),
    "NUL byte": (text(rows()).replace("a", "\0", 1), "NUL byte at byte"),
}  # fmt: skip


@pytest.mark.parametrize("way", ERRORS)
def test_a_spoilt_table_gives_a_precise_error(way, tmp_path):
    content, said = ERRORS[way]
    content, target, task = (
        (*content, None)[:3] if isinstance(content, tuple) else (content, "kind", None)
    )
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(SamoyedError) as raised:
        scan_table(path, TableAsk(target, task=task))
    assert said in str(raised.value)
    assert isinstance(raised.value, DataError | OptionError)


BYTES = {
    "wrong encoding": ("é,b,kind\n1,2,no\n".encode("latin-1"), "0xE9"),
    "UTF-16": (text(rows()).encode("utf-16"), "UTF-16"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    "spreadsheet": (b"PK\x03\x04" + bytes(100), "xlsx"),
    "half a gzip": (gzip.compress(text(rows()).encode())[:300], "breaks off"),
}


@pytest.mark.parametrize("way", BYTES)
def test_bytes_that_are_no_table(way, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(BYTES[way][0])
    with pytest.raises(DataError) as raised:
        scan_table(path, TableAsk("kind"))
    assert BYTES[way][1] in str(raised.value)


def spoilt(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_text(content)
    return path


def test_bad_rows_can_be_left_out_and_are_listed(tmp_path):
    content = changed(44, 0, "abc").replace("\n", ",extra\n", 8).replace(",extra\n", "\n", 7)
    source = scan_table(spoilt(tmp_path, content), TableAsk("kind"), on_bad="skip")
    assert len(source.skipped) == 2
    assert "csv:8" in source.skipped[0]
    assert "csv:46" in source.skipped[1]
    assert len(source.cells) == 118


def test_without_a_target_the_columns_and_the_command_are_named(tmp_path):
    path = spoilt(tmp_path, text(rows()))
    with pytest.raises(OptionError) as raised:
        scan_table(path, TableAsk())
    assert "4 kind (category)" in str(raised.value)
    assert f"samoyed train {path} --target kind" in str(raised.value)
    assert any("letter: category" in line for line in scan_unasked(path))


TESTS = {
    "column missing": (text([line[1:] for line in rows()], HEADER[1:]), "a column 'x'"),
    "unseen class": (changed(3, 3, "maybe"), "csv:5, column 4 ('kind')"),
    "word among numbers": (changed(3, 0, "abc"), "test.csv:5, column 1 ('x')"),
    "other number of columns": ("\n".join("1,2" for _ in range(20)), "4 columns"),
    "no rows": (text([]), "no row below"),
}


@pytest.mark.parametrize("way", TESTS)
def test_a_test_file_that_does_not_fit(way, tmp_path):
    train = spoilt(tmp_path, text(rows()))
    test = spoilt(tmp_path, TESTS[way][0], "test.csv")
    with pytest.raises(DataError) as raised:
        scan_table(train, TableAsk("kind", str(test)))
    assert TESTS[way][1] in str(raised.value)
    source = scan_table(train, TableAsk("kind"))
    with pytest.raises(DataError) as raised:
        scan_held_out(test, source.spec, source.target)
    assert TESTS[way][1] in str(raised.value)


WARNINGS = {
    "identifier": (many(2, lambda i: f"id-{i}"), "age"),
    "numbered rows": (many(2, lambda i: str(i + 5)), "identifiers"),
    "constant": (many(1, lambda i: "same"), "constant columns are not used: letter"),
    "empty column": (many(1, lambda i: ""), "without any value are not used: letter"),
    "free text": (
        many(1, lambda i: f"the quick brown fox number {i} jumps over"), "free text are not used",
    ),
    "equals the target": (
        "x,copy,kind\n" + "".join(f"{i % 7},{'ab'[i % 2]},{'ny'[i % 2]}\n" for i in range(100)),
        "'copy' determines",
    ),
    "separates the classes": (
        "x,z,kind\n" + "".join(f"{i * 37 % 200 + 0.5},{i % 9},{'ny'[i * 37 % 200 < 80]}\n"
                               for i in range(200)), "'x' determines"),
    "rare class": (changed(7, 3, "never"), "never (1)"),
    "unequal classes": (many(3, lambda i: "no" if i % 15 else "yes"), "unequal classes"),
    "repeated rows": (text(rows() + rows(10)), "10 rows repeat"),
    "repeated with other targets": (
        text(rows() + [[*line[:3], "yes" if line[3] == "no" else "no"] for line in rows(4)]),
        "different targets, in 4 groups"),
    "mostly missing": (many(1, lambda i: "ab"[i % 2] if i % 5 == 0 else ""), "missing in"),
    "words among numbers": (
        many(0, lambda i: str(i % 9) if i % 3 else "none"), "'none' in line 2"),
    "decimal commas and points": (
        many(0, lambda i: f"{i}.5" if i % 3 else f"\"{i},5\""),
        "column 'x' holds mostly numbers, but '0,5' in line 2: it is not used"),
    "a number far from all others": (
        changed(44, 0, "1e30"), "'x' holds numbers far from all others"),
    "a class spelt in two ways": (
        many(3, lambda i: ["Yes", "no", "yes "][i % 3]), "nearly the same name: Yes = yes"),
    "percent": (many(2, lambda i: f"{i % 40}%"), "'age' holds numbers with '%'"),
    "currency": (many(2, lambda i: f"$ {i % 40}.5"), "'age' holds numbers with '$'"),
    "words of which most occur once": (
        many(1, lambda i: f"w{i % 60}"), "'letter' has 60 different values in 120 rows"),
}  # fmt: skip


@pytest.mark.parametrize("way", WARNINGS)
def test_what_is_suspicious_is_named(way, tmp_path):
    content, said = WARNINGS[way]
    source = scan_table(spoilt(tmp_path, content), TableAsk("kind"))
    assert any(said in warning for warning in source.warnings), source.warnings


def test_rows_of_the_training_part_in_the_test_file_are_named(tmp_path):
    train = spoilt(tmp_path, text(rows()))
    test = spoilt(tmp_path, text(rows(6)), "test.csv")
    source = scan_table(train, TableAsk("kind", str(test)))
    [warning] = [w for w in source.warnings if "test.csv" in w]
    assert warning.startswith("6 rows")
    assert "line 2 = line 2" in warning


def test_arff_that_breaks_its_own_header(tmp_path):
    head = "@relation r\n@attribute x numeric\n@attribute k {a,b}\n@data\n"
    for body, said in (
        ("1,c\n", "arff:5, column 2 ('k')"), ("x,a\n", "a number, as declared"),
        ("1,a,3\n", "2 values"), ("{0 1}\n", "sparse"), ("", "rows below @data"),
    ):  # fmt: skip
        with pytest.raises(DataError) as raised:
            read_cells(spoilt(tmp_path, head + body, "t.arff"))
        assert said in str(raised.value)
    with pytest.raises(DataError, match="@data above the rows"):
        read_cells(spoilt(tmp_path, "@relation r\n@attribute x numeric\n", "t.arff"))


def test_rows_to_answer_for_must_fit(tmp_path):
    source = scan_table(spoilt(tmp_path, text(rows())), TableAsk("kind"))
    bad = spoilt(tmp_path, "age,letter,x\n3,a,oops\n", "new.csv")
    with pytest.raises(DataError, match="column 3 \\('x'\\)"):
        read_rows([str(bad)], source.spec, source.target)
    with pytest.raises(DataError, match="nothing there"):
        read_rows([str(tmp_path / "none.csv")], source.spec, source.target)
    with pytest.raises(DataError, match="at least one table"):
        read_rows([], source.spec, source.target)


def test_places_that_hold_no_table(tmp_path):
    (tmp_path / "tables").mkdir()
    spoilt(tmp_path / "tables", text(rows()), "a.csv")
    for place, said in ((tmp_path / "tables", "a folder"), (tmp_path / "b.csv", "nothing there")):
        with pytest.raises(DataError) as raised:
            read_cells(place)
        assert said in str(raised.value)
        with pytest.raises(DataError):
            scan_table(place, TableAsk("kind"))


def test_a_copy_of_a_number_that_is_asked_for_is_named(tmp_path):
    body = "".join(f"{i * 7 % 31},{i * 13 % 47 + 0.5},{2 * (i * 7 % 31) + 1}\n" for i in range(60))
    source = scan_table(spoilt(tmp_path, "x,z,y\n" + body), TableAsk("y", task="regress"))
    assert [w for w in source.warnings if w.startswith("column 'x' determines the target y")]


def test_a_target_far_from_all_others_is_named_and_a_long_tail_is_none(tmp_path):
    lines = [f"{i % 9},{1 + i * 37 % 101},a" for i in range(100)]
    path = spoilt(tmp_path, "x,y,z\n" + "\n".join([*lines, "3,1e30,b"]) + "\n")
    [warning] = [w for w in scan_table(path, TableAsk("y")).warnings if "far from" in w]
    assert warning.startswith("target 'y' holds numbers far from all others")
    assert warning.endswith(": 1e30 in line 102")
    tail = [f"{i % 9},{10 ** (i % 7)},a" for i in range(100)]
    path = spoilt(tmp_path, "x,y,z\n" + "\n".join(tail) + "\n")
    assert not [w for w in scan_table(path, TableAsk("y", task="regress")).warnings if "far" in w]


@pytest.mark.parametrize("content", [
    "", text([]), text(rows(5)), "".join(f"1,{'ny'[i % 2]}\n" for i in range(40)),
])  # fmt: skip
def test_an_error_says_what_to_do(content, tmp_path):
    with pytest.raises(SamoyedError) as raised:
        scan_table(spoilt(tmp_path, content), TableAsk("2"))
    assert raised.value.hint
