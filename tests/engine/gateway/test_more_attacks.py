"""Attacks no table foresaw: each was tried by hand first, worked, and is closed for its whole kind."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from dev import people

from ds01.domain.limits import BUILDS
from ds01.gateway.call import Timeouts
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import Ground, Reply, User, ask, connected, wait
from tests.engine.gateway.test_admin import told

pytestmark = [pytest.mark.engine, pytest.mark.root]
TAR = "application/x-tar"
COPY_SECONDS = Timeouts().copied_seconds
"""In how many a copy ends by itself in which nothing moves."""


def context(**files: str) -> bytes:
    """A build context."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return held.getvalue()


def build(user: User, query: str, dockerfile: str = "FROM scratch\nCOPY x /x\n", **files: str) -> Reply:
    """A build with the engine's own builder."""
    sent = context(Dockerfile=dockerfile, x=str(user.uid), **files)
    return user.call("POST", f"/v1.41/build?{query}", sent, Content_Type=TAR)


def tags(field: Ground) -> set[str]:
    """Every tag there is."""
    return {tag for image in field.root("GET", "/images/json").json for tag in image["RepoTags"] or ()}


def images(field: Ground) -> set[str]:
    """Every image there is, those without a name too."""
    return {image["Id"] for image in field.root("GET", "/images/json?all=1").json}


def control(user: User, field: Ground, method: str, path: str, body: Any = None) -> Reply:
    """A request to ds01d as this user."""
    with people.acting_as(user.person):
        sock = connected(str(field.run / "ds01d.sock"))
    return ask(sock, method, path, body)


def header(name: bytes, size: int, kind: bytes) -> bytes:
    """The head of one entry of an archive."""
    head = bytearray(512)
    head[: len(name)], head[124:136], head[156:157] = name, b"%011o\0" % size, kind
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def test_d16_a_name_that_is_no_text_cannot_stop_the_record(mallory: User, alice: User, field: Ground) -> None:
    """A refusal whose sentence no ledger could hold would stop the record, and with it every change by anybody."""
    before = len(told(field, "door.denied"))
    refused = mallory.call("POST", "/v1.41/build", header(b"\xff\xfe", 2 << 20, b"x"), Content_Type=TAR)
    assert refused.status == 400
    wait(lambda: any(each["path"] == "/build" for each in told(field, "door.denied")[before:]))
    made = alice.create("", Cmd=["true"])
    assert made.status == 201, made.body


def test_d20_a_name_the_engine_shortens_is_the_short_name(mallory: User, field: Ground) -> None:
    """``library/x`` is ``x`` to the engine: a protected name must not be written by its long form."""
    before = tags(field)
    for name in ("docker.io/ds01/minimal", "index.docker.io/ds01/minimal", "ds01/minimal:2"):
        assert build(mallory, f"t={name}").status == 403
    assert tags(field) == before
    assert build(mallory, "t=library/mallorys").status == 200
    assert "mallorys:latest" in tags(field)
    assert [row["RepoTags"] for row in mallory.call("GET", "/v1.41/images/json").json if row["RepoTags"]]
    assert control(mallory, field, "GET", "/v1/images").json[0]["tags"] == ["mallorys:latest"]


def test_d20_an_image_put_under_her_tag_is_not_hers(mallory: User, alice: User, field: Ground) -> None:
    """Somebody else's image behind her tag, however it came there, is neither shown nor run as her own."""
    assert build(alice, "t=alices-own").status == 200
    assert build(mallory, "t=mallorys-own").status == 200
    assert field.root("POST", "/images/mallorys-own/tag?repo=alices-own&tag=latest").status == 201
    made = alice.call("POST", "/v1.41/containers/create", {"Image": "alices-own", "Cmd": ["/x"]})
    assert made.status == 404, made.body
    request = {"project": "p", "workspace": "", "image": "alices-own", "gpus": "0"}
    assert control(alice, field, "POST", "/v1/launches/plan", request).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_o6_the_engine_reads_nothing_of_others_for_her(mallory: User, alice: User, field: Ground, method: str) -> None:
    """In her folder there may be files closed to her; a copy out of her container would read them as root."""
    place = mallory.folder("team")
    private = place / "of-alice"
    private.mkdir(exist_ok=True)
    (private / "secret").write_text("only alice reads this")
    os.chown(private, alice.uid, alice.person.gid)
    private.chmod(0o700)
    made = mallory.create("", Cmd=["sleep", "9"], HostConfig={"Binds": [f"{place}:/m"]}).json["Id"]
    found = mallory.call(method, f"/v1.41/containers/{made}/archive?path=/m/of-alice/secret")
    assert found.status == 403
    assert b"only alice" not in found.body
    assert "secret" not in json.dumps(dict(found.headers))


