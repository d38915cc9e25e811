"""``ds01 ssh-config``: the block for ``~/.ssh/config`` of the laptop, and nothing else on stdout."""  # noqa: N999

from __future__ import annotations

from ds01.cli import laptop
from ds01.cli.call import Call
from ds01.domain.names import checked
from ds01.wire.editors import SshConfigView


def run(call: Call, *, name: str | None, server: str | None, suffix: str | None) -> int:
    """Print it. It asks ds01d nothing: a container may come later."""
    wanted = checked(name, "container name") if name else None
    ending = checked(suffix, "suffix") if suffix else None
    config, known = laptop.ssh_block(wanted, server, ending), laptop.host(wanted or "*", ending)
    if call.talk.json:
        call.talk.emit(SshConfigView(config=config, hosts=(known,)))
        return 0
    call.talk.data(config)
    call.talk.stdout.flush()
    shown = laptop.host(wanted or "NAME", ending)
    call.talk.say(f"In ~/.ssh/config of your laptop this makes 'ssh {shown}' a shell in that container.")
    return 0
