import json
import math
import re

import numpy as np
import pytest
from report_fixtures import ACCURACY, NASTY, curve_points, events, full_content, parse

from samoyed.core.reference import Reference, Score
from samoyed.runs.drawing import Figure, bar_chart, table
from samoyed.runs.drawing_scores import score_interval, verdict
from samoyed.runs.finishing import in_line
from samoyed.runs.model_card import plain, quoted, write_model_card
from samoyed.runs.report import ReportContent, write_page, write_report


def report(tmp_path, content):
    path = tmp_path / "report.html"
    write_report(path, content)
    return path.read_text(encoding="utf-8")


def test_the_report_is_one_file_that_fetches_nothing(tmp_path):
    text = report(tmp_path, full_content())
    tags = parse(text).seen
    addresses = [a[k] for _, a in tags for k in ("src", "href", "action", "data") if a.get(k)]
    outside = [a for a in addresses if not a.startswith(("#", "data:"))]
    assert outside == ["https://doi.org/10.1109/5.726791"]
    assert re.findall(r"https?://", text.replace(outside[0], "")) == []
    assert "@import" not in text
    assert "url(" not in text
    policy = next(a["content"] for t, a in tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    assert len(text) < 100_000


def test_every_part_comes_in_its_order(tmp_path):
    said = parse(report(tmp_path, full_content())).text
    expected = [
        "Handwritten digits", "Ten digits, learned from", "99.23", "99.04 to 99.38 %",
        "10,000 examples", "k nearest neighbours", "logistic regression",
        "The model beats the best baseline, k nearest neighbours, by 2.43 points.",
        "60,000 to train on", "3 duplicates", "x.png: truncated", "Mistakes", "LeNet-5",
        "61,706", "Gradient-based learning", "1,407", "Loss, rbm 1", "Loss, fine-tune",
        "Accuracy, fine-tune", "samoyed predict run 'a b.png' > out.json",
        "2.13.0", "abc123",
    ]  # fmt: skip
    at = 0
    for phrase in expected:
        found = said.find(phrase, at)
        assert found >= 0, phrase
        at = found


def test_the_report_can_be_read_by_ear_and_by_keyboard(tmp_path):
    tags = parse(report(tmp_path, full_content())).seen
    assert ("html", {"lang": "en"}) in tags
    assert all("alt" in attrs for tag, attrs in tags if tag == "img")
    scrolling = [a for _, a in tags if a.get("class") == "scroll" or a.get("tabindex")]
    assert scrolling
    assert all(a.get("tabindex") == "0" for a in scrolling)
    plots = [a for _, a in tags if a.get("class") == "plot"]
    assert len(plots) == 3
    assert all(a["role"] == "img" and "from" in a["aria-label"] for a in plots)
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for _, a in tags if a.get("href", "").startswith("#")}
    assert links <= set(ids)
    assert [t for t, _ in tags].count("h1") == 1


def test_text_from_data_is_shown_and_never_run(tmp_path):
    row = [(NASTY, NASTY)]
    score = Score(NASTY, 1.0, 0.5, 1.5, 10)
    text = report(
        tmp_path,
        ReportContent(
            NASTY, NASTY, [score, score], [(NASTY, score)], [NASTY], [NASTY], [NASTY], row,
            Reference(NASTY, NASTY, 2000, NASTY, url=f'https://x/"{NASTY}'), row,
            events(NASTY, 0, [1.0, 2.0], **{NASTY: [1.0]}), [Figure(NASTY, NASTY, "")], row, row,
        ),
    )  # fmt: skip
    assert "<b>&" not in text
    assert text.count("</script>") == 1
    assert parse(text).text.count("<b>&\"'\\ud800") >= 14


def test_an_address_that_is_no_address_becomes_no_link(tmp_path):
    reference = Reference("T", "A", 2000, "V", url="javascript:alert(1)")
    assert "javascript:" not in report(tmp_path, full_content(reference=reference))


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "sentence"),
    [
        ((0.99, 0.98, 0.995), (0.95, 0.94, 0.96), "win", "The model beats the best baseline, a "
         "logistic regression, by 4.00 points."),
        ((0.95, 0.94, 0.96), (0.96, 0.95, 0.97), "tie", "A logistic regression scores "
         "better here (96.00 % to 95.00 %), though the intervals overlap: use that instead."),
        ((0.95, 0.94, 0.96), (0.9505, 0.94, 0.96), "tie", "A logistic regression is as good "
         "(95.05 %, and the intervals overlap): use that instead."),
        ((0.95, 0.94, 0.96), (0.95, 0.94, 0.96), "tie", "A logistic regression is as good "
         "(95.00 %, and the intervals overlap): use that instead."),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), "tie", "A logistic regression is as good "
         "(100.00 %): use that instead."),
        ((0.96, 0.95, 0.97), (0.95, 0.94, 0.96), "tie", "The model is better than a logistic "
         "regression by 1.00 points, but the intervals overlap: the simpler model may do."),
        ((0.90, 0.89, 0.91), (0.95, 0.94, 0.96), "lose",
         "A logistic regression is better by 5.00 points: use that instead."),
    ],
)  # fmt: skip
def test_the_verdict_says_who_wins(ours, theirs, kind, sentence):
    judged = verdict(
        Score("accuracy", *ours, 100), [("logistic regression", Score("accuracy", *theirs, 100))]
    )
    assert (judged.kind, judged.sentence) == (kind, sentence)


