"""A fresh simulated server for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import SimServer


@pytest.fixture
async def server(tmp_path: Path) -> SimServer:
    """A server that has looked at its GPUs."""
    return await SimServer(run=tmp_path).open()
