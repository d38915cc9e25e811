"""The project commands, as far as they need no server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Ran


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, and a ds01d that is not there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DS01_SOCKET", str(tmp_path / "nobody.sock"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_makes_a_project_and_says_what_is_next(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("init", "thesis", "--type", "ml", "--desc", "Cells")
    assert (ran.code, ran.out) == (0, "")
    assert "Next: ds01 launch thesis" in ran.err
    assert (home / "workspace" / "thesis" / "ds01.toml").exists()


def test_init_tells_programs_what_was_written(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("project", "init", "thesis", "--blank", "--json")
    told = json.loads(ran.out)
    assert (told["name"], told["type"], told["adopted"], told["kept"]) == ("thesis", "blank", False, [])
    assert "ds01.toml" in told["written"]


def test_init_changes_nothing_when_only_asked(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("init", "thesis", "--dry-run")
    assert ran.code == 0
    assert f"{home}/workspace/thesis/ds01.toml" in ran.out.splitlines()
    assert not (home / "workspace").exists()


def test_init_adopts_and_lists_what_it_keeps(home: Path, ds01: Callable[..., Ran]) -> None:
    (home / "workspace" / "thesis").mkdir(parents=True)
    (home / "workspace" / "thesis" / "README.md").write_text("mine")
    ran = ds01("init", "thesis", "--blank")
    assert "Kept as they are" in ran.err
    assert "README.md" in ran.err
    again = ds01("init", "thesis", "--blank")
    assert again.code == 0
    assert "was a project already" in again.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["init", "My Thesis"], 2, "my-thesis"),
        (["init", "../x"], 2, "lower-case"),
        (["init", "thesis", "--type", "dta"], 2, "Did you mean 'data'?"),
        (["init", "thesis", "--type", "ml", "--blank"], 2, "exclude each other"),
        (["init", "thesis", "--desc", "two\nlines"], 2, "one line"),
        (["init"], 2, "NAME"),
        (["project", "show", "nope"], 4, "ds01 init nope"),
        (["project", "show"], 4, "You have no project yet"),
        (["project", "check", "nope"], 4, "There is no project 'nope'"),
        (["image", "create", "nope"], 4, "There is no project 'nope'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    home: Path, ds01: Callable[..., Ran], words: list[str], code: int, said: str
) -> None:
    ran = ds01(*words)
    assert ran.code == code
    assert said in ran.err


def test_a_file_where_the_project_should_be(home: Path, ds01: Callable[..., Ran]) -> None:
    (home / "workspace").mkdir()
    (home / "workspace" / "thesis").write_text("")
    ran = ds01("init", "thesis")
    assert ran.code == 5
    assert "it is a file, not a folder" in ran.err


def test_list_and_show_work_without_the_server(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--desc", "Cells")
    listed = ds01("project", "list", "--json")
    assert [(view["name"], view["description"]) for view in json.loads(listed.out)] == [("thesis", "Cells")]
    shown = ds01("project", "show", "thesis")
    assert shown.code == 0
    assert "not built yet" in shown.out
    assert "ds01d does not answer" in shown.err


def test_check_tells_every_mistake_with_its_place(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "good")
    ds01("init", "bad")
    file = home / "workspace" / "bad" / "ds01.toml"
    file.write_text('[image]\nbse = "x"\npython = ["pandas=2"]\n')
    ran = ds01("project", "check")
    assert ran.code == 2
    assert "good: the project file is right." in ran.err
    assert f"{file}:2:1: unknown key 'bse'; did you mean 'base'?" in ran.err.replace("\n", " ")
    assert "3:11:" in ran.err
    told = json.loads(ds01("project", "check", "bad", "--json").out)
    assert told[0]["problem"].startswith(f"{file}:2:1:")


def test_check_reads_the_requirements_files_too(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    folder = home / "workspace" / "thesis"
    (folder / "ds01.toml").write_text('[image]\nrequirements = "requirements.txt"\n')
    assert "There is no file requirements.txt" in ds01("project", "check", "thesis").err
    (folder / "requirements.txt").write_text("six\nnumpy=1\n")
    ran = ds01("project", "check", "thesis")
    assert ran.code == 2
    assert "requirements.txt:2:" in ran.err


def test_the_project_one_is_in_is_meant(home: Path, ds01: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    ds01("init", "one")
    ds01("init", "two")
    monkeypatch.chdir(home / "workspace" / "two" / "src")
    assert json.loads(ds01("project", "show", "--json").out)["name"] == "two"
    monkeypatch.chdir(home)
    ran = ds01("project", "show")
    assert ran.code == 2
    assert "You have one, two" in ran.err
