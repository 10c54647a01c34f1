"""The look of a page: colours for light and dark paper, type, and the classes of the drawings."""

from __future__ import annotations

LIGHT = """
--paper:#fbfaf7; --panel:#ffffff; --sunk:#f3f1eb; --ink:#1e2126; --muted:#5c626d; --line:#e4e0d7;
--accent:#2457a6; --good:#28744a; --bad:#b13c28;
--accent-rgb:36 87 166; --good-rgb:40 128 80; --bad-rgb:205 80 50; --depth:.6;
--series-1:#2457a6; --series-2:#a84e0c; --series-3:#28744a; --series-4:#7a4fa3;
--series-5:#0c737c; --series-6:#b13c28; color-scheme:light;
"""

DARK = """
--paper:#14161a; --panel:#1b1e24; --sunk:#22262d; --ink:#e9e6df; --muted:#a3a8b3; --line:#30353e;
--accent:#82b3ff; --good:#72c998; --bad:#f28f78;
--accent-rgb:130 179 255; --good-rgb:90 190 130; --bad-rgb:240 120 90; --depth:.5;
--series-1:#82b3ff; --series-2:#f0a35e; --series-3:#72c998; --series-4:#c5a4f0;
--series-5:#5fc9d2; --series-6:#f28f78; color-scheme:dark;
"""

_PAGE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:3.5rem}
body{margin:0;background:var(--paper);color:var(--ink);
 font:400 1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
  "Helvetica Neue",sans-serif;
 overflow-wrap:anywhere}
main,header.top,footer{max-width:64rem;margin:0 auto;padding:0 1.5rem}
h1,h2,.big,.lead,.verdict{font-family:"Iowan Old Style","Palatino Linotype",Palatino,
 "URW Palladio L","Book Antiqua",Georgia,"Noto Serif",serif}
h1{font-weight:400;font-size:clamp(1.9rem,1.3rem + 2.6vw,3.1rem);line-height:1.15;
 letter-spacing:-.012em;margin:0;text-wrap:balance}
h2{font-weight:400;font-size:1.75rem;line-height:1.25;margin:0 0 1.25rem;letter-spacing:-.005em}
h3{font-weight:600;font-size:1.02rem;line-height:1.35;margin:0 0 .25rem}
p{margin:0 0 1rem;max-width:42rem}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:.18em}
:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
header.top{padding-top:1.5rem}
.brand{display:flex;justify-content:space-between;align-items:center;color:var(--muted);
 font-size:.86rem;margin-bottom:clamp(2.25rem,6vw,4.5rem)}
.brand b{font-weight:600;color:var(--ink);letter-spacing:.01em}
button{font:inherit;font-size:.82rem;color:var(--muted);background:none;cursor:pointer;
 border:1px solid var(--line);border-radius:99px;padding:.28rem .85rem;min-height:2rem}
button:hover{color:var(--ink);border-color:var(--muted)}
button[hidden]{display:none}
.lead{font-size:clamp(1.12rem,1rem + .5vw,1.32rem);line-height:1.5;color:var(--muted);
 margin:1rem 0 0;max-width:46rem}
nav{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--line);
 margin-top:clamp(2rem,4vw,3rem)}
nav ul{max-width:64rem;margin:0 auto;padding:.3rem 1.5rem;list-style:none;display:flex;
 gap:1.6rem;overflow-x:auto;font-size:.9rem;scrollbar-width:none;white-space:nowrap}
nav a{display:block;padding:.45rem 0;color:var(--muted);text-decoration:none}
nav a:hover{color:var(--ink)}
section.part{padding:clamp(2.2rem,4vw,3.1rem) 0;border-bottom:1px solid var(--line)}
footer{padding-top:1.5rem;padding-bottom:3rem;color:var(--muted);font-size:.86rem}
.note,.empty,.axis-name,small{color:var(--muted);font-size:.84rem}
.note{margin:.4rem 0 0}
.hero{display:grid;grid-template-columns:minmax(15rem,5fr) 7fr;gap:2rem 3.5rem;align-items:start}
.hero>*,.pair>*,.curves>*{min-width:0}
.big{font-size:clamp(3.6rem,2.6rem + 5vw,6rem);line-height:1;letter-spacing:-.03em;
 margin:.1rem 0 .9rem;
 white-space:nowrap;font-variant-numeric:lining-nums}
.big small{font-size:.42em;letter-spacing:0;color:var(--muted);margin-left:.12em;
 font-family:inherit}
.score-name{font-weight:600;margin:0}
.measured{color:var(--muted);font-size:.94rem;line-height:1.5;margin:0}
.measured b{color:var(--ink);font-weight:600}
.verdict{font-size:1.2rem;line-height:1.45;border-left:3px solid var(--muted);max-width:none;
 padding:.1rem 0 .1rem 1.1rem;margin:2.2rem 0 0}
