"""Backing the ledger up and restoring it, by the commands that the how-to prints."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dev.people import Person

from ds01.client.admin import Admin
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

PAGE = (Path(__file__).resolve().parents[3] / "docs/howto/run-it.md").read_text(encoding="utf-8")
SECTION = re.split(r"^## ", PAGE[PAGE.index("## Back up, and restore") + 3 :], flags=re.MULTILINE)[0]
BACK_UP, NIGHTLY, RESTORE = re.findall(r"^```\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)

SUDO = '#!/bin/sh\nexec "$@"\n'
SYSTEMCTL = """\
#!/bin/sh
[ "$2" = ds01d ] || exit 1
case $1 in
stop)
  kill -TERM "$(cat pid)"
  while [ -e "/proc/$(cat pid)" ] && ! grep -q '^State:.Z' "/proc/$(cat pid)/status"; do sleep 0.05; done ;;
start)
  setsid sh -c 'echo $$ >pid; exec "$@"' sh COMMAND >>log 2>&1 </dev/null & ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A server on which ``sudo`` and ``systemctl`` are about one ds01d."""

    daemon: Daemon
    programs: Path

    def types(self, commands: str) -> None:
        """As printed, with this server's places."""
        own = commands.replace("/var/lib/ds01", str(self.daemon.ledger.parent)).replace("/root/", f"{self.programs}/")
        path = f"{self.programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
        environment = {"PATH": path, "DS01_SOCKET": str(self.daemon.socket), "HOME": str(self.programs)}
        ran = subprocess.run(
            ["sh", "-e", "-c", own], env=environment, cwd=self.programs, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr


@pytest.fixture
def machine(docker: Docker, folder: Path) -> Iterator[Machine]:
    daemon = Daemon(folder=folder, engine=docker.socket).start()
    assert daemon.process is not None
    programs = folder / "programs"
    programs.mkdir(mode=0o700)
    for name, text in (("sudo", SUDO), ("systemctl", SYSTEMCTL.replace("COMMAND", " ".join(daemon.command())))):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (programs / "pid").write_text(str(daemon.process.pid))
    yield Machine(daemon=daemon, programs=programs)
    if daemon.running:
        daemon.kill()
    last = int((programs / "pid").read_text())
    if Path(f"/proc/{last}").exists():
        os.kill(last, signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{last}").exists())
    docker.clear()


def test_the_printed_commands_back_up_and_restore(
    machine: Machine, persons: tuple[Person, Person], docker: Docker
) -> None:
    daemon, alice = machine.daemon, User(person=persons[0], daemon=machine.daemon)
    admin = Admin(str(daemon.socket))
    kept = alice.launch("kept")
    admin.announce("from before")
    machine.types(BACK_UP)
    copy = machine.programs / "ledger.bak"
    assert (copy.stat().st_uid, copy.stat().st_mode & 0o777) == (0, 0o600)

    admin.clear_announcement()
    later = alice.launch("later")
    machine.types(RESTORE)
    eventually(daemon.answers)

    assert admin.announcement().text == "from before"
    eventually(lambda: {each.name for each in alice.containers()} == {"kept", "later"})
    assert {each.name: each.state for each in alice.containers()} == {"kept": "running", "later": "running"}
    for container in (kept, later):
        assert docker.inspect(container.id)["State"]["Running"] is True
    gpus = [gpu for each in alice.containers() for gpu in each.gpus]
    assert sorted(gpus) == sorted([*kept.gpus, *later.gpus])
    record = {check.name: check.state for check in daemon.root().doctor().checks}["record"]
    assert record == "ok"
    assert (daemon.ledger.parent / "old/ledger.db").exists()


def test_the_nightly_script_makes_one_and_removes_what_is_old(machine: Machine) -> None:
    backups = machine.daemon.ledger.parent / "backups"
    machine.types(NIGHTLY)
    (first,) = backups.iterdir()
    os.utime(first, (0, 0))
    time.sleep(1.1)  # names have seconds
    machine.types(NIGHTLY)
    (second,) = backups.iterdir()
    assert second != first
    assert second.stat().st_uid == 0
