"""BuildKit builds from an archive, without a session: what is judged over one is judged here as well."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, Reply, User, ask, connected, wait
from tests.engine.gateway.test_build import build as classic
from tests.engine.gateway.test_build import context
from tests.engine.gateway.test_buildkit import session
from tests.engine.gateway.test_going_on import begun
from tests.engine.gateway.test_images import SMALL, busybox, layer

pytestmark = [pytest.mark.engine, pytest.mark.root]

STOLEN = "archive-stolen"


def build(user: User, body: bytes | str, /, **query: str) -> Reply:
    sent = context(Dockerfile=body) if isinstance(body, str) else body
    return classic(user, sent, version="2", **query)


def told(reply: Reply) -> str:
    """Everything BuildKit says, as it is in its messages, and the error."""
    if reply.status != 200:
        return reply.body.decode()
    messages = [json.loads(line) for line in reply.body.splitlines()]
    traces = [base64.b64decode(each["aux"]) for each in messages if each.get("id") == "moby.buildkit.trace"]
    return b"\n".join(traces).decode("utf-8", "replace") + "".join(each.get("error", "") for each in messages)


def made(reply: Reply) -> bool:
    return reply.status == 200 and b"moby.image.id" in reply.body


RECIPE = (
    f"# syntax=docker/dockerfile:1\nARG BASE={IMAGE}\nFROM $BASE AS one\nARG WHO=nobody\n"
    "RUN echo $WHO > /who && \\\n    id >> /who\n"
    f"FROM {IMAGE}:latest\nCOPY --from=one /who /who\nCOPY code /app/\n"
    'ENV PLACE="/app" AGAIN="$PLACE"\nUSER 1234:5678\nWORKDIR /app\nLABEL kept=yes ds01.owner.uid=1\n'
    'CMD ["cat", "/who"]\n'
)


def test_it_makes_what_the_engines_own_builder_makes(mallory: User, field: Ground) -> None:
    files = context(Dockerfile=RECIPE, code="print(1)")
    asked = {"buildargs": '{"WHO":"mallory"}', "labels": json.dumps({"quote": '"$x"'})}
    reply = build(mallory, files, t="archived", **asked)
    assert made(reply), told(reply)
    assert classic(mallory, files, t="classic", **asked).status == 200
    found, other = (field.root("GET", f"/images/{name}/json").json["Config"] for name in ("archived", "classic"))
    assert found["Labels"]["ds01.owner.uid"] == str(mallory.uid)
    assert (found["Labels"]["kept"], found["Labels"]["quote"]) == ("yes", '"$x"')
    for key in ("Labels", "Env", "User", "WorkingDir", "Cmd", "Entrypoint", "Volumes", "ExposedPorts", "OnBuild"):
        assert found.get(key) == other.get(key), key
    for name in ("archived", "classic"):
        assert mallory.docker("run", "--rm", name).out.splitlines()[0] == "mallory"
        assert mallory.docker("run", "--rm", name, "ls", "-A", "/app").out == "code\n"


def test_a_step_that_fails_says_so(mallory: User, field: Ground) -> None:
    reply = build(mallory, f"FROM {IMAGE}\nRUN echo printed; exit 3\n", t="archive-fails")
    assert "printed\n" in told(reply)
    assert "exit code: 3" in told(reply)
    assert field.root("GET", "/images/archive-fails/json").status == 404
    assert build(mallory, context(other="x")).status == 400
    assert build(mallory, b"").status == 400


def test_d15_steps_are_in_their_owners_slice(mallory: User) -> None:
    said = told(build(mallory, f"FROM {IMAGE}\nRUN cat /proc/self/cgroup /proc/self/uid_map /etc/hosts\n", nocache="1"))
    assert f"ds01-u{mallory.uid}.slice" in said
    assert "4294967295" in said
    assert f"ds01-u{mallory.uid}\n" in said


@pytest.mark.parametrize(
    "line",
    ["FROM {0}", "FROM {1}", "FROM {2}", f"FROM {IMAGE}\nCOPY --from={{0}} / /x", "# syntax={0}\nFROM {0}",
     f"FROM {IMAGE}\nRUN --mount=from={{0}},target=/x cat /x/secret", "ARG X={0}\nFROM $X",
     f"FROM {IMAGE}\nRUN --mount=from={IMAGE},target=/x,from={{0}} cat /x/secret",
     f"FROM {IMAGE}\nRUN --mount=type=cache,from={{0}},target=/x cat /x/secret",
     f"FROM {IMAGE}\nONBUILD COPY --from={{0}} / /x", f"FROM {IMAGE}\nCOPY --link --from={{0}} / /x"],
)  # fmt: skip
def test_d23_images_of_others_are_no_base(mallory: User, field: Ground, victim: Victim, line: str) -> None:
    image = field.root("GET", f"/images/{victim.image}/json").json["Id"].removeprefix("sha256:")
    text = line.format(victim.image, image, image[:8]) + "\nRUN cat /secret /x/secret\n"
    reply = build(mallory, text, t=STOLEN)
    assert reply.status in (400, 403), told(reply)
    assert victim.secret not in told(reply)
    assert field.root("GET", f"/images/{STOLEN}/json").status == 404


def test_d23_another_frontend_is_not_run(mallory: User, victim: Victim) -> None:
    """The line is left out: the engine's own frontend reads what was judged."""
    reply = build(mallory, f"# syntax={victim.image}\nFROM {IMAGE}\nRUN echo honest\n", nocache="1")
    assert made(reply), told(reply)
    assert "honest\n" in told(reply)
    assert "resolve image config" not in told(reply)
    steered = build(mallory, f"FROM {IMAGE}\nRUN echo honest\n", nocache="1",
                    buildargs=json.dumps({"BUILDKIT_SYNTAX": victim.image}))  # fmt: skip
    assert made(steered), told(steered)


