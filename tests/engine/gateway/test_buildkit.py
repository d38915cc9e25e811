"""BuildKit builds over a session, with the 20.10 client that has BuildKit built in."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from dev import engine26 as newer
from dev import people
from dev.engine import OwnEngine

from ds01.domain.names import step_host
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, Reply, User, wait
from tests.engine.gateway.steps import EVERYTHING, opened, reached
from tests.engine.gateway.test_build import folder
from tests.engine.gateway.test_going_on import begun

pytestmark = [pytest.mark.engine, pytest.mark.root]


def asking(user: User) -> people.Person:
    return people.person(user.person.login, DOCKER_HOST=f"unix://{user.gateway}", DOCKER_BUILDKIT="1")


def build(user: User, place: Path, *options: str) -> people.Done:
    return asking(user).run(OLD_CLIENT, "build", "--progress", "plain", *options, str(place), seconds=600)


def built(user: User, name: str, dockerfile: str, *options: str) -> people.Done:
    return build(user, folder(user, f"kit-{name}", dockerfile), *options)


@contextlib.contextmanager
def session(user: User) -> Iterator[str]:
    """A session as its client opens it, up to the change of protocols; afterwards silent. Its id is a new one:
    the engine remembers one for a while after its end.
    """
    number = secrets.token_hex(13)
    with user.connect() as sock:
        sock.sendall(_session(number).encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 101")
        yield number


def _session(number: str, upgrade: str = "h2c") -> str:
    return (
        f"POST /v1.41/session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n"
        f"X-Docker-Expose-Session-Uuid: {number}\r\nX-Docker-Expose-Session-Name: x\r\n"
        "X-Docker-Expose-Session-Grpc-Method: /moby.filesync.v1.FileSync/DiffCopy\r\n\r\n"
    )


def raw(user: User, number: str, **query: str) -> Reply:
    given = {"version": "2", "remote": "client-session", "session": number, **query}
    return user.call("POST", f"/v1.41/build?{urlencode(given)}")


def test_a_build_as_users_know_it(mallory: User, field: Ground) -> None:
    place = folder(
        mallory, "kit",
        f"# syntax=docker/dockerfile:1\nARG BASE={IMAGE}\nFROM $BASE AS one\nARG WHO=nobody\n"
        "RUN --mount=type=cache,target=/cache echo $WHO > /who && \\\n    id >> /who; touch /cache/x\n"
        f"FROM {IMAGE}:latest\nCOPY --from=one /who /who\nRUN --mount=from=one,target=/m cat /m/who > /again\n"
        'COPY . /app\nLABEL kept=yes ds01.owner.uid=1\nCMD ["cat", "/who"]\n',
        code="print(1)", **{".dockerignore": "secret\n"}, secret="hidden",
    )  # fmt: skip
    done = build(mallory, place, "-t", "kit", "--build-arg", "WHO=mallory", "--label", 'quote="$x"')
    assert done.code == 0, done.out + done.err
    assert "writing image sha256:" in done.err
    run = mallory.docker("run", "--rm", "kit", client=OLD_CLIENT)
    assert run.out.splitlines()[0] == "mallory", run.err
    listed = mallory.docker("run", "--rm", "kit", "ls", "-A", "/app").out.split()
    assert set(listed) == {"Dockerfile", "code", ".dockerignore"}
    labels = field.root("GET", "/images/kit/json").json["Config"]["Labels"]
    assert (labels["kept"], labels["quote"], labels["ds01.owner.uid"]) == ("yes", '"$x"', str(mallory.uid))
    again = build(mallory, place, "-t", "kit", "--build-arg", "WHO=mallory", "--label", 'quote="$x"')
    assert again.err.count("CACHED") >= 3


def test_secrets_and_results_as_files_work(mallory: User) -> None:
    text = (f"FROM {IMAGE} AS one\nRUN --mount=type=secret,id=key cp /run/secrets/key /k\n"
            "FROM scratch\nCOPY --from=one /k /k\n")  # fmt: skip
    place = folder(mallory, "kit-secret", text, word="open sesame")
    done = build(mallory, place, "--secret", f"id=key,src={place}/word", "-o", f"type=local,dest={place}/out")
    assert done.code == 0, done.err
    assert (place / "out/k").read_text() == "open sesame"
    assert (place / "out/k").stat().st_uid == mallory.uid


def test_a_build_that_fails_ends_as_one(mallory: User, field: Ground) -> None:
    failed = built(mallory, "fails", f"FROM {IMAGE}\nRUN exit 3\n", "-t", "kit-fails")
    assert failed.code != 0
    assert "exit code: 3" in failed.err
    assert field.root("GET", "/images/kit-fails/json").status == 404
    missing = build(mallory, folder(mallory, "kit-other", "FROM x\n"), "-f", str(mallory.home / "kit-other/nothing"))
    assert missing.code != 0


def test_d15_steps_are_in_their_owners_slice(mallory: User) -> None:
    text = f"FROM {IMAGE}\nRUN cat /proc/self/cgroup /proc/self/uid_map; env\n"
    done = built(mallory, "where", text, "--no-cache")
    assert f"ds01-u{mallory.uid}.slice" in done.err
    assert "4294967295" in done.err
    inline = f"FROM {IMAGE}\nRUN --security=insecure id\n"
    assert "not allowed here" in built(mallory, "insecure", inline).err
    assert "build.network" in built(mallory, "network", text, "--network", "host").err


@pytest.mark.parametrize(
    "mount",
    ["bind,source=brought/hosts,target=/etc/hosts", "secret,id=hosts,target=/etc/hosts,required=true",
     "tmpfs,target=/etc/hosts"],
)  # fmt: skip
def test_d15_a_step_cannot_say_whose_it_is(mallory: User, alice: User, mount: str) -> None:
    done = brings_hosts(mallory, alice, mount)
    assert done.code != 0
    assert "mounts a file at /etc/hosts" in done.err
    assert f"ds01-u{alice.uid}.slice" not in done.err


def test_d15_a_folder_over_the_engines_file_changes_nothing(mallory: User, alice: User) -> None:
    done = brings_hosts(mallory, alice, "bind,source=brought,target=/etc")
    assert done.code == 0, done.err
    assert f"ds01-u{mallory.uid}.slice" in done.err
    assert f"ds01-u{alice.uid}.slice" not in done.err


def brings_hosts(user: User, other: User, mount: str) -> people.Done:
    """A build of hers with a file of names that has another's, mounted so by its only step."""
    assert made_by(other, "touch /saw") == ""
    place = folder(user, "kit-hosts", f"FROM {IMAGE}\nRUN --mount=type={mount} cat /proc/self/cgroup\n")
    hosts = user.folder("kit-hosts/brought") / "hosts"
    hosts.write_text(f"127.0.0.1\t{step_host(other.uid)}\n")
    return build(user, place, "--no-cache", "--secret", f"id=hosts,src={hosts}")


