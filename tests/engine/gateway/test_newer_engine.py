"""What only a newer engine knows of: fields that engine 20.10 drops unread are tried here, on Engine 26 with CDI on.

Each begins with what the engine makes of the field when root says it, so that a row is never empty.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dev import engine as own
from dev import engine26 as newer
from dev import tiny
from dev.engine import outside
from dev.registry import serving

from tests.engine.gateway.ground import IMAGE, Ground, User, ask, connected, ground
from tests.engine.gateway.permissive import Permissive
from tests.engine.gateway.test_build import context
from tests.engine.gateway.test_kit_archive import CACHE, RECIPE, build, made, told, two_faced
from tests.engine.gateway.test_networks import PING, pings, programs

pytestmark = [pytest.mark.engine, pytest.mark.root]

OFTEN, SELDOM = 1_000_000, 5_000_000_000
SWITCHES = {"cdi.k8s.io/x": "nvidia.com/gpu=all", "run.oci.handler": "x"}
EVERY_GPU = {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}
NODE = "/dev/nvidia7"
CDI = {
    "cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
    "devices": [{"name": "all", "containerEdits": {"deviceNodes": [{"path": NODE, "hostPath": "/dev/kmsg"}]}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    """A server with this engine."""
    if not newer.available():
        pytest.skip("left out: the newer engine needs mmdebstrap and patchelf")
    with tempfile.TemporaryDirectory(prefix="ds01v", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        for made in ("registry", "cdi"):
            (folder / made).mkdir()
        (folder / "cdi/nvidia.json").write_text(json.dumps(CDI))
        settings = {"features": {"cdi": True}, "cdi-spec-dirs": [str(folder / "cdi")]}
        (folder / "daemon.json").write_text(json.dumps(settings))
        engine = newer.start(folder / "engine", options=("--config-file", str(folder / "daemon.json")))
        try:
            tiny.install(engine.socket)
            with serving(folder / "registry") as registry, ground(engine, folder, registry, "gv") as found:
                yield found
        finally:
            own.stop(engine)


@pytest.fixture
def thief(place: Ground) -> Iterator[User]:
    yield place.mallory
    place.clear(set())


@pytest.fixture
def door(place: Ground, thief: User) -> Iterator[Permissive]:
    """The way past the gateway."""
    with outside(place.engine, "refused"):
        yield Permissive(field=place, user=thief)


def by_root(place: Ground, **host: Any) -> dict[str, Any]:
    """What the engine stores of such a container when root asks for it."""
    made = place.root("POST", "/v1.45/containers/create", {"Image": IMAGE, "HostConfig": host})
    assert made.status == 201, made.body
    found: dict[str, Any] = place.seen(made.json["Id"])["HostConfig"]
    return found


def test_e18_g7_annotations_are_left_out(place: Ground, thief: User) -> None:
    assert by_root(place, Annotations=SWITCHES)["Annotations"] == SWITCHES
    made = thief.create("", "v1.45", HostConfig={"Annotations": SWITCHES})
    assert made.status == 201, made.body
    assert not place.seen(made.json["Id"])["HostConfig"].get("Annotations")


def test_e18_g7_nothing_with_annotations_starts(door: Permissive) -> None:
    container, started = door.runs("annotated", HostConfig={"Annotations": SWITCHES})
    assert started.status >= 400
    assert "'annotations', which DS01 does not know" in door.refusals(container)[0]


def test_g6_a_cdi_device_is_a_lease(place: Ground, thief: User) -> None:
    assert by_root(place, DeviceRequests=[EVERY_GPU])["DeviceRequests"][0]["DeviceIDs"] == EVERY_GPU["DeviceIDs"]
    made = thief.create("mine", "v1.45", HostConfig={"DeviceRequests": [EVERY_GPU]})
    assert made.status == 201, made.body
    host = place.seen(made.json["Id"])["HostConfig"]
    assert not host["DeviceRequests"]
    assert len(host["Devices"]) == 2
    assert NODE not in {device["PathInContainer"] for device in host["Devices"]}


def test_g1_g2_g6_no_cdi_device_without_a_lease_starts(door: Permissive) -> None:
    container, started = door.runs("devices", HostConfig={"DeviceRequests": [EVERY_GPU]})
    assert started.status >= 400
    assert f"the device {NODE}" in door.refusals(container)[0]


def test_e11_the_hosts_cgroup_namespace(door: Permissive) -> None:
    container, started = door.runs("cgroup", HostConfig={"CgroupnsMode": "host"})
    assert started.status >= 400
    assert "host's cgroup" in door.refusals(container)[0]


@pytest.mark.parametrize("version", ["v1.41", "v1.45"])
@pytest.mark.parametrize("asked", [{}, {"StartInterval": OFTEN}, {"Interval": OFTEN}, {"Test": ["CMD", "/bin/true"]}])
def test_d10_the_beginning_of_a_health_check(place: Ground, thief: User, version: str, asked: dict[str, Any]) -> None:
    """Also of an image that was loaded, and for a client that speaks of no beginning."""
    ref = lively(place, thief)
    made = thief.create("", version, Image=ref, **({"Healthcheck": asked} if asked else {}))
    assert made.status == 201, made.body
    stored = place.seen(made.json["Id"])["Config"]["Healthcheck"]
    assert stored["Interval"] >= SELDOM
    assert stored["StartInterval"] >= SELDOM or stored["StartPeriod"] == OFTEN


def lively(place: Ground, user: User) -> str:
    """An image of hers that wants to be looked at every millisecond, loaded from an archive; made once."""
    ref = "often:1"
    if user.call("GET", f"/v1.45/images/{ref}/json").status == 200:
        return ref
    check = {"Test": ["CMD", "true"], "Interval": OFTEN, "StartInterval": OFTEN, "StartPeriod": 60 * 10**9}
    base = place.root("GET", f"/images/{IMAGE}/json").json["Id"]
    made = place.root("POST", "/v1.45/containers/create", {"Image": base, "Healthcheck": check}).json["Id"]
    kept = place.root("POST", f"/v1.45/commit?container={made}&repo=often&tag=1", {"Healthcheck": check})
    assert kept.status == 201, kept.body
    archive = place.root("GET", f"/v1.45/images/{ref}/get").body
    place.root("DELETE", f"/v1.45/images/{ref}?force=1")
    loaded = user.call("POST", "/v1.45/images/load", archive, Content_Type="application/x-tar")
    assert loaded.status == 200, loaded.body
    found = user.call("GET", f"/v1.45/images/{ref}/json").json["Config"]["Healthcheck"]
    assert (found["Interval"], found["StartInterval"]) == (OFTEN, OFTEN)
    return ref


@pytest.mark.gcc
def test_d13_ping_works_without_raw_packets(place: Ground, thief: User) -> None:
    pings(thief, programs(thief, "pinging", ping=PING))
    place.clear_images(thief.uid)


def test_e12_raw_packets_are_taken_away_behind_the_gateway(door: Permissive) -> None:
    for name, host in {"plain": {"CapDrop": []}, "added": {"CapDrop": [], "CapAdd": ["NET_RAW", "CHOWN"]}}.items():
        container, started = door.runs(name, HostConfig=host)
        assert started.status == 204, started.body
        status = Path(f"/proc/{door.field.seen(container)['State']['Pid']}/status").read_text()
        bounding = int(dict(line.split(":\t", 1) for line in status.splitlines())["CapBnd"], 16)
        assert not bounding & (1 << 13 | 1 << 27)


def test_e11_steps_of_builds_start_as_before(place: Ground, thief: User) -> None:
    """In the host's cgroup namespace or in their own, as the engine gives it to them."""
    context = thief.folder("stepping")
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo stepped\n")
    built = thief.docker("build", "--no-cache", str(context))
    assert built.code == 0, built.err
    place.clear_images(thief.uid)


