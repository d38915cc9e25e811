"""``POST /grpc``: BuildKit's own API, as buildx and compose speak it. Few methods, and a build is written anew.

Engines that keep a policy for sources are given one with every build. For older ones the Dockerfile is judged on its
way through the session instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from ds01.domain.dockerpolicy import cachelist, protobuf, sources, unjudged
from ds01.domain.dockerpolicy.buildstatus import plain_answer, plain_status
from ds01.domain.dockerpolicy.frontend import Marks
from ds01.domain.dockerpolicy.solve import Solve, judge_bridge_solve, judge_return, judge_solve
from ds01.domain.dockerpolicy.verdict import Change, RefusedError, malformed
from ds01.gateway import aside, flow
from ds01.gateway.call import Call
from ds01.gateway.h2 import grpc, link
from ds01.gateway.h2.grpc import Method, RefusedCallError
from ds01.gateway.h2.link import Link
from ds01.gateway.handlers.buildkit import judged
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.session import GRPC, accepted, both
from ds01.gateway.pace import Costly
from ds01.gateway.sessions import Session
from ds01.gateway.stream import Stream
from ds01.gateway.tickets import granted
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorAudit, DoorBuildGrant

G = TypeVar("G")
T = TypeVar("T")
Hold = Callable[[int], None]

BUILD_ID = "buildkit-controlapi-buildid"
CONTROL, BRIDGE = "/moby.buildkit.v1.Control/", "/moby.buildkit.v1.frontend.LLBBridge/"
ADVICE = {
    "denied by policy": "DS01: a build may use images that are yours or shared, and your own files (build.from). "
    "Get the image first: docker pull; fetch files with RUN."
}
ASKING_BYTES, STATUS_FIELDS = 64 * 1024, 8
"""The largest message that asks how a build goes, or about the cache: it has ids and filters. What the first has."""

HEADER_BYTES = 8 * 1024
"""Of a call that a user makes, counted as HTTP/2 does: it has a dozen short ones."""

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
REF_LENGTH = 128
REMEMBERED = 64
"""Builds of one connection of which it is known whether they were judged."""
PASSED = frozenset({f"{CONTROL}ListWorkers", f"{CONTROL}Info", "/grpc.health.v1.Health/Check"})
OF_A_BUILD = frozenset(f"{BRIDGE}{name}" for name in ("Ping", "ReadFile", "ReadDir", "StatFile", "Evaluate", "Warn"))


@dataclass(kw_only=True)
class Building:
    """A build of this connection's. ``images``: what it may be made from, by its user's names; ``arguments`` are known
    when its frontend is asked for.
    """

    marks: Marks
    images: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Judging:
    """A build of this connection's that may go on or be refused. ``asked``: for itself, and not only how it goes;
    ``over``: it was judged.
    """

    asked: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


async def api(call: Call) -> None:
    """A connection of BuildKit's API, for as long as both sides stay."""
    await call.nothing()
    if call.head.upgrade != "h2c":
        raise malformed("grpc.upgrade", "BuildKit's API is asked for with Upgrade: h2c")
    if not call.gate.facts.buildkit:
        await call.gate.facts.renew()
    if not call.gate.facts.buildkit:
        raise RefusedError("build.buildkit", "BuildKit cannot be used on this server",
                           "Build with DOCKER_BUILDKIT=0 in front of the command.")  # fmt: skip
    ask = Ask(method="POST", target=call.target("/grpc"), upgrade="h2c")
    with call.gate.sessions.speaking(call.user):
        await flow.upgrade(call, ask, lambda client, engine: _serve(call, client, engine))


async def _serve(call: Call, client: Stream, engine: Stream) -> None:
    far = Link(engine)
    talk = Talk(call, far)
    await both(Link(client, talk.accept, header_bytes=HEADER_BYTES), far, (client, engine))


