"""What every channel promises: it says where a letter arrived, or that there was nowhere to bring it.

The mail server and the webhook's service are programs that keep what they are given; terminals are pseudo-terminals.
"""

from __future__ import annotations

import asyncio
import ctypes
import http.server
import json
import os
import pty
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from ds01.adapters.notify.mail import Mail
from ds01.adapters.notify.screen import WIDTH, drawn
from ds01.adapters.notify.shells import Shells
from ds01.adapters.notify.terminals import Terminals
from ds01.adapters.notify.webhook import Webhook, shaped
from ds01.adapters.notify.workspace import WorkspaceFile
from ds01.domain.container import ContainerId
from ds01.domain.errors import NOTICE_FAILED, Ds01Error
from ds01.domain.lifecycle.case import Level
from ds01.domain.notice import Preferences
from ds01.domain.people import Uid, User
from ds01.domain.settings import MailSettings
from ds01.ports.channel import Channel, Letter
from ds01.sim.channel import SimChannel
from ds01.sim.clock import SimClock
from ds01.sim.meters import SimMeters
from tests.values import NOW, container

ME = User(uid=Uid(os.getuid()), gid=os.getgid(), login="alice", home="/home/alice")
AT_ONCE = "thesis stops at 15:30 CET, in 15 minutes"
LATER = "thesis stops on Mon 02 Mar at 15:30 CET"
LIES = ("mail", "workspace")
"""Channels whose letters lie until somebody opens them."""
TEXT = "Its GPU has done nothing for 15m.\n\n  ds01 keep thesis --for 2h  let it idle longer"


def letter(**changes: Any) -> Letter:
    wishes = Preferences(uid=ME.uid, epoch=1, mail="alice@lab.lan")
    plain = Letter(
        user=ME, name="thesis", container=container("thesis"), level=Level.WARNING,
        title=AT_ONCE, subject=LATER, text=TEXT, wishes=wishes,
    )  # fmt: skip
    return replace(plain, **changes)


class Place(Protocol):
    """A channel with somebody at its other end."""

    channel: Channel

    def read(self) -> str: ...
    def leave(self) -> None: ...
    def close(self) -> None: ...


class SimPlace:
    def __init__(self, folder: Path) -> None:
        self._sim = SimChannel("terminals")
        self.channel: Channel = self._sim

    def read(self) -> str:
        return "\n".join(f"{each.title}\n{each.text}" for each in self._sim.letters)

    def leave(self) -> None:
        self._sim.open = False

    def close(self) -> None:
        self.leave()


