"""When something fails, nothing is let through: section 12, with an engine and a ds01d that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ds01.wire.holdings import DoorNetwork
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

INSPECT = f"/v1.41/containers/{MINE}/json"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        yield made


async def test_an_answer_of_the_engine_comes_rewritten(place: Farm) -> None:
    place.engine.answers["/json"] = as_json({"Id": MINE, "Name": f"/web._.{UID}", "Config": {"Image": "sha256:1"}})
    status, found = await place.get("/v1.41/containers/web/json")
    assert (status, found["Name"], found["Config"]["Image"]) == (200, "/web", "bb")
    assert place.engine.asked == [f"GET {INSPECT}"]


async def test_names_in_what_is_told_of_the_engine_stay_as_they_are(place: Farm) -> None:
    place.engine.answers["/json"] = plain(200, b"no json")
    status, found = await place.get(INSPECT)
    assert status == 502
    assert found["message"].startswith("DS01: The engine's answer is no JSON (engine.away).")


async def test_without_the_engine_the_answer_is_503(place: Farm) -> None:
    await place.engine.close()
    (place.folder / "e.sock").unlink(missing_ok=True)
    status, found = await place.get(INSPECT)
    assert status == 503
    assert "not reachable" in found["message"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 301 Moved\r\nLocation: /containers/other/json\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: \x00\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}x",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b" " * 1000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_p24_odd_answers_of_the_engine(place: Farm, answer: bytes) -> None:
    place.engine.answers = {"/json": answer, "/top": answer}
    for path in (INSPECT, f"/containers/{MINE}/top"):
        found = await place.send(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        if path == INSPECT or b"{}x" not in answer:
            assert found.startswith(b"HTTP/1.1 502")
        assert b"Location" not in found


async def test_p24_only_known_headers_of_the_engine_pass(place: Farm) -> None:
    place.engine.answers["/top"] = plain(200, b"{}", "Content-Type: application/json", "Set-Cookie: a=b", "X-Odd: 1")
    found = await place.send(f"GET /containers/{MINE}/top HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
    assert found.startswith(b"HTTP/1.1 200")
    assert b"Set-Cookie" not in found
    assert b"X-Odd" not in found


async def test_a_refusal_of_the_engine_names_things_as_their_user_does(place: Farm) -> None:
    said = f"cannot kill web._.{UID}: {'c' * 64} is in the way"
    place.engine.answers["/pause"] = as_json({"message": said}, 409)
    status, found = await place.ask("POST", f"/containers/{MINE}/pause")
    assert (status, found["message"]) == (409, "cannot kill web: another is in the way")


async def test_without_ds01d_own_things_are_shown_for_a_minute_and_nothing_is_granted(place: Farm) -> None:
    place.engine.answers = {
        "/containers/json": as_json([{"Id": MINE, "Names": []}]),
        "/images/bb/json": as_json({"Id": "sha256:1"}),
    }
    assert (await place.get("/containers/json"))[0] == 200
    place.daemon.up = False
    place.now += 50
    assert (await place.get("/containers/json"))[0] == 200
    status, found = await place.ask("POST", "/containers/create", {"Image": "bb"})
    assert status == 503
    assert "ds01d does not answer" in found["message"]
    assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] == 503
    place.now += 20
    assert (await place.get("/containers/json"))[0] == 503
    assert not any("create" in asked for asked in place.engine.asked)


@pytest.mark.parametrize("of_image", [{"Cmd": ["x" * 270_000]}, {"Entrypoint": ["x"] * 70_000, "Cmd": None}])
async def test_d16_a_long_command_of_an_image_is_refused_before_anything_is_granted(
    place: Farm, of_image: dict[str, Any]
) -> None:
    place.engine.answers = {"/images/bb/json": as_json({"Id": "sha256:1", "Config": of_image})}
    status, found = await place.ask("POST", "/containers/create", {"Image": "bb", "Cmd": []})
    assert (status, "longer than 256K together (create.command)" in found["message"]) == (400, True)
    assert not any("create" in asked for asked in (*place.engine.asked, *place.daemon.asked))


async def test_a_volume_of_an_image_where_nobody_may_mount_is_refused_before_anything_is_made(place: Farm) -> None:
    place.engine.answers["/images/bb/json"] = as_json({"Id": "sha256:1", "Config": {"Volumes": {"/dev/pts": {}}}})
    status, found = await place.ask("POST", "/containers/create", {"Image": "bb"})
    assert (status, found["message"]) == (
        403, "DS01: the image's volume at '/dev/pts' is not allowed here (create.volumes). Take that VOLUME out of its "
        "Dockerfile, or use another image. More: ds01 why-refused",
    )  # fmt: skip
    assert not any("creates" in asked for asked in place.daemon.asked)


async def test_a_container_ds01d_cannot_record_is_removed_again(place: Farm) -> None:
    grant = {
        "ticket": "t", "stored_name": f"x._.{UID}", "labels": {}, "cgroup_parent": "/p", "network": "n", "cpus": 1.0,
        "memory_bytes": 1, "swap_bytes": 0, "shm_bytes": 1, "pids": 1, "stop_grace_seconds": 1,
    }  # fmt: skip
    place.daemon.answers |= {
        "/door/creates": as_json(grant),
        "/creates/commit": plain(500),
        "/creates/abort": plain(204),
    }
    place.engine.answers = {
        "/images/bb/json": as_json({"Id": "sha256:1"}), "/containers/create": as_json({"Id": "d" * 64}, 201),
        "d" * 64: plain(204),
    }  # fmt: skip
    status, _ = await place.ask("POST", "/containers/create?name=x", {"Image": "bb"})
    assert status == 503
    assert place.engine.asked[-1] == f"DELETE /v1.41/containers/{'d' * 64}?force=1&v=1"
    assert place.daemon.asked[-1] == "POST /v1/door/creates/abort"


async def test_a_grant_goes_back_also_when_the_container_cannot_be_removed(place: Farm) -> None:
    grant = {
        "ticket": "t", "stored_name": f"x._.{UID}", "labels": {}, "cgroup_parent": "/p", "network": "n", "cpus": 1.0,
        "memory_bytes": 1, "swap_bytes": 0, "shm_bytes": 1, "pids": 1, "stop_grace_seconds": 1,
    }  # fmt: skip
    place.daemon.answers |= {
        "/door/creates": as_json(grant), "/creates/commit": plain(500), "/creates/abort": plain(204),
    }  # fmt: skip
    place.engine.answers = {
        "/images/bb/json": as_json({"Id": "sha256:1"}), "/containers/create": as_json({"Id": "d" * 64}, 201),
        "d" * 64: b"",
    }  # fmt: skip
    assert (await place.ask("POST", "/containers/create?name=x", {"Image": "bb"}))[0] == 503
    assert place.engine.asked[-1].startswith("DELETE ")
    assert place.daemon.asked[-1] == "POST /v1/door/creates/abort"


def may_start(place: Farm) -> None:
    container = {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}
    place.daemon.answers |= {
        "/door/starts": as_json({"ticket": "t", "container": container}), "/starts/abort": plain(204),
        "/starts/commit": as_json(container),
    }  # fmt: skip


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1 204 No", b"HTTP/1.1 500 X\r\nContent-Length: 50\r\n\r\n{}"])
async def test_a_start_whose_answer_is_lost_is_not_taken_back(place: Farm, cut: bytes) -> None:
    """It may have happened, and use its GPU."""
    may_start(place)
    place.engine.answers["/start"] = cut
    assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] == 502
    assert f"POST /v1.41/containers/{MINE}/start" in place.engine.asked
    assert place.daemon.asked[-1] == "POST /v1/door/starts"


@pytest.mark.parametrize("heard", [True, False])
async def test_a_start_the_engine_refuses_is_taken_back(place: Farm, heard: bool) -> None:
    """Its user reads the engine's words, also when ds01d does not hear of it."""
    may_start(place)
    if not heard:
        place.daemon.answers["/starts/abort"] = plain(500)
    place.engine.answers["/start"] = as_json({"message": "no such program"}, 400)
    assert await place.ask("POST", f"/containers/{MINE}/start") == (400, {"message": "no such program"})
    assert "POST /v1/door/starts/abort" in place.daemon.asked