class Talk:
    """One connection: what it has begun, it may speak of."""

    def __init__(self, call: Call, far: Link) -> None:
        self._call = call
        self._far = far
        self._builds: dict[str, Building] = {}
        self._judging: dict[str, Judging] = {}

    @property
    def _platform(self) -> str:
        return self._call.gate.facts.platform

    @property
    def _policed(self) -> bool:
        """Whether the engine keeps a policy for what a build is made from."""
        return self._call.gate.facts.version >= sources.OLDEST

    async def accept(self, near: link.Call) -> None:
        """One call."""

        async def serve(asked: Method) -> None:
            with self._call.gate.unfinished.taking(self._call.user.uid) as hold:
                await self._served(near, asked, hold)

        await accepted(self._call, near, "grpc.call", serve)

    async def _only(self, near: link.Call, hold: Hold, cap: int = grpc.MESSAGE_BYTES) -> bytes:
        """The one message of a call; ``hold`` counts it as the user's until the call is over. What comes of it has a
        turn of its own: many calls may have got their last byte at once.
        """
        message = await grpc.only(near, cap, hold)
        await self._call.client.turn()
        return message

    async def _judged(self, judge: Callable[[bytes, G], T], message: bytes, given: G) -> T:
        """What ``judge`` says of a message: of a long one beside everybody's requests."""
        return await aside.judged(self._call.owner, len(message), judge, message, given)

    def _allowed(self, path: str, rule: str, changes: Iterable[Change] = ()) -> None:
        call = self._call
        call.gate.audit.record(
            DoorAudit(uid=call.user.uid, login_uid=call.login_uid, method=GRPC, path=path, subject=call.subject,
                      outcome="allowed", rule=rule, changes=tuple(f"{each.rule}: {each.text}" for each in changes))
        )  # fmt: skip

    async def _served(self, near: link.Call, asked: Method, hold: Hold) -> None:
        if asked.path in PASSED:
            await grpc.relay(near, self._far, _headers(asked))
        elif asked.path == f"{CONTROL}Solve":
            await self._solve(near, asked, hold)
        elif asked.path == f"{CONTROL}Status":
            await self._status(near, asked, hold)
        elif asked.path in OF_A_BUILD:
            await self._building(asked)
            await grpc.relay(near, self._far, _headers(asked))
        elif asked.path == f"{BRIDGE}Solve":
            await self._bridge_solve(near, asked, hold)
        elif asked.path == f"{BRIDGE}Return":
            labels = (await self._building(asked)).marks.labels
            await self._again(near, asked, await self._judged(judge_return, await self._only(near, hold), labels))
        elif asked.path == f"{CONTROL}DiskUsage":
            mine = await self._cache()
            await self._again(
                near, asked, await self._only(near, hold, ASKING_BYTES), lambda answer: cachelist.own(answer, mine)
            )
        elif asked.path == f"{CONTROL}Prune":
            await self._prune(near, asked, hold)
        elif asked.path == TRACES:
            await grpc.refuse(near, grpc.Code.UNIMPLEMENTED, "traces are not taken here")
        else:
            raise RefusedError("grpc.method", f"{asked.path} is not served here")

    async def _building(self, asked: Method) -> Building:
        """The build a call is about; its client asks for the build and about it in the same moment."""
        wanted = asked.get(BUILD_ID)
        begun = await self._call.gate.sessions.begun(self._call.user, wanted)
        await self._call.client.turn()
        if not begun or wanted not in self._builds:
            raise RefusedCallError(grpc.Code.NOT_FOUND, "no such job")
        return self._builds[wanted]

    async def _again(
        self, near: link.Call, asked: Method, message: bytes, view: Callable[[bytes], bytes] | None = None
    ) -> None:
        await grpc.relay(near, self._far, _headers(asked), [grpc.framed(message)], closed=True, advice=ADVICE,
                         view=view)  # fmt: skip

    async def _status(self, near: link.Call, asked: Method, hold: Hold) -> None:
        message = await self._only(near, hold, ASKING_BYTES)
        found = protobuf.fields(message, STATUS_FIELDS)
        ref = protobuf.text(found, 1)
        if not await self._begun(ref):
            if not self._known(ref).asked:
                raise RefusedCallError(grpc.Code.NOT_FOUND, f"no such job {ref[:64]}")
            await near.send_headers([*grpc.ANSWER, *grpc.DONE], end=True)  # why it was refused is said there
            return
        await self._again(near, asked, protobuf.render([protobuf.of(1, ref)]), self._view(plain_status))

    async def _begun(self, ref: str) -> bool:
        """Whether this build goes on. A client asks for it and how it goes in the same moment, and shows whichever
        error comes first: so this is not said before the build was judged.
        """
        sessions, user, known = self._call.gate.sessions, self._call.user, self._known(ref)
        waiting = [asyncio.ensure_future(each) for each in (sessions.begun(user, ref), known.over.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if known.asked:
                await known.over.wait()
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await self._call.client.turn()
        return sessions.builds(user, ref)

    def _known(self, ref: str) -> Judging:
        ref = ref[:REF_LENGTH]
        while ref not in self._judging and len(self._judging) >= REMEMBERED:
            del self._judging[next(iter(self._judging))]
        return self._judging.setdefault(ref, Judging())

    async def _cache(self) -> frozenset[str]:
        await self._call.gate.pace.take(self._call.user.uid, Costly.MEASURE)
        return await self._call.gate.door.cache(self._call.user.uid)

    async def _prune(self, near: link.Call, asked: Method, hold: Hold) -> None:
        self._call.gate.audit.check_writable(frees=True)
        wanted = await self._only(near, hold, ASKING_BYTES)
        mine, unseen = await self._removable(whole=cachelist.is_whole(wanted))
        self._allowed(asked.path, "grpc.prune")
        if (message := cachelist.prune_of(wanted, mine | unseen)) is None:
            await near.send_headers([*grpc.ANSWER, *grpc.DONE], end=True)
        else:
            await self._again(near, asked, message, lambda answer: cachelist.untold(answer, unseen))

    async def _removable(self, *, whole: bool) -> tuple[frozenset[str], frozenset[str]]:
        """Her records, and those that go with the last of several who may have made them."""
        if not whole:
            return await self._cache(), frozenset()
        await self._call.gate.pace.take(self._call.user.uid, Costly.MEASURE)
        found = await self._call.gate.door.drop_cache(self._call.user.uid)
        return frozenset(found.ids), frozenset(found.unseen)

    async def _bridge_solve(self, near: link.Call, asked: Method, hold: Hold) -> None:
        building = await self._building(asked)
        solve = await self._judged(judge_bridge_solve, await self._only(near, hold), self._platform)
        if not self._policed:
            solve.frontend.check_unpoliced()
        building.arguments = solve.frontend.arguments
        if solve.frontend.changes:
            self._allowed(asked.path, "grpc.solve", solve.frontend.changes)
        await self._again(near, asked, solve.message(building.marks))

    async def _solve(self, near: link.Call, asked: Method, hold: Hold) -> None:
        """The connection may be older than a ledger that takes no more records, so that is asked for every build."""
        self._call.gate.audit.check_writable()
        message = await self._only(near, hold)
        found = await aside.judged(self._call.owner, len(message), protobuf.fields, message)
        judging = self._known(protobuf.text(found, 1))
        judging.asked = True
        try:
            solve = await self._judged(judge_solve, message, self._platform)
            if not self._policed:
                solve.frontend.check_unpoliced()
            await self._solved(near, asked, solve, judging)
        finally:
            judging.over.set()

    async def _solved(self, near: link.Call, asked: Method, solve: Solve, judging: Judging) -> None:
        call = self._call
        session = await call.gate.sessions.of(call.user, solve.session)
        with session.ended_by_refusal(), call.gate.counts.building(call.user.uid):
            async with granted(call, solve.refs, 0, buildkit=True) as (grant, settle):
                building = Building(marks=self._marks(grant), images=grant.images, arguments=solve.frontend.arguments)
                with ExitStack() as stack:
                    stack.enter_context(call.gate.sessions.building(call.user, solve.ref))
                    self._builds[solve.ref] = building
                    stack.callback(self._builds.pop, solve.ref)
                    judging.over.set()
                    self._allowed(asked.path, "grpc.solve", solve.frontend.changes)
                    policy = self._judged_by(stack, session, building)
                    message = solve.message(building.marks, policy, grant.names)
                    await grpc.relay(
                        near, self._far, _headers(asked), [grpc.framed(message)], closed=True,
                        settle=self._told(settle, asked.path), advice=ADVICE, view=self._view(plain_answer),
                    )  # fmt: skip

    def _told(self, settle: flow.Settle, path: str) -> flow.Settle:
        """The same; what may not stay after all is on the record."""

        async def told() -> None:
            try:
                await settle()
            except RefusedError as error:
                self._call.denied(error, method=GRPC, path=path)
                raise

        return told

    def _marks(self, grant: DoorBuildGrant) -> Marks:
        return Marks(labels=grant.labels, step_host=grant.step_host, account=self._call.user.account)

    def _view(self, change: Callable[[bytes, Callable[[str], str]], bytes]) -> Callable[[bytes], bytes] | None:
        """What the engine says with the names this user knows; nothing to do for who sees names as they are."""
        plain = view(self._call).text
        return None if self._call.user.admin else lambda message: change(message, plain)

    def _judged_by(self, stack: ExitStack, session: Session, building: Building) -> bytes | None:
        """Who judges what the build is made from: BuildKit by our policy, or we, its Dockerfile. Gives the policy, None
        for an engine without.
        """
        call = self._call

        async def rewrite(content: bytes) -> bytes:
            try:
                if not self._policed:
                    return await judged(call, building.arguments, building.images, content)
                await aside.judged(call.owner, len(content), unjudged.check, content, building.arguments)
            except RefusedError as error:
                call.denied(error, method=GRPC, path="Dockerfile")
                raise
            return content

        if self._policed:
            stack.enter_context(session.policed_by(rewrite))
            return sources.policy(building.images)
        stack.enter_context(session.judged_by(rewrite))
        return None


def _headers(asked: Method) -> link.Headers:
    return grpc.request(asked, keep=lambda name: name == BUILD_ID)
