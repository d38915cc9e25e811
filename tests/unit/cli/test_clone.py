"""Projects that come from somewhere: a repository, a folder, a template."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ds01.projects import file, origin
from tests.unit.cli.conftest import Run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository, with a list of packages."""
    folder = tmp_path / "lab" / "Paper_1"
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text("six\n")
    (folder / "train.py").write_text("print('hello')\n")
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    return folder


def test_a_repository_becomes_a_project_with_what_it_says_of_itself(
    ds01: Run, repository: Path, tmp_path: Path
) -> None:
    ran = ds01("project", "clone", f"file://{repository}")
    assert ran.code == 0, ran.err
    assert "requirements.txt: its packages are installed" in ran.err
    project = file.named("paper-1", str(tmp_path))
    assert (project.image.requirements, project.image.python) == ("requirements.txt", ())
    folder = tmp_path / "workspace/paper-1"
    assert sorted(path.name for path in folder.iterdir()) == [".git", "ds01.toml", "requirements.txt", "train.py"]
    assert {each.stat().st_mode & 0o777 for each in (folder, folder.parent)} == {0o700}
    again = ds01("project", "clone", f"file://{repository}")
    assert again.code == 5
    assert [path.name for path in (tmp_path / "workspace").iterdir()] == ["paper-1"]


def test_all_mistakes_of_a_list_are_told_by_clone_and_by_who_adopts_a_folder(
    ds01: Run, repository: Path, tmp_path: Path
) -> None:
    conda, project = "dependencies:\n  - numpy!1\n  - pip:\n    - -e .\n", '[project]\ndependencies = ["a=1", "./b"]\n'
    adopted = tmp_path / "workspace/paper-2"
    adopted.mkdir(parents=True, mode=0o700)
    for folder in (repository, adopted):
        (folder / "environment.yml").write_text(conda)
        (folder / "pyproject.toml").write_text(project)
    (repository / "requirements.txt").unlink()
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@x"]
    for words in (["add", "-A", "."], ["commit", "-qm", "second"]):
        subprocess.run([*git, *words], check=True)
    for words in (["project", "clone", f"file://{repository}"], ["init", "paper-2", "--blank"]):
        ran = ds01(*words)
        assert ran.code == 0, ran.err
        for place in ("environment.yml:2: 'numpy!1'", "environment.yml:4: '-e .'"):
            assert place in ran.err
        for place in ("pyproject.toml:2: 'a=1'", "pyproject.toml:2: './b'"):
            assert place in ran.err
    assert file.named("paper-2", str(tmp_path)).image.requirements == ""


def test_a_repository_that_is_a_project_keeps_its_file_but_for_another_name(
    ds01: Run, repository: Path, tmp_path: Path
) -> None:
    (repository / "ds01.toml").write_text('[project]\nname = "paper-1"  # ours\n')
    subprocess.run(["git", "-C", repository, "add", "."], check=True)
    subprocess.run(
        ["git", "-C", repository, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"], check=True
    )
    ran = ds01("project", "clone", f"file://{repository}", "mine", "--json")
    assert json.loads(ran.out)["written"] == []
    assert (tmp_path / "workspace/mine/ds01.toml").read_text() == '[project]\nname = "mine"  # ours\n'


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("file:///nowhere/at-all.git", 1, "git could not clone it"),
        ("--upload-pack=touch /tmp/x", 2, ""),
        ("ext::sh -c true", 2, ""),
        ("https:///", 2, ""),
    ],
)
def test_what_cannot_be_cloned_leaves_nothing(ds01: Run, tmp_path: Path, address: str, code: int, said: str) -> None:
    ran = ds01("project", "clone", "--", address, "x")
    assert ran.code in (code, 1)
    assert said in ran.err
    assert not list((tmp_path / "workspace").glob("*")) if (tmp_path / "workspace").exists() else True


def test_a_project_begins_with_the_code_of_a_folder_and_without_its_data(
    ds01: Run, repository: Path, tmp_path: Path
) -> None:
    (repository / "data").mkdir()
    (repository / "data/large").write_text("x")
    (repository / ".env").write_text("SECRET=1\n")
    (repository / "link").symlink_to("/etc/passwd")
    (tmp_path / "workspace/thesis").mkdir(parents=True)
    (tmp_path / "workspace/thesis/train.py").write_text("mine\n")
    assert ds01("init", "thesis", "--from", str(repository), "--dry-run").code == 0
    assert not (tmp_path / "workspace/thesis/ds01.toml").exists()
    (tmp_path / "workspace/thesis/requirements.txt").write_text("six\n")
    ran = ds01("init", "thesis", "--from", str(repository))
    assert ran.code == 0, ran.err
    assert "Kept as they are, though they differ from those there: train.py." in " ".join(ran.err.split())
    folder = tmp_path / "workspace/thesis"
    assert sorted(path.name for path in folder.iterdir()) == ["ds01.toml", "requirements.txt", "train.py"]
    assert (folder / "train.py").read_text() == "mine\n"
    assert file.named("thesis", str(tmp_path)).image.requirements == "requirements.txt"


def test_what_somebody_else_s_folder_may_is_not_what_the_project_may(ds01: Run, tmp_path: Path) -> None:
    source = tmp_path / "lab"
    (source / "bin").mkdir(parents=True)
    (source / "bin").chmod(0o2777)
    for name, mode in {"bin/tool": 0o6755, "train.py": 0o4644, "private.py": 0o600, "fixed.py": 0o444}.items():
        (source / name).write_text("x\n")
        (source / name).chmod(mode)
    ran = ds01("init", "thesis", "--from", str(source))
    assert ran.code == 0, ran.err
    folder = tmp_path / "workspace/thesis"
    modes = {name: (folder / name).stat().st_mode & 0o7777 for name in ("bin/tool", "train.py", "private.py", "bin")}
    assert not any(mode & 0o7022 for mode in modes.values())
    assert (modes["bin/tool"] & 0o100, modes["train.py"] & 0o111, modes["private.py"]) == (0o100, 0, 0o600)
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}


def test_a_project_is_not_copied_through_a_link(ds01: Run, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/thesis").symlink_to(tmp_path / "elsewhere")
    ran = ds01("init", "thesis", "--from", str(repository))
    assert (ran.code, list((tmp_path / "elsewhere").iterdir())) == (5, [])
    assert "cannot be copied" in ran.err


def test_a_source_may_be_named_by_a_link(ds01: Run, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "short").symlink_to(repository)
    assert ds01("init", "thesis", "--from", str(tmp_path / "short")).code == 0
    assert (tmp_path / "workspace/thesis/train.py").exists()


def test_a_project_begins_with_a_repository_without_its_history(ds01: Run, repository: Path, tmp_path: Path) -> None:
    assert ds01("init", "thesis", "--from", f"file://{repository}").code == 0
    assert not (tmp_path / "workspace/thesis/.git").exists()
    assert (tmp_path / "workspace/thesis/train.py").exists()
    assert [path.name for path in (tmp_path / "workspace").iterdir()] == ["thesis"]


def test_templates_are_folders_of_the_server(ds01: Run, tmp_path: Path) -> None:
    (tmp_path / "templates/course").mkdir(parents=True)
    assert origin.template("course", str(tmp_path / "templates")).endswith("/course")
    ran = ds01("init", "thesis", "--from", "template:nope")
    assert ran.code == 2
    assert "There is no template 'nope'" in ran.err
    assert not (tmp_path / "workspace").exists()
