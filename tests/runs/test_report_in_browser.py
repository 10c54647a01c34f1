import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from report_fixtures import events, full_content

from samoyed.runs.drawing import Figure, heat_text, image_grid, line_chart, matrix, table
from samoyed.runs.drawing_planes import Plane, planes
from samoyed.runs.drawing_thumbnails import Cell, cards, picture_map
from samoyed.runs.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium, chromium-browser or google-chrome to open the report in"
)

MOSAIC = np.zeros((500, 1000, 3), np.uint8)
CELLS = [Cell(0, 0, 98, "a.png"), Cell(1, 0, 61, "b.png")]
PLANE = Plane("a plane", "a note", np.array([[0.0, 1], [1, 0]]), np.zeros((1, 2, 2)))

PROBE = """
<script>
addEventListener("load", function () {
  var root = document.documentElement, area = document.querySelector("#training .plot-area");
  function paper() { return getComputedStyle(document.body).backgroundColor; }
  function stands_out() {
    return [].filter.call(document.querySelectorAll("main *"), function (e) {
      return e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre, nav");
    }).map(function (e) { return e.tagName + "." + e.className; });
  }
  var found = {window: innerWidth, page: root.scrollWidth, outside: stands_out()};
  found.first = paper();
  document.getElementById("theme").click();
  found.second = paper();
  var box = area.getBoundingClientRect();
  area.dispatchEvent(new PointerEvent("pointermove", {clientX: box.right}));
  found.readout = area.querySelector(".readout").textContent;
  area.dispatchEvent(new PointerEvent("pointerleave"));
  found.gone = area.querySelector(".readout").hidden;
  var map = document.querySelector(".map"), place = map.getBoundingClientRect();
  var at = {clientX: place.left + .75 * place.width, clientY: place.top + .25 * place.height};
  map.dispatchEvent(new PointerEvent("pointermove", at));
  found.lens = map.querySelector(".lens p").textContent;
  found.lensIsInside = map.querySelector(".lens").getBoundingClientRect().right <= innerWidth;
  document.querySelector(".map-keys button[data-kind=wrong]").click();
  var veil = map.querySelector("canvas").getContext("2d");
  found.veiled = [0, 1].map(function (x) { return veil.getImageData(x, 0, 1, 1).data[3] > 0; });
  parent.postMessage(JSON.stringify(found), "*");
});
</script>
"""

# A headless window has a smallest width, a frame has not.
HOST = """
<!DOCTYPE html><meta name="color-scheme" content="light dark"><p id="probe"></p><script>
addEventListener("message", function (e) { probe.textContent = e.data; });
</script><iframe src="report.html" width="WIDTH" height="800" style="border:0"></iframe>
"""


def wide_content():
    names = [f"a rather long class name {i}" for i in range(20)]
    waves = {f"cell {i}": [(t, np.sin(t / (i + 3))) for t in range(300)] for i in range(8)}
    return full_content(
        title="Averyveryveryveryveryveryveryveryverylongwordwithoutanyplacetobreakit",
        skipped=["x" * 300 + ".png: truncated"],
        history=events("train", 0, [4.0, 2.0, 1.0], accuracy=[0.5, 0.6, 0.9]),
        figures=[
            Figure(
                "m", "", matrix(np.eye(20) * 1000, names, names, row_title="r", column_title="c")
            ),
            Figure("g", "", image_grid(np.zeros((40, 14, 14)), columns=20, scale=4)),
            Figure("i", "", image_grid(np.zeros((1, 300, 900)), ["one wide picture"])),
            Figure("h", "", heat_text("word" * 100, [1.0] * 400, low=0, high=2)),
            Figure("map", "", picture_map(MOSAIC, 2, CELLS, ("cat", "dog"), ("red", "blue"))),
            Figure("planes", "", planes([PLANE] * 5, np.array([0, 1]), ("cat", "dog"))),
            Figure("cards", "", cards([([(np.zeros((1, 9, 9), np.uint8), "x")] * 3, "a line")])),
            Figure("t", "", table([f"column {i}" for i in range(20)], [["1"] * 20])),
            Figure("l", "", line_chart(waves, x_label="step", y_label="value")),
        ],
        commands=[("Ask", "samoyed predict " + "a-very-long-file-name/" * 20)],
    )


def look(tmp_path, width, is_dark):
    path = tmp_path / "report.html"
    write_report(path, wide_content())
    path.write_text(path.read_text().replace("</body>", PROBE + "</body>"))
    host = tmp_path / "host.html"
    host.write_text(HOST.replace("WIDTH", str(width)))
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1400,900", f"--blink-settings=preferredColorScheme={int(not is_dark)}",
        "--dump-dom", host.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r'<p id="probe">(.+?)</p>', done.stdout, re.S)
    assert found, done.stdout[-500:]
    return json.loads(html.unescape(found.group(1)))


@pytest.mark.parametrize(("width", "is_dark"), [(390, True), (1280, False)])
def test_the_page_fits_its_window_and_its_controls_work(tmp_path, width, is_dark):
    found = look(tmp_path, width, is_dark)
    assert found["window"] == width
    assert found["page"] <= width
    assert found["outside"] == []
    light, dark = "rgb(251, 250, 247)", "rgb(20, 22, 26)"
    assert (found["first"], found["second"]) == ((dark, light) if is_dark else (light, dark))
    assert found["readout"] == "3: 1"
    assert found["gone"] is True
    assert found["lens"] == "dog, but answered cat, 61 %. b.png"
    assert found["lensIsInside"] is True
    assert found["veiled"] == [True, False]  # of two pictures, the second is the wrong answer
