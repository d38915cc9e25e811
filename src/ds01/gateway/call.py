"""One request on its way: who asked, what for, and every way to answer it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

from ds01.domain.dockerpolicy import strictjson, twice
from ds01.domain.dockerpolicy.case import Asker
from ds01.domain.dockerpolicy.query import Query, Rules, render
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change, RefusedError, absent
from ds01.domain.engine_versions import NEWEST_API
from ds01.gateway import aside, denied, shares, shownjson
from ds01.gateway import body as bodies
from ds01.gateway.audit import Audit
from ds01.gateway.containerlist import ContainerList
from ds01.gateway.counts import Counts
from ds01.gateway.door import Door
from ds01.gateway.ends import Ends
from ds01.gateway.engine import EngineFacts
from ds01.gateway.execs import Execs
from ds01.gateway.http import AnswerHead, Head, head_bytes, status_line
from ds01.gateway.owner import Owner, Owners
from ds01.gateway.pace import Pace
from ds01.gateway.registry import Registry
from ds01.gateway.routes import BodyKind, Route, check_path
from ds01.gateway.said import said
from ds01.gateway.sessions import Sessions
from ds01.gateway.shares import Shares
from ds01.gateway.stream import Stream
from ds01.gateway.unread import SHORT_ANSWER_BYTES
from ds01.gateway.upstream import Ask, Upstream, parsed, parsed_object
from ds01.wire.door import DoorAudit, DoorContainer, DoorUser

_PASSED = ("content-type", "x-docker-container-path-stat", "docker-content-digest")
_ENCODINGS = {BodyKind.NONE: ("identity",), BodyKind.JSON: ("identity",), BodyKind.STREAM: ("identity", "gzip")}
"""An archive tells by its first bytes whether it is compressed, whatever the header says."""
_SAID_AGAIN = ("Cannot kill container: ", "cannot kill container: ", " in container ", "No such container: ")
_DENIED_TYPES = ("application/x-www-form-urlencoded", "multipart/")

_NO_PARAMETERS = Rules()

SHORT_BODY_BYTES, TIMES = 8 * 1024, 8
"""A body that is not longer is not counted among the long ones; how much more memory its values take than it has bytes.
"""

LONG_BYTES = 32 * 1024
"""A body that is not longer is judged at once."""

P = ParamSpec("P")
T = TypeVar("T")


async def _no_own_socket(user: DoorUser) -> str:
    raise RefusedError("create.mounts.socket", f"There is no socket for {user.uid} here", status=503)


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a client may take: between two requests, for a head, for a body that is read whole, for the next piece
    of one that is passed on, to take anything of an answer that was made whole. Of a copy of files, which keeps its
    container from everybody, something must move in ``copied_seconds``, on either side. How long another answer takes,
    and a stream on which nothing is said, is not bounded here.
    """

    idle_seconds: float = 300
    head_seconds: float = 10
    body_seconds: float = 30
    stalled_seconds: float = 300
    unread_seconds: float = 60
    copied_seconds: float = 60


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What every request is served with."""

    engine: Upstream
    door: Door
    registry: Registry
    audit: Audit
    facts: EngineFacts
    own_socket: Callable[[DoorUser], Awaitable[str]] = field(default=_no_own_socket)
    """Serves a user's own socket, for her containers, and says where it is."""
    execs: Execs = field(default_factory=Execs)
    ends: Ends = field(default_factory=Ends)
    counts: Counts = field(default_factory=Counts)
    pace: Pace = field(default_factory=Pace)
    container_list: ContainerList = field(default_factory=ContainerList)
    sessions: Sessions = field(default_factory=Sessions)
    unpackings: Shares = field(default_factory=shares.unpackings)
    owners: Owners = field(default_factory=Owners)
    long_bodies: Shares = field(default_factory=shares.long_bodies)
    unfinished: Shares = field(default_factory=shares.unfinished)
    timeouts: Timeouts = Timeouts()

    def asked_by(self, uid: int) -> Gate:
        """The same, for one user."""
        return replace(self, engine=self.engine.asked_by(self.owners.of(uid)))


