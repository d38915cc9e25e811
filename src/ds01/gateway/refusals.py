"""Requests of the Docker API that are known and refused, each with its own sentence.

A request nobody thought of is refused as well; these say why, and what to do instead.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import not_allowed
from ds01.gateway.call import Call
from ds01.gateway.routes import CONTAINER, BodyKind, Refusal, Route

_OLD = "Use docker cp."
_PLUGINS = Refusal(rule="plugins", what="managing plugins, which run as root on this server,")
_CHECKPOINTS = Refusal(rule="checkpoints", what="freezing a container into files of the server")

_REFUSED: tuple[tuple[str, str, Refusal], ...] = (
    ("GET POST", r"/debug(?:/[^?]*)?", Refusal(rule="debug", what="looking into the engine itself")),
    ("GET POST DELETE", rf"/containers/{CONTAINER}/checkpoints(?:/[^?]*)?", _CHECKPOINTS),
    ("POST", rf"/containers/{CONTAINER}/copy", Refusal(rule="copy", what="the old way of copying files", advice=_OLD)),
    ("PUT", r"/volumes/[^?]*", Refusal(rule="volumes.cluster", what="changing a volume of a swarm")),
    ("GET", r"/plugins/privileges", _PLUGINS),
    ("POST DELETE", r"/plugins/[^?]*", _PLUGINS),
)  # fmt: skip


async def _never(call: Call) -> None:
    """A refused route is never handled; if it were, it would be refused here."""
    assert call.route.refusal is not None
    raise not_allowed(call.route.refusal.rule, call.route.refusal.what, call.route.refusal.advice)


REFUSALS: tuple[Route, ...] = tuple(
    Route(name=refusal.rule, method=method, path=path, handler=_never, body=BodyKind.STREAM, refusal=refusal)
    for methods, path, refusal in _REFUSED
    for method in methods.split()
)
