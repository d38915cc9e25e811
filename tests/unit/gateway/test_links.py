"""Containers put on a network anew, by a rename or a link that goes, and what a link says to who looks for it."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import ongoing
from ds01.gateway.endpoints import OffNetworkError
from ds01.gateway.links import check, variables
from ds01.wire.door import DoorContainer
from ds01.wire.holdings import DoorNetwork
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

OTHERS, OTHER_UID = "c" * 64, 1003
LINKED = {"Links": ["bbbbbbbbbbbb:base"], "Aliases": ["web", MINE[:12]], "NetworkID": "n"}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers |= {"/disconnect": plain(200), "/connect": plain(200)}
        yield made


def seen(network: str, end: dict[str, Any], *, running: bool = True) -> bytes:
    return as_json({"State": {"Running": running}, "NetworkSettings": {"Networks": {network: end}}})


def moved(place: Farm) -> list[str]:
    """What was asked of networks: which, and what."""
    return [asked.partition("/networks/")[2] for asked in place.engine.asked if "/networks/" in asked]


async def test_an_admin_who_renames_breaks_no_connection_on_its_owners_own_network(place: Farm) -> None:
    admin = {"uid": UID, "gid": UID, "login": "root2", "admin": True}
    container = {"id": OTHERS, "uid": OTHER_UID, "name": "web", "stored_name": f"web._.{OTHER_UID}", "image_ref": "bb"}
    place.daemon.answers |= {
        f"/door/users/{UID}": as_json(admin), f"/door/containers/{OTHERS}": as_json(container),
        "/door/renames": as_json({**container, "name": "again", "stored_name": f"again._.{OTHER_UID}"}),
    }  # fmt: skip
    place.engine.answers[f"/{OTHERS}/json"] = seen(f"ds01-u{OTHER_UID}", {"Aliases": ["web"]})
    status, _ = await place.ask("POST", f"/v1.41/containers/{OTHERS}/rename?name=again")
    assert (status, moved(place)) == (204, [])
    place.engine.answers[f"/{OTHERS}/json"] = seen(f"ds01-u{OTHER_UID}", {"Aliases": ["web"]}, running=False)
    status, _ = await place.ask("POST", f"/v1.41/containers/{OTHERS}/rename?name=twice")
    assert (status, moved(place)) == (204, [f"ds01-u{OTHER_UID}/disconnect", f"ds01-u{OTHER_UID}/connect"])


async def test_an_admin_unlinks_on_the_owners_own_network(place: Farm) -> None:
    place.daemon.answers |= {
        f"/door/users/{UID}": as_json({"uid": UID, "gid": UID, "login": "root2", "admin": True}),
        f"/door/containers/{OTHERS}": as_json({"id": OTHERS, "uid": OTHER_UID, "name": "web",
                                               "stored_name": f"web._.{OTHER_UID}", "image_ref": "bb"}),
    }  # fmt: skip
    place.engine.answers[f"/{OTHERS}/json"] = seen(f"ds01-u{OTHER_UID}", LINKED)
    assert (await place.ask("DELETE", f"/v1.41/containers/{OTHERS}/base?link=1"))[0] == 204


async def unlinked(place: Farm) -> tuple[int, str]:
    """Status and sentence of a link that is to go."""
    place.engine.answers[f"/{MINE}/json"] = seen(f"ds01-u{UID}", LINKED)
    status, found = await place.ask("DELETE", f"/v1.41/containers/{MINE}/base?link=1")
    return status, str(found["message"]) if found else ""


async def test_a_link_goes(place: Farm) -> None:
    assert await unlinked(place) == (204, "")
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": [], "Aliases": ["web"]}


OFF, ON = f"ds01-u{UID}/disconnect", f"ds01-u{UID}/connect"


async def test_what_the_engine_says_of_a_network_is_told(place: Farm) -> None:
    place.engine.answers["/disconnect"] = as_json({"message": f"no room on ds01-u{UID} for ds01-u{UID}0"}, 500)
    assert await unlinked(place) == (500, f"no room on bridge for ds01-u{UID}0")
    assert moved(place) == [OFF]


async def renamed(place: Farm) -> tuple[int, str]:
    """Status and sentence of another name for a container that does not run."""
    place.daemon.answers["/door/renames"] = as_json(
        {"id": MINE, "uid": UID, "name": "again", "stored_name": f"again._.{UID}", "image_ref": "bb"}
    )
    place.engine.answers[f"/{MINE}/json"] = seen(f"ds01-u{UID}", LINKED, running=False)
    status, found = await place.ask("POST", f"/v1.41/containers/{MINE}/rename?name=again")
    return status, str(found["message"]) if found else ""


async def test_a_container_that_is_gone_meanwhile_is_no_conflict_of_names(place: Farm) -> None:
    said = {"error": {"code": "container.unknown", "message": f"No such container: {MINE}"}}
    place.daemon.answers["/door/renames"] = as_json(said, 404)
    found = await place.ask("POST", "/v1.41/containers/web/rename?name=again")
    assert found == (404, {"message": "No such container: web"})


@pytest.mark.parametrize("network_id", ["d" * 64, ""])
async def test_a_new_name_is_found_on_a_network_whose_name_has_blanks(place: Farm, network_id: str) -> None:
    """Also where the container never ran, and the engine tells no id."""
    lab = DoorNetwork(id="d" * 64, uid=UID, name="my lab", stored=f"my lab._.{UID}")
    place.registry.learn(lab)
    again = {"id": MINE, "uid": UID, "name": "again", "stored_name": f"again._.{UID}", "image_ref": "bb"}
    place.daemon.answers["/door/renames"] = as_json(again)
    place.engine.answers[f"/{MINE}/json"] = seen(lab.stored, {"Aliases": ["web"], "NetworkID": network_id})
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/rename?name=again"))[0] == 204
    assert moved(place) == [f"{lab.id}/disconnect", f"{lab.id}/connect"]
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": [], "Aliases": ["again"]}


@pytest.mark.parametrize("network_id", ["d" * 64, ""])
@pytest.mark.parametrize("name", ["my lab", "lab/1"])
async def test_a_new_name_is_found_on_such_a_network_that_ds01d_does_not_know(
    place: Farm, name: str, network_id: str
) -> None:
    """An admin made it past DS01 and put the container there."""
    again = {"id": MINE, "uid": UID, "name": "again", "stored_name": f"again._.{UID}", "image_ref": "bb"}
    place.daemon.answers["/door/renames"] = as_json(again)
    place.engine.answers |= {
        f"/{MINE}/json": seen(name, {"Aliases": ["web"], "NetworkID": network_id}),
        "/networks": as_json([{"Name": f"{name} 2", "Id": "e" * 64}, {"Name": name, "Id": "d" * 64}]),
    }
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/rename?name=again"))[0] == 204
    assert moved(place) == [f"{'d' * 64}/disconnect", f"{'d' * 64}/connect"]
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": [], "Aliases": ["again"]}


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("aliases", [["store"], ["store", "web"], ["store", MINE[:12]]])
async def test_a_name_that_an_admin_gave_it_on_a_network_of_hers_stays(
    place: Farm, aliases: list[str], running: bool
) -> None:
    again = {"id": MINE, "uid": UID, "name": "again", "stored_name": f"again._.{UID}", "image_ref": "bb"}
    place.daemon.answers["/door/renames"] = as_json(again)
    end = {"Aliases": aliases, "NetworkID": "d" * 64}
    place.engine.answers[f"/{MINE}/json"] = seen("lab", end, running=running)
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/rename?name=again"))[0] == 204
    assert moved(place) == []


async def test_a_name_it_has_no_more_goes_from_networks_of_its_users(place: Farm) -> None:
    """A rename while it runs left it there."""
    again = {"id": MINE, "uid": UID, "name": "again", "stored_name": f"again._.{UID}", "image_ref": "bb"}
    place.daemon.answers["/door/renames"] = as_json(again)
    end = {"Aliases": ["before", MINE[:12]]}
    place.registry.learn(DoorNetwork(id="d" * 64, uid=UID, name="lab", stored=f"lab._.{UID}"))
    for network in (f"ds01-u{UID}", f"lab._.{UID}"):
        place.engine.answers[f"/{MINE}/json"] = seen(network, end, running=False)
        assert (await place.ask("POST", f"/v1.41/containers/{MINE}/rename?name=again"))[0] == 204
        assert json.loads(place.engine.told[-1])["EndpointConfig"]["Aliases"] == ["again"], network
        place.registry.learn(DoorContainer(id=MINE, uid=UID, name="web", stored_name=f"web._.{UID}", image_ref="bb"))


def test_the_advice_for_one_that_is_left_off_can_be_typed() -> None:
    assert shlex.split(OffNetworkError(MINE, "my lab", "no", 500).advice.rstrip("."))[-2:] == ["my lab", MINE[:12]]


NO_ROOM = as_json({"message": f"no room on ds01-u{UID} for ds01-u{UID}0"}, 500)


@pytest.mark.parametrize("change", [unlinked, renamed])
@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [(NO_ROOM, 500, f"no room on bridge for ds01-u{UID}0"), (b"", 502, "the engine closed the connection")],
)
async def test_a_container_that_is_left_off_its_network_is_told(
    place: Farm, change: Callable[[Farm], Awaitable[tuple[int, str]]], answer: bytes, status: int, reason: str
) -> None:
    """The engine may go away between the two, or have no room any more."""
    place.engine.answers["/connect"] = answer
    told = f"The container could not be put back on its network 'bridge': {reason} (engine.network)."
    advice = f"Put it there: docker network connect bridge {MINE[:12]}."
    assert await change(place) == (status, f"DS01: {told} {advice} More: ds01 why-refused")
    assert moved(place) == [OFF, ON, ON]


@pytest.mark.parametrize(("lost", "asked"), [("/disconnect", [OFF, ON]), ("/connect", [OFF, ON, ON])])
async def test_one_whose_answer_is_lost_is_put_back_as_it_was(place: Farm, lost: str, asked: list[str]) -> None:
    """The engine may have done what it did not say."""
    place.engine.answers[lost] = b""
    place.engine.after[lost] = {lost: plain(200)}
    assert (await unlinked(place))[0] == 502
    assert moved(place) == asked
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": ["bbbbbbbbbbbb:base"], "Aliases": ["web"]}


async def test_a_link_of_a_container_that_never_ran_goes(place: Farm) -> None:
    """The engine tells the id of its network when it has been on it."""
    place.engine.answers[f"/{MINE}/json"] = seen(f"ds01-u{UID}", {**LINKED, "NetworkID": ""}, running=False)
    assert (await place.ask("DELETE", f"/v1.41/containers/{MINE}/base?link=1"))[0] == 204
    assert moved(place) == [OFF, ON]


async def test_a_container_that_cannot_be_changed_is_put_back_as_it_was(place: Farm) -> None:
    place.engine.answers["/connect"] = as_json({"message": "no"}, 500)
    place.engine.after["/connect"] = {"/connect": plain(200)}
    assert await unlinked(place) == (500, "no")
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": ["bbbbbbbbbbbb:base"], "Aliases": ["web"]}


async def test_the_port_that_a_link_means_is_the_engines(place: Farm) -> None:
    config = {"ExposedPorts": {port: {} for port in ("443/tcp", "53/udp", "80/tcp", "8080")}, "Env": ["A=1"]}
    place.engine.answers |= {
        f"/{MINE}/json": as_json({"Config": config}),
        "/images/bb/json": as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"], "Config": {}}),
    }
    place.daemon.answers["/door/creates"] = as_json({
        "ticket": "t", "stored_name": f"next._.{UID}", "labels": {}, "cgroup_parent": "/x", "network": f"ds01-u{UID}",
        "cpus": 1.0, "memory_bytes": 1024**3, "swap_bytes": 0, "shm_bytes": 1024, "pids": 100, "stop_grace_seconds": 9,
    })  # fmt: skip
    asked = {"Image": "bb", "HostConfig": {"Links": ["web:db"]}}
    await place.ask("POST", "/v1.41/containers/create?name=next", asked)
    told = json.loads(place.engine.told[-1])["Env"]
    addresses = [each for each in told if each.startswith("DB_PORT") and "://" in each]
    assert addresses == [
        "DB_PORT=tcp://db:80", "DB_PORT_80_TCP=tcp://db:80", "DB_PORT_443_TCP=tcp://db:443",
        "DB_PORT_8080_TCP=tcp://db:8080", "DB_PORT_53_UDP=udp://db:53",
    ]  # fmt: skip


def test_d16_a_link_tells_of_so_many_ports_and_links_bring_so_much_and_no_more() -> None:
    config = {"ExposedPorts": {f"{port}/tcp": {} for port in range(1, 5000)}, "Env": ["A=1"]}
    found = list(variables("/web/db", "db", config))
    assert (len(found), found[-1]) == (1 + 4 * 64 + 2, "DB_ENV_A=1")
    check(found * 15)
    for many in (found * 16, ["A=" + "1" * 32_000] * 9):
        with pytest.raises(RefusedError):
            check(many)


async def cancelled_at(place: Farm, end: str, held: tuple[str, ...] = ()) -> None:
    """The gateway stops while the engine is asked this of a network; ``held`` it does not answer either."""
    place.engine.held = (end,)
    place.engine.answers[end] = b""
    going = asyncio.create_task(unlinked(place))
    async with asyncio.timeout(10):
        while not place.engine.open:
            await asyncio.sleep(0.001)
    place.engine.held = held
    place.engine.answers[end] = plain(200)
    await place.stop()
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


@pytest.mark.parametrize(("at", "asked"), [("/disconnect", [OFF, ON]), ("/connect", [OFF, ON, ON])])
async def test_a_gateway_that_stops_in_the_middle_puts_it_back_as_it_was(
    place: Farm, at: str, asked: list[str]
) -> None:
    await cancelled_at(place, at)
    assert moved(place) == asked
    assert json.loads(place.engine.told[-1])["EndpointConfig"] == {"Links": ["bbbbbbbbbbbb:base"], "Aliases": ["web"]}


@pytest.mark.parametrize(("held", "reason"), [(False, "no room on bridge"), (True, "does not answer")])
async def test_one_that_it_cannot_put_back_is_in_the_log(
    place: Farm, monkeypatch: pytest.MonkeyPatch, *, held: bool, reason: str
) -> None:
    monkeypatch.setattr(ongoing, "LAST_SECONDS", 0.05 if held else 5)
    place.engine.answers["/connect"] = b"" if held else NO_ROOM
    with capture_logs() as logs:
        await cancelled_at(place, "/disconnect", ("/connect",) if held else ())
    assert moved(place) == [OFF, ON]
    told = next(each for each in logs if each["event"] == "network.off")
    assert (told["container"], told["network"], reason in told["reason"]) == (MINE, f"ds01-u{UID}", True)
