"""A session of an SSH client: a shell, a command or the file transfer, as a program in the container."""

from __future__ import annotations

import asyncio
import contextlib

import asyncssh

from ds01.domain.errors import Ds01Error, Problem
from ds01.ssh.programs import Inside, Stream, Wanted, start

_PIECE = 64 * 1024
_ROWS, _COLUMNS = 24, 80
_PASSED = ("LANG", "COLORTERM", "NO_COLOR")
_MISSING = 127
_NO_SFTP_HERE = 3

Process = asyncssh.SSHServerProcess[bytes]


class Session(asyncssh.SSHServerProcess[bytes]):
    """One session. asyncssh would do the file transfer here, on the server; it is a program of the container's too."""

    def __init__(self, inside: Inside) -> None:
        super().__init__(lambda process: run(inside, process), None, _NO_SFTP_HERE, False)
        self._running: asyncio.Task[None] | None = None

    def subsystem_requested(self, subsystem: str) -> bool:
        """What there may be in a container."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """All was said; begin."""
        channel = self._chan
        begun = self._start_process(
            asyncssh.SSHReader(self, channel), asyncssh.SSHWriter(self, channel),
            asyncssh.SSHWriter(self, channel, asyncssh.EXTENDED_DATA_STDERR),
        )  # fmt: skip
        assert asyncio.iscoroutine(begun)
        self._running = asyncio.get_running_loop().create_task(begun)


async def run(inside: Inside, process: Process) -> None:
    """From what is asked for to its exit code."""
    wanted = _wanted(process)
    try:
        stream = await start(inside, wanted.words(), wanted.variables, tty=wanted.size is not None)
    except Ds01Error as error:
        _fail(process, _told(error.problem))
        return
    try:
        if wanted.size is not None:
            await stream.resize(*wanted.size)
        code = await _pump(process, stream)
    except Ds01Error as error:
        _fail(process, _told(error.problem))
        return
    finally:
        stream.close()
    if wanted.sftp and code == _MISSING:
        _fail(process, f"{inside.name} has no sftp-server, which scp and sftp need. Its /workspace is a folder of the"
                       " server: copy there, or: ds01 image update NAME --add-apt openssh-sftp-server")  # fmt: skip
        return
    with contextlib.suppress(OSError, asyncssh.Error):
        process.exit(code)


def _wanted(process: Process) -> Wanted:
    variables = {name: value for name, value in process.env.items() if name in _PASSED or name.startswith("LC_")}
    terminal = process.get_terminal_type()
    if terminal is None:
        return Wanted(command=process.command, sftp=process.subsystem == "sftp", variables=variables)
    columns, rows, *_ = process.get_terminal_size()
    return Wanted(
        command=process.command, variables={**variables, "TERM": terminal}, size=(rows or _ROWS, columns or _COLUMNS)
    )


async def _pump(process: Process, stream: Stream) -> int:
    sending = asyncio.create_task(_send(process, stream))
    try:
        async for kind, data in stream.pieces():
            out = process.stderr if kind == 2 else process.stdout
            out.write(data)
            await out.drain()
    except (OSError, asyncssh.Error):
        stream.no_more()  # the laptop is gone; the program sees the end of its input
    finally:
        sending.cancel()
    return await stream.code()


async def _send(process: Process, stream: Stream) -> None:
    while True:
        try:
            data = await process.stdin.read(_PIECE)
        except asyncssh.TerminalSizeChanged as size:
            await stream.resize(size.height, size.width)
            continue
        except asyncssh.BreakReceived:
            continue
        except (asyncssh.SignalReceived, asyncssh.Error, OSError):
            break
        if not data:
            break
        try:
            await stream.send(data)
        except OSError:
            return
    stream.no_more()


def _fail(process: Process, text: str) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        process.stderr.write(f"ds01: {text}\n".encode())
        process.exit(_MISSING)


def _told(problem: Problem) -> str:
    return " ".join(part for part in (problem.message, problem.reason, problem.hint) if part)
