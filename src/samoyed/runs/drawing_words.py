"""A map of words to touch: hover, drag, zoom, search, and the nearest neighbours of what is chosen.

The words are drawn on a canvas, as many names as fit without covering one another, the frequent
ones first; zooming in names more. `#word` behind the page's address searches for that word.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FINEST = 10_000  # places along each side of the map


@dataclass(frozen=True)
class Entry:
    """What a map says of one word.

    Args:
        word: as it is written.
        count: how often training shows it.
        near: its nearest neighbours and their cosines, the nearest first.
    """

    word: str
    count: int
    near: tuple[tuple[str, float], ...]


def word_map(places: Float[np.ndarray, "N 2"], entries: Sequence[Entry]) -> str:
    """Draw words at their places.

    Args:
        places: of each word, on any scale.
        entries: the words, the most frequent first.
    """
    low, high = places.min(axis=0), places.max(axis=0)
    span = max(float((high - low).max()), 1e-12)
    spots = np.round((places - (low + high) / 2) / span * FINEST).astype(int).tolist()
    told = [
        [entry.word, x, y, entry.count, [[word, round(cosine, 2)] for word, cosine in entry.near]]
        for entry, (x, y) in zip(entries, spots, strict=True)
    ]
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    spoken = html.escape(f"map of {len(entries):,} words, alike ones near each other")
    return (
        f'<div class="words"><style>{STYLE}</style>'
        '<div class="words-bar"><input type="search" placeholder="search a word" '
        'aria-label="search a word" autocomplete="off" spellcheck="false">'
        '<button type="button">Whole map</button><span role="status"></span></div>'
        f'<div class="words-sheet"><canvas role="img" aria-label="{spoken}"></canvas>'
        '<div class="words-tip" hidden></div></div>'
        '<div class="words-near" aria-live="polite"></div>'
        f'<script type="application/json">{data}</script></div><script>{SCRIPT}</script>'
    )


STYLE = """
.words-bar{display:flex;gap:.6rem;align-items:center;flex-wrap:wrap;margin:.4rem 0}
.words-bar input{font:inherit;font-size:.95rem;padding:.35rem .6rem;color:var(--ink);
 background:var(--panel);border:1px solid var(--line);border-radius:.4rem;width:min(16rem,60vw)}
.words-bar span{color:var(--muted);font-size:.85rem}
.words-sheet{position:relative;border:1px solid var(--line);border-radius:.5rem;
 background:var(--panel);overflow:hidden}
.words-sheet canvas{display:block;width:100%;height:min(72vh,46rem);touch-action:none;cursor:grab}
.words-tip{position:absolute;pointer-events:none;background:var(--paper);color:var(--ink);
 border:1px solid var(--line);border-radius:.4rem;padding:.3rem .6rem;font-size:.82rem;
 max-width:18rem}
.words-near{display:flex;gap:.4rem;flex-wrap:wrap;align-items:baseline;margin:.6rem 0;
 min-height:2.4rem}
