"""Nothing of a folder is left out in silence, whatever it was taken for."""

import json

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data.json_lines import parse
from samoyed.data.left_out import left_out
from samoyed.opening import open_source

LINES = [f"{label}\tthis is the text number {k} of a file" for k in range(40) for label in "ab"]
TAGGED = "".join(f"He PRP B-NP\nruns{k} VBZ B-VP\n\n" for k in range(40))


def text_of(num):
    return "".join(f"number{k} is a line of a text that goes on, {k * k}\n" for k in range(num))


def test_files_are_named_but_those_about_the_data(tmp_path):
    for name in ("a.txt", "b.csv", "README.md", "LICENSE", ".hidden"):
        (tmp_path / name).write_text("x")
    (tmp_path / "c.txt").symlink_to(tmp_path / "nowhere")
    [found] = left_out(tmp_path, [tmp_path / "a.txt"], "a text")
    assert found.startswith("2 files not used, as the folder is read as a text: c.txt (a link")
    assert "b.csv" in found
    assert "README" not in found
    assert left_out(tmp_path / "a.txt", [], "a text") == ()
    (tmp_path / "c.txt").unlink()
    assert left_out(tmp_path, [tmp_path / "a.txt", tmp_path / "b.csv"], "a text") == ()


@pytest.mark.parametrize(
    ("used", "content", "what"),
    [
        ("train.txt", "\n".join(LINES), "labelled text"),
        ("train.conll", TAGGED, "tagged text"),
        ("book.txt", text_of(400), "a text to continue"),
        ("book_train.txt", text_of(400), "a text to continue"),
    ],
)
def test_every_kind_of_folder_says_what_it_leaves_out(tmp_path, used, content, what):
    (tmp_path / used).write_text(content)
    if used == "book_train.txt":
        (tmp_path / "book_test.txt").write_text(text_of(300))
    assert not any("not used" in said for said in open_source(str(tmp_path)).warnings)
    (tmp_path / "reviews.csv").write_text("a,b\n1,2\n")
    found = [said for said in open_source(str(tmp_path)).warnings if "not used" in said]
    assert len(found) == 1
    assert f"read as {what}: reviews.csv" in found[0]


def test_pairs_say_what_they_leave_out(tmp_path):
    for side in ("de", "en"):
        lines = "".join(f"{side} sentence {k} here .\n" for k in range(60))
        (tmp_path / f"train.{side}").write_text(lines)
    (tmp_path / "test.conll").write_text(TAGGED)
    from samoyed.data.pair_files import PairAsk

    source = open_source(str(tmp_path), pairs=PairAsk("de", "en"))
    assert any("pairs, de to en: test.conll" in said for said in source.warnings)


def test_a_part_alone_is_doubted(tmp_path):
    (tmp_path / "test.txt").write_text(text_of(400))
    assert any("none is train" in said for said in open_source(str(tmp_path)).warnings)
    (tmp_path / "test.txt").rename(tmp_path / "train.txt")
    assert not any("none is" in said for said in open_source(str(tmp_path)).warnings)


def test_classes_that_differ_in_case_are_named(tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text("\n".join([*LINES, *(line.upper() for line in LINES[:20])]))
    assert any(
        "nearly the same name: A = a, B = b" in said for said in open_source(str(file)).warnings
    )


def test_lone_carriage_returns_hide_no_labels(tmp_path):
    lines = [f"__label__{label} text number {k}" for k in range(30) for label in ("x", "y")]
    file = tmp_path / "lines.txt"
    file.write_bytes("\r".join(lines).encode())
    assert open_source(str(file)).kind == "labelled_text"


def test_half_of_the_lines_with_a_mark_tell_fasttext(tmp_path):
    lines = [f"__label__{'xy'[k % 2]} text number {k}" if k % 3 else f"a text {k}"
             for k in range(60)]  # fmt: skip
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines))
    with pytest.raises(DataError, match="__label__NAME") as error:
        open_source(str(file))
    assert error.value.place.endswith(":1")


def test_many_lines_that_begin_with_few_words_are_labelled_but_a_play_is_doubted(tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text("".join(f"{['good', 'bad'][k % 2]} it was {k} times\n" for k in range(240)))
    assert open_source(str(file)).kind == "labelled_text"
    file.write_text("".join(f"{['ANNA:', 'BOB:'][k % 2]} it was {k}\n" for k in range(240)))
    with pytest.raises(DataError, match="a text to continue, or texts with a class"):
        open_source(str(file))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a", "text": "b"}', "'text' is given twice"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
        ("[", "of several lines"),
        ("{text}", "Expecting property name"),
    ],
)
def test_a_line_of_json_says_what_is_wrong(line, reason):
    with pytest.raises(ValueError, match=reason):
        parse(line)
    assert parse(json.dumps("\U0001f600")) == "\U0001f600"


def test_an_array_of_json_is_no_text(tmp_path):
    for name in ("a.json", "a.jsonl"):
        (tmp_path / name).write_text(json.dumps([{"text": text_of(200)}]))
        with pytest.raises(DataError, match=r"an array in brackets"):
            open_source(str(tmp_path / name))


def test_what_was_decoded_wrongly_is_told_of(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text((text_of(300) + "é ").encode().decode("windows-1252") * 8)
    assert any("UTF-8 that was read as Windows-1252" in said for said in open_source(
        str(file)).describe())  # fmt: skip
    file.write_text(text_of(300) + "\ufffd")
    assert any("1 times U+FFFD" in said for said in open_source(str(file)).describe())
    file.write_bytes(text_of(300).replace("text", "κείμενο").encode("utf-16-le"))
    with pytest.raises(DataError, match="UTF-16 without a mark"):
        open_source(str(file))


def test_columns_of_conll_u_have_names(tmp_path):
    from samoyed.data.tables import TableAsk

    rows = "".join(
        f"1\tHe\the\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n2\truns{k}\trun\tVERB\tVBZ\t_\t0\troot\t_\t_\n\n"
        for k in range(40)
    )
    file = tmp_path / "a.conllu"
    file.write_text(rows)
    assert "PRP (" in open_source(str(file), ask=TableAsk(target="xpos")).describe()[1]
    with pytest.raises(OptionError, match="the number of a column"):
        open_source(str(file), ask=TableAsk(target="pos"))


def test_an_empty_folder_is_told_what_it_may_hold(tmp_path):
    with pytest.raises(DataError, match="a folder without a file"):
        open_source(str(tmp_path))


def test_a_folder_of_files_of_no_known_kind_is_told_to_name_one(tmp_path):
    for name in ("dev.conll", "test.conll"):
        (tmp_path / name).write_text(TAGGED)
    with pytest.raises(DataError, match=r"a folder of 2: dev.conll(.|\n)*by its name"):
        open_source(str(tmp_path))


def test_a_folder_of_files_of_two_kinds_names_both(tmp_path):
    (tmp_path / "names.conll").write_text(TAGGED)
    pairs = "".join(f"le chien numéro {k} court\tthe dog number {k} runs\n" for k in range(40))
    (tmp_path / "pairs.tsv").write_text(pairs)
    with pytest.raises(DataError) as caught:
        open_source(str(tmp_path))
    assert caught.value.found == (
        "a folder of 2: names.conll (tagged words), pairs.tsv (sentence pairs)"
    )
    assert all(f"check {tmp_path / name}" in caught.value.hint
               for name in ("names.conll", "pairs.tsv"))  # fmt: skip
