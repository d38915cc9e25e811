"""The way past the gateway: whoever is turned away there is on the record, as anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from ds01.gateway.call import Gate
from ds01.gateway.door import Door
from ds01.gateway.glass import Glass
from ds01.gateway.identity import Peer, Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.upstream import Upstream
from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain
from tests.unit.gateway.h2.test_link import pair

ADMIN = {"uid": UID, "gid": UID, "login": "mallory", "admin": True}


def glass(place: Farm, folder: Path) -> Glass:
    engine, door = Upstream(str(folder / "e.sock"), "the engine"), Door(str(folder / "d.sock"))
    return Glass(Gate(engine=engine, door=door, registry=place.registry, audit=place.audit, facts=place.facts))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers["/info"] = plain(200, b"{}")
        (tmp_path / "admin").mkdir()
        made.folder = tmp_path / "admin"
        listener = Listener(glass(made, tmp_path), Presence(), lambda _: UID)
        await listener.listen(own_socket(made.socket))
        yield made
        await listener.close()


async def asked(place: Farm, request: str = "GET /info HTTP/1.1\r\nHost: d\r\n\r\n") -> tuple[bytes, list[Any]]:
    """The answer's first line, and the records: outcome, rule, path."""
    with capture_logs() as logs:
        answer = await place.send(request.encode())
        place.audit.put_down()
    return answer.partition(b"\r\n")[0], records(logs)


def records(logs: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Outcome, rule and path of each."""
    return [(line["outcome"], line["rule"], line["path"]) for line in logs if line["event"] == "request"]


async def test_who_passes_is_recorded_with_the_reason(place: Farm) -> None:
    place.daemon.answers[f"/door/users/{UID}"] = as_json({**ADMIN, "glass": "to mend it"})
    assert await asked(place) == (b"HTTP/1.1 200 X", [("glass", "glass", "/info")])


async def test_who_is_no_admin_or_has_not_opened_it_is_on_the_record(place: Farm) -> None:
    assert await asked(place) == (b"HTTP/1.1 403 Forbidden", [("denied", "glass.admin", "/info")])
    place.daemon.answers[f"/door/users/{UID}"] = as_json(ADMIN)
    assert await asked(place) == (b"HTTP/1.1 403 Forbidden", [("denied", "glass.closed", "/info")])


async def test_what_cannot_be_read_is_on_the_record(place: Farm) -> None:
    assert (await asked(place, "GET /info HTTP/1.1\r\n\r\n"))[1] == [("denied", "http.host", "")]


async def test_who_is_gone_before_the_refusal_ends_nothing_else(place: Farm, tmp_path: Path) -> None:
    client, gateway = await pair()
    gateway.unread(b"GET /info HTTP/1.1\r\n\r\n")
    client.abort()
    await gateway.gone
    await gateway.write(b"nobody hears this")
    await gateway.left
    with capture_logs() as logs:
        await glass(place, tmp_path).serve(gateway, Peer(uid=UID))
        place.audit.put_down()
    assert records(logs) == [("denied", "http.host", "")]


async def _mistaken(_: Door, __: int) -> NoReturn:
    raise RuntimeError("nobody expected this")


async def test_a_mistake_is_told_and_on_the_record(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Door, "user", _mistaken)
    with capture_logs() as logs:
        answer = await place.send(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
        place.audit.put_down()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"DS01 made a mistake with this request (internal). Tell your admin." in answer
    assert records(logs) == [("denied", "internal", "/info")]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["internal"]