def test_d15_d23_o13_archives_are_built_by_the_same_rules(place: Ground, thief: User) -> None:
    hidden = "alice/hidden"
    assert place.alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={hidden}").status == 201
    body = two_faced(f"FROM {hidden}\nRUN echo evil\n", f"FROM {IMAGE}\nRUN echo honest\n")
    tar = {"Content-Type": "application/x-tar"}
    assert hidden in told(ask(connected(place.engine.socket), "POST", "/build?version=2&networkmode=none", body, tar))
    reply = build(thief, body, nocache="1")
    assert made(reply), told(reply)
    assert "honest\n" in told(reply)
    assert hidden not in told(reply)
    for line in (f"FROM {hidden}", f"FROM {IMAGE}\nRUN --mount=from={hidden},target=/x true"):
        assert build(thief, line).status == 403
    files = context(Dockerfile=RECIPE + "RUN cat /proc/self/cgroup\n", code="print(1)")
    assert f"ds01-u{thief.uid}.slice" in told(build(thief, files, t="archived"))
    assert thief.docker("run", "--rm", "archived", "ls", "-A", "/app").out == "code\n"
    text = f"FROM {IMAGE}\n{CACHE}"
    assert made(build(place.alice, text.format("pip", "touch /c/of-$((40 + 2))-alices"), nocache="1"))
    assert "of-42-alices" in told(build(place.alice, text.format("pip", "true"), nocache="1"))
    for name in ("pip", f"{place.alice.uid}-0/pip", f"../{place.alice.uid}-0/pip"):
        assert "of-42-alices" not in told(build(thief, text.format(name, "true"), nocache="1"))
