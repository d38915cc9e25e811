"""Bad input of every kind: one sentence, the right exit code, nothing lost."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from dev import programs
from dev.promises.lab import Lab
from dev.promises.terminal import Terminal

from tests.e2e.refusals import refused

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

BUILD = 40
BACKGROUND = ("--background", "--yes", "--gpus", "0")


# Names -----------------------------------------------------------------------------------------------
def test_an_unknown_project(lab: Lab) -> None:
    refused(lab.ada.tries("launch", "nowhere", *BACKGROUND), 4, "nowhere")


@pytest.mark.parametrize("verb", ["list", "stop", "why", "retire", "exec"])
def test_an_unknown_container(lab: Lab, verb: str) -> None:
    if verb == "list":
        assert lab.ada.data("list") == []
        return
    rest = {"exec": ("--", "true"), "retire": ("--yes",)}.get(verb, ())
    refused(lab.ada.tries(verb, "nowhere", *rest), 4, "nowhere")


@pytest.mark.parametrize(
    ("name", "better"), [("My Thesis", "my-thesis"), ("Thesis", "thesis"), ("../x", "'x'"), ("-x", "")]
)
def test_a_name_that_cannot_be(lab: Lab, name: str, better: str) -> None:
    before = sorted(lab.ada.person.home.rglob("ds01.toml"))
    refused(lab.ada.tries("init", "--no-input", "--", name), 2, better)
    refused(lab.ada.tries("launch", *BACKGROUND, "--", name), 2, better)
    assert sorted(lab.ada.person.home.rglob("ds01.toml")) == before


def test_a_name_of_digits_is_a_name(lab: Lab) -> None:
    lab.ada.project("2024")
    assert lab.ada.launches("2024")["state"] == "running"
    assert lab.ada.inside("2024", "pwd") == "/workspace"
    lab.ada.ds01("retire", "2024", "--yes")


def test_a_name_nearly_right_is_guessed(lab: Lab) -> None:
    lab.ada.project("thesis", "six>=1.15,<1.17")
    refused(lab.ada.tries("launch", "thesys", *BACKGROUND), 4, "thesis")


# Workspaces ------------------------------------------------------------------------------------------
def test_a_file_where_the_workspace_should_be(lab: Lab) -> None:
    path = lab.ada.workspace("blocked")
    lab.ada.shell(f"mkdir -p {path.parent}; echo precious > {path}")
    try:
        refused(lab.ada.tries("init", "blocked", "--no-input"), 5, str(path))
        assert lab.ada.tries("launch", "blocked", *BACKGROUND).code in (4, 5)
        assert path.read_text() == "precious\n"
    finally:
        path.unlink()


def test_a_workspace_of_somebody_else(lab: Lab) -> None:
    lab.ada.project("thesis", "six>=1.15,<1.17")
    other = lab.ben.person.home / "theirs"
    lab.ben.shell(f"mkdir -p {other}; chmod 755 {other} {lab.ben.person.home}")
    refused(lab.ada.tries("launch", "thesis", "--workspace", str(other), *BACKGROUND), 5, str(other))
    assert not lab.ada.has("thesis")


def test_a_workspace_that_is_a_link_out(lab: Lab) -> None:
    lab.ada.project("thesis", "six>=1.15,<1.17")
    link = lab.ada.workspace("link")
    lab.ada.shell(f"ln -sfn /etc {link}")
    try:
        done = lab.ada.tries("launch", "thesis", "--workspace", str(link), *BACKGROUND)
        refused(done, 5)
        assert not lab.ada.has("thesis")
    finally:
        link.unlink()


# Files with mistakes -----------------------------------------------------------------------------------
def test_a_project_file_with_a_mistake_is_named_with_its_place(lab: Lab) -> None:
    folder = lab.ada.project("typo")
    lab.ada.shell(f"echo 'python = [\"six\"' >> {folder}/ds01.toml")
    broken = (folder / "ds01.toml").read_text()
    said = refused(lab.ada.tries("launch", "typo", *BACKGROUND), 2, "ds01.toml:")
    assert re.search(r"ds01\.toml:\d+:\d+", said)
    assert (folder / "ds01.toml").read_text() == broken


def test_a_misspelt_key_is_named_with_the_right_one(lab: Lab) -> None:
    folder = lab.ada.project("typo-key")
    lab.ada.shell(f"sed -i 's/^python =/pyhton =/' {folder}/ds01.toml")
    refused(lab.ada.tries("launch", "typo-key", *BACKGROUND), 2, "pyhton", "python", "ds01.toml:")


def test_a_limits_file_with_a_mistake_leaves_the_last_good_one_in_force(lab: Lab) -> None:
    before = lab.stack.limits.read_text()
    was = lab.ada.data("limits", "explain", "containers")["value"]
    try:
        lab.stack.limits.write_text(before.replace("defaults:\n", "defaults:\n  contianers: 1\n"))
        _until_doctor_says(lab, "limits.yaml:")
        assert lab.ada.data("limits", "explain", "containers")["value"] == was
    finally:
        lab.stack.limits.write_text(before)


def _until_doctor_says(lab: Lab, word: str) -> None:
    assert programs.until(lambda: word in str(lab.root_says("doctor")), 60), lab.root_says("doctor")


# Packages ----------------------------------------------------------------------------------------------
def test_an_unknown_package_is_named_and_the_old_image_stays(lab: Lab) -> None:
    lab.ada.project("paper", "six")
    before = lab.inspect(f"ds01-{lab.ada.uid}/paper:latest")["Id"]
    lab.ada.lists("paper", "six", "ds01-there-is-no-such-package")
    refused(lab.ada.tries("image", "create", "paper"), 1, "ds01-there-is-no-such-package", lines=BUILD)
    assert lab.inspect(f"ds01-{lab.ada.uid}/paper:latest")["Id"] == before


def test_a_package_name_that_cannot_be_is_refused_before_anything_is_built(lab: Lab) -> None:
    lab.ada.project("paper", "six")
    text = (lab.ada.workspace("paper") / "ds01.toml").read_text()
    refused(lab.ada.tries("image", "update", "paper", "--add", "six=>1", "--yes"), 2, "six=>1")
    assert (lab.ada.workspace("paper") / "ds01.toml").read_text() == text


def test_constraints_that_exclude_each_other(lab: Lab) -> None:
    lab.ada.project("paper", "six")
    lab.ada.lists("paper", "requests==2.31.0", "urllib3<1.21")
    said = refused(lab.ada.tries("image", "create", "paper"), 1, "urllib3", "requests", "resolved before the build")
    assert "It failed at" not in said
    lab.ada.lists("paper", "six", "ds01-there-is-no-such-package")
    refused(lab.ada.tries("launch", "paper", *BACKGROUND), 1, "no-such-package", "resolved before the build")


def test_no_network_is_told_as_such(lab: Lab) -> None:
    lab.ada.project("paper", "six")
    lab.ada.lists("paper", "six", "humanize")
    with lab.without_network():
        refused(lab.ada.tries("image", "create", "paper"), 1, "network", lines=BUILD)


# GPUs --------------------------------------------------------------------------------------------------
def test_more_gpus_than_the_server_has(lab: Lab) -> None:
    lab.ada.project("thesis", "six>=1.15,<1.17")
    refused(lab.ada.tries("launch", "thesis", "--gpus", "9", "--background", "--yes"), 3)
    refused(lab.ada.tries("launch", "thesis", "--gpus", "many", "--background", "--yes"), 2, "many")
    assert lab.free_slots() == 4


def test_limits_beyond_the_machine_stop_nobody(lab: Lab) -> None:
    """A file that gives everybody 4096 processors on a small machine: what there is is given."""
    lab.ada.project("thesis", "six>=1.15,<1.17")
    with lab.limits({"cpus": "4096"}):
        lab.ada.launches("thesis")
        lab.ada.ds01("retire", "thesis", "--yes")


# Programs that are away ----------------------------------------------------------------------------------
@pytest.mark.parametrize("command", [("list",), ("launch", "thesis", "--background"), ("status",), ("why", "x")])
def test_no_ds01d(lab: Lab, command: tuple[str, ...]) -> None:
    away = lab.ada.person.run(
        "env", "DS01_SOCKET=/nonexistent/ds01d.sock", str(lab.ada.commands / "ds01"), *command
    )  # fmt: skip
    refused(away, 6, "ds01d")


# Terminals -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", [("--help",), ("list",), ("status",), ("launch", "--info"), ("help", "start")])
def test_a_terminal_of_forty_columns(lab: Lab, command: tuple[str, ...]) -> None:
    terminal = Terminal(lab.ada.person, str(lab.ada.commands / "ds01"), *command, columns=40)
    assert terminal.ends() == 0


def test_no_terminal_and_a_question(lab: Lab) -> None:
    lab.ada.project("thesis", "six>=1.15,<1.17")
    lab.ada.launches("thesis")
    refused(lab.ada.tries("retire", "thesis"), 2, "--yes")
    assert lab.ada.container("thesis")["state"] == "running"


# People --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("login", "uid"), [("204214@lab.lan", 1722830499), ("h.baker@lab.lan", 1722830498)])
def test_logins_of_a_directory(lab: Lab, login: str, uid: int) -> None:
    student = lab.student(login, uid)
    student.project("thesis")
    student.launches("thesis")
    assert student.inside("thesis", "id -u") == str(uid)
    assert student.inside("thesis", "touch /workspace/mine; echo $HOME").startswith("/home/")
    assert (student.workspace("thesis") / "mine").stat().st_uid == uid
    assert student.docker("ps", "--format", "{{.Names}}")
    lastlog = Path("/var/log/lastlog")
    assert not lastlog.exists() or os.stat(lastlog).st_blocks * 512 < 2**30
    student.ds01("retire", "thesis", "--yes")