def test_g3_a_launch_asks_for_no_gpu_by_its_environment(mallory: User, field: Ground) -> None:
    variables = {
        "NVIDIA_VISIBLE_DEVICES": "all",
        "NVIDIA_MIG_CONFIG_DEVICES": "all",
        "NVIDIA_GDS": "1",
        "OK": "1",
    }
    place = str(mallory.folder("g3"))
    request = {"project": "g3", "workspace": place, "image": "ds01/tiny", "gpus": "0", "environment": variables}
    control(mallory, field, "POST", "/v1/launches", request)
    environment = field.seen(f"g3._.{mallory.uid}")["Config"]["Env"]
    assert "NVIDIA_VISIBLE_DEVICES=void" in environment
    assert "OK=1" in environment
    assert not [entry for entry in environment if entry.startswith(("NVIDIA_MIG", "NVIDIA_GDS"))]


@pytest.mark.parametrize(
    "image", ["a/../../containers/{id}", "a/../../containers/{name}", "../info", "x?all=1#", "\ud800"]
)
def test_p10_an_image_is_no_path_to_the_engine(mallory: User, field: Ground, victim: Victim, image: str) -> None:
    """ds01d asks the engine as root: what a launch calls an image must not lead to a container of somebody else."""
    name = image.format(id=victim.id, name=f"victim._.{field.alice.uid}")
    request = {"project": "p10", "workspace": "", "image": name, "gpus": "0"}
    found = control(mallory, field, "POST", "/v1/launches/plan", request)
    assert (found.status, found.json["error"]["code"]) == (404, "image.unknown")
    request = {"project": f"../../containers/{victim.id}", "name": "p10", "workspace": "", "gpus": "0"}
    assert control(mallory, field, "POST", "/v1/launches/plan", request).status == 400


def test_p23_a_project_is_a_name(mallory: User, field: Ground) -> None:
    """Its name is shown in other people's terminals."""
    request = {"project": "\x1b]0;owned\x07", "name": "p23", "workspace": "", "image": "ds01/tiny", "gpus": "0"}
    assert control(mallory, field, "POST", "/v1/launches/plan", request).status == 400


@pytest.mark.parametrize("key", ["before", "since"])
def test_d23_a_filter_does_not_tell_whether_an_image_is_there(mallory: User, victim: Victim, key: str) -> None:
    for image in (victim.image, "nobody/nothing"):
        filters = quote(json.dumps({key: [image]}))
        found = mallory.call("GET", f"/v1.41/images/json?filters={filters}")
        assert (found.status, found.message) == (404, f"No such image: {image}:latest")


