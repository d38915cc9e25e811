"""Section 1 of the attacks: what is another's is as if it were not there."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.effort import tries
from tests.engine.gateway.conftest import VICTIM, Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, PATIENCE_SECONDS, Ground, User

pytestmark = [pytest.mark.engine, pytest.mark.root]
CLIENTS = ["docker", OLD_CLIENT]
NOWHERE = "f" * 64


def absent(done_code: int, said: str) -> bool:
    return done_code != 0 and "No such" in said


@pytest.fixture(params=["name", "stored", "id"])
def name(request: pytest.FixtureRequest, victim: Victim, alice: User) -> str:
    """What the victim may be called by."""
    return {"name": VICTIM, "stored": f"{VICTIM}._.{alice.uid}", "id": victim.id}[request.param]


@pytest.mark.parametrize("client", CLIENTS)
def test_o1_exec(mallory: User, name: str, client: str) -> None:
    done = mallory.docker("exec", name, "sh", "-c", "echo $KEY", client=client)
    assert absent(done.code, done.err)


@pytest.mark.parametrize("client", CLIENTS)
def test_o2_exec_with_flags(mallory: User, name: str, client: str) -> None:
    (mallory.home / "f").write_text("A=b\n")
    for flags in (["--detach-keys", "ctrl-a"], ["--env-file", str(mallory.home / "f")], ["-d"], ["-u", "0"]):
        done = mallory.docker("exec", *flags, name, "sh", client=client)
        assert absent(done.code, done.err)


@pytest.mark.parametrize("client", CLIENTS)
def test_o3_global_flags(mallory: User, field: Ground, name: str, client: str) -> None:
    for flags in (["-D"], ["-H", f"unix://{field.gateway}"], ["--context", "default"]):
        for command in (["exec", name, "sh"], ["rm", "-f", name], ["kill", name], ["stop", name]):
            done = mallory.docker(*flags, *command, client=client)
            assert "No such container" in done.err


@pytest.mark.parametrize("client", CLIENTS)
def test_o4_logs(mallory: User, name: str, client: str) -> None:
    for flags in (["-n", "5"], ["--tail", "5"], ["-f"]):
        done = mallory.docker("logs", *flags, name, client=client)
        assert absent(done.code, done.err)


@pytest.mark.parametrize("client", CLIENTS)
def test_o5_inspect_of_a_second_target(mallory: User, name: str, client: str) -> None:
    mallory.runs("mine")
    done = mallory.docker("inspect", "mine", name, client=client)
    assert [found["Name"] for found in json.loads(done.out)] == ["/mine"]
    assert "No such object" in done.err


@pytest.mark.parametrize("client", CLIENTS)
def test_o6_copy(mallory: User, name: str, client: str) -> None:
    (mallory.home / "evil").write_text("x")
    assert mallory.docker("cp", f"{name}:/secret", "-", client=client).code != 0
    assert mallory.docker("cp", str(mallory.home / "evil"), f"{name}:/", client=client).code != 0
    for method in ("GET", "HEAD", "PUT"):
        body = b"\0" * 1024 if method == "PUT" else None
        assert mallory.call(method, f"/v1.41/containers/{name}/archive?path=/", body).status == 404


def test_o7_commit_and_export(mallory: User, field: Ground, name: str) -> None:
    assert mallory.docker("commit", name, "stolen").code != 0
    assert mallory.docker("export", name).code != 0
    assert field.root("GET", "/images/stolen/json").status == 404


def test_o8_attach(mallory: User, name: str) -> None:
    done = mallory.docker("attach", "--detach-keys", "a", name)
    assert absent(done.code, done.err)
    head = mallory.raw(
        f"POST /v1.41/containers/{name}/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n"
        "Connection: Upgrade\r\n\r\n".encode()
    )
    assert head.startswith(b"HTTP/1.1 404")


def test_o9_o10_query_suffixes(mallory: User, name: str) -> None:
    assert mallory.call("GET", f"/v1.41/containers/{name}/json?size=0").status == 404
    assert mallory.call("DELETE", f"/v1.41/containers/{name}?force=1&v=1").status == 404
    assert mallory.call("DELETE", f"/v1.41/containers/{name}?force=true&v=true").status == 404


def test_o11_every_verb_raw(mallory: User, name: str) -> None:
    verbs = ("restart", "pause", "unpause", "resize?h=1&w=1", "start", "stop", "kill", "wait", "rename?name=x")
    for verb in verbs:
        assert mallory.call("POST", f"/v1.41/containers/{name}/{verb}").status == 404, verb
    assert mallory.call("POST", f"/v1.41/containers/{name}/update", {"Memory": 1 << 20}).status == 404


def test_o12_prefixes_of_the_id(mallory: User, victim: Victim) -> None:
    for length in (1, 3, 12, 63):
        for verb in ("json", "top", "logs?stdout=1"):
            found = mallory.call("GET", f"/v1.41/containers/{victim.id[:length]}/{verb}")
            assert (found.status, found.message) == (404, f"No such container: {victim.id[:length]}")


def test_o13_o14_execs_of_others(mallory: User, victim: Victim) -> None:
    for exec_id in (victim.exec, NOWHERE):
        started = mallory.call("POST", f"/v1.41/exec/{exec_id}/start", {"Detach": False})
        assert (started.status, started.message) == (404, f"No such exec instance: {exec_id}")
        assert mallory.call("GET", f"/v1.41/exec/{exec_id}/json").status == 404
        assert mallory.call("POST", f"/v1.41/exec/{exec_id}/resize?h=1&w=1").status == 404
    assert mallory.call("GET", f"/v1.41/exec/{victim.exec[:12]}/json").status == 404


@pytest.mark.parametrize("client", CLIENTS)
def test_o15_lists(mallory: User, victim: Victim, alice: User, client: str) -> None:
    mine = mallory.runs("mine")
    for flags in ([], ["--filter", f"id={victim.id}"], ["--filter", f"label=ds01.owner.uid={alice.uid}"],
                  ["--filter", "name=victim"], ["--filter", "label=ds01.name=victim"]):  # fmt: skip
        seen = mallory.docker("ps", "-aq", "--no-trunc", *flags, client=client).out.split()
        assert set(seen) <= {mine}
    assert mallory.docker("ps", "-q", "--no-trunc", client=client).out.split() == [mine]
    assert VICTIM in alice.docker("ps", client=client).out


def test_o16_filters_twice_and_in_other_forms(mallory: User, alice: User, victim: Victim) -> None:
    """Its owner finds it by each that is understood; what can be read in two ways is refused to everybody."""

    def listed(user: User, query: str) -> list[str]:
        found = user.call("GET", f"/v1.41/containers/json?all=1&{query}")
        assert found.status == 200, found.body
        return [row["Id"] for row in found.json]

    owner = json.dumps({"label": [f"ds01.owner.uid={alice.uid}"]})
    others = [json.dumps({"label": {f"ds01.owner.uid={alice.uid}": value}}) for value in (True, False)]
    for filters in (owner, *others):
        assert listed(mallory, f"filters={quote(filters)}") == []
        assert listed(alice, f"filters={quote(filters)}") == [victim.id]
    for query in (f"{quote(owner)}&filters={quote('{}')}", quote(owner[:-1] + ", " + owner[1:])):
        for user in (mallory, alice):
            assert user.call("GET", f"/v1.41/containers/json?all=1&filters={query}").status == 400


@pytest.mark.parametrize("flags", [[], ["--filter", "container=victim"], ["--filter", "type=container"]])
def test_o17_events(mallory: User, alice: User, victim: Victim, flags: list[str]) -> None:
    mine = mallory.runs("mine")
    since = str(mallory.call("GET", "/v1.41/info").json["SystemTime"])
    alice.call("POST", f"/v1.41/containers/{victim.id}/exec", {"Cmd": ["true"]})
    mallory.call("POST", f"/v1.41/containers/{mine}/kill")
    mallory.call("POST", f"/v1.41/containers/{mine}/wait")
    until = str(mallory.call("GET", "/v1.41/info").json["SystemTime"])
    done = mallory.docker("events", "--since", since, "--until", until, "--format", "{{json .}}", *flags)
    heard = [json.loads(line) for line in done.out.splitlines()]
    network = mallory.call("GET", "/v1.41/networks/bridge").json["Id"]
    assert {event["Actor"]["ID"] for event in heard} <= {mine, network}
    assert bool(heard) == ("container=victim" not in flags)
    raw = alice.docker("events", "--since", since, "--until", until, "--format", "{{.Actor.ID}}").out
    assert victim.id in raw


def test_events_are_told_and_found_by_the_names_their_owner_has(mallory: User) -> None:
    """The image by its name, though the engine makes containers of its id; a rename with both names."""
    since = str(mallory.call("GET", "/v1.41/info").json["SystemTime"])
    for words in (("network", "create", "net"), ("run", "--name", "early", "--network", "net", "-v", "data:/d", IMAGE)):
        assert mallory.docker(*words).code == 0
    assert mallory.docker("rename", "early", "late").code == 0

    def heard(*filters: str) -> set[str]:
        until = str(mallory.call("GET", "/v1.41/info").json["SystemTime"])
        flags = [word for each in filters for word in ("--filter", each)]
        shown = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.oldName}}"
        done = mallory.docker("events", "--since", since, "--until", until, "--format", shown, *flags)
        assert done.code == 0, done
        return {line.replace(" <no value>", "") for line in done.out.splitlines()}

    assert {"container create early", "container rename late /early"} <= heard(f"image={IMAGE}", "type=container")
    assert {"container create early", "container start early"} <= heard(f"image={IMAGE.partition(':')[0]}")
    assert heard("image=another") == set()
    assert "volume mount" in heard("volume=data", "type=volume")
    assert {"network connect net", "network create net"} <= heard("network=net")
    assert heard("volume=dat", "type=volume") == heard("network=ne", "type=network") == set()
    for words in (("rm", "--force", "late"), ("network", "rm", "net"), ("volume", "rm", "data")):
        assert mallory.docker(*words).code == 0


def test_o18_stats_and_top(mallory: User, name: str) -> None:
    mallory.runs("mine")
    shown = mallory.docker("stats", "--no-stream", "--format", "{{.Name}}")
    assert shown.out.split() == ["mine"]
    assert absent(*(lambda done: (done.code, done.err))(mallory.docker("top", name)))
    assert mallory.call("GET", f"/v1.41/containers/{name}/stats?stream=0").status == 404


def test_o19_joining(mallory: User, field: Ground, name: str) -> None:
    before = field.ids()
    for host in (
        {"VolumesFrom": [name]}, {"PidMode": f"container:{name}"}, {"IpcMode": f"container:{name}"},
        {"NetworkMode": f"container:{name}"}, {"Links": [f"{name}:x"]},
    ):  # fmt: skip
        made = mallory.create(HostConfig=host)
        assert (made.status, made.message) == (404, f"No such container: {name}"), host
    assert field.ids() == before


def test_o20_networks(mallory: User, field: Ground, alice: User) -> None:
    """Her own she may connect, so that what is refused is refused for whose it is."""
    mine, network = mallory.runs("mine"), f"ds01-u{alice.uid}"
    assert mallory.docker("network", "create", "own").code == 0
    assert mallory.docker("network", "connect", "own", "mine").code == 0
    before = (field.ids(), field.seen(mine)["NetworkSettings"]["Networks"].keys())
    assert field.root("GET", f"/networks/{network}").status == 200
    assert mallory.call("GET", f"/v1.41/networks/{network}").status == 404
    assert mallory.docker("network", "connect", network, "mine").code != 0
    assert mallory.call("POST", f"/v1.41/networks/{network}/connect", {"Container": mine}).status == 404
    assert mallory.create(HostConfig={"NetworkMode": network}).status == 404
    assert mallory.create(NetworkingConfig={"EndpointsConfig": {network: {}}}).status == 404
    assert (field.ids(), field.seen(mine)["NetworkSettings"]["Networks"].keys()) == before
    assert mallory.docker("rm", "-f", "mine").code == 0
    assert mallory.docker("network", "rm", "own").code == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_o21_what_there_is(mallory: User, field: Ground, victim: Victim, client: str) -> None:
    field.clear_images(mallory.uid)
    images = mallory.docker("images", "-a", "--format", "{{.Repository}}", client=client).out.split()
    assert "ds01/tiny" in images
    assert [name for name in images if not name.startswith("ds01/")] == []
    for command in (["system", "df", "-v"], ["volume", "ls"], ["network", "ls"]):
        shown = mallory.docker(*command, client=client)
        assert victim.id[:12] not in shown.out
        assert "alice" not in shown.out
    for path in (victim.image, f"{victim.image}:latest"):
        assert mallory.call("GET", f"/v1.41/images/{path}/json").status == 404
        assert mallory.call("GET", f"/v1.41/images/{path}/history").status == 404
        assert mallory.docker("run", "--rm", path, "cat", "/secret", client=client).code != 0


def test_o21_an_image_of_another_by_its_id(mallory: User, field: Ground, victim: Victim) -> None:
    image = field.root("GET", f"/images/{victim.image}/json").json["Id"]
    for ref in (image, image.removeprefix("sha256:"), image.removeprefix("sha256:")[:12]):
        assert mallory.create(Image=ref).status == 404
        assert mallory.call("GET", f"/v1.41/images/{ref}/json").status == 404


def test_o22_a_name_like_the_victims_id(mallory: User, field: Ground, victim: Victim) -> None:
    before = field.ids()
    for name in (victim.id[:12], victim.id[:6], victim.id):
        assert mallory.create(name).status == 400
    assert field.ids() == before


def test_o23_a_name_alice_uses_is_free_for_mallory_and_invisible_to_alice(mallory: User, alice: User) -> None:
    mine = mallory.runs(VICTIM)
    assert alice.call("GET", f"/v1.41/containers/{VICTIM}/json").json["Id"] != mine
    assert mallory.call("GET", f"/v1.41/containers/{VICTIM}/json").json["Id"] == mine


@pytest.mark.slow
def test_o24_names_that_change_hands_while_used(mallory: User, field: Ground) -> None:
    """The name changes hands by removing and creating, while another connection uses it."""
    enough = mallory.person.home / "enough"
    loop = f"until [ -e {enough} ]; do docker run -d --name {VICTIM} {IMAGE} sleep 9; docker rm -f {VICTIM}; done"
    person = replace(mallory.person, extra={"DOCKER_HOST": f"unix://{field.gateway}"})
    churning = person.start("sh", "-c", loop, out=subprocess.DEVNULL)
    kill = f"/v1.41/containers/{VICTIM}/kill?signal=TERM"
    try:
        seen = {mallory.call("POST", kill).status for _ in range(400)}
    finally:
        enough.touch()
        churning.wait(PATIENCE_SECONDS)
        enough.unlink()
    assert seen <= {204, 404, 409}  # what happened to the victim is judged after every test
    assert 404 in seen


@pytest.mark.slow
def test_o24_starting_while_renaming_between_own_and_the_victims_name(
    mallory: User, alice: User, field: Ground, victim: Victim
) -> None:
    """Whatever a name means when the gateway looks, it is one of hers: the engine is told a whole id."""
    made = mallory.create("own", Cmd=["sleep", "1000"]).json["Id"]
    names = (VICTIM, f"{VICTIM}._.{alice.uid}", "own")
    enough = mallory.person.home / "enough"
    turns = "; ".join(f"docker rename {made} {name}" for name in names)
    person = replace(mallory.person, extra={"DOCKER_HOST": f"unix://{field.gateway}"})
    renaming = person.start("sh", "-c", f"until [ -e {enough} ]; do {turns}; done", out=subprocess.DEVNULL)
    seen: set[int] = set()
    try:
        for _ in range(tries(25)):
            for verb in ("start", "stop?t=0"):
                seen |= {mallory.call("POST", f"/v1.41/containers/{name}/{verb}").status for name in names}
    finally:
        enough.touch()
        renaming.wait(PATIENCE_SECONDS)
        enough.unlink()
    assert {204, 404} <= seen <= {204, 304, 404, 409}
    assert field.ids() == {victim.id, made}  # what happened to the victim is judged after every test


def test_o25_wait_and_websocket(mallory: User, name: str) -> None:
    assert mallory.call("POST", f"/v1.41/containers/{name}/wait").status == 404
    head = mallory.raw(
        f"GET /v1.41/containers/{name}/attach/ws?stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n".encode()
    )
    assert head.startswith(b"HTTP/1.1 404")


def test_o26_a_compose_project_of_alices(mallory: User, alice: User) -> None:
    """What ``compose down`` asks first: which containers carry the project's label."""
    alice.runs("web", Labels={"com.docker.compose.project": "alices_project"})
    wanted = quote(json.dumps({"label": ["com.docker.compose.project=alices_project"]}))
    assert mallory.call("GET", f"/v1.41/containers/json?all=1&filters={wanted}").json == []


def test_o27_a_container_of_nobody(mallory: User, field: Ground) -> None:
    """Made by root behind the door, once without and once with a label that names mallory."""
    made = []
    for name, labels in (("legacy", {}), ("marked", {"ds01.owner.uid": str(mallory.uid), "ds01.owner.epoch": "1"})):
        found = field.root(
            "POST", f"/containers/create?name={name}", {"Image": "ds01/tiny", "Cmd": ["sleep", "9"], "Labels": labels}
        )
        made.append(found.json["Id"])
    for container in (*made, "legacy", "marked"):
        assert mallory.docker("exec", container, "sh").code != 0
        assert mallory.call("GET", f"/v1.41/containers/{container}/json").status == 404
        assert mallory.call("DELETE", f"/v1.41/containers/{container}?force=1").status == 404
    assert mallory.call("GET", "/v1.41/containers/json?all=1").json == []
    assert set(made) <= field.ids()