.verdict.good{border-color:var(--good)}
.verdict.even{border-color:var(--series-2)} .verdict.bad{border-color:var(--bad)}
.more{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1.25rem 2rem;
 margin:2.2rem 0 0;padding:0;list-style:none}
.more b{display:block;font-size:1.35rem;font-weight:500;line-height:1.3;
 font-variant-numeric:tabular-nums}
.plain{margin:0 0 1rem;padding:0;list-style:none;max-width:46rem}
.plain li{padding:.3rem 0}
.alert{border:1px solid var(--line);border-left:3px solid var(--series-2);background:var(--panel);
 border-radius:3px 8px 8px 3px;padding:.9rem 1.2rem;margin:1.1rem 0 0}
.alert ul{margin:.3rem 0 0;padding-left:1.2rem} .alert li{padding:.12rem 0}
details>summary{cursor:pointer;font-weight:600}
figure>details{margin-top:1rem} figure>details>summary,dl+details>summary{font-size:.92rem;
 font-weight:500;color:var(--accent)} dl+details{margin-top:1rem} details>.scroll,details>dl{
 margin-top:.6rem} details .curves{margin-top:1.2rem}
dl{display:grid;grid-template-columns:minmax(8rem,13rem) 1fr;margin:0;font-size:.95rem;
 border-top:1px solid var(--line)}
dl>div{display:contents}
dt,dd{margin:0;padding:.5rem 0;border-bottom:1px solid var(--line);min-width:0}
dt{color:var(--muted);padding-right:1rem} dd{font-variant-numeric:tabular-nums}
.reference{margin:1.3rem 0 0;color:var(--muted);font-size:.95rem}
.reference cite{font-style:italic;color:var(--ink)}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));
 gap:2.2rem 3rem;margin-top:2.2rem}
details>.curves{margin-top:1.2rem}
.curves+details{margin-top:1.6rem} .curves+details>summary{font-size:.92rem;font-weight:500;
 color:var(--accent)}
