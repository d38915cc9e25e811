"""The builds of a project's image: listed, compared, gone back to."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.labels import Label
from ds01.projects import file, recipe
from ds01.projects.inside import titled
from ds01.wire.images import BaseView, BuildSettings, ImageView, RemovedImage
from ds01.wire.status import PingView
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon

REPOSITORY = f"ds01-{os.geteuid()}/thesis"
BASE = "sha256:" + "b" * 64
SETTINGS = BuildSettings(
    bases=(BaseView(name="minimal", reference="ds01/minimal:latest", description="", digest=BASE),)
)  # fmt: skip
NOW = '[image]\npython = [\n    "numpy",  # arrays\n    "six>=1.17",\n]\n'
OLD, NEW = "20261101-080000", "20261102-090000"
INSIDE = {
    OLD: ["python numpy 1.26.4", "python six 1.16.0", "debian less 590", "conda mkl-2024.0-h1_2.json"],
    NEW: ["python numpy 2.1.0", "python tqdm 4.66", "debian less 590", "conda mkl-2024.0-h1_2.json"],
}


def build(tag: str, text: str, *tags: str, containers: tuple[str, ...] = ()) -> ImageView:
    """A build that was made when the project file said ``text``."""
    project = file.of_text(_FOLDER[0], text)
    made = recipe.generated(project.image, SETTINGS, {})
    day = tag.partition("-")[0]
    return ImageView(
        id=f"sha256:{tag[-6:] * 10}", reference=f"{REPOSITORY}:{(tags or (tag,))[0]}", project="thesis",
        tags=tuple(f"{REPOSITORY}:{each}" for each in (*tags, tag)), size_bytes=10**9, spec=made.spec, base=BASE,
        created_at=f"{day[:4]}-{day[4:6]}-{day[6:]}T08:00:00+00:00", containers=containers,
        labels={Label.SPEC: made.spec, Label.BASE: BASE, Label.PACKAGES: made.asked},
    )  # fmt: skip


_FOLDER = [""]


@pytest.fixture
def server(daemon: Daemon, tmp_path: Path) -> Daemon:
    """Two builds of a project, each with a container."""
    folder = tmp_path / "workspace/thesis"
    folder.mkdir(parents=True)
    (folder / "ds01.toml").write_text(NOW)
    _FOLDER[0] = str(folder)
    old = build(OLD, '[image]\npython = ["numpy"]\napt = ["less"]\n', containers=("exp-1",))
    new = build(NEW, NOW, "latest", containers=("thesis",))
    daemon.answers["GET", "/v1/images"] = (new, old)
    daemon.answers["GET", "/v1/images/thesis"] = new
    daemon.answers["GET", "/v1/images/settings"] = SETTINGS
    daemon.answers["GET", "/v1/ping"] = PingView(
        version="1", simulated_gpus=True, engine="20.10.24", login="anna", gateway=str(daemon.socket)
    )
    daemon.answers["POST", "/build"] = _look
    daemon.answers["POST", f"/images/{REPOSITORY}:{OLD}/tag"] = {}
    return daemon


def _look(asked: Asked) -> Iterator[dict[str, Any]]:
    tag = OLD if f"{REPOSITORY}:{OLD}".encode() in asked.files else NEW
    lines = ["Step 2/2 : RUN", "ds01-begins", *INSIDE[tag], "ds01-ends", ""]
    return iter([{"stream": "\n".join(lines)}, {"error": "returned a non-zero code: 97"}])


def test_history_lists_builds_with_who_uses_them(ds01: Run, server: Daemon) -> None:
    ran = ds01("image", "history", "thesis")
    rows = [line.split() for line in ran.out.splitlines()[1:]]
    assert [(row[0], row[-1]) for row in rows] == [(NEW, "thesis"), (OLD, "exp-1")]
    assert ["current" in row for row in rows] == [True, False]
    assert "Next: ds01 image diff thesis" in ran.err


@pytest.mark.parametrize(
    "words", [("thesis",), (f"thesis:{OLD}", NEW), (f"thesis:{OLD[:8]}", f"thesis:{NEW}"), (f"thesis:{OLD}", "thesis")]
)
def test_diff_shows_what_changed_between_two_builds(ds01: Run, server: Daemon, words: tuple[str, ...]) -> None:
    ran = ds01("image", "diff", *words)
    assert ran.out.splitlines() == ["~ numpy 1.26.4 → 2.1.0", "- six 1.16.0", "+ tqdm 4.66"]
    told = json.loads(ds01("image", "diff", *words, "--json").out)
    assert (told["before"], told["after"]) == (f"thesis:{OLD}", f"thesis:{NEW}")


def test_what_was_seen_once_is_not_looked_at_again(ds01: Run, server: Daemon) -> None:
    first = ds01("image", "diff", "thesis").out
    looks = sum(asked.path == "/build" for asked in server.asked)
    assert ds01("image", "diff", "thesis").out == first
    assert (looks, sum(asked.path == "/build" for asked in server.asked)) == (2, 2)


def test_a_build_that_is_not_there_is_told(ds01: Run, server: Daemon) -> None:
    ran = ds01("image", "diff", "thesis:20261102-090001", "thesis")
    assert ran.code == 4
    assert f"Did you mean '{NEW}'?" in ran.err
    ran = ds01("image", "diff", f"thesis:{OLD}")
    assert (ran.code, "has no build before" in ran.err) == (4, True)


def test_rollback_moves_the_name_and_the_project_file_with_it(ds01: Run, server: Daemon, tmp_path: Path) -> None:
    ran = ds01("image", "rollback", "thesis", "--yes")
    assert ran.code == 0, ran.err
    tagged = [asked.query for asked in server.asked if asked.path.endswith("/tag")]
    assert tagged == [{"repo": REPOSITORY, "tag": "latest"}]
    assert '"numpy",  # arrays' in (tmp_path / "workspace/thesis/ds01.toml").read_text()
    restored = file.load(str(tmp_path / "workspace/thesis"))
    assert (restored.image.python, restored.image.apt) == (("numpy",), ("less",))
    old = server.answers["GET", "/v1/images"][1]
    assert recipe.generated(restored.image, SETTINGS, {}).spec == old.spec
    assert "thesis keeps the image it was made from." in ran.err


def test_rollback_can_leave_the_project_file(ds01: Run, server: Daemon, tmp_path: Path) -> None:
    ran = ds01("image", "rollback", "thesis", OLD[:10], "--keep-project-file", "--json")
    assert json.loads(ran.out)["after"] == OLD
    assert (tmp_path / "workspace/thesis/ds01.toml").read_text() == NOW


def test_rollback_changes_nothing_unasked(ds01: Run, server: Daemon, tmp_path: Path) -> None:
    told = json.loads(ds01("image", "rollback", "thesis", "--dry-run", "--json").out)
    assert (told["before"], told["after"], told["containers"]) == (NEW, OLD, ["thesis"])
    assert any("less" in line for line in told["edits"])
    ran = ds01("image", "rollback", "thesis")
    assert (ran.code, "--keep-project-file" in ran.err) == (2, True)
    assert not any(asked.method == "POST" for asked in server.asked)
    assert (tmp_path / "workspace/thesis/ds01.toml").read_text() == NOW


def test_a_name_that_cannot_be_moved_leaves_the_project_file(ds01: Run, server: Daemon, tmp_path: Path) -> None:
    del server.answers["POST", f"/images/{REPOSITORY}:{OLD}/tag"]
    assert ds01("image", "rollback", "thesis", "--yes").code != 0
    assert (tmp_path / "workspace/thesis/ds01.toml").read_text() == NOW


def test_show_tells_what_is_inside_and_what_takes_the_room(ds01: Run, server: Daemon) -> None:
    rows = [
        {
            "CreatedBy": "/bin/sh -c printf … pip install --no-cache-dir --disable-pip-version-check x",
            "Size": 2 * 10**8,
        },
        {"CreatedBy": "/bin/sh -c #(nop)  ENV A=1", "Size": 0},
        {"CreatedBy": "/bin/sh -c #(nop) ADD file:1 in /", "Size": 10**8},
    ]
    server.answers["GET", f"/images/{REPOSITORY}:latest/history"] = rows
    server.answers["GET", f"/images/{BASE}/history"] = rows[2:]
    told = json.loads(ds01("image", "show", "thesis", "--json").out)
    assert [layer["title"] for layer in told["layers"]] == ["the base", "Python packages"]
    assert {"name": "mkl", "version": "2024.0", "source": "conda"} in told["packages"]
    ran = ds01("image", "show", "thesis")
    assert "packages: numpy 2.1.0, tqdm 4.66, mkl 2024.0" in ran.out
    assert "2 are here" in ran.out
    assert "less 590 (debian)" in ds01("image", "show", "thesis", "--packages").out


def test_layers_of_buildkit_have_the_same_titles() -> None:
    rows = [
        {"CreatedBy": "RUN |1 DS01_UID=1 /bin/sh -c printf … pip install --cache-dir /mnt x # buildkit",
         "Size": 1},
        {"CreatedBy": "COPY r.txt /opt/ds01/project/r.txt # buildkit", "Size": 2},
        {"CreatedBy": "RUN /bin/sh -c make # buildkit", "Size": 3},
    ]  # fmt: skip
    assert [layer.title for layer in titled(rows, 0)] == [
        "Python packages", "COPY r.txt /opt/ds01/project/r.txt", "RUN make",
    ]  # fmt: skip


def removed(daemon: Daemon) -> list[str]:
    return [asked.path for asked in daemon.asked if asked.method == "DELETE"]


def test_one_build_goes_alone_and_the_present_one_not_by_its_own_name(ds01: Run, server: Daemon) -> None:
    new, old = server.answers["GET", "/v1/images"]
    unused = dataclasses.replace(old, containers=())
    server.answers["GET", f"/v1/images/thesis:{OLD}"] = unused
    server.answers["GET", f"/v1/images/thesis:{NEW}"] = new
    told = json.loads(ds01("image", "delete", f"thesis:{OLD}", "--dry-run", "--json").out)
    assert told["removed"] == [f"{REPOSITORY}:{OLD}"]
    ran = ds01("image", "delete", f"thesis:{NEW}", "--yes")
    assert (ran.code, "is the present image of thesis" in ran.err) == (1, True)
    assert removed(server) == []


def test_earlier_builds_go_when_no_container_uses_them(ds01: Run, server: Daemon) -> None:
    ran = ds01("image", "delete", "thesis", "--older", "--yes")
    assert (ran.code, removed(server)) == (0, [])
    new, old = server.answers["GET", "/v1/images"]
    server.answers["GET", "/v1/images"] = (new, dataclasses.replace(old, containers=()))
    server.answers["DELETE", f"/v1/images/{REPOSITORY}:{OLD}"] = RemovedImage(
        reference=old.reference, removed=(old.reference,), kept="The project's folder stays."
    )
    ran = ds01("image", "delete", "thesis", "--older", "--yes")
    assert ran.code == 0
    assert removed(server) == [f"/v1/images/{REPOSITORY}:{OLD}"]
    assert f"{REPOSITORY}:{OLD} is deleted." in " ".join(ran.err.split())
