"""The way past the gateway for admins: the engine as it is, each request written down with the reason, as is who was
turned away.

Who may use it ds01d says anew for every request: an admin who opened it for herself a while ago. Nothing of the policy
holds here, so nothing but an admin's uid on the host gets in; root has the engine's own socket.
"""

from __future__ import annotations

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import denied
from ds01.gateway.call import Gate
from ds01.gateway.held import DoorDownError
from ds01.gateway.http import Head, TooSlowError, read_request
from ds01.gateway.identity import Peer
from ds01.gateway.ongoing import while_there
from ds01.gateway.passing import pass_on
from ds01.gateway.serve import refuse_plainly
from ds01.gateway.stream import Stream
from ds01.gateway.upstream import UpstreamError
from ds01.wire.door import DoorAudit, DoorUser

_LOG = structlog.get_logger("ds01.gateway.glass")


class Glass:
    """Serves connections to the engine itself."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def serve(self, client: Stream, peer: Peer) -> None:
        """One request; the connection ends with it."""
        try:
            await self._one(client, peer)
        except (ConnectionError, TooSlowError):
            client.abort()
        finally:
            client.close()

    async def _one(self, client: Stream, peer: Peer) -> None:
        head: Head | None = None
        try:
            timeouts = self._gate.timeouts
            head = await read_request(client, timeouts.idle_seconds, timeouts.head_seconds)
            if head is None:
                return
            user = await self._admitted(peer, head)
        except RefusedError as error:
            await self._refuse(client, peer, head, error)
        except (ConnectionError, TooSlowError):
            raise
        except Exception:  # noqa: BLE001  a mistake of ours ends in a refusal, whatever it is
            _LOG.exception("internal", method=head.method if head else "", uid=peer.uid)
            await self._refuse(client, peer, head, denied.mistaken())
        else:
            await self._pass(client, head, user)

    async def _refuse(self, client: Stream, peer: Peer, head: Head | None, error: RefusedError) -> None:
        self._denied(peer, head, error)
        await refuse_plainly(client, error)

    def _denied(self, peer: Peer, head: Head | None, error: RefusedError) -> None:
        method, path = (head.method, head.target[:200]) if head is not None else ("", "")
        self._gate.audit.record(
            denied.entry(error, uid=peer.uid, login_uid=peer.login_uid, method=method, path=path, subject="")
        )

    async def _admitted(self, peer: Peer, head: Head) -> DoorUser:
        """Who may pass, which is on the record then. Raises RefusedError."""
        user = await self._admin(peer.uid)
        self._gate.audit.check_writable()
        self._gate.audit.record(
            DoorAudit(uid=peer.uid, login_uid=peer.login_uid, method=head.method, path=head.target[:200], subject="",
                      outcome="glass", rule="glass", reason=user.glass)
        )  # fmt: skip
        return user

    async def _pass(self, client: Stream, head: Head, user: DoorUser) -> None:
        try:
            with self._gate.registry.people.ongoing.going(user, "") as going:
                await while_there(going.over, pass_on(client, head, self._gate.engine.path))
        except UpstreamError as error:
            await refuse_plainly(client, denied.away(error))

    async def _admin(self, uid: int) -> DoorUser:
        """Who may, and why. Raises RefusedError when she may not, also when nobody can say so."""
        if uid == 0:
            raise RefusedError("identity.root", "root does not use the gateway", "Use the engine's own socket.")
        try:
            user = await self._gate.door.user(uid)
        except DoorDownError as error:
            raise denied.away(error) from error
        if user is None or not user.admin:
            raise RefusedError("glass.admin", "This way to the engine is for admins", "Use the usual socket.")
        if not user.glass:
            raise RefusedError(
                "glass.closed", "This way to the engine is closed",
                'Open it with a reason: ds01 admin door open "what is to be mended".',
            )  # fmt: skip
        return user
