"""``ds01 admin limits check``: every mistake of a limits file at once."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.limits_file import ask
from ds01.wire.limits_file import LimitsFileView

INSTALLED = "/etc/ds01/limits.yaml"


def run(call: Call, *, file: str | None) -> int:
    """Check it."""
    found = ask(LimitsFileView, "check", file or INSTALLED)
    talk = call.talk
    if talk.json:
        talk.emit(found)
        return 0
    groups = ", ".join(found.groups) or "none"
    talk.done(f"{found.file} has no mistakes.")
    talk.say(
        f"  Groups: {groups}. Users of their own: {found.users}. Exemptions: {found.exemptions}. GPUs: {found.gpus}."
    )
    talk.next("ds01 doctor", "ds01 limits")
    return 0
