"""Every route: what it answers, to whom, and the one shape of every error."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api
from tests.server import ALICE, BOB, MINIMAL, ROOT

LAUNCH = {"project": "thesis", "workspace": "/home/alice/workspace/thesis", "image": MINIMAL, "gpus": "1"}
ERROR_FIELDS = {"code", "message", "reason", "hint", "docs", "exit_code", "details"}


async def launched(api: Api, **changes: object) -> None:
    answer = await api.post("/v1/launches", {**LAUNCH, **changes})
    assert answer.lines[-1]["step"] == "ready", answer.lines[-1]


async def test_ping_needs_no_account(api: Api) -> None:
    known = (await api.get("/v1/ping")).body
    assert (known["login"], known["engine"], known["simulated_gpus"]) == ("alice", "simulated", True)
    assert (await api.get("/v1/ping", uid=4242)).body["login"] == "4242"
    api.server.engine.go_away()
    assert (await api.get("/v1/ping")).body["engine"] == ""


async def test_a_launch_streams_its_steps_and_ends_with_the_container(api: Api) -> None:
    answer = await api.post("/v1/launches", LAUNCH)
    told = [(line["step"], line["state"]) for line in answer.lines]
    assert told == [
        ("lease", "begin"), ("lease", "done"), ("create", "begin"), ("create", "done"), ("start", "begin"),
        ("start", "done"), ("ready", "done"),
    ]  # fmt: skip
    container = answer.lines[-1]["container"]
    assert (container["name"], container["state"], container["gpus"]) == ("thesis", "running", ["0"])


async def test_a_launch_that_fails_ends_with_the_error(api: Api) -> None:
    answer = await api.post("/v1/launches", {**LAUNCH, "gpus": "3"})
    error = answer.lines[-1]["error"]
    assert (answer.status, error["code"], error["exit_code"]) == (200, "gpu.quota", 3)
    assert "limits.yaml:3" in error["reason"]


async def test_a_launch_on_what_is_no_terminal_begins_nothing(api: Api) -> None:
    answer = await api.post("/v1/launches", {**LAUNCH, "terminal": {"path": "/etc/passwd"}})
    assert (answer.status, answer.error["code"]) == (400, "request.invalid")
    assert await api.server.traces() == (0, 0, 0)


async def test_the_plan_changes_nothing(api: Api) -> None:
    plan = (await api.post("/v1/launches/plan", LAUNCH)).body
    assert (plan["action"], plan["name"], plan["gpus"]) == ("create", "thesis", "1")
    assert await api.server.traces() == (0, 0, 0)


async def test_a_launch_of_only_a_new_container_ends_with_the_plan_of_what_there_is(api: Api) -> None:
    await launched(api, if_new=True)
    (line,) = (await api.post("/v1/launches", {**LAUNCH, "if_new": True})).lines
    assert (line["step"], line["plan"]["action"], line["plan"]["container"]["name"]) == ("plan", "attach", "thesis")


async def test_a_launch_says_whether_its_gpus_are_simulated(api: Api) -> None:
    assert (await api.post("/v1/launches", LAUNCH)).lines[-1]["simulated"] is True
    without = (await api.post("/v1/launches", {**LAUNCH, "name": "cpu", "gpus": "0"})).lines[-1]
    assert (without["container"]["name"], without["simulated"]) == ("cpu", False)


async def test_the_life_of_a_container(api: Api) -> None:
    await launched(api)
    assert [c["name"] for c in (await api.get("/v1/containers")).body] == ["thesis"]
    assert (await api.get("/v1/containers/thesis")).body["state"] == "running"
    assert (await api.post("/v1/containers/thesis/pause")).body["state"] == "paused"
    assert (await api.post("/v1/containers/thesis/unpause")).body["state"] == "running"
    stopped = (await api.post("/v1/containers/thesis/stop", {"grace_seconds": 1})).body
    assert (stopped["state"], stopped["reason"], stopped["lease"]) == ("stopped", "stopped by you", "held")
    started = (await api.post("/v1/containers/thesis/start")).body
    assert (started["container"]["state"], started["recreated"], started["notes"]) == ("running", False, [])
    preview = (await api.get("/v1/containers/thesis/retire")).body
    assert (preview["files_total"], preview["workspace"]) == (0, LAUNCH["workspace"])
    assert (await api.post("/v1/containers/thesis/retire", {"rescue": False})).body["freed"] == ["0"]
    assert (await api.get("/v1/containers")).body == []
    assert [c["state"] for c in (await api.get("/v1/containers?removed=1")).body] == ["removed"]
    story = (await api.get("/v1/containers/thesis/why")).body
    assert story["state"] == "removed"
    assert len(story["entries"]) > 5


async def test_remove_and_force(api: Api) -> None:
    await launched(api)
    refused = await api.call("DELETE", "/v1/containers/thesis")
    assert (refused.status, refused.error["code"]) == (409, "container.state")
    assert (await api.call("DELETE", "/v1/containers/thesis?force=1")).body["state"] == "removed"


async def test_images_and_gpus_and_limits(api: Api) -> None:
    await api.server.build()
    assert [image["project"] for image in (await api.get("/v1/images")).body] == ["thesis"]
    assert (await api.get("/v1/images/thesis")).body["reference"] == "ds01-1001/thesis:latest"
    assert (await api.get("/v1/images/ds01-1001/thesis:latest")).body["spec"] == "spec-1"
    assert (await api.get("/v1/images/thesis", uid=BOB.uid)).error["code"] == "image.unknown"
    assert (await api.get("/v1/images/settings")).body["bases"][0]["digest"].startswith("sha256:")
    assert (await api.get("/v1/images/settings?brief=1")).body["bases"][0]["digest"].startswith("sha256:")
    await launched(api, image="")
    refused = await api.call("DELETE", "/v1/images/thesis")
    assert (refused.error["code"], refused.error["hint"]) == ("image.in_use", "ds01 retire thesis")
    await api.post("/v1/containers/thesis/retire")
    assert (await api.call("DELETE", "/v1/images/thesis")).body["removed"] == ["ds01-1001/thesis:latest"]
    assert (await api.get("/v1/images")).body == []
    assert (await api.get("/v1/gpus")).body["free"] == 4
    assert (await api.get("/v1/leases")).body == []
    assert (await api.get("/v1/limits")).body["group"] == "student"
    assert (await api.get("/v1/limits/gpus.max")).body["source"] == "limits.yaml:3"
    assert (await api.get("/v1/limits/gpu.max")).error["code"] == "limits.unknown"
    assert (await api.get("/v1/status")).body["login"] == "alice"
    assert {check["state"] for check in (await api.get("/v1/doctor")).body["checks"]}


async def test_w5_everything_is_the_callers_own(api: Api) -> None:
    await launched(api)
    for path in ("", "/retire", "/why", "/stats"):
        assert (await api.get(f"/v1/containers/thesis{path}", uid=BOB.uid)).error["code"] == "container.unknown"
    for verb in ("start", "stop", "pause", "unpause", "retire"):
        answer = await api.post(f"/v1/containers/thesis/{verb}", uid=BOB.uid)
        assert answer.error["code"] == "container.unknown"
    assert (await api.call("DELETE", "/v1/containers/thesis?force=1", BOB.uid)).error["code"] == "container.unknown"
    assert (await api.get("/v1/containers", uid=BOB.uid)).body == []
    assert (await api.get("/v1/events", uid=BOB.uid)).body == []
    assert len((await api.get("/v1/events")).body) >= 4


@pytest.mark.parametrize("path", ["/v1/containers?all=1", "/v1/containers?user=alice", "/v1/leases?all=1",
                                  "/v1/events?all=1", "/v1/status?user=alice", "/v1/limits?user=root"])  # fmt: skip
async def test_only_admins_look_at_others(api: Api, path: str) -> None:
    refused = await api.get(path, uid=BOB.uid)
    assert (refused.status, refused.error["code"], refused.error["exit_code"]) == (403, "admin.only", 5)
    assert (await api.get(path, uid=ROOT.uid)).status == 200


async def test_an_admin_acts_for_a_user_and_that_is_told(api: Api) -> None:
    await launched(api)
    answer = await api.call("POST", "/v1/containers/thesis/stop?user=alice", ROOT.uid)
    assert answer.body["reason"] == "stopped by admin root"
    (event,) = (await api.get("/v1/events?type=container.stopped")).body
    assert (event["actor"], event["user"]) == ("root", "alice")


@pytest.mark.parametrize("uid", [ALICE.uid, BOB.uid, 4242])
@pytest.mark.parametrize("path", ["/v1/door/users/1001", "/v1/door/registry", "/v1/door/containers/x"])
async def test_only_the_gateway_passes_the_door(api: Api, path: str, uid: int) -> None:
    refused = await api.get(path, uid=uid)
    assert (refused.status, refused.error["code"]) == (403, "door.denied")


async def test_the_gateways_account_and_root_pass_the_door(api: Api) -> None:
    assert (await api.get("/v1/door/users/1001", uid=998)).body["login"] == "alice"
    assert (await api.get("/v1/door/users/1001", uid=0)).body["login"] == "alice"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "route.unknown"),
        ("GET", "/", None, 404, "route.unknown"),
        ("GET", "/docs", None, 404, "route.unknown"),
        ("GET", "/openapi.json", None, 404, "route.unknown"),
        ("PATCH", "/v1/containers", None, 404, "route.unknown"),
        ("POST", "/v1/launches", b"{", 400, "request.invalid"),
        ("POST", "/v1/launches", b"[]", 400, "request.invalid"),
        ("POST", "/v1/launches", b'{"project": 1}', 400, "request.invalid"),
        ("POST", "/v1/launches", b"", 400, "request.invalid"),
        ("POST", "/v1/launches", b"\xff\xfe", 400, "request.invalid"),
        ("GET", "/v1/containers?removed=perhaps", None, 400, "request.invalid"),
        ("GET", "/v1/events?limit=0", None, 400, "request.invalid"),
        ("GET", "/v1/jobs?limit=1001", None, 400, "request.invalid"),
        ("GET", "/v1/jobs?skip=100001", None, 400, "request.invalid"),
        ("GET", "/v1/containers?removed=1&skip=100001", None, 400, "request.invalid"),
        ("GET", "/v1/events?type=nonsense", None, 400, "request.invalid"),
        ("GET", "/v1/events?since=yesterday", None, 400, "request.invalid"),
        ("GET", "/v1/containers/none", None, 404, "container.unknown"),
        ("POST", "/v1/containers/%2e%2e%2fx/stop", None, 404, "container.unknown"),
        ("GET", "/v1/containers?user=nobody-here", None, 403, "admin.only"),
    ],
)
async def test_every_error_has_one_shape(
    api: Api, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = await api.call(method, path, raw=body)
    assert (answer.status, answer.error["code"]) == (status, code), answer.body
    assert answer.error.keys() == ERROR_FIELDS
    assert answer.error["message"].endswith((".", "?"))


async def test_a_uid_without_an_account_is_told_so(api: Api) -> None:
    answer = await api.get("/v1/containers", uid=4242)
    assert (answer.status, answer.error["code"]) == (404, "user.unknown")


async def test_a_connection_without_a_peer_is_nobodys(api: Api) -> None:
    answer = await api.get("/v1/containers", uid=None)
    assert (answer.status, answer.error["code"]) == (403, "door.denied")


async def test_a_mistake_of_ours_becomes_a_sentence_with_a_number(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    del api.server.directory.__dict__["_users"]
    answer = await api.get("/v1/containers")
    assert (answer.status, answer.error["code"]) == (500, "internal")
    number = answer.error["details"]["id"]
    assert number in answer.error["reason"]
    assert "Traceback" not in str(answer.body)
    assert [record.id for record in caplog.records if hasattr(record, "id")] == [number]


async def test_the_engine_is_gone_and_reads_go_on(api: Api) -> None:
    await launched(api)
    api.server.engine.go_away()
    assert [c["name"] for c in (await api.get("/v1/containers")).body] == ["thesis"]
    assert (await api.get("/v1/status")).status == 200
    refused = await api.post("/v1/containers/thesis/stop")
    assert (refused.status, refused.error["code"]) == (503, "engine.unreachable")
    assert refused.error["hint"]
