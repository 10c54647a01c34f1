"""What is asked: inputs as given, piped in, and questions about words."""

from __future__ import annotations

import io

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data.asked_texts import Said
from samoyed.misunderstood import refuse_unknown, refuse_writing
from samoyed.standard_input import LINES, all_asked


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch):
    def pipe(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return pipe


@pytest.mark.parametrize("task", LINES)
def test_every_line_is_an_input(piped, task: str):
    piped("12 one\n\n7 two\n")
    kept = [""] if task == "translate" else []  # so that as many lines come out
    assert all_asked([], None, None, task) == ["12 one", *kept, "7 two"]
    piped("a\u2028b\x85c\r\nd")
    assert all_asked([], None, None, task) == ["a\u2028b\x85c", "d"]
    piped("a\nb\n")
    assert all_asked(["first", "-", "last"], None, None, task) == ["first", "a", "b", "last"]


@pytest.mark.parametrize("task", LINES)
def test_what_is_piped_in_names_no_file(piped, task: str):
    piped("missing.txt\n")
    [line] = all_asked([], None, None, task)
    assert isinstance(line, Said)
    with pytest.raises(DataError, match="no such file"):
        all_asked(["missing.txt"], None, None, task)


def refused(typed: list[str]) -> OptionError | None:
    try:
        refuse_unknown(typed)
    except OptionError as error:
        return error
    return None


@pytest.mark.parametrize(
    "typed",
    [
        ["RUN", "-", "--json"], ["RUN", "-- a dash"], ["RUN", "--", "--bonjour"], ["--run", "RUN"],
        ["RUN", "--prompt", "--x"], ["RUN", "--analogy", "a", "--b", "c"], ["RUN", "---"],
    ],
)  # fmt: skip
def test_what_is_no_option_of_predict_is_a_text(typed: list[str]):
    assert refused(typed) is None
    assert "--bonjour" in str(refused(["--bonjour", *typed]))  # what stands before is looked at


@pytest.mark.parametrize("typed", ["--promt", "--promt=two words", "--lenght=3", "--bonjour"])
def test_misspelt_options_of_predict_are_refused(typed: str):
    with pytest.raises(OptionError, match="no such option"):
        refuse_unknown(["RUN", "--seed", "1", typed])


@pytest.mark.parametrize("task", LINES)
def test_nothing_piped_in_is_said(piped, task: str):
    piped("")
    with pytest.raises(DataError, match="standard input"):
        all_asked([], None, None, task)


def test_a_sequence_is_no_path_of_a_picture(piped):
    piped("[[0.5, 1]]\n\0\n")
    assert all_asked(["-"], None, None, "remember") == ["[[0.5, 1]]", "\0"]


def test_questions_about_words_come_after_what_is_piped_in(piped):
    piped("monday\ntuesday\n")
    asked = all_asked(["-"], "friday", ("king", "man", "woman"), "embed")
    assert asked == ["monday", "tuesday", "friday", "king man woman"]
    assert all_asked([], "friday", None, "embed") == ["friday"]  # and nothing is read


def test_a_table_and_a_text_are_read_whole(piped):
    piped("a,b\n1,2\n")
    assert all_asked([], None, None, "classify_table") == ["-"]
    assert all_asked(["more.csv", "-"], None, None, "classify_table") == ["more.csv", "-"]
    assert all_asked(["-"], None, None, "continue_text") == ["a,b\n1,2\n"]


def test_what_cannot_be_asked_is_refused(piped):
    piped("a\n")
    with pytest.raises(OptionError, match="twice"):
        all_asked(["-", "-"], None, None, "tag")
    for near, analogy in (("monday", None), (None, ("a", "b", "c"))):
        with pytest.raises(OptionError, match="word vectors"):
            all_asked(["x.png"], near, analogy, "classify")
    for option, value in (("length", 5), ("temperature", 0.1), ("seed", 1)):
        with pytest.raises(OptionError, match=f"--{option}"):
            refuse_writing("classify", **{option: value})
    refuse_writing("continue_text", length=5)
    refuse_writing("classify", length=500, temperature=0.8, seed=0)
