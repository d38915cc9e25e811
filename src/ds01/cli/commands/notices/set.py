"""``ds01 notices set``: how one is told."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.table import pairs
from ds01.wire.lifecycle import PreferencesView, WishesRequest

NONE = "none"


def run(
    call: Call, *, mail: str | None, webhook: str | None, shape: str | None, off: list[str] | None, on: list[str] | None
) -> int:
    """Change what was named, and show what holds now."""
    client, talk = call.client, call.talk
    known = client.wishes()
    request = WishesRequest(
        mail=_word(mail), webhook=_word(webhook), shape=shape,
        off=None if not off and not on else tuple(sorted((set(known.off) | set(off or ())) - set(on or ()))),
    )  # fmt: skip
    changes = request != WishesRequest()
    if talk.dry_run:
        talk.say("Would change how you are told." if changes else "Nothing would change.")
        return 0
    found = client.wish(request) if changes else known
    if talk.json:
        talk.emit(found)
        return 0
    if changes:
        talk.done("You are told that way from now on.")
    for line in pairs(_rows(found), talk.out):
        talk.data(line)
    talk.next("ds01 notices", "ds01 notices set --off terminals")
    return 0


def _word(text: str | None) -> str | None:
    return "" if text == NONE else text


def _rows(found: PreferencesView) -> list[tuple[str, str]]:
    return [(channel, "off" if channel in found.off else _means(channel, found)) for channel in found.channels]


def _means(channel: str, found: PreferencesView) -> str:
    match channel:
        case "terminals":
            return "every terminal you are logged in on"
        case "shells":
            return "every shell that is open in the container"
        case "workspace":
            return "/workspace/.ds01/notices"
        case "mail":
            if not found.mail_works:
                return "this server sends no mail"
            return found.mail or "no address: ds01 notices set --mail me@example.org"
        case "webhook":
            where = ", ".join(found.webhooks)
            return found.webhook or (f"none; it may be at {where}" if where else "this server allows none")
        case _:
            return "on"
