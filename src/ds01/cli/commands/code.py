"""``ds01 code``: VS Code in a container."""

from __future__ import annotations

from ds01.cli import here, laptop
from ds01.cli.call import Call
from ds01.cli.editors.flow import wanted
from ds01.wire.editors import CodeView

FOLDER = "/workspace"


def run(call: Call, *, name: str | None, server: str | None) -> int:
    """Launch the container where it does not run; say how VS Code gets in."""
    container = wanted(call, here.meant(call, name))
    if container is None:
        return 0
    host = laptop.host(container.name)
    view = CodeView(
        container=container.name, host=host, url=f"vscode://vscode-remote/ssh-remote+{host}{FOLDER}",
        command=f"code --remote ssh-remote+{host} {FOLDER}", config=laptop.ssh_block(None, server),
    )  # fmt: skip
    if call.talk.json:
        call.talk.emit(view)
        return 0
    call.talk.done(f"{container.name} is ready for VS Code (with its Remote - SSH extension).")
    call.talk.say("On your laptop, open this link, or type the command:")
    call.talk.data(f"  {view.url}")
    call.talk.data(f"  {view.command}")
    call.talk.stdout.flush()
    call.talk.say(f"Once before that, the laptop's ssh has to know {host}: ds01 ssh-config prints how.")
    call.talk.next("ds01 ssh-config", f"ds01 jupyter {container.name}")
    return 0