def two_faced(evil: str, honest: str) -> bytes:
    """An archive with an honest Dockerfile, whose bytes are an evil one: every header is the rest of a comment there.
    It begins with a note of two kilobytes, so that its beginning alone is no archive.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in (("#", "x" * 512), ("Dockerfile", f"{honest}#")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if name == "#":
                entry.pax_headers = {"comment": f"\n{evil}".ljust(2048 - len("2048 comment=\n"), "#")}
            tar.addfile(entry, io.BytesIO(content.encode()))
    data = bytearray(buffer.getvalue())
    data[:100] = b"#".ljust(100, b"\0")
    data[148:156] = b"        "
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def test_d23_an_archive_is_not_taken_for_a_dockerfile(mallory: User, victim: Victim, field: Ground) -> None:
    """To BuildKit what does not begin like an archive is the Dockerfile itself, and nobody would have judged it."""
    body = two_faced(f"FROM {victim.image}\nRUN cat /secret\n", f"FROM {IMAGE}\nRUN echo honest\n")
    tar = {"Content-Type": "application/x-tar"}
    direct = ask(connected(field.engine.socket), "POST", "/build?version=2&networkmode=none", body, tar)
    assert victim.image in told(direct)  # so it is, with nothing in between
    assert "RUN cat /secret" in told(direct)
    reply = build(mallory, body, nocache="1", t=STOLEN)
    assert victim.secret not in told(reply)
    assert victim.image not in told(reply)
    assert made(reply), told(reply)
    assert "honest\n" in told(reply)


def test_d23_a_dockerfile_in_every_disguise_is_the_one_that_was_judged(mallory: User, victim: Victim) -> None:
    honest, evil = f"FROM {IMAGE}\nRUN echo honest\n", f"FROM {victim.image}\nRUN cat /secret\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, text, link in (
            ("Dockerfile", tarfile.REGTYPE, evil, ""), ("./Dockerfile", tarfile.REGTYPE, honest, ""),
            ("dockerfile", tarfile.REGTYPE, evil, ""), ("dir", tarfile.SYMTYPE, "", "."),
            ("dir/Dockerfile", tarfile.REGTYPE, evil, ""), (".ds01.0", tarfile.REGTYPE, evil, ""),
            ("Dockerfile.dockerignore", tarfile.REGTYPE, evil, ""), ("context", tarfile.REGTYPE, evil, ""),
        ):  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(text), link
            tar.addfile(entry, io.BytesIO(text.encode()))
    found = told(build(mallory, buffer.getvalue(), nocache="1"))
    assert "honest\n" in found
    assert victim.secret not in found
    for path in ("../Dockerfile", "/etc/passwd", "dir/../../x", "context", "dir/Dockerfile", "dockerfile"):
        reply = build(mallory, buffer.getvalue(), dockerfile=path)
        assert reply.status in (400, 403), told(reply)
        assert victim.secret not in told(reply)


@pytest.mark.parametrize(
    "line", ["ADD http://127.0.0.1/x /x", "ADD https://example.org/x.git /x", "ADD git@example.org:x.git /x",
             "ADD bob@10.0.0.5:x.git /x", "ADD 10.0.0.5:x.git /x", 'ADD ["bob@10.0.0.5:x.git", "/x"]',
             "RUN --device=nvidia.com/gpu=all true", "RUN --network=host true", "RUN --security=insecure true",
             "RUN --mount=type=bind,from=$X,target=/y true", "RUN <<END\necho ran\nEND", "COPY <<END /x\nran\nEND",
             "# escape=`"],
)  # fmt: skip
def test_d25_g11_what_a_dockerfile_may_not(mallory: User, line: str) -> None:
    text = f"{line}\nFROM {IMAGE}\n" if line.startswith("#") else f"FROM {IMAGE}\n{line}\n"
    reply = build(mallory, text)
    assert reply.status in (400, 403), told(reply)
    assert "DS01" in told(reply)


@pytest.mark.parametrize(
    "query",
    [{"remote": "http://169.254.169.254/x"}, {"remote": "client-session"}, {"remote": "upload-request"},
     {"outputs": '[{"Type":"local","Attrs":{}}]'}, {"outputs": '[{"Type":"tar"}]'}, {"networkmode": "host"},
     {"outputs": '[{"Type":"image","Attrs":{"name":"ubuntu"}}]'}, {"networkmode": "container:x"}, {"squash": "1"},
     {"networkmode": "building"}, {"extrahosts": "pypi.org:10.0.0.1"}, {"securityopt": '["seccomp=unconfined"]'},
     {"ulimits": '[{"Name":"nofile","Soft":1,"Hard":1}]'}, {"platform": "windows"}, {"unknown": "1"},
     {"cgroupparent": "/", "networkmode": "host"}, {"t": "Bad Name"}, {"target": "nowhere!"}, {"version": "3"}],
)  # fmt: skip
def test_d15_d25_parameters(mallory: User, query: dict[str, str]) -> None:
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN echo ran\n")
    asked = urlencode({"version": "2", **query})
    reply = mallory.call("POST", f"/v1.41/build?{asked}", body, Content_Type="application/x-tar")
    assert reply.status in (400, 403), reply.body
    assert "ran\n" not in told(reply)


def test_d15_d25_no_session_of_anybodys_is_asked(mallory: User, alice: User) -> None:
    """A secret is asked for over a build's own session; without one there is none, whoever has one open."""
    with session(alice) as number:
        reply = build(mallory, f"FROM {IMAGE}\nRUN --mount=type=secret,id=key,required=true true\n", nocache="1")
        assert reply.status == 200
        assert not made(reply)
        ssh = build(mallory, f"FROM {IMAGE}\nRUN --mount=type=ssh,required=true true\n", nocache="1")
        assert not made(ssh)
        assert build(mallory, f"FROM {IMAGE}\n", session=number).status == 400


