"""Two users at once with images of one name: each builds, runs, saves and removes her own, and hears of no other."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from functools import partial

import pytest
from dev import people

from tests.engine.clients.desk import Desk, at_once, tagged
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
COMPOSE = """
version: "3.4"
services:
  web:
    build: .
    command: sh -c 'cat /who; sleep 1000'
    depends_on: [db]
    ports: ["18082:80"]
    stop_grace_period: 0s
  db:
    build: {context: ., dockerfile: db.Dockerfile}
    command: sh -c 'cat /who; sleep 1000'
    stop_grace_period: 0s
"""
OLD, NEW = ("docker-compose",), ("docker", "compose")
BUILDERS = {"legacy": "0", "buildkit": "1"}


@pytest.fixture
def desks(place: Ground) -> Iterator[tuple[Desk, Desk]]:
    """Alice's and Mallory's."""
    found = []
    for user in (place.alice, place.mallory):
        desk = Desk(user=user, folder=user.folder("same"))
        desk.write("compose.yml", COMPOSE)
        desk.write("docker-compose.yml", COMPOSE)
        desk.write("who", user.person.login + "\n")
        desk.write("Dockerfile", f"FROM {IMAGE}\nCOPY who /who\nRUN echo ran >> /who\n")
        desk.write("db.Dockerfile", f"FROM {IMAGE}\nRUN echo db > /who\nCOPY who /owner\n")
        found.append(desk)
    yield found[0], found[1]
    place.clear(set())
    for desk in found:
        place.clear_images(desk.user.uid)
    for ref in tagged(place):
        place.root("DELETE", f"/images/{ref}?force=1")


def ours(place: Ground, desk: Desk, ref: str) -> str:
    """The image the engine has for this user under this name, as root sees it; empty when there is none."""
    for name in (f"ds01-u{desk.user.uid}/{ref}", ref):
        found = place.root("GET", f"/images/{name}/json")
        if found.status == 200 and found.json["Config"]["Labels"].get("ds01.owner.uid") == str(desk.user.uid):
            return str(found.json["Id"])
    return ""


@pytest.mark.parametrize("compose", [OLD, NEW], ids=["v1", "v2"])
def test_two_users_build_one_compose_project_at_once(
    place: Ground, desks: tuple[Desk, Desk], compose: tuple[str, ...]
) -> None:
    between = "_" if compose == OLD else "-"
    others = tagged(place)
    web, db = (f"same{between}{service}" for service in ("web", "db"))
    at_once(*(lambda desk=desk: desk.ok(*compose, "up", "-d", "--build") for desk in desks))
    for desk in desks:
        login = desk.user.person.login
        wait(partial(has_said, desk, compose, login))
        assert desk.ok(*compose, "exec", "-T", "db", "cat", "/owner") == login
        assert len(desk.ok(*compose, "ps", "-q").split()) == 2
        assert web in desk.ok(*compose, "images")
        assert {f"{web}:latest", f"{db}:latest"} <= desk.names()
        assert not any("ds01-u" in name for name in desk.names())
        shown = json.loads(desk.docker("inspect", f"same{between}web{between}1"))[0]
        assert shown["Config"]["Image"] == web
        assert ours(place, desk, f"{web}:latest") == shown["Image"]
        before = desk.ok(*compose, "ps", "-q").split()
        desk.ok(*compose, "up", "-d")
        assert desk.ok(*compose, "ps", "-q").split() == before
    hers, his = desks
    hers.ok(*compose, "down", "--rmi", "local")
    assert not {f"{web}:latest", f"{db}:latest"} & hers.names()
    assert his.ok(*compose, "exec", "-T", "db", "cat", "/owner") == his.user.person.login
    hers.ok(*compose, "up", "-d")
    assert hers.ok(*compose, "exec", "-T", "db", "cat", "/owner") == hers.user.person.login
    for desk in desks:
        desk.ok(*compose, "down", "--rmi", "local")
    assert tagged(place) == others


def has_said(desk: Desk, compose: tuple[str, ...], login: str) -> bool:
    """Whether the web container has said whose it is."""
    return f"{login}\n" in desk.ok(*compose, "logs", "web") + "\n"


def both_build(desks: tuple[Desk, Desk], kit: str = "0", name: str = "app") -> None:
    at_once(*(lambda desk=desk: desk.docker("build", "-t", name, ".", kit=kit) for desk in desks))


@pytest.mark.parametrize("kit", BUILDERS.values(), ids=BUILDERS)
def test_a_build_from_a_name_of_both_is_from_ones_own(place: Ground, desks: tuple[Desk, Desk], kit: str) -> None:
    both_build(desks, kit)
    for desk in desks:
        login = desk.user.person.login
        for name in ("app", "docker.io/library/app:latest"):
            desk.write("next", f"FROM {name}\nCOPY --from=app /who /from\nRUN cat /from >> /who\n")
            done = desk("docker", "build", "--no-cache", "-t", "next", "-f", "next", ".", DOCKER_BUILDKIT=kit)
            assert done.code == 0, done.err
            assert f"ds01-u{desk.user.uid}/" not in done.out + done.err
            assert desk.docker("run", "--rm", "next", "cat", "/who").split() == [login, "ran", login, "ran"]
    assert (
        len({ours(place, desk, "next:latest") for desk in desks} | {ours(place, desk, "app:latest") for desk in desks})
        == 4
    )


@pytest.mark.parametrize("kit", BUILDERS.values(), ids=BUILDERS)
def test_d23_a_name_only_another_has_is_nobodys_base(place: Ground, desks: tuple[Desk, Desk], kit: str) -> None:
    hers, his = desks
    both_build(desks, kit)
    hers.docker("rmi", "app") if ours(place, hers, "app:latest") else None
    for name in ("app", f"ds01-u{his.user.uid}/app", f"docker.io/ds01-u{his.user.uid}/app:latest"):
        hers.write("next", f"FROM {name}\nRUN cat /who\n")
        done = hers("docker", "build", "--no-cache", "-t", "next", "-f", "next", ".", DOCKER_BUILDKIT=kit)
        assert his.user.person.login not in done.out + done.err
        assert done.code != 0, (name, tagged(place), done.out + done.err)
    assert his.docker("run", "--rm", "app", "cat", "/who").split()[0] == his.user.person.login


def test_saved_and_loaded_under_the_name_she_knows(place: Ground, desks: tuple[Desk, Desk]) -> None:
    both_build(desks)
    for desk in desks:
        image = ours(place, desk, "app:latest")
        desk.docker("save", "-o", "app.tar", "app")
        data = (desk.folder / "app.tar").read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            lists = {name: tar.extractfile(name).read() for name in tar.getnames()  # type: ignore[union-attr]
                     if name in ("manifest.json", "repositories", "index.json")}  # fmt: skip
        assert b"ds01-u" not in b"".join(lists.values())
        assert [each["RepoTags"] for each in json.loads(lists["manifest.json"])] == [["app:latest"]]
        assert set(json.loads(lists.get("repositories", b'{"app": {}}'))) == {"app"}
        assert "Untagged: app:latest" in desk.docker("rmi", "app")
        assert ours(place, desk, "app:latest") == ""
        assert desk.docker("load", "-i", "app.tar") == "Loaded image: app:latest"
        assert ours(place, desk, "app:latest") == image
        assert desk.docker("run", "--rm", "app", "cat", "/who").split()[0] == desk.user.person.login


def test_every_way_to_write_a_name(place: Ground, desks: tuple[Desk, Desk]) -> None:
    for desk in desks:
        login = desk.user.person.login
        desk.docker("build", "-q", "-t", "app", "-t", "team/app:1", ".")
        desk.docker("tag", "app", "tagged")
        desk.docker("run", "--name", "work", "app", "sh", "-c", f"echo {login} > /work")
        desk.docker("commit", "work", "committed:1")
        with tarfile.open(desk.folder / "in.tar", "w") as tar:
            tar.add(desk.folder / "who", "who")
        desk.docker("import", "in.tar", "imported")
        assert desk.docker("run", "--rm", "committed:1", "cat", "/work") == login
        mine = {"app:latest", "team/app:1", "tagged:latest", "committed:1", "imported:latest"}
        assert mine <= desk.names()
        shown = json.loads(desk.docker("inspect", "team/app:1"))[0]
        assert set(shown["RepoTags"]) == {"app:latest", "team/app:1", "tagged:latest"}
        assert "ds01-u" not in json.dumps(shown)
        assert json.loads(desk.docker("inspect", "--type", "image", "app"))[0]["Id"] == shown["Id"]
        history = desk.user.call("GET", "/v1.41/images/app/history").json
        assert set(history[0]["Tags"]) == {"app:latest", "team/app:1", "tagged:latest"}
    assert len([ref for ref in tagged(place) if ref.startswith("ds01-u")]) == 5


def test_found_by_name(desks: tuple[Desk, Desk]) -> None:
    both_build(desks)
    both_build(desks, name="team/app:1")
    for desk in desks:
        assert desk.names("app") == {"app:latest"}
        assert desk.names("--filter", "reference=a*") == {"app:latest"}
        assert desk.names("--filter", "reference=*/*:1") == {"team/app:1"}
        assert desk.names("--filter", "reference=ds01-u*/*") == set()
        desk.docker("run", "-d", "--name", "one", "app", "sleep", "1000")
        assert desk.docker("ps", "--filter", "ancestor=app", "--format", "{{.Names}} {{.Image}}") == "one app"
        assert desk.docker("ps", "-q", "--filter", "ancestor=nothing") == ""
        assert "app (must" not in desk("docker", "rmi", "app").err.replace("app:latest (must", "")
        assert "ds01-u" not in desk("docker", "rmi", "app").err


def test_heard_of_by_the_name_she_knows(desks: tuple[Desk, Desk]) -> None:
    both_build(desks)
    since = desks[0].user.call("GET", "/v1.41/info").json["SystemTime"]
    for desk in desks:
        desk.docker("tag", "app", "gone")
        desk.docker("rmi", "gone")
        desk.docker("tag", "app", "other")
    for desk in desks:
        until = desk.user.call("GET", "/v1.41/info").json["SystemTime"]
        heard = desk.docker("events", "--since", since, "--until", until, "--filter", "type=image",
                            "--format", "{{json .}}")  # fmt: skip
        assert "ds01-u" not in heard
        rows = [json.loads(line) for line in heard.splitlines()]
        told = [(row["Action"], row["Actor"]["Attributes"]["name"]) for row in rows]
        assert ("tag", "other:latest") in told
        assert any(action == "untag" for action, _ in told)
        assert {row["Actor"]["ID"] for row in rows} == {json.loads(desk.docker("inspect", "app"))[0]["Id"]}


def test_d18_pruning_takes_ones_own_alone(place: Ground, desks: tuple[Desk, Desk]) -> None:
    both_build(desks)
    hers, his = desks
    for desk, other in ((hers, his), (his, hers)):
        kept = ours(place, other, "app:latest")
        said = desk.docker("image", "prune", "-af")
        assert "untagged: app:latest" in said.lower()
        assert "ds01-u" not in said
        assert ours(place, desk, "app:latest") == ""
        assert ours(place, other, "app:latest") == kept


def test_a_name_of_ones_own_is_not_pushed_as_another(place: Ground, desks: tuple[Desk, Desk]) -> None:
    both_build(desks)
    later = next(desk for desk in desks if f"ds01-u{desk.user.uid}/app:latest" in tagged(place))
    for name in ("app", "app:latest"):
        done = later("docker", "push", name)
        assert done.code != 0
        assert "push.own" in done.err
    whole = f"{place.registry.host}/app:1"
    for desk in desks:
        desk.docker("tag", "app", f"{place.registry.host}/{desk.user.person.login}:1")
        desk.docker("push", f"{place.registry.host}/{desk.user.person.login}:1")
    assert whole not in tagged(place)


def test_d20_nobody_types_the_stored_form(place: Ground, desks: tuple[Desk, Desk]) -> None:
    """Neither of another's name nor of her own, by whatever door; and nothing is told of either."""
    both_build(desks)
    stored = next(ref for ref in tagged(place) if ref.startswith("ds01-u")).removesuffix(":latest")
    before = {ref: place.root("GET", f"/images/{ref}/json").json["Id"] for ref in tagged(place)}
    for desk, other in (desks, desks[::-1]):
        for name in (stored, f"docker.io/{stored}", f"{stored}:latest"):
            desk.write("next", f"FROM {IMAGE}\n")
            with tarfile.open(desk.folder / "load.tar", "w") as tar:
                for path, text in (("c.json", "{}"), ("manifest.json", json.dumps([{
                    "Config": "c.json", "RepoTags": [f"{stored}:latest"], "Layers": []}]))):  # fmt: skip
                    entry = tarfile.TarInfo(path)
                    entry.size = len(text)
                    tar.addfile(entry, io.BytesIO(text.encode()))
            for words in (
                ("run", "--rm", "--pull", "never", name, "cat", "/who"), ("inspect", name), ("history", name),
                ("rmi", name), ("rmi", "-f", name), ("save", name, "-o", "x.tar"), ("tag", name, "mine"),
                ("tag", IMAGE, name), ("pull", name), ("push", name), ("load", "-i", "load.tar"),
                ("import", "load.tar", name), ("build", "-t", name, "-f", "next", "."),
            ):  # fmt: skip
                done = desk("docker", *words, DOCKER_BUILDKIT="0")
                assert "No such" in done.err or "tags.stored" in done.err, (words, done.err)
                assert other.user.person.login not in done.out + done.err
            done = desk("docker", "build", "-t", name, "-f", "next", ".", DOCKER_BUILDKIT="1")
            assert "tags.stored" in done.err + done.out, done.err
        absent = desk("docker", "inspect", "ds01-u4/nothing").err
        assert absent.replace("ds01-u4/nothing", stored) == desk("docker", "inspect", stored).err
    assert {ref: place.root("GET", f"/images/{ref}/json").json["Id"] for ref in tagged(place)} == before


def test_the_old_command_on_both(desks: tuple[Desk, Desk]) -> None:
    for desk in desks:
        for kit in BUILDERS.values():
            person = people.person(desk.user.person.login, DOCKER_HOST=f"unix://{desk.user.gateway}",
                                   DOCKER_BUILDKIT=kit)  # fmt: skip
            done = person.run(OLD_CLIENT, "build", "--no-cache", "-t", "app", ".", folder=desk.folder, seconds=6000)
            assert done.code == 0, done.err
            assert "ds01-u" not in done.out + done.err
            found = person.run(OLD_CLIENT, "run", "--rm", "app", "cat", "/who", seconds=600)
            assert found.out.split()[0] == desk.user.person.login