def test_the_verdict_knows_which_way_is_better():
    def bits(value):
        return Score("bits_per_character", value, value - 0.01, value + 0.01, 1000, False)

    rows = [("5-gram counts", bits(2.3)), ("character frequencies", bits(4.8))]
    judged = verdict(bits(2.0), rows)
    assert judged.sentence == (
        "The model beats the best baseline, 5-gram counts, by 0.3 bits per character."
    )
    assert verdict(bits(2.6), rows).kind == "lose"


def test_a_mixture_that_does_better_than_the_baseline_is_told_of():
    def perplexity(value, name="perplexity"):
        return Score(name, value, value - 5, value + 5, 1000, False)

    rows = [("5-gram, Kneser-Ney", perplexity(141.2))]
    mixed = perplexity(128.5, "mixed_perplexity")
    assert verdict(perplexity(214.7), rows, [mixed]).sentence == (
        "5-gram, Kneser-Ney is better by 73.5 in perplexity: use that instead. Averaged, the two "
        "do better still: 128.5."
    )
    for value in (143.0, 139.0):
        assert "Averaged" in verdict(perplexity(value), rows, [mixed]).sentence
    worse = perplexity(150.0, "mixed_perplexity")
    for value, others in ((214.7, []), (214.7, [worse]), (100.0, [mixed])):
        assert "Averaged" not in verdict(perplexity(value), rows, others).sentence


def test_a_few_boosted_trees_score_better():
    """Half the interval is 0.25 wide; a tenth of it is no gain, all of it is one."""
    rows = [("boosted trees", Score("accuracy", 0.75, 0.3, 0.95, 4))]
    assert verdict(Score("accuracy", 0.5, 0.25, 0.75, 4), rows).sentence == (
        "Boosted trees score better here (75.00 % to 50.00 %), though the intervals overlap: use "
        "that instead."
    )


@pytest.mark.parametrize(("value", "is_plain"), [(0.98, True), (0.9, True), (0.99, False)])
def test_the_verdict_says_where_nothing_beats_the_commonest_class(value, is_plain):
    def accuracy(value):
        return Score("accuracy", value, value - 0.02, value + 0.02, 100)

    rows = [("always the commonest class", accuracy(0.98)), ("boosted trees", accuracy(0.98))]
    judged = verdict(accuracy(value), rows)
    assert judged.sentence.startswith("Nothing beats always giving the commonest") is is_plain
    assert judged.kind == ("lose" if value == 0.9 else "tie")
    better = [*rows, ("random forest", accuracy(0.985))]
    assert "Nothing beats" not in verdict(accuracy(value), better).sentence


@pytest.mark.parametrize("name", ["bleu", "macro_f1"])
def test_where_there_is_no_spread_every_place_says_so(tmp_path, name):
    score = Score(name, 1.0, 1.0, 1.0, 6)
    assert in_line(score).endswith(" on 6, no spread: no interval")
    assert "no spread" in score_interval(score)
    said = parse(report(tmp_path, full_content(scores=[score], baselines=[("x", score)]))).text
    assert "no spread among these examples" in said
    assert said.count("no interval") == 2, "both bars"
    assert " to 1" not in in_line(score) + score_interval(score)
    one = Score(name, 1.0, 1.0, 1.0, 1)
    assert score_interval(one) == "one example makes no interval"


def test_scores_on_the_way_are_called_looks_that_choose_nothing(tmp_path):
    def said(**logged):
        history = events("train", 0, [2.0, 1.0], **logged)
        return parse(report(tmp_path, full_content(history=history))).text

    assert "looks at a part of the held-out examples" in said(accuracy=[0.5, 0.6])
    assert "looks at a part" not in said(mean_return=[1.0, 2.0]), "these are played"
    assert "looks at a part" not in said()


