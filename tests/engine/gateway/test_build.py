"""Builds: everybody's own, from images of their own, with layers of their own."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, Reply, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]


def context(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def build(user: User, body: bytes, /, **query: str) -> Reply:
    return user.call("POST", f"/v1.41/build?{urlencode({'rm': '1', **query})}", body, Content_Type="application/x-tar")


def said(reply: Reply) -> str:
    """Everything the build printed, and its error."""
    lines = [json.loads(line) for line in reply.body.splitlines()] if reply.status == 200 else []
    return "".join(line.get("stream", "") or line.get("error", "") for line in lines)


def folder(user: User, name: str, dockerfile: str, **files: str) -> Path:
    place = user.folder(name)
    for path, content in {"Dockerfile": dockerfile, **files}.items():
        (place / path).write_text(content)
    return place


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_a_build_as_users_know_it(mallory: User, field: Ground, client: str) -> None:
    place = folder(
        mallory, "app",
        f"# a comment\nARG BASE={IMAGE}\nFROM $BASE AS one\nARG WHO=nobody\n"
        "RUN echo $WHO > /who && \\\n    id >> /who\n"
        f"FROM {IMAGE}:latest\nCOPY --from=one /who /who\nCOPY . /app\nLABEL kept=yes\nCMD [\"cat\", \"/who\"]\n",
        code="print(1)", **{".dockerignore": "secret\n"}, secret="hidden",
    )  # fmt: skip
    done = mallory.docker("build", "-t", "app", "--build-arg", "WHO=mallory", "--label", 'quote="$x"', str(place),
                          client=client)  # fmt: skip
    assert done.code == 0, done.out + done.err
    assert "Step 9/9 : CMD" in done.out
    assert f"Step 2/9 : FROM {IMAGE} AS one" in done.out
    run = mallory.docker("run", "--rm", "app", client=client)
    assert run.out.splitlines()[0] == "mallory"
    listed = mallory.docker("run", "--rm", "app", "ls", "-A", "/app", client=client).out.split()
    assert set(listed) == {"Dockerfile", "code"}  # neither the ignored file nor ours
    labels = field.root("GET", "/images/app/json").json["Config"]["Labels"]
    assert labels["kept"] == "yes"
    assert labels["quote"] == '"$x"'
    assert labels["ds01.owner.uid"] == str(mallory.uid)
    again = mallory.docker("build", "-t", "app", "--build-arg", "WHO=mallory", "--label", 'quote="$x"', str(place),
                           client=client)  # fmt: skip
    assert again.out.count("Using cache") == 6
    mallory.docker("build", "-t", "app:two", "--target", "one", str(place), client=client)
    assert mallory.docker("run", "--rm", "app:two", "cat", "/who", client=client).out.startswith("nobody")


def test_steps_of_a_build_are_in_their_owners_slice_and_network(mallory: User) -> None:
    place = folder(mallory, "where", f"FROM {IMAGE}\nRUN cat /proc/self/cgroup; cat /sys/fs/cgroup/x || true\n")
    done = mallory.docker("build", "--no-cache", str(place))
    assert f"ds01-u{mallory.uid}.slice" in done.out


@pytest.mark.parametrize("instruction", ["FROM {0}", "FROM {1}", "FROM {2}", f"FROM {IMAGE}\nCOPY --from={{0}} / /x",
                                         f"FROM {IMAGE}\nCOPY --from={{1}} / /x", "ARG X={0}\nFROM $X",
                                         f"FROM {IMAGE}\nONBUILD COPY --from={{0}} / /x"])  # fmt: skip
def test_d23_images_of_others_are_no_base(mallory: User, field: Ground, victim: Victim, instruction: str) -> None:
    image = field.root("GET", f"/images/{victim.image}/json").json["Id"].removeprefix("sha256:")
    text = instruction.format(victim.image, image, image[:8]) + "\nRUN cat /secret /x/secret\n"
    found = build(mallory, context(Dockerfile=text), t="stolen")
    assert found.status in (400, 403)
    assert victim.secret not in found.body.decode()
    assert field.root("GET", "/images/stolen/json").status == 404


def test_a_trigger_in_an_own_base_steals_nothing(mallory: User, victim: Victim) -> None:
    direct = build(mallory, context(Dockerfile=f"FROM {IMAGE}\nONBUILD RUN echo hi\n"), t="trigger")
    assert direct.status == 200, direct.body
    cached = build(mallory, context(Dockerfile="FROM trigger\n"), t="triggered")
    assert (cached.status, "--no-cache" in cached.message) == (400, True)
    used = build(mallory, context(Dockerfile="FROM trigger\n"), t="triggered", nocache="1")
    assert "hi" in said(used)


def test_a_dockerfile_in_every_disguise_is_the_one_that_was_judged(mallory: User, victim: Victim) -> None:
    """Two files of one name, links in the way, other spellings: the engine builds from what was read, or not at all."""
    honest, evil = f"FROM {IMAGE}\nRUN echo honest\n", f"FROM {victim.image}\nRUN cat /secret\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, text, link in (
            ("Dockerfile", tarfile.REGTYPE, evil, ""), ("./Dockerfile", tarfile.REGTYPE, honest, ""),
            ("evil", tarfile.REGTYPE, evil, ""), ("dir", tarfile.SYMTYPE, "", "."),
            ("dir/Dockerfile", tarfile.REGTYPE, evil, ""),
            (".ds01.0", tarfile.REGTYPE, evil, ""), (".dockerignore", tarfile.SYMTYPE, "", "/etc/passwd"),
        ):  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(text), link
            tar.addfile(entry, io.BytesIO(text.encode()))
    found = build(mallory, buffer.getvalue())
    assert "honest" in said(found)
    assert victim.secret not in said(found)
    for path in ("../Dockerfile", "/etc/passwd", "dir/../../x", ""):
        assert victim.secret not in said(build(mallory, buffer.getvalue(), dockerfile=path))


@pytest.mark.parametrize(
    "query",
    [
        {"remote": "http://169.254.169.254/x.tar"}, {"remote": "git://x/y"}, {"networkmode": "host"}, {"version": "3"},
        {"extrahosts": '["pypi.org:10.0.0.1"]'}, {"securityopt": '["seccomp=unconfined"]'}, {"squash": "1"},
        {"outputs": '[{"Type":"local"}]'}, {"networkmode": "container:x"}, {"session": "x"}, {"platform": "windows"},
        {"ulimits": '[{"Name":"nofile","Soft":1,"Hard":1}]'}, {"labels": '{"a":"b","a":"c"}'}, {"buildargs": "[1]"},
        {"cgroupparent": "/", "networkmode": "host"}, {"target": "nowhere"}, {"t": "Bad Name"}, {"unknown": "1"},
    ],
)  # fmt: skip
def test_d15_d25_parameters(mallory: User, query: dict[str, str]) -> None:
    found = build(mallory, context(Dockerfile=f"FROM {IMAGE}\nRUN echo ran\n"), **query)
    assert found.status in (400, 403), found.body
    assert "ran" not in found.body.decode()


def test_a_build_on_a_network_of_hers(mallory: User, alice: User, field: Ground) -> None:
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN cat /etc/resolv.conf; ip -4 -o addr show eth0\n")
    made = mallory.call("POST", "/v1.41/networks/create", {"Name": "building"}).json["Id"]
    range_ = field.root("GET", f"/networks/{made}").json["IPAM"]["Config"][0]["Subnet"]
    try:
        for ref in ("building", made):
            assert f"inet {range_.rpartition('.')[0]}." in said(build(mallory, body, networkmode=ref, nocache="1")), ref
            assert build(alice, body, networkmode=ref).status == 404
        assert build(mallory, body, networkmode=f"building._.{alice.uid}").status == 404
    finally:
        assert mallory.call("DELETE", "/v1.41/networks/building").status == 204


def test_layers_are_taken_only_from_images_that_are_there(mallory: User, victim: Victim) -> None:
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN echo one > /one\n")
    assert build(mallory, body, t="first").status == 200
    for known in ("first", f'nowhere","{IMAGE}'):
        assert "Using cache" in said(build(mallory, body, cachefrom=f'["{known}"]')), known
    for unknown in ("nowhere:1", victim.image, "No Name"):
        found = said(build(mallory, body, cachefrom=f'["{unknown}"]'))
        assert "Successfully built" in found
        assert "Using cache" not in found, unknown


@pytest.mark.parametrize("line", ["ADD http://127.0.0.1/x /x", "RUN --mount=type=bind,from=x,target=/y true",
                                  "RUN --network=host true", "ARG A=http\nADD ${A}://x /x",
                                  "ADD bob@10.0.0.5:x.git /x", 'ADD ["10.0.0.5:x", "/x"]'])  # fmt: skip
def test_d25_what_a_dockerfile_may_not(mallory: User, line: str) -> None:
    assert build(mallory, context(Dockerfile=f"FROM {IMAGE}\n{line}\n")).status == 403


def test_d20_tags_of_others(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    before = field.root("GET", f"/images/{IMAGE}/json").json["Id"]
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN echo poison > /p\n")
    hers = f"{field.registry.host}/alices"
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={hers}").status == 201
    written = field.root("GET", f"/images/{hers}/json").json["Id"]
    assert "ds01-u" not in said(build(mallory, body, t=hers))
    assert field.root("GET", f"/images/{hers}/json").json["Id"] == written
    assert mallory.call("GET", f"/v1.41/images/{hers}/json").json["Id"] != written
    private = field.root("GET", f"/images/{victim.image}/json").json["Id"]
    assert "ds01-u" not in said(build(mallory, body, t=victim.image))
    assert field.root("GET", f"/images/{victim.image}/json").json["Id"] == private
    assert mallory.call("GET", f"/v1.41/images/{victim.image}/json").json["Id"] != private
    assert build(mallory, body, t=IMAGE).status == 403
    assert build(mallory, body, t=f"ds01-{alice.uid}/thesis").status == 403
    assert build(mallory, body, t=f"docker.io/{IMAGE}").status == 403
    assert field.root("GET", f"/images/{IMAGE}/json").json["Id"] == before
    field.root("POST", f"/images/{IMAGE}/tag?repo=pytorch&tag=2.4")
    assert "ds01-u" not in said(build(mallory, body, t="pytorch:2.4"))
    assert field.root("GET", "/images/pytorch:2.4/json").json["Id"] == before
    field.root("DELETE", "/images/pytorch:2.4")
    assert mallory.docker("rmi", "pytorch:2.4", victim.image, hers).code == 0


def test_layers_of_one_are_not_taken_for_anothers(mallory: User, alice: User) -> None:
    """The same command under another proxy makes another layer; the engine's own cache would mix them up."""
    text = f"FROM {IMAGE}\nRUN echo $http_proxy > /from\n"
    assert build(mallory, context(Dockerfile=text), t="m1", buildargs='{"http_proxy":"http://evil"}').status == 200
    hers = build(alice, context(Dockerfile=text), t="a1")
    assert "Using cache" not in said(hers)
    assert alice.docker("run", "--rm", "a1", "cat", "/from").out == "\n"


def test_a_failed_build_ends_as_one(mallory: User, field: Ground) -> None:
    found = build(mallory, context(Dockerfile=f"FROM {IMAGE}\nRUN exit 3\n"), t="failed", forcerm="1")
    assert "returned a non-zero code: 3" in said(found)
    assert field.root("GET", "/images/failed/json").status == 404
    assert build(mallory, b"\x1f\x8b" + b"x" * 600).status == 400
    missing = build(mallory, context(other="x"))
    assert (missing.status, "Cannot locate" in missing.message) == (400, True)


def test_a_client_that_leaves_ends_its_build(mallory: User, field: Ground) -> None:
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN sleep 600\n")
    head = (f"POST /v1.41/build?rm=1&forcerm=1 HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
    before = field.ids()
    with mallory.connect() as sock:
        sock.sendall(head.encode() + body)
        while b"Running in" not in (piece := sock.recv(65536)):
            assert piece
    wait(lambda: field.ids() == before)
