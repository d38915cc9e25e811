"""Answers as their user knows things, and nothing of anybody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.image_access import EVERYBODY
from ds01.gateway.buildlog import BuildLines
from ds01.gateway.denied import message_body
from ds01.gateway.door import Door
from ds01.gateway.registry import Registry
from ds01.gateway.show import View
from ds01.wire.door import DoorContainer, DoorImage, DoorUser

ALICE = DoorUser(uid=1001, gid=1001, login="alice", admin=False)
MALLORY = DoorUser(uid=1002, gid=1002, login="mallory", admin=False)
ADMIN = DoorUser(uid=9, gid=9, login="root2", admin=True)
V, MINE, LEGACY = "a" * 64, "b" * 64, "c" * 64
STAGED = "/run/ds01/binds/1002/k/0"


def registry() -> Registry:
    found = Registry(Door("/nowhere"))
    found.learn(DoorContainer(id=V, uid=1001, name="web", stored_name="web._.1001", image_ref="alice/app"))
    found.learn(
        DoorContainer(
            id=MINE, uid=1002, name="web", stored_name="web._.1002", image_ref="bb:1", binds={STAGED: "/home/m"}
        )
    )
    found.learn(DoorImage(id="sha256:shared", refs={"ds01/tiny:latest": EVERYBODY, "alice/x:1": "1001:0"}))
    found.learn(DoorImage(id="sha256:alice", owners=("1001:0",), refs={"alice/app:latest": "1001:0"}))
    return found


def rows() -> list[dict[str, Any]]:
    return [
        {"Id": V, "Names": ["/web._.1001"], "Image": "sha256:1", "Labels": {}},
        {"Id": MINE, "Names": ["/web._.1002"], "Image": "sha256:1", "Mounts": [{"Source": STAGED}],
         "Labels": {"ds01.lease": "", "ds01.name": "web", "a": ""}},
        {"Id": LEGACY, "Names": ["/legacy"], "Image": "x", "Labels": {"ds01.owner.uid": "1002"}},
    ]  # fmt: skip


def test_o15_o27_rows_of_others_and_of_nobody_are_dropped() -> None:
    found = View(registry(), MALLORY).rows(rows())
    assert [row["Id"] for row in found] == [MINE]
    assert found[0]["Names"] == ["/web"]
    assert found[0]["Image"] == "bb:1"
    assert found[0]["Mounts"] == [{"Source": "/home/m"}]
    assert found[0]["Labels"] == {"a": ""}


def own() -> Registry:
    """What two people call ``app``, and what everybody calls ``lib``: Mallory has one of her own by that name."""
    found = registry()
    found.learn(DoorImage(id="sha256:a", owners=("1001:0",), refs={"app:latest": "1001:0"}))
    refs = {"ds01-u1002/app:latest": "1002:0", "ds01-u1002/lib:1": "1002:0", "app:latest": "1001:0"}
    found.learn(DoorImage(id="sha256:b", owners=("1002:0",), refs=refs))
    found.learn(DoorImage(id="sha256:lib", refs={"lib:1": EVERYBODY, "ds01-u1001/lib:1": "1001:0"}))
    return found


def tags(user: DoorUser) -> dict[str, list[str]]:
    every = [("a", ["app:latest"]), ("b", ["ds01-u1002/app:latest", "ds01-u1002/lib:1"]),
             ("lib", ["lib:1", "ds01-u1001/lib:1"])]  # fmt: skip
    found = View(own(), user).images([{"Id": f"sha256:{id_}", "RepoTags": refs} for id_, refs in every])
    return {row["Id"].removeprefix("sha256:"): row["RepoTags"] for row in found}


def test_d20_images_are_told_by_what_each_calls_them() -> None:
    """One of her own hides what everybody has under that name; an admin sees names as the engine has them."""
    assert tags(MALLORY) == {"b": ["app:latest", "lib:1"], "lib": []}
    assert tags(ALICE) == {"a": ["app:latest"], "lib": ["lib:1"]}
    assert tags(ADMIN)["b"] == ["ds01-u1002/app:latest", "ds01-u1002/lib:1"]
    assert own().own_images(MALLORY) == {"app:latest": "ds01-u1002/app:latest", "lib:1": "ds01-u1002/lib:1"}
    assert own().own_images(ALICE) == {"lib:1": "ds01-u1001/lib:1"}


def test_o17_events_have_the_names_she_knows_and_of_others_there_are_none() -> None:
    def heard(user: DoorUser, image: str, name: str) -> str:
        event = {"Type": "image", "id": image, "Actor": {"ID": image, "Attributes": {"name": name}}}
        line = View(own(), user).event_line(json.dumps(event).encode())
        return str(json.loads(line)["Actor"]["Attributes"]["name"]) if line else ""

    assert heard(MALLORY, "sha256:b", "ds01-u1002/app:latest") == "app:latest"
    assert heard(ALICE, "sha256:a", "app:latest") == "app:latest"
    assert heard(ALICE, "sha256:b", "ds01-u1002/app:latest") == ""
    assert heard(MALLORY, "sha256:lib", "ds01-u1001/lib:1") == ""
    assert heard(MALLORY, "sha256:lib", "lib:1") == ""


def test_an_admin_sees_everybodys_by_their_stored_names() -> None:
    found = View(registry(), ADMIN).rows(rows())
    assert [row["Names"] for row in found] == [["/web._.1001"], ["/web._.1002"], ["/legacy"]]


def test_an_inspected_container_is_as_its_owner_made_it() -> None:
    known = registry()
    container = known.by_id(MALLORY, MINE)
    assert container is not None
    found = View(known, MALLORY).inspected(
        {"Name": "/web._.1002", "Config": {"Image": "sha256:1", "Labels": {"ds01.spec": ""}},
         "Mounts": [{"Source": STAGED}], "HostConfig": {"Mounts": [{"Source": STAGED}]}},
        container,
    )  # fmt: skip
    assert found["Name"] == "/web"
    assert found["Config"] == {"Image": "bb:1", "Labels": {}}
    assert found["HostConfig"]["Mounts"] == found["Mounts"] == [{"Source": "/home/m"}]


def event(kind: str, subject: str, **attributes: str) -> bytes:
    return json.dumps({"Type": kind, "Action": "x", "Actor": {"ID": subject, "Attributes": attributes}}).encode()


def test_a_rename_tells_both_names_as_its_owner_knows_them() -> None:
    """The engine tells of it before DS01 has the new name in its books."""
    renamed = event("container", MINE, name="site._.1002", oldName="/web._.1002")
    told = json.loads(View(registry(), MALLORY).event_line(renamed))["Actor"]["Attributes"]
    assert told == {"name": "site", "oldName": "/web", "image": "bb:1"}


@pytest.mark.parametrize("user", [MALLORY, ADMIN])
@pytest.mark.parametrize(
    ("wanted", "heard"),
    [(["bb:1"], True), (["bb"], True), (["b", "bb"], True), ([MINE], True), (["bb:2"], False), (["b"], False)],
)
def test_events_of_an_image_are_those_of_its_containers_too(user: DoorUser, wanted: list[str], heard: bool) -> None:
    """The engine is asked to make them of an image's id."""
    line = event("container", MINE, name="web._.1002", image="sha256:1")
    assert bool(View(registry(), user).event_line(line, wanted)) is heard


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [(["app:latest"], True), (["app"], True), (["sha256:b"], True), (["lib"], False), (["ds01-u1002/app"], False)],
)
def test_events_of_an_image_are_found_by_the_name_she_knows(wanted: list[str], heard: bool) -> None:
    line = event("image", "sha256:b", name="ds01-u1002/app:latest")
    assert bool(View(own(), MALLORY).event_line(line, wanted)) is heard


