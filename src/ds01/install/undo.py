"""Taking DS01 off a server: its programs first, then every file as it was, then the engine on its own socket again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ds01.domain.errors import INSTALL_FAILED, Ds01Error
from ds01.install import files, system
from ds01.install.paths import GATEWAY, MANIFEST, RUN, UNITS, USUAL
from ds01.install.removal import Act, Removal, Step


class Attempts:
    """Steps that are tried whatever became of those before."""

    def __init__(self) -> None:
        self.failed: list[Ds01Error] = []

    def __call__(self, step: Callable[..., None], *words: str) -> None:
        """Try it."""
        try:
            step(*words)
        except Ds01Error as error:
            self.failed.append(error)
        except OSError as error:
            self.failed.append(Ds01Error(INSTALL_FAILED, f"{error.filename}: {error.strerror}."))

    @property
    def well(self) -> bool:
        """Whether nothing has failed so far."""
        return not self.failed

    def settle(self) -> None:
        """Raise Ds01Error for the first that failed. The rest is done, and what is not can be tried again."""
        if self.failed:
            first, again = self.failed[0].problem, Path(sys.executable).with_name("ds01")
            raise Ds01Error(
                first.kind, first.message, reason=first.reason, hint=f"Put that right, then: {again} uninstall"
            )


def remove(removal: Removal, say: Callable[[str], None], *, engine: bool = True) -> None:
    """Do it. What cannot be done does not keep the rest from being done; raises Ds01Error with the first at the end.

    ``engine``: it is started anew, because it runs as DS01 wanted it.
    """
    attempt = Attempts()
    say("stopping the gateway and ds01d")
    _stop(attempt)
    stopped = attempt.well
    say("putting files back")
    for step in removal.steps:
        attempt(partial(_do, step))
    attempt(system.run, "systemctl", "daemon-reload")
    if engine:
        say("restarting the engine on its own socket")
        attempt(partial(system.restart_engine, containerd=removal.containerd, engine=True))
        attempt(system.wait_for_engine, USUAL)
    clear(RUN, stopped=stopped)
    for name in removal.accounts:
        attempt(system.run, "userdel" if name == GATEWAY else "groupdel", name)
    attempt.settle()
    files.take(MANIFEST)


def _stop(attempt: Attempts) -> None:
    """The programs, and DS01's rules in the firewall: ds01d knows which they are."""
    for unit in reversed(UNITS):
        if _known(unit):
            attempt(system.run, "systemctl", "disable", "--quiet", "--now", unit)
    program = Path(sys.executable).with_name("ds01d")
    if program.exists():
        attempt(system.run, str(program), "--remove-fence")


def _do(step: Step) -> None:
    if step.aside and os.path.lexists(step.path):
        files.aside(step.path)
    if step.act is Act.REMOVE:
        files.take(step.path)
    elif step.act is Act.RESTORE and step.found is not None:
        files.put(step.path, step.found)


def _known(unit: str) -> bool:
    shown = subprocess.run(
        ["systemctl", "show", "--property=LoadState", "--value", unit], capture_output=True, text=True, check=False,
        env=system.environment(),
    )  # fmt: skip
    return shown.stdout.strip() == "loaded"


def clear(folder: str, *, stopped: bool) -> None:
    """Sockets and pinned folders. What is still mounted there is somebody's files, so nothing is deleted below it.

    Unless DS01 ``stopped``, all stays: it would go on mounting people's folders there meanwhile.
    """
    if not stopped:
        return
    for point in sorted(_mounted(folder), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False, env=system.environment())
    if not _mounted(folder):
        command = ["rm", "-rf", "--one-file-system", folder]
        subprocess.run(command, capture_output=True, check=False, env=system.environment())


def _mounted(folder: str) -> list[str]:
    table = os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).removesuffix("\n").split("\n")
    points = (line.split(" ")[4] for line in table)
    return [point for point in points if point.startswith(f"{folder}/")]
