"""What a page does when it is touched: light or dark, copying commands, reading curves and maps."""

from __future__ import annotations

SCRIPT = """
(function () {
  "use strict";
  var root = document.documentElement;
  var button = document.getElementById("theme");
  var system = matchMedia("(prefers-color-scheme: dark)");
  function isDark() {
    return (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  }
  function name() { button.textContent = isDark() ? "Light" : "Dark"; }
  button.hidden = false;
  button.onclick = function () { root.dataset.theme = isDark() ? "light" : "dark"; name(); };
  system.addEventListener("change", name);
  name();

  document.querySelectorAll(".code").forEach(function (box) {
    if (!navigator.clipboard) return;
    var copy = document.createElement("button");
    copy.type = "button"; copy.textContent = "Copy";
    copy.onclick = function () {
      navigator.clipboard.writeText(box.querySelector("pre").textContent).then(function () {
        copy.textContent = "Copied";
        setTimeout(function () { copy.textContent = "Copy"; }, 1500);
      });
    };
    box.appendChild(copy);
  });

  // No more digits than the drawing itself is fine.
  function written(v, span) {
    var decimals = Math.min(8, Math.max(0, Math.ceil(-Math.log10(span / 500))));
    return Number(v.toFixed(decimals)).toLocaleString("en", {maximumFractionDigits: 8});
  }
  document.querySelectorAll(".plot-area").forEach(function (area) {
    var xs = area.dataset.x.split(" ").map(Number), ys = area.dataset.y.split(" ").map(Number);
    var isLog = area.dataset.log === "1";
    var curves = [].map.call(area.querySelectorAll("polyline.strong"), function (line) {
      return { name: line.dataset.name, points: line.getAttribute("points").split(" ").map(
        function (pair) { return pair.split(",").map(Number); }) };
    });
    if (!curves.length) return;
    var cross = document.createElement("div"), out = document.createElement("div");
    cross.className = "cross"; out.className = "readout"; cross.hidden = out.hidden = true;
    cross.setAttribute("aria-hidden", "true"); out.setAttribute("aria-hidden", "true");
    area.append(cross, out);
    area.onpointerleave = function () { cross.hidden = out.hidden = true; };
    area.onpointermove = function (event) {
      var box = area.getBoundingClientRect(), at = 1000 * (event.clientX - box.left) / box.width;
      var found = null, texts = curves.map(function (curve) {
        var near = curve.points.reduce(function (a, b) {
          return Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a; });
        if (!found || Math.abs(near[0] - at) < Math.abs(found - at)) found = near[0];
        var part = 1 - near[1] / 1000, a = ys[0], b = ys[1];
        var value = isLog ? a * Math.pow(b / a, part) : a + part * (b - a);
        return (curves.length > 1 ? curve.name + " " : "") + written(value, isLog ? value : b - a);
      });
      cross.hidden = out.hidden = false;
      cross.style.left = found / 10 + "%";
      var place = xs[0] + found / 1000 * (xs[1] - xs[0]);
      var x = area.dataset.dated === "1" ?  // days since 1970-01-01
        new Date(864e5 * Math.round(place)).toISOString().slice(0, 10) :
        written(place, xs[1] - xs[0]);
      out.textContent = x + ": " + texts.join(" · ");
      var half = out.offsetWidth / 2, mid = found / 1000 * box.width;
      out.style.left = Math.max(half - 40, Math.min(box.width - half, mid)) + "px";
    };
  });

  document.querySelectorAll(".map").forEach(function (map) {
    var told = JSON.parse(map.dataset.map), picture = map.querySelector("img");
    var columns = +map.dataset.columns, rows = +map.dataset.rows, large = 132, held = null;
    var lens = document.createElement("div"), glass = document.createElement("div");
    var text = document.createElement("p"), veil = document.createElement("canvas");
    lens.className = "lens"; veil.className = "veil"; lens.hidden = true;
    veil.width = columns; veil.height = rows;
    var copy = picture.cloneNode();
    copy.style.width = columns * large + "px"; copy.style.height = rows * large + "px";
    glass.append(copy); lens.append(glass, text); map.append(veil, lens);
    function look(event) {
      var box = map.getBoundingClientRect();
      var x = Math.min(columns - 1, Math.floor(columns * (event.clientX - box.left) / box.width));
      var y = Math.min(rows - 1, Math.floor(rows * (event.clientY - box.top) / box.height));
      var fact = x >= 0 && y >= 0 && told.cells[y * columns + x];
      if (!fact) { lens.hidden = true; return; }
      copy.style.transform = "translate(" + -x * large + "px," + -y * large + "px)";
      text.textContent = told.names[fact[0]] + (fact[0] === fact[1] ? ", rightly, " :
        ", but answered " + told.names[fact[1]] + ", ") + fact[2] + " %. " + fact[3];
      lens.hidden = false;
      var left = (x + 1) / columns * box.width + 6, wide = lens.offsetWidth;
      if (left + wide > box.width) left = x / columns * box.width - 6 - wide;
      lens.style.left = Math.max(0, Math.min(box.width - lens.offsetWidth, left)) + "px";
      lens.style.top = Math.max(0, Math.min(box.height - lens.offsetHeight,
        (y + .5) / rows * box.height - lens.offsetHeight / 2)) + "px";
    }
    map.onpointermove = map.onpointerdown = look;
    map.onpointerleave = function () { lens.hidden = true; };
    function show(kind) {
      var pen = veil.getContext("2d");
      pen.clearRect(0, 0, columns, rows);
      if (kind === null) return;
      pen.fillStyle = getComputedStyle(document.body).backgroundColor;
      pen.globalAlpha = .86;
      told.cells.forEach(function (fact, i) {
        if (kind === "wrong" ? fact[0] === fact[1] : fact[0] !== +kind)
          pen.fillRect(i % columns, Math.floor(i / columns), 1, 1);
      });
    }
    var keys = map.previousElementSibling.querySelectorAll("button");
    keys.forEach(function (key) {
      key.setAttribute("aria-pressed", "false");
      key.onclick = function () {
        held = held === key.dataset.kind ? null : key.dataset.kind;
        keys.forEach(function (other) {
          other.setAttribute("aria-pressed", String(other.dataset.kind === held)); });
        show(held);
      };
    });
  });
})();
"""
