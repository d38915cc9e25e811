"""Targets in one spelling, versions in a range, and a table that refuses what it does not know."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from ds01.domain.dockerpolicy import query
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.routes import check_version, target
from ds01.gateway.table import ROUTES, TABLE
from tests.effort import not_for_hours

ID = "ab" * 32


@pytest.mark.parametrize(
    ("raw", "path", "version"),
    [
        ("/v1.41/containers/json?all=1", "/containers/json", (1, 41)),
        ("/containers/json", "/containers/json", None),
        ("/_ping", "/_ping", None),
        ("/v1.24/images/ds01/tiny:latest/json", "/images/ds01/tiny:latest/json", (1, 24)),
        ("/images/x%3Alatest/json", "/images/x:latest/json", None),
        ("/%63ontainers/json", "/containers/json", None),
        ("/networks/a%20b", "/networks/a b", None),
    ],
)
def test_c13_a_target_has_one_form(raw: str, path: str, version: tuple[int, int] | None) -> None:
    found = target(raw)
    assert (found.path, found.version) == (path, version)


@pytest.mark.parametrize(
    "raw",
    [
        "//containers/json", "/./containers/json", "/x/../containers/json", "/containers/..", "/%2e%2e/containers/json",
        "/containers%2fjson", "/containers/%00/json", "/containers/json/", "/V1.41/containers/json", "/v1/images/json",
        "/v01.41/containers/json", "/v1.041/containers/json", "/v1.41.0/containers/json", "/v1.41.0.0/containers/json",
        "/v1.411/containers/json", "/containers/%zz/json", "/containers/%c5%bf/json", "/containers/a b/json",
        "/v1.41/../containers/json", "/containers/a\\b/json", "/containers/a;b/json",
    ],
)  # fmt: skip
def test_c14_p10_p12_other_spellings_are_refused(raw: str) -> None:
    with pytest.raises(RefusedError) as caught:
        looked_up(raw)
    assert caught.value.status in (400, 403, 404)


def looked_up(raw: str) -> None:
    found = target(raw)
    check_version(found.version, (1, 41))
    TABLE.find("GET", found.path)


def test_a_path_in_another_form_is_refused_with_the_one_it_has() -> None:
    with pytest.raises(RefusedError) as caught:
        target("/containers//json")
    assert (caught.value.rule, caught.value.advice) == (
        "path.canonical", "Write it with single slashes, without '.' and '..', and without a slash at its end."
    )  # fmt: skip


def test_p10_a_version_within_a_version_is_no_route() -> None:
    with pytest.raises(RefusedError) as caught:
        TABLE.find("GET", target("/v1.41/v1.41/containers/json").path)
    assert caught.value.rule == "route.unknown"


@pytest.mark.parametrize("minor", [12, 18, 23])
def test_c15_p11_p12_versions_before_1_24_are_refused(minor: int) -> None:
    with pytest.raises(RefusedError) as caught:
        check_version((1, minor), (1, 41))
    assert (caught.value.rule, caught.value.status) == ("path.version.old", 400)


def test_p12_versions_after_the_newest_are_refused() -> None:
    for version in ((1, 42), (1, 99), (99, 0), (2, 0)):
        with pytest.raises(RefusedError):
            check_version(version, (1, 41))
    assert check_version((1, 24), (1, 41)) == (1, 24)
    assert check_version(None, (1, 41)) == (1, 41)


@pytest.mark.parametrize(
    ("method", "path", "rule"),
    [
        ("POST", "/plugins/pull", "plugins"), ("POST", "/plugins/create", "plugins"),
        ("DELETE", "/plugins/x", "plugins"),
        ("GET", "/plugins/privileges", "plugins"), ("POST", "/plugins/a/b:c/enable", "plugins"),
        ("GET", "/debug/pprof", "debug"), ("GET", "/debug/vars", "debug"), ("PUT", "/volumes/x", "volumes.cluster"),
        ("GET", f"/containers/{ID}/checkpoints", "checkpoints"),
        ("POST", f"/containers/{ID}/checkpoints", "checkpoints"),
        ("DELETE", f"/containers/{ID}/checkpoints/x", "checkpoints"), ("POST", f"/containers/{ID}/copy", "copy"),
    ],
)  # fmt: skip
def test_e25_e27_what_is_refused_is_refused_with_its_own_sentence(method: str, path: str, rule: str) -> None:
    route, _ = TABLE.find(method, path)
    assert route.refusal is not None
    assert (route.refusal.rule, route.name) == (rule, rule)


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/anything"), ("PATCH", "/info"), ("PUT", "/info")])
def test_what_has_no_route_is_refused(method: str, path: str) -> None:
    with pytest.raises(RefusedError) as caught:
        TABLE.find(method, path)
    assert (caught.value.rule, caught.value.status) == ("route.unknown", 403)


def test_swarm_is_answered_in_words_that_keep_clients_quiet() -> None:
    for path in ("/swarm/init", "/services/create", "/nodes", "/secrets/x", "/tasks", "/configs/create"):
        assert TABLE.find("POST", path)[0].name == "swarm"


def test_every_changing_route_is_recorded() -> None:
    quiet = {"containers.wait", "containers.resize", "exec.resize", "swarm"}
    for route in ROUTES:
        if route.method in ("POST", "PUT", "DELETE") and route.name not in quiet and route.refusal is None:
            assert route.recorded, route.name


def test_only_what_tells_nothing_is_open_to_anybody() -> None:
    assert {route.name for route in ROUTES if route.open} == {"ping", "version", "options"}


TOP, _ = TABLE.find("GET", f"/containers/{ID}/top")


@pytest.mark.parametrize(
    "words",
    ["aux", "-ef", "-o pid,user", "-e -o pid  -o user ", " -A -L", "-o user:20,pid,args", "auxww", "", "-aeFl -w",
     "-e -o etimes,pid:9,lstart -w -o cmd"],
)  # fmt: skip
def test_options_of_ps_are_read(words: str) -> None:
    assert query.judge(f"ps_args={words}", TOP.query).get("ps_args") == words


@pytest.mark.parametrize(
    "words",
    ["-oetimes=PID -e -H -oppid,exe,stackp,args", "-e -oppid=PID", "-o pid,ppid=PID", "-o pid=", "-eH", "-ef -H",
     "-opid -C sh", " -p 1", "-p1 -o pid", "aux f", "auxf", "-e -n", "-en", "-ax", "-f -o pid", "-lo pid",
     "-e -o lstart,user,s,pid", "-e -o args,pid", "-o comm,pid", "-o user", "-o user -o pid", "-o  pid", "-o", "-"],
)  # fmt: skip
def test_o18_ps_is_never_asked_for_processes_of_the_host(words: str) -> None:
    """What it refuses beside -q is asked again over all of them; what stands under PID must be the pid."""
    with pytest.raises(RefusedError) as caught:
        query.judge("ps_args=" + quote(words), TOP.query)
    assert caught.value.rule == "query.value"


@pytest.mark.parametrize("words", ["-oa" * 40 + "!", "-o a" * 1000 + "!", "-e " * 1000 + "!", "-o -e", "e", "-e-f"])
def test_options_of_ps_keep_nobody_waiting(words: str) -> None:
    with not_for_hours(), pytest.raises(RefusedError) as caught:
        query.judge(f"ps_args={words}", TOP.query)
    assert caught.value.rule == "query.value"
