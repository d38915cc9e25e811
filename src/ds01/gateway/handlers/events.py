"""``/events``: a user hears of what is hers and of the images she sees, and of nothing else; an admin of everything.

Her own are containers, volumes and networks, each by the name that she knows.
"""

from __future__ import annotations

import re
from functools import partial

from ds01.domain.dockerpolicy.verdict import AbsentError
from ds01.domain.names import stored_container, stored_network, stored_volume
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.upstream import Ask

_ID = re.compile(r"[0-9a-f]{12,64}")
"""Also the name of a volume that nobody named."""


async def _container(call: Call, ref: str) -> str:
    """A container of hers that is there, or the one of this name that may yet come."""
    try:
        return (await call.gate.registry.container(call.user, ref)).id
    except AbsentError:
        return stored_container(ref, call.user.uid)


def _volume(call: Call, ref: str) -> str:
    """The engine's name of a volume of hers: of one that is there, was there or may yet come."""
    known = call.gate.registry.volume(call.user, ref)
    if known is not None:
        return known.id
    return ref if _ID.fullmatch(ref) else stored_volume(ref, call.user.uid)


def _network(call: Call, ref: str) -> str:
    """The same of a network."""
    known = call.gate.registry.network(call.user, ref)
    if known is not None:
        return known.stored
    return ref if _ID.fullmatch(ref) else stored_network(ref, call.user.uid)


async def events(call: Call) -> None:
    """The stream, filtered line by line whatever the engine's own filters do."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    images = filters.pop("image", [])
    if not call.user.admin:
        filters |= {
            "container": [await _container(call, ref) for ref in filters.get("container", ())],
            "volume": [_volume(call, ref) for ref in filters.get("volume", ())],
            "network": [_network(call, ref) for ref in filters.get("network", ())],
        }
    target = call.target("/events", call.query.values, {key: values for key, values in filters.items() if values})
    with call.gate.counts.listening(call.user.uid):
        await flow.stream(call, Ask(method="GET", target=target), partial(view(call).event_line, images=images))
