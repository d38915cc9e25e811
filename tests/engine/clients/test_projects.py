"""Compose v2 and the editors' devcontainer command: projects of several containers, and one with an editor in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from dev import devcontainer

from tests.engine.clients.conftest import run
from tests.engine.clients.desk import Desk, at_once
from tests.engine.gateway.ground import IMAGE, Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
COMPOSE = f"""
services:
  db:
    image: {IMAGE}
    command: sh -c 'while true; do echo of $$WHO | nc -l -p 99; done'
    environment: [WHO]
    volumes: ["data:/data"]
    networks: {{app: {{aliases: [store]}}}}
    healthcheck: {{test: ["CMD", "true"], interval: 5s}}
    stop_grace_period: 0s
  web:
    image: "web-${{IMAGE}}"
    build: {{context: ., dockerfile_inline: "FROM {IMAGE}\\nRUN echo built > /built\\n"}}
    command: sh -c 'cat /built; sleep 1000'
    depends_on: [db]
    volumes: [".:/src", {{type: tmpfs, target: /fast}}]
    networks: [app]
    ports: ["18081:80"]
    labels: {{a: b}}
    stop_grace_period: 0s
volumes: {{data: {{}}}}
networks: {{app: {{}}}}
"""

EDITORS = pytest.mark.skipif(not devcontainer.available(), reason="left out: needs node and npm")


@pytest.fixture
def projects(place: Ground) -> Iterator[list[tuple[User, Path]]]:
    found = []
    for user in (place.alice, place.mallory):
        folder = user.folder("sameproject")
        (folder / "compose.yaml").write_text(COMPOSE)
        found.append((user, folder))
    yield found
    for user, folder in found:
        run(user, folder, "docker", "compose", "down", "-v", WHO="x")
    place.clear(set())


def logs(user: User, folder: Path, said: str) -> bool:
    """Whether the web container has said this."""
    return said in run(user, folder, "docker", "compose", "logs", "web", WHO="").out


def test_two_users_run_one_compose_file_with_one_port(projects: list[tuple[User, Path]]) -> None:
    ports = set()
    for user, folder in projects:
        done = run(user, folder, "docker", "compose", "up", "-d", WHO=user.person.login)
        assert done.code == 0, done.err
    for user, folder in projects:
        asks = "for i in $(seq 100); do nc -w 2 store 99 </dev/null && exit; sleep 0.2; done"
        heard = run(user, folder, "docker", "compose", "exec", "-T", "web", "sh", "-c", asks, WHO="")
        assert heard.out.strip() == f"of {user.person.login}", heard.err
        rows = [json.loads(line) for line in
                run(user, folder, "docker", "compose", "ps", "--format", "json", WHO="").out.splitlines()]  # fmt: skip
        assert {row["Service"] for row in rows} == {"db", "web"}
        wait(partial(logs, user, folder, "built"))
        ports.add(run(user, folder, "docker", "compose", "port", "web", "80", WHO="").out.strip())
    assert len(ports) == 2
    assert "127.0.0.1:18081" in ports


def test_compose_changes_only_what_changed(projects: list[tuple[User, Path]]) -> None:
    user, folder = projects[0]
    compose = ("docker", "compose")
    assert run(user, folder, *compose, "up", "-d", WHO="x").code == 0
    before = run(user, folder, *compose, "ps", "-q", WHO="x").out.split()
    again = run(user, folder, *compose, "up", "-d", WHO="x")
    assert run(user, folder, *compose, "ps", "-q", WHO="x").out.split() == before, again.err
    assert run(user, folder, *compose, "up", "-d", WHO="another").code == 0
    after = run(user, folder, *compose, "ps", "-q", WHO="x").out.split()
    assert not set(before) & set(after), "db changed, and web depends on it"
    for words in (("stop",), ("start",), ("restart", "-t", "0"), ("pause",), ("unpause",),
                  ("up", "-d", "--scale", "db=2"),
                  ("run", "--rm", "-T", "web", "true"), ("down", "-v")):  # fmt: skip
        done = run(user, folder, *compose, *words, WHO="another")
        assert done.code == 0, (words, done.err)
    assert user.call("GET", "/v1.41/volumes").json["Volumes"] == []


def project(user: User, **settings: object) -> Path:
    """A folder with a devcontainer, the same as anybody else's but for what is in ``mine``."""
    folder = user.folder("editor")
    (folder / ".devcontainer").mkdir(exist_ok=True)
    config = {
        "name": "editor", "build": {"dockerfile": "Dockerfile"}, "containerEnv": {"A": "1"},
        "postCreateCommand": "echo made > ~/made", "mounts": ["source=vscode,target=/vol,type=volume"], **settings,
    }  # fmt: skip
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    (folder / ".devcontainer/Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo built > /built\n")
    (folder / "mine").write_text("here\n")
    return folder