.words-near b{margin-right:.4rem}
"""

SCRIPT = """
(function (root) {
  "use strict";
  var told = JSON.parse(root.querySelector("script").textContent);
  var words = told.map(function (row) {
    return { word: row[0], x: row[1] / 10000, y: row[2] / 10000, count: row[3], near: row[4] }; });
  var byWord = new Map(words.map(function (w) { return [w.word, w]; }));
  var canvas = root.querySelector("canvas"), pen = canvas.getContext("2d");
  var search = root.querySelector("input"), tip = root.querySelector(".words-tip");
  var said = root.querySelector("span"), list = root.querySelector(".words-near");
  var wide = 0, high = 0, zoom = 1, atX = 0, atY = 0, chosen = null, over = null, found = [];

  function scale() { return Math.min(wide, high) * .94 * zoom; }
  function place(w) {
    return [wide / 2 + (w.x - atX) * scale(), high / 2 - (w.y - atY) * scale()]; }
  function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }
  function draw() {
    var ink = colour("--ink"), muted = colour("--muted"), accent = colour("--accent");
    var paper = colour("--panel"), ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    var close = chosen ? chosen.near.map(function (n) { return byWord.get(n[0]); })
      .filter(Boolean) : [];
    var marked = new Set(close.concat(found, chosen ? [chosen] : []));
    if (chosen) {
      pen.strokeStyle = accent; pen.globalAlpha = .35; pen.lineWidth = 1;
      var from = place(chosen);
      close.forEach(function (w) { var to = place(w);
        pen.beginPath(); pen.moveTo(from[0], from[1]); pen.lineTo(to[0], to[1]); pen.stroke(); });
      pen.globalAlpha = 1;
    }
    var taken = new Set(), cell = 8, dots = [];
    function label(w, isSure) {
      var at = place(w);
      if (at[0] < -60 || at[1] < -10 || at[0] > wide + 60 || at[1] > high + 10) return;
      var size = w === chosen ? 16 : marked.has(w) ? 13 : 11;
      pen.font = (marked.has(w) ? "600 " : "") + size + "px system-ui, sans-serif";
      var half = pen.measureText(w.word).width / 2 + 2, cells = [], isFree = false;
      var most = isSure ? 20 : 1;  // lines tried below and above: beside others, not over them
      for (var k = 0; k < most && !isFree; k++) {
        var middle = at[1] + (k % 2 ? (k + 1) / 2 : -k / 2) * size * 1.3;
        cells = []; isFree = true;
        for (var x = Math.floor((at[0] - half) / cell); x <= (at[0] + half) / cell; x++)
          for (var y = Math.floor((middle - size * .6) / cell);
               y <= (middle + size * .6) / cell; y++) {
            cells.push(x + "," + y); if (taken.has(x + "," + y)) isFree = false; }
      }
      if (!isFree && !isSure) { dots.push(at); return; }
      if (isFree) at[1] = middle;
      cells.forEach(function (key) { taken.add(key); });
      if (isSure) { pen.fillStyle = paper; pen.globalAlpha = .8;
        pen.fillRect(at[0] - half, at[1] - size * .6, 2 * half, size * 1.2); pen.globalAlpha = 1; }
      pen.fillStyle = w === chosen ? accent : marked.has(w) ? ink : muted;
      pen.textAlign = "center"; pen.textBaseline = "middle";
      pen.fillText(w.word, at[0], at[1]);
    }
    if (chosen) label(chosen, true);
    marked.forEach(function (w) { if (w !== chosen) label(w, true); });
    words.forEach(function (w) { if (!marked.has(w)) label(w, false); });
    pen.fillStyle = muted; pen.globalAlpha = .35;
    dots.forEach(function (at) { pen.fillRect(at[0] - 1, at[1] - 1, 2, 2); });
    pen.globalAlpha = 1;
  }
  var waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(function () { waiting = false; draw(); });
  }
  function fit() {
    var box = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    wide = box.width; high = box.height;
    canvas.width = Math.round(wide * ratio); canvas.height = Math.round(high * ratio);
    draw();
  }
  function choose(w, isShown) {
    chosen = w; found = [];
    list.textContent = "";
    if (w) {
      var name = document.createElement("b");
      name.textContent = w.word + ", " + w.count.toLocaleString("en") + " times:";
      list.append(name);
      w.near.forEach(function (n) {
        var key = document.createElement("button"), target = byWord.get(n[0]);
        key.type = "button"; key.textContent = n[0] + " " + n[1].toFixed(2);
        key.disabled = !target;
        if (!target) key.title = "too rare for this map";
        key.onclick = function () { choose(target, true); };
        list.append(key);
      });
      if (isShown) { atX = w.x; atY = w.y; zoom = Math.max(zoom, 6); }
    }
    redraw();
  }
  function look(text, isWhole) {
    text = text.trim();
    var exact = byWord.get(text) || byWord.get(text.toLowerCase());
    if (!text) { said.textContent = ""; choose(null); return; }
    var start = text.toLowerCase();
    var alike = words.filter(function (w) { return w.word.toLowerCase().startsWith(start); });
    if (exact && (isWhole || alike.length === 1)) { said.textContent = "found";
      choose(exact, true); return; }
    choose(null);
    found = alike.slice(0, 40);
    said.textContent = alike.length ? alike.length + (alike.length > 1 ? " words" : " word") +
      " beginning so" : "not on this map";
    if (isWhole && alike.length) choose(alike[0], true);
  }
  function nearest(event, most) {
    var box = canvas.getBoundingClientRect(), best = null, least = most * most;
    var x = event.clientX - box.left, y = event.clientY - box.top;
    words.forEach(function (w) {
      var at = place(w), far = (at[0] - x) * (at[0] - x) / 4 + (at[1] - y) * (at[1] - y);
      if (far < least) { least = far; best = w; } });
    return best;
  }
  var held = null;
  canvas.onpointerdown = function (event) {
    held = { x: event.clientX, y: event.clientY, atX: atX, atY: atY, isMoved: false };
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = function (event) {
    if (held) {
      var dx = event.clientX - held.x, dy = event.clientY - held.y;
      held.isMoved = held.isMoved || Math.abs(dx) + Math.abs(dy) > 4;
      if (held.isMoved) { atX = held.atX - dx / scale(); atY = held.atY + dy / scale(); redraw(); }
      return;
    }
    over = nearest(event, 12);
    tip.hidden = !over;
    if (!over) return;
    tip.textContent = over.word + ": " + over.near.slice(0, 5).map(function (n) {
      return n[0]; }).join(", ");
    var at = place(over);
    tip.style.left = Math.max(0, Math.min(wide - tip.offsetWidth, at[0] + 10)) + "px";
    tip.style.top = Math.max(0, Math.min(high - tip.offsetHeight, at[1] + 12)) + "px";
  };
  canvas.onpointerup = function (event) {
    if (held && !held.isMoved) choose(nearest(event, 14), false);
    held = null;
  };
  canvas.onpointerleave = function () { tip.hidden = true; };
  canvas.addEventListener("wheel", function (event) {
    event.preventDefault();
    var box = canvas.getBoundingClientRect(), before = scale();
    var x = event.clientX - box.left - wide / 2, y = event.clientY - box.top - high / 2;
    zoom = Math.max(1, Math.min(60, zoom * Math.exp(-event.deltaY / 400)));
    atX += x / before - x / scale(); atY -= y / before - y / scale();
    redraw();
  }, { passive: false });
  search.oninput = function () { look(search.value, false); };
  search.onkeydown = function (event) { if (event.key === "Enter") look(search.value, true); };
  root.querySelector("button").onclick = function () {
    zoom = 1; atX = atY = 0; search.value = ""; look(""); };
  function fromAddress() {
    var asked = decodeURIComponent(location.hash.slice(1));
    if (!asked || document.getElementById(asked)) return;
    search.value = asked; look(asked, true);
  }
  addEventListener("resize", fit);
  addEventListener("hashchange", fromAddress);
  var theme = document.getElementById("theme");
  if (theme) theme.addEventListener("click", function () { setTimeout(draw, 0); });
  fit(); fromAddress();
})(document.currentScript.previousElementSibling);
"""
