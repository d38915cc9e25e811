"""What must be right before anything is changed: one sentence for what is not, and what to do.

Everything is looked at before the first file is written, because half an installation is worse than none.
"""

from __future__ import annotations

from ds01.domain.engine_versions import OLDEST, gates
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, INSTALL_BLOCKED, Ds01Error
from ds01.install.machine import Engine, Machine, Wishes
from ds01.install.paths import DAEMON_JSON
from ds01.install.watching import MOST_DAYS

_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - none is written to
"""What the gateway's unit does not see."""
_OWN_OPTIONS = ("--default-runtime", "--add-runtime", "--cgroup-parent", "--userns-remap")
"""Options of the engine that DS01 sets in its file: it does not start when they are in both."""

_WITH_VALUE = "HGbglps"
"""Letters of the engine's that take a value: the rest of the word, or the next one. ``-DH`` is ``-D -H``."""


def check(machine: Machine) -> Engine:
    """Raises Ds01Error with the first thing that is in the way; otherwise the engine."""
    if not machine.root:
        raise Ds01Error(ADMIN_ONLY, "Only root may install DS01.", hint="sudo ds01 install")
    if not machine.systemd:
        raise _blocked("This machine was not started by systemd, which has to hold DS01's sockets.",
                       "To try DS01 without it, from a checkout: make run")  # fmt: skip
    _package(machine)
    if not machine.dockerd or not {"docker.service", "docker.socket"} <= machine.units:
        raise _blocked(
            "There is no Docker engine that systemd starts (docker.service and docker.socket).",
            "Install it: apt-get install docker.io, or docker-ce of docs.docker.com. One from snap will not do",
        )
    if machine.engine is None:
        raise _blocked("The Docker engine does not answer.", "systemctl start docker, and see: journalctl -u docker")
    _engine(machine.engine)
    if not machine.runc:
        raise _blocked("runc is not installed, so nothing could start a container.", "Install runc")
    if machine.runc_loose:
        raise _blocked(
            f"Others than root may change {machine.runc_loose}, and so runc, which starts every container as root.",
            f"Make it root's: chown root:root {machine.runc_loose}; chmod go-w {machine.runc_loose}",
        )
    return machine.engine


def days(wishes: Wishes) -> None:
    """Raises Ds01Error for a time of watching that nobody may have."""
    if wishes.observe_days is not None and not 0 <= wishes.observe_days <= MOST_DAYS:
        raise Ds01Error(
            BAD_REQUEST, f"--observe takes 0 to {MOST_DAYS} days, and not {wishes.observe_days}.",
            reason="Meanwhile users are as much root as they were before.", hint="ds01 install --observe 3",
        )  # fmt: skip


def _package(machine: Machine) -> None:
    package = machine.package
    todo = "Install it where it is root's and open to all: python3 -m venv /opt/ds01; /opt/ds01/bin/pip install ."
    if package.bin.startswith(_HIDDEN):
        raise _blocked(f"DS01 is in {package.bin}: the gateway sees no homes and no temporary folders.", todo)
    if package.closed:
        raise _blocked(f"DS01 is in {package.bin}, and others than root cannot enter {package.closed}.", todo)
    if package.loose:
        raise _blocked(f"Others than root may write to {package.loose}, where DS01's programs are.", todo)


def _engine(engine: Engine) -> None:
    if gates(engine.version, "").too_old:
        raise _blocked(f"Docker engine {engine.version} is older than {OLDEST}.", "Upgrade the engine")
    for own in _OWN_OPTIONS:
        if any(word.partition("=")[0] == own for word in engine.options):
            raise _blocked(f"The engine is started with {own}, which DS01 sets in its file.",
                           "Take it out of the engine's unit: systemctl cat docker")  # fmt: skip
    for file in _values(engine.options, "--config-file"):
        if file != DAEMON_JSON:
            raise _blocked(f"The engine reads {file or 'another file'}, and DS01 writes to {DAEMON_JSON}.",
                           "Take --config-file out of the engine's unit, and move its file there")  # fmt: skip
    hosts = _hosts(engine.options)
    if hosts != ["fd://"]:
        shown = " and ".join(hosts) or "no -H"
        raise _blocked(
            f"The engine is started with {shown}: DS01 moves its socket, so it must take it from systemd (-H fd://).",
            "Take other -H out of the engine's unit: systemctl cat docker",
        )


def _values(options: tuple[str, ...], name: str) -> list[str]:
    """What an option with a long name is given, each time it is."""
    words, found = iter(options), list[str]()
    for word in words:
        said, given, value = word.partition("=")
        if said == name:
            found.append(value if given else next(words, ""))
    return found


def _hosts(options: tuple[str, ...]) -> list[str]:
    """Every address that the engine listens on."""
    words, found = iter(options), list[str]()
    for word in words:
        name, given, value = _host(word)
        value = value if given else next(words, "") if name else ""
        found += [value] if name == "host" else []
    return found


def _host(word: str) -> tuple[str, bool, str]:
    """What this word sets: ``host``, something ``else`` or nothing; whether its value is in it, and that."""
    name, given, value = word.partition("=")
    if name == "--host":
        return "host", bool(given), value
    if word.startswith("--") or not word.startswith("-"):
        return "", False, ""
    at = next((at for at, letter in enumerate(word) if letter in _WITH_VALUE), 0)
    rest = word[at + 1 :]
    return ("host" if word[at] == "H" else "else" if at else ""), bool(rest), rest.removeprefix("=")


def _blocked(message: str, todo: str) -> Ds01Error:
    return Ds01Error(INSTALL_BLOCKED, message, hint=f"{todo}." if not todo.endswith(".") else todo)
