"""Reading words: layouts, splits, vocabularies, and what is refused."""

import io
import json
import random
import tarfile
from collections import Counter

import numpy as np
import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data import word_stream as reader
from samoyed.data.corpora import TextAsk, ask_of, untagged
from samoyed.data.text import line_end
from samoyed.data.units import after, decode, encode, pieces, scan_units

WORDS = [f"w{n}" for n in range(60)]


def sentences(num, seed=0, unknown=True):
    """Lines of 5 to 12 words, some of them <unk>."""
    rng = random.Random(seed)
    known = [*WORDS, "<unk>"] if unknown else WORDS
    return [" ".join(rng.choices(known, k=rng.randint(5, 12))) for _ in range(num)]


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def put_parts(folder, names=("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")):
    """Three parts as the Penn Treebank has them: a space before and after each sentence."""
    texts = {}
    for name, num in zip(names, (400, 60, 50), strict=True):
        texts[name] = sentences(num, seed=num)
        put(folder / name, "".join(f" {line} \n" for line in texts[name]))
    return texts


def brown_texts(num=30):
    """Files of word/tag: paragraphs of two sentences."""
    texts = {}
    for n in range(num):
        lines = sentences(40, seed=n, unknown=False)
        tagged = [" ".join(f"{w}/nn-tl" for w in line.split()) + " ./." for line in lines]
        pairs = [f"\t{a}\n{b}" for a, b in zip(tagged[::2], tagged[1::2], strict=True)]
        texts[f"c{'ab'[n % 2]}{n:02d}"] = "\n\n\n" + "\n\n\n".join(pairs) + "\n"
    return texts


def test_official_parts_are_kept_apart_and_counted(tmp_path):
    texts = put_parts(tmp_path)
    source = scan_units(tmp_path)
    data = source.load()
    for lines, codes in zip(texts.values(), (data.train, data.valid, data.test), strict=True):
        assert len(codes) == sum(len(line.split()) + 1 for line in lines)
        assert decode(codes, data.spec) == "\n".join(lines) + "\n"
        assert codes.dtype == np.int32
    assert (source.num_train, source.num_valid, source.num_test) == tuple(
        map(len, (data.train, data.valid, data.test))
    )
    assert data.spec.unit == "word"
    assert "official parts" in "\n".join(source.describe())
    assert "<unk>" in source.why


def test_the_vocabulary_is_the_training_part_by_frequency_and_the_unknown_last(tmp_path):
    texts = put_parts(tmp_path)
    spec = scan_units(tmp_path).spec
    counts = Counter(w for line in texts["ptb.train.txt"] for w in line.split())
    counts[SENTENCE_END] = 400
    counts.pop("<unk>")
    assert spec.symbols == (*sorted(counts, key=lambda w: (-counts[w], w)), "<unk>")
    assert spec.symbols[spec.end] == SENTENCE_END


def test_held_out_words_have_no_say_in_the_vocabulary(tmp_path):
    put_parts(tmp_path)
    with (tmp_path / "ptb.test.txt").open("a") as file:
        file.write("novel novel novel\n")
    source = scan_units(tmp_path)
    assert "novel" not in source.spec.symbols
    assert (source.load().test[-4:-1] == len(source.spec) - 1).all()


def test_parts_without_validation_take_the_tail_of_training(tmp_path):
    put_parts(tmp_path, ("train.txt", "rest.of.it", "test.txt"))
    (tmp_path / "rest.of.it").unlink()
    source = scan_units(tmp_path)
    data = source.load()
    train = encode((tmp_path / "train.txt").read_text(), data.spec)
    assert np.array_equal(np.concatenate([data.train, data.valid]), train)
    assert 0.03 < len(data.valid) / len(train) < 0.07
    assert data.train[-1] == data.spec.end, "cut at the end of a sentence"


@pytest.mark.parametrize("packing", ["folder", "archive", "folder with archive"])
def test_the_brown_corpus_however_it_lies(tmp_path, packing, monkeypatch):
    monkeypatch.setattr(reader, "BROWN_TRAIN", 5_000)
    monkeypatch.setattr(reader, "BROWN_VALID", 1_000)
    texts, path = brown_texts(), tmp_path
    if packing == "folder":
        for name, text in texts.items():
            put(tmp_path / name, text)
    else:
        path = tmp_path / "brown.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            for name in sorted(texts, reverse=True):
                member = tarfile.TarInfo(f"brown/{name}")
                member.size = len(texts[name])
                archive.addfile(member, io.BytesIO(texts[name].encode()))
        path = tmp_path if "with" in packing else path
    source = scan_units(path)
    data = source.load()
    assert (len(data.train), len(data.valid)) == (5_000, 1_000)
    expected = [
        w for name in sorted(texts) for w in reader.words_of(untagged(texts[name]), "spaces")
    ]
    codes = np.concatenate([data.train, data.valid, data.test])
    assert len(codes) == len(expected)
    assert [data.spec.symbols[c] for c in codes[:50]] == expected[:50]
    assert any("the Brown corpus has 500 texts, here are 30" in w for w in source.warnings)


def test_plain_text_is_characters_unless_words_are_asked_for(tmp_path):
    text = "".join(f"He said, \u201cit's {w}.\u201d\n\nAnd\nwent.\n\n" for w in WORDS * 10)
    path = put(tmp_path / "a.txt", text)
    assert scan_units(path).spec.unit == "character"
    source = scan_units(path, TextAsk("word"))
    assert (source.spec.unit, source.spec.cut) == ("word", "punctuation")
    shown = decode(source.load().train[:15], source.spec)
    assert shown == "He said, \u201cit's w0.\u201d\nAnd went.\nHe said"
    assert scan_units(path, TextAsk("word", min_count=100)).spec.symbols.count("w0") == 0