def test_the_verdict_compares_only_what_was_measured_alike():
    other = Score("macro_f1", 0.99, 0.98, 1.0, 100)
    assert verdict(ACCURACY, [("x", other)]).kind == "alone"
    assert verdict(ACCURACY, []).kind == "alone"
    assert verdict(None, [("x", other)]).kind == "alone"


@pytest.mark.parametrize(
    ("score", "phrases"),
    [
        (Score("bits_per_character", 2.031, 2.018, 2.043, 111_540, False),
         ["Bits per character, lower is better", "2.031", "2.018 to 2.043", "111,540 characters"]),
        (Score("mean_return", 487.3, 476.1, 495.2, 100),
         ["Mean return", "487.3", "476.1 to 495.2", "100 episodes"]),
        (Score("accuracy", 1.0, 0.5, 1.0, 1), ["100.00", "50.00 to 100.00 %", "1 example that"]),
    ],
)  # fmt: skip
def test_scores_are_written_in_words_and_in_their_unit(tmp_path, score, phrases):
    said = parse(report(tmp_path, full_content(scores=[score], baselines=[]))).text
    for phrase in phrases:
        assert phrase in said
    assert "No baseline was measured" in said


def test_almost_nothing_still_makes_a_page(tmp_path):
    assert "No score was measured" in parse(report(tmp_path, ReportContent("a", "b", []))).text
    one = ReportContent("a", "b", [ACCURACY], history=events("train", 0, [1.0]))
    assert 'class="dot"' in report(tmp_path, one)
    lost = ReportContent("a", "b", [ACCURACY], history=events("train", 0, [math.nan] * 3))
    assert "3 points are left out" in report(tmp_path, lost)


def test_curves_are_drawn_per_stage_in_the_scores_unit(tmp_path):
    text = report(tmp_path, full_content())
    curves = curve_points(text)
    assert [len(curve) for curve in curves] == [3, 4, 2]
    assert re.findall(r'data-y="[^"]*"', text)[2].startswith('data-y="89.')
    assert re.findall(r'data-x="[^"]*"', text)[0] == 'data-x="1.0 3.0"'


def test_long_runs_and_many_skipped_files_stay_small(tmp_path):
    history = events("train", 0, list(np.random.default_rng(0).random(50_000)))
    skipped = [f"file {i}: truncated" for i in range(10_000)]
    text = report(tmp_path, full_content(history=history, skipped=skipped))
    assert len(text) < 200_000
    assert "10,000 skipped" in text
    assert "and 9,800 more" in text


def test_a_report_replaces_the_old_one_whole(tmp_path):
    report(tmp_path, full_content(title="first"))
    assert "<h1>second</h1>" in report(tmp_path, full_content(title="second"))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_page_of_figures(tmp_path):
    path = tmp_path / "page.html"
    figures = [Figure("A <i>", "", table(["x"], [["1"]])), Figure("B", "c", bar_chart([]))]
    write_page(path, "Two & two", figures)
    tags = parse(path.read_text())
    assert "Two & two" in tags.text
    assert [t for t, _ in tags.seen].count("figure") == 2
    write_page(path, "Empty", [])
    assert "Nothing to show" in path.read_text()


def front_matter(text):
    opening, block, body = text.split("---\n", 2)
    assert opening == ""
    return block, body


