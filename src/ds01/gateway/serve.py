"""One connection: request after request, each judged as its own; whatever goes wrong ends in a closed connection."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from ds01.domain.dockerpolicy import query
from ds01.domain.dockerpolicy.verdict import RefusedError, not_allowed
from ds01.gateway import denied, nobodys
from ds01.gateway.call import Call, Gate
from ds01.gateway.held import DoorDownError
from ds01.gateway.http import Head, TooSlowError, read_request
from ds01.gateway.identity import Peer
from ds01.gateway.passing import pass_on
from ds01.gateway.routes import BodyKind, Route, Table, check_version, target
from ds01.gateway.rows import NoListError
from ds01.gateway.stream import Stream
from ds01.gateway.upstream import Ask, UpstreamError
from ds01.wire.door import DoorUser

LINGER_SECONDS = 2
LINGER_BYTES = 32 * 1024 * 1024
_NEVER_WATCHED = ("identity.", "connections.", "http.", "body.", "registry.", "ds01d.", "audit.", "engine.", "internal")
"""Refusals that are no policy: who asks is not known, the request cannot be read, something is away."""
_LOG = structlog.get_logger("ds01.gateway")


class Server:
    """Serves connections with one table of routes."""

    def __init__(self, gate: Gate, table: Table, *, may_watch: bool = False) -> None:
        """``may_watch``: whether refusals are only written down here while the admin wants it so."""
        self._gate = gate
        self._table = table
        self._may_watch = may_watch
        self._gates: dict[int, Gate] = {}

    async def serve(self, client: Stream, peer: Peer) -> None:
        """All requests of one connection. Its identity was fixed when it was made.

        A client may send thousands at once: each waits for its turn.
        """
        try:
            client.belongs_to(self._gate.owners.of(peer.uid))
            client.taken_within = self._gate.timeouts.unread_seconds
            while True:
                if client.holding:
                    await client.turn()
                if not await self._one(client, peer):
                    break
            await client.emptied()
        except (ConnectionError, TooSlowError):
            client.abort()
        finally:
            client.close()

    async def _one(self, client: Stream, peer: Peer) -> bool:
        """One request; False when the connection is done."""
        try:
            timeouts = self._gate.timeouts
            head = await read_request(client, timeouts.idle_seconds, timeouts.head_seconds)
        except RefusedError as error:
            self._record(peer, None, "", "", error)
            await refuse_plainly(client, error)
            return False
        if head is None:
            return False
        return await self._judged(client, peer, head)

    async def _judged(self, client: Stream, peer: Peer, head: Head) -> bool:
        call: Call | None = None
        try:
            call = await self._call(client, peer, head)
            await self._handle(call)
        except RefusedError as error:
            await client.turn()
            if await self._watches(peer.uid, call, error):
                return await self._watched(client, peer, head, call, error)
            error = await nobodys.explained(call, error)
            self._refused(peer, head, call, error)
            return await _answer_refusal(client, head, call, error)
        except DoorDownError as error:
            _LOG.warning("ds01d.unreachable", reason=str(error))
            return await _answer_refusal(client, head, call, denied.away(error))
        except UpstreamError as error:
            return await _answer_refusal(client, head, call, denied.away(error))
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001  a mistake of ours ends in a refusal, whatever it is
            _LOG.exception("internal", method=head.method, target=head.target[:200], uid=peer.uid)
            broken = denied.mistaken()
            self._refused(peer, head, call, broken)
            return await _answer_refusal(client, head, call, broken)
        finally:
            if call is not None:
                call.over()
        if call.left:
            await client.emptied()
            await _linger(client)
        return call.keep and call.answered

    async def _watches(self, uid: int, call: Call | None, error: RefusedError) -> bool:
        """Whether this refusal is only written down. What was read of the request must be there to be passed on."""
        if not self._may_watch or uid == 0 or error.rule.startswith(_NEVER_WATCHED):
            return False
        if call is not None and (call.answered or call.route.body is BodyKind.STREAM):
            return False
        try:
            user = await self._gate.registry.people.user(uid)
        except (RefusedError, DoorDownError):
            return False
        return user is not None and user.observed

    async def _watched(self, client: Stream, peer: Peer, head: Head, call: Call | None, error: RefusedError) -> bool:
        self._refused(peer, head, call, error, "observed")
        try:
            await pass_on(client, head, self._gate.engine.path, call.read if call else None)
        except UpstreamError as away:
            return await _answer_refusal(client, head, call, denied.away(away))
        return False

    async def _user(self, peer: Peer, route: Route) -> DoorUser:
        uid = peer.uid
        if route.open:
            return DoorUser(uid=uid, gid=uid, login="", admin=False)
        if uid == 0:
            raise RefusedError(
                "identity.root",
                "root does not use the gateway",
                f"Use docker -H unix://{self._gate.engine.path}, or an ordinary account.",
            )
        await self._gate.registry.check()
        user = await self._gate.registry.people.user(uid, peer.since)
        if user is None:
            raise RefusedError("identity.unknown", f"Nobody here has the uid {uid}",
                               f"Tell your admin, who may look: getent passwd {uid}.")  # fmt: skip
        if peer.account not in ("", user.account):
            raise RefusedError("identity.former", f"This socket is of the account that had the uid {uid} before",
                               "What that account left is set aside for the admin.")  # fmt: skip
        return user

    async def _call(self, client: Stream, peer: Peer, head: Head) -> Call:
        where = target(head.target)
        route, names = self._table.find(head.method, where.path)
        if route.refusal is not None:
            raise not_allowed(route.refusal.rule, route.refusal.what, route.refusal.advice)
        user = await self._user(peer, route)
        call = Call(
            gate=self._asked_by(user.uid), client=client, user=user, head=head, route=route, path=where.path,
            names=names, login_uid=peer.login_uid,
            query=query.judge(where.query, route.query, body=route.body is BodyKind.JSON),
            version=await self._version(where.version), keep=not head.close,
        )  # fmt: skip
        call.check_body()
        if route.recorded:
            self._gate.audit.check_writable(frees=route.frees)
        return call

    def _asked_by(self, uid: int) -> Gate:
        gate = self._gates.get(uid)
        if gate is None:
            gate = self._gates[uid] = self._gate.asked_by(uid)
        return gate

    async def _version(self, asked: tuple[int, int] | None) -> tuple[int, int]:
        """The version to speak. A client that cannot ask an engine that is away speaks its newest: then that is no
        reason. Nor is what the engine spoke before.
        """
        if asked is not None and asked > self._gate.facts.api:
            await self._gate.engine.whole(Ask(method="GET", target="/_ping"))
            await self._gate.facts.renew()
        return check_version(asked, self._gate.facts.api)

    async def _handle(self, call: Call) -> None:
        """Let the route's handler answer. It is recorded however it ends: neither who leaves, nor an engine or a ds01d
        that goes away, nor a mistake of ours undoes what was asked of the engine by then.
        """
        try:
            await _answered(call)
        except (ConnectionError, asyncio.CancelledError):
            call.record("the connection ended before the answer")
            raise
        except UpstreamError as error:
            call.record(error.sentence)
            raise
        except DoorDownError:
            call.record("ds01d did not answer")
            raise
        except RefusedError:
            raise
        except Exception:
            call.record("a mistake of DS01's broke it off")
            raise
        call.record()

    def _refused(
        self, peer: Peer, head: Head, call: Call | None, error: RefusedError, outcome: str = "denied"
    ) -> None:  # fmt: skip
        """With what is known of it by now."""
        path, subject = (call.path, call.subject) if call else (head.target, "")
        self._record(peer, head, path, subject, error, outcome)

    def _record(
        self, peer: Peer, head: Head | None, path: str, subject: str, error: RefusedError, outcome: str = "denied"
    ) -> None:
        self._gate.audit.record(
            denied.entry(error, uid=peer.uid, login_uid=peer.login_uid, method=head.method if head else "",
                         path=path[:200], subject=subject, outcome=outcome)
        )  # fmt: skip


async def _answered(call: Call) -> None:
    """Let the route's handler answer. Why the engine gives no list that it needs is told in the engine's words."""
    try:
        await call.route.handler(call)
    except NoListError as error:
        if call.answered:
            raise
        await call.answer_error(*error.said)


async def _answer_refusal(client: Stream, head: Head, call: Call | None, error: RefusedError) -> bool:
    """Say no, when nothing was said yet. The connection goes on only when the whole request was read."""
    if call is not None and call.answered:
        client.abort()
        return False
    keep = head.framing.empty and not head.close and not head.upgrade
    await client.write(denied.answer(error, keep=keep, bare=head.method == "HEAD"))
    if not keep:
        await _linger(client)
    return keep


async def refuse_plainly(client: Stream, error: RefusedError) -> None:
    """Say no on a connection that ends with it."""
    await client.write(denied.answer(error))
    await _linger(client)


async def _linger(client: Stream) -> None:
    """Read on for a moment: a client that is still sending would not see the answer otherwise."""
    client.write_eof()
    read = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while read < LINGER_BYTES and (chunk := await client.read()):
                read += len(chunk)
