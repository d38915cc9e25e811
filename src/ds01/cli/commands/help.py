"""``ds01 help``: concept pages, and the registry of all commands."""

from __future__ import annotations

from ds01.cli import topics, tree
from ds01.cli.call import Call
from ds01.cli.registry import described
from ds01.cli.table import pairs
from ds01.domain.errors import NO_TOPIC, Ds01Error
from ds01.domain.names import nearest


def run(call: Call, *, topic: str | None) -> int:
    """Show a page, the list of pages, or all commands."""
    if topic == "commands":
        return _commands(call)
    if topic in (None, "me"):
        return _topics(call)
    if topic in topics.names():
        if call.talk.json:
            call.talk.emit({"name": topic, "text": topics.source(topic)})
            return 0
        return _print(call, topics.page(topic, call.talk.out))
    if topic in tree.members(""):
        from ds01.cli.main import run as again

        return again([topic, "--help"])
    raise _unknown(topic)


def _commands(call: Call) -> int:
    if call.talk.json:
        call.talk.emit([described(path, command) for path, command in tree.commands() if not command.hidden])
        return 0
    rows = [(f"ds01 {path}", command.summary) for path, command in tree.commands() if not command.hidden]
    return _print(call, pairs(rows, call.talk.out, indent=""))


def _topics(call: Call) -> int:
    listed = [(name, topics.summary(name)) for name in topics.names()]
    if call.talk.json:
        call.talk.emit([{"name": name, "summary": summary} for name, summary in listed])
        return 0
    _print(call, [call.talk.out("cyan", "Pages"), *pairs(listed, call.talk.out)])
    call.talk.next("ds01 help start", "ds01 help commands")
    return 0


def _unknown(topic: str) -> Ds01Error:
    message = f"There is no page about '{topic}'."
    if meant := nearest(topic, (*topics.names(), *tree.members(""), "commands")):
        return Ds01Error(NO_TOPIC, message, hint=f"Did you mean 'ds01 help {meant}'?")
    if found := topics.about(topic):
        where = "Others tell of it" if len(found) > 1 else "Another tells of it"
        return Ds01Error(NO_TOPIC, message, reason=f"{where}: {', '.join(found)}.", hint=f"ds01 help {found[0]}")
    return Ds01Error(NO_TOPIC, message, hint="ds01 help")


def _print(call: Call, lines: list[str]) -> int:
    for line in lines:
        call.talk.data(line)
    return 0
