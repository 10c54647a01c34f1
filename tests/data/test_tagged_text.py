"""Tagged columns: schemes told apart and checked, layouts, and the ways to spoil them."""

import pytest

import samoyed
from command_line import refused_by_check
from samoyed.core.errors import DataError
from samoyed.data import tag_schemes
from samoyed.data.tables import TableAsk
from samoyed.opening import open_source
from samoyed.tasks.tag import scores_of

SENTENCE = "The DT B-NP\ndog NN I-NP\nruns VB B-VP\ntown{} NN B-NP\n. . O\n\n"
GOOD = "".join(SENTENCE.format(i) for i in range(20))


def put(tmp_path, text, name="train.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def open_any(path, on_bad="stop", **said):
    return open_source(str(path), on_bad=on_bad, ask=TableAsk(**said))


def test_columns_that_are_to_be_classified_are_warned_about(tmp_path):
    path = put(tmp_path, GOOD)
    found = open_any(path, task="classify")
    assert found.kind == "labelled_text"
    assert "without --task learns to tag them" in found.warnings[0]
    assert open_any(path).kind == "tagged_text"


def test_a_folder_of_tagged_files_is_no_text_to_continue(tmp_path):
    put(tmp_path, GOOD, "a.txt")
    put(tmp_path, GOOD.replace("x", "y"), "b.txt")
    with pytest.raises(DataError, match=r"a\.txt \(tagged words\)"):
        open_any(tmp_path)
    assert open_any(tmp_path, task="continue_text").kind == "text"
    put(tmp_path, "It was the best of times, it was the worst of times.\n" * 99, "c.txt")
    assert open_any(tmp_path).kind == "text"


TAGS = ["B-A", "I-A", "O", "B-A", "B-A", "I-A", "I-A", "I-B", "B-B"]


@pytest.mark.parametrize("scheme", ["IOB1", "BIO", "BIOES", "BILOU", "BMES"])
def test_schemes_hold_the_same_chunks(scheme):
    told = tag_schemes.to_bioes(TAGS)
    back = tag_schemes.from_bioes(told, scheme)
    assert tag_schemes.spans_of(back) == tag_schemes.spans_of(TAGS)
    assert tag_schemes.illegal_at(back, scheme) is None
    assert tag_schemes.scheme_of([back]) == scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "place"),
    [
        (["O", "I-A"], "BIO", 1), (["B-A", "I-B"], "BIO", 1), (["B-A", "I-A"], "BIO", None),
        (["B-A"], "IOB1", 0), (["I-A", "B-A"], "IOB1", None), (["I-B", "B-A"], "IOB1", 1),
        (["B-A"], "BIOES", 0), (["B-A", "O"], "BIOES", 1), (["E-A"], "BIOES", 0),
        (["S-A", "B-A", "I-A", "E-A"], "BIOES", None), (["S-A", "I-A"], "BIOES", 1),
    ],
)  # fmt: skip
def test_the_first_illegal_tag(tags, scheme, place):
    assert tag_schemes.illegal_at(tags, scheme) == place


def test_columns_are_read_and_split(tmp_path):
    source = open_any(put(tmp_path, GOOD))
    assert source.kind == "tagged_text"
    assert source.tags.scheme == "BIO"
    assert len(source.tags) == 1 + 4 * 2
    assert (source.num_train, len(source.parts["test"])) == (16, 4)
    put(tmp_path, SENTENCE.format(3) * 2, "test.txt")
    folder = open_any(tmp_path)
    assert (folder.num_train, len(folder.parts["test"])) == (20, 2)
    tagged = open_any(tmp_path / "train.txt", target="2")
    assert tagged.tags.scheme == ""
    assert set(tagged.tags.names) == {"DT", "NN", "VB", "."}


def test_universal_columns_are_read(tmp_path):
    line = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
    sentence = (
        "# text = x\n"
        + line.format("1-2", "du", "_")
        + "".join(
            line.format(i, word, tag)
            for i, (word, tag) in enumerate([("de", "ADP"), ("le", "DET")], 1)
        )
    )
    path = put(tmp_path, (sentence + "\n") * 9 + sentence.replace("le", "la") + "\n", "x.conllu")
    [first, *_] = open_any(path).parts["train"]
    assert first.words in (("de", "le"), ("de", "la"))
    assert first.tags == ("ADP", "DET")


