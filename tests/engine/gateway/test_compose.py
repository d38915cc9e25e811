"""Compose v1 as ordinary users run it: the same file, the same project name, the same port, at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import engine26 as newer
from dev import people

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, User, wait

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("docker-compose") is None, reason="left out: needs docker-compose"),
]
FILE = f"""
version: "3.8"
services:
  db:
    image: {IMAGE}
    command: sh -c 'test -e /data/x || echo $$WHO > /data/x; while true; do cat /data/x | nc -l -p 99; done'
    environment: [WHO]
    volumes: ["data:/data"]
    networks: [app]
    stop_grace_period: 0s
  web:
    image: {IMAGE}
    depends_on: [db]
    command: sh -c 'until nc -w 2 db 99 < /dev/null; do sleep 0.2; done; sleep 1000'
    networks: {{app: {{aliases: [site]}}}}
    ports: ["18080:80"]
    stop_grace_period: 0s
volumes:
  data: {{}}
networks:
  app: {{}}
"""


RESERVING = f"""
version: "3.8"
services:
  train:
    image: {IMAGE}
    command: sleep 1000
    stop_grace_period: 0s
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: COUNT
              capabilities: [gpu]
"""


class Project:
    """One user's project, always of the same name."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.file = user.folder("proj") / "docker-compose.yml"
        self.file.write_text(FILE)

    def compose(self, *arguments: str) -> people.Done:
        login, host = self.user.person.login, f"unix://{self.user.gateway}"
        person = people.person(login, DOCKER_HOST=host, WHO=login, COMPOSE_INTERACTIVE_NO_CLI="1")
        return person.run("docker-compose", "-f", str(self.file), *arguments, seconds=600)

    def hears(self) -> str:
        """What the one service says to the other; who answers listens anew each time."""
        script = "for i in $(seq 100); do nc -w 2 db 99 < /dev/null && exit; sleep 0.2; done"
        return self.compose("exec", "-T", "web", "sh", "-c", script).out.strip()

    def has_heard(self) -> bool:
        """Whether the one service has logged what the other says: its user's name."""
        return f"{self.user.person.login}\n" in self.compose("logs", "web").out

    def up(self, *flags: str) -> None:
        done = self.compose("up", "-d", *flags)
        assert done.code == 0, done.err


@pytest.fixture
def both(field: Ground, alice: User, mallory: User, victim: Victim) -> Iterator[tuple[Project, Project]]:
    """Two users with one project name."""
    projects = Project(alice), Project(mallory)
    yield projects
    for project in projects:
        project.compose("down", "-v")
        shutil.rmtree(Path(project.file).parent)


def test_o26_two_users_run_one_compose_file_at_once(both: tuple[Project, Project], field: Ground) -> None:
    for project in both:
        project.up()
    ports = set()
    for project in both:
        login = project.user.person.login
        assert project.hears() == login
        wait(project.has_heard)
        shown = project.compose("ps", "-q").out.split()
        assert len(shown) == 2
        ports.add(project.user.docker("port", "proj_web_1", "80").out.strip())
    assert len(ports) == 2
    assert "127.0.0.1:18080" in ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_recreate_scale_stop_and_down(both: tuple[Project, Project], field: Ground) -> None:
    hers, mine = both
    hers.up()
    mine.up()
    before = mine.compose("ps", "-q").out.split()
    mine.up("--force-recreate")
    after = mine.compose("ps", "-q").out.split()
    assert not set(before) & set(after)
    assert mine.hears() == mine.user.person.login
    for command in (
        ("stop",),
        ("start",),
        ("restart", "-t", "0"),
        ("up", "-d", "--scale", "db=2"),
        ("rm", "-sf", "db"),
    ):
        done = mine.compose(*command)
        assert done.code == 0, (command, done.err)
    gone = mine.compose("-p", "proj", "down", "-v")
    assert gone.code == 0, gone.err
    assert mine.user.call("GET", "/v1.41/volumes").json["Volumes"] == []
    assert hers.hears() == hers.user.person.login
    names = {row["Name"] for row in field.root("GET", "/networks").json}
    assert f"proj_app._.{hers.user.uid}" in names
    assert f"proj_app._.{mine.user.uid}" not in names


def test_s6_a_label_of_anothers_project_sweeps_nothing(both: tuple[Project, Project]) -> None:
    hers, mine = both
    hers.up()
    bait = mine.user.runs("bait", Labels={
        "com.docker.compose.project": "proj", "com.docker.compose.service": "web",
        "com.docker.compose.oneoff": "False", "com.docker.compose.container-number": "1",
    })  # fmt: skip
    assert bait not in hers.compose("ps", "-q").out
    assert hers.compose("down", "-v").code == 0
    assert mine.user.call("GET", f"/v1.41/containers/{bait}/json").json["State"]["Running"]


@pytest.mark.parametrize(("count", "number"), [("1", 1), ("all", 2)])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_g2_gpus_that_a_compose_file_reserves(
    mallory: User, field: Ground, version: str, count: str, number: int
) -> None:
    place = mallory.folder("reserving")
    (place / "docker-compose.yml").write_text(RESERVING.replace("COUNT", count))
    command = compose(mallory, version)
    person = people.person(mallory.person.login, DOCKER_HOST=f"unix://{mallory.gateway}")
    up = person.run(*command, "up", "-d", folder=place, seconds=600)
    try:
        assert up.code == 0, up.err
        (container,) = person.run(*command, "ps", "-q", folder=place, seconds=600).out.split()
        found = field.seen(container)
        told = next(e for e in found["Config"]["Env"] if e.startswith("NVIDIA_VISIBLE_DEVICES=GPU-"))
        assert len(told.split(",")) == len(found["HostConfig"]["Devices"]) == number
        assert not found["HostConfig"]["DeviceRequests"]
    finally:
        person.run(*command, "down", folder=place, seconds=600)


def compose(user: User, version: str) -> list[str]:
    """The command of this version."""
    if version == "v1":
        return ["docker-compose"]
    if not newer.available():
        pytest.skip("left out: the newer engine needs mmdebstrap and patchelf")
    newer.plugins(user.folder(".docker"))
    return [str(newer.programs() / "docker"), "compose"]