def read_front_matter(block):
    """Read the part of YAML that the card is written in: mappings, lists, one-line scalars."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in block.splitlines()]

    def scalar(text):
        if text.startswith('"'):  # without \U escapes, a JSON string
            return json.loads(re.sub(r"\\U0000(....)", r"\\u\1", text))
        return float(text) if re.fullmatch(r"-?[\d.]+(e-?\d+)?", text) else text

    def node(indent):
        if lines[0][1].startswith("- "):
            found = []
            while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
                text = lines[0][1][2:]
                is_mapping = re.match(r"[\w-]+:( |$)", text)
                if is_mapping:
                    lines[0] = (indent + 2, text)
                    found.append(node(indent + 2))
                else:
                    found.append(scalar(text))
                    lines.pop(0)
            return found
        found = {}
        while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
            key, _, text = lines.pop(0)[1].partition(":")
            assert key not in found
            found[key] = scalar(text.strip()) if text else node(lines[0][0])
        return found

    read = node(0)
    assert not lines, f"not read: {lines[0]}"
    return read


def test_the_card_has_front_matter_scores_and_limits(tmp_path):
    path = tmp_path / "MODEL_CARD.md"
    write_model_card(path, full_content())
    block, body = front_matter(path.read_text())
    assert "- image-classification\npipeline_tag: image-classification\n" in block
    assert read_front_matter(block) == {
        "license": "unknown", "library_name": "samoyed",
        "tags": ["samoyed", "image-classification"], "pipeline_tag": "image-classification",
        "metrics": ["accuracy", "log_loss"],
        "model-index": [{
            "name": "Handwritten digits",
            "results": [{
                "task": {"type": "image-classification"},
                "dataset": {"name": "Handwritten digits", "type": "local", "split": "held-out"},
                "metrics": [
                    {"type": "accuracy", "value": 0.9923,
                     "name": "Accuracy, 95 % interval 99.04 to 99.38 %"},
                    {"type": "log_loss", "value": 0.024,
                     "name": "Log loss, 95 % interval 0.021 to 0.028"},
                ],
            }],
        }],
    }  # fmt: skip
    assert "| this model | accuracy | 99.23 % | 99.04 to 99.38 % | 10,000 examples |" in body
    assert "The model beats the best baseline" in body
    titles = re.findall(r"^## (.*)$", body, re.M)
    assert titles == [
        "Intended use", "Scores", "Data", "Limitations", "Model", "Training", "How to use it",
        "Reproduction",
    ]  # fmt: skip
    assert body.index("3 duplicates") > body.index("## Limitations")
    assert "<https://doi.org/10.1109/5.726791>" in body
    assert list(tmp_path.iterdir()) == [path]


def test_the_card_quotes_what_yaml_and_markdown_would_misread(tmp_path):
    path = tmp_path / "MODEL_CARD.md"
    title = 'a: "b" # [c]\n--- |\t\x85'
    write_model_card(path, full_content(title=title, commands=[("x", "```\ncode")], scores=[]))
    body = front_matter(path.read_text())[1]
    assert "\n````\n```\ncode\n````" in body
    write_model_card(path, full_content(title=title))
    block, _ = front_matter(path.read_text())
    line = next(line for line in block.splitlines() if line.startswith("- name:"))
    # A double-quoted YAML scalar without \U escapes is a JSON string.
    scalar = re.sub(r"\\U0000(....)", r"\\u\1", line.removeprefix("- name: "))
    assert json.loads(scalar) == title
    assert plain("1 < 2 | _x_") == r"1 &lt; 2 \| \_x\_"
    assert quoted("\ud800") == '"\\\\ud800"'


def test_the_card_reads_as_yaml_where_a_reader_is_installed(tmp_path):
    yaml = pytest.importorskip("yaml")
    path = tmp_path / "MODEL_CARD.md"
    write_model_card(path, full_content(title=NASTY))
    block, _ = front_matter(path.read_text())
    read = yaml.safe_load(block)
    assert read == read_front_matter(block)
    assert read["model-index"][0]["name"] == NASTY.replace("\ud800", "\\ud800")


def test_a_hub_loads_the_card_where_its_library_is_installed(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    path = tmp_path / "MODEL_CARD.md"
    write_model_card(path, full_content())
    card = hub.ModelCard.load(path)
    assert card.data.license == "unknown"
    assert [r.metric_value for r in card.data.eval_results] == [0.9923, 0.024]
    assert {r.task_type for r in card.data.eval_results} == {"image-classification"}


def test_a_score_that_is_no_number_stays_out_of_the_front_matter(tmp_path):
    path = tmp_path / "MODEL_CARD.md"
    write_model_card(path, full_content(scores=[Score("x", math.nan, 0, 1, 3), ACCURACY]))
    read = read_front_matter(front_matter(path.read_text())[0])
    assert read["metrics"] == ["accuracy"]
    write_model_card(path, full_content(scores=[Score("x", math.inf, 0, 1, 3)]))
    assert "model-index" not in front_matter(path.read_text())[0]


def test_the_card_owns_up_when_a_baseline_is_as_good(tmp_path):
    path = tmp_path / "MODEL_CARD.md"
    perfect, poor = Score("accuracy", 1.0, 1.0, 1.0, 9), Score("accuracy", 0.1, 0.0, 0.2, 9)
    write_model_card(path, full_content(baselines=[("nearest mean", ACCURACY)]))
    assert "A shallow baseline may do as well" in path.read_text()
    write_model_card(path, full_content(baselines=[("nearest mean", perfect)]))
    assert "A shallow baseline is better; see the scores." in path.read_text()
    write_model_card(path, full_content(baselines=[("nearest mean", poor)]))
    assert "A shallow baseline" not in path.read_text().split("## Limitations")[1]


def test_the_share_of_caught_fruit_is_in_percent_and_counted_in_episodes(tmp_path):
    caught = Score("caught", 0.97, 0.94, 0.99, 200)
    said = parse(report(tmp_path, full_content(scores=[ACCURACY, caught]))).text
    assert "Caught97.00 %94.00 to 99.00 %, 200 episodes" in said
