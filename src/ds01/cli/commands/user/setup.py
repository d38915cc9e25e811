"""``ds01 setup``: the first day. Checks what has to be there, offers what helps, and can be run again."""

from __future__ import annotations

import os

from ds01.cli import guided, laptop_key, show
from ds01.cli.call import Call
from ds01.cli.commands.project import init
from ds01.cli.commands.user.setup_help import COMMAND
from ds01.domain.errors import BAD_WORKSPACE, DAEMON_DOWN, NOT_ALLOWED, Ds01Error
from ds01.projects import file as project_file
from ds01.projects import kinds, scaffold
from ds01.projects.scaffold import Wish

START_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish"}
FOR_EVERYBODY = {
    "bash": "/etc/bash_completion.d/ds01",
    "zsh": "/usr/local/share/zsh/site-functions/_ds01",
    "fish": "/etc/fish/completions/ds01.fish",
}
"""Where an admin's installation has them: the same places as ``install.texts``, which is not for users to load."""
LINES = {
    "bash": "source <(ds01 completion bash)",
    "zsh": "source <(ds01 completion zsh)",
    "fish": "ds01 completion fish | source",
}


def run(call: Call, *, key: str | None, project: str | None, type_: str | None, completion: bool) -> int:
    """Look, then offer: the key, the project. From here to a shell it is three questions at most."""
    _look(call)
    given = {"--key": key or "", "--project": project or "", "--type": type_ or ""}
    answers, words = _asked(call, given)
    wanted = given | answers
    _key(call, wanted["--key"])
    _completion(call, wanted=completion)
    made = _project(call, wanted["--project"], wanted["--type"])
    if words:
        typed = [word for name, answer in given.items() if answer for word in (name, answer)]
        guided.say_plain("setup", [*typed, *(["--completion"] if completion else []), *words], call.talk)
    call.talk.next(f"ds01 launch {made}" if made else "ds01 init NAME", "ds01 help start")
    return 0


def _asked(call: Call, given: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The answers to what was not typed and is not there, and the words that say them; none where nobody can answer."""
    talk = call.talk
    if call.guided or talk.yes or talk.dry_run or not talk.somebody_there:
        return {}, []
    there = set[str]()
    if laptop_key.registered(call.home):
        there.add("--key")
    project = given["--project"]
    if (not project and project_file.names(call.home)) or (project and _is_there(call, project)):
        there |= {"--project", "--type"}
    open_ = [name for name, answer in given.items() if not answer and name not in there]
    return guided.questions(COMMAND, open_, talk, given={name for name, answer in given.items() if answer})


def _look(call: Call) -> None:
    talk = call.talk
    ping = call.client.ping()
    talk.done(f"ds01d {ping.version} knows you as {ping.login}.")
    if not ping.gateway or not os.path.exists(ping.gateway):
        raise Ds01Error(
            DAEMON_DOWN, "The gateway does not run, so you could not enter a container.", hint="ds01 doctor"
        )
    if not os.access(ping.gateway, os.R_OK | os.W_OK):
        raise Ds01Error(
            NOT_ALLOWED, f"You may not open {ping.gateway}, so you could not build or enter a container.",
            reason="It is open to a group that you are not in, or not yet in this session.",
            hint=f"Ask your admin for: sudo gpasswd -a {ping.login} docker (then log in anew)",
        )  # fmt: skip
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


def _key(call: Call, key: str) -> None:
    """The laptop's public key, so that ssh, VS Code and tunnels need no password."""
    talk = call.talk
    there = laptop_key.registered(call.home)
    if not key and there:
        talk.done(f"{show.count(there, 'key')} may log in as you: ssh asks for no password.")
        return
    if not key:
        talk.say(f"No key of your laptop is registered; later: ds01 setup --key 'ssh-ed25519 …'. {laptop_key.HOW}")
        return
    read = laptop_key.given(key)
    if talk.dry_run:
        talk.say(f"Would let the key {read.comment or read.kind} log in as you.")
    elif laptop_key.register(call.home, read):
        talk.done(f"The key {read.comment or read.kind} may log in as you: ssh asks for no password any more.")
    else:
        talk.done(f"The key {read.comment or read.kind} was registered already.")


def _completion(call: Call, *, wanted: bool) -> None:
    talk = call.talk
    shell = os.path.basename(os.environ.get("SHELL", ""))
    if shell not in LINES:
        return
    file = os.path.expanduser(START_FILES[shell])
    everybody = os.path.exists(FOR_EVERYBODY[shell])
    if everybody or (os.path.exists(file) and LINES[shell] in _read(file)):
        talk.done(f"Tab completes in {shell}.")
    elif talk.dry_run or not wanted:
        talk.say(f"Tab does not complete in {shell} yet; 'ds01 setup --completion' adds a line to {file}.")
    else:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "a", encoding="utf-8") as written:
            written.write(f"\n{LINES[shell]}\n")
        talk.done(f"Tab completes in {shell} from the next login.")


def _read(file: str) -> str:
    with open(file, encoding="utf-8", errors="replace") as opened:
        return opened.read()


def _project(call: Call, project: str, kind: str) -> str:
    """Make the first project, as ``ds01 init`` would; its name."""
    talk = call.talk
    there = project_file.names(call.home)
    if kind and (not project or _is_there(call, project)):
        talk.warn("--type is for a new project, and none is made.")
    if not project and there:
        talk.done(f"You have {show.count(len(there), 'project')}: {show.names(there)}.")
        return there[0]
    if not project:
        return ""
    if _is_there(call, project):
        talk.done(f"The project {project} is there.")
    elif talk.dry_run:
        talk.say(f"Would make the project {project}.")
    else:
        init.make(call, Wish(name=project, kind=scaffold.kind(kind or kinds.DEFAULT)))
    return project


def _is_there(call: Call, project: str) -> bool:
    return project_file.has_file(os.path.join(call.home, "workspace", project))