def test_d15_builds_are_few_at_a_time_and_their_processes_are_counted(
    mallory: User, alice: User, field: Ground
) -> None:
    """A build's steps are containers: neither their number nor their processes may be without end."""
    begun = (
        b"POST /v1.41/build HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    held = [mallory.connect() for _ in range(BUILDS)]
    try:
        for sock in held:
            sock.sendall(begun)
        wait(lambda: build(mallory, "q=1").status == 429)
        assert build(alice, "q=1").status == 200
    finally:
        for sock in held:
            sock.close()
    wait(lambda: build(mallory, "q=1").status == 200)
    script = "FROM ds01/tiny\nRUN cat /proc/self/cgroup\n"
    shown = build(mallory, "nocache=1", script).body.decode()
    assert f"ds01-u{mallory.uid}.slice" in shown
    limit = next(Path("/sys/fs/cgroup").glob(f"**/ds01-u{mallory.uid}.slice/pids.max")).read_text().strip()
    assert limit == str(256 * (60 + BUILDS))


def test_d10_no_image_is_checked_every_millisecond(mallory: User, field: Ground) -> None:
    before = (tags(field), images(field))
    for flags in ("--interval=1ms", "--interval=0.1s", "--timeout=3s --interval=4s", "--start-interval=1ms"):
        assert build(mallory, "t=fast:1", f"FROM scratch\nHEALTHCHECK {flags} CMD true\n").status == 403
        assert build(mallory, "t=fast:1", f"FROM scratch\nONBUILD HEALTHCHECK {flags} CMD true\n").status == 403
    assert (tags(field), images(field)) == before
    for flags in ("", "--interval=5s", "--interval=1m30s --retries=3"):
        assert build(mallory, "t=slow:1", f"FROM scratch\nHEALTHCHECK {flags} CMD x --interval=1ms\n").status == 200
        made = field.root("GET", "/images/slow:1/json").json
        assert made["Id"] not in before[1]
        assert made["Config"]["Healthcheck"]["Test"][-1] == "x --interval=1ms"
    assert tags(field) - before[0] == {"slow:1"}
    assert mallory.call("DELETE", "/v1.41/images/slow:1").status == 200


def test_d7_no_volume_is_left_that_nobody_can_reach(mallory: User, field: Ground) -> None:
    """A volume nobody named may outlive its container, and is its owner's to see and to remove."""
    made = mallory.create("", Cmd=["true"], Volumes={"/data": {}}).json["Id"]
    (volume,) = field.root("GET", "/volumes").json["Volumes"]
    assert mallory.call("DELETE", f"/v1.41/containers/{made}").status == 204
    assert [each["Name"] for each in mallory.call("GET", "/v1.41/volumes").json["Volumes"]] == [volume["Name"]]
    assert mallory.call("DELETE", f"/v1.41/volumes/{volume['Name']}").status == 204
    assert not field.root("GET", "/volumes").json["Volumes"]


V = {"Mounts": [{"Type": "volume", "Source": "slow", "Target": "/v"}]}


@contextmanager
def copying(user: User, container: str) -> Iterator[socket.socket]:
    """A copy of hers into this container goes on."""
    head = (
        f"PUT /v1.41/containers/{container}/archive?path=/v HTTP/1.1\r\nHost: d\r\nContent-Type: {TAR}\r\n"
        "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    )
    with user.connect() as sock:
        sock.sendall(head.encode())
        said = sock.recv(4096)
        assert said.startswith(b"HTTP/1.1 100 Continue"), said
        sock.sendall(b"%x\r\n%b\r\n" % (512, header(b"x", 512, b"0")))  # the engine has begun
        yield sock


def test_e29_ds01d_starts_nothing_while_files_are_copied(mallory: User, field: Ground) -> None:
    """What it starts could lead an older engine astray as well as what the gateway starts."""
    made = {name: mallory.create(name, Cmd=["sleep", "600"], HostConfig=V).json["Id"] for name in ("copied", "beside")}
    other = mallory.create("other", Cmd=["sleep", "600"]).json["Id"]
    with copying(mallory, made["copied"]):
        for name, container in made.items():
            refused = control(mallory, field, "POST", f"/v1/containers/{name}/start")
            assert (refused.status, refused.json["error"]["code"]) == (409, "container.busy"), refused.body
            refused = mallory.call("POST", f"/v1.41/containers/{container}/start")
            assert (refused.status, "(container.busy)" in refused.message) == (409, True), refused.body
        assert control(mallory, field, "POST", "/v1/containers/other/start").status == 200
    assert {field.seen(each)["State"]["Running"] for each in made.values()} == {False}
    wait(lambda: control(mallory, field, "POST", "/v1/containers/beside/start").status == 200)
    refused = mallory.call("GET", f"/v1.41/containers/{made['copied']}/archive?path=/v")
    assert (refused.status, "(archive.shared)" in refused.message) == (403, True), refused.body
    refused = mallory.call("GET", f"/v1.41/containers/{made['beside']}/archive?path=/v")
    assert (refused.status, "(archive.running)" in refused.message) == (403, True), refused.body
    assert mallory.docker("rm", "--force", *made.values(), other).code == 0
    assert mallory.docker("volume", "rm", "slow").code == 0


def test_e29_a_start_that_comes_late_does_not_begin_while_files_are_copied(mallory: User, field: Ground) -> None:
    """A ds01d that was killed granted it, and the engine has yet to begin it: root does here what the engine does."""
    made = [mallory.create(name, Cmd=["sleep", "600"], HostConfig=V).json["Id"] for name in ("copied", "late")]
    late = made[1]
    for container in made:
        assert mallory.call("POST", f"/v1.41/containers/{container}/start").status == 204
        assert mallory.call("POST", f"/v1.41/containers/{container}/kill").status == 204
        wait(lambda one=container: not field.seen(one)["State"]["Running"])  # type: ignore[misc]
    assert field.root("POST", f"/containers/{late}/start").status == 204, "by the grant of before"
    assert field.root("POST", f"/containers/{late}/kill").status == 204
    wait(lambda: not field.seen(late)["State"]["Running"])
    field.stop("ds01d", signal.SIGKILL)
    field.start_ds01d()
    with copying(mallory, made[0]):
        refused = field.root("POST", f"/containers/{late}/start")
        assert "DS01 did not grant" in refused.message, refused.body
        assert not field.seen(late)["State"]["Running"]
    wait(lambda: mallory.call("POST", f"/v1.41/containers/{late}/start").status == 204)
    assert mallory.docker("rm", "--force", *made).code == 0
    assert mallory.docker("volume", "rm", "slow").code == 0


def test_d16_a_copy_keeps_no_container_from_ds01(mallory: User, field: Ground) -> None:
    """The engine would wait for its end before it removes the container, or says anything of it."""
    made = mallory.create("held", Cmd=["true"], HostConfig=V).json["Id"]
    with copying(mallory, made) as sock:
        began = time.monotonic()
        removed = control(mallory, field, "DELETE", "/v1/containers/held")
        assert removed.status == 200, removed.body
        assert time.monotonic() - began < COPY_SECONDS
        said = sock.recv(4096)
        assert said.startswith(b"HTTP/1.1 503 "), said
        assert b"(archive.ended)" in said
    assert mallory.docker("volume", "rm", "slow").code == 0


@pytest.mark.parametrize("what", ["the container", "a volume of it"])
def test_e36_what_she_may_have_open_is_not_copied(mallory: User, field: Ground, what: str) -> None:
    """Her shell opens a folder of a container that runs as her, through /proc, and keeps it when that stops: in it she
    exchanges a folder for a link, as her probe shows. So nothing there is copied, nor what has the volume.
    """
    hers = mallory.create("hers", Cmd=["sleep", "600"], User=str(mallory.uid), HostConfig=V).json["Id"]
    assert mallory.call("POST", f"/v1.41/containers/{hers}/start").status == 204
    pid = field.seen(hers)["State"]["Pid"]
    kept = "tmp" if what == "the container" else "v"
    script = EXCHANGES.replace("PLACE", f"/proc/{pid}/root/{kept}")
    person, sent = mallory.person, {"HEAD": None, "GET": None, "PUT": context(a="b")}
    shell = subprocess.Popen(
        ["/usr/bin/python3", "-c", script], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=person.home,
        user=person.uid, group=person.gid, extra_groups=person.groups(),
    )  # fmt: skip
    try:
        assert shell.stdout is not None
        assert shell.stdin is not None
        assert shell.stdout.readline().strip() == "open"
        assert mallory.call("POST", f"/v1.41/containers/{hers}/kill").status == 204
        wait(lambda: not field.seen(hers)["State"]["Running"])
        shell.stdin.write("go\n")
        shell.stdin.flush()
        assert shell.stdout.readline().strip() == "exchanged"
        made = hers
        if what == "a volume of it":
            made = mallory.create("next", Cmd=["true"], HostConfig=V).json["Id"]
        for method in ("HEAD", "GET", "PUT"):
            refused = mallory.call(method, f"/v1.41/containers/{made}/archive?path=/{kept}", sent[method])
            assert refused.status == 403, (method, refused.body)
            if method != "HEAD":
                assert "(archive.reached)" in refused.message
                assert "Use ds01 cp while it runs." in refused.message
    finally:
        shell.kill()
        shell.communicate()
        mallory.docker("rm", "--force", "hers", "next")
        assert mallory.docker("volume", "rm", "slow").code == 0


EXCHANGES = """
import ctypes, os
place = os.open("PLACE", os.O_RDONLY | os.O_DIRECTORY)
print("open", flush=True)
input()
os.mkdir("folder", dir_fd=place)
os.symlink("/etc", "link", dir_fd=place)
libc = ctypes.CDLL(None, use_errno=True)
done = libc.renameat2(place, b"folder", place, b"link", 2)
print("exchanged" if done == 0 and os.readlink("folder", dir_fd=place) == "/etc" else "no", flush=True)
input()
"""
"""Keeps a folder open and exchanges what is in it, once it is told to."""


@pytest.mark.parametrize("image", ["volume", "link"])
def test_e36_a_launch_is_not_led_astray(mallory: User, field: Ground, image: str) -> None:
    """In her workspace a folder and a link to a folder of the host take turns, and her image has a mount within it: by
    a VOLUME there, or by a link where DS01 mounts its own. ds01d asks for files of what it made before it ever ran.
    """
    place, aim = mallory.folder(f"swapped-{image}"), field.run.parent / f"aim-{image}"
    aim.mkdir()
    swaps = mallory.person.start("/usr/bin/python3", "-c", SWAPS.replace("PLACE", str(place)).replace("AIM", str(aim)))
    request = {"project": "astray", "workspace": str(place), "image": f"astray-{image}", "gpus": "0"}
    try:
        _import(mallory, f"astray-{image}", linked=image == "link")
        until = time.monotonic() + SWAPPED_SECONDS
        while time.monotonic() < until:
            launched = control(mallory, field, "POST", "/v1/launches", request)
            assert b"has no shell" in launched.body, launched.body
            assert str(aim) not in Path("/proc/self/mountinfo").read_text(), "mounted where she chose"
            assert list(aim.iterdir()) == [], "made where she chose"
    finally:
        swaps.kill()
        swaps.wait()
        _unmount(aim)
    left = [
        row["Names"] for row in field.root("GET", "/containers/json?all=1").json if "ds01-look" in str(row["Names"])
    ]
    assert left == []


def _import(mallory: User, name: str, *, linked: bool) -> None:
    """An image without a shell, and so launched again and again, each time anew."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        etc, accounts = tarfile.TarInfo("etc"), tarfile.TarInfo("etc/passwd")
        etc.type, etc.mode, text = tarfile.DIRTYPE, 0o755, b"root:x:0:0:root:/root:/bin/sh\n"
        accounts.size = len(text)
        archive.addfile(etc)
        archive.addfile(accounts, io.BytesIO(text))
        if linked:
            link = tarfile.TarInfo("run")
            link.type, link.linkname = tarfile.SYMTYPE, "/workspace/sub"
            archive.addfile(link)
    change = "" if linked else "&changes=VOLUME%20/workspace/sub/x"
    made = mallory.call(
        "POST", f"/v1.41/images/create?fromSrc=-&repo={name}{change}", held.getvalue(), Content_Type=TAR
    )
    assert made.status == 200, made.body


def _unmount(aim: Path) -> None:
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in reversed([each for each in places if each.startswith(f"{aim}/")]):
        subprocess.run(["umount", "--lazy", place], check=True)


SWAPPED_SECONDS = 15
SWAPS = """
import ctypes, os
place = os.open("PLACE", os.O_RDONLY | os.O_DIRECTORY)
os.mkdir("sub", dir_fd=place)
os.symlink("AIM", "link", dir_fd=place)
libc = ctypes.CDLL(None)
while True:
    libc.renameat2(place, b"sub", place, b"link", 2)
"""
"""Exchanges a folder and a link for as long as it runs."""


def test_e37_two_copies_do_not_meet_in_a_volume(mallory: User, field: Ground) -> None:
    """One writes a folder and a link in turn into a volume of both, and the other would mount its own volume there."""
    both = [{"Type": "volume", "Source": "slow", "Target": "/v"}]
    nested = [*both, {"Type": "volume", "Source": "nested", "Target": "/v/sub"}]
    writer = mallory.create("writer", Cmd=["true"], HostConfig={"Mounts": both}).json["Id"]
    follows = mallory.create("follows", Cmd=["true"], HostConfig={"Mounts": nested}).json["Id"]
    apart, sent = mallory.create("apart", Cmd=["true"]).json["Id"], {"HEAD": None, "GET": None, "PUT": context(a="b")}
    with copying(mallory, writer):
        for method in ("HEAD", "GET", "PUT"):
            refused = mallory.call(method, f"/v1.41/containers/{follows}/archive?path=/v", sent[method])
            assert refused.status == 409, (method, refused.body)
            assert method == "HEAD" or "(container.busy)" in refused.message
        assert mallory.call("GET", f"/v1.41/containers/{apart}/archive?path=/bin").status == 200
    wait(lambda: mallory.call("GET", f"/v1.41/containers/{follows}/archive?path=/v").status == 200)
    assert mallory.docker("rm", "--force", writer, follows, apart).code == 0
    assert mallory.docker("volume", "rm", "slow", "nested").code == 0
