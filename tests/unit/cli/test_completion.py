"""The completion scripts in the shells they are for: what Tab offers there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon

Offered = Callable[[str, str], list[str]]
SHELLS = ["bash", "zsh", "fish"]
IN_BASH = """
words=($TYPED); [ "${TYPED% }" = "$TYPED" ] || words+=('')
COMP_WORDS=("${words[@]}"); COMP_CWORD=$((${#words[@]} - 1))
_ds01; printf '%s\\n' "${COMPREPLY[@]}"
"""
IN_ZSH = """
_describe() { print -rl -- ${(P)2}; }
words=(${=TYPED}); [[ $TYPED == *' ' ]] && words+=('')
CURRENT=$#words
_ds01
"""
TYPES = {"bash": IN_BASH, "zsh": IN_ZSH, "fish": 'complete -C "$TYPED"\n'}
"""What stands for the typing: each shell's own way into its completion."""


def needs(shell: str) -> None:
    """This shell."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


@pytest.fixture
def offered(daemon: Daemon, tmp_path: Path) -> Offered:
    """What a shell offers after this was typed."""
    daemon.have(values.container("thesis"), values.container("a1"))
    program = Path(sys.executable).with_name("ds01")

    def ask(shell: str, typed: str) -> list[str]:
        needs(shell)
        path = f"{program.parent}:{os.environ['PATH']}"
        settings = os.environ | {"PATH": path, "HOME": str(tmp_path), "TYPED": typed, "XDG_CONFIG_HOME": str(tmp_path)}
        script = subprocess.run(
            [program, "completion", shell], capture_output=True, text=True, check=True, env=settings
        )
        stub = "compdef() { :; }\n" if shell == "zsh" else ""
        words = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[shell]
        ran = subprocess.run(
            [shell, *words, stub + script.stdout + TYPES[shell]], capture_output=True, text=True, env=settings,
            timeout=120, check=False,
        )  # fmt: skip
        assert ran.stderr == ""
        return [line for line in ran.stdout.splitlines() if line]

    return ask


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(ds01: Run, tmp_path: Path, shell: str) -> None:
    needs(shell)
    script = tmp_path / "script"
    script.write_text(ds01("completion", shell).out)
    ran = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "container-deploy" in script.read_text()


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_offers_commands_options_and_my_own_names(offered: Offered, shell: str) -> None:
    assert [line.split("\t")[0].split(":")[0] for line in offered(shell, "ds01 reti")] == ["retire"]
    assert any(line.startswith("--force") for line in offered(shell, "ds01 retire --for"))
    assert sorted(line.split("\t")[0].split(":")[0] for line in offered(shell, "ds01 retire ")) == ["a1", "thesis"]
    assert any(line.startswith("--gpus") for line in offered(shell, "container-deploy thesis --gp"))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_meaning_is_shown_beside_each_word(offered: Offered, shell: str) -> None:
    (line,) = offered(shell, "ds01 reti")
    assert len(line.replace("retire", "", 1).strip(":\t ")) > 10


def test_a_word_with_a_colon_is_one_word_in_zsh(offered: Offered) -> None:
    assert any(line.startswith("thesis\\:") for line in offered("zsh", "ds01 cp th"))
