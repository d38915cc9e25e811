"""From a name to a program that runs in the container, and to the two lines that one types on the laptop."""

from __future__ import annotations

import os

from ds01.cli import here, laptop
from ds01.cli.call import Call
from ds01.cli.editors import running
from ds01.cli.editors.loopback import LOOPBACK, taken
from ds01.cli.editors.programs import Editor
from ds01.cli.editors.running import Running
from ds01.cli.launching import Wish, launch, told
from ds01.cli.shell import docker
from ds01.domain.errors import BAD_WORKSPACE, NO_CONTAINER, NO_PORT, Ds01Error
from ds01.domain.own_ports import choose, own_ports
from ds01.wire.containers import ContainerView
from ds01.wire.editors import EditorView


def use(call: Call, name: str | None, editor: Editor, *, stop: bool, on_server: bool, server: str | None) -> int:
    """Start the program where it does not run, say how to get to it; with ``stop`` end it."""
    if stop:
        return end(call, name, editor)
    container = wanted(call, here.meant(call, name))
    if call.talk.dry_run:
        return foretold(call, container, editor, server=server, on_server=on_server)
    if container is None:
        return 0
    found, new = started(call, container, editor)
    view = shown(found, server, new=new, on_server=on_server)
    if call.talk.json:
        call.talk.emit(view)
    else:
        _tell(call, found, view)
    if on_server:
        _lead(call, found)
    elif not found.short:
        call.talk.warn("The socket's path is too long for ssh. Use --on-server.")
    return 0


def wanted(call: Call, name: str) -> ContainerView | None:
    """The container, running: launched when it is not. None when it is not wanted after all."""
    try:
        found = call.client.container(name)
    except Ds01Error as error:
        if error.kind != NO_CONTAINER or not here.has_project(call, name):
            raise
    else:
        if found.state == "running":
            return found
    made = launch(call, Wish(project=name, stays=True)).container
    if made is not None:
        call.talk.done(told(made))
    return made


def started(call: Call, container: ContainerView, editor: Editor) -> tuple[Running, bool]:
    """The program as it runs, and whether it was started now."""
    before = running.remembered(call.home, container, editor)
    if before is not None and running.answers(before):
        return before, False
    if not container.workspace:
        raise Ds01Error(
            BAD_WORKSPACE, f"{container.name} has no workspace, so nothing leads into it.",
            hint="ds01 launch makes containers with one.",
        )  # fmt: skip
    port = _port(call, container, editor, before)
    token = running.new_token() if editor.words else ""
    made = Running(editor=editor, container=container, port=port, token=token)
    call.standing = f"{editor.title} was not started; {container.name} goes on."
    running.remember(call.home, made)
    with call.talk.step(f"Starting {editor.title} in {container.name}"):
        running.start(docker(call), made)
    call.standing = f"{editor.title} runs in {container.name}; end it with --stop."
    return made, True


def foretold(
    call: Call, container: ContainerView | None, editor: Editor, *, server: str | None, on_server: bool
) -> int:
    """What would be started, and where one would find it; nothing is. A launch before that is told already."""
    talk = call.talk
    if container is None:
        talk.detail(f"Then {editor.title} would be started in it.")
        return 0
    found = running.remembered(call.home, container, editor)
    there = found is not None and running.answers(found)
    if found is None or not there:
        port = _port(call, container, editor, found)
        found = Running(editor=editor, container=container, port=port, token="")
        running.check(docker(call), found)
    if talk.json:
        talk.emit(shown(found, server, new=not there, on_server=on_server))
    elif there:
        talk.say(f"{editor.title} runs in {container.name} already. Nothing was changed.")
    else:
        talk.say(f"{editor.title} would be started in {container.name}, as port {found.port}. Nothing was changed.")
    return 0


def end(call: Call, name: str | None, editor: Editor) -> int:
    """End the program."""
    container = call.client.container(here.meant(call, name))
    found = running.remembered(call.home, container, editor)
    if call.talk.dry_run:
        does = "would end" if found is not None and running.there(found) else "does not run"
        call.talk.say(f"{editor.title} in {container.name} {does}. Nothing was changed.")
        return 0
    there = found is not None and running.stop(found)
    running.forget(call.home, container, editor)
    if there:
        call.talk.done(f"{editor.title} in {container.name} ends. The container goes on.")
    else:
        call.talk.say(f"{editor.title} does not run in {container.name}.")
    return 0


def _port(call: Call, container: ContainerView, editor: Editor, before: Running | None) -> int:
    """A port of the user's own. The one it had is kept, so that a tunnel on the laptop fits again."""
    mine = own_ports(os.geteuid(), int(call.client.limit("ports").value))
    hers = running.others(call.home, container, editor)
    ports = [port for port in mine if port not in hers]
    kept = before.port if before is not None and before.port in ports else None
    port, passed = choose(ports, kept, taken)
    if port is None:
        raise Ds01Error(
            NO_PORT, f"None of your ports {mine.start} to {mine.stop - 1} is free.",
            reason=f"{len(hers)} are yours already; something else listens on the others.",
            hint="End what you no longer need, with --stop.",
        )  # fmt: skip
    if passed:
        call.talk.say(f"Port {', '.join(map(str, passed))} is taken on the server, so it is {port}.")
    return port


def shown(found: Running, server: str | None, *, new: bool = False, on_server: bool = False) -> EditorView:
    """The program for printing."""
    target = f"{LOOPBACK}:{found.port}" if on_server else found.socket
    return EditorView(
        program=found.editor.name, container=found.container.name, url=found.url, port=found.port,
        tunnel=laptop.tunnel(found.port, target, server), socket=found.socket,
        log=found.log if found.editor.words else "", new=new,
    )  # fmt: skip


def _tell(call: Call, found: Running, view: EditorView) -> None:
    talk, title, name = call.talk, found.editor.title, found.container.name
    if not found.editor.words:
        talk.done(f"{title} of {name} can be reached.")
    elif view.new:
        talk.done(f"{title} runs in {name}.")
    else:
        talk.say(f"{title} runs in {name} already.")
    talk.say("On your laptop, in a terminal that stays open:")
    talk.data(f"  {view.tunnel}")
    talk.say("Then open there:")
    talk.data(f"  {view.url}")
    talk.stdout.flush()
    if view.log:
        talk.detail(f"Its log is {view.log}")
    command = f"{found.editor.name} {name}" if found.editor.words else f"tunnel {name} {found.editor.number}"
    talk.next(f"ds01 {command} --stop", "ds01 list")


def _lead(call: Call, found: Running) -> None:
    """Keep the port open until Ctrl-C."""
    call.talk.say(f"Port {found.port} of the server leads there until you press Ctrl-C; nobody else may use it.")
    call.standing = f"The port is closed. {found.editor.title} goes on in {found.container.name}; --stop ends it."
    import asyncio  # slow to import, and most calls only print two lines

    from ds01.cli.editors import forward

    try:
        asyncio.run(forward.forward(found))
    except OSError as error:
        raise Ds01Error(
            NO_PORT, f"Port {found.port} cannot be opened: {error.strerror}.", hint="Repeat the command in a moment.",
        ) from error  # fmt: skip
