"""``ds01 doctor``: every check, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.domain.errors import BAD_REQUEST, Ds01Error, Exit
from ds01.wire.status import CheckView, DoctorView

_SIGNS = {"ok": ("green", "✓", "ok:"), "warning": ("yellow", "!", "warning:"), "failed": ("red", "✗", "failed:")}


def run(call: Call, *, report: bool, fix: bool) -> int:
    """Print the checks; 1 when one failed. Or the report; or mend what is one's own."""
    if report:
        return _report(call, fix=fix)
    if fix:
        return _mend(call)
    found = _found(call)
    if call.talk.json:
        call.talk.emit(found)
        return _code(found)
    admins = _for_admins(call, found)
    _show(call, [check for check in found.checks if check not in admins])
    if admins:
        call.talk.data("")
        call.talk.data(call.talk.out("bold", "For your admin:"))
        _show(call, admins)
    wrong = [check for check in found.checks if check.state != "ok"]
    call.talk.say()
    call.talk.say(f"{len(found.checks) - len(wrong)} of {len(found.checks)} checks are well.")
    call.talk.next("ds01 status" if found.healthy else "mend what failed, then ds01 doctor again")
    return _code(found)


def _show(call: Call, checks: Sequence[CheckView]) -> None:
    for check in checks:
        if check.state != "ok" or not call.talk.quiet:
            for line in shown(check, call.talk.out):
                call.talk.data(line)


def _for_admins(call: Call, found: DoctorView) -> list[CheckView]:
    """What is not well and only an admin can mend, where the caller is none."""
    from ds01.cli.doctoring import own

    theirs = [check for check in found.checks if check.state != "ok" and check.name not in own.every()]
    try:
        return theirs if theirs and not call.client.limits().admin else []
    except Ds01Error:  # the checks are told as they are
        return []


def _found(call: Call) -> DoctorView:
    """What ds01d finds of the server, and what is found here of the caller's own."""
    from ds01.cli.doctoring import own

    found = call.client.doctor()
    return DoctorView(checks=(*found.checks, *own.looked(call.home)), healthy=found.healthy)


def shown(check: CheckView, style: Style) -> list[str]:
    """One check, with what to do when it is not well."""
    colour, symbol, word = _SIGNS.get(check.state, _SIGNS["warning"])
    lines = wrap(f"{style(colour, style.sign(symbol, word))} {check.name}: {check.text}", style.width, hanging="  ")
    if check.fix and check.state != "ok":
        lines += wrap(f"{style('dim', 'To do:')} {check.fix}", style.width, indent="  ", hanging="    ")
    return lines


def _report(call: Call, *, fix: bool) -> int:
    if fix or call.talk.json:
        raise Ds01Error(BAD_REQUEST, "--report is a page by itself.", hint="ds01 doctor --report")
    from ds01.cli.doctoring.report import page

    call.talk.data(page(call).rstrip())
    call.talk.stdout.flush()
    call.talk.say()
    call.talk.say("Read it before you send it: only you know what a name gives away.")
    call.talk.next("ds01 doctor --report > report.md")
    return int(Exit.DONE)


def _mend(call: Call) -> int:
    """Say each before it is done; with ``--dry-run`` only say it."""
    from ds01.cli.doctoring import own

    talk, todo = call.talk, list(own.to_mend(call.home))
    for each in todo:
        talk.say(each.wrong)
        talk.say(f"  {each.todo}")
        if talk.dry_run or not talk.confirm("Do that?", default=True):
            continue
        try:
            each.do()
        except OSError as error:
            talk.warn(f"It could not be done: {error.strerror}.")
        else:
            talk.done("Mended.")
    if not todo:
        talk.say("Nothing of yours needs mending. What concerns the server: ds01 doctor")
    elif talk.dry_run:
        talk.say("Nothing was changed.")
    return int(Exit.DONE)


def _code(found: DoctorView) -> int:
    return int(Exit.DONE if found.healthy else Exit.FAILED)
