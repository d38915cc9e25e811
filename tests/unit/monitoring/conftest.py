"""A server in memory, for what it says about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import SimServer


@pytest.fixture
async def server(tmp_path: Path) -> SimServer:
    """Four GPUs, three people, a clock that stands still."""
    return await SimServer(run=tmp_path).open()
