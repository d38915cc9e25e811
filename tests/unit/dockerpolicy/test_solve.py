"""A build of buildx's: decoded, judged, written anew."""

from __future__ import annotations

import json

import pytest

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.frontend import Marks, judge_frontend
from ds01.domain.dockerpolicy.protobuf import Field, of, of_mapping, render
from ds01.domain.dockerpolicy.registries import full_name
from ds01.domain.dockerpolicy.solve import (
    CONFIG_BYTES,
    PART_FIELDS,
    PARTS,
    judge_bridge_solve,
    judge_return,
    judge_solve,
)
from ds01.domain.dockerpolicy.sources import policy
from ds01.domain.dockerpolicy.verdict import RefusedError

PLATFORM = "linux/amd64"
MARKS = Marks(labels={"ds01.owner.uid": "1001"}, step_host="ds01-u1001", account="1001:0")
PLAIN = [of(1, "ref45678"), of(5, "s" * 25)]
IMAGE = of(13, render([of(1, "moby"), *of_mapping(2, {"name": "app,docker.io/library/b:1", "load": "true"})]))


def solve(*more: Field) -> list[Field]:
    found = judge_solve(render([*PLAIN, *more]), PLATFORM)
    return protobuf.fields(
        found.message(MARKS, policy({"ds01/tiny:latest": "ds01/tiny:latest"}), {"b:1": "ds01-u1001/b:1"})
    )


def test_a_plain_build_is_marked_as_its_owners() -> None:
    found = solve(IMAGE, of(6, "dockerfile.v0"), *of_mapping(7, {"filename": "Dockerfile", "build-arg:A": "1"}))
    options = protobuf.mapping(found, 7)
    assert options["add-hosts"] == "ds01-u1001=127.0.0.1"
    assert options["build-arg:A"] == "1"
    assert options["build-arg:BUILDKIT_CACHE_MOUNT_NS"] == "1001-0"
    assert options["label:ds01.owner.uid"] == "1001"
    assert options["cmdline"]
    exporter = protobuf.fields(next(field for field in found if field.number == 13).data)
    assert protobuf.mapping(exporter, 2) == {"name": "app:latest,ds01-u1001/b:1"}
    assert any(field.number == 12 for field in found)


@pytest.mark.parametrize(
    "more",
    [
        [of(9, "network.host")], [of(2, b"\x0a\x01x")], [of(10, b"\x0a\x01x")], [of(12, b"\x08\x01")], [of(14, 1)],
        [of(15, "x")], [of(99, 1)], [of(6, "gateway.v0")], [of(1, "another1")], [of(3, "oci")],
        [of(13, render([of(1, "moby"), *of_mapping(2, {"push": "true"})]))],
        [of(13, render([of(1, "moby"), *of_mapping(2, {"registry.insecure": "true"})]))],
        [of(13, render([of(1, "moby"), *of_mapping(2, {"name": "Bad Name"})]))],
        [IMAGE] * (PARTS + 1),
        [of(13, render([of(1, "moby"), *of_mapping(2, {f"name{n}": "" for n in range(PART_FIELDS)})]))],
        [of(8, render([of(4, render([of(1, "inline")]))] * (PARTS + 1)))],
        [of(8, render([of(1, "cache")]))], [of(8, render([of(4, render([of(1, "registry")]))]))],
    ],
)  # fmt: skip
def test_d15_g11_what_a_build_may_not(more: list[Field]) -> None:
    with pytest.raises(RefusedError):
        solve(*more)


@pytest.mark.parametrize(
    "option",
    [{"filename": "x.dockerignore"}, {"filename": "x.dockerignore/."},
     {"cgroup-parent": "/"}, {"force-network-mode": "host"}, {"add-hosts": "a=10.0.0.1"}, {"platform": "linux/arm64"},
     {"context": "https://x"}, {"context:a": "git://x"}, {"filename": "../x"}, {"filename": "/etc/passwd"},
     {"hostname": "x"}, {"unknown": "x"}, {"contextkey": "dockerfile"}, {"dockerfilekey": "context"},
     {"requestid": "other"}, {"build-arg:A": "a\x00b"}, {"target": "a b"}],
)  # fmt: skip
def test_options_that_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        judge_frontend(option, PLATFORM)


def test_options_that_are_left_out_or_overruled() -> None:
    found = judge_frontend(
        {"image-resolve-mode": "pull", "build-arg:BUILDKIT_SYNTAX": "x", "build-arg:BUILDKIT_CACHE_MOUNT_NS": "1-0",
         "build-arg:buildkit_sandbox_hostname": "x\n127.0.0.1 ds01-u1", "label:DS01.Owner.uid": "1", "cmdline": "x",
         "label:mine": "yes", "platform": PLATFORM, "force-network-mode": "none"}, PLATFORM,
    )  # fmt: skip
    made = found.finished(MARKS)
    assert made["build-arg:BUILDKIT_CACHE_MOUNT_NS"] == "1001-0"
    assert made["label:mine"] == "yes"
    assert made["force-network-mode"] == "none"
    assert not {"image-resolve-mode", "build-arg:BUILDKIT_SYNTAX", "label:DS01.Owner.uid", "platform"} & made.keys()
    assert "build-arg:buildkit_sandbox_hostname" not in made