async def test_a_start_the_engine_never_heard_of_is_taken_back(place: Farm) -> None:
    may_start(place)
    place.daemon.upon["/door/starts"] = (place.folder / "e.sock").unlink
    assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] == 503
    assert "POST /v1/door/starts/abort" in place.daemon.asked


async def test_what_the_engine_refuses_is_given_back(place: Farm) -> None:
    grant = {
        "ticket": "t", "stored_name": f"x._.{UID}", "labels": {}, "cgroup_parent": "/p", "network": "n", "cpus": 1.0,
        "memory_bytes": 1, "swap_bytes": 0, "shm_bytes": 1, "pids": 1, "stop_grace_seconds": 1,
    }  # fmt: skip
    place.daemon.answers |= {"/door/creates": as_json(grant), "/creates/abort": plain(204)}
    place.engine.answers = {
        "/images/bb/json": as_json({"Id": "sha256:1"}),
        "/containers/create": as_json({"message": f"Conflict x._.{UID}"}, 409),
    }
    assert await place.ask("POST", "/containers/create?name=x", {"Image": "bb"}) == (409, {"message": "Conflict x"})
    assert place.daemon.asked[-1] == "POST /v1/door/creates/abort"


async def test_an_unknown_uid_is_denied(place: Farm) -> None:
    place.daemon.answers[f"/door/users/{UID}"] = as_json({"error": {"code": "user.unknown", "message": "x"}}, 404)
    place.now += 30
    status, found = await place.get("/v1.41/images/json")
    assert status == 403
    assert "Nobody" in found["message"]


