"""Project files: found, read, and complained about with file, line and column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ds01.domain.errors import BAD_NAME, BAD_PROJECT_FILE, NO_PROJECT, Ds01Error, Problem
from ds01.projects import file

FULL = """\
[project]
name = "thesis"
type = "nlp"
description = "What I do"
[image]
base = "pytorch"
python = ["transformers>=4.40,<5", "datasets"]
apt = ["git-lfs"]
[run]
gpus = 1
time = "8h"
memory = "32G"
data = ["/data/imagenet"]
ports = {jupyter = 8888}
on_stop = "python save_checkpoint.py"
env = {WANDB_MODE = "offline"}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path


def project(home: Path, text: str, name: str = "thesis", file_name: str = "ds01.toml") -> Path:
    folder = home / "workspace" / name
    folder.mkdir(exist_ok=True)
    (folder / file_name).write_text(text)
    return folder


def problem_of(folder: Path) -> Problem:
    with pytest.raises(Ds01Error) as refused:
        file.load(str(folder))
    return refused.value.problem


def test_a_full_project_file_is_read(home: Path) -> None:
    folder = project(home, FULL)
    found = file.named("thesis", str(home))
    assert found.folder == str(folder)
    assert (found.name, found.type, found.description) == ("thesis", "nlp", "What I do")
    assert found.image.python == ("transformers>=4.40,<5", "datasets")
    assert (found.image.base, found.image.apt) == ("pytorch", ("git-lfs",))
    assert (found.run.gpus, found.run.time, found.run.memory) == ("1", "8h", "32G")
    assert (found.run.ports, found.run.environment) == ({"jupyter": 8888}, {"WANDB_MODE": "offline"})


def test_an_empty_file_is_a_project_named_like_its_folder(home: Path) -> None:
    found = file.load(str(project(home, "")))
    assert (found.name, found.type, found.image.base, found.run.gpus) == ("thesis", "blank", "minimal", None)


def test_the_table_in_pyproject_is_read_too(home: Path) -> None:
    folder = project(home, '[project]\nname = "x"\n[tool.ds01.image]\npython = ["six"]\n', file_name="pyproject.toml")
    assert file.load(str(folder)).image.python == ("six",)
    assert file.names(str(home)) == ("thesis",)


def test_a_mistake_in_pyproject_is_placed_there(home: Path) -> None:
    folder = project(home, '[tool.ds01.image]\npyton = ["six"]\n', file_name="pyproject.toml")
    assert problem_of(folder).message == f"{folder}/pyproject.toml:2:1: unknown key 'pyton'; did you mean 'python'?"


MISTAKEN = (
    ('[project]\nname = "thesis\n', "2:15", "not TOML"),
    ("[project\n", "1:9", "not TOML"),
    ("[image]\npython = [\n", "3:1", "not TOML"),
    ('[imge]\nbase = "x"\n', "1:2", "did you mean '[image]'?"),
    ('[image]\nbse = "x"\n', "2:1", "did you mean 'base'?"),
    ("image = 3\n", "1:9", "expected a table"),
    ("[project]\nname = 3\n", "2:8", "expected a name in quotes"),
    ('[project]\nname = "My Thesis"\n', "2:8", "use 'my-thesis'"),
    ('[project]\ntype = "nlpp"\n', "2:8", "did you mean 'nlp'?"),
    ('[project]\ntype = "zzzz"\n', "2:8", "expected one of ml, cv"),
    ('[image]\nbase = "Not A Base"\n', "2:8", "neither the name of a base"),
    ('[image]\nbase = "x\\nRUN reboot"\n', "2:8", "control characters"),
    ('[image]\npython = "six"\n', "2:10", "expected a list"),
    ('[image]\npython = ["six",\n  "numpy=1"]\n', "3:3", "Use 'numpy==1' instead"),
    ('[image]\npython = ["six", 3]\n', "2:18", "expected a text in quotes, got 3"),
    ('[image]\npython = ["six", "six>1"]\n', "2:10", "listed twice"),
    ('[image]\napt = ["Git"]\n', "2:8", "Use 'git' instead"),
    ('[image]\nrequirements = "../x.txt"\n', "2:16", "in the project folder"),
    ('[image]\nrequirements = "/etc/passwd"\n', "2:16", "in the project folder"),
    ('[image]\ndockerfile = "/etc/x"\n', "2:14", "in the project folder"),
    ("[run]\ngpus = -1\n", "2:8", "number of GPUs"),
    ("[run]\ngpus = true\n", "2:8", "number of GPUs"),
    ('[run]\ngpus = "many"\n', "2:8", "no MIG profile"),
    ('[run]\ntime = "8 hours"\n', "2:8", "write it like 30m"),
    ('[run]\nmemory = "lots"\n', "2:10", "write it like 512M"),
    ('[run]\ndata = ["data"]\n', "2:9", "full path"),
    ("[run]\nports = {web = 70000}\n", "2:16", "from 1 to 65535"),
    ("[run]\nports = 80\n", "2:9", "expected a table"),
    ("[run.env]\nA = 1\n", "2:5", "expected a text in quotes"),
    ('[run.env]\n"A B" = "1"\n', "2:1", "environment variable"),
)
"""Files with a mistake, where it is, and a part of what is said of it."""


