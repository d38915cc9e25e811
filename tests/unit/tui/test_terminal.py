"""``ds01 top`` as it is typed: on a real terminal, and where there is none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from ds01.wire.status import PingView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.conftest import ds01 as ds01
from tests.unit.cli.daemon import Daemon
from tests.unit.tui.test_top import busy_server

DS01 = str(Path(sys.executable).with_name("ds01"))
PAINT = re.compile(r"\x1b\[([0-9;]*)m")
COLOURS = {*map(str, (*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)))}


@pytest.fixture
def there(daemon: Daemon) -> Daemon:
    daemon.answers["GET", "/v1/ping"] = PingView(version="1", simulated_gpus=False, engine="20.10", login="anna")
    daemon.answers["GET", "/v1/status"] = busy_server()
    daemon.have(values.busy())
    return daemon


def typed(daemon: Daemon, home: Path, *words: str, **more: str) -> pexpect.spawn[str]:
    """Type ``ds01 top`` on a terminal of 80 columns."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "DS01_SOCKET": str(daemon.socket), "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }  # fmt: skip
    return pexpect.spawn(
        DS01, ["top", *words], env=environment | more, dimensions=(24, 80), encoding="utf-8", timeout=120
    )  # fmt: skip


def colours(drawn: str) -> set[str]:
    """Every colour in it; the default one is none."""
    return {code for found in PAINT.findall(drawn) for code in found.split(";")} & COLOURS


def test_it_is_drawn_goes_out_for_retire_and_comes_back(there: Daemon, tmp_path: Path) -> None:
    terminal = typed(there, tmp_path)
    terminal.expect_exact("anna: thesis")
    terminal.send("r")
    terminal.expect_exact("There is nothing at /v1/containers/thesis/retire.")
    terminal.expect_exact("Enter goes back")
    terminal.send("\r")
    terminal.expect_exact("anna: thesis")
    terminal.send("q")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "\x1b[?1049l" in str(terminal.before), "the terminal is as it was"


@pytest.mark.parametrize(("words", "more"), [(("--color", "never"), {}), ((), {"NO_COLOR": "1"})])
def test_without_colour_it_says_the_same(
    there: Daemon, tmp_path: Path, words: tuple[str, ...], more: dict[str, str]
) -> None:
    terminal = typed(there, tmp_path, *words, **more)
    terminal.expect_exact("anna: thesis")
    drawn = str(terminal.before)
    terminal.send("q")
    terminal.expect(pexpect.EOF)
    assert not colours(drawn)
    coloured = typed(there, tmp_path)
    coloured.expect_exact("anna: thesis")
    assert colours(str(coloured.before))
    coloured.send("q")
    coloured.expect(pexpect.EOF)


def test_without_a_terminal_it_is_a_sentence(ds01: Run) -> None:
    ran = ds01("top")
    assert ran.code == 2
    assert "needs a terminal" in ran.err
    assert "ds01 status" in ran.err


def test_on_a_terminal_that_cannot_draw_it_is_a_sentence_too(there: Daemon, tmp_path: Path) -> None:
    for words, more in (((), {"TERM": "dumb"}), (("--plain",), {}), (("--no-input",), {})):
        terminal = typed(there, tmp_path, *words, **more)
        terminal.expect_exact("needs a terminal that can draw")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 2


def test_a_ds01d_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    nowhere = Daemon(tmp_path / "none.sock")
    terminal = typed(nowhere, tmp_path)
    terminal.expect_exact("ds01d does not answer")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 6


def test_nothing_of_it_is_loaded_by_another_command() -> None:
    script = "import sys, ds01.cli.commands.top, ds01.cli.commands.status; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"textual", "rich", "ds01.tui", "asyncio"} & set(ran.stdout.split()) == set()
