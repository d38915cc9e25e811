"""A gateway between an engine and a ds01d that say what a test wants: for what real ones never do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ds01.gateway.audit import Audit
from ds01.gateway.call import Gate, Timeouts
from ds01.gateway.door import Door
from ds01.gateway.engine import EngineFacts
from ds01.gateway.identity import Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.owner import Owners
from ds01.gateway.pace import Pace
from ds01.gateway.registry import Registry
from ds01.gateway.serve import Server
from ds01.gateway.table import TABLE
from ds01.gateway.upstream import Upstream

UID = 1002
MINE = "b" * 64
TIMEOUTS = Timeouts()
TURNS = 20
"""Of the loop, in which connections that were closed are gone."""

PIECE = 64 * 1024
"""How much of an answer is written at a time: what is large waits until it is read."""


def plain(status: int, body: bytes = b"", *headers: str) -> bytes:
    """An answer, framed by its length."""
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def as_json(value: Any, status: int = 200) -> bytes:
    """An answer in JSON."""
    return plain(status, json.dumps(value).encode(), "Content-Type: application/json")


@dataclass(kw_only=True)
class Scripted:
    """A server that answers by the end of a request's path, and remembers what it was asked, and what it was told."""

    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    """The bodies of requests that have one."""
    after: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """What is answered otherwise from a request on, by the end of its path."""
    upon: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens before a request is answered, by the end of its path."""
    held: tuple[str, ...] = ()
    """Ends of paths whose answers never end by themselves."""
    open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    """The connections of those, for who has more to say on one."""
    stuck: dict[str, asyncio.Event] = field(default_factory=dict)
    """Ends of paths of which nothing but the head is read until then."""
    up: bool = True
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    async def listen(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def close(self) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            for end, until in self.stuck.items():
                if head.split(b" ")[1].decode().partition("?")[0].endswith(end):
                    reader._limit = 0  # type: ignore[attr-defined]
                    writer.transport.pause_reading()  # type: ignore[attr-defined]
                    await until.wait()
            if length := re.search(rb"\r\nContent-Length: ([1-9]\d*)\r\n", head):
                self.told.append(await reader.readexactly(int(length[1])))
        except asyncio.IncompleteReadError:
            writer.close()
            return
        method, path = head.split(b" ")[:2]
        self.asked.append(f"{method.decode()} {path.decode()}")
        bare = path.decode().partition("?")[0]
        found = next((answer for end, answer in self.answers.items() if bare.endswith(end)), plain(404, b"{}"))
        for end, answers in self.after.items():
            self.answers |= answers if bare.endswith(end) else {}
        for end, happens in self.upon.items():
            if bare.endswith(end):
                happens()
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(found) if self.up else 0, PIECE):
                writer.write(found[at : at + PIECE])
                await writer.drain()
        if bare.endswith(self.held):
            self.open.append((reader, writer))
            await self._closing.wait()
        writer.close()


REGISTRY = "\n".join(
    json.dumps(line)
    for line in (
        {"container": {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}},
        {"image": {"id": "sha256:1", "refs": {"bb:latest": "everybody"}}},
        {"ready": True},
        {},
    )
)


@dataclass(kw_only=True)
class Farm:
    """The gateway and its two neighbours. ``now`` is the registry's clock."""

    folder: Path
    registry: Registry = field(init=False)
    owners: Owners = field(default_factory=Owners)
    facts: EngineFacts = field(init=False)
    gate: Gate = field(init=False)
    engine: Scripted = field(default_factory=Scripted)
    daemon: Scripted = field(default_factory=Scripted)
    now: float = 1000.0
    audit: Audit = field(default_factory=lambda: Audit(Door("/nowhere")))
    local: dict[int, str] = field(default_factory=dict)
    """The accounts in the server's own files."""
    stop: Callable[[], Awaitable[None]] = field(init=False)
    """The gateway ends, and with it what goes on."""
    waited: list[float] = field(default_factory=list)
    """How long who asks too often was made to wait, in seconds of ``now``."""

    async def wait(self, seconds: float) -> None:
        """Time passes only when a test says so."""
        self.waited.append(seconds)

    @property
    def socket(self) -> Path:
        return self.folder / "g.sock"

    def may_pull(self) -> None:
        """Its user has room, and may pull from Docker's own registry."""
        user = {"uid": UID, "gid": UID, "login": "mallory", "admin": False, "registries": ["docker.io"]}
        self.daemon.answers |= {
            f"/door/users/{UID}": as_json(user), f"/users/{UID}/room": as_json({"left_bytes": None}),
            "/door/writes": as_json({"ticket": "t", "left_bytes": 10}), "/door/writes/commit": as_json([]),
        }  # fmt: skip

    def may_build(self) -> None:
        """Its user has room, and is granted what a build of the engine's own asks for."""
        numbers = ("cpu_period_us", "cpu_quota_us", "memory_bytes", "swap_bytes", "shm_bytes")
        grant = {"ticket": "t", "labels": {}, "cgroup_parent": "x", "network": "x", **dict.fromkeys(numbers, 1)}
        self.daemon.answers |= {
            "/room": as_json({"left_bytes": None}), "/door/builds": as_json(grant), "/builds/commit": as_json([]),
        }  # fmt: skip

    def may_copy(self, why_not: Mapping[str, Any] | None = None) -> None:
        """ds01d says whether files may be copied, and nothing more for as long as it is listened to."""
        line = json.dumps({"error": why_not}).encode() + b"\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.daemon.answers["/door/copies"] = head + b"%x\r\n%b\r\n" % (len(line), line)
        self.daemon.held = ("/door/copies",)

    async def send(self, data: bytes) -> bytes:
        """Send, and read everything until the gateway closes."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(data)
        found = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return found

    async def get(self, path: str) -> tuple[int, Any]:
        """One GET; status and JSON."""
        return await self.ask("GET", path)

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
        answer = await self.send(head.encode() + data)
        start, _, rest = answer.partition(b"\r\n\r\n")
        try:
            found = json.loads(rest)
        except ValueError:
            found = rest
        return int(start.split(b" ")[1]), found


@asynccontextmanager
async def farm(folder: Path, timeouts: Timeouts = TIMEOUTS) -> AsyncIterator[Farm]:
    """A farm whose ds01d knows one user and her one container."""
    made = Farm(folder=folder)
    made.daemon.answers = {
        "/door/registry": plain(200, REGISTRY.encode() + b"\n"),
        f"/door/users/{UID}": as_json({"uid": UID, "gid": UID, "login": "mallory", "admin": False}),
        "/door/audit": plain(204),
    }
    await made.engine.listen(folder / "e.sock")
    await made.daemon.listen(folder / "d.sock")
    upstream, door = Upstream(str(folder / "e.sock"), "the engine"), Door(str(folder / "d.sock"))
    registry = made.registry = Registry(door, lambda: made.now, lambda _: "mallory", made.local.get)
    made.audit, made.facts = Audit(door), EngineFacts(upstream, door)
    gate = made.gate = Gate(
        engine=upstream, door=door, registry=registry, audit=made.audit, facts=made.facts,
        pace=Pace(lambda: made.now, made.wait), timeouts=timeouts, owners=made.owners,
    )  # fmt: skip
    listener = Listener(Server(gate, TABLE), Presence(), lambda _: UID)
    made.stop = listener.close
    await registry.follow_once()
    await listener.listen(own_socket(made.socket))
    yield made
    await listener.close()
    await made.engine.close()
    await made.daemon.close()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert made.owners.buffered.held == 0