@pytest.mark.parametrize(
    "line",
    ["FROM {0}", "FROM {1}", "FROM {2}", f"FROM {IMAGE}\nCOPY --from={{0}} / /x",
     f"FROM {IMAGE}\nRUN --mount=from={{0}},target=/x cat /x/secret", "ARG X={0}\nFROM $X",
     f"FROM {IMAGE}\nRUN --mount=from={IMAGE},target=/x,from={{0}} cat /x/secret",
     f"FROM {IMAGE}\nONBUILD COPY --from={{0}} / /x", f"FROM {IMAGE}\nCOPY --link --from={{0}} / /x"],
)  # fmt: skip
def test_d23_images_of_others_are_no_base(mallory: User, field: Ground, victim: Victim, line: str) -> None:
    image = field.root("GET", f"/images/{victim.image}/json").json["Id"].removeprefix("sha256:")
    text = line.format(victim.image, image, image[:8]) + "\nRUN cat /secret /x/secret\n"
    done = built(mallory, "steals", text, "-t", "kit-stolen")
    assert done.code != 0
    assert victim.secret not in done.err
    assert field.root("GET", "/images/kit-stolen/json").status == 404


@pytest.mark.parametrize("linked", [False, True])
def test_d23_a_dockerfile_is_judged_by_whatever_name(
    mallory: User, field: Ground, victim: Victim, linked: bool
) -> None:
    """What stays out of a build passes as it is, and is a Dockerfile under no name."""
    text = f"FROM {victim.image}\nRUN cat /secret\n"
    place = folder(mallory, f"kit-ignored-{linked}", "FROM scratch\n", **{"x.dockerignore": text})
    if linked:
        (place / "Dockerfile").unlink()
        (place / "Dockerfile").symlink_to("x.dockerignore")
    named = () if linked else ("-f", str(place / "x.dockerignore"))
    done = build(mallory, place, "-t", "kit-stolen", *named)
    assert done.code != 0
    assert "dockerignore" in done.err
    assert victim.secret not in done.err
    assert field.root("GET", "/images/kit-stolen/json").status == 404


