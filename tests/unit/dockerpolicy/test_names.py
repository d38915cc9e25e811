"""Names of containers and tags of images."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.names import container_name, invented
from ds01.domain.dockerpolicy.registries import (
    address_of,
    credentials,
    credentials_for,
    registry_of,
    searched,
    secret,
)
from ds01.domain.dockerpolicy.tags import Standing, Write, check_writable, engine_name, joined, looked_up, reference
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.image import ImageId, Provenance, Tag, covers
from ds01.domain.people import Uid
from ds01.domain.settings import ImageSettings


@pytest.mark.parametrize("name", ["web", "/web", "My_App.1", "abcde", "deadbeef1x", "a" * 128])
def test_docker_names_are_names(name: str) -> None:
    assert container_name(name) == name.removeprefix("/")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "-x",
        "a b",
        "a/b",
        "a\nb",
        "deadbeef",
        "abcdef",
        "0" * 64,
        "123456",
        "x._.1001",
        "ünï",
        "a" * 129,
        "//a",
    ],
)
def test_o22_p23_names_that_could_mislead_are_refused(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        container_name(name)
    assert caught.value.status == 400


def test_invented_names_are_names() -> None:
    choose = random.Random(1)
    for _ in range(50):
        name = invented(choose)
        assert container_name(name) == name


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("app", "app:latest"),
        ("app:1", "app:1"),
        ("docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("docker.io/me/app", "me/app:latest"),
        ("library/ubuntu:22.04", "ubuntu:22.04"),
        ("library/me/app", "library/me/app:latest"),
        ("localhost/library/x", "localhost/library/x:latest"),
        ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("ds01-1002/thesis", "ds01-1002/thesis:latest"),
    ],
)
def test_a_tag_has_one_form(text: str, ref: str) -> None:
    assert reference(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "App",
        "a b",
        "a//b",
        "a@sha256:0",
        "../x",
        "a:",
        ":a",
        "a:b:c",
        "python:3:3.11",
        "a:1/b:2/c",
        "-a",
        "a" * 300,
    ],
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        reference(text)


IMAGE = ImageId("sha256:1")
SETTINGS = ImageSettings(protected=("ds01/*", "pytorch/pytorch"))


def of(owner: int | None, provenance: Provenance = Provenance.USER) -> Tag:
    return Tag(ref="app:latest", image=IMAGE, provenance=provenance, owner=None if owner is None else Uid(owner))


def may(ref: str, there: Standing | None = None, *, pulled: bool = False, image: str = "") -> int:
    wish = Write(ref=ref, uid=1002, pulled=pulled, image=image)
    try:
        check_writable(wish, there or Standing(), SETTINGS)
    except RefusedError as error:
        return error.status
    return 200


def test_d20_nobody_writes_what_is_protected_or_anothers() -> None:
    assert may("app:latest") == 200
    assert may("app:latest", Standing(image=IMAGE, tag=of(1002))) == 200
    assert may("ds01-1002/thesis:latest") == 200
    assert may("app:latest", Standing(image=IMAGE, tag=of(1001))) == 409
    assert may("app:latest", Standing(writer=1001)) == 409
    assert may("app:latest", Standing(writer=1002)) == 200
    assert may("ubuntu:22.04", Standing(image=IMAGE)) == 409
    assert may("ds01/minimal:latest") == 403
    assert may("ds01/minimal:latest", pulled=True) == 403
    assert may("python:3.12-slim", pulled=True) == 200
    assert may("pytorch/pytorch:2.4") == 403
    assert may("ds01-1001/thesis:latest") == 403


def test_what_was_pulled_is_written_over_by_registries_and_by_who_has_it_alone() -> None:
    for provenance in (Provenance.REGISTRY, Provenance.PRIVATE):
        tag = of(None, provenance)
        assert may("app:latest", Standing(image=IMAGE, tag=tag), pulled=True) == 200
        assert may("app:latest", Standing(image=IMAGE, tag=tag)) == 409
        assert may("app:latest", Standing(image=IMAGE, tag=tag, alone=True)) == 200
        assert may("app:latest", Standing(image=IMAGE, tag=tag), image=IMAGE) == 200
        assert may("app:latest", Standing(image=IMAGE, tag=tag), image="sha256:2") == 409
    assert may("app:latest", Standing(image=IMAGE, tag=of(None, Provenance.ADMIN)), pulled=True) == 409
    assert may("app:latest", Standing(writer=1001, pulling=True), pulled=True) == 200
    assert may("app:latest", Standing(writer=1001, pulling=True)) == 409
    assert may("app:latest", Standing(writer=1001)) == 409
    for there in (Standing(image=IMAGE, tag=of(1001)), Standing(writer=1001)):
        assert may("app:latest", there, pulled=True) == 200  # what she wrote moves into her own name space
    former = of(None)
    assert may("app:latest", Standing(image=IMAGE, tag=former, alone=True), pulled=True) == 409


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("name", "tag", "ref"),
    [
        ("busybox", "1", "busybox:1"),
        ("busybox:1", "", "busybox:1"),
        ("docker.io/library/busybox", "1", "busybox:1"),
        ("busybox", DIGEST, f"busybox@{DIGEST}"),
        (f"busybox@{DIGEST}", "", f"busybox@{DIGEST}"),
        (f"localhost:5000/a/busybox:1@{DIGEST}", "", f"localhost:5000/a/busybox@{DIGEST}"),
    ],
)
def test_a_name_in_two_parts_is_one_name(name: str, tag: str, ref: str) -> None:
    assert joined(name, tag) == ref


@pytest.mark.parametrize(
    ("name", "tag"),
    [("busybox@sha256:12", ""), (f"busybox@sha512:{'a' * 64}", ""), ("busybox:x/y", "2"), ("", "1"), ("b" * 64, "1")],
)
def test_what_is_no_name_in_two_parts_is_refused(name: str, tag: str) -> None:
    with pytest.raises(RefusedError):
        joined(name, tag)
    assert looked_up("a b") == ""


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("busybox", "docker.io"),
        ("me/app:1", "docker.io"),
        ("index.docker.io/library/x", "docker.io"),
        ("localhost/x", "localhost"),
        ("10.0.0.1/x", "10.0.0.1"),
        ("lab:5000/x", "lab:5000"),
        ("registry.lab/x/y", "registry.lab"),
    ],
)
def test_d25_a_name_says_its_registry(name: str, host: str) -> None:
    assert registry_of(name) == host
    assert searched(name) == host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("127.0.0.1:6379", "127.0.0.1:6379"),
        ("http://169.254.169.254/latest", "169.254.169.254"),
        ("Registry.Lab:5000", "registry.lab:5000"),
    ],
)
def test_d25_a_login_says_its_registry(text: str, host: str) -> None:
    assert address_of(text) == host


@pytest.mark.parametrize(
    "text", ["ftp://x", "https://docker.io@10.0.0.1/", "//", "gopher://docker.io", "https://[", "["]
)
def test_d25_addresses_that_mislead_are_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        address_of(text)


@pytest.mark.parametrize("other", ["[", "ftp://x"])
def test_a_password_for_what_cannot_be_read_hides_no_other(other: str) -> None:
    header = base64.b64encode(f'{{"{other}":{{"password":"a"}},"docker.io":{{"password":"b"}}}}'.encode()).decode()
    assert credentials_for(header, "docker.io") == {"password": "b"}


def test_a_password_is_told_from_none() -> None:
    assert not secret(credentials(""))
    assert not secret(credentials("e30="))
    assert not secret(credentials("not base64!"))
    assert not secret(credentials(base64.b64encode(b'{"serveraddress":"x"}').decode()))
    assert secret(credentials(base64.b64encode(b'{"username":"a","password":"b\xc3\xbf?"}').decode()))
    assert credentials(base64.urlsafe_b64encode(b'{"identitytoken":"??>>"}').decode()) == {"identitytoken": "??>>"}


def test_d20_every_tag_of_a_repository_is_each_of_them() -> None:
    assert may("lab/tool:*", pulled=True) == 200
    assert may("ds01/x:*", pulled=True) == 403
    assert may("pytorch/pytorch:*", pulled=True) == 403
    one = ImageSettings(protected=("lab/tool:1",))
    with pytest.raises(RefusedError):
        check_writable(Write(ref="lab/tool:*", uid=1002, pulled=True), Standing(), one)
    assert covers({"lab/tool:*"}, "lab/tool:1")
    assert covers({"lab/tool:1"}, "lab/tool:*")
    assert covers({"a:1", "b:2"}, "b:2")
    assert not covers({"lab/tool:*"}, "lab/tools:1")
    assert not covers({"lab/tool:2"}, "lab/tool:1")


def test_a_name_that_is_taken_is_not_invented_again() -> None:
    taken = invented(random.Random(1))
    assert invented(random.Random(1)) == taken
    assert invented(random.Random(1), {taken}) != taken


@pytest.mark.parametrize("name", ["docker.io/docker.io/app", "index.docker.io/docker.io/ds01-u1001/app:1",
                                  "docker.io/index.docker.io/ds01/minimal"])  # fmt: skip
def test_a_registry_in_front_of_a_registry_hides_no_name(name: str) -> None:
    with pytest.raises(RefusedError):
        reference(name)
    assert looked_up(name) == ""


@given(st.lists(st.sampled_from(["docker.io", "index.docker.io", "library", "app", "ds01", "ds01-u1001"]), max_size=5))
def test_what_is_sent_to_the_engine_means_there_what_was_judged(parts: list[str]) -> None:
    name = "/".join([*parts, "app"])
    try:
        judged = engine_name(name)
    except RefusedError:
        return
    assert engine_name(judged) == judged
