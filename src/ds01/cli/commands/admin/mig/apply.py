"""``ds01 admin mig apply``: divide GPUs as planned."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.commands.admin.mig.plan import screen
from ds01.cli.commands.admin.mig.show import shown


def run(call: Call, *, plan: list[str]) -> int:
    """Show the plan, ask, do it."""
    text, talk = " ".join(plan), call.talk
    before = call.client.mig(text)
    changing = [gpu for gpu in before.gpus if gpu.changes]
    if talk.dry_run:
        screen(call, before)
        talk.say("Nothing was changed.")
        return 0
    if changing and not talk.json:
        screen(call, before)
    if changing and not talk.confirm("Divide them so now?", default=True):
        talk.say("Nothing was divided.")
        return 0
    view = call.client.divide(text)
    if talk.json:
        talk.emit(view)
        return 0
    for gpu in view.gpus:
        talk.done(f"GPU {gpu.index} is {shown(gpu.now)}.")
    talk.say("After a reboot it is divided so again.")
    talk.next("ds01 gpus", *(f"ds01 admin undrain {gpu.index}" for gpu in view.gpus))
    return 0
