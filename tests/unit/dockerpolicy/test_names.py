"""Names of containers and tags of images."""

from __future__ import annotations

import random

import pytest

from ds01.domain.dockerpolicy.names import container_name, invented
from ds01.domain.dockerpolicy.tags import check_writable, reference
from ds01.domain.dockerpolicy.verdict import RefusedError


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


@pytest.mark.parametrize("text", ["", "App", "a b", "a//b", "a@sha256:0", "../x", "a:", ":a", "a:b:c", "-a", "a" * 300])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        reference(text)


def may(ref: str, *, owner: int | None = None, exists: bool = False) -> int:
    try:
        check_writable(ref, 1002, owner, exists=exists, protected=("ds01/*", "pytorch/pytorch"))
    except RefusedError as error:
        return error.status
    return 200


def test_d20_nobody_writes_what_is_protected_or_anothers() -> None:
    assert may("app:latest") == 200
    assert may("app:latest", owner=1002, exists=True) == 200
    assert may("ds01-1002/thesis:latest") == 200
    assert may("app:latest", owner=1001, exists=True) == 409
    assert may("app:latest", owner=1001) == 409
    assert may("ubuntu:22.04", exists=True) == 409
    assert may("ds01/minimal:latest") == 403
    assert may("pytorch/pytorch:2.4") == 403
    assert may("ds01-1001/thesis:latest") == 403
