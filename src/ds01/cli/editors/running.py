"""An editor that runs: found again by what was written down in its owner's home, started, waited for, ended.

What is written down has the token, so it is in a file of mode 0600 in the user's own state, never in the workspace,
which she may share.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from pathlib import Path

from ds01.cli.editors.programs import Editor
from ds01.client.attach import collect
from ds01.client.docker import Docker, Exec
from ds01.domain.errors import BAD_WORKSPACE, NO_PROGRAM, START_FAILED, Ds01Error
from ds01.domain.record import record
from ds01.wire.containers import ContainerView

STARTING_SECONDS = 120.0
LOOK_SECONDS = 0.2
FOLDER = ".ds01"
_LONGEST_PATH = 100
_PYTHON = 'exec "$(command -v python3 || command -v python)" -c "$@"'
_FIND = 'command -v python3 >/dev/null || command -v python >/dev/null || exit 3; [ -z "$1" ] || command -v "$1"'


@record
class Running:
    """An editor of a container. ``port`` is the number it has for its owner, ``socket`` where it is on the server."""

    editor: Editor
    container: ContainerView
    port: int
    token: str

    @property
    def socket(self) -> str:
        """The socket's path on the server."""
        return os.path.join(self.container.workspace, FOLDER, _named(self.container, self.editor, "sock"))

    @property
    def mark(self) -> str:
        """A file that is there while it starts, and ends what starts when it is taken away."""
        return os.path.join(self.container.workspace, FOLDER, _named(self.container, self.editor, "starting"))

    @property
    def log(self) -> str:
        """What the program said."""
        return os.path.join(self.container.workspace, FOLDER, _named(self.container, self.editor, "log"))

    @property
    def url(self) -> str:
        """The address for a browser on the laptop, once the tunnel is there."""
        token = f"?token={self.token}" if self.token else ""
        return f"http://localhost:{self.port}{self.editor.page}{token}"

    @property
    def short(self) -> bool:
        """Whether the socket's path is one that programs can connect to."""
        return len(os.fsencode(self.socket)) <= _LONGEST_PATH


def _named(container: ContainerView, editor: Editor, ending: str) -> str:
    return f"{container.name}-{editor.name}.{ending}"


# what is written down ------------------------------------------------------------------------------------


def _state(home: str) -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local/state"), "ds01", "editors")