@pytest.mark.parametrize("name", ["ds01/tiny", "ds01-4140/x"])
def test_d20_names_of_others_are_not_written(mallory: User, field: Ground, name: str) -> None:
    before = field.root("GET", f"/images/{name}/json").body
    done = built(mallory, "names", f"FROM {IMAGE}\nRUN echo evil\n", "-t", name)
    assert done.code != 0
    assert field.root("GET", f"/images/{name}/json").body == before


@pytest.mark.parametrize("name", ["pytorch/pytorch:2.4", "alice/private:latest", "localhost/alices:latest"])
def test_d20_a_name_of_others_is_written_as_ones_own(
    mallory: User, alice: User, field: Ground, victim: Victim, name: str
) -> None:
    field.root("POST", f"/images/{IMAGE}/tag?repo=pytorch/pytorch&tag=2.4")
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=localhost/alices").status == 201
    before = field.root("GET", f"/images/{name}/json").body
    done = built(mallory, "names", f"FROM {IMAGE}\nRUN echo mine > /mine\n", "-t", name)
    assert done.code == 0
    assert f"naming to {'' if name.startswith('localhost') else 'docker.io/'}{name}" in done.err
    assert field.root("GET", f"/images/{name}/json").body == before
    assert mallory.docker("run", "--rm", name, "cat", "/mine").out == "mine\n"
    assert mallory.docker("rmi", name).code == 0
    assert field.root("GET", f"/images/{name}/json").body == before


@pytest.mark.parametrize(
    "line", ["ADD http://127.0.0.1/x /x", "RUN --device=nvidia.com/gpu=all true", "RUN --network=host true",
             "RUN --mount=type=bind,from=$X,target=/y true", "# escape=`", "ADD bob@10.0.0.5:x.git /x"],
)  # fmt: skip
def test_d25_g11_what_a_dockerfile_may_not(mallory: User, line: str) -> None:
    text = f"{line}\nFROM {IMAGE}\n" if line.startswith("#") else f"FROM {IMAGE}\n{line}\n"
    done = built(mallory, "may-not", text)
    assert done.code != 0
    assert "DS01" in done.err


@pytest.mark.parametrize(
    "query",
    [{"remote": "http://169.254.169.254/x"}, {"remote": "upload-request"}, {"remote": ""}, {"session": ""},
     {"session": "../../x"}, {"outputs": '[{"Type":"image","Attrs":{"name":"ubuntu"}}]'}, {"networkmode": "host"},
     {"outputs": '[{"Type":"local","Attrs":{"dest":"/etc"}}]'}, {"extrahosts": "pypi.org:10.0.0.1"},
     {"cachefrom": "[1", "unknown": "1"}, {"ulimits": '[{"Name":"nofile","Soft":1,"Hard":1}]'}, {"version": "3"}],
)  # fmt: skip
def test_d15_d25_parameters(mallory: User, query: dict[str, str]) -> None:
    with session(mallory) as number:
        assert raw(mallory, **{"number": number, **query}).status in (400, 403)


def test_o13_a_session_is_its_users_own(alice: User, mallory: User) -> None:
    with session(alice) as number:
        assert raw(mallory, number).status == 404
        with mallory.connect() as sock:
            sock.sendall(_session(number).encode())
            assert sock.recv(4096).startswith(b"HTTP/1.1 409")
    assert raw(mallory, number).status == 404


def test_p14_nothing_rides_behind_a_session(mallory: User, field: Ground) -> None:
    create = b"POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}"
    before = field.ids()
    good = secrets.token_hex(13)
    for upgrade, number in (("tcp", good), ("h2c", "short"), ("websocket", good)):
        assert mallory.raw(_session(number, upgrade).encode() + create).count(b"HTTP/1.1 ") == 1
    answer = mallory.raw(_session(good).encode() + create)
    assert answer.startswith(b"HTTP/1.1 101")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert field.ids() == before


