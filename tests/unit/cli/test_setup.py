"""``ds01 setup`` on a terminal: three questions, back, and in the end the command that asks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.projects import file
from ds01.wire.status import PingView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon
from tests.unit.cli.terminal import at_a_terminal

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q laptop"


@pytest.fixture
def ready(daemon: Daemon, tmp_path: Path) -> Daemon:
    """A ds01d and a gateway that answer."""
    (tmp_path / "docker.sock").touch()
    daemon.answers["GET", "/v1/ping"] = PingView(
        version="1", simulated_gpus=True, engine="20.10", login="anna", gateway=str(tmp_path / "docker.sock")
    )
    daemon.answers["GET", "/v1/status"] = values.status()
    return daemon


def keys(home: Path) -> list[str]:
    """Those that may log in."""
    found = home / ".ssh/authorized_keys"
    return found.read_text().splitlines() if found.exists() else []


def test_setup_asks_three_things_and_shows_the_command_that_asks_none(ready: Daemon, tmp_path: Path) -> None:
    code, said = at_a_terminal(ready, tmp_path, "true", "setup", answers=f"{KEY}\nthesis\nblank\n")
    assert code == 0
    counted = [number for number in range(1, 10) if f"{number}/3" in said.replace(KEY, "")]
    assert counted == [1, 2, 3]
    assert f"The same without questions: ds01 setup --key '{KEY}' --project thesis --type blank" in said
    assert keys(tmp_path) == [KEY]
    assert file.named("thesis", str(tmp_path)).type == "blank"
    code, again = at_a_terminal(ready, tmp_path, "true", "setup")
    assert code == 0
    assert "without questions" not in again


def test_setup_goes_back(ready: Daemon, tmp_path: Path) -> None:
    code, said = at_a_terminal(ready, tmp_path, "true", "setup", answers=f"\npaper\n<\n<\n{KEY}\nthesis\nml\n")
    assert code == 0
    assert said.count("1/3") == 2
    assert keys(tmp_path) == [KEY]
    assert file.names(str(tmp_path)) == ("thesis",)


def test_setup_asks_for_no_type_where_there_is_no_project(ready: Daemon, tmp_path: Path) -> None:
    code, said = at_a_terminal(ready, tmp_path, "true", "setup", answers="\n\n")
    assert code == 0
    assert "3/3" not in said
    assert file.names(str(tmp_path)) == ()


def test_setup_asks_only_what_was_not_typed(ready: Daemon, tmp_path: Path) -> None:
    words = ("setup", "--key", KEY, "--project", "thesis")
    code, said = at_a_terminal(ready, tmp_path, "true", *words, answers="vision\ncv\n")
    assert code == 0
    assert "1/1" in said
    assert "There is no project type 'vision'" in said
    assert f"ds01 setup --key '{KEY}' --project thesis --type cv" in said


def test_setup_can_be_answered_from_a_file(ds01: Run, ready: Daemon, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'key = "{KEY}"\nproject = "thesis"\ntype = "nlp"\n')
    assert ds01("setup", "--answers", f"{tmp_path}/a.toml").code == 0
    assert (keys(tmp_path), file.named("thesis", str(tmp_path)).type) == ([KEY], "nlp")


def test_the_guide_of_setup_asks_nothing_a_second_time(ready: Daemon, tmp_path: Path) -> None:
    code, said = at_a_terminal(ready, tmp_path, "true", "setup", "--guided", answers="used\n\n\nn\n\n")
    assert code == 0
    assert said.count("--key ") - said.count("setup --key") == 1
    assert (keys(tmp_path), file.names(str(tmp_path))) == ([], ())


def test_a_private_key_ends_the_questions_and_is_shown_nowhere_else(ready: Daemon, tmp_path: Path) -> None:
    pasted = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    code, said = at_a_terminal(ready, tmp_path, "true", "setup", answers=pasted)
    assert code == 2
    assert "That is a private key." in said
    assert keys(tmp_path) == []


def test_a_type_without_a_project_is_told(ds01: Run, ready: Daemon) -> None:
    ran = ds01("setup", "--type", "ml")
    assert ran.code == 0
    assert "--type is for a new project" in ran.err
    assert ds01("setup", "--type", "dta").code == 2
