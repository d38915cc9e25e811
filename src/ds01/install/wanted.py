"""Everything an installed DS01 has on a server, each thing with the reason for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ds01.install import engine_file, limits, texts, units
from ds01.install.machine import Machine, Wishes
from ds01.install.paths import ADMINS, DAEMON_JSON, DOCKER, ETC, GATEWAY, GUARD, LIMITS, PROGRAMS, STATE, SYSTEMD, USUAL

OBSERVE_DAYS = 3
"""From Friday to Monday."""


class Part(StrEnum):
    """What has to start anew when a thing changes."""

    NOTHING = ""
    CONTAINERD = "containerd.service"
    ENGINE = "docker.service"
    DS01D = "ds01d.service"
    SOCKET = "ds01-gateway.socket"
    GATEWAY = "ds01-gateway.service"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file (``text``), a link (``link``) or a folder.

    ``once``: it is the admin's as soon as it is there. ``stays``: also when DS01 goes. ``merged``: somebody else's
    file, with something of DS01's in it. ``spare``: something else of that name is left alone.
    """

    path: str
    why: str
    text: str = ""
    link: str = ""
    folder: bool = False
    mode: int = 0o644
    part: Part = Part.NOTHING
    once: bool = False
    stays: bool = False
    merged: bool = False
    spare: bool = False


@dataclass(frozen=True, kw_only=True)
class Account:
    """A Unix group, or with ``user`` an account with a group of its own."""

    name: str
    why: str
    user: bool = False


ACCOUNTS = (
    Account(name=GATEWAY, why="the gateway runs as it: it opens the engine's socket and owns nothing else", user=True),
    Account(name=ADMINS, why="who is in it is an admin of DS01"),
    Account(name=DOCKER, why="who is in it may use docker, and finds the gateway"),
)


def observe_days(machine: Machine, wishes: Wishes) -> int:
    """How long the gateway only watches: where people use Docker already, nobody is to be surprised on a weekend."""
    if wishes.observe_days is not None:
        return wishes.observe_days
    return OBSERVE_DAYS if machine.docker_users or _strangers(machine) else 0


def outside(machine: Machine, wishes: Wishes) -> str:
    """Whether containers that root makes beside DS01 start at all."""
    return wishes.outside or ("passed" if observe_days(machine, wishes) or _strangers(machine) else "refused")


def _strangers(machine: Machine) -> bool:
    return machine.engine is not None and any(not one.ours for one in machine.engine.containers)


def items(machine: Machine, wishes: Wishes, daemon_json: str | None) -> Iterator[Item]:
    """All of it, in the order in which it is written."""
    yield from _state(machine, wishes)
    yield from _units(machine)
    yield from _engine(machine, daemon_json)
    yield from _people(machine, wishes)


def _state(machine: Machine, wishes: Wishes) -> Iterator[Item]:
    yield Item(path=STATE, why="the ledger, the guard, what was here before", folder=True, mode=0o700, stays=True)
    yield Item(path=GUARD, why="the guard behind the engine", folder=True, mode=0o755, stays=True)
    for name in ("grants", "terminals", "builds"):
        yield Item(path=f"{GUARD}/{name}", why="what may start", folder=True, mode=0o700, stays=True)
    for path, text in machine.package.guard.items():
        mode = 0o755 if path.endswith("/runc") else 0o644
        yield Item(path=path, why="ds01-runc: nothing starts that DS01 did not grant", text=text, mode=mode, stays=True)
    known = {"data_root": machine.engine.data_root} if machine.engine else {}
    facts = json.dumps(json.loads(machine.first_facts) | known | {"outside": outside(machine, wishes)}, indent=1)
    yield Item(
        path=f"{GUARD}/server.json", why=f"what the guard knows; containers beside DS01 are {outside(machine, wishes)}",
        text=facts, mode=0o600, once=wishes.outside is None, stays=True,
    )  # fmt: skip
    days = observe_days(machine, wishes)
    watch = f"; for {days} days the gateway only watches" if days else ""
    yield Item(path=ETC, why="what the admin sets", folder=True, mode=0o755)
    yield Item(path=LIMITS, why=f"the first limits, from what this machine has{watch}",
               text=limits.first(machine, days), once=True)  # fmt: skip
    yield Item(path=texts.TMPFILES, why="the folders of the sockets, at every boot", text=texts.tmpfiles())


def _units(machine: Machine) -> Iterator[Item]:
    package = machine.package
    yield Item(path=f"{SYSTEMD}/ds01d.service", why="the daemon that decides", text=units.ds01d(package),
               part=Part.DS01D)  # fmt: skip
    yield Item(path=f"{SYSTEMD}/ds01-gateway.socket", why=f"{USUAL}: docker of everybody in the group {DOCKER}",
               text=units.gateway_socket(), part=Part.SOCKET)  # fmt: skip
    yield Item(path=f"{SYSTEMD}/ds01-gateway.service", why="the gateway, which answers there",
               text=units.gateway(package), part=Part.GATEWAY)  # fmt: skip


def _engine(machine: Machine, daemon_json: str | None) -> Iterator[Item]:
    version = machine.engine.version if machine.engine is not None else ""
    yield Item(path=units.DOCKER_SOCKET, why="the engine's socket moves to where only root and the gateway get",
               text=units.docker_socket(), part=Part.ENGINE)  # fmt: skip
    yield Item(path=units.DOCKER_SERVICE, why="the engine finds the guard where it looks for runc",
               text=units.guarded(), part=Part.ENGINE)  # fmt: skip
    if "containerd.service" in machine.units:
        yield Item(path=units.CONTAINERD_SERVICE, why="so does containerd", text=units.guarded(),
                   part=Part.CONTAINERD)  # fmt: skip
    yield Item(
        path=DAEMON_JSON, why="adds default-runtime and runtimes.ds01 (the guard), and builder.Entitlements (builds get"
        " nothing of the host); your keys stay", text=engine_file.merged(daemon_json, GUARD, version), part=Part.ENGINE,
        merged=True,
    )  # fmt: skip


def _people(machine: Machine, wishes: Wishes) -> Iterator[Item]:
    for name in wishes.programs:
        yield Item(path=f"{PROGRAMS}/{name}", why="the command line", link=f"{machine.package.bin}/{name}",
                   spare=name != "ds01")  # fmt: skip
    yield Item(path=texts.PROFILE, why="at login: what happened meanwhile; for root: where its docker is",
               text=texts.profile(machine.package))  # fmt: skip
    for shell, script in wishes.completions.items():
        yield Item(path=texts.COMPLETIONS[shell], why=f"Tab in {shell}", text=script)