class TerminalPlace:
    """Somebody is logged in on a pseudo-terminal, as the record of logins says."""

    def __init__(self, folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._slave, self._utmp = slave, folder / "utmp"
        line = os.ttyname(slave).removeprefix("/dev/")
        record = struct.pack(
            "hi32s4s32s256shhiii4i20s", 7, 1, line.encode(), b"", b"alice", b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, b""
        )
        stale = struct.pack(
            "hi32s4s32s256shhiii4i20s", 7, 1, b"pts/9999", b"", b"alice", b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, b""
        )
        self._utmp.write_bytes(stale + record + record)
        self.channel: Channel = Terminals(self._utmp, folder / "none")

    def read(self) -> str:
        return os.read(self._master, 65536).decode()

    def leave(self) -> None:
        self._utmp.write_bytes(b"")

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


class SessionPlace(TerminalPlace):
    """The same as the session manager says it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        sessions = folder / "sessions"
        sessions.mkdir()
        line = os.ttyname(self._slave).removeprefix("/dev/")
        self._session = sessions / "4"
        self._session.write_text(f"UID={ME.uid}\nUSER=alice\nTTY={line}\n")
        (sessions / "5").write_text("UID=4242\nTTY=../../etc/passwd\n")
        self.channel = Terminals(folder / "no-utmp", sessions)

    def leave(self) -> None:
        self._session.unlink()


class ShellPlace:
    """A process in the container sits on a terminal, and calls itself what is no text."""

    def __init__(self, folder: Path) -> None:
        self._master, slave = pty.openpty()
        script = (
            "import fcntl, os, termios, time; open('/proc/self/comm', 'wb').write(b'\\xff) ');"
            "os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); time.sleep(600)"
        )
        self._process = subprocess.Popen(["python3", "-c", script], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self._id = ContainerId(container("thesis").id)
        meters = SimMeters(clock=SimClock(), processes={self._id: (self._process.pid,)})
        self._meters = meters
        self.channel: Channel = Shells(meters)
        while Path(f"/proc/{self._process.pid}/stat").read_bytes().rpartition(b")")[2].split()[4] == b"0":
            assert self._process.poll() is None

    def read(self) -> str:
        return os.read(self._master, 65536).decode()

    def leave(self) -> None:
        self._meters.processes.clear()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


class MailPlace:
    """A mail server that keeps what it is given."""

    def __init__(self, folder: Path) -> None:
        self._server = _Smtp(("127.0.0.1", 0), _SmtpTalk)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.settings = MailSettings(server=f"127.0.0.1:{self._server.server_address[1]}", sender="ds01@lab.lan")
        self.channel: Channel = Mail(lambda: self.settings, "lab")

    def read(self) -> str:
        return "\n".join(self._server.mails)

    def leave(self) -> None:
        self.settings = MailSettings()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Smtp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.mails: list[str] = []


class _SmtpTalk(socketserver.StreamRequestHandler):
    server: _Smtp

    def handle(self) -> None:
        self.wfile.write(b"220 lab\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text.decode())
                self.server.mails.append("".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


class FilePlace:
    """A workspace."""

    def __init__(self, folder: Path) -> None:
        self._workspace = folder / "thesis"
        self._workspace.mkdir()
        os.chown(self._workspace, 4711, 4711)
        folder.chmod(0o755)
        for parent in folder.parents[:2]:
            parent.chmod(0o755)
        self.channel: Channel = _In(str(self._workspace))

    def read(self) -> str:
        found = self._workspace / ".ds01/notices"
        assert (found.stat().st_uid, found.stat().st_mode & 0o777) == (4711, 0o600)
        return found.read_text()

    def leave(self) -> None:
        self._workspace.chmod(0)
        self._workspace.rename(self._workspace.with_name("elsewhere"))

    def close(self) -> None:
        """Nothing is open."""


class _In:
    """The file of this workspace, whoever the letter is to."""

    name, proves, inside, nowhere = "workspace", False, True, "no workspace"

    def __init__(self, workspace: str) -> None:
        self._channel, self._workspace = WorkspaceFile(lambda: NOW), workspace

    async def deliver(self, given: Letter) -> str:
        user = User(uid=Uid(4711), gid=4711, login="alice", home="/home/alice")
        there = given.container and replace(given.container, workspace=self._workspace)
        mine = replace(given, user=user, container=there)
        return await self._channel.deliver(mine)


ROOT = pytest.mark.root
PLACES = [
    SimPlace, TerminalPlace, SessionPlace, ShellPlace, MailPlace, pytest.param(FilePlace, marks=ROOT),
]  # fmt: skip


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made: Place = request.param(tmp_path)
    yield made
    made.close()


class TestChannels:
    async def test_what_is_about_no_container_reaches_what_is_not_in_one(self, place: Place) -> None:
        reached = await place.channel.deliver(letter(name="this server", container=None))
        assert bool(reached) != place.channel.inside

    async def test_a_letter_arrives_with_everything_in_it(self, place: Place) -> None:
        assert await place.channel.deliver(letter())
        read = place.read()
        says, leaves_out = (AT_ONCE, LATER) if place.channel.name not in LIES else (LATER, AT_ONCE)
        assert says in read
        assert leaves_out not in read
        assert "ds01 keep thesis --for 2h" in read

    async def test_nobody_there_is_nowhere(self, place: Place) -> None:
        place.leave()
        assert await place.channel.deliver(letter()) == ""


def test_what_goes_onto_a_screen_fits_and_steers_nothing() -> None:
    long = "word " * 60 + "\n  ds01 keep a-rather-long-name --for 2h  " + "and what it does " * 5
    shown = drawn(letter(title="a\x1b]0;evil\x07b", text=long)).decode()
    assert "\x1b" not in shown
    assert shown.count("\a") == 1
    assert all(len(line) <= WIDTH for line in shown.split("\r\n"))
    assert "  ds01 keep a-rather-long-name --for 2h\r\n" in shown


async def test_a_full_terminal_is_not_waited_for(tmp_path: Path) -> None:
    place = TerminalPlace(tmp_path)
    for _ in range(200):
        if not await place.channel.deliver(letter()):
            break
    else:
        pytest.fail("a terminal nobody reads takes everything")
    place.close()


class Holder:
    """A process in the container that has the place of a file of the server's for its input, and no right on it: a
    shell of hers handed it in.
    """

    def __init__(self, path: str, uid: int = 4711) -> None:
        place = os.open(path, os.O_PATH)
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", sys.executable, "-c", _HOLDS, str(place)],
            stdout=subprocess.PIPE, pass_fds=(place,),
        )  # fmt: skip
        os.close(place)
        assert self.process.stdout
        assert self.process.stdout.readline() == b"holds\n"
        self.pid = self.process.pid

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


_HOLDS = """if True:
    import os, pty, sys, time, termios, fcntl
    _, own = pty.openpty()
    os.setsid()
    fcntl.ioctl(own, termios.TIOCSCTTY, 0)
    for fd in (0, 2):
        os.dup2(int(sys.argv[1]), fd)
    print("holds", flush=True)
    os.dup2(int(sys.argv[1]), 1)
    time.sleep(600)
"""


class Gone(SimMeters):
    """Of a container whose processes end when they were counted."""

    def pids(self, container: ContainerId, uid: Uid) -> tuple[int, ...]:
        return self.processes.pop(container, ())


def held_by(holder: Holder, kind: type[SimMeters] = SimMeters) -> Shells:
    """The shells of a container that this process is in."""
    return Shells(kind(clock=SimClock(), processes={container("thesis").id: (holder.pid,)}))


HERS = replace(ME, uid=Uid(4711))


@ROOT
async def test_a_file_that_is_no_terminal_is_not_opened(tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.write_text("root's")
    aim.chmod(0o600)
    with Holder(str(aim)) as holder, watched(aim) as opened:
        assert await held_by(holder).deliver(letter(user=HERS)) == ""
        assert opened() == b""
    assert aim.read_text() == "root's"


@contextmanager
def watched(path: Path) -> Iterator[Callable[[], bytes]]:
    """What the kernel says was opened, or closed after it was open for writing."""
    libc = ctypes.CDLL(None, use_errno=True)
    notes = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(notes, os.fsencode(path), 0x20 | 0x8) >= 0

    def seen() -> bytes:
        with suppress(BlockingIOError):
            return os.read(notes, 4096)
        return b""

    yield seen
    os.close(notes)


@ROOT
@pytest.mark.parametrize(("owner", "arrives"), [(0, ""), (4711, "1 terminal")])
async def test_of_the_servers_terminals_only_her_own_is_written_on(owner: int, arrives: str) -> None:
    master, slave = pty.openpty()
    os.chown(slave, owner, 0)
    with Holder(os.ttyname(slave)) as holder:
        assert await held_by(holder).deliver(letter(user=HERS)) == arrives
    os.set_blocking(master, False)
    if not arrives:
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    os.close(master)
    os.close(slave)


@ROOT
async def test_a_process_that_is_another_by_then_is_not_written_on() -> None:
    master, slave = pty.openpty()
    os.chown(slave, 4711, 0)
    with Holder(os.ttyname(slave)) as holder:
        assert await held_by(holder, Gone).deliver(letter(user=HERS)) == ""
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("to", ["a@", "a@[", "two\nlines@lab.lan"])
async def test_an_address_that_is_none_is_a_sentence(tmp_path: Path, to: str) -> None:
    place = MailPlace(tmp_path)
    with pytest.raises(Ds01Error) as caught:
        await place.channel.deliver(letter(wishes=Preferences(uid=ME.uid, epoch=1, mail=to)))
    place.close()
    assert caught.value.kind == NOTICE_FAILED


async def test_a_mail_server_that_is_not_there_is_a_sentence() -> None:
    mail = Mail(lambda: MailSettings(server="127.0.0.1:1"), "lab")
    with pytest.raises(Ds01Error) as caught:
        await mail.deliver(letter())
    assert caught.value.kind == NOTICE_FAILED


async def test_a_login_becomes_an_address_at_the_labs_domain() -> None:
    settings = MailSettings(server="x", domain="lab.lan")
    assert (settings.address_of("bob"), settings.address_of("h.baker@lab.lan")) == ("bob@lab.lan", "h.baker@lab.lan")
    assert MailSettings(server="x").address_of("bob") == ""


class TestFile:
    @ROOT
    async def test_a_file_that_leads_elsewhere_is_not_written(self, tmp_path: Path) -> None:
        place, aim = FilePlace(tmp_path), tmp_path / "aim"
        aim.write_text("mine")
        folder = tmp_path / "thesis/.ds01"
        folder.mkdir()
        os.chown(folder, 4711, 4711)
        (folder / "notices").symlink_to(aim)
        assert await place.channel.deliver(letter()) == ""
        assert aim.read_text() == "mine"

    @ROOT
    async def test_it_does_not_grow_for_ever(self, tmp_path: Path) -> None:
        place = FilePlace(tmp_path)
        for _ in range(3):
            await place.channel.deliver(letter(text="x" * 200_000))
        assert len(place.read()) < 500_000


# webhooks -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", ["plain", "slack", "teams", "ntfy"])
def test_every_shape_says_everything(shape: str) -> None:
    headers, body = shaped(letter(wishes=Preferences(uid=ME.uid, epoch=1, shape=shape)))
    told = " ".join(headers.values()) + body.decode()
    assert LATER in told
    assert "in 15 minutes" not in told
    assert "ds01 keep thesis --for 2h" in told
    assert shape == "ntfy" or json.loads(body)


class _Hook(http.server.BaseHTTPRequestHandler):
    got: list[tuple[str, str]] = []
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.path, body))
        self.send_response(self.status)
        self.send_header("Location", "https://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
        """The test looks at ``got``."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """An HTTPS service that keeps what it is given, and the trust in it."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert), "-days",
         "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"localhost:{server.server_address[1]}", ssl.create_default_context(cafile=str(cert))
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_webhook_gets_its_message_and_a_redirect_is_not_followed(
    service: tuple[str, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    where, trust = service
    hook = Webhook(lambda: (where,), trust)
    wishes = Preferences(uid=ME.uid, epoch=1, webhook=f"https://{where}/topic?x=1", shape="ntfy")
    assert await hook.deliver(letter(wishes=wishes)) == "localhost"
    assert _Hook.got[-1][0] == "/topic?x=1"
    monkeypatch.setattr(_Hook, "status", 307)
    with pytest.raises(Ds01Error):
        await hook.deliver(letter(wishes=wishes))


async def test_a_webhook_goes_only_where_the_admin_allows_and_only_encrypted() -> None:
    hook = Webhook(lambda: ("hooks.slack.com",))
    assert await hook.deliver(letter()) == ""
    for url in ("http://hooks.slack.com/x", "https://169.254.169.254/x", "https://hooks.slack.com@evil.lan/x"):
        with pytest.raises(Ds01Error):
            await hook.deliver(letter(wishes=Preferences(uid=ME.uid, epoch=1, webhook=url)))
    await asyncio.sleep(0)