def made_by(user: User, step: str, *options: str) -> str:
    """What a step of her build wrote into ``/saw``."""
    done = built(user, "cache", f"FROM {IMAGE}\nRUN {step}\n", "-t", f"kit-cache-{user.uid}", *options)
    assert done.code == 0, done.err
    return user.docker("run", "--rm", f"kit-cache-{user.uid}", "cat", "/saw", client=OLD_CLIENT).out


def test_caches_are_ones_own(mallory: User, alice: User) -> None:
    """Steps are cached, whichever proxy they ran with, and mounted caches stay: for who built, and for nobody else."""
    step = "echo $http_proxy > /saw"
    assert made_by(mallory, step, "--build-arg", "http_proxy=http://evil") == "http://evil\n"
    assert made_by(mallory, step) == "http://evil\n"
    assert made_by(alice, step) == "\n"
    mount, look = "--mount=type=cache,target=/c,id=pip", "ls /c > /saw"
    for user, name in ((mallory, "hers"), (alice, "anothers")):
        made_by(user, f"{mount} touch /c/{name} /saw")
        assert made_by(user, f"{mount} {look}") == f"{name}\n"
    for number, asked in enumerate((f"{alice.uid}-0", "")):
        steered = ("--build-arg", f"BUILDKIT_CACHE_MOUNT_NS={asked}")
        assert made_by(mallory, f"{mount} : {number}; {look}", *steered) == "hers\n"


def test_a_client_that_leaves_ends_its_build(mallory: User) -> None:
    step = f"sleep 612.{os.getpid()}"
    place = folder(mallory, "kit-leaves", f"FROM {IMAGE}\nRUN {step}\n")
    person = asking(mallory)
    building = person.start(OLD_CLIENT, "build", "--no-cache", str(place), out=subprocess.DEVNULL)
    wait(lambda: begun(step) or building.poll() is not None)
    assert building.poll() is None
    building.kill()
    building.wait()
    wait(lambda: not begun(step))


def test_d23_buildx_on_an_engine_that_keeps_no_policy(mallory: User, victim: Victim, engine26: OwnEngine) -> None:
    """buildx is newer than the engine: its Dockerfile is judged on its way, like that of the old client."""
    del engine26  # only its client is wanted
    newer.plugins(mallory.folder(".docker"))
    command = [str(newer.programs() / "docker"), "buildx", "build", "--progress", "plain"]

    def run(dockerfile: str, *options: str) -> people.Done:
        return asking(mallory).run(*command, *options, str(folder(mallory, "kit-buildx", dockerfile)), seconds=600)

    good = run(f"# syntax=docker/dockerfile:1\nFROM {IMAGE}\nRUN echo built > /x\n", "-t", "kit-buildx")
    assert good.code == 0, good.err
    assert mallory.docker("run", "--rm", "kit-buildx", "cat", "/x").out == "built\n"
    for done in (
        run(f"FROM {victim.image}\nRUN cat /secret\n"),
        run(f"FROM {IMAGE}\nRUN cat /secret\n", "--build-context", f"{IMAGE}=docker-image://{victim.image}"),
    ):
        assert done.code != 0
        assert "DS01" in done.err
        assert victim.secret not in done.err


def test_without_the_guard_buildkit_is_refused(mallory: User, field: Ground) -> None:
    """It stands where the engine looks for ``runc``, or it does not: nobody's configuration is believed."""
    guard = Path(field.engine.root) / "guard/runc"
    guard.chmod(0o644)
    try:
        done = built(mallory, "unguarded", f"FROM {IMAGE}\nRUN echo ran\n", "--no-cache")
    finally:
        guard.chmod(0o755)
    assert done.code != 0
    assert "DOCKER_BUILDKIT=0" in done.err
    assert "ran" not in done.err


def test_a_build_is_cancelled_by_its_own_user_only(mallory: User, alice: User) -> None:
    assert mallory.call("POST", "/v1.41/build/cancel?id=nothing").status == 200
    assert alice.call("POST", "/v1.41/build/cancel?id=../x").status == 400


def test_d13_d14_steps_reach_neither_each_other_nor_the_host(field: Ground) -> None:
    client = (OLD_CLIENT, "build")
    assert reached(field, *client) == set()
    with opened(field):
        assert reached(field, *client, patient=True) == EVERYTHING
