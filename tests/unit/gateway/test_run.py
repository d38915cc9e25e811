"""The gateway's own end: when it is told to, and when something ended without which it serves nobody well."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from ds01.gateway.audit import Audit
from ds01.gateway.listen import own_socket
from ds01.gateway.main import run
from ds01.gateway.own_sockets import OwnSockets


async def _runs(folder: Path) -> int:
    """Neither the engine nor ds01d is there; it waits for both."""
    listening = own_socket(folder / "docker.sock")
    engine, api = str(folder / "e.sock"), str(folder / "d.sock")
    return await asyncio.wait_for(run(listening, engine=engine, api=api, folder=folder / "u", passed={}), 60)


@contextmanager
def _ended_once_ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What starts it ends it as soon as it hears that it serves."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(folder / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))

        def heard() -> None:
            if notified.recv(64) == b"READY=1":
                os.kill(os.getpid(), signal.SIGTERM)

        loop.add_reader(notified, heard)
        yield
        loop.remove_reader(notified)


async def _mistaken(_: Audit) -> NoReturn:
    raise RuntimeError("nobody expected this")


async def test_it_ends_with_an_error_when_what_always_goes_on_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Audit, "run", _mistaken)
    assert await _runs(tmp_path) == 1


async def test_it_ends_well_when_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _ended_once_ready(tmp_path, monkeypatch):
        assert await _runs(tmp_path) == 0


async def test_what_is_recorded_is_sent_though_closing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then nothing opens sockets any more."""
    sent: list[bool] = []

    async def fails(_: OwnSockets) -> NoReturn:
        assert "own sockets" not in {task.get_name() for task in asyncio.all_tasks()}
        raise RuntimeError("nobody expected this")

    async def flush(_: Audit) -> None:
        sent.append(True)

    monkeypatch.setattr(OwnSockets, "close", fails)
    monkeypatch.setattr(Audit, "flush", flush)
    with _ended_once_ready(tmp_path, monkeypatch), pytest.raises(RuntimeError):
        await _runs(tmp_path)
    assert sent
