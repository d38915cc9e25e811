"""The month as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ds01.cli.report.sections import Section, sections, title, warnings
from ds01.wire.report import ReportView


def markdown(report: ReportView) -> str:
    """The whole text."""
    lines = [f"# {_safe(title(report))}", ""]
    for warning in warnings(report):
        lines += [f"> {_safe(warning)}", ""]
    for section in sections(report):
        lines += [*_section(section), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    if section.text:
        yield section.text
        yield ""
    yield _row(section.headings)
    yield _row([*["---"] * section.words, *["---:"] * (len(section.headings) - section.words)])
    for row in section.rows:
        yield _row(map(_safe, row))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """Whatever a name has in it, it stays a cell of its row and means nothing to whoever draws it."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\|`*_<>[]" else letter for letter in flat)
