"""A command where somebody is there: a terminal of its own, and her answers."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.unit.cli.daemon import Daemon


def at_a_terminal(daemon: Daemon, home: Path, editor: str, *words: str, answers: str = "") -> tuple[int, str]:
    """Run a command where somebody is there, who answers these lines."""
    master, slave = pty.openpty()
    settings = {"HOME": str(home), "DS01_SOCKET": str(daemon.socket), "VISUAL": editor, "NO_COLOR": "1"}
    ran = subprocess.Popen(
        [sys.executable, "-m", "ds01.cli", *words], stdin=slave, stdout=slave, stderr=slave, env=os.environ | settings
    )
    os.close(slave)
    os.write(master, answers.encode())
    said = b""
    with contextlib.suppress(OSError):  # the terminal is gone when the program is
        while piece := os.read(master, 4096):
            said += piece
    os.close(master)
    return ran.wait(), " ".join(said.decode().split())
