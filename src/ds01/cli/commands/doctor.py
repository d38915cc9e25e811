"""``ds01 doctor``: every check, and what to do about it."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.domain.errors import Exit
from ds01.wire.status import CheckView, DoctorView

_SIGNS = {"ok": ("green", "✓", "ok:"), "warning": ("yellow", "!", "warning:"), "failed": ("red", "✗", "failed:")}


def run(call: Call) -> int:
    """Print the checks; 1 when one failed."""
    found = call.client.doctor()
    if call.talk.json:
        call.talk.emit(found)
        return _code(found)
    for check in found.checks:
        if check.state != "ok" or not call.talk.quiet:
            for line in shown(check, call.talk.out):
                call.talk.data(line)
    wrong = [check for check in found.checks if check.state != "ok"]
    call.talk.say()
    call.talk.say(f"{len(found.checks) - len(wrong)} of {len(found.checks)} checks are well.")
    call.talk.next("ds01 status" if found.healthy else "mend what failed, then ds01 doctor again")
    return _code(found)


def shown(check: CheckView, style: Style) -> list[str]:
    """One check, with what to do when it is not well."""
    colour, symbol, word = _SIGNS.get(check.state, _SIGNS["warning"])
    lines = wrap(f"{style(colour, style.sign(symbol, word))} {check.name}: {check.text}", style.width, hanging="  ")
    if check.fix and check.state != "ok":
        lines += wrap(f"{style('dim', 'To do:')} {check.fix}", style.width, indent="  ", hanging="    ")
    return lines


def _code(found: DoctorView) -> int:
    return int(Exit.DONE if found.healthy else Exit.FAILED)
