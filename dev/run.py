"""``make run``: the whole product on this machine, ending in a shell in a container of an ordinary user.

Without a terminal the shell reads its commands from standard input, so that a script can try it too.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from dev import base, foreground, installation, people, programs
from dev.people import Person
from dev.stack import Stack, StackError
from ds01.domain.errors import Exit

PROJECT = "first-steps"
PACKAGES = ("numpy<3", "six>=1.15,<1.17")
NEWCOMER = "ds01-demo"


def main() -> int:
    """Everything up, one project, one image, one container, one shell; then everything down again."""
    try:
        with foreground.running() as stack:
            student = newcomer(stack)
            entered = _is_there(student)
            try:
                return _main_job(stack, student)
            finally:
                if not entered:
                    _retire(stack, student)
    except KeyboardInterrupt:
        _say("interrupted; your files stay where they are")
        return 130
    except (StackError, base.BaseError, installation.InstallationError) as error:
        _say(str(error))
        return 1


def newcomer(stack: Stack) -> Person:
    """Who tries it: whoever typed sudo, else an ordinary account made for this."""
    login = os.environ.get("SUDO_USER", "")
    if login in ("", "root") or not people.exists(login):
        login = NEWCOMER
        if people.make(login):
            _say(f"made the account {login}, an ordinary user; it stays, with its files")
    commands = Path(stack.python).parent
    path = f"{commands}:/usr/local/bin:/usr/bin:/bin"
    return people.person(login, DS01_SOCKET=stack.api, DOCKER_HOST=f"unix://{stack.door}", PATH=path)


def _is_there(student: Person) -> bool:
    """Whether the container was there before: somebody else's run, who is in it. It is entered, and left to them."""
    return bool(student.run("docker", "ps", "--quiet", "--filter", f"name=^/{PROJECT}$").out.strip())


def _main_job(stack: Stack, student: Person) -> int:
    _introduce(stack, student)
    folder = student.home / "workspace" / PROJECT
    if not folder.exists():
        _step(student, "ds01", "init", PROJECT, "--type", "blank", "--no-input")
        listed = [part for package in PACKAGES for part in ("--add", package)]
        _step(student, "ds01", "image", "update", PROJECT, *listed, "--yes")
    _step(student, "ds01", "launch", PROJECT, "--gpus", "1", "--background", "--yes")
    _say("")
    if sys.stdin.isatty():
        _say(f"$ ds01 launch {PROJECT}")
        _say("  (nvidia-smi shows your GPU; exit or Ctrl-D leaves, and retires the container)")
        _wait(student.start("ds01", "launch", PROJECT))
        return 0  # what was typed last in a shell is no failure of this
    _say(f"$ ds01 exec {PROJECT} -- bash")
    _say("  (no terminal here: commands come from standard input)")
    return _wait(student.start("ds01", "exec", PROJECT, "--", "bash"))


def _introduce(stack: Stack, student: Person) -> None:
    status = student.run("ds01", "status", "--json")
    if '"simulated_gpus": true' in status.out.replace('":true', '": true'):
        _say("")
        _say("*** SIMULATED GPUs: this machine has no NVIDIA GPU, so four are pretended. ***")
        _say("*** Nothing computes on them.                                              ***")
    _say("")
    _say(f"engine   {stack.engine}")
    _say(f"ds01d    {stack.api}")
    _say(f"gateway  {stack.door}")
    _say(f"logs     {stack.state / 'log'}")
    _say("")
    _say("The same user in another terminal, with ds01 and docker:")
    _say(f"  {as_user(student.login)} bash --rcfile {_settings(stack, student)}")
    _say("")
    _say(f"From here on as {student.login} (uid {student.uid}), an ordinary user:")


def as_user(login: str) -> str:
    """What begins a command line of root's that is run as somebody else, where there is no sudo either."""
    return f"sudo -u {login}" if shutil.which("sudo") else f"runuser -u {login} --"


def _settings(stack: Stack, student: Person) -> Path:
    """A file for a shell: it finds this stack and DS01's commands, and begins at home."""
    file = stack.state / "shell"
    there = [f"export {name}={shlex.quote(student.extra[name])}" for name in ("DS01_SOCKET", "DOCKER_HOST", "PATH")]
    file.write_text("\n".join([*there, "cd", ""]))
    return file


def _step(student: Person, *command: str) -> None:
    """One command of the main job, on this terminal. If it fails, its own words have said why."""
    _say(f"$ {shlex.join(command)}")
    began = time.monotonic()
    code = _wait(student.start(*command))
    if code != 0:
        raise StackError(f"{' '.join(command[:2])} ended with {code}")
    _say(f"  ({time.monotonic() - began:.1f} s)")


def _wait(process: subprocess.Popen[str]) -> int:
    """Wait for a program on our terminal. It gets Ctrl-C itself; when it has dealt with that, so do we."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        if not programs.until(lambda: process.poll() is not None, 10):
            process.send_signal(signal.SIGTERM)
            process.wait()
        raise


def _retire(stack: Stack, student: Person) -> None:
    """Leave no container behind; the project's folder stays."""
    done = student.run("ds01", "retire", PROJECT, "--yes")
    if done.code == 0:
        _say(f"retired {PROJECT}; the files stay in {student.home}/workspace/{PROJECT}")
    elif done.code != int(Exit.NOT_FOUND):
        _say(f"{PROJECT} was not retired: {done.err.strip()}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
