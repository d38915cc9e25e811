"""``/events``: a user hears of what is hers and of the images she sees, and of nothing else; an admin of everything.

Her own are containers, volumes and networks, each by the name that she knows.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.dockerpolicy.verdict import AbsentError
from ds01.domain.names import stored_container
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.upstream import Ask


async def _meant(call: Call, ref: str) -> str:
    """A container of hers that is there, or the one of this name that may yet come."""
    try:
        return (await call.gate.registry.container(call.user, ref)).id
    except AbsentError:
        return stored_container(ref, call.user.uid)


async def events(call: Call) -> None:
    """The stream, filtered line by line whatever the engine's own filters do."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    if "container" in filters and not call.user.admin:
        filters["container"] = [await _meant(call, ref) for ref in filters["container"]]
    if "image" in filters and not call.user.admin:
        own = call.gate.registry.own_images(call.user)
        filters["image"] += [stored for ref in filters["image"] if (stored := own.get(looked_up(ref)))]
    target = call.target("/events", call.query.values, filters)
    with call.gate.moves.listening(call.user.uid):
        await flow.stream(call, Ask(method="GET", target=target), view(call).event_line)