CACHE = "RUN --mount=type=cache,target=/c,id={},mode=0777 ls -A /c; {}\n"


def test_o13_a_mounted_cache_is_its_owners(mallory: User, alice: User) -> None:
    """By its own name, by another's, and by what the engine makes of it."""

    def look(user: User, name: str, more: str = "true", **query: str) -> str:
        reply = build(user, f"FROM {IMAGE}\n{CACHE.format(name, more)}", nocache="1", **query)
        assert made(reply), told(reply)
        return told(reply)

    look(alice, "ds01-pip-1", "touch /c/of-$((40 + 2))-alices")
    assert "of-42-alices" in look(alice, "ds01-pip-1")
    assert "of-42-alices" not in look(mallory, "ds01-pip-1")
    for hers in (f"{alice.uid}-0", f"{alice.uid}-1"):
        for name in (f"{hers}/ds01-pip-1", f"../{hers}/ds01-pip-1", f"/../{hers}/ds01-pip-1", f"{hers}-ds01-pip-1"):
            assert "of-42-alices" not in look(mallory, name), name
        for steering in ("BUILDKIT_CACHE_MOUNT_NS", "buildkit_cache_mount_ns"):
            given = json.dumps({steering: hers})
            assert "of-42-alices" not in look(mallory, "ds01-pip-1", buildargs=given)
        text = f"ARG BUILDKIT_CACHE_MOUNT_NS={hers}\nFROM {IMAGE}\nARG BUILDKIT_CACHE_MOUNT_NS={hers}\n"
        assert "of-42-alices" not in told(build(mallory, text + CACHE.format("ds01-pip-1", "true"), nocache="1"))
    assert "of-42-alices" in look(alice, "ds01-pip-1")


