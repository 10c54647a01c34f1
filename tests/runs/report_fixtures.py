"""What the tests of drawings and reports share: a strict reader of HTML, and made-up content."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from samoyed.core.reference import Reference, Score
from samoyed.runs.drawing import Figure, image_grid
from samoyed.runs.report import ReportContent

VOID = {"img", "meta", "link", "br", "hr", "input"}
# A lone surrogate stands for a byte of a file name that is not UTF-8.
NASTY = "<b>&\"'" + chr(0xD800) + chr(0x202E) + "ξ</script>"


class Tags(HTMLParser):
    """Collects tags and text, and fails on a tag that is not closed in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data


def parse(fragment):
    tags = Tags()
    tags.feed(fragment)
    tags.close()
    assert tags.open == []
    return tags


def curve_points(fragment, kind="strong"):
    found = re.findall(rf'<polyline class="{kind}" points="([^"]*)"', fragment)
    return [[tuple(map(float, p.split(","))) for p in points.split()] for points in found]


def pictures(fragment):
    sources = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", fragment)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(s)))) for s in sources]


REFERENCE = Reference(
    "Gradient-based learning", "LeCun, Y. et al.", 1998, "Proc. IEEE 86", 21, "10.1109/5.726791"
)
ACCURACY = Score("accuracy", 0.9923, 0.9904, 0.9938, 10_000)


def events(stage, index, losses, **scores):
    made = [
        {"stage": stage, "stage_index": index, "step": i, "steps": len(losses), "loss": loss,
         "rate": 0.1, "seconds": float(i)}
        for i, loss in enumerate(losses)
    ]  # fmt: skip
    for name, values in scores.items():
        for event, value in zip(made[-len(values) :], values, strict=True):
            event[name] = value
    return made


def full_content(**changed):
    content = {
        "title": "Handwritten digits",
        "sentence": "Ten digits, learned from 60,000 pictures.",
        "scores": [ACCURACY, Score("log_loss", 0.024, 0.021, 0.028, 10_000, False)],
        "baselines": [
            ("logistic regression", Score("accuracy", 0.9257, 0.9204, 0.9307, 10_000)),
            ("k nearest neighbours", Score("accuracy", 0.968, 0.9644, 0.9713, 10_000)),
        ],
        "data_lines": ["60,000 to train on", "10,000 to test on"],
        "warnings": ["3 duplicates"],
        "skipped": ["x.png: truncated"],
        "model_rows": [("System", "LeNet-5"), ("Parameters", "61,706")],
        "reference": REFERENCE,
        "training_rows": [("Steps", "1,407"), ("Seed", "0")],
        "history": events("rbm 1", 0, [3.0, 2.0, 1.0])
        + events("fine-tune", 1, [2.0, 1.0, 0.5, 0.4], accuracy=[0.9, 0.99]),
        "figures": [Figure("Mistakes", "The worst.", image_grid(np.eye(4)[None], ["a"]))],
        "commands": [("Ask it", "samoyed predict run 'a b.png' > out.json")],
        "environment_rows": [("torch", "2.13.0"), ("fingerprint", "abc123")],
        "asked": "classify",
    }
    return ReportContent(**{**content, **changed})
