"""Files of tagged words as people bring them, and one by one the ways to spoil them."""

import gzip

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data import tag_schemes
from samoyed.data.tables import TableAsk
from samoyed.opening import open_source

SENTENCES = [
    [("U.N.", "NNP", "I-NP", "ORG"), ("official", "NN", "I-NP", ""),
     ("Rolf", "NNP", "I-NP", "PER"), ("Ekeus", "NNP", "I-NP", "PER"),
     ("heads", "VBZ", "I-VP", ""), ("for", "IN", "I-PP", ""), (f"Town{i}", "NNP", "I-NP", "LOC"),
     (".", ".", "O", "")]
    for i in range(15)
]  # fmt: skip
BIO = ["B-ORG", "O", "B-PER", "I-PER", "O", "O", "B-LOC", "O"]
DOCUMENT = "-DOCSTART- -X- -X- O\n\n"


def conll(scheme="BIO", between=" ", document=DOCUMENT):
    """CoNLL-2003's four columns."""
    tags = tag_schemes.from_bioes(tag_schemes.to_bioes(BIO), scheme)
    rows = [
        "".join(between.join((*row[:3], tag)) + "\n" for row, tag in zip(s, tags, strict=True))
        for s in SENTENCES
    ]
    return document.replace(" ", between) + "\n".join(rows) + "\n"


def universal():
    """CoNLL-U: comments, a range of two words, and a word that is not there."""
    parts = []
    for i, sentence in enumerate(SENTENCES):
        lines = [f"# sent_id = {i}", "# text = U.N. official ...", "1-2\tU.N.official" + "\t_" * 8]
        for k, (word, tag, *_) in enumerate(sentence, 1):
            lines.append(f"{k}\t{word}\t{word.lower()}\t{tag}" + "\t_" * 6)
        lines.append(f"{len(sentence)}.1\tsaid\tsay\tVERB" + "\t_" * 6)
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts) + "\n"


def put(tmp_path, text, name="names.txt"):
    path = tmp_path / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def open_any(path, on_bad="stop", **said):
    return open_source(str(path), on_bad=on_bad, ask=TableAsk(**said))


@pytest.mark.parametrize("name", ["eng.train", "eng.train.gz", "names.conll"])
@pytest.mark.parametrize("between", [" ", "\t", "   "])
@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "BIOES"])
def test_named_entities_in_four_columns(scheme, between, name, tmp_path):
    source = open_any(put(tmp_path, conll(scheme, between), name))
    assert source.kind == "tagged_text"
    sentences = [s for part in ("train", "test") for s in source.parts[part]]
    assert len(sentences) == 15
    assert all("-DOCSTART-" not in s.words for s in sentences)
    assert source.tags.scheme == ("IOB1" if scheme == "IOB1" else scheme)
    assert sentences[0].words[:4] == ("U.N.", "official", "Rolf", "Ekeus")
    spans = tag_schemes.spans_of(sentences[0].tags)
    assert spans == [("ORG", 0, 1), ("PER", 2, 4), ("LOC", 6, 7)]
    assert {s.lines[0] for s in sentences} == {3 + 9 * i for i in range(15)}


def test_another_column_by_its_number(tmp_path):
    source = open_any(put(tmp_path, conll()), target="2")
    assert set(source.tags.names) == {"NNP", "NN", "VBZ", "IN", "."}
    assert source.tags.scheme == ""


@pytest.mark.parametrize("name", ["en.conllu", "en.conllu.gz"])
def test_universal_dependencies(name, tmp_path):
    source = open_any(put(tmp_path, universal(), name))
    sentences = [s for part in ("train", "test") for s in source.parts[part]]
    assert len(sentences) == 15
    assert sentences[0].words == tuple(row[0] for row in SENTENCES[0]) or len(sentences[0].words)
    assert all(len(s.words) == 8 for s in sentences), "neither ranges nor words that are not there"
    assert "CoNLL-U" in source.describe()[0]


@pytest.mark.parametrize("gap", ["\n", " \n", "\t\n", "\n\n\n", "\r\n"])
def test_what_stands_between_sentences(gap, tmp_path):
    text = conll(document="").replace("\n\n", "\n" + gap)
    source = open_any(put(tmp_path, text), task="tag")
    assert source.num_train + len(source.parts["test"]) == 15


def test_older_files_are_read_as_what_they_are(tmp_path):
    text = conll().replace("official", "señor").encode("latin-1")
    source = open_any(put(tmp_path, text))
    assert any("Windows-1252" in note for note in source.notes)
    assert "señor" in source.parts["train"][0].words


def line(number, text, whole=None):
    lines = (whole or conll()).split("\n")
    lines[number - 1] = text
    return "\n".join(lines)


