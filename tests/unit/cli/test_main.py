"""The program around the commands: names, help, mistakes."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.cli import guesses, tree
from ds01.cli.main import called_as, names_first
from ds01.cli.names import TARGET, programs
from tests.unit.cli.conftest import Ran

HEAVY = (
    "rich",
    "textual",
    "pydantic",
    "fastapi",
    "jinja2",
    "tomlkit",
    "click",
    "http.client",
    "asyncio",
    "email",
    "ssl",
)


@pytest.mark.parametrize("words", [["--help"], ["help", "--help"], ["help", "--info"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    script = "import sys; from ds01.cli.main import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    loaded = set(ran.stderr.split())
    assert loaded & set(HEAVY) == set(), loaded & set(HEAVY)
    assert not any(name.startswith(("ds01.client", "ds01.wire")) for name in loaded)


@pytest.mark.parametrize("words", [["status"], ["list"], ["greet"]])
def test_what_is_typed_all_day_asks_ds01d_with_the_little_it_needs(words: list[str], tmp_path: Path) -> None:
    script = "import sys; from ds01.cli.main import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True,
        env={"DS01_SOCKET": str(tmp_path / "none.sock")},
    )  # fmt: skip
    loaded = set(ran.stderr.splitlines()[-1].split())
    assert "ds01.wire.codec" in loaded
    assert loaded & {*HEAVY, "typing"} == set()


def test_no_command_imports_anything_heavy() -> None:
    modules = [".".join([tree.PACKAGE, *path.split()]) for path, _ in tree.commands()]
    script = f"import sys, importlib; [importlib.import_module(m) for m in {modules}]; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) & {*HEAVY, "urllib.request", "ds01.config", "ds01.services", "ds01.daemon"} == set()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("/usr/bin/ds01", []),
        ("/usr/local/bin/something-else", []),
        ("container", ["container"]),
        ("/opt/bin/container-deploy", ["container", "deploy"]),
        ("container-retire", ["container", "retire"]),
        ("check-limits", ["limits", "show"]),
    ],
)
def test_the_program_is_also_known_by_the_names_users_know(program: str, words: list[str]) -> None:
    assert called_as(program) == words


def test_every_name_is_installed() -> None:
    scripts = tomllib.loads(Path("pyproject.toml").read_text())["project"]["scripts"]
    installed = {name: target for name, target in scripts.items() if target == TARGET}
    assert installed == dict.fromkeys(programs(), TARGET), "python -m ds01.cli.names prints what belongs there"


def test_common_options_may_come_first() -> None:
    assert names_first(["--plain", "--color", "never", "help", "start"]) == [
        "help", "--plain", "--color", "never", "start",
    ]  # fmt: skip


def test_a_command_that_is_nearly_right_gets_the_right_one(ds01: Callable[..., Ran]) -> None:
    ran = ds01("hlep")
    assert ran.code == 2
    assert "Did you mean 'ds01 help'?" in ran.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ls", "list"), ("ps", "list"), ("rm", "retire"), ("delete", "retire"), ("kill", "stop"), ("shell", "launch"),
        ("enter", "launch"), ("connect", "launch"), ("open", "launch"), ("login", "launch"), ("build", "image update"),
        ("quota", "limits"), ("info", "status"), ("version", "--version"), ("container ls", "container list"),
        ("container rm", "container retire"), ("image rm", "image delete"), ("project ls", "project list"),
    ],
)  # fmt: skip
def test_a_word_of_other_programs_gets_the_command_it_means(ds01: Callable[..., Ran], typed: str, meant: str) -> None:
    ran = ds01(*typed.split())
    assert ran.code == 2
    assert f"Did you mean 'ds01 {meant}'?" in ran.err


def test_every_word_of_other_programs_leads_somewhere() -> None:
    assert not set(guesses.SYNONYMS) & set(tree.members())
    for commands in guesses.SYNONYMS.values():
        assert all(tree.exists(tree.SAME.get(each, each)) for each in commands if each in tree.members())
        assert {*commands} & {*tree.members(), "image update", "--version"}


@pytest.mark.parametrize("word", ["exit", "quit", "logout"])
def test_leaving_where_there_is_nothing_to_leave(ds01: Callable[..., Ran], word: str) -> None:
    ran = ds01(word)
    assert ran.code == 2
    assert "You are on the server, not in a container." in ran.err
    assert "Did you mean" not in ran.err


def test_the_name_of_a_project_alone_gets_the_launch_of_it(ds01: Callable[..., Ran], tmp_path: Path) -> None:
    folder = tmp_path / "workspace/thesis"
    folder.mkdir(parents=True)
    assert "Did you mean" not in ds01("thesis").err
    (folder / "ds01.toml").touch()
    assert "Did you mean 'ds01 launch thesis'?" in ds01("thesis").err
    assert "Did you mean" not in ds01("image", "thesis").err


@pytest.mark.parametrize("word", ["frobnicate", "train", "../thesis", "stand"])
def test_a_word_that_is_like_nothing_gets_no_guess(ds01: Callable[..., Ran], word: str) -> None:
    ran = ds01(word)
    assert ran.code == 2
    assert "Did you mean" not in ran.err
    assert "ds01 --help" in ran.err


def test_help_me_is_help(ds01: Callable[..., Ran]) -> None:
    assert ds01("help", "me") == ds01("help")


def test_an_option_that_is_nearly_right_gets_the_right_one(ds01: Callable[..., Ran]) -> None:
    ran = ds01("help", "--jsno")
    assert ran.code == 2
    assert "Did you mean '--json'?" in ran.err


def test_one_word_too_many_is_a_sentence(ds01: Callable[..., Ran]) -> None:
    ran = ds01("help", "start", "again")
    assert ran.code == 2
    assert "'again' is one word too many." in ran.err


def test_the_version_is_told(ds01: Callable[..., Ran]) -> None:
    assert ds01("--version").out.startswith("ds01 ")


def test_without_a_command_the_front_page_is_shown(ds01: Callable[..., Ran]) -> None:
    assert ds01().out == ds01("--help").out
