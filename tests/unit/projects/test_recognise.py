"""What a folder says of itself, and what comes of it in the project file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import file, kinds, recognise, scaffold
from ds01.projects.scaffold import Wish

DEVCONTAINER = """\
{
  // an editor wrote this
  "image": "python:3.12", /* and this */
  "containerEnv": {"A": "https://x//y", "B": "${localEnv:B}"},
  "forwardPorts": [8888, "db:1"],
  "features": {"x": {}},
}
"""


def laid(folder: Path, **files: str) -> Path:
    for path, text in files.items():
        whole = folder / path.replace("__", "/").replace("_", ".")
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)
    return folder


def test_the_most_exact_list_is_named(tmp_path: Path) -> None:
    laid(tmp_path, requirements_txt="six\n", pyproject_toml='[project]\nname = "x"\ndependencies = []\n')
    assert recognise.look(str(tmp_path)).requirements == "requirements.txt"
    (tmp_path / "requirements.txt").unlink()
    assert recognise.look(str(tmp_path)).requirements == "pyproject.toml"
    laid(tmp_path, Dockerfile="FROM scratch\n")
    assert (recognise.look(str(tmp_path)).dockerfile, recognise.look(str(tmp_path)).requirements) == ("Dockerfile", "")


def test_a_list_that_cannot_be_used_is_told_and_the_next_is_taken(tmp_path: Path) -> None:
    laid(tmp_path, uv_lock="version = 1\n", environment_yml="dependencies:\n  - python=3.11\n  - numpy=1.26\n")
    found = recognise.look(str(tmp_path))
    assert found.requirements == "environment.yml"
    assert "uv.lock is not used" in found.notes[0]
    assert "python=3.11" in found.notes[1]


def test_a_devcontainer_gives_base_variables_and_ports(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/devcontainer.json").write_text(DEVCONTAINER)
    found = recognise.look(str(tmp_path))
    assert (found.base, found.environment) == ("python:3.12", {"A": "https://x//y"})
    assert found.ports == {"port-8888": 8888}
    assert "features" in found.notes[0]


def test_a_devcontainer_s_own_dockerfile_is_built_from_there_and_never_from_outside(tmp_path: Path) -> None:
    laid(tmp_path, _devcontainer__Dockerfile="FROM scratch\n")
    (tmp_path / ".devcontainer").mkdir(exist_ok=True)
    (tmp_path / ".devcontainer/Dockerfile").write_text("FROM scratch\n")
    config = tmp_path / ".devcontainer/devcontainer.json"
    config.write_text('{"build": {"dockerfile": "Dockerfile"}}')
    assert recognise.look(str(tmp_path)).dockerfile == ".devcontainer/Dockerfile"
    outside = tmp_path.parent / f"{tmp_path.name}.Dockerfile"
    outside.write_text("FROM scratch\n")
    for named in (str(outside), f"../../{outside.name}", "../..", "/etc/passwd"):
        config.write_text(json.dumps({"build": {"dockerfile": named}, "image": "python:3.12"}))
        found = recognise.look(str(tmp_path))
        assert (found.dockerfile, found.base, found.found) == ("", "", [])
        assert "outside this folder" in found.notes[0]
    config.write_text('{"build": {"dockerfile": "../Dockerfile"}}')
    laid(tmp_path, Dockerfile="FROM scratch\n")
    assert recognise.look(str(tmp_path)).dockerfile == "Dockerfile"


@pytest.mark.parametrize("text", ["{", "[]", '{"build": 3, "forwardPorts": null, "containerEnv": []}'])
def test_a_broken_devcontainer_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".devcontainer.json").write_text(text)
    assert recognise.look(str(tmp_path)).base == ""


def test_a_base_that_is_asked_for_wins_over_the_devcontainer_s_and_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "workspace/paper"
    folder.mkdir(parents=True)
    (folder / ".devcontainer.json").write_text(DEVCONTAINER)
    plan = scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"], base="pytorch"), str(tmp_path))
    assert "The folder's devcontainer has the base python:3.12; pytorch is used, as you asked for" in plan.there.notes
    assert not any("base python:3.12" in line for line in plan.there.found)
    scaffold.create(plan)
    project = file.named("paper", str(tmp_path))
    assert (project.image.base, project.run.ports) == ("pytorch", {"port-8888": 8888})


def test_a_base_beside_a_dockerfile_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "workspace/paper"
    laid(folder, Dockerfile="FROM scratch\n")
    with pytest.raises(Ds01Error) as caught:
        scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"], base="pytorch"), str(tmp_path))
    assert "Dockerfile says what the image is built on" in caught.value.problem.message
    assert "another name" in caught.value.problem.hint
    assert scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"]), str(tmp_path)).proposes


def test_a_base_that_is_not_the_project_s_is_told(tmp_path: Path) -> None:
    def note(base: str) -> str:
        return scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"], base=base), str(tmp_path)).note

    assert note("pytorch") == ""
    scaffold.create(scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"]), str(tmp_path)))
    assert note("pytorch") == "The base stays minimal. To change it: ds01 image update paper --edit"
    assert note("minimal") == note("") == ""
    (tmp_path / "workspace/paper/ds01.toml").write_text("[image")
    assert note("pytorch") == ""


def test_the_proposal_is_a_project_file_that_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "workspace/paper"
    folder.mkdir(parents=True)
    (folder / ".devcontainer.json").write_text(DEVCONTAINER)
    (folder / "environment.yml").write_text("dependencies:\n  - numpy=1.26\n")
    plan = scaffold.plan(Wish(name="paper", kind=kinds.KINDS["blank"], bare=True), str(tmp_path))
    assert scaffold.create(plan) == ("ds01.toml",)
    project = file.named("paper", str(tmp_path))
    assert (project.image.base, project.image.requirements) == ("python:3.12", "environment.yml")
    assert (project.run.environment, project.run.ports) == ({"A": "https://x//y"}, {"port-8888": 8888})
