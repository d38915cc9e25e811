"""buildx and compose v2 on Engine 26: BuildKit's own API through the gateway."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import engine26 as newer
from dev import people, tiny
from dev.engine import OwnEngine
from dev.registry import serving

from ds01.domain.dockerpolicy import protobuf
from tests.engine.gateway.ground import IMAGE, Ground, User, ground
from tests.engine.gateway.h2client import BRIDGE, CONTROL, Client
from tests.engine.gateway.steps import EVERYTHING, opened, reached
from tests.engine.gateway.test_build import folder

pytestmark = [pytest.mark.engine, pytest.mark.root]

SECRET = "the-secret-of-alice"
PRIVATE, TAKEN = "alice/private", "localhost/alices"


@pytest.fixture(scope="module")
def place(engine26: OwnEngine) -> Iterator[Ground]:
    tiny.install(engine26.socket)
    with tempfile.TemporaryDirectory(prefix="ds01x", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        (Path(name) / "registry").mkdir()
        with serving(Path(name) / "registry") as registry, ground(engine26, Path(name), registry, "gx") as made:
            for user in (made.alice, made.mallory):
                newer.plugins(user.folder(".docker"))
            yield made


@pytest.fixture(scope="module")
def owner(place: Ground) -> User:
    hers = built(place.alice, "private", f"FROM {IMAGE}\nRUN echo {SECRET} > /secret\n", "-t", PRIVATE,
                 "-t", TAKEN)  # fmt: skip
    assert hers.code == 0, hers.err
    return place.alice


@pytest.fixture
def thief(place: Ground, owner: User) -> User:
    return place.mallory


def docker(user: User, *words: str, within: Path | None = None) -> people.Done:
    person = people.person(user.person.login, DOCKER_HOST=f"unix://{user.gateway}")
    return person.run(str(newer.programs() / "docker"), *words, folder=within, seconds=600)


def built(user: User, name: str, dockerfile: str, *options: str, **files: str) -> people.Done:
    return docker(user, "buildx", "build", "--progress", "plain", *options,
                  str(folder(user, f"x-{name}", dockerfile, **files)))  # fmt: skip


def labels(place: Ground, image: str) -> dict[str, str]:
    found: dict[str, str] = place.root("GET", f"/images/{image}/json").json["Config"]["Labels"]
    return found


def test_buildx_as_users_know_it(place: Ground, thief: User) -> None:
    done = built(
        thief, "app",
        f"# syntax=docker/dockerfile:1\nARG BASE={IMAGE}\nFROM $BASE AS one\nARG WHO=nobody\n"
        "RUN --mount=type=cache,target=/c --mount=type=secret,id=k echo $WHO $(cat /run/secrets/k) > /who\n"
        "RUN <<E\ncat /proc/self/cgroup\nE\n"
        f"FROM {IMAGE}\nCOPY --link --from=one /who /who\nLABEL kept=yes ds01.owner.uid=1\nCMD [\"cat\", \"/who\"]\n",
        "-t", "app", "--build-arg", "WHO=mallory", "--label", "ds01.owner.uid=2",
        "--secret", f"id=k,src={thief.home}/x-app/key", key="sesame",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert f"ds01-u{thief.uid}.slice" in done.err
    assert docker(thief, "run", "--rm", "app").out == "mallory sesame\n"
    assert labels(place, "app") == labels(place, "app") | {"kept": "yes", "ds01.owner.uid": str(thief.uid)}
    assert docker(place.alice, "image", "inspect", "app").code != 0


def test_compose_and_bake_build(place: Ground, thief: User) -> None:
    within = folder(thief, "x-compose", f'FROM {IMAGE}\nCMD ["echo", "hi"]\n',
                    **{"compose.yaml": "services:\n  web:\n    build: .\n    image: webby\n",
                       "docker-bake.hcl": 'target "a" {\n tags = ["baked"]\n}\n'})  # fmt: skip
    assert docker(thief, "compose", "build", within=within).code == 0
    assert docker(thief, "buildx", "bake", "a", within=within).code == 0
    for name in ("webby", "baked"):
        assert labels(place, name)["ds01.owner.uid"] == str(thief.uid)


def test_results_as_files_and_without_a_name(thief: User) -> None:
    done = built(thief, "files", f"FROM {IMAGE} AS a\nRUN echo hi > /hi\nFROM scratch\nCOPY --from=a /hi /hi\n", "-o",
                 f"type=local,dest={thief.home}/x-files/out")  # fmt: skip
    assert done.code == 0, done.err
    assert (thief.home / "x-files/out/hi").read_text() == "hi\n"
    quiet = docker(thief, "buildx", "build", "-q", str(folder(thief, "x-quiet", f"FROM {IMAGE}\nRUN echo q\n")))
    assert docker(thief, "image", "inspect", quiet.out.strip()).code == 0


@pytest.mark.parametrize(
    "line",
    ["FROM {0}", "FROM {1}", f"FROM {IMAGE}\nCOPY --from={{0}} / /x", "ARG X={0}\nFROM $X", "# syntax={0}\nFROM {0}",
     f"FROM {IMAGE}\nRUN --mount=from={{0}},target=/x cat /x/secret", f"FROM {IMAGE}\nADD http://127.0.0.1/x /x",
     f"FROM {IMAGE}\nADD https://github.com/x/y.git /x", f"FROM {IMAGE}\nADD bob@10.0.0.5:x.git /x",
     "FROM 127.0.0.1:1/x"],
)  # fmt: skip
def test_d23_d25_sources_of_others_are_no_base(place: Ground, thief: User, line: str) -> None:
    image = place.root("GET", f"/images/{PRIVATE}/json").json["Id"]
    done = built(thief, "steals", line.format(PRIVATE, image) + "\nRUN cat /secret /x/secret\n", "-t", "stolen")
    assert done.code != 0
    assert "denied by policy" in done.err or "invalid reference format" in done.err
    assert "docker pull" in done.err or "invalid reference format" in done.err
    assert SECRET not in done.err
    assert place.root("GET", "/images/stolen/json").status == 404


def test_e33_what_grows_without_end_is_refused_before_it_is_built(thief: User) -> None:
    """The Dockerfile passes as it is, and not this one: the engine would put the values in, in its memory."""
    text = f"FROM {IMAGE}\nENV a0=xxxxxxxxxx\n" + "".join(f"ENV a{n}=$a{n - 1}$a{n - 1}\n" for n in range(1, 21))
    done = built(thief, "grows", text, "-t", "grown")
    assert done.code != 0
    assert "grow over" in done.err
    assert "build.grown" in done.err
    assert docker(thief, "image", "inspect", "grown").code != 0


def test_e33_an_image_that_says_too_much_is_not_made(thief: User) -> None:
    """Neither at once nor bit by bit."""
    long = "x" * 60_000
    first = built(thief, "says", f"FROM {IMAGE}\nLABEL a={long}\n", "-t", "says")
    assert first.code == 0, first.err
    more = built(thief, "says-more", f"FROM says\nLABEL b={long}\n", "-t", "says-more")
    assert (more.code != 0, "image.heavy" in more.err) == (True, True), more.err
    assert docker(thief, "image", "inspect", "says-more").code != 0


def test_d23_a_context_by_another_name_is_no_way_round(thief: User) -> None:
    text = f"FROM {IMAGE}\nCOPY --from=other / /x\nRUN cat /x/secret\n"
    done = built(thief, "context", text, "--build-context", f"other=docker-image://{PRIVATE}")
    assert "denied by policy" in done.err
    assert SECRET not in done.err


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--network", "host"], "build.solve"), (["--allow", "security.insecure"], "build.solve"),
        (["--cgroup-parent", "/"], "build.option"), (["--add-host", "pypi.org:10.0.0.1"], "build.option"),
        (["--platform", "linux/arm64"], "build.platform"), (["--push", "-t", "x/y"], "build.push"),
        (["-t", IMAGE], "tags.protected"), (["-t", TAKEN], ""), (["-t", "ds01-1/x"], "tags.others"),
        (["-o", "type=image,name=ds01/tiny"], "tags.protected"), (["--ulimit", "nofile=99999999"], ""),
        (["--cache-to", "type=registry,ref=127.0.0.1:1/x"], ""), (["--build-arg", "BUILDKIT_SYNTAX=alice/private"], ""),
    ],
)  # fmt: skip
def test_d15_d20_g11_what_a_build_may_not(place: Ground, thief: User, options: list[str], rule: str) -> None:
    before = [place.root("GET", f"/images/{name}/json").json["Id"] for name in (IMAGE, PRIVATE, TAKEN)]
    done = built(thief, "may-not", f"FROM {IMAGE}\nRUN echo ran\n", *options)
    assert not rule or (done.code != 0 and rule in done.err), done.err
    assert SECRET not in done.err
    assert [place.root("GET", f"/images/{name}/json").json["Id"] for name in (IMAGE, PRIVATE, TAKEN)] == before


def test_a_builder_in_a_container_is_refused_with_the_way_that_works(thief: User) -> None:
    assert docker(thief, "buildx", "create", "--name", "own", "--driver", "docker-container").code == 0
    done = docker(thief, "buildx", "build", "--builder", "own", str(folder(thief, "x-own", f"FROM {IMAGE}\n")))
    assert "docker buildx use default" in done.err
    made = thief.create("buildx_buildkit_own0", HostConfig={"Privileged": True})
    assert (made.status, "docker buildx use default" in made.message) == (403, True)


def test_d24_methods_of_buildkit_that_are_everybodys(thief: User) -> None:
    with Client(thief) as client:
        for method in ("ListenBuildHistory", "UpdateBuildHistory", "Session"):
            assert client.call(f"{CONTROL}{method}").status in (7, 12), method
        content = "/containerd.services.content.v1.Content/"
        bridge = (f"{BRIDGE}{name}" for name in ("NewContainer", "ExecProcess", "ResolveImageConfig"))
        for path in (f"{content}List", f"{content}Read", *bridge, "/x/y"):
            assert client.call(path).status in (5, 7, 12), path
        assert client.call(f"{CONTROL}Info").status == 0


def test_o13_builds_of_others_are_like_none(thief: User) -> None:
    with Client(thief) as client:
        assert client.call(f"{CONTROL}Status", b"\x0a\x0babcdefghijk").status == 5
        for method in ("Ping", "ReadFile", "Solve", "Return"):
            assert client.call(f"{BRIDGE}{method}", metadata={"buildkit-controlapi-buildid": "abcdefghijk"}).status == 5


def test_how_a_refused_build_goes_is_no_error_of_its_own(thief: User) -> None:
    """A client shows whichever of its errors comes first: the reason is the build's."""
    asked = protobuf.render([protobuf.of(1, "refusedbuild"), protobuf.of(5, "s" * 25), protobuf.of(9, "device")])
    with Client(thief) as client:
        said = client.call(f"{CONTROL}Solve", asked)
        assert (said.status, "build.solve" in said.message) == (7, True)
        assert client.call(f"{CONTROL}Status", protobuf.render([protobuf.of(1, "refusedbuild")])).status == 0


def test_the_record_has_builds_and_refusals(place: Ground, thief: User) -> None:
    built(thief, "record", f"FROM {IMAGE}\n", "--cgroup-parent", "/")
    lines = [json.loads(line) for line in place.log("ds01-gateway").splitlines() if "gRPC" in line]
    assert any(line["outcome"] == "denied" and line["rule"] == "build.option" for line in lines)
    assert any(line["outcome"] == "allowed" and line["rule"] == "grpc.solve" for line in lines)
    assert docker(thief, "buildx", "prune", "--force").code == 0
    deadline = time.monotonic() + 20  # it is recorded when it is over, and the client has its answer before that
    while not (lines := [line for line in place.log("ds01-gateway").splitlines() if "grpc.prune" in line]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert {json.loads(line)["outcome"] for line in lines} == {"allowed"}


def test_d13_d14_steps_reach_neither_each_other_nor_the_host(place: Ground) -> None:
    client = (str(newer.programs() / "docker"), "buildx", "build")
    assert reached(place, *client) == set()
    with opened(place):
        assert reached(place, *client, patient=True) == EVERYTHING
