"""Runs in the container, by whatever Python 3.7 or later is there: a program, and the socket that leads to it.

    python3 -c RELAY SOCKET MARK LOG PORT [PROGRAM ARGUMENT...]

The program gets a free port of the container's loopback for ``{port}`` in its arguments; without a program PORT is
where something listens already. The socket appears once the program answers, with mode 0600, and is how all ends:
when it is removed, the program is ended, and when the program ends, it is removed. Until then it is the file MARK that
ends all when it is removed. With ``DS01_TOKEN`` set nobody comes
through without it: in the address the first time, in a cookie from then on.
"""

import asyncio
import contextlib
import hashlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import urllib.parse

LOOPBACK = "127.0.0.1"
LONGEST_HEAD = 65536
HEAD_SECONDS = 20
GRACE_SECONDS = 10
LOOK_SECONDS = 0.5
REFUSED = b"Open the address that ds01 printed: it has the token in it.\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def start(words: "list[str]", log: str) -> "subprocess.Popen[bytes]":
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as output:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)


def end(program: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGTERM)
    try:
        program.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()


class Gate:
    """Who may come through."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.cookie = "ds01-" + hashlib.sha256(token.encode()).hexdigest()[:12]

    def judge(self, head: bytes) -> bytes:
        """What to answer at once; nothing lets the request pass."""
        lines = head.decode("latin-1").split("\r\n")
        target = [*lines[0].split(" "), "", ""][1]
        path, _, query = target.partition("?")
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        if any(name == "token" and self.same(value) for name, value in pairs):
            rest = urllib.parse.urlencode([pair for pair in pairs if pair[0] != "token"])
            return self.welcome("/" + path.lstrip("/") + ("?" + rest if rest else ""))
        if any(self.same(value) for value in self.cookies(lines[1:])):
            return b""
        return answer("403 Forbidden", [], REFUSED)

    def cookies(self, lines: "list[str]") -> "list[str]":
        found = []
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip().lower() == "cookie":
                for part in value.split(";"):
                    key, _, content = part.strip().partition("=")
                    if key == self.cookie:
                        found.append(content)
        return found

    def same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def welcome(self, where: str) -> bytes:
        cookie = f"Set-Cookie: {self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        return answer("302 Found", ["Location: " + urllib.parse.quote(where, safe="/?&=%+-._~:,@"), cookie], b"")


def answer(status: str, headers: "list[str]", body: bytes) -> bytes:
    lines = ["HTTP/1.1 " + status, *headers, "Content-Type: text/plain", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + body


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while True:
            data = await reader.read(65536)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, gate: "Gate | None") -> None:
    head = b""
    try:
        if gate is not None:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
            said = gate.judge(head)
            if said:
                writer.write(said)
                await writer.drain()
                return
        inner, outer = await asyncio.open_connection(LOOPBACK, port)
        outer.write(head)
        await asyncio.gather(pass_on(reader, outer), pass_on(inner, writer))
        outer.close()
    except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):  # noqa: UP041 - two things before 3.11
        pass  # whoever came went away, or never said what for: there is nobody to tell
    finally:
        writer.close()


def there(path: str) -> bool:
    return os.path.lexists(path)


def mine(path: str, made: os.stat_result) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return (found.st_dev, found.st_ino, found.st_ctime_ns) == (made.st_dev, made.st_ino, made.st_ctime_ns)


async def run(path: str, mark: str, port: int, program: "subprocess.Popen[bytes] | None", gate: "Gate | None") -> None:
    while program is not None and program.poll() is None and not answers(port):
        if not there(mark):
            return
        await asyncio.sleep(LOOK_SECONDS)
    if program is not None and program.poll() is not None:
        sys.exit(program.returncode or 1)
    part = path + "~"  # what has its name already can be reached
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    old = os.umask(0o177)
    server = await asyncio.start_unix_server(
        lambda reader, writer: serve(reader, writer, port, gate), part, limit=LONGEST_HEAD
    )
    os.umask(old)
    os.rename(part, path)
    made = os.lstat(path)
    try:
        while (program is None or program.poll() is None) and mine(path, made):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        server.close()
        if mine(path, made):
            os.unlink(path)


def main(path: str, mark: str, log: str, wanted: str, *words: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    token = os.environ.pop("DS01_TOKEN", "")
    port = int(wanted) or free_port()
    program = start([word.replace("{port}", str(port)) for word in words], log) if words else None
    try:
        asyncio.run(run(path, mark, port, program, Gate(token) if token else None))
    finally:
        if program is not None:
            end(program)


if __name__ == "__main__":
    main(*sys.argv[1:])