SPOILED = {
    "a tag is missing": (line(5, "Rolf NNP I-NP"), "names.txt:5\n",
                         "3 columns, not 4: 'Rolf NNP I-NP'"),
    "a column too many": (line(5, "Rolf x NNP I-NP B-PER"), "names.txt:5\n", "5 columns, not 4: "),
    "a word alone": (line(7, "heads"), "names.txt:7\n", "1 column, not 4: 'heads'"),
    "an empty cell": (line(5, "Rolf\tNNP\t\tB-PER", conll(between="\t")), "names.txt:5\n",
                      "1 of them empty"),
    "inside after outside": (line(4, "official NN I-NP I-ORG", line(3, "U.N. NNP I-NP O")),
                             "names.txt:4\n", "'I-ORG' after O"),
    "inside another type": (line(6, "Ekeus NNP I-NP I-LOC"), "names.txt:6\n",
                            "'I-LOC' after B-PER"),
    "inside at the beginning": (line(12, "U.N. NNP I-NP I-ORG"), "names.txt:12\n",
                                "the sentence's beginning"),
    "the second of two": (line(21, "U.N. NNP I-NP I-ORG", line(15, "Ekeus NNP I-NP I-LOC")),
                          "names.txt:15\n", "'I-LOC' after B-PER"),
    "an end without a beginning": (line(5, "Rolf NNP I-NP O", conll("BIOES")), "names.txt:6\n",
                                   "'E-PER' after O"),
    "a beginning without an end": (line(6, "Ekeus NNP I-NP O", conll("BIOES")), "names.txt:6\n",
                                   "'O' after B-PER"),
    "open at the sentence's end": (line(10, ". . O B-LOC", conll("BIOES")), "names.txt:10\n",
                                   "at the sentence's end"),
    "a single one goes on": (line(4, "official NN I-NP I-ORG", conll("BIOES")), "names.txt:4\n",
                             "'I-ORG' after S-ORG"),
    "begun where nothing was before": (line(3, "U.N. NNP I-NP B-ORG", conll("IOB1")),
                                       "names.txt:3\n", "'B-ORG'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_a_bad_line_is_named_or_its_sentence_left_out(name, tmp_path):
    text, place, said = SPOILED[name]
    path = put(tmp_path, text)
    with pytest.raises(DataError) as caught:
        open_any(path, task="tag")
    assert place in str(caught.value)
    assert said in caught.value.found
    assert "--on-bad skip" in caught.value.hint
    source = open_any(path, on_bad="skip", task="tag")
    num = 2 if name == "the second of two" else 1
    assert len(source.skipped) == num
    assert source.num_train + len(source.parts["test"]) == 15 - num


WHOLE = {
    "nothing": (b"", "0 bytes"),
    "a byte that is no letter": (conll().replace("official", "off\0cial"), "NUL"),
    "UTF-16": (conll().encode("utf-16"), "UTF-16"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"x" * 99, "PNG"),
    "no empty lines": (conll(document="").replace("\n\n", "\n"), "at least 10 sentences"),
    "few sentences": ("\n\n".join(conll().split("\n\n")[:5]) + "\n", "at least 10 sentences"),
    "one tag": ("a x\nb x\nc x\n\n" * 20, "at least two different tags"),
    "words without tags": ("a\nb\nc\n\n" * 20, "a word and its tag"),
    "as many columns as lines": ("a b\na b c\na b c d\na b c d e\n\n" * 9, "a word and its tag"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_tagged_file_is_said(name, tmp_path):
    text, said = WHOLE[name]
    with pytest.raises(DataError) as caught:
        open_any(put(tmp_path, text), task="tag")
    assert said in str(caught.value)


def test_a_cut_gz_is_said(tmp_path):
    path = tmp_path / "names.conll.gz"
    path.write_bytes(gzip.compress(conll().encode())[:-30])
    with pytest.raises(DataError, match="gz"):
        open_any(path, task="tag")


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ({"target": "9"}, DataError, "columns from 1 to 4"),
        ({"target": "ner"}, OptionError, "the number of a column"),
        ({"input": "0"}, DataError, "columns from 1 to 4"),
        ({"target": "1"}, DataError, "showed"),
    ],
)
def test_a_column_that_is_not_there_is_said(said, error, told, tmp_path):
    test = put(tmp_path, conll().replace("Town", "Village"), "names.test")
    path = put(tmp_path, conll())
    with pytest.raises(error, match=told):
        open_any(path, task="tag", test=str(test), **said)


def test_a_test_file_with_other_columns_is_named(tmp_path):
    test = put(tmp_path, "U.N. B-ORG\nofficial O\n\n", "names.test")
    with pytest.raises(DataError, match=r"names\.test:1\n.*4 columns"):
        open_any(put(tmp_path, conll()), test=str(test), task="tag")


@pytest.mark.parametrize("comment", ["# id 3 domain=en", "# id f3fd x y", "#\thttp://a.org [2009]"])
def test_comments_that_fill_the_columns_are_no_words(comment, tmp_path):
    text = conll(document="").replace("U.N.", f"{comment}\nU.N.") + "\n# NN I-NP O\n5 CD I-NP O\n"
    source = open_any(put(tmp_path, text))
    assert source.tags.scheme == "BIO"
    sentences = [s.words for part in ("train", "test") for s in source.parts[part]]
    assert len(sentences) == 16
    assert sum(words[:2] == ("U.N.", "official") for words in sentences) == 15
    assert ("#", "5") in sentences


def test_only_blanks_and_tabs_part_columns(tmp_path):
    text = conll(document="").replace("U.N.", "10\u00a0000")
    source = open_any(put(tmp_path, text))
    assert {s.words[0] for s in source.parts["train"]} == {"10\u00a0000"}


def test_a_document_ends_a_sentence(tmp_path):
    text = "".join("-DOCSTART- -X- -X- O\n" + block for block in conll(document="").split("\n\n"))
    source = open_any(put(tmp_path, text.replace("O-DOC", "O\n-DOC"), "names.conll"))
    assert source.num_train + len(source.parts["test"]) == 15


@pytest.mark.parametrize("task", [None, "tag"])
@pytest.mark.parametrize("head", ["", "token\tpos\tchunk\tner\n", "word\tpos\tchunk\tlabel\n\n"])
def test_columns_in_files_that_are_named_as_tables(head, task, tmp_path):
    for part in ("train", "devel", "test"):
        put(tmp_path, head + conll(between="\t", document=""), f"{part}.tsv")
    source = open_any(tmp_path / "train.tsv", task=task)
    assert source.kind == "tagged_text"
    assert source.num_train + len(source.parts["test"]) == 15
    assert source.tags.scheme == "BIO"
    assert sorted(open_any(tmp_path, task=task).parts) == ["test", "train", "validation"]