def test_a_step_of_one_is_not_anothers(mallory: User, alice: User) -> None:
    """The same step under another proxy makes another layer."""
    text = f"FROM {IMAGE}\nRUN echo $http_proxy > /from\n"
    assert made(build(mallory, text, buildargs='{"http_proxy":"http://evil"}'))
    assert made(build(alice, text, t="archive-alice"))
    assert alice.docker("run", "--rm", "archive-alice", "cat", "/from").out == "\n"


def test_a_base_that_is_here_needs_no_registry(mallory: User, field: Ground) -> None:
    """A generated image names its base by digest."""
    digest = field.registry.put("lab/base", "1", SMALL, [busybox(field), layer("hello", "from the registry")])
    repo = f"{field.registry.host}/lab/base"
    absent = build(mallory, f"FROM {repo}:1\nRUN cat /hello\n")  # it is fetched first, as by the other builder
    assert made(absent), told(absent)
    field.registry.manifests.clear()
    for name in (f"{repo}:1", f"{repo}@{digest}"):
        reply = build(mallory, f"FROM {name}\nRUN cat /hello\n", nocache="1")
        assert made(reply), told(reply)
        assert "from the registry" in told(reply)
        assert "ds01-b" not in told(reply)
    field.root("DELETE", f"/images/{field.root('GET', f'/images/{repo}:1/json').json['Id']}?force=1")
    assert field.root("GET", f"/images/{repo}@{digest}/json").status == 404


@pytest.mark.parametrize("name", ["ds01/tiny", "ds01-4140/x"])
def test_d20_names_of_others_are_not_written(mallory: User, field: Ground, name: str) -> None:
    before = field.root("GET", f"/images/{name}/json").body
    assert not made(build(mallory, f"FROM {IMAGE}\nRUN echo evil\n", t=name))
    assert field.root("GET", f"/images/{name}/json").body == before


def test_a_client_that_leaves_ends_its_build(mallory: User) -> None:
    step = f"sleep 613.{os.getpid()}"
    body = context(Dockerfile=f"FROM {IMAGE}\nRUN {step}\n")
    head = (f"POST /v1.41/build?version=2&nocache=1 HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
    with mallory.connect() as sock:
        sock.sendall(head.encode() + body)
        wait(lambda: begun(step))
    wait(lambda: not begun(step))


def test_without_the_guard_it_is_refused(mallory: User, field: Ground) -> None:
    guard = Path(field.engine.root) / "guard/runc"
    guard.chmod(0o644)
    try:
        reply = build(mallory, f"FROM {IMAGE}\nRUN echo ran\n", nocache="1")
    finally:
        guard.chmod(0o755)
    assert reply.status == 403
    assert "BuildKit cannot be used" in told(reply)
