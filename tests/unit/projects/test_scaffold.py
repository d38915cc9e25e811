"""New projects: what is written, and what an existing folder keeps."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ds01.domain.errors import BAD_NAME, BAD_WORKSPACE, DISK_FULL, Ds01Error
from ds01.projects import edit, editor_files, file, kinds, recognise, scaffold
from ds01.projects.scaffold import State, Wish


def wish(name: str = "thesis", kind: str = "data", description: str = "") -> Wish:
    return Wish(name=name, kind=scaffold.kind(kind), description=description)


def made(home: Path, what: Wish) -> Path:
    plan = scaffold.plan(what, str(home))
    scaffold.create(plan)
    return Path(plan.folder)


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_every_type_makes_a_project_that_can_be_read(tmp_path: Path, kind: str) -> None:
    folder = made(tmp_path, wish(kind=kind, description='It\'s "mine" \\ ü'))
    project = file.named("thesis", str(tmp_path))
    assert (project.type, project.description, project.folder) == (kind, 'It\'s "mine" \\ ü', str(folder))
    assert project.image.python == kinds.packages(kinds.KINDS[kind])
    assert {"ds01.toml", "README.md", ".gitignore", ".dockerignore"} <= listing(folder)


def test_the_folders_and_the_example_are_there(tmp_path: Path) -> None:
    found = listing(made(tmp_path, wish("my-thesis")))
    assert {"src/my_thesis/__init__.py", "scripts/check_gpu.py", "data/raw/.gitkeep", "outputs/.gitkeep"} <= found


def test_blank_is_only_the_project_file_and_what_surrounds_it(tmp_path: Path) -> None:
    assert listing(made(tmp_path, wish(kind="blank"))) == {"ds01.toml", "README.md", ".gitignore", ".dockerignore"}


def test_the_editor_gets_the_image_of_the_project_and_is_told_its_keys(tmp_path: Path) -> None:
    folder = made(tmp_path, Wish(name="thesis", kind=kinds.KINDS["blank"], vscode=True))
    config = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
    assert (config["image"], config["workspaceFolder"]) == (f"ds01-{os.geteuid()}/thesis:latest", "/workspace")
    assert config["runArgs"] == ["--gpus", "1"]
    settings = json.loads((folder / ".vscode/settings.json").read_text())
    assert (folder / ".vscode" / settings["evenBetterToml.schema.associations"]["ds01\\.toml$"]).exists()
    (folder / "ds01.toml").write_text("[run]\ngpus = 0\nenv = {A = '1'}\n")
    (folder / ".devcontainer/devcontainer.json").unlink()
    config = json.loads((made(tmp_path, wish()) / ".devcontainer/devcontainer.json").read_text())
    assert (config.get("runArgs"), config["containerEnv"]) == (None, {"A": "1"})
    (folder / "ds01.toml").unlink()
    assert recognise.look(str(folder)).base == ""


RUN = """\
[run]
gpus = 2
memory = "20G"
data = ["/data/imagenet", "/data/a,b"]
env = {A = "1"}
ports = {mlflow = 5000}
"""


def test_the_editors_container_runs_as_the_project_file_says(tmp_path: Path) -> None:
    folder = made(tmp_path, wish())
    (folder / "ds01.toml").write_text(RUN)
    assert editor_files.renew(file.load(str(folder)))
    assert not editor_files.renew(file.load(str(folder)))
    config = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
    assert config["runArgs"] == ["--gpus", "count=2,options=memory=20G"]
    assert config["mounts"] == [
        "source=/data/imagenet,target=/data/imagenet,type=bind,readonly",
        '"source=/data/a,b","target=/data/a,b",type=bind,readonly',
    ]
    assert (config["containerEnv"], config["forwardPorts"]) == ({"A": "1"}, [5000])
    assert config["portsAttributes"] == {"5000": {"label": "mlflow"}}
    (folder / "ds01.toml").write_text('[run]\ndata = ["/data/imagenet"]\n')
    assert editor_files.renew(file.load(str(folder)))
    config = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
    assert config["mounts"] == ["source=/data/imagenet,target=/data,type=bind,readonly"]


@pytest.mark.parametrize(
    ("run", "asked"),
    [
        ("", ["--gpus", "1"]),
        ("gpus = 0", None),
        ('gpus = "2g.20gb"', ["--gpus", "count=1,options=profile=2g.20gb"]),
        ('gpus = "full"\nmemory = "40G"', ["--gpus", 'count=1,"options=profile=full,memory=40G"']),
    ],
)
def test_the_editors_container_asks_for_the_part_of_a_gpu_the_project_file_names(
    tmp_path: Path, run: str, asked: list[str] | None
) -> None:
    folder = made(tmp_path, wish())
    (folder / "ds01.toml").write_text(f"[run]\n{run}\n")
    editor_files.renew(file.load(str(folder)))
    assert json.loads((folder / ".devcontainer/devcontainer.json").read_text()).get("runArgs") == asked


@pytest.mark.parametrize("spoil", ["edited", "own", "nothing", "link"])
def test_a_devcontainer_of_ones_own_is_never_written(tmp_path: Path, spoil: str) -> None:
    folder = made(tmp_path, wish())
    path = folder / ".devcontainer/devcontainer.json"
    if spoil == "edited":
        path.write_text(path.read_text().replace('"overrideCommand": true', '"overrideCommand": false'))
    elif spoil == "own":
        path.write_text('// mine\n{"image": "python"}\n')
    else:
        path.unlink()
        if spoil == "link":
            (folder / "elsewhere.json").write_text("{}")
            path.symlink_to(folder / "elsewhere.json")
    before = path.read_text() if path.exists() else ""
    (folder / "ds01.toml").write_text(RUN)
    assert not editor_files.renew(file.load(str(folder)))
    assert (path.read_text() if path.exists() else "") == before


def test_lean_leaves_the_usual_packages_out(tmp_path: Path) -> None:
    plan = scaffold.plan(Wish(name="thesis", kind=kinds.KINDS["data"], lean=True), str(tmp_path))
    scaffold.create(plan)
    assert file.load(plan.folder).image.python == ("pandas", "polars", "duckdb")


def test_the_example_runs_and_writes_its_result(tmp_path: Path) -> None:
    folder = made(tmp_path, wish())
    ran = subprocess.run(
        [sys.executable, "scripts/check_gpu.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "check_gpu.json" in ran.stdout
    assert set(json.loads((folder / "outputs" / "check_gpu.json").read_text())) == {"gpus", "torch", "seconds"}


BROUGHT_ALONG = {
    "cv2": ("opencv-python-headless",), "numpy": ("numpy",), "pandas": ("statsmodels",), "sklearn": ("scikit-learn",),
    "torch": ("torchvision", "accelerate", "stable-baselines3"),
}  # fmt: skip
"""Modules by the package that brings them, where it is called otherwise."""


@pytest.mark.parametrize("kind", [kind for kind in kinds.KINDS.values() if kind.example])
def test_an_example_is_short_and_needs_only_the_packages_of_its_type(tmp_path: Path, kind: kinds.Kind) -> None:
    text = (made(tmp_path, wish(kind=kind.name)) / scaffold.EXAMPLE).read_text()
    tree = ast.parse(text)
    modules = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    for module in modules - set(sys.stdlib_module_names):
        names = BROUGHT_ALONG.get(module, (module.replace("_", "-"),))
        assert module == "numpy" or set(names) & set(kind.packages), module
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= 45
    assert max(map(len, text.splitlines())) <= 120


def test_a_new_project_is_private(tmp_path: Path) -> None:
    assert made(tmp_path, wish()).stat().st_mode & 0o777 == 0o700


def test_an_existing_folder_is_adopted_and_nothing_in_it_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "workspace" / "thesis"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    (folder / "data").symlink_to("/data")
    plan = scaffold.plan(wish(), str(tmp_path))
    assert plan.adopted
    assert set(plan.paths(State.KEPT)) == {
        "README.md", "data/raw/.gitkeep", "data/processed/.gitkeep", "data/external/.gitkeep",
    }  # fmt: skip
    scaffold.create(plan)
    assert (folder / "README.md").read_text() == "mine"
    assert os.readlink(folder / "data") == "/data"
    again = scaffold.plan(wish(), str(tmp_path))
    assert again.paths(State.NEW) == ()
    assert "ds01.toml" not in [item.path for item in again.files]


def test_what_a_folder_says_of_its_own_image_goes_into_the_project_file(tmp_path: Path) -> None:
    one, other = (tmp_path / "workspace" / name for name in ("one", "other"))
    one.mkdir(parents=True)
    other.mkdir()
    (one / "requirements.txt").write_text("six\n")
    (other / "Dockerfile").write_text("FROM scratch\n")
    for name in ("one", "other"):
        made(tmp_path, wish(name))
    image = file.load(str(one)).image
    assert (image.requirements, image.python) == ("requirements.txt", ())
    assert file.load(str(other)).image.dockerfile == "Dockerfile"


@pytest.mark.parametrize("name", ["../x", "Thesis", "a b", ""])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        scaffold.plan(wish(name), str(tmp_path))
    assert refused.value.kind is BAD_NAME


def test_places_that_cannot_hold_a_project_are_told_apart(tmp_path: Path) -> None:
    work = tmp_path / "workspace"
    work.mkdir()
    (work / "flat").write_text("")
    (work / "link").symlink_to("/etc")
    (work / "lost").symlink_to("nowhere")
    for name, said in (
        ("flat", "it is a file"),
        ("link", "symbolic link to /etc"),
        ("lost", "symbolic link to nowhere"),
    ):
        with pytest.raises(Ds01Error, match=said) as refused:
            scaffold.plan(wish(name), str(tmp_path))
        assert refused.value.kind is BAD_WORKSPACE
    assert (work / "flat").read_text() == ""


@pytest.mark.root
def test_somebody_elses_folder_is_no_place_for_a_project(tmp_path: Path) -> None:
    folder = tmp_path / "workspace" / "thesis"
    folder.mkdir(parents=True)
    os.chown(folder, 12345, 12345)
    with pytest.raises(Ds01Error, match="belongs to somebody else"):
        scaffold.plan(wish(), str(tmp_path))


@pytest.mark.root
def test_a_full_disk_loses_nothing_and_says_what_stands(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "small", str(tmp_path)], check=True)
    try:
        with pytest.raises(Ds01Error) as refused:
            made(tmp_path, wish())
        assert refused.value.kind is DISK_FULL
        assert "ds01.toml" in refused.value.problem.reason
        assert file.named("thesis", str(tmp_path)).type == "data"
        before = (tmp_path / "workspace" / "thesis" / "ds01.toml").read_text()
        (tmp_path / "filler").write_bytes(b"x" * os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize)
        with pytest.raises(Ds01Error) as refused:
            edit.plan(str(tmp_path / "workspace" / "thesis"), add=["six>=1"]).save()
        assert refused.value.kind is DISK_FULL
        assert (tmp_path / "workspace" / "thesis" / "ds01.toml").read_text() == before
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_the_folder_of_all_projects_may_be_a_link_to_a_larger_disk(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "workspace").symlink_to("big")
    made(tmp_path, wish())
    assert (tmp_path / "big" / "thesis" / "ds01.toml").exists()


def test_an_unknown_type_is_answered_with_the_nearest() -> None:
    with pytest.raises(Ds01Error) as refused:
        scaffold.kind("dta")
    assert refused.value.problem.reason == "Did you mean 'data'?"


def test_a_git_repository_is_made_once(tmp_path: Path) -> None:
    folder = made(tmp_path, wish())
    assert scaffold.git(str(folder)) == ""
    assert (folder / ".git").is_dir()
    assert "already" in scaffold.git(str(folder))
    ignored = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    ).stdout
    assert "data/raw/.gitkeep" in ignored
    assert "models/.gitkeep" in ignored
