"""Parameters and filters that the engine's documentation has, from API 1.24 to 1.55: passed, or refused with a rule."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from ds01.domain.dockerpolicy import query
from ds01.domain.dockerpolicy.platform import variant
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.image_access import EVERYBODY
from ds01.gateway.door import Door
from ds01.gateway.registry import Registry
from ds01.gateway.show import View
from ds01.gateway.table import TABLE
from ds01.wire.door import DoorContainer, DoorImage, DoorUser
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

ARM = '{"architecture":"arm64","os":"linux"}'
SHARED = DoorImage(id="sha256:1", refs={"bb:latest": EVERYBODY})
MALLORY = DoorUser(uid=UID, gid=UID, login="mallory", admin=False)

FILTERS = {
    "GET /containers/json": "ancestor before expose exited health id isolation is-task label name network publish "
    "since status volume",
    "POST /containers/prune": "until label label!",
    "GET /images/json": "before dangling label label! reference since until",
    "POST /images/prune": "dangling until label label!",
    "GET /images/search": "is-automated is-official stars",
    "GET /networks": "dangling driver id label name scope type",
    "POST /networks/prune": "until label label!",
    "GET /volumes": "dangling driver label name",
    "POST /volumes/prune": "all label label!",
    "POST /build/prune": "description id inuse parent private shared type unused-for until",
    "GET /events": "config container daemon event image label network node plugin scope secret service type volume",
    "GET /plugins": "capability enable",
}

PARAMETERS: dict[str, list[tuple[str, str]]] = {
    "GET /containers/json": [("all", "1"), ("limit", "3"), ("size", "1")],
    "GET /images/json": [(name, "1") for name in ("all", "digests", "shared-size", "manifests", "identity")],
    "GET /images/x/json": [("platform", ARM), ("manifests", "1")],
    "GET /images/x/history": [("platform", ARM)],
    "GET /images/x/attestations": [("platform", ARM), ("type", "a"), ("type", "b"), ("statement", "1")],
    "GET /images/get": [("names", "a"), ("names", "b"), ("platform", ARM), ("platform", ARM)],
    "GET /images/x/get": [("platform", ARM), ("platform", ARM)],
    "POST /images/load": [("quiet", "1"), ("platform", ARM), ("platform", ARM)],
    "POST /images/x/push": [("tag", "1"), ("platform", ARM)],
    "DELETE /images/x": [("force", "1"), ("noprune", "1")],
    "GET /system/df": [("verbose", "1"), ("type", "image"), ("type", "build-cache")],
    "POST /build/prune": [("all", "1"), ("keep-storage", "1"), ("reserved-space", "1"), ("max-used-space", "1"),
                          ("min-free-space", "1")],
    "POST /containers/x/stop": [("t", "1"), ("signal", "TERM")],
    "POST /containers/x/restart": [("t", "1"), ("signal", "TERM")],
    "GET /networks/x": [("verbose", "1"), ("scope", "local")],
}  # fmt: skip


def judged(asked: str, raw: str) -> query.Query:
    method, path = asked.split(" ")
    return query.judge(raw, TABLE.find(method, path)[0].query)


@pytest.mark.parametrize("asked", FILTERS)
def test_every_filter_that_is_documented_is_one(asked: str) -> None:
    wanted = {name: ["x"] for name in FILTERS[asked].split()}
    assert judged(asked, f"filters={quote(json.dumps(wanted))}").filters == wanted


@pytest.mark.parametrize("asked", PARAMETERS)
def test_every_parameter_that_is_documented_passes(asked: str) -> None:
    assert judged(asked, urlencode(PARAMETERS[asked])).values == parse_qs(urlencode(PARAMETERS[asked]))


def test_a_platform_is_written_anew_or_refused() -> None:
    told = '{"os":"linux", "architecture":"arm64","variant":"v8", "os.features":["x"]}'
    assert json.loads(variant("platform", told)) == json.loads(told)
    for text in ("linux/arm64", "[]", '{"os":1}', '{"os":"a\\nb"}', '{"OS":"linux"}', '{"os.features":"x"}',
                 '{"os.features":[1]}', '{"os":"linux","os":"x"}'):  # fmt: skip
        with pytest.raises(RefusedError):
            variant("platform", text)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        made.registry.people.changed()
        made.registry.learn(SHARED)
        found = as_json({"Id": SHARED.id, "RepoTags": ["bb:latest"]})
        made.engine.answers |= {
            "/images/bb/json": found, "/images/bb:latest/json": found, f"/images/{SHARED.id}/json": found,
            "/history": as_json([]), "/attestations": as_json([]), "/get": plain(200), "/push": plain(200),
        }  # fmt: skip
        yield made


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        ("GET /images/bb/json", f"/{SHARED.id}/json"), ("GET /images/bb/history", "/history"),
        ("GET /images/bb/attestations", "/attestations"), ("GET /images/bb/get", "/images/get"),
        ("POST /images/bb/push?tag=latest", "/push"),
    ],
)  # fmt: skip
async def test_the_platform_of_an_image_is_the_engines_to_choose(place: Farm, asked: str, end: str) -> None:
    method, path = asked.split(" ")
    status, _ = await place.ask(method, f"{path}{'&' if '?' in path else '?'}platform={quote(ARM)}")
    sent = [urlsplit(each.split(" ")[1]) for each in place.engine.asked]
    assert (status, [parse_qs(each.query).get("platform") for each in sent if each.path.endswith(end)]) == (
        200,
        [[ARM]],
    )


async def test_one_platform_is_not_taken_from_an_image_that_others_may_have(place: Farm) -> None:
    status, found = await place.ask("DELETE", f"/images/bb?platforms={quote(ARM)}")
    assert (status, found["message"]) == (
        403, "DS01: removing one platform of an image is not allowed here (images.platforms). Others may have that "
        "image, all of it. Remove your name of it: docker rmi NAME. More: ds01 why-refused",
    )  # fmt: skip
    assert not place.engine.asked


@pytest.mark.parametrize(("version", "asked"), [("1.24", True), ("1.41", False)])
async def test_old_clients_ask_for_a_name_without_filters(place: Farm, version: str, asked: bool) -> None:
    place.engine.answers["/images/json"] = as_json([])
    assert (await place.get(f"/v{version}/images/json?filter=bb"))[0] == 200
    assert ("reference" in place.engine.asked[-1]) is asked
    assert "filter=" not in place.engine.asked[-1]


def test_the_parts_of_an_image_tell_nothing_of_others() -> None:
    known = Registry(Door("/nowhere"))
    known.learn(DoorContainer(id=MINE, uid=UID, name="web", stored_name=f"web._.{UID}"))
    told: dict[str, Any] = {
        "Signature": [{"Name": "x"}],
        "Pull": [{"Repository": "private/x"}],
        "Build": [{"Ref": "y"}],
    }
    part = {"Kind": "image", "ImageData": {"Containers": [MINE, "c" * 64], "Identity": told}}
    found = {"Id": SHARED.id, "RepoTags": [], "Identity": told, "Manifests": [part, {"Kind": "attestation"}]}
    shown = View(known, MALLORY).image(found, SHARED)
    assert shown["Identity"] == shown["Manifests"][0]["ImageData"]["Identity"] == {"Signature": [{"Name": "x"}]}
    assert shown["Manifests"][0]["ImageData"]["Containers"] == [MINE]
