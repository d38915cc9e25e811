"""The program around the commands: names, help, mistakes."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.cli import tree
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