def test_what_ds01_added_is_not_shown_as_asked() -> None:
    ends = {
        "none": {"Aliases": ["web", "web", "db"], "DNSNames": ["web._.1002", "web", "db", "b" * 12]},
    }
    log = {"Type": "json-file", "Config": {"max-file": "5", "max-size": "6000000b"}}
    found = {"Id": MINE, "Name": "/web._.1002", "HostConfig": {"LogConfig": log}, "NetworkSettings": {"Networks": ends}}
    known = registry().by_id(MALLORY, MINE)
    assert known is not None
    shown = View(registry(), MALLORY).inspected(found, known)
    assert shown["NetworkSettings"]["Networks"] == {
        "none": {"Aliases": ["web", "db"], "DNSNames": ["web", "db", "b" * 12], "Links": None}
    }
    assert shown["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "5"}}


def test_o17_events_of_others_are_not_heard() -> None:
    view = View(registry(), MALLORY)
    heard = json.loads(view.event_line(event("container", MINE, name="web._.1002", image="sha256:1")))
    assert heard["Actor"]["Attributes"] == {"name": "web", "image": "bb:1"}
    for line in (
        event("container", V, name="web._.1001"), event("container", LEGACY), event("network", "n", container=V),
        event("volume", "v"), event("image", "sha256:alice"), event("image", "alice/app:latest"), event("daemon", "d"),
        event("container", "", name=MINE), b"no json", b"[]", b'{"Type":"container"}', b"",
    ):  # fmt: skip
        assert view.event_line(line) == b"", line
    assert view.event_line(event("image", "ds01/tiny:latest")) != b""


def test_o21_images_and_names_of_others_are_not_listed() -> None:
    def listed() -> list[dict[str, Any]]:
        return [
            {"Id": "sha256:shared", "RepoTags": ["ds01/tiny:latest", "alice/x:1", "ds01/x:1"],
             "RepoDigests": ["ds01/tiny@sha256:1", "alice/x@sha256:1"]},
            {"Id": "sha256:alice", "RepoTags": ["alice/app:latest"]},
            {"Id": "sha256:nobody", "RepoTags": ["x:1"]},
            {"Id": "sha256:step", "RepoTags": None, "Labels": {"ds01.owner.uid": "1002", "ds01.owner.epoch": "0"}},
        ]  # fmt: skip

    shown = View(registry(), MALLORY).images(listed())
    assert [row["Id"] for row in shown] == ["sha256:shared", "sha256:step"]
    assert shown[0]["RepoTags"] == ["ds01/tiny:latest"]
    assert shown[0]["RepoDigests"] == ["ds01/tiny@sha256:1"]
    assert len(View(registry(), ADMIN).images(listed())) == 4


def test_p23_a_refusals_text_cannot_break_out_of_its_json() -> None:
    body = message_body(RefusedError("x.y", 'a"\r\nSet-Cookie: b\u2028', "c").message)
    assert b"\r" not in body
    assert body.count(b"\n") == 1
    assert json.loads(body)["message"].startswith('DS01: a"\r\nSet-Cookie')


def test_a_builds_log_hides_our_steps_and_numbers_the_rest() -> None:
    lines = BuildLines()
    lines.shown = ("FROM bb", None, "RUN x", None)
    told = ["Step 1/4 : FROM sha256:1", "\n", " ---> 1", "\n", "Step 2/4 : LABEL a=b", "\n", " ---> Running in 2",
            "Removing intermediate container 2\n", " ---> 3", "\n", "Step 3/4 : RUN x", "\n", "Step 9/9 : out\n",
            "Step 4/4 : LABEL a=b", " ---> 4", "Successfully built 4\n"]  # fmt: skip
    out = b"".join(lines.line(json.dumps({"stream": text}).encode()) for text in told)
    seen = [json.loads(line)["stream"] for line in out.splitlines()]
    assert seen == ["Step 1/2 : FROM bb", "\n", " ---> 1", "\n", "Step 2/2 : RUN x", "\n", "Step 9/9 : out\n",
                    "Successfully built 4\n"]  # fmt: skip
    assert lines.line(b'{"aux":{"ID":"sha256:4"}}') == b'{"aux":{"ID":"sha256:4"}}\r\n'
    assert lines.line(b'{"error":"x"}') == b'{"error":"x"}\r\n'
