"""The whole product for the tests that meet it as its users do: a stack of the tests' own, two ordinary accounts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import stack
from dev.promises.lab import Lab, close_lab, open_lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab on an engine of its own. It ends with the tests, accounts and all."""
    with tempfile.TemporaryDirectory(prefix="ds01lab", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        state = str(Path(folder, "s"))
        Path(folder).chmod(0o755)
        try:
            opened = open_lab(stack.up(state, own_engine=True), f"ds01-a{os.getpid()}", f"ds01-b{os.getpid()}")
            yield opened
            opened.fresh()
            close_lab(opened)
        finally:
            stack.down(state)
