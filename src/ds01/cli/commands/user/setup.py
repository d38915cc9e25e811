"""``ds01 setup``: the first day. Checks what has to be there, offers what helps, and can be run again."""

from __future__ import annotations

import os

from ds01.cli.call import Call
from ds01.cli.commands.project import init
from ds01.cli.reads import name as project_name
from ds01.domain.errors import BAD_WORKSPACE, DAEMON_DOWN, Ds01Error

START_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish"}
LINES = {
    "bash": "source <(ds01 completion bash)",
    "zsh": "source <(ds01 completion zsh)",
    "fish": "ds01 completion fish | source",
}


def run(call: Call, *, project: str | None, completion: bool) -> int:
    """Look, then offer."""
    _look(call)
    _completion(call, wanted=completion)
    made = _project(call, project)
    call.talk.next(f"ds01 launch {made}" if made else "ds01 init NAME", "ds01 help start")
    return 0


def _look(call: Call) -> None:
    talk = call.talk
    ping = call.client.ping()
    talk.done(f"ds01d {ping.version} knows you as {ping.login}.")
    if not ping.gateway or not os.path.exists(ping.gateway):
        raise Ds01Error(
            DAEMON_DOWN, "The gateway does not run, so you could not enter a container.", hint="ds01 doctor"
        )
    talk.done("The gateway is there: docker, VS Code and compose find it, too.")
    folder = os.path.join(call.home, "workspace")
    _workspace(call, folder)
    usage = ", ".join(f"{use.used} of {use.limit} {use.what}" for use in call.client.status().usage)
    talk.done(f"You use {usage}.")
    if ping.simulated_gpus:
        talk.warn("The GPUs of this server are simulated: nothing computes on them.")


def _workspace(call: Call, folder: str) -> None:
    if not call.talk.dry_run:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise Ds01Error(
                BAD_WORKSPACE, f"{folder} cannot be made.", reason=f"{error.strerror}.", hint=f"ls -ld {call.home}"
            ) from error
    if os.path.isdir(folder) and not os.access(folder, os.W_OK | os.X_OK):
        raise Ds01Error(BAD_WORKSPACE, f"You may not write in {folder}.", hint=f"ls -ld {folder}")
    call.talk.done(f"Your files live in {folder}.")


def _completion(call: Call, *, wanted: bool) -> None:
    talk = call.talk
    shell = os.path.basename(os.environ.get("SHELL", ""))
    if shell not in LINES:
        return
    file = os.path.expanduser(START_FILES[shell])
    if os.path.exists(file) and LINES[shell] in _read(file):
        talk.done(f"Tab completes in {shell}.")
        return
    if talk.dry_run:
        talk.say(f"Tab does not complete in {shell} yet; --completion would add a line to {file}.")
        return
    asked = talk.somebody_there and not talk.yes
    if wanted or (asked and talk.confirm(f"Let Tab complete in {shell} (adds a line to {file})?", default=True)):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "a", encoding="utf-8") as written:
            written.write(f"\n{LINES[shell]}\n")
        talk.done(f"Tab completes in {shell} from the next login.")


def _read(file: str) -> str:
    with open(file, encoding="utf-8", errors="replace") as opened:
        return opened.read()


def _project(call: Call, project: str | None) -> str:
    """Make the first project, as ``ds01 init`` would; its name."""
    talk = call.talk
    if project is None and talk.somebody_there and not talk.yes and not talk.dry_run:
        project = talk.ask("A first project? Its name (empty: later):", flag="--project", check=_name_or_nothing)
    if not project:
        return ""
    if os.path.exists(os.path.join(call.home, "workspace", project, "ds01.toml")):
        talk.done(f"The project {project} is there.")
        return project
    if talk.dry_run:
        talk.say(f"Would make the project {project}.")
        return project
    init.run(call, name=project, type_=None, blank=False, desc=None, base=None, lean=False, git=False)
    return project


def _name_or_nothing(text: str) -> str:
    return project_name(text) if text else ""
