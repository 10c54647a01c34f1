"""How numbers and dates are written and where names stand: tables are read as they are meant."""

import re

import pytest

from samoyed.core.errors import DataError
from samoyed.data.table_files import read_cells, read_text
from samoyed.data.table_numbers import as_number
from samoyed.data.table_values import guess, parse_numbers
from samoyed.data.tables import TableAsk, scan_table, scan_unasked


def semicolons(*columns, head):
    lines = [";".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([";".join(head), *lines]) + "\n"


def written(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_text(content)
    return str(path)


def marks(num):
    return [["good", "bad"][k // 3 % 2] for k in range(num)]


def test_a_decimal_comma_before_three_digits_is_none_between_thousands(tmp_path):
    column = [f"{k % 4},{126 + k}" for k in range(60)]
    table = written(tmp_path, semicolons(column, marks(60), head=["weight", "mark"]))
    source = scan_table(table, TableAsk("weight"))
    assert any("numbers from 0.126 to 3.185" in line for line in source.describe())
    assert guess("v", ["0,126", "3,995"] * 10).form == "decimal comma"
    above = ["1,126", "3,995"] * 10
    assert guess("v", above, delimiter=";").form == "decimal comma"
    assert guess("v", above).form == "thousands", "quoted between commas"


def wages():
    numbers = [400 + 7 * k * k % 2183 for k in range(60)]
    return [f"{number:,}".replace(",", ".") for number in numbers]


def test_points_between_thousands_are_no_decimal_ones(tmp_path):
    table = written(tmp_path, semicolons(wages(), marks(60), head=["wage", "mark"]))
    source = scan_table(table, TableAsk("wage"))
    [said] = [line for line in source.describe() if line.startswith("target")]
    assert "numbers from 400 to 2428" in said
    assert "1.234,5 is 1234.5" in said
    [said] = [line for line in scan_unasked(table) if "wage" in line and "number" in line]
    assert "number (1.234,5 is 1234.5)" in said
    plain = ["950", "1.250", "0.998", "12.177"]
    assert guess("v", plain * 15, delimiter=";").form == ""
    assert guess("v", ["1.25", "950"] * 15, delimiter=";").form == ""


def test_points_that_may_stand_between_thousands_are_told_of(tmp_path):
    lines = "".join(f"{wage},{mark}\n" for wage, mark in zip(wages(), marks(60), strict=True))
    source = scan_table(written(tmp_path, "wage,mark\n" + lines), TableAsk("mark"))
    [said] = [line for line in source.warnings if "thousands" in line]
    assert re.match(r"column 'wage' holds \d\.\d{3} beside \d{3}, .* write \d{4}$", said)


@pytest.mark.parametrize(
    ("cell", "form", "number"),
    [
        ("3,5", "thousands", None), ("1,234.50", "decimal comma", None),
        ("1,234.50", "thousands", 1234.5), ("1.234,50", "decimal comma", 1234.5),
        ("0,126", "thousands", None), ("1.25", "decimal comma", None),
        ("1.250", "decimal comma", 1250.0), ("-7", "thousands", -7.0), ("x", "thousands", None),
    ],
)  # fmt: skip
def test_a_number_is_written_in_its_columns_form_or_is_none(cell, form, number):
    assert as_number(cell, form) == number
    assert parse_numbers([cell], "number", form)[1] == ([0] if number is None else [])


def test_one_stray_word_among_decimal_commas_is_named(tmp_path):
    column = [f"{k % 90},{k % 7}" for k in range(300)]
    found = guess("v", [*column, "k.A."], delimiter=";")
    assert (found.kind, found.form, found.strays) == ("number", "decimal comma", (300,))
    column[44] = "k.A."
    table = written(tmp_path, semicolons(column, marks(300), head=["weight", "mark"]))
    with pytest.raises(DataError, match=r"k\.A\.") as error:
        scan_table(table, TableAsk("mark"))
    assert "t.csv:46, column 1" in error.value.place


@pytest.mark.parametrize(
    ("cells", "form", "day"),
    [
        (["06.08.2015 12:00:00", "25.08.2015 00:00:00"], "%d.%m.%Y %H:%M:%S", 16653.5),
        (["2015-08-06 12:00:00 UTC", "2015-08-25 00:00:00 UTC"], "iso", 16653.5),
        (["08/06/2015 12:00:00 PM", "08/25/2015 01:30:00 AM"], "%m/%d/%Y %I:%M:%S %p", 16653.5),
        (["8/6/15 12:00", "8/25/15 0:00"], "%m/%d/%y %H:%M", 16653.5),
        (["8/6/15", "8/25/15"], "%m/%d/%y", 16653.0),
        (["6/8/15", "25/8/15"], "%d/%m/%y", 16653.0),
        (["06-08-2015 12:00", "25-08-2015 00:00"], "%d-%m-%Y %H:%M", 16653.5),
        (["2015-08", "2016-12"], "%Y-%m", 16648.0),
        (["August 6, 2015", "June 17, 2015"], "%B %d, %Y", 16653.0),
    ],
)  # fmt: skip
def test_dates_as_programs_and_people_write_them(cells, form, day):
    found = guess("v", cells * 20)
    assert (found.kind, found.form, found.other_form) == ("date", form, "")
    assert parse_numbers(cells[:1], "date", form)[0][0] == day


def test_the_form_of_dates_is_told_and_where_another_fits_as_well(tmp_path):
    days = [f"01/{1 + k % 12:02}/{2000 + k // 12}" for k in range(120)]
    lines = "".join(f"{day},{mark}\n" for day, mark in zip(days, marks(120), strict=True))
    table = written(tmp_path, "day,mark\n" + lines)
    said = "day (month/day/year; day/month/year would fit as well)"
    assert any(said in line for line in scan_table(table, TableAsk("mark")).describe())
    assert any("date (month/day/year;" in line for line in scan_unasked(table))
    found = guess("day", [*days, "31/01/2020"])
    assert (found.form, found.strays) == ("%d/%m/%Y", ()), "the form that fits all goes first"


def test_what_programs_write_for_no_value_is_missing():
    found = guess("v", ["None", "#N/A", "<NA>", "0.5", "1.5"] * 10)
    assert (found.kind, found.num_missing) == ("number", 30)
    assert guess("v", ["none", "some"] * 10).num_missing == 0, "a word like others"


def test_excels_first_line_says_what_separates_the_cells(tmp_path):
    table = written(tmp_path, "sep=;\na;b;y\n" + "8,5;0,28;p\n3;0,32;q\n" * 20)
    cells = read_cells(table)
    assert cells.names == ("a", "b", "y")
    assert cells.column("b")[0] == "0,28"
    assert cells.lines[0] == 3
    assert read_text("t", "sep=~\na~b\n1~x\n2~y\n").names == ("a", "b")


@pytest.mark.parametrize(
    ("line", "head", "names"),
    [
        ("{k},Drama|War,0.5,a", "id,genres,score,label\n", 4),
        ("n{k},37.65;7.5,0.89,b", "name,place,score,label\n", 4),
        ("n{k},37.65;7.5,0.89,b", "", 4),
        ("{k},5;2,5;3,5", "", 3),
        ("{k},5;2,5;3,5", "a;b;c\n", 3),
        ("{k}\t1, 2, 3\tx", "", 3),
    ],
)  # fmt: skip
def test_a_sign_that_is_once_in_every_row_is_no_delimiter(line, head, names):
    text = head + "".join(line.format(k=k) + "\n" for k in range(60))
    assert len(read_text("t.csv", text).names) == names


def test_years_may_be_names_of_columns():
    lines = [f"c{k % 5},{k},{2 * k},{3 * k},{'ab'[k % 2]}" for k in range(60)]
    cells = read_text("t.csv", "\n".join(["country,2019,2020,2021,grade", *lines]))
    assert cells.names == ("country", "2019", "2020", "2021", "grade")
    assert not read_text("t.csv", "\n".join(lines)).has_header
    assert not read_text("t.csv", "\n".join(["c9,3,4,5,a", *lines])).has_header
    label = read_text("t.csv", "\n".join(["label,0,1,2", *["3,12,0,9", "4,9,0,9"] * 9]))
    assert label.names == ("label", "0", "1", "2")
    stray = read_text("t.csv", "\n".join(["k.A.,3,5", *["3,12,0", "4,9,0"] * 9]))
    assert not stray.has_header


def test_quotation_marks_between_tabs_may_be_parts_of_a_text():
    rows = [
        'good\t"brilliant" is the word for it',
        "bad\tso dull",
        'good\t" fine " , they said',
    ] * 4
    cells = read_text("t.tsv", "\n".join(["kind\ttext", *rows]) + "\n")
    assert cells.column("text")[0] == '"brilliant" is the word for it'
    assert len(cells) == 12
    quoted = read_text("t.tsv", 'kind\ttext\ngood\t"so\tfine"\nbad\tdull\n')
    assert quoted.column("text") == ("so\tfine", "dull")
    with pytest.raises(DataError, match="quotation mark"):
        read_text("t.csv", "kind,text\n" + "".join(f"{r}\n".replace("\t", ",") for r in rows))


def test_a_first_row_of_sentences_is_no_header():
    pairs = [("Anna sleeps here .", "Anne dort ici ."), ("He goes out .", "Il sort ."),
             ("She eats an apple .", "Elle mange une pomme .")]  # fmt: skip
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    assert not read_text("t.tsv", text).has_header
    assert read_text("t.tsv", f"What he said\tlang\n{text}").has_header
    assert read_text("t.tsv", f"What did he say?\tWhat did she say?\n{text}").has_header
    assert read_text("t.tsv", f"english\tfrench\n{text}").names == ("english", "french")
