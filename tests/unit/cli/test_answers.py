"""Answers from a file: the same as typing them, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.projects import file
from tests.unit.cli.conftest import Run


def test_answers_from_a_file_are_the_flags_and_the_plain_command_is_shown(ds01: Run, tmp_path: Path) -> None:
    answers = tmp_path / "first.toml"
    answers.write_text('name = "thesis"\ntype = "ml"\ndesc = "Cells in images"\nlean = true\ngit = false\n')
    ran = ds01("init", "--answers", str(answers))
    assert ran.code == 0
    project = file.named("thesis", str(tmp_path))
    assert (project.type, project.description) == ("ml", "Cells in images")
    assert "numpy" not in project.image.python
    assert "ds01 init --type=ml '--desc=Cells in images' --lean thesis" in " ".join(ran.err.split())


def test_what_is_typed_wins_over_the_file(ds01: Run, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "paper"\ntype = "ml"\n')
    assert ds01("init", "thesis", "--type=blank", f"--answers={tmp_path}/a.toml").code == 0
    assert file.named("thesis", str(tmp_path)).type == "blank"
    assert not (tmp_path / "workspace/paper").exists()


def test_the_usual_options_can_be_answered_too(ds01: Run, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "thesis"\ndry-run = true\n')
    assert ds01("init", "--answers", f"{tmp_path}/a.toml").code == 0
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('nmae = "thesis"\n', "Did you mean 'name'?"),
        ("name = 'My Thesis'\n", "my-thesis"),
        ('name = "thesis"\ngit = "yes"\n', "'git' is true or false"),
        ('name = "thesis"\ntype = ["ml"]\n', "'type' is a text or a number"),
        ('type = "ml"\n', "NAME is missing"),
        ("name = \n", "it is not TOML"),
    ],
)
def test_a_mistake_in_the_answers_changes_nothing(ds01: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    ran = ds01("init", "--answers", f"{tmp_path}/a.toml")
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert not (tmp_path / "workspace").exists()


def test_answers_that_are_not_there(ds01: Run, tmp_path: Path) -> None:
    ran = ds01("init", "--answers", str(tmp_path / "none.toml"))
    assert ran.code == 2
    assert "no such file" in ran.err