ERRORS = {
    "ragged": (GOOD.replace("runs VB B-VP", "runs B-VP", 1), "train.txt:3\n"),
    "too many columns": (GOOD.replace("runs VB B-VP", "runs VB B-VP O", 1), "train.txt:3\n"),
    "illegal sequence": (GOOD.replace("The DT B-NP", "The DT O", 1), "train.txt:2\n"),
    "another type inside": (GOOD.replace("dog NN I-NP", "dog NN I-VP", 1), "train.txt:2\n"),
    "too few sentences": (SENTENCE * 3, "at least 10 sentences"),
    "one tag": ("a x\nb x\nc x\n\n" * 20, "at least two different tags"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_spoiled_is_named(name, tmp_path):
    text, said = ERRORS[name]
    with pytest.raises(DataError) as caught:
        open_any(put(tmp_path, text), task="tag")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", [name for name in ERRORS if "txt:" in ERRORS[name][1]])
def test_bad_sentences_can_be_left_out(name, tmp_path):
    source = open_any(put(tmp_path, ERRORS[name][0]), on_bad="skip")
    assert len(source.skipped) == 1
    assert source.num_train + len(source.parts["test"]) == 19


def test_an_unknown_tag_of_the_test_part_is_named_with_its_line(tmp_path):
    train = put(tmp_path, GOOD)
    test = put(tmp_path, SENTENCE + SENTENCE.replace("B-VP", "B-XP"), "test.txt")
    with pytest.raises(DataError, match=r"test\.txt:9"):
        open_any(train, test=str(test))


def test_a_mistyped_tag_is_named_and_hides_no_other_mistake(tmp_path):
    typed = SENTENCE.format("x").replace("I-NP", "X-NP")
    path = put(tmp_path, GOOD + typed + SENTENCE.format("y").replace("I-NP", "I-VP"))
    with pytest.raises(DataError) as caught:
        open_any(path)
    error = caught.value
    assert (error.place, error.found) == (f"{path}:122", "'X-NP'")
    assert "-NP'?" in error.hint
    source = open_any(path, on_bad="skip")
    assert source.tags.scheme == "BIO"
    assert source.skipped == (
        f"{path}:122: 'X-NP' is no BIO tag; its sentence is left out",
        f"{path}:128: 'I-VP' after B-NP; its sentence is left out",
    )
    message = refused_by_check(path)
    assert all(text in message for text in ("2 problems", ":122: 'X-NP'", ":128: 'I-VP'"))


def test_a_mistyped_tag_of_the_test_part_is_named(tmp_path):
    put(tmp_path, GOOD)
    put(tmp_path, (SENTENCE.format(1) * 2).replace("I-NP", "X-NP"), "test.txt")
    with pytest.raises(DataError, match="'X-NP'"):
        open_any(tmp_path)


def test_other_tags_of_half_the_words_are_no_mistakes(tmp_path):
    text = GOOD.replace("B-VP", "VP").replace("I-NP", "XNP")
    assert open_any(put(tmp_path, text)).tags.scheme == ""


@pytest.mark.parametrize("scheme", ["IOB1", "BIO", "BIOES", "BILOU", "BMES"])
def test_right_answers_are_right_in_the_letters_of_the_data(scheme, tmp_path):
    truth = tag_schemes.from_bioes(tag_schemes.to_bioes(TAGS), scheme)
    rows = "".join(f"word{k} {tag}\n" for k, tag in enumerate(truth)) + "\n"
    source = open_any(put(tmp_path, "".join(rows.replace("word", f"word{i}-") for i in range(20))))
    assert source.tags.scheme == scheme
    data = source.load()
    told = [source.tags.names[k] for k in data.test.tags[: len(truth)]]
    answers = [tag_schemes.from_bioes(told, scheme)]
    assert answers == [list(truth)]
    scores = {score.name: score.value for score in scores_of([truth], answers, scheme)}
    assert scores["chunk_f1"] == scores["token_accuracy"] == 1.0


@pytest.mark.parametrize("other", ["IOB1", "BIOES", "BILOU", "BMES"])
def test_a_test_part_in_another_scheme_is_told_of(other, tmp_path):
    train = "".join(f"w{k} {tag}\n" for k, tag in enumerate(TAGS)) + "\n"
    told = tag_schemes.from_bioes(tag_schemes.to_bioes(TAGS), other)
    put(tmp_path, train.replace("I-B", "B-B") * 20)
    put(tmp_path, "".join(f"w{k} {tag}\n" for k, tag in enumerate(told)) + "\n", "test.txt")
    with pytest.raises(DataError, match="BIO tag") as caught:
        open_any(tmp_path)
    assert "test.txt:" in caught.value.place


def test_one_mistyped_end_makes_no_scheme(tmp_path):
    with pytest.raises(DataError, match="a BIO tag, as nearly all others") as caught:
        open_any(put(tmp_path, GOOD + "He PRP E-NP\n"))
    assert caught.value.place.endswith(":121")


@pytest.mark.parametrize("written", ["{0}_{1}", "{1}-{0}", "{2}-{3}"])
def test_chunks_that_are_marked_otherwise_are_told_of(written, tmp_path):
    text = "".join(
        f"{word} {tag if tag == 'O' else written.format(*tag.split('-'), *tag.lower().split('-'))}"
        + ("\n" if word != "." else "\n\n")
        for i in range(20)
        for word, tag in ((f"Anna{i}", "B-PER"), ("Bell", "I-PER"), ("in", "O"), ("Rome", "B-LOC"),
                          (".", "O"))
    )  # fmt: skip
    source = open_any(put(tmp_path, text))
    assert source.tags.scheme == ""
    [said] = [said for said in source.warnings if "no chunks are scored" in said]
    assert written.format("B", "LOC", "b", "loc") in said
    assert "write" in said


def test_check_says_of_bad_lines_what_train_does(tmp_path):
    path = put(tmp_path, "dog\n".join([GOOD, GOOD, GOOD]))
    message = refused_by_check(path)
    assert "2 problems" in message
    assert ":121: 1 column, not 3: 'dog'\n" in message
    assert "its sentence is left out" not in message
    assert "train stops, unless it is given --on-bad skip, which leaves their sentences" in message
    skipped = [line for line in samoyed.check(path, on_bad="skip") if line.startswith("skipped")]
    assert len(skipped) == 2
    assert all(
        line.endswith("1 column, not 3: 'dog'; its sentence is left out") for line in skipped
    )


def test_a_bad_line_is_told_which_columns_there_are(tmp_path):
    with pytest.raises(DataError) as caught:
        open_any(put(tmp_path, f"{GOOD}dog\n"))
    assert caught.value.expected == (
        "3 columns, as on the other lines: the word in column 1, its tag in column 3"
    )
    assert caught.value.found == "1 column, not 3: 'dog'"