def remembered(home: str, container: ContainerView, editor: Editor) -> Running | None:
    """What was written down of this editor, whether or not it runs."""
    try:
        found = json.loads((_state(home) / _named(container, editor, "json")).read_text(encoding="utf-8"))
        if found["container"] != container.id:
            return None
        return Running(editor=editor, container=container, port=int(found["port"]), token=str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def others(home: str, container: ContainerView, editor: Editor) -> frozenset[int]:
    """The ports that the user's other editors have."""
    own, found = _named(container, editor, "json"), set()
    try:
        files = [path for path in _state(home).iterdir() if path.suffix == ".json" and path.name != own]
        for path in files:
            found.add(int(json.loads(path.read_text(encoding="utf-8"))["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset(found)
    return frozenset(found)


def remember(home: str, running: Running) -> None:
    """Write it down for the next time."""
    folder = _state(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _named(running.container, running.editor, "json")
    text = json.dumps({"container": running.container.id, "port": running.port, "token": running.token})
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


def forget(home: str, container: ContainerView, editor: Editor) -> None:
    """Free its port."""
    (_state(home) / _named(container, editor, "json")).unlink(missing_ok=True)


# running and ending --------------------------------------------------------------------------------------


def new_token() -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(32)


def connected(path: str) -> socket.socket:
    """A connection to a unix socket, however long its path is. Raises OSError."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(5)
        made.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    except BaseException:
        made.close()
        raise
    finally:
        os.close(folder)
    return made


def answers(running: Running) -> bool:
    """Whether it is there."""
    try:
        connected(running.socket).close()
    except OSError:
        return False
    return True


def start(docker: Docker, running: Running) -> None:
    """Start it and wait until it answers. Raises Ds01Error with the end of its log; nothing starts any more then."""
    check(docker, running)
    _folder(running)
    os.close(os.open(running.mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        _start(docker, running)
    except BaseException:
        stop(running)
        raise
    Path(running.mark).unlink(missing_ok=True)


def _start(docker: Docker, running: Running) -> None:
    paths = (running.socket, running.mark, running.log)
    inside = [f"/workspace/{FOLDER}/{os.path.basename(path)}" for path in paths]
    relay = Path(__file__).with_name("relay.py").read_text(encoding="utf-8")
    editor = running.editor
    words = (*editor.words, "--allow-root") if editor.name == "jupyter" and os.geteuid() == 0 else editor.words
    variable = {editor.variable or "DS01_TOKEN": running.token} if running.token else {}
    program = Exec(
        command=("sh", "-c", _PYTHON, "ds01", relay, *inside, editor.number, *words), stdin=False, environment=variable,
        folder="/workspace",
    )  # fmt: skip
    name = docker.exec_create(running.container.id, program)
    docker.exec_background(name)
    deadline = time.monotonic() + STARTING_SECONDS
    while not answers(running):
        if not docker.exec_state(name).running:
            raise _ended_early(running)
        if time.monotonic() > deadline:
            raise Ds01Error(
                START_FAILED, f"{editor.title} did not answer within {STARTING_SECONDS:.0f} seconds.",
                reason=_last_words(running.log), hint=f"Look at its log: {running.log}",
            )  # fmt: skip
        time.sleep(LOOK_SECONDS)


def stop(running: Running) -> bool:
    """End it, by taking its socket away, or its mark while it starts; whether there was one."""
    was = there(running)
    for path in (running.mark, running.socket):
        Path(path).unlink(missing_ok=True)
    return was


def there(running: Running) -> bool:
    """Whether it runs, or starts."""
    return answers(running) or os.path.lexists(running.mark)


def check(docker: Docker, running: Running) -> None:
    """Whether the image has what is needed. Raises Ds01Error with how it gets there."""
    editor, container = running.editor, running.container
    program = editor.program if editor.words else ""
    pieces = list(collect(docker, container.id, Exec(command=("sh", "-c", _FIND, "find", program), stdin=False)))
    code = int(pieces[-1][1])
    if code == 0:
        return
    missing, package = ("Python", "") if code == 3 else (editor.title, editor.package)
    if not package:
        hint = "Use an image with Python, such as a base of DS01: ds01 init --info"
    elif container.project:
        hint = f"ds01 image update {container.project} --add {package}"
    else:
        hint = f"ds01 exec {container.name} -- pip install {package}"
    raise Ds01Error(
        NO_PROGRAM, f"There is no {missing} in {container.name}.",
        reason=f"Its image lacks it. After an update: ds01 launch {container.name} --recreate."
        if package and container.project else "Its image lacks it.",
        hint=hint,
    )  # fmt: skip


def _folder(running: Running) -> None:
    """Where socket and log go: a folder of the user's own in the workspace."""
    if not running.container.workspace:
        raise Ds01Error(
            BAD_WORKSPACE, f"{running.container.name} has no workspace, so nothing leads into it.",
            hint="ds01 launch makes containers with one.",
        )  # fmt: skip
    path = os.path.dirname(running.socket)
    if not os.path.lexists(path):
        os.mkdir(path, 0o700)
    if os.path.islink(path) or not os.path.isdir(path):
        raise Ds01Error(BAD_WORKSPACE, f"{path} is no folder.", hint="Move it away.")


def _ended_early(running: Running) -> Ds01Error:
    return Ds01Error(
        START_FAILED, f"{running.editor.title} ended as soon as it had begun.", reason=_last_words(running.log),
        hint=f"Its whole log: {running.log}",
    )  # fmt: skip


def _last_words(log: str) -> str:
    """The last lines of a log, without terminal control."""
    try:
        with open(os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
            lines = file.read(2000).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    shown = ["".join(letter for letter in line if letter.isprintable()) for line in lines if line.strip()]
    return "\n".join(shown[-4:])
