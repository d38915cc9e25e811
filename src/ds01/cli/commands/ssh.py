"""``ds01 ssh``: how one gets into a container from the laptop, and the server's half of it."""

from __future__ import annotations

import os

from ds01.cli import here, laptop
from ds01.cli.call import Call
from ds01.cli.shell import docker, running
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.editors import SshConfigView


def run(call: Call, *, name: str | None, stdio: bool, server: str | None) -> int:
    """Say what to do on the laptop; with ``stdio`` be what the laptop's ssh talks to."""
    if stdio:
        return _speak(call, name)
    container = call.client.container(here.meant(call, name))
    config, known = laptop.ssh_block(None, server), laptop.host(container.name)
    if call.talk.json:
        call.talk.emit(SshConfigView(config=config, hosts=(known,)))
        return 0
    call.talk.say("Once, at the end of ~/.ssh/config on your laptop:")
    call.talk.say()
    call.talk.data(config)
    call.talk.stdout.flush()
    call.talk.say()
    call.talk.say(f"Then, on the laptop: ssh {known}")
    call.talk.next(f"ds01 code {container.name}")
    return 0


def _speak(call: Call, name: str | None) -> int:
    """Nothing but SSH goes to stdout from here on; what is said goes to stderr, which the laptop's ssh shows."""
    if not name:
        raise Ds01Error(BAD_REQUEST, "--stdio needs the container's name.", hint="ds01 ssh-config")
    call.wanted = name.partition(".")[0]
    container = running(call.client.container(call.wanted))
    from ds01.ssh.serve import Place, serve

    state = os.environ.get("XDG_STATE_HOME") or os.path.join(call.home, ".local/state")
    serve(Place(docker=docker(call), container=container.id, name=container.name), os.path.join(state, "ds01"))
    return 0
