"""A ds01d that says what the test tells it to, and a client of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.client import Client
from tests.unit.cli.daemon import Daemon, serving


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Short path: unix sockets allow 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ds01t") as folder, serving(Path(folder, "api.sock")) as serves:
        yield serves


@pytest.fixture
def client(daemon: Daemon) -> Client:
    """Asks it."""
    return Client(str(daemon.socket))