def test_bytes_are_read_and_written_back(tmp_path):
    text = "\u0431\u0430\u043d\u044f, \u732b! " * 300
    source = scan_units(put(tmp_path / "a.txt", text), TextAsk("byte"))
    data = source.load()
    assert decode(np.concatenate([data.train, data.test]), data.spec) == text
    shown = pieces(encode("\u732ba", source.spec), source.spec)
    assert shown == ["", "", "\u732b", "a"]


def test_json_lines_give_their_texts(tmp_path):
    lines = sentences(300)
    path = put(tmp_path / "a.jsonl", "".join(json.dumps({"text": line}) + "\n" for line in lines))
    data = scan_units(path).load()
    codes = np.concatenate([data.train, data.valid, data.test])
    assert decode(codes, data.spec) == "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "place", "found"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": 3}\n', ":2", '"text": 3'),
        ("a.jsonl", b'{"text": "a"}\n{"body": "b"}\n', ":2", "body"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', ":2", "list"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b\n', ":2", "{\"text\": \"b"),
        ("a.txt", b"<unk> a b\n" * 30, "", "104"),
        ("a.txt", b"<unk> a b\n" * 300 + b"\xe9\xe9", ":301", "0xE9 0xE9 at byte 3,000"),
        ("brown.tar.xz", b"nonsense" * 100, "", "file could not be opened"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_precisely(tmp_path, name, content, place, found):
    path = put(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        scan_units(path)
    assert caught.value.place == str(path) + place
    assert found in caught.value.found
    assert caught.value.hint


def test_a_truncated_archive_is_refused(tmp_path):
    path = tmp_path / "brown.tar.xz"
    noise = random.Random(0).randbytes(50_000).hex()
    with tarfile.open(path, "w:xz") as archive:
        member = tarfile.TarInfo("brown/ca01")
        member.size = len(noise)
        archive.addfile(member, io.BytesIO(noise.encode()))
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(DataError, match="undamaged"):
        scan_units(path)


@pytest.mark.parametrize("said", [{"unit": "letter"}, {"min_count": 0}, {"min_count": "few"}])
def test_what_is_said_about_units_is_checked(said):
    with pytest.raises(OptionError):
        ask_of(said)


def test_a_cut_off_is_for_words(tmp_path):
    with pytest.raises(OptionError, match="unit=word"):
        scan_units(put(tmp_path / "a.txt", "some text, " * 200), TextAsk(min_count=2))


def test_prompts_without_capitals_and_spaces_between_words():
    spec = TextSpec(("the", SENTENCE_END, "cat", "<unk>"), "word")
    assert encode("The  cat\n", spec).tolist() == [0, 2, 1]
    assert line_end(spec).tolist() == [1]
    assert after("the", "cat", spec) == " cat"
    assert after("the\n", "cat", spec) == "cat"
    assert after("the", "\ncat", spec) == "\ncat"
    capital = TextSpec(("The", "the", "<unk>"), "word")
    assert encode("the The THE", capital).tolist() == [1, 0, 2]


SCRIPTS = {
    "हिन्दी में लिखा है। ठीक?": "हिन्दी में लिखा है । ठीक ?",
    "ไทย": "ไ ท ย",
    "ดีที่ (สุด)": "ดี ที่ ( สุ ด )",
    "犬が走る。「はい」、十匹！": "犬 が 走 る 。 「 は い 」 、 十 匹 ！",
    "العربيّةُ \u200f(نص)، نعم؟": "العربيّةُ ( نص ) ، نعم ؟",
    "می\u200cخواهم": "می\u200cخواهم",
    "cafe\u0301 isn't <unk> x_1": "cafe\u0301 isn't <unk> x_1",
    "שָׁלוֹם עולם": "שָׁלוֹם עולם",
    "русский язык; ελληνικά": "русский язык ; ελληνικά",
}


@pytest.mark.parametrize("written", SCRIPTS)
def test_words_of_other_scripts(written):
    """Marks stay with their letters; scripts without spaces are cut into characters."""
    found = reader.words_of(written, "punctuation")
    assert found == SCRIPTS[written].split()
    assert reader.join_words(found, "punctuation") == written.replace("\u200f", "")


def test_chinese_that_was_cut_before_is_cut_at_spaces(tmp_path):
    cut = put(tmp_path / "a.txt", "北京 的 天气 很 好 。\n我们 去 公园 ， 好 吗\n" * 200)
    assert {"北京", "公园"} <= set(scan_units(cut, TextAsk("word")).spec.symbols)
    uncut = put(tmp_path / "b.txt", "北京的天气很好。\n我们去公园，好吗\n" * 200)
    assert {"北", "公"} <= set(scan_units(uncut, TextAsk("word")).spec.symbols)


def test_another_text_is_measured_by_the_words_of_the_first(tmp_path):
    put_parts(tmp_path)
    spec = TextSpec((SENTENCE_END, "w1", "w2", "<unk>"), "word")
    data = scan_units(tmp_path).load_to_measure(spec)
    test = encode((tmp_path / "ptb.test.txt").read_text(), spec)
    assert np.array_equal(data.test, test)
    assert data.train.tolist() == [0]


def test_a_change_after_the_scan_is_noticed(tmp_path):
    path = put(tmp_path / "a.txt", "\n".join(sentences(300)))
    source = scan_units(path)
    put(path, "\n".join(sentences(301)))
    with pytest.raises(DataError, match="changed"):
        source.load()