@EDITORS
def test_a_devcontainer_is_made_entered_and_built(place: Ground, user: User) -> None:
    del place
    runs = ["--init", "--cap-add", "SYS_PTRACE", "--security-opt", "seccomp=unconfined"]
    folder = project(user, runArgs=runs, hostRequirements={"gpu": True})
    command = devcontainer.command()
    made = run(user, folder, *command, "build", "--workspace-folder", ".", "--image-name", "editor")
    assert made.code == 0, made.err
    up = run(user, folder, *command, "up", "--workspace-folder", ".")
    assert json.loads(up.out)["outcome"] == "success", up.err
    script = "cat mine /built ~/made; echo $A; id -u; touch new; ls /dev | grep -c nvidia[0-9]"
    done = run(user, folder, *command, "exec", "--workspace-folder", ".", "sh", "-c", script)
    assert done.out.split() == ["here", "built", "made", "1", str(user.uid), "2"], done.err  # all she may have
    assert (folder / "new").stat().st_uid == user.uid


@pytest.fixture
def editors(place: Ground) -> Iterator[tuple[Desk, ...]]:
    """Two users' desks: folder, image, container and volume are called the same, and each asks for a GPU."""
    found = []
    for user in (place.alice, place.mallory):
        desk = Desk(user=user, folder=project(user, runArgs=["--name", "editor", "--gpus", "1"]))
        desk.write("mine", user.person.login + "\n")
        desk.write(".devcontainer/Dockerfile", f"FROM {IMAGE}\nRUN echo {user.person.login} > /built\n")
        found.append(desk)
    yield tuple(found)
    place.clear(set())
    for desk in found:
        place.clear_images(desk.user.uid)


@EDITORS
@pytest.mark.parametrize("place", ["engine26"], indirect=True)
def test_two_users_open_one_project_in_their_editors_at_once(editors: tuple[Desk, ...]) -> None:
    command = devcontainer.command()
    of = ("--workspace-folder", ".")
    script = "cat mine /built; id -u; cp mine /vol/mine; echo $NVIDIA_VISIBLE_DEVICES"

    def opens(desk: Desk) -> list[str]:
        desk.ok(*command, "build", *of, "--image-name", "editor")
        up = json.loads(desk.ok(*command, "up", *of))
        assert up["outcome"] == "success", up
        return desk.ok(*command, "exec", *of, "sh", "-c", script).split()

    found = at_once(*(partial(opens, desk) for desk in editors))
    for desk, said in zip(editors, found, strict=True):
        login = desk.user.person.login
        assert said[:-1] == [login, login, str(desk.user.uid)]
        assert desk.docker("exec", "editor", "cat", "/vol/mine") == login
        assert desk.docker("ps", "--format", "{{.Names}}") == "editor"
        assert "editor:latest" in desk.names()
        assert desk.docker("run", "--rm", "editor", "cat", "/built") == login
    gpus = {said[-1] for said in found}
    assert len(gpus) == 2
    assert all(gpu.startswith("GPU-") and "," not in gpu for gpu in gpus)
    hers, his = editors
    hers.docker("rm", "-f", "editor")
    assert his.ok(*command, "exec", *of, "cat", "/vol/mine") == his.user.person.login
