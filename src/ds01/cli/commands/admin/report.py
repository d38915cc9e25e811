"""``ds01 admin report``: a month of the server, for whoever has to account for it."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.files import put
from ds01.wire.report import ReportView

MARKDOWN, CSV, HTML = "md", "csv", "html"


def run(call: Call, *, month: str | None, format_: str | None, to: str | None) -> int:
    """Print it, or write it into a file."""
    talk = call.talk
    found = call.client.report(month or "")
    if talk.json:
        talk.emit(found)
        return 0
    text = written(found, format_ or MARKDOWN)
    if to is None:
        talk.data(text.rstrip("\n"))
        return 0
    if talk.dry_run:
        talk.say(f"Would write {found.month} to {to}.")
        return 0
    put(to, text, mode=0o600)
    talk.done(f"{to} is written, for you alone: it names people.")
    if not found.complete:
        talk.say(f"{found.month} is not over; it is as of {found.last}.")
    talk.next("ds01 usage --all --by user", "ds01 admin history")
    return 0


def written(report: ReportView, kind: str) -> str:
    """The report in one of its forms."""
    if kind == HTML:
        from ds01.cli.report.page import page

        return page(report)
    if kind == CSV:
        from ds01.cli.report.sheet import sheet

        return sheet(report)
    from ds01.cli.report.markdown import markdown

    return markdown(report)
