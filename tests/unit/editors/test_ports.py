"""Ports of one's own, and who may come through one that is open on the server."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.cli.editors import forward
from ds01.cli.editors.loopback import taken
from ds01.cli.editors.programs import port
from ds01.cli.editors.running import Running
from ds01.domain.own_ports import BEHIND, FIRST, choose, own_ports
from tests.unit.editors.values import container


@given(st.integers(0, 2**32 - 2), st.integers(1, 100_000))
def test_everybody_has_ports_in_the_range_of_users(uid: int, count: int) -> None:
    mine = own_ports(uid, count)
    assert mine.start >= FIRST
    assert mine.stop <= BEHIND
    assert len(mine) == min(count, BEHIND - FIRST)


def test_neighbours_share_none_and_a_directory_user_has_hers() -> None:
    assert not set(own_ports(1001, 20)) & set(own_ports(1002, 20))
    assert len(own_ports(1722830498, 20)) == 20


def test_a_taken_port_is_passed_over_and_told() -> None:
    assert choose(range(5, 9), None, {5, 6}.__contains__) == (7, (5, 6))
    assert choose(range(5, 9), 8, {5}.__contains__) == (8, ())
    assert choose(range(5, 7), None, lambda _: True) == (None, (5, 6))


def test_a_port_that_somebody_listens_on_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        number = there.getsockname()[1]
        assert taken(number)
    assert not taken(number)


CLIENT = """
import os, socket, sys
if sys.argv[2] != "0":
    os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
family = socket.AF_INET6 if sys.argv[3] == "6" else socket.AF_INET
host = "::ffff:127.0.0.1" if sys.argv[3] == "6" else "127.0.0.1"
with socket.socket(family) as mine:
    mine.settimeout(20)
    mine.connect((host, int(sys.argv[1])))
    try:
        mine.sendall(b"ping")
        print(mine.recv(10).decode())
    except ConnectionError:
        print("")
"""


async def answered(folder: Path, uid: int, family: str = "4") -> str:
    """What somebody gets from an echo behind the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    found = Running(editor=port(1), container=container(str(folder)), port=number, token="")
    (folder / ".ds01").mkdir()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(10))
        writer.close()

    server = await asyncio.start_unix_server(echo, found.socket)
    leading = asyncio.create_task(forward.forward(found))
    while not taken(number):
        await asyncio.sleep(0.01)
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, str(number), str(uid), family, stdout=subprocess.PIPE
    )
    said, _ = await done.communicate()
    leading.cancel()
    server.close()
    return said.decode().strip()


@pytest.mark.parametrize("family", ["4", "6"])
async def test_its_owner_comes_through(tmp_path: Path, family: str) -> None:
    assert await answered(tmp_path, 0, family) == "ping"


@pytest.mark.root
@pytest.mark.parametrize("family", ["4", "6"])
async def test_nobody_else_comes_through(tmp_path: Path, family: str) -> None:
    assert await answered(tmp_path, 4711, family) == ""


def test_nobody_is_taken_for_the_owner_of_a_connection_that_is_not_there() -> None:
    assert forward.owner(1, 2) is None
