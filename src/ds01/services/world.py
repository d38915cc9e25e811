"""The world a service acts on: the ports of one server, handed in once by the daemon's wiring.

A service takes the world and the caller, loads, decides with the rules, writes, and acts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from ds01.domain.names import own_door
from ds01.domain.settings import Settings
from ds01.ports.channel import Channel
from ds01.ports.clock import Clock
from ds01.ports.devices import Devices
from ds01.ports.directory import Directory
from ds01.ports.engine import Engine
from ds01.ports.facts import HostFacts
from ds01.ports.fence import Fence
from ds01.ports.host import Host
from ds01.ports.ledger import Ledger
from ds01.ports.meters import Meters
from ds01.ports.policy import PolicyFile
from ds01.services.account_inside import AccountsInside
from ds01.services.booking.gate import Gate
from ds01.services.copies import Copies
from ds01.services.enforce.memory import Memory
from ds01.services.lifted import Lifted
from ds01.services.locks import Locks
from ds01.services.measured import Measured, Versions
from ds01.services.owed import Owed
from ds01.services.queue.line import Line
from ds01.services.shells import Shells
from ds01.services.tickets import Tickets

ROSTERS = 2
"""Rosters of classes that are looked up at once: each may name a thousand accounts, and a directory is slow."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where this server keeps its things. ``gateway`` is the gateway's socket, ``engine`` the engine's address."""

    state: Path
    run: Path
    limits: Path
    gateway: Path
    engine: str

    @property
    def lib(self) -> Path:
        """Read-only files that go into containers: the session script, stand-ins."""
        return self.run / "lib"

    @property
    def programs(self) -> tuple[str, str]:
        """The main programs of containers: of those one works in, and of jobs."""
        return str(self.lib / "session"), str(self.lib / "job")

    @property
    def doors(self) -> Path:
        """The folder of the gateway's sockets for users' containers."""
        return self.run / "u"

    def door_of(self, uid: int, epoch: int) -> str:
        """The gateway's socket for this account's containers, which knows her without asking who connects."""
        return str(self.doors / own_door(uid, epoch))


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything outside the rules. ``server`` is the machine's name, for people; ``cpus`` how many cores it has,
    ``version`` that of DS01, ``zone`` the one its clocks on the wall show.
    """

    engine: Engine
    devices: Devices
    ledger: Ledger
    directory: Directory
    host: Host
    facts: HostFacts
    fence: Fence
    clock: Clock
    policy: PolicyFile
    meters: Meters
    paths: Paths
    channels: tuple[Channel, ...] = ()
    zone: tzinfo = UTC
    server: str = "this server"
    cpus: int = 1
    version: str = ""
    locks: Locks = field(default_factory=Locks)
    copies: Copies = field(default_factory=Copies)
    looks: Locks = field(default_factory=Locks)
    """At what a container would lose: one at a time, because it may be a million files."""
    tickets: Tickets = field(default_factory=Tickets)
    owed: Owed = field(default_factory=Owed)
    line: Line = field(default_factory=Line)
    gate: Gate = field(default_factory=Gate)
    disk: Measured = field(default_factory=Measured)
    versions: Versions = field(default_factory=Versions)
    shells: Shells = field(default_factory=Shells)
    accounts: AccountsInside = field(default_factory=AccountsInside)
    memory: Memory = field(default_factory=Memory)
    lifted: Lifted = field(default_factory=Lifted)
    rosters: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ROSTERS))
    dividing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def settings(self) -> Settings:
        """The limits file in force now, with the exemptions that admins gave by word."""
        return self.lifted.over(self.policy.settings)
