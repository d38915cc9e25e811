"""Whether an engine takes CDI devices, and where it reads what they are, is what it says and not its version."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from dev import engine as own
from dev import engine26 as newer

from ds01.adapters.docker.engine import DockerEngine

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.mark.parametrize("switched", [True, False])
async def test_an_engine_says_where_it_reads_specifications(switched: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="ds01n", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        settings = {"features": {"cdi": switched}, "cdi-spec-dirs": [f"{name}/cdi"]}
        (Path(name) / "daemon.json").write_text(json.dumps(settings))
        running = newer.start(Path(name) / "engine", options=("--config-file", f"{name}/daemon.json"))
        engine = DockerEngine(f"unix://{running.socket}")
        try:
            assert (await engine.version()).cdi_folders == ((f"{name}/cdi",) if switched else ())
        finally:
            await engine.close()
            own.stop(running)


async def test_an_engine_that_knows_no_cdi_has_no_such_place(engine: own.OwnEngine) -> None:
    older = DockerEngine(f"unix://{engine.socket}")
    try:
        assert (await older.version()).cdi_folders == ()
    finally:
        await older.close()
