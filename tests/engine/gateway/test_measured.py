"""``system df``, ``OPTIONS``, what is refused: the routes that are of nothing in particular."""

from __future__ import annotations

import json

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, User

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_o21_system_df_measures_ones_own(mallory: User, alice: User, victim: Victim, client: str) -> None:
    alice.docker("volume", "create", "hers")
    mallory.docker("run", "--name", "wrote", "-v", "mine:/v", IMAGE, "sh", "-c", "echo x > /v/y; echo y > /tmp/z")
    shown = mallory.docker("system", "df", "-v", client=client)
    assert shown.code == 0, shown.err
    assert "mine" in shown.out
    assert "wrote" in shown.out
    assert victim.id[:12] not in shown.out
    assert "hers" not in shown.out
    assert victim.image not in shown.out
    raw = mallory.call("GET", "/v1.41/system/df").json
    assert [row["Name"] for row in raw["Volumes"]] == ["mine"]
    assert raw["Volumes"][0]["UsageData"]["Size"] > 0
    others = {row["ID"] for row in alice.call("GET", "/v1.41/system/df").json["BuildCache"]}
    assert others.isdisjoint(row["ID"] for row in raw["BuildCache"])
    assert "._." not in json.dumps(raw)
    alice.docker("volume", "rm", "hers")
    mallory.docker("rm", "-fv", "wrote")
    assert "mine" in mallory.docker("volume", "prune", "-f", client=client).out


def test_options_are_answered_here(mallory: User) -> None:
    for path in ("/", "/containers/json", "/v1.41/anything"):
        assert mallory.call("OPTIONS", path).status == 200


def test_e25_e26_e27_each_refusal_has_its_sentence(mallory: User, field: Ground) -> None:
    mine = mallory.runs("mine")
    for method, path, words in (
        ("POST", "/v1.41/plugins/pull?remote=x&name=y", "run as root"),
        ("POST", "/v1.41/plugins/create?name=x", "run as root"),
        ("POST", f"/v1.41/containers/{mine}/checkpoints", "freezing a container"),
        ("POST", f"/v1.24/containers/{mine}/copy", "docker cp"),
        ("GET", "/debug/pprof/goroutine", "the engine itself"),
    ):
        found = mallory.call(method, path)
        assert (found.status, words in found.message) == (403, True), found.body
    assert mallory.call("GET", "/v1.41/plugins").json == []
    swarm = mallory.call("POST", "/v1.41/swarm/init", {"ListenAddr": "0.0.0.0:2377"})
    assert swarm.status == 403
    services = mallory.call("GET", "/v1.41/services")
    assert (services.status, "not a swarm manager" in services.message) == (503, True)
    assert field.root("GET", "/info").json["Swarm"]["LocalNodeState"] == "inactive"
