"""``ds01 retire``: show what would be lost, keep what is wanted, then end the container."""

from __future__ import annotations

from ds01.cli import farewell, here
from ds01.cli.call import Call
from ds01.cli.farewell import Keep
from ds01.cli.show import count, which_gpus
from ds01.cli.table import pairs
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.containers import RetirePreview, RetireRequest, RetireResult


def run(
    call: Call, *, name: str | None, keep_packages: bool, rescue: bool, force: bool, user: str | None,
    reason: str | None,
) -> int:  # fmt: skip
    """Look, ask, retire."""
    here.whose(call, user, reason)
    _check(call, keep_packages)
    wanted = here.meant(call, name)
    call.standing = "Nothing was retired."
    preview = call.client.retire_preview(wanted, user=call.user)
    if call.talk.dry_run:
        return _only_look(call, preview)
    farewell.show_preview(call.talk, preview, owner=call.user)
    asked = Keep(packages=keep_packages, files=rescue)
    keep = farewell.decide(call.talk, preview, asked, question=f"Retire {preview.container.name}?", owner=call.user)
    if keep is None:
        call.talk.say("Nothing was retired.")
        return 0
    return _retire(call, preview, keep, force=force)


def _check(call: Call, keep_packages: bool) -> None:
    """Nobody else's project file is written, not even an admin's hand does that."""
    if call.user and keep_packages:
        raise Ds01Error(
            BAD_REQUEST, "Packages can be written into your own project file only.",
            reason=f"What {call.user} installed by hand is noted in her 'ds01 why'.",
            hint="Leave --keep-packages out; --rescue saves files.",
        )  # fmt: skip


def _only_look(call: Call, preview: RetirePreview) -> int:
    if call.talk.json:
        call.talk.emit(preview)
        return 0
    farewell.show_preview(call.talk, preview, owner=call.user)
    call.talk.next(f"ds01 retire {preview.container.name}{call.whose}")
    return 0


def _retire(call: Call, preview: RetirePreview, keep: Keep, *, force: bool) -> int:
    container = preview.container
    kept = farewell.keep_packages(preview, keep, owner=call.user)
    call.standing = f"{container.name} may still be there: ds01 list shows it. {kept}".strip()
    with call.talk.step(f"Retiring {container.name}"):
        request = RetireRequest(rescue=keep.files, force=force)
        result = call.client.retire(container.name, request, user=call.user, reason=call.reason)
    if call.talk.json:
        call.talk.emit(result)
        return 0
    _tell(call, result, kept)
    again = () if call.user else here.again(call, container.name, container.project, container.door)
    call.talk.next(*(again or (f"ds01 why {container.name}{call.whose}",)), "ds01 status")
    return 0


def _tell(call: Call, result: RetireResult, kept: str) -> None:
    talk = call.talk
    verb = "is" if len(result.freed) == 1 else "are"
    freed = f": {which_gpus(result.freed)} {verb} free" if result.freed else ""
    talk.done(f"{result.name} is retired{freed}. {talk.err('dim', f'{result.seconds:.1f} s')}")
    told = [("Packages", kept)] if kept else []
    if result.rescued:
        told.append(("Rescued", f"into {result.rescued} of the workspace"))
    elif result.files_lost:
        told.append(("Gone", f"{count(result.files_lost, 'changed file')} outside the workspace"))
    if result.workspace:
        told.append(("Stays", result.workspace))
    for line in pairs(told, talk.err):
        talk.say_line(line)
