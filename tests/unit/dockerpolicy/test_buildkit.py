"""A build of BuildKit's: over a session, or from the body, and nothing in between."""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy.build import BUILD
from ds01.domain.dockerpolicy.buildkit import is_archive, judge_archive, judge_buildkit, parameters
from ds01.domain.dockerpolicy.query import Query, judge
from ds01.domain.dockerpolicy.verdict import RefusedError

SESSION = "a" * 26


def query(text: str) -> Query:
    return judge(f"version=2&{text}".rstrip("&"), BUILD)


def given(text: str, **facts: str) -> dict[str, str]:
    kit = judge_archive(query(text))
    found = parameters(kit, dockerfile=".ds01.x", owner={"ds01.owner.uid": "7"}, step_host="ds01-u7", account="7-0",
                       network="default", names={"a:latest": "ds01-u7/a:latest"}, **facts)  # fmt: skip
    return {name: ",".join(values) for name, values in found.items()}


def test_a_body_is_a_context_when_nothing_else_is_named() -> None:
    assert is_archive(query("t=a"))
    assert is_archive(query("remote=&session="))
    assert not is_archive(query(f"session={SESSION}"))
    assert not is_archive(query("remote=client-session"))
    for half in (f"session={SESSION}", "remote=client-session", ""):
        with pytest.raises(RefusedError) as refused:
            judge_buildkit(query(half))
        assert refused.value.rule == "build.session"


def test_what_the_engine_is_asked_for() -> None:
    asked = "t=a&dockerfile=sub/Dockerfile&nocache=1&cgroupparent=%2F&memory=5&cachefrom=%5B%22x%22%5D"
    found = given(f"{asked}&buildargs=%7B%22A%22%3A%221%22%2C%22BUILDKIT_CACHE_MOUNT_NS%22%3A%228-0%22%7D")
    assert found == {
        "version": "2", "t": "ds01-u7/a:latest", "dockerfile": ".ds01.x", "nocache": "1", "networkmode": "default",
        "buildargs": '{"A":"1","BUILDKIT_CACHE_MOUNT_NS":"7-0"}', "labels": '{"ds01.owner.uid":"7"}',
        "extrahosts": "ds01-u7:127.0.0.1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["networkmode=host", "networkmode=mine", "networkmode=container%3Ax", "extrahosts=a%3A10.0.0.1", "squash=1",
     "outputs=%5B%7B%22Type%22%3A%22local%22%7D%5D", "outputs=%5B%7B%22Type%22%3A%22image%22%7D%5D",
     "securityopt=%5B%22x%22%5D", "dockerfile=..%2Fx", "dockerfile=x.dockerignore", "t=Bad+Name"],
)  # fmt: skip
def test_what_an_archive_may_not_be_built_with(text: str) -> None:
    with pytest.raises(RefusedError):
        judge_archive(query(text))
