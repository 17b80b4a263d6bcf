"""The style sheet of the HTML report: light, dark and printed."""

_LIGHT = """
  --page: #f6f7f9; --surface: #ffffff; --ink: #1a1f27; --muted: #535d6b; --grid: #e6e9ee;
  --axis: #aab2bd; --edge: #dfe3e9; --accent: #eef4fd; --accent-edge: #0b62c4;
  --color0: #4a5565; --color1: #0b62c4; --color2: #bf4a0a; --color3: #0e7268; --color4: #7038d4;
  --color5: #b5175b;
"""
_DARK = """
  --page: #12151a; --surface: #1a1e25; --ink: #e8ebf0; --muted: #a4aebb; --grid: #2b313b;
  --axis: #5d6775; --edge: #313844; --accent: #1c2a3d; --accent-edge: #6fb1ff;
  --color0: #b3bcc9; --color1: #6fb1ff; --color2: #ff9a5c; --color3: #4fd0bf; --color4: #b99cff;
  --color5: #ff86b8;
"""
_COLORS = "".join(f".color{n} {{ --color: var(--color{n}); }}\n" for n in range(6))

STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{
  margin: 0; padding: 2rem 1.25rem 3rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}}
main {{ max-width: 1160px; margin: 0 auto; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }}
h2 {{ font-size: 1.15rem; margin: 2.25rem 0 .75rem; }}
h1, h2, dd, p {{ overflow-wrap: anywhere; }}
.about {{ color: var(--muted); margin: 0 0 1.25rem; }}
.summary {{
  background: var(--accent); border-left: 4px solid var(--accent-edge); border-radius: 4px;
  padding: .75rem 1rem; margin: 0 0 1.25rem; font-size: 1.05rem;
}}
.sheet {{
  background: var(--surface); border: 1px solid var(--edge); border-radius: 8px;
  padding: .5rem 1rem; overflow-x: auto;
}}
.notes {{ color: var(--muted); font-size: .85rem; margin: .6rem 0 0; }}
table {{ border-collapse: collapse; width: 100%; font-size: .875rem; }}
th, td {{ padding: .45rem .5rem; text-align: left; vertical-align: baseline; }}
thead th {{ color: var(--muted); font-weight: 600; border-bottom: 2px solid var(--edge); }}
thead th {{ white-space: nowrap; }}
tbody tr + tr > * {{ border-top: 1px solid var(--grid); }}
tbody th {{ font-weight: 500; min-width: 9rem; overflow-wrap: anywhere; }}
.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
.missing {{ color: var(--muted); }}
.best > * {{ background: var(--accent); font-weight: 600; }}
.charts {{
  display: grid; gap: 1rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr));
}}
.charts.many {{ grid-template-columns: 1fr; }}
.wide {{ grid-column: 1 / -1; }}
figure {{
  margin: 0; background: var(--surface); border: 1px solid var(--edge); border-radius: 8px;
  padding: .8rem 1rem; overflow-x: auto;
}}
figcaption {{ font-weight: 600; margin-bottom: .4rem; }}
figcaption small {{ display: block; font-weight: 400; color: var(--muted); font-size: .85rem; }}
svg {{
  display: block; width: 100%; height: auto; margin: 0 auto;
  font-family: inherit;
}}
text {{ fill: var(--ink); }}
.tick {{ fill: var(--muted); font-size: 11.5px; }}
.name {{ fill: var(--muted); }}
text[class*=color] {{ fill: var(--color); }}
.label {{ paint-order: stroke; stroke: var(--surface); stroke-width: 3px; stroke-linejoin: round; }}
{_COLORS}
.grid {{ stroke: var(--grid); }}
.axis {{ stroke: var(--axis); }}
.mark {{ fill: var(--color); stroke: var(--surface); stroke-width: 1.25px; }}
.whisker {{ stroke: var(--color); stroke-width: 1.5px; fill: none; opacity: .55; }}
.frontier {{ stroke: var(--axis); stroke-width: 1.5px; stroke-dasharray: 5 4; fill: none; }}
.leader {{ stroke: var(--axis); }}
.bar {{ fill: var(--color); }}
.rest {{ opacity: .35; }}
.curve {{ stroke: var(--color); stroke-width: 2px; fill: none; stroke-linejoin: round; }}
dl {{
  display: grid; grid-template-columns: fit-content(14rem) 1fr; gap: .3rem 1.25rem;
  margin: .4rem 0;
}}
dt {{ color: var(--muted); overflow-wrap: anywhere; }}
dd {{ margin: 0; }}
code {{ font: .87em/1.5 ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }}
.sheet + .sheet {{ margin-top: 1rem; }}
@page {{ margin: 14mm; }}
@media print {{
  :root {{ color-scheme: light; --page: #ffffff; --edge: #c9ced6; }}
  body {{ padding: 0; font-size: 10pt; }}
  main {{ max-width: none; }}
  .sheet, .summary, figure, tr {{ break-inside: avoid; }}
  .sheet, figure {{ overflow: visible; }}
  svg {{ min-width: 0 !important; }}
  h2 {{ break-after: avoid; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
