"""``DELETE /containers/{id}/{alias}?link=1``: the link goes, both containers stay."""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import absent
from ds01.domain.names import user_network
from ds01.gateway.call import Call
from ds01.gateway.endpoints import reconnect


async def unlink(call: Call) -> None:
    """Take a link off the endpoint on her own network."""
    await call.nothing()
    path = f"{call.names['container']}/{call.names['alias']}"
    if not call.query.on("link"):
        raise absent("container", path)
    container = await call.container()
    network = user_network(container.uid)
    end = ((await call.engine_container(container.id))["NetworkSettings"]["Networks"] or {}).get(network) or {}
    left = [link for link in end.get("Links") or () if link.rpartition(":")[2] != call.names["alias"]]
    if len(left) == len(end.get("Links") or ()):
        raise absent("container", path)
    await reconnect(call, container.id, network, end, links=left, aliases=end.get("Aliases") or ())
    await call.answer(204)
