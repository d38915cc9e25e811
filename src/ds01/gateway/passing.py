"""Handing a request to the engine as its client wrote it: for an admin past the gateway, and while it only watches.

The head was read strictly and is written anew, so the connection to the engine carries this one request and ends with
it; what is in it is not judged.
"""

from __future__ import annotations

from ds01.gateway import relay
from ds01.gateway.http import Head, head_bytes
from ds01.gateway.stream import Stream, connect
from ds01.gateway.upstream import UnreachableError

_OURS = frozenset(
    {"host", "connection", "keep-alive", "proxy-connection", "upgrade", "te", "trailer", "content-length",
     "transfer-encoding", "http2-settings"}
)  # fmt: skip
"""What is said of the connection and the framing, and not of the request."""


async def pass_on(client: Stream, head: Head, engine: str, body: bytes | None = None) -> None:
    """Send it and relay what comes, until both are done. ``body`` is what was read of it already, all of it.

    Raises UnreachableError when the engine is not there; then nothing was answered.
    """
    try:
        upstream = await connect(engine)
    except OSError as error:
        raise UnreachableError("the engine") from error
    client.taken_within = None
    try:
        await upstream.write(_head(head, body) + (body or b""))
        await relay.raw(client, upstream)
    finally:
        upstream.abort()


def _head(head: Head, body: bytes | None) -> bytes:
    found = {name.title(): value for name, value in head.headers.items() if name not in _OURS}
    if body is not None:
        found.pop("Expect", None)
    found |= {"Host": "engine", **_framing(head, body)}
    found |= {"Connection": "Upgrade", "Upgrade": head.upgrade} if head.upgrade else {"Connection": "close"}
    return head_bytes(f"{head.method} {head.target} HTTP/1.1", found)


def _framing(head: Head, body: bytes | None) -> dict[str, str]:
    if body is not None:
        return {"Content-Length": str(len(body))}
    if head.framing.chunked:
        return {"Transfer-Encoding": "chunked"}
    if head.framing.length or head.method in ("POST", "PUT"):
        return {"Content-Length": str(head.framing.length)}
    return {}