async def test_when_decisions_cannot_be_recorded_nothing_is_changed(place: Farm) -> None:
    place.daemon.answers["/door/audit"] = as_json({"error": {"code": "ledger.error", "message": "disk full"}}, 503)
    place.engine.answers["/pause"] = plain(204)
    assert (await place.ask("POST", f"/containers/{MINE}/pause"))[0] == 204
    await place.audit.flush()
    assert (await place.ask("POST", f"/containers/{MINE}/unpause"))[0] == 503
    place.daemon.answers["/door/gone"] = place.daemon.answers["/door/audit"]
    place.engine.answers |= {f"/containers/{MINE}/stop": plain(204), f"/containers/{MINE}/kill": plain(204)}
    assert [(await place.ask("POST", f"/containers/{MINE}/{verb}"))[0] for verb in ("stop", "kill")] == [204, 204]
    assert (await place.get("/_ping"))[0] != 503
    place.daemon.answers["/door/audit"] = plain(204)
    await place.audit.flush()
    place.engine.answers["/unpause"] = plain(204)
    assert (await place.ask("POST", f"/containers/{MINE}/unpause"))[0] == 204


@pytest.mark.parametrize("signal", ["", "USR1"])
async def test_ds01d_hears_which_signal_is_sent(place: Farm, signal: str) -> None:
    place.daemon.answers["/door/gone"] = plain(204)
    place.engine.answers["/kill"] = plain(204)
    query = f"?signal={signal}" if signal else ""
    assert (await place.ask("POST", f"/containers/{MINE}/kill{query}"))[0] == 204
    assert json.loads(place.daemon.told[-1])["signal"] == signal


@pytest.mark.parametrize(
    ("state", "rm", "gone"), [("created", True, True), ("created", False, False), ("exited", True, False)]
)
async def test_what_was_made_with_rm_goes_when_its_first_start_is_refused(
    place: Farm, state: str, rm: bool, gone: bool
) -> None:
    refusal = {"error": {"code": "gpu.full", "message": "All GPUs are in use."}}
    place.daemon.answers |= {"/door/starts": as_json(refusal, 503), "/door/gone": plain(204)}
    place.engine.answers = {
        f"/containers/{MINE}/json": as_json({"State": {"Status": state}, "HostConfig": {"AutoRemove": rm}}),
        f"/containers/{MINE}": plain(204),
    }
    assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] >= 400
    assert any(asked.startswith("DELETE ") for asked in place.engine.asked) is gone


@asynccontextmanager
async def waiting(place: Farm) -> AsyncIterator[None]:
    """A client waits until the container is removed, as that of ``docker run --rm`` does before it starts it."""
    place.engine.answers[f"/{MINE}/wait"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    place.engine.held = (f"/{MINE}/wait",)
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"POST /containers/{MINE}/wait?condition=removed HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    yield
    writer.close()


BUSY = as_json({"error": {"code": "container.busy", "message": "The container is having files copied."}}, 409)


@pytest.mark.parametrize(("answer", "status"), [(BUSY, 409), (b"", 503)])
async def test_what_was_made_with_rm_stays_when_its_start_may_be_tried_again(
    place: Farm, answer: bytes, status: int
) -> None:
    """Files may be on their way into it. Where a client waits for its removal, it goes all the same."""
    place.daemon.answers |= {"/door/starts": answer, "/door/gone": plain(204)}
    place.engine.answers = {
        f"/containers/{MINE}/json": as_json({"State": {"Status": "created"}, "HostConfig": {"AutoRemove": True}}),
        f"/containers/{MINE}": plain(204),
    }
    assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] == status
    assert not any(asked.startswith("DELETE ") for asked in place.engine.asked)
    async with waiting(place):
        assert (await place.ask("POST", f"/containers/{MINE}/start"))[0] == status
    assert any(asked.startswith("DELETE ") for asked in place.engine.asked)