def test_d23_contexts_by_name_need_an_engine_with_a_policy() -> None:
    """Where BuildKit keeps no policy, ``FROM mine`` would be whatever ``context:mine`` says."""
    judge_frontend({"filename": "Dockerfile"}, PLATFORM).check_unpoliced()
    for value in ("docker-image://alice/private", "local:other"):
        with pytest.raises(RefusedError):
            judge_frontend({"context:mine": value}, PLATFORM).check_unpoliced()


def test_the_second_step_is_marked_too() -> None:
    data = render([of(2, "dockerfile.v0"), *of_mapping(3, {"filename": "Dockerfile"}), of(5, 1), of(6, 1)])
    found = protobuf.fields(judge_bridge_solve(data, PLATFORM).message(MARKS))
    assert protobuf.mapping(found, 3)["add-hosts"] == "ds01-u1001=127.0.0.1"
    for more in ([of(1, b"\x0a\x01x")], [of(13, b"\x0a\x01x")], [of(15, b"\x08\x01")], [of(10, 1)]):
        with pytest.raises(RefusedError):
            judge_bridge_solve(render([of(2, "dockerfile.v0"), *more]), PLATFORM)
    with pytest.raises(RefusedError):
        judge_bridge_solve(render([of(1, b"\x0a\x01x")]), PLATFORM)


@pytest.mark.parametrize(
    "config",
    ['{"config":{"Labels":{"ds01.owner.uid":"7","a":"b"}}}', '{"Config":{"labels":{"ds01.owner.uid":"7","a":"b"}}}'],
)
def test_s5_the_result_has_its_owners_labels(config: str) -> None:
    metadata = of(10, render([of(1, "containerimage.config"), of(2, config)]))
    made = protobuf.fields(judge_return(render([of(1, render([of(3, render([of(1, "x")])), metadata]))]), MARKS.labels))
    inner = protobuf.fields(made[0].data)
    found = json.loads(dict(protobuf.pairs(inner, 10))["containerimage.config"])
    assert found == {"config": {"Labels": {"a": "b", "ds01.owner.uid": "1001"}}}


@pytest.mark.parametrize(
    "config",
    ["[]", "x", "{}" + " " * CONFIG_BYTES, '{"config":1}', '{"config":{},"CONFIG":{}}', '{"config":{"Labels":[1]}}'],
)
def test_a_result_that_cannot_be_read_is_refused(config: str) -> None:
    metadata = of(10, render([of(1, "containerimage.config/linux/amd64"), of(2, config)]))
    with pytest.raises(RefusedError):
        judge_return(render([of(1, render([metadata]))]), MARKS.labels)


def test_names_are_written_as_buildkit_writes_them() -> None:
    names = {
        "a:1": "docker.io/library/a:1", "a/b:1": "docker.io/a/b:1", "h:5000/a:1": "h:5000/a:1", "r.io/a:1": "r.io/a:1",
        "localhost/a:1": "localhost/a:1", "a@sha256:0": "docker.io/library/a@sha256:0",
    }  # fmt: skip
    assert {name: full_name(name) for name in names} == names


def test_d23_the_policy_begins_with_nothing() -> None:
    rules = [protobuf.fields(field.data) for field in protobuf.fields(policy({"a:1": "a:1"})) if field.number == 2]
    assert protobuf.one(rules[0], 1) == of(1, 1)
    selectors = [protobuf.text(protobuf.fields(rule[-1].data), 1) for rule in rules]
    assert selectors == ["*", "local://*", "docker-image://docker.io/library/a:1"]


def test_d23_a_name_is_converted_to_the_one_that_means_exactly_its_image() -> None:
    """What anybody has under it otherwise is not among the sources any more."""
    found = policy({"a:1": "ds01-u1001/a:1", "team/b:2": "team/b:2"})
    rules = [protobuf.fields(field.data) for field in protobuf.fields(found) if field.number == 2]
    said = [
        (
            next((each.count for each in rule if each.number == 1), 0),
            protobuf.text(protobuf.fields(next(each for each in rule if each.number == 2).data), 1),
            [protobuf.text(protobuf.fields(each.data), 1) for each in rule if each.number == 3],
        )
        for rule in rules
    ]
    assert said == [
        (1, "*", []), (0, "local://*", []), (0, "docker-image://docker.io/ds01-u1001/a:1", []),
        (0, "docker-image://docker.io/team/b:2", []),
        (2, "docker-image://docker.io/library/a:1", ["docker-image://docker.io/ds01-u1001/a:1"]),
    ]  # fmt: skip
