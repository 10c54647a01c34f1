"""Mistakes in tables that once passed in silence, or under a wrong name."""

import warnings

import numpy as np
import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data.table_encoding import clip_smoothly
from samoyed.data.table_files import Cells, read_cells
from samoyed.data.table_numbers import as_number
from samoyed.data.table_oddities import is_written
from samoyed.data.table_rows import UNNAMED, read_rows
from samoyed.data.table_values import guess
from samoyed.data.tables import TableAsk, scan_held_out, scan_table
from samoyed.opening import open_source

HEAD = "age,income,grade"


def rows(num=60, first=0):
    return [
        f"{20 + k % 40},{1000 + 37 * k % 900}.5,{['high', 'low'][k // 3 % 2]}"
        for k in range(first, first + num)
    ]


def written(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_header_that_stands_twice_is_named_or_left_out(tmp_path):
    table = written(tmp_path / "t.csv", HEAD, *rows(30), HEAD, *rows(30, 30))
    with pytest.raises(DataError, match="the header again") as error:
        scan_table(table, TableAsk("grade"))
    assert error.value.place.endswith("t.csv:32")
    source = scan_table(table, TableAsk("grade"), on_bad="skip")
    assert len(source.cells) == 60
    assert source.skipped == (f"{table}:32: the header again",)


def test_two_bad_cells_in_a_row_name_the_first(tmp_path):
    lines = rows(200)
    lines[150] = "x,y,high"
    table = written(tmp_path / "t.csv", HEAD, *lines)
    with pytest.raises(DataError, match="and 1 more cells") as error:
        scan_table(table, TableAsk("grade"))
    assert "t.csv:152, column 1" in error.value.place


@pytest.mark.parametrize("head", ["AGE,Income,grade", "income,AGE,grade"])
def test_a_header_in_other_case_names_the_same_columns(tmp_path, head):
    table = written(tmp_path / "t.csv", HEAD, *rows())
    lines = rows(20, 60)
    if head.startswith("income"):
        lines = [",".join([line.split(",")[k] for k in (1, 0, 2)]) for line in lines]
    test = written(tmp_path / "test.csv", head, *lines)
    source = scan_table(table, TableAsk("grade", test))
    assert source.test is not None
    assert source.test.column("age") == tuple(str(20 + k % 40) for k in range(60, 80))


def test_a_header_of_other_names_is_no_row(tmp_path):
    table = written(tmp_path / "t.csv", HEAD, *rows())
    test = written(tmp_path / "test.csv", "a,b,c", *rows(20))
    for on_bad in ("stop", "skip"):
        with pytest.raises(DataError, match="a header with the names") as error:
            scan_table(table, TableAsk("grade", test), on_bad=on_bad)
        assert error.value.place.endswith("test.csv:1")


def test_a_test_file_without_a_header_is_told_of(tmp_path):
    table = written(tmp_path / "t.csv", HEAD, *rows())
    test = written(tmp_path / "test.csv", *rows(20))
    source = scan_table(table, TableAsk("grade", test))
    assert f"{UNNAMED}: age, income, grade" in source.describe()
    headless = written(tmp_path / "h.csv", *rows())
    assert not any(UNNAMED in line for line in scan_table(headless, TableAsk("3", test)).describe())


def test_rows_to_answer_for_without_a_header_are_told_of(tmp_path):
    source = scan_table(written(tmp_path / "t.csv", HEAD, *rows()), TableAsk("grade"))
    spec, target = source.spec, source.target
    new = [written(tmp_path / "new.csv", HEAD, *rows(20)), written(tmp_path / "h.csv", *rows(20))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with_header, _ = read_rows([str(new[0])], spec, target)
    with pytest.warns(UserWarning, match=f"h.csv: {UNNAMED}: age, income, grade"):
        without, _ = read_rows([str(new[1])], spec, target)
    np.testing.assert_array_equal(with_header, without)


def test_rows_of_a_class_that_is_unknown_are_listed(tmp_path):
    source = scan_table(written(tmp_path / "t.csv", HEAD, *rows()), TableAsk("grade"))
    other = written(tmp_path / "o.csv", HEAD, *rows(20), "30,1000,huge")
    held = scan_held_out(other, source.spec, source.target, on_bad="skip")
    assert held.skipped == (f"{other}:22: unknown target 'huge'",)


@pytest.mark.parametrize("start", [0, 1])
def test_a_header_of_numbers_is_one(tmp_path, start):
    lines = [f"{row},{k},{k * k}" for k, row in enumerate(rows())]
    head = ",".join(str(start + k) for k in range(5))
    cells = read_cells(written(tmp_path / "t.csv", head, *lines))
    assert cells.has_header
    assert len(cells) == 60
    few = written(tmp_path / "few.csv", "1,2,3", "4,5,6", "7,8,9")
    assert not read_cells(few).has_header


def test_one_bad_date_of_many_is_named(tmp_path):
    days = [f"2021-{1 + k % 12:02}-{1 + k % 28:02}" for k in range(200)]
    found = guess("day", ["2021-02-31", *days])
    assert (found.kind, found.form, found.strays) == ("date", "iso", (0,))
    assert guess("day", ["2021-02-31", *days[:50]]).kind != "date"
    lines = [f"{row},{day}" for row, day in zip(rows(200), days, strict=True)]
    lines[7] = lines[7][:-10] + "2021-02-31"
    with pytest.raises(DataError, match="a date like the others") as error:
        scan_table(written(tmp_path / "t.csv", HEAD + ",day", *lines), TableAsk("grade"))
    assert "t.csv:9" in error.value.place


def test_numbers_with_a_currency_are_not_called_identifiers(tmp_path):
    cells = [row.split(",") for row in rows(100)]
    lines = [f"{age},${7 * k + 0.25},{grade}" for k, (age, _, grade) in enumerate(cells)]
    source = scan_table(written(tmp_path / "t.csv", HEAD, *lines), TableAsk("grade"))
    [said] = [line for line in source.warnings if "income" in line]
    assert said.startswith("column 'income' holds numbers that are written as '$")
    assert not is_written(["a1", "b2", "c3"])
    assert not is_written(["100 km", "7 miles"])
    assert is_written(["100 km", "7 km"])


def test_thousands_with_a_decimal_comma_are_numbers():
    cells = [f"{k}.{k:03},{k:02}" for k in range(1, 99)]
    found = guess("income", cells)
    assert (found.kind, found.form) == ("number", "decimal comma")
    assert as_number("12.012,50", found.form) == 12012.5


def test_huge_numbers_are_clipped_without_a_word():
    with np.errstate(all="raise"):
        assert clip_smoothly(np.array([0.0, 1e308, -1e308])).tolist() == [0.0, 3.0, -3.0]


def test_a_column_that_nearly_is_the_target_is_named(tmp_path):
    lines = [f"{row},{row.split(',')[2]}" for row in rows(200)]
    for k in range(0, 200, 50):  # 3 of 200 differ
        lines[k] = lines[k].rsplit(",", 1)[0] + ",low"
    table = written(tmp_path / "t.csv", HEAD + ",copy", *lines)
    [said] = [s for s in scan_table(table, TableAsk("grade")).warnings if "determines" in s]
    assert said.startswith(
        "column 'copy' nearly (in 98.5% of the rows) determines the target grade"
    )
    for k in range(0, 200, 8):
        lines[k] = lines[k].rsplit(",", 1)[0] + ",low"
    table = written(tmp_path / "t.csv", HEAD + ",copy", *lines)
    assert not [s for s in scan_table(table, TableAsk("grade")).warnings if "'copy'" in s]


def test_values_that_differ_in_case_are_named(tmp_path):
    lines = [f"{row},{['Bern', 'Basel', 'BERN'][k % 3]}" for k, row in enumerate(rows(90))]
    source = scan_table(written(tmp_path / "t.csv", HEAD + ",city", *lines), TableAsk("grade"))
    assert "column 'city': values with nearly the same name: BERN = Bern" in source.warnings


def answered(num=60):
    """Rows whose grade follows a truth value and a word."""
    return [f"{row},{k % 2 == 0},{'abc'[k % 3]}" for k, row in enumerate(rows(num))]


def test_truth_values_as_spreadsheets_write_them_are_the_same(tmp_path):
    head = HEAD + ",active,letter"
    source = scan_table(written(tmp_path / "t.csv", head, *answered()), TableAsk("active"))
    again = written(tmp_path / "x.csv", head, *(line.upper() for line in answered(20)))
    first = written(tmp_path / "f.csv", head, *answered(20))
    upper, lower = (read_rows([path], source.spec, source.target)[0] for path in (again, first))
    np.testing.assert_array_equal(upper, lower)
    held = scan_held_out(again, source.spec, source.target)
    assert held.load().test.targets.tolist() == [k % 2 == 0 for k in range(20)]


def test_values_that_training_never_showed_are_told_of(tmp_path):
    head = HEAD + ",active,letter"
    source = scan_table(written(tmp_path / "t.csv", head, *answered()), TableAsk("grade"))
    other = [line.replace("True", "yes").replace("False", "no") for line in answered(20)]
    other[3] = other[3][:-1] + "?"
    new = written(tmp_path / "new.csv", head, *other)
    said = r"new.csv: values that the model does not know, .*column 'active' in 20 of 20 rows"
    with pytest.warns(UserWarning, match=said + r" \('yes', 'no'\)$"):
        read_rows([new], source.spec, source.target)
    with pytest.warns(UserWarning, match=said):
        scan_held_out(new, source.spec, source.target)
    source = scan_table(str(tmp_path / "t.csv"), TableAsk("grade", test=new))
    assert [line for line in source.warnings if "does not know" in line]


@pytest.mark.parametrize(
    ("shape", "example"), [("${k},000", "$"), ("{k}.5%", ".5%"), ("{k}'500", "'500")]
)
def test_numbers_with_signs_are_no_classes_unless_asked_for(tmp_path, shape, example):
    lines = [f'{row},"{shape.format(k=1 + k % 9)}"' for k, row in enumerate(rows(120))]
    table = written(tmp_path / "t.csv", HEAD + ",price", *lines)
    for task in (None, "regress"):
        with pytest.raises(DataError, match="numbers written as") as error:
            scan_table(table, TableAsk("price", task=task))
        assert example in error.value.found
        assert "--task classify" in error.value.hint
    asked = scan_table(table, TableAsk("price", task="classify"))
    assert len(asked.target.names) == 9


def test_few_numbers_with_a_word_are_classes(tmp_path):
    lines = [f"{row},{1 + k % 5} stars" for k, row in enumerate(rows(120))]
    table = written(tmp_path / "t.csv", HEAD + ",stars", *lines)
    assert scan_table(table, TableAsk("stars")).target.kind == "classes"


def test_whole_numbers_with_a_point_are_not_called_unread(tmp_path):
    lines = [f"{k}.0,{row}" for k, row in enumerate(rows())]
    source = scan_table(written(tmp_path / "t.csv", "id," + HEAD, *lines), TableAsk("grade"))
    assert [line for line in source.warnings if line.endswith("are not used: id")]
    assert not [line for line in source.warnings if "written as" in line]


def test_a_target_in_a_first_row_that_was_taken_for_values_is_found(tmp_path):
    lines = [f"name{k},{k},{k},{'ab'[k % 2]}" for k in range(40)]
    table = written(tmp_path / "t.csv", "name,2019,2019,grade", *lines)
    with pytest.raises(OptionError, match="in the first row, line 1; but that") as error:
        scan_table(table, TableAsk("grade"))
    assert "--target 4" in error.value.hint
    with pytest.raises(OptionError, match="The columns"):
        scan_table(table, TableAsk("wealth"))


def test_infinite_targets_can_be_left_out(tmp_path):
    lines = rows()
    lines[7] = "27,inf,high"
    table = written(tmp_path / "t.csv", HEAD, *lines)
    with pytest.raises(DataError, match="a finite number") as error:
        scan_table(table, TableAsk("income"))
    assert "--on-bad skip" in error.value.hint
    source = scan_table(table, TableAsk("income"), on_bad="skip")
    assert source.skipped == (f"{table}:9, column 2 ('income'): 'inf'",)


@pytest.mark.parametrize("name", ["customer_id", "CustomerId", "customerID", "RowNumber"])
def test_names_of_identifiers_in_every_spelling(name):
    cells = [str(15_000_000 + 37 * k * k) for k in range(60)]
    assert guess(name, cells).kind == "identifier"
    assert guess("Covid", cells).kind == "number"


def test_a_column_is_looked_up_once_for_all_rows(tmp_path, monkeypatch):
    asked = []
    find = Cells.column
    monkeypatch.setattr(
        Cells, "column", lambda cells, name: asked.append(name) or find(cells, name)
    )
    scan_table(written(tmp_path / "t.csv", HEAD, *rows(300)), TableAsk("grade"))
    assert len(asked) < 60


def test_of_a_folder_of_tables_the_one_to_learn_from_is_named(tmp_path):
    for name in ("gender_submission.csv", "test.csv", "train.csv"):
        written(tmp_path / name, HEAD, *rows())
    with pytest.raises(DataError, match="a folder of 3") as error:
        open_source(str(tmp_path))
    assert error.value.hint.endswith("train.csv")


def test_rows_without_answers_are_no_test_file(tmp_path):
    table = written(tmp_path / "t.csv", HEAD, *rows())
    unknown = [line.rsplit(",", 1)[0] for line in rows(20)]
    for name, head in (("test.csv", ["age,income"]), ("bare.csv", [])):
        test = written(tmp_path / name, *head, *unknown)
        with pytest.raises(DataError, match="no answers") as error:
            scan_table(table, TableAsk("grade", test))
        assert f"samoyed predict RUN {test}" in error.value.hint
