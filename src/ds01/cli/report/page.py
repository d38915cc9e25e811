"""The month as one HTML page with charts in it: it needs nothing from anywhere, and runs no script.

Names of people and projects are theirs, so everything is escaped, and the page itself forbids a browser to fetch or run
anything should a mistake ever let one through.
"""

from __future__ import annotations

from html import escape

from ds01.cli.report import charts
from ds01.cli.report.sections import Section, sections, title, warnings
from ds01.wire.report import ReportView

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --paper: #ffffff; --faint: #5d6675; --rule: #d9dee7;
  --s0: #2f6db5; --s1: #e2a33b; --s2: #9a5fb0; --warn: #fff3d6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --faint: #9aa5b5; --rule: #323a47;
  --s0: #5b9be6; --s1: #e6b455; --s2: #bb85cf; --warn: #3a3118; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { margin: .3rem 0 .8rem; color: var(--faint); }
p.warning { color: var(--ink); background: var(--warn); padding: .5rem .8rem; border-left: 4px solid var(--s1); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; white-space: nowrap; }
th { font-weight: 600; color: var(--faint); }
.figure { text-align: right; }
tr.total td { font-weight: 600; border-top: 2px solid var(--rule); }
figure { margin: 1rem 0; }
figcaption { color: var(--faint); margin-bottom: .3rem; }
svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
svg text.left { text-anchor: end; }
svg text.below { text-anchor: middle; }
svg line { stroke: var(--rule); }
rect.s0 { fill: var(--s0); } rect.s1 { fill: var(--s1); } rect.s2 { fill: var(--s2); }
.key { margin-left: 1rem; } .key::before { content: ""; display: inline-block; width: .7em; height: .7em;
  margin-right: .4em; background: var(--s0); }
.key.s1::before { background: var(--s1); } .key.s2::before { background: var(--s2); }
@media print { body { max-width: none; padding: 0; } h2, figure, tr { break-inside: avoid; } }
"""


def page(report: ReportView) -> str:
    """The whole page."""
    heading = escape(title(report))
    told = "".join(f'<p class="warning">{escape(warning)}</p>\n' for warning in warnings(report))
    body = "".join(_section(section, report) for section in sections(report))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{heading}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{heading}</h1>\n{told}{body}</body>\n</html>\n"
    )


def _section(section: Section, report: ReportView) -> str:
    text = f"<p>{escape(section.text)}</p>\n" if section.text else ""
    return f"<h2>{escape(section.title)}</h2>\n{text}{_picture(section, report)}{_table(section)}"


def _picture(section: Section, report: ReportView) -> str:
    match section.picture:
        case "users":
            return charts.by_user(report)
        case "days":
            return charts.by_day(report)
        case _:
            return ""


def _table(section: Section) -> str:
    last = len(section.rows) - 1
    rows = "".join(
        _row(section, row, total=section.total and number == last) for number, row in enumerate(section.rows)
    )
    named = any(section.headings)
    head = f"<thead><tr>{''.join(_cells(section, section.headings, 'th'))}</tr></thead>" if named else ""
    return f'<div class="wide"><table>{head}<tbody>\n{rows}</tbody></table></div>\n'


def _row(section: Section, row: tuple[str, ...], *, total: bool) -> str:
    kind = ' class="total"' if total else ""
    return f"<tr{kind}>{''.join(_cells(section, row, 'td'))}</tr>\n"


def _cells(section: Section, row: tuple[str, ...], tag: str) -> list[str]:
    words, figure = f"<{tag}>", f'<{tag} class="figure">'
    return [f"{words if number < section.words else figure}{escape(cell)}</{tag}>" for number, cell in enumerate(row)]