@pytest.mark.parametrize(("text", "place", "said"), MISTAKEN)
def test_every_mistake_has_its_place_and_what_was_expected(home: Path, text: str, place: str, said: str) -> None:
    folder = project(home, text)
    found = problem_of(folder)
    assert found.kind is BAD_PROJECT_FILE
    assert found.message.startswith(f"{folder}/ds01.toml:{place}: ")
    assert said in found.message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(home: Path) -> None:
    found = problem_of(project(home, '[project]\ntype = "x"\n[image]\nfoo = 1\n[run]\ntime = "x"\n'))
    assert ":2:8:" in found.message
    assert [line.split(":")[0] for line in found.reason.splitlines()[1:]] == ["4", "6"]


def test_an_unknown_project_is_answered_with_the_nearest(home: Path) -> None:
    project(home, FULL)
    with pytest.raises(Ds01Error) as refused:
        file.find("thesys", str(home))
    assert refused.value.kind is NO_PROJECT
    assert "Did you mean 'thesis'?" in refused.value.problem.reason


@pytest.mark.parametrize("name", ["../x", "Thesis", "a/b", "", ".", "-x", "x" * 41])
def test_a_name_that_cannot_be_one_never_becomes_a_path(home: Path, name: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        file.find(name, str(home))
    assert refused.value.kind is BAD_NAME


def test_a_folder_without_a_project_file_and_a_file_in_its_place(home: Path) -> None:
    (home / "workspace" / "empty").mkdir()
    (home / "workspace" / "flat").write_text("")
    for name, said in (("empty", "has no ds01.toml"), ("flat", "is not a folder")):
        with pytest.raises(Ds01Error) as refused:
            file.find(name, str(home))
        assert said in refused.value.problem.reason


def test_a_copied_folder_does_not_share_the_first_ones_image(home: Path) -> None:
    folder = project(home, FULL, name="thesis-2")
    with pytest.raises(Ds01Error) as refused:
        file.named("thesis-2", str(home))
    assert refused.value.problem.message.startswith(f"{folder}/ds01.toml:2:8: the folder is 'thesis-2'")


def test_strange_files_are_refused_in_a_sentence(home: Path) -> None:
    folder = project(home, "")
    target = folder / "ds01.toml"
    target.unlink()
    target.symlink_to("/etc/passwd")
    assert "symbolic link" in problem_of(folder).message
    target.unlink()
    os.mkfifo(target)
    assert "no plain file" in problem_of(folder).message
    target.unlink()
    target.mkdir()
    assert "no plain file" in problem_of(folder).message
    target.rmdir()
    target.write_bytes(b"[project]\nname = '\xff'\n")
    assert "line 2 is not UTF-8" in problem_of(folder).message
    target.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "larger than 1 MiB" in problem_of(folder).message
    target.write_text("x = " + "[" * 100_000)
    assert "nested too deeply" in problem_of(folder).message


def test_the_project_around_the_current_folder_is_found(home: Path) -> None:
    folder = project(home, FULL)
    (folder / "src" / "deep").mkdir(parents=True)
    assert file.enclosing(str(folder / "src" / "deep")) == str(folder)
    assert file.enclosing(str(home)) is None