async def test_a_pruned_network_is_told_also_when_ds01d_hears_of_its_end_first(place: Farm) -> None:
    place.registry.learn(DoorNetwork(id="n" * 64, uid=UID, name="app", stored=f"app._.{UID}"))
    place.engine.answers["/networks/prune"] = as_json({"NetworksDeleted": [f"app._.{UID}"]})
    place.engine.upon["/networks/prune"] = lambda: place.registry.forget("n" * 64)
    place.daemon.answers["/door/dropped"] = plain(204)
    assert await place.ask("POST", "/v1.41/networks/prune") == (200, {"NetworksDeleted": ["app"]})


async def test_a_mistake_of_ours_ends_in_a_refusal(place: Farm) -> None:
    place.engine.answers["/images/json"] = as_json([{"Id": "sha256:1", "RepoTags": 5}])
    status, found = await place.get("/images/json")
    assert status == 500
    assert "Traceback" not in json.dumps(found)


async def test_e33_what_others_have_keeps_nobody_from_her_list(place: Farm) -> None:
    """However much the engine says of it, and in one row or in many."""
    hers = {"Id": "sha256:1", "RepoTags": ["bb:latest"], "RepoDigests": [], "Created": 1, "Labels": None}
    heavy = {**hers, "RepoTags": [], "Labels": {"a": "x" * 900_000}}
    place.engine.answers["/images/json"] = as_json(
        [*({**heavy, "Id": f"sha256:{n:x}0"} for n in range(1, 41)), hers, {**heavy, "Labels": {"a": "x" * 4_000_000}}]
    )
    status, found = await place.get("/images/json")
    assert (status, [row["RepoTags"] for row in found]) == (200, [["bb:latest"]])
    status, found = await place.get("/images/json?all=1")
    assert (status, [row["RepoTags"] for row in found]) == (200, [["bb:latest"]])
    assert f"ds01.owner.uid%3D{UID}" in place.engine.asked[-1]


async def test_p21_an_answer_that_is_cut_short_is_not_ended_for_it(place: Farm) -> None:
    place.engine.answers["/logs"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo"
    found = await place.send(f"GET /containers/{MINE}/logs?stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert found.startswith(b"HTTP/1.1 200")
    assert b"hello" in found
    assert not found.endswith(b"0\r\n\r\n")


async def test_p14_bytes_after_an_upgrade_that_failed_are_a_request(place: Farm) -> None:
    place.engine.answers["/attach"] = as_json({"message": "no"}, 409)
    attach = (
        f"POST /containers/{MINE}/attach?stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    found = await place.send((attach + "POST /nowhere HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n").encode())
    assert found.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 409" in found
    assert b"HTTP/1.1 403" in found
    assert len(place.engine.asked) == 1


async def test_p13_one_request_of_ours_for_one_of_theirs(place: Farm) -> None:
    place.engine.answers["/top"] = plain(200, b"{}")
    body = b"GET /v1.41/containers/other/json HTTP/1.1\r\nHost: d\r\n\r\n"
    for head in (f"GET /containers/{MINE}/top HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n",):
        await place.send(head.encode() + body)
    assert place.engine.asked == []


@pytest.mark.parametrize("path", ["/images/bb/get", "/images/get?names=bb", "/images/get?names=bb:latest"])
async def test_what_is_saved_is_the_image_that_was_looked_at(place: Farm, path: str) -> None:
    """The engine looks the name up itself: when it is somebody else's by then, nothing of it is passed."""
    place.engine.answers = {
        "/json": as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"]}),
        "/get": plain(200, b"an archive"),
    }
    assert (await place.get(path)) == (200, b"a\r\nan archive\r\n0\r\n\r\n")
    place.engine.after = {"/get": {"/json": as_json({"Id": "sha256:9", "RepoTags": ["bb:latest"]})}}
    status, told = await place.get(path)
    assert status in (403, 404)
    assert "archive" not in json.dumps(told)
