"""The relay that runs beside a program in its container, run here beside one."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ds01.cli.editors import relay

TOKEN = "a-token-of-the-test"
SERVER = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hello.txt").write_text("hello\n")
    return tmp_path


Begun = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def begin(folder: Path) -> Iterator[Begun]:
    """Starts the relay as a container would: its text as an argument."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(port: str = "0", *words: str, token: str = TOKEN) -> subprocess.Popen[bytes]:
        source = Path(relay.__file__).read_text()
        paths = [str(folder / name) for name in ("sock", "mark", "log")]
        Path(paths[1]).touch()
        process = subprocess.Popen(
            [sys.executable, "-c", source, *paths, port, *words], cwd=folder,
            env=os.environ | ({"DS01_TOKEN": token} if token else {}),
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.terminate()
        process.wait(60)


def until(so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Browser(http.client.HTTPConnection):
    """Speaks HTTP through a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def asked(folder: Path, target: str, cookie: str = "") -> tuple[int, dict[str, str], bytes]:
    with contextlib.closing(Browser(folder / "sock")) as browser:
        browser.request("GET", target, headers={"Cookie": cookie} if cookie else {})
        answer = browser.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_nobody_comes_through_without_the_token(begin: Begun, folder: Path) -> None:
    begin("0", *SERVER)
    until((folder / "sock").exists)
    for target in ("/hello.txt", "/hello.txt?token=", "/hello.txt?token=x", f"/hello.txt?tokens={TOKEN}"):
        status, _, body = asked(folder, target)
        assert status == 403
        assert b"hello" not in body
    assert asked(folder, "/hello.txt", f"ds01-0123456789ab={TOKEN}")[0] == 403
    assert asked(folder, "/hello.txt", f"{relay.Gate(TOKEN).cookie}=other")[0] == 403


def test_the_token_becomes_a_cookie_that_lets_through(begin: Begun, folder: Path) -> None:
    begin("0", *SERVER)
    until((folder / "sock").exists)
    status, headers, _ = asked(folder, f"/hello.txt?token={TOKEN}&a=b")
    assert (status, headers["location"]) == (302, "/hello.txt?a=b")
    assert "HttpOnly" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert asked(folder, "/hello.txt", f"other=1; {cookie}")[2] == b"hello\n"


@pytest.mark.parametrize("target", [f"//evil.example/x?token={TOKEN}", f"/\\evil?token={TOKEN}"])
def test_the_token_leads_to_no_other_place(target: str) -> None:
    said = relay.Gate(TOKEN).judge(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    where = next(line for line in said.decode().split("\r\n") if line.startswith("Location: "))
    assert not where.startswith("Location: //")
    assert "\\" not in where


def test_the_program_sees_no_token_and_its_words_are_kept(begin: Begun, folder: Path) -> None:
    begin("0", "sh", "-c", 'echo "token: $DS01_TOKEN"; exec "$@"', "x", *SERVER)
    until((folder / "sock").exists)
    assert (folder / "log").read_text().startswith("token: \n")
    assert stat.S_IMODE((folder / "log").stat().st_mode) == 0o600


def test_the_socket_is_its_owners_alone(begin: Begun, folder: Path) -> None:
    begin("0", *SERVER)
    until((folder / "sock").exists)
    assert stat.S_IMODE((folder / "sock").stat().st_mode) == 0o600


def test_taking_the_socket_away_ends_the_program(begin: Begun, folder: Path) -> None:
    process = begin("0", "sh", "-c", 'echo $$ > pid; exec "$@"', "x", *SERVER)
    until((folder / "sock").exists)
    pid = int((folder / "pid").read_text())
    (folder / "sock").unlink()
    assert process.wait(60) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_taking_the_mark_away_ends_a_program_that_still_starts(begin: Begun, folder: Path) -> None:
    process = begin("0", "sh", "-c", "echo $$ > pid; exec sleep 600")
    until((folder / "pid").exists)
    (folder / "mark").unlink()
    assert process.wait(60) == 0
    assert not (folder / "sock").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_a_program_that_ends_takes_its_socket_with_it(begin: Begun, folder: Path) -> None:
    process = begin("0", "sh", "-c", 'echo $$ > pid; exec "$@"', "x", *SERVER)
    until((folder / "sock").exists)
    os.kill(int((folder / "pid").read_text()), 9)
    process.wait(60)
    assert not (folder / "sock").exists()


def test_a_program_that_cannot_start_leaves_no_socket(begin: Begun, folder: Path) -> None:
    process = begin("0", "sh", "-c", "echo no such luck >&2; exit 7")
    assert process.wait(60) == 7
    assert (folder / "log").read_text() == "no such luck\n"
    assert not (folder / "sock").exists()


def test_what_listens_already_is_reached_whatever_it_speaks(begin: Begun, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        begin(str(listening.getsockname()[1]), token="")
        until((folder / "sock").exists)
        mine = socket.socket(socket.AF_UNIX)
        mine.connect(str(folder / "sock"))
        theirs, _ = listening.accept()
        with mine, theirs:
            mine.sendall(b"\x00\xff binary")
            assert theirs.recv(100) == b"\x00\xff binary"
            theirs.sendall(b"back")
            assert mine.recv(100) == b"back"
            mine.shutdown(socket.SHUT_WR)
            assert theirs.recv(100) == b""


def test_a_socket_left_behind_is_replaced(begin: Begun, folder: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as old:
        old.bind(str(folder / "sock"))
    begin("0", *SERVER)

    def there() -> bool:
        with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
            return asked(folder, "/hello.txt")[0] == 403
        return False

    until(there)


def test_a_socket_in_its_place_is_not_taken_for_its_own(begin: Begun, folder: Path) -> None:
    process = begin("0", *SERVER)
    until((folder / "sock").exists)
    (folder / "sock").unlink()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(folder / "sock"))
        assert process.wait(60) == 0
    assert (folder / "sock").exists()