@dataclass(kw_only=True)
class Call:
    """A request. Handlers read it, ask the engine with requests of their own, and answer."""

    gate: Gate
    client: Stream
    user: DoorUser
    head: Head
    route: Route
    path: str
    names: Mapping[str, str]
    query: Query
    version: tuple[int, int]
    login_uid: int | None = None
    """Who logged in to the user's session, for the record."""
    keep: bool = True
    """Whether the connection may carry another request."""
    left: bool = False
    """Whether it was answered before its body was read to the end."""
    answered: bool = False
    status: int = 0
    """Of the answer, once it has begun."""
    began: float = field(default_factory=time.perf_counter)
    subject: str = ""
    """Id of the object, for the record."""
    changes: list[Change] = field(default_factory=list)
    read: bytes | None = None
    """The body, once all of it was read into memory."""
    _recorded: bool = False
    _length: int = 0
    """Bytes of the body that were read into memory."""
    _weight: int = 0
    """What was taken for them."""

    @property
    def asker(self) -> Asker:
        """The user, as the rules see her."""
        return Asker(uid=self.user.uid, gid=self.user.gid)

    @property
    def owner(self) -> Owner:
        """The user, with what all her requests have together."""
        return self.gate.owners.of(self.user.uid)

    def record(self, reason: str = "") -> None:
        """Put it on the record, once; nothing while the body that says which change is not there. ``reason``: why
        its end is not known.
        """
        unread = self.route.body is BodyKind.JSON and not self.head.framing.empty and self.read is None
        if self._recorded or unread or not self.route.recorded:
            return
        self._recorded = True
        self.gate.audit.record(
            DoorAudit(
                uid=self.user.uid, login_uid=self.login_uid, method=self.head.method, path=self.path,
                subject=self.subject, outcome="allowed", rule=self.route.name, reason=reason,
                changes=tuple(f"{change.rule}: {change.text}" for change in self.changes),
            ),
            status=self.status, ms=round((time.perf_counter() - self.began) * 1000, 1),
        )  # fmt: skip

    def denied(self, error: RefusedError, *, method: str = "", path: str = "") -> None:
        """Put a refusal on the record: of this request, or of a call within it."""
        self.gate.audit.record(
            denied.entry(error, uid=self.user.uid, login_uid=self.login_uid, method=method or self.head.method,
                         path=path or self.path, subject=self.subject)
        )  # fmt: skip

    # reading

    def check_body(self) -> None:
        """Refuse a body of a kind this route does not have, before reading any of it."""
        headers, framing, kind = self.head.headers, self.head.framing, self.route.body
        if headers.get("content-type", "").strip().lower().startswith(_DENIED_TYPES):
            raise RefusedError("body.type", "Forms are not read here", "Send JSON.", status=415)
        if "content-encoding" in headers and headers["content-encoding"] not in _ENCODINGS[kind]:
            raise RefusedError("body.encoding", "Compressed bodies are not read here", status=415)
        if kind is BodyKind.NONE and not framing.empty and not self._may_say_nothing():
            raise twice.takes_none()
        if kind is not BodyKind.STREAM:
            self._check_size()

    def _may_say_nothing(self) -> bool:
        """Some clients send an empty object, an empty chunked body, or the query again, where nothing is to say."""
        again = self.head.method == "POST" and bool(self.route.query.names)
        return again or self.head.framing.chunked or self.head.framing.length <= 4

    def _check_size(self) -> None:
        if self.head.framing.length > self.route.cap:
            raise bodies.too_large("body.size", self.route.cap)

    async def body(self) -> bytes:
        """The JSON body's bytes. Says ``100 Continue`` when the client waits for it."""
        if self.head.framing.empty:
            return b""
        await self.go_on()
        framing, cap = self.head.framing, self.route.cap
        self.read = bodies.at_hand(self.client, framing)
        if self.read is not None:
            self._weighs(len(self.read))
            return self.read
        try:
            async with asyncio.timeout(self.gate.timeouts.body_seconds):
                self.read = await bodies.whole(self.client, framing, cap, "body.size", coarse=True, take=self._weighs)
                return self.read
        except TimeoutError as error:
            raise RefusedError("body.slow", "The body took too long", status=408) from error

    def _weighs(self, size: int) -> None:
        """So much more of a body is here, until the request is over. Raises RefusedError."""
        self._length += size
        if self._length > SHORT_BODY_BYTES:
            more = self._length * TIMES - self._weight
            self.gate.long_bodies.take(self.user.uid, more)
            self._weight += more

    def over(self) -> None:
        """It was answered, or cannot be: nothing of it is here any more."""
        if self._weight:
            self.gate.long_bodies.give_back(self.user.uid, self._weight)
            self._weight = 0

    async def json(self, *, needed: bool = True) -> dict[str, Json]:
        """The body as an object, without what the query says as well; an empty one where none is ``needed``."""
        data = await self.body()
        empty = not needed and data.strip() in (b"", b"null")
        found = {} if empty else await self.judged(strictjson.parse_object, data)
        return twice.own(found, self.query, self.route.query)

    async def judged(self, judge: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``judge`` says of the body or what is in it: a long one is judged beside everybody's requests."""
        if self._length <= LONG_BYTES:
            return judge(*args, **kwargs)
        return await aside.judged(self.owner, self._length, judge, *args, **kwargs)

    async def nothing(self, *, again: bool = True) -> None:
        """Read the body of a request that takes none; ``again``: a POST's may say what the query says."""
        self._check_size()
        data = await self.body()
        parameters = self.route.query if again and self.head.method == "POST" else _NO_PARAMETERS
        await self.judged(twice.check_none, data, parameters)

    async def go_on(self) -> None:
        """Tell a client that waits that its body is wanted."""
        if "expect" in self.head.headers:
            await self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def leave(self) -> None:
        """It is answered now, whatever of its body is still to come: the connection ends with it."""
        self.keep, self.left = False, True

    # asking the engine

    def target(self, path: str, values: Mapping[str, Sequence[str]] | None = None,
               filters: Mapping[str, Sequence[str]] | None = None, *,
               newest: tuple[int, int] = NEWEST_API) -> str:  # fmt: skip
        """A target of ours, in the version the client speaks, or ``newest`` where hers is newer. A path that is not
        plain is a mistake of ours.
        """
        check_path(path)
        major, minor = min(self.version, newest)
        return f"/v{major}.{minor}{path}{render(values or {}, filters)}"

    async def container(self) -> DoorContainer:
        """The container in the path, the user's own."""
        found = await self.gate.registry.container(self.user, self.names["container"])
        self.subject = found.id
        return found

    async def engine_container(self, container_id: str) -> dict[str, Any]:
        """A container as the engine has it. Raises AbsentError."""
        head, data = await self.gate.engine.whole(
            Ask(method="GET", target=self.target(f"/containers/{container_id}/json"))
        )
        if head.status != 200:
            raise absent("container", container_id)
        return parsed_object(data)

    # answering

    async def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer."""
        found = {"Server": "ds01-gateway", **(headers or {})}
        if status not in (204, 304):
            found["Content-Length"] = str(len(body))
        if not self.keep:
            found["Connection"] = "close"
        self.answered, self.status = True, status
        begin, sent = head_bytes(status_line(status), found), b"" if self.head.method == "HEAD" else body
        if len(sent) > SHORT_ANSWER_BYTES:
            with self.owner.unread.keeping(len(sent)):
                await self.client.write_out((begin, sent))
        else:
            await self.client.write(begin + sent)

    async def answer_json(self, status: int, value: Json) -> None:
        """A whole answer in JSON."""
        data = shownjson.write(value) + b"\n"
        del value
        await self.answer(status, data, {"Content-Type": "application/json"})

    async def pass_whole(self, ask: Ask, view: Callable[[Json], Json] | None = None) -> int:
        """Ask the engine and pass its answer, read whole; ``view`` rewrites a JSON answer. Returns the status."""
        return await self.pass_answer(*await self.gate.engine.whole(ask), view)

    async def pass_answer(self, head: AnswerHead, data: bytes, view: Callable[[Json], Json] | None = None) -> int:
        """Pass an answer that was read whole; what it was made of is not kept until it is read. Returns the status."""
        if head.status >= 400:
            await self.answer_error(head.status, data)
        elif view is not None:
            data = shownjson.write(view(parsed(data))) + b"\n"
            await self.answer(head.status, data, {"Content-Type": "application/json"})
        else:
            await self.answer(head.status, data, passed_headers(head))
        return head.status

    async def answer_error(self, status: int, data: bytes) -> None:
        """The engine's refusal, with the names its user knows."""
        await self.answer_json(status, self.refusal(data))

    def refusal(self, data: bytes) -> Json:
        """The engine's refusal, as its user reads it: where the engine says again what it was asked about, her word."""
        text = error_text(data)
        if self.subject and "container" in self.names:
            for before in _SAID_AGAIN:
                text = text.replace(f"{before}{self.subject}", f"{before}{self.names['container']}", 1)
        return {"message": self.shown(text)}

    def shown(self, text: str) -> str:
        """A text of the engine, without what only the engine knows."""
        return said(self.gate.registry, self.user, text, self.names.values())


def error_text(data: bytes) -> str:
    """The sentence in the engine's refusal."""
    try:
        found = json.loads(data)
    except ValueError:
        return "the engine refused without a reason"
    message = found.get("message") if isinstance(found, dict) else None
    return message if isinstance(message, str) else "the engine refused without a reason"


def passed_headers(head: AnswerHead) -> dict[str, str]:
    """The few headers of an answer that clients need."""
    return {name.title(): head.headers[name] for name in _PASSED if name in head.headers}