.curves.many{grid-template-columns:repeat(auto-fit,minmax(min(100%,17.5rem),1fr));column-gap:2.2rem}
figcaption{margin-bottom:1rem}
figure{margin:0 0 3.2rem} figure:last-child{margin-bottom:0}
figcaption p{color:var(--muted);font-size:.95rem;margin:0}
.use{margin:0 0 1.4rem;min-width:0} .use p{margin:0 0 .4rem}
.code{position:relative}
pre{margin:0;background:var(--sunk);border-radius:8px;padding:.85rem 1.1rem;overflow-x:auto;
 font:.88rem/1.6 ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.code button{position:absolute;top:.42rem;right:.5rem;background:var(--sunk);min-height:1.9rem;
 padding:.12rem .7rem}
"""

_DRAWINGS = """
.scroll{overflow-x:auto;max-width:100%;padding-bottom:.3rem}
.plot{position:relative}
.plot-head{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2rem 1.2rem;
 margin-bottom:.5rem}
.legend{display:inline-flex;flex-wrap:wrap;gap:.1rem 1.1rem;font-size:.84rem}
.legend i{display:inline-block;width:1.1em;height:3px;border-radius:2px;vertical-align:.22em;
 margin-right:.45em;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.plot-area{position:relative;margin-left:3.1rem;margin-right:.9rem}
.plot-area svg{display:block;width:100%;height:100%;overflow:visible}
.plot-area path,.plot-area polyline{fill:none;vector-effect:non-scaling-stroke;
 stroke-linejoin:round;stroke-linecap:round}
.grid{stroke:var(--line);stroke-width:1px}
.upright{stroke:var(--series-1);stroke-width:5px;opacity:.25}
.row-title{margin:.9rem 0 .35rem;font-size:.9rem} .row-title b{font-weight:600;margin-right:.4em}
.strong{stroke-width:2px} .faint{stroke-width:1px;opacity:.32} .dot{stroke-width:6px}
.tick-y,.tick-x,.bar-axis{font-size:.78rem;color:var(--muted);font-variant-numeric:tabular-nums;
 white-space:nowrap}
.tick-y{position:absolute;right:100%;margin-right:.6rem;transform:translateY(-50%);line-height:1}
.tick-x{position:absolute;top:100%;margin-top:.4rem;transform:translateX(-50%)}
.plot .axis-x{margin-top:1.75rem;text-align:right;margin-right:.9rem}
.cross{position:absolute;top:0;bottom:0;width:1px;background:var(--muted);pointer-events:none}
.readout{position:absolute;top:-.2rem;transform:translate(-50%,-100%);background:var(--ink);
 color:var(--paper);font-size:.78rem;line-height:1.4;padding:.25rem .6rem;border-radius:5px;
 white-space:nowrap;pointer-events:none;z-index:1;font-variant-numeric:tabular-nums}
.bars{list-style:none;margin:0;padding:0}
.bar-row{display:grid;grid-template-columns:1fr auto;gap:.1rem 1rem;padding:0 0 1.05rem;
 font-size:.93rem;align-items:baseline}
.bar-row>span:first-child{min-width:0}
.bar-row b{font-weight:500;font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}
.bar-row b small{font-weight:400;margin-left:.5em}
.bar-row.highlight{font-weight:600} .bar-row.highlight b{font-weight:600}
.bar-track{grid-column:1/-1;position:relative;height:12px;background:var(--sunk);border-radius:3px;
 display:block;margin-top:.2rem}
.bar,.whisker{position:absolute;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar{top:0;bottom:0;background:var(--muted);opacity:.5;border-radius:3px}
.highlight .bar{background:var(--accent);opacity:1}
.bar.cut{-webkit-mask-image:linear-gradient(90deg,transparent,#000 3.5rem);
 mask-image:linear-gradient(90deg,transparent,#000 3.5rem)}
.whisker{top:5px;height:2px;background:var(--ink);min-width:2px}
.whisker:before,.whisker:after{content:"";position:absolute;top:-3px;height:8px;width:2px;
 background:var(--ink)}
.whisker:before{left:0} .whisker:after{right:0}
.bar-axis{position:relative;height:1.25rem}
.bar-axis span{position:absolute;transform:translateX(-50%)}
.bar-axis .first{transform:none} .bar-axis .last{transform:translateX(-100%)}
.bars-box .axis-x{text-align:right}
.pictures{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.7rem;
 width:max-content;max-width:100%}
.pictures[style]{max-width:none}
.pictures li{min-width:0;max-width:100%;font-size:.78rem;line-height:1.3;color:var(--muted)}
.pictures img{display:block;image-rendering:pixelated;border-radius:2px;max-width:100%;
 height:auto;
 box-shadow:0 0 0 1px var(--line)}
.pictures span{display:block;padding-top:.25rem}
.heat{white-space:pre-wrap;font:.92rem/1.75 ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,
 "DejaVu Sans Mono",monospace;background:var(--panel);border:1px solid var(--line);
 border-radius:8px;padding:1rem 1.2rem}
.heat i,.heat-key i{font-style:normal;padding:.14em 0;print-color-adjust:exact;
 -webkit-print-color-adjust:exact}
.heat-key{font-size:.8rem;color:var(--muted);margin:.6rem 0 0;text-align:right;max-width:none}
.heat-key i{display:inline-block;width:.8rem;height:.8rem;padding:0;vertical-align:-.05rem}
.cards{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:1.4rem 1.25rem}
.cards li{max-width:100%;font-size:.84rem;line-height:1.4;color:var(--muted)}
.side{display:flex;gap:8px;margin-bottom:.35rem}
.side img{display:block;border-radius:3px;box-shadow:0 0 0 1px var(--line);max-width:100%;
 height:auto;image-rendering:pixelated}
.side img.smooth{image-rendering:auto}
.side div{min-width:0} .side small{display:block;padding-top:.15rem;font-size:.78rem}
.map{position:relative;width:fit-content;max-width:100%;cursor:zoom-in;touch-action:pan-y}
.map img{display:block;max-width:100%;height:auto;border-radius:3px}
.veil{position:absolute;inset:0;width:100%;height:100%;image-rendering:pixelated;
 pointer-events:none}
.lens{position:absolute;width:148px;background:var(--panel);border:1px solid var(--muted);
 border-radius:8px;padding:7px;pointer-events:none;z-index:1;box-shadow:0 4px 18px rgb(0 0 0/.25)}
.lens[hidden]{display:none}
.lens div{width:132px;height:132px;overflow:hidden;border-radius:3px} .lens img{max-width:none}
.lens p{margin:.35rem 0 0;font-size:.78rem;line-height:1.35}
.map-keys{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 .8rem}
.map-keys i{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.45em;
 print-color-adjust:exact;-webkit-print-color-adjust:exact}
.map-keys button[aria-pressed=true]{color:var(--ink);border-color:var(--ink)}
.planes{list-style:none;margin:.6rem 0 0;padding:0;display:grid;gap:1.6rem 1.4rem;
 grid-template-columns:repeat(auto-fill,minmax(min(100%,12.5rem),1fr))}
.planes li{min-width:0;font-size:.84rem;line-height:1.35}
.planes b{display:block;font-weight:500;margin-bottom:.3rem}
.planes span{color:var(--muted)}
.plane{position:relative;aspect-ratio:1;background:var(--panel);margin-bottom:.35rem;
 border-radius:3px;box-shadow:0 0 0 1px var(--line)}
.plane svg,.ground{position:absolute;inset:0;width:100%;height:100%;display:block}
.ground{-webkit-mask-size:100% 100%;mask-size:100% 100%;print-color-adjust:exact;
 -webkit-print-color-adjust:exact}
.plane path{fill:none;vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}
.mesh{stroke:var(--muted);stroke-width:1px;opacity:.55}
.mark{stroke-width:4.5px;opacity:.85}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.42rem 1.5rem .42rem 0;text-align:left;vertical-align:top;
 border-bottom:1px solid var(--line);overflow-wrap:normal}
td{min-width:3.2rem;max-width:28rem} th:last-child,td:last-child{padding-right:.2rem}
thead th{color:var(--muted);font-weight:500;font-size:.84rem;vertical-align:bottom}
.number{text-align:right}
.matrix{border-collapse:separate;border-spacing:2px;font-size:.8rem}
.matrix th,.matrix td{border:0;padding:.3rem .35rem;text-align:center;min-width:2.35rem;
 vertical-align:middle}
.matrix td{border-radius:3px;print-color-adjust:exact;-webkit-print-color-adjust:exact;
 background:rgb(var(--accent-rgb) / calc(var(--d)*var(--depth)))}
.matrix .right{background:rgb(var(--good-rgb) / calc(var(--d)*var(--depth)))}
.matrix .wrong{background:rgb(var(--bad-rgb) / calc(var(--d)*var(--depth)))}
.matrix th{color:var(--muted);font-weight:500;font-size:.8rem}
.matrix tbody th,.matrix .corner{text-align:right;white-space:nowrap;position:sticky;left:0;
 background:var(--paper);max-width:11rem;overflow:hidden;text-overflow:ellipsis;z-index:1}
.matrix .corner{font-size:.74rem;font-weight:400;vertical-align:bottom}
.matrix.long thead th:not(.corner){vertical-align:bottom;padding:.3rem .1rem}
.matrix.long thead th:not(.corner) span{writing-mode:vertical-rl;transform:rotate(180deg);
 max-height:9rem;overflow:hidden;text-align:left;white-space:nowrap}
.matrix.dense{border-spacing:1px;font-size:.72rem}
.matrix.dense th,.matrix.dense td{padding:.16rem .1rem;min-width:1.45rem}
.matrix-picture{display:flex;flex-wrap:wrap;gap:1.5rem 3rem;align-items:flex-start}
.matrix-picture>div{min-width:0;max-width:100%}
.matrix-picture img{display:block;max-width:100%;height:auto;image-rendering:pixelated;
 background:var(--panel);box-shadow:0 0 0 1px var(--line)}
.matrix-picture .axis-name{margin:.5rem 0 0}
"""

_NARROW = """
@media (max-width:46rem){
 main,header.top,footer,nav ul{padding-left:1.1rem;padding-right:1.1rem}
 .hero{grid-template-columns:1fr}
 dl{grid-template-columns:minmax(6.5rem,9rem) 1fr}
 .bar-row b small{display:block;margin:0}
 .plot-area{margin-left:2.6rem}
 .matrix{font-size:.72rem}
 .matrix th,.matrix td{min-width:1.7rem;padding:.3rem .12rem;font-size:.72rem}
 .planes{grid-template-columns:1fr 1fr;gap:1.2rem .9rem}
 pre{white-space:pre-wrap}
 .code button{position:static;margin-top:.4rem;background:none}
}
@media print{
 :root,:root[data-theme]{LIGHT}
 nav,button{display:none!important}
 body{font-size:10.5pt} section.part{padding:1.2rem 0} header.top{padding-top:0}
 figure,.use,.bar-row,dl>div,.curves>*{break-inside:avoid} h2,h3{break-after:avoid}
 .scroll,pre{overflow:visible} .pictures[style]{display:flex!important;max-width:100%}
 pre{white-space:pre-wrap}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
"""


def stylesheet() -> str:
    """Return the whole style of a page."""
    heat = "".join(
        f".h{level}{{background:rgb(var(--bad-rgb) / {0.062 * level:.3f})}}" for level in range(11)
    )
    return (
        f":root{{{LIGHT}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
        f":root[data-theme=light]{{{LIGHT}}}:root[data-theme=dark]{{{DARK}}}"
        + _PAGE
        + _DRAWINGS
        + heat
        + _NARROW.replace("LIGHT", LIGHT)
    )
