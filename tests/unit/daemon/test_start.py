"""A ds01d that cannot start says why, and nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

ENGINE = {"ApiVersion": "1.41", "Version": "20.10.24", "CgroupDriver": "cgroupfs", "Components": []}
STARTED = "import sys; from ds01.daemon.main import main; sys.exit(main())"
LIMITS = "gpus: {source: simulated, simulated: [a100-40gb]}\n"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = json.dumps(ENGINE).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def test_where_the_ledger_cannot_be_read_the_engine_is_let_go(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.db").write_text("no ledger at all" * 1000)
    (tmp_path / "limits.yaml").write_text(LIMITS)
    socket = tmp_path / "e.sock"
    async with await asyncio.start_unix_server(_answer, socket):
        options = ("--state", tmp_path / "state", "--run", tmp_path / "run", "--limits", tmp_path / "limits.yaml")
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STARTED, *map(str, options), "--engine", f"unix://{socket}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(daemon.communicate(), 60)
    assert daemon.returncode
    assert b"ledger" in said
    assert b"Unclosed" not in said, said.decode()
