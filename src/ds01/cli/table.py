"""Rows as a table where there is room, as records one after another where there is not.

At 40 columns, and with ``--plain`` (a screen reader), a table is unreadable: every row becomes a heading and one fact
a line. Nothing is ever cut off that a program reads: only what a person looks at is made to fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli.style import Style, columns, pad, shorten, wrap
from ds01.domain.record import record

GAP = "  "


@record(kw_only=False)
class Column:
    """One column. ``right`` aligns numbers; ``flexible`` may be shortened down to ``least`` columns."""

    title: str
    right: bool = False
    flexible: bool = False
    least: int = 12


@record(kw_only=False)
class Painted:
    """A cell in a colour."""

    text: str
    colour: str


Cell = str | Painted


def table(heads: Sequence[Column], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    """Lines of a table, or of records. The first column names the row; columns that would be empty are left out."""
    shown = [index for index in range(len(heads)) if any(_text(row[index]) for row in rows)]
    heads = [heads[index] for index in shown]
    rows = [[row[index] for index in shown] for row in rows]
    widths = [
        max(columns(_text(cell)) for cell in (head.title, *cells)) for head, *cells in zip(heads, *rows, strict=True)
    ]
    widths = _fitted(heads, widths, style)
    if not widths:
        return _records(heads, rows, style)
    titles = [Painted(head.title, "bold") for head in heads]
    return [_line(heads, widths, cells, style) for cells in (titles, *rows)]


def _fitted(heads: Sequence[Column], widths: list[int], style: Style) -> list[int]:
    """The widths that fit the screen; nothing when none do."""
    if style.plain or (style.cut and style.narrow):
        return []
    over = sum(widths) + len(GAP) * (len(widths) - 1) - style.width
    if not style.cut or over <= 0:
        return widths
    for index, head in sorted(enumerate(heads), key=lambda pair: -widths[pair[0]]):
        spare = min(over, max(0, widths[index] - head.least)) if head.flexible else 0
        widths[index] -= spare
        over -= spare
    return widths if over <= 0 else []


def _line(heads: Sequence[Column], widths: Sequence[int], cells: Sequence[Cell], style: Style) -> str:
    shown = []
    for head, width, cell in zip(heads, widths, cells, strict=True):
        text = shorten(_text(cell), width) if head.flexible else _text(cell)
        blank = " " * (width - columns(text))
        painted = _painted(cell, text, style)
        shown.append(blank + painted if head.right else painted + blank)
    return GAP.join(shown).rstrip()


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Painted) else cell


def _painted(cell: Cell, text: str, style: Style) -> str:
    return style(cell.colour, text) if isinstance(cell, Painted) else text


def _records(heads: Sequence[Column], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    lines: list[str] = []
    for row in rows:
        name, *cells = [(head.title.lower(), cell) for head, cell in zip(heads, row, strict=True)]
        lines += [""] if lines else []
        lines.append(style("bold", _text(name[1])))
        lines += pairs([(title, _painted(cell, _text(cell), style)) for title, cell in cells if _text(cell)], style)
    return lines


def pairs(rows: Sequence[tuple[str, str]], style: Style, *, indent: str = "  ", most: int = 30) -> list[str]:
    """A list of names and their meanings: side by side where there is room, else one below the other."""
    if not rows:
        return []
    longest = max(columns(name) for name, _ in rows)
    width = min(longest, most)
    side_by_side = style.width >= 60 or longest <= 14
    lines: list[str] = []
    for name, meaning in rows:
        lines += _pair(name, meaning, style, indent, width if side_by_side else 0)
    return lines


def _pair(name: str, meaning: str, style: Style, indent: str, width: int) -> list[str]:
    if not meaning:
        return [f"{indent}{name}"]
    if style.plain:
        return wrap(f"{name}: {meaning}", style.width, indent=indent, hanging=indent + "  ")
    hanging = indent + " " * (width + len(GAP)) if width else indent + "    "
    told = wrap(meaning, style.width, indent=hanging)
    if width and columns(name) <= width:
        return [indent + pad(name, width) + GAP + told[0][len(hanging) :], *told[1:]]
    return [f"{indent}{name}", *told]
