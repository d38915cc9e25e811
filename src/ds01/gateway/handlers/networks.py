"""Networks: each user has one of her own from the beginning, and makes others for herself."""

from __future__ import annotations

from typing import cast

from ds01.domain.dockerpolicy.case import references
from ds01.domain.dockerpolicy.names import NameFilter
from ds01.domain.dockerpolicy.networks import judge_connect, judge_disconnect, judge_network
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, absent
from ds01.domain.labels import Label
from ds01.domain.names import stored_network
from ds01.domain.network import OWN
from ds01.gateway.call import Call
from ds01.gateway.finish import aliases, endpoint
from ds01.gateway.handlers.containers import own_labels
from ds01.gateway.handlers.volumes import gone, things
from ds01.gateway.things import NO_NETWORK, Found
from ds01.gateway.upstream import Ask, as_object, parsed_object
from ds01.wire.holdings import DoorNetwork, DoorNetworkAsk, Kind


async def resolve_network(call: Call, name: str) -> DoorNetwork:
    """The network a user means; empty is her own, which is made when it is not there. Raises AbsentError."""
    known = call.gate.registry.network(call.user, name or OWN)
    if known is None and name in ("", OWN, "default"):
        known = await call.gate.door.own_network(call.user.uid)
        call.gate.registry.learn(known)
    if known is None:
        raise absent("network", name)
    return known


async def listing(call: Call) -> None:
    """``/networks``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    names, kinds = NameFilter(filters.pop("name", [])), filters.pop("type", [])
    await resolve_network(call, OWN)
    target = call.target("/networks", None, filters)

    def shown(found: Json) -> Json:
        rows = things(call).networks(found)
        return cast(Json, [row for row in rows if names.matches(row["Name"]) and _of(row, kinds)])

    await call.pass_whole(Ask(method="GET", target=target), shown)


def _of(row: Found, kinds: list[str]) -> bool:
    return not kinds or ("builtin" if row["Name"] in (OWN, NO_NETWORK) else "custom") in kinds


async def inspect(call: Call) -> None:
    """``/networks/{id}``."""
    await call.nothing()
    target = call.target(f"/networks/{await _named(call)}", call.query.values)
    await call.pass_whole(Ask(method="GET", target=target), lambda found: cast(Json, _shown(call, as_object(found))))


def _shown(call: Call, found: Found) -> Found:
    row = things(call).network(found)
    if row is None:
        raise absent("network", call.names["network"])
    return row


async def _named(call: Call) -> str:
    """The id of the network in the path, or the one that leads nowhere."""
    name = call.names["network"]
    if name == NO_NETWORK or await _is_none(call, name):
        return NO_NETWORK
    known = await resolve_network(call, name)
    call.subject = known.id
    return known.id


async def _is_none(call: Call, ref: str) -> bool:
    """Whether this is the id of the network that leads nowhere, as a list shows it."""
    if len(ref) != 64 or call.gate.registry.network(call.user, ref) is not None:
        return False
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/networks/{NO_NETWORK}")))
    return head.status == 200 and parsed_object(data).get("Id") == ref


async def create(call: Call) -> None:
    """``/networks/create``."""
    plan = judge_network(await call.json(), call.asker)
    call.changes += plan.changes
    uid, stored = call.user.uid, stored_network(plan.name, call.user.uid)
    coming = DoorNetwork(id="", uid=uid, epoch=call.user.epoch, name=plan.name, stored=stored)
    with call.gate.registry.coming(stored, coming):
        made = await call.gate.door.network(
            DoorNetworkAsk(
                uid=uid, name=plan.name, labels=dict(plan.labels), options=dict(plan.options), internal=plan.internal,
                range=plan.range, gateway=plan.gateway, ip_range=plan.ip_range, reserved=dict(plan.reserved),
            )
        )  # fmt: skip
    call.gate.registry.learn(made)
    call.subject = made.id
    await call.answer_json(201, {"Id": made.id, "Warning": ""})


async def _changeable(call: Call) -> DoorNetwork:
    """The network in the path, when it is one that she made."""
    name = call.names["network"]
    if name in (NO_NETWORK, "host"):
        raise _builtin(name)
    known = await resolve_network(call, name)
    call.subject = known.id
    return known


def _builtin(name: str) -> RefusedError:
    return EngineWordsError("networks.builtin", f"{name} is a pre-defined network and cannot be removed", status=403)


async def remove(call: Call) -> None:
    """``DELETE /networks/{id}``. Her own stays: everything of hers is on it."""
    await call.nothing()
    known = await _changeable(call)
    if known.name == OWN and known.uid == call.user.uid:
        raise _builtin(OWN)
    head, data = await call.gate.engine.whole(Ask(method="DELETE", target=call.target(f"/networks/{known.id}")))
    if head.status < 400:
        await gone(call, Kind.NETWORK, [known.id])
    await call.pass_answer(head, data)


async def connect(call: Call) -> None:
    """``connect``: her container, her network; the container is found there by its plain name."""
    plan = judge_connect(await call.json(), call.asker)
    call.changes += plan.changes
    network = await _changeable(call)
    container = await call.gate.registry.container(call.user, plan.container)
    ids = {ref: (await call.gate.registry.container(call.user, ref)).id for ref in references(plan.endpoint.values())}
    settings = endpoint(plan.endpoint, ids)
    settings["Aliases"] = aliases(container.name, settings)
    body: dict[str, Json] = {"Container": container.id, "EndpointConfig": settings}
    target = call.target(f"/networks/{network.id}/connect")
    await call.pass_whole(Ask(method="POST", target=target, body=dump(body)))


async def disconnect(call: Call) -> None:
    """``disconnect``."""
    plan = judge_disconnect(await call.json())
    network = await _changeable(call)
    container = await call.gate.registry.container(call.user, plan.container)
    body: dict[str, Json] = {"Container": container.id, "Force": plan.force}
    target = call.target(f"/networks/{network.id}/disconnect")
    await call.pass_whole(Ask(method="POST", target=target, body=dump(body)))


async def prune(call: Call) -> None:
    """``/networks/prune``: those she made and nothing is on."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    filters["label"] = [*filters.get("label", []), Label.NAME, *own_labels(call)]
    # Looked up first: ds01d may hear that they are gone before the engine answers.
    hers = {network.stored: network for network in call.gate.registry.networks(call.user)}
    head, data = await call.gate.engine.whole(
        Ask(method="POST", target=call.target("/networks/prune", None, filters))
    )  # fmt: skip
    if head.status >= 400:
        await call.pass_answer(head, data)
        return
    deleted = parsed_object(data).get("NetworksDeleted") or []
    known = [hers[stored] for stored in deleted if stored in hers]
    await gone(call, Kind.NETWORK, [network.id for network in known])
    names = [call.gate.registry.called(call.user, network) for network in known]
    await call.answer_json(200, {"NetworksDeleted": cast(Json, names)})
