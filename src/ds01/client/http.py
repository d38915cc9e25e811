"""HTTP/1.1 over a unix socket, as much of it as ds01d, the gateway and the engine speak.

One request per connection: on a unix socket a connection costs a tenth of a millisecond, and nothing can go stale.
Written here because ``http.client`` pulls in the e-mail parser and TLS, half of the time a command may take.
"""

from __future__ import annotations

import _socket
import time
from collections.abc import Iterable, Iterator, Mapping

from ds01.domain.record import record

Socket = _socket.socket
"""A socket, by Python's own C code: the module around it takes longer to import than ds01d takes to answer."""
SHUT_WR = _socket.SHUT_WR

_CHUNK = 64 * 1024
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LONGEST_LINE = 64 * 1024
_QUEUE_SECONDS = 0.02


class BadAnswerError(Exception):
    """The other side does not speak HTTP, or stopped in the middle of it."""


@record
class Request:
    """One request. ``body`` is bytes, or pieces that are sent chunked. ``upgrade``: the bytes after it are a stream."""

    method: str
    target: str
    body: bytes | Iterable[bytes] | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    upgrade: str = ""


def escaped(text: str, *, keep: bytes = b"") -> str:
    """``text`` as it may stand in a path or query. (``urllib.parse`` takes ten milliseconds to import.)"""
    return "".join(chr(byte) if byte in _UNRESERVED or byte in keep else f"%{byte:02X}" for byte in text.encode())


def target(path: str, **query: object) -> str:
    """A path with the parts of the query that say something; True is ``1``, a list says its name again."""
    pairs = [(name, each) for name, value in query.items() for each in (value if isinstance(value, list) else [value])]
    given = [f"{name}={escaped('1' if value is True else str(value))}" for name, value in pairs if value]
    return f"{path}?{'&'.join(given)}" if given else path


class Stream:
    """Bytes of a connection, with what was read ahead kept in ``ahead``."""

    def __init__(self, sock: Socket) -> None:
        self.sock = sock
        self.ahead = bytearray()

    def some(self) -> bytes:
        """The next bytes, whatever there is; empty at the end."""
        if self.ahead:
            data = bytes(self.ahead)
            self.ahead.clear()
            return data
        return self.sock.recv(_CHUNK)

    def exactly(self, count: int) -> bytes:
        """``count`` bytes. Raises BadAnswerError when the stream ends before."""
        while len(self.ahead) < count:
            self._more()
        data = bytes(self.ahead[:count])
        del self.ahead[:count]
        return data

    def line(self) -> bytes:
        """A line without its end."""
        while (end := self.ahead.find(b"\n")) < 0:
            if len(self.ahead) > _LONGEST_LINE:
                raise BadAnswerError("a line without end")
            self._more()
        return self.exactly(end + 1).rstrip(b"\r\n")

    def _more(self) -> None:
        data = self.sock.recv(_CHUNK)
        if not data:
            raise BadAnswerError("the answer stopped in the middle")
        self.ahead += data


class Response:
    """An answer. Read its body once: as a whole, in pieces, or line by line."""

    def __init__(self, stream: Stream, status: int, headers: dict[str, str], *, bodiless: bool) -> None:
        self.stream = stream
        self.status = status
        self.headers = headers
        self._bodiless = bodiless

    def read(self) -> bytes:
        """The whole body; closes the connection."""
        try:
            return b"".join(self.pieces())
        finally:
            self.close()

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes."""
        if self._bodiless:
            return
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            yield from self._chunks()
        elif "content-length" in self.headers:
            yield from self._counted(int(self.headers["content-length"]))
        else:
            while data := self.stream.some():
                yield data

    def lines(self) -> Iterator[bytes]:
        """The body line by line, each as soon as it is there; closes the connection at the end."""
        rest = b""
        try:
            for piece in self.pieces():
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line for line in lines if line)
            if rest:
                yield rest
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self.stream.sock.close()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.stream.line().split(b";")[0], 16):
            yield self.stream.exactly(size)
            self.stream.line()
        while self.stream.line():
            pass

    def _counted(self, left: int) -> Iterator[bytes]:
        while left:
            data = self.stream.some()
            if not data:
                raise BadAnswerError("the answer stopped in the middle")
            if len(data) > left:
                self.stream.ahead += data[left:]
                data = data[:left]
            left -= len(data)
            yield data


class Sent:
    """A request that was sent to the socket at ``path``; its answer can wait. Raises OSError or TimeoutError.

    ``timeout_seconds`` is for each wait on the other side; None waits for ever.
    """

    def __init__(self, path: str, request: Request, timeout_seconds: float | None) -> None:
        self._request = request
        self._sock = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            self._sock.settimeout(timeout_seconds)
            _connect(self._sock, path, timeout_seconds)
            _write(self._sock, request)
        except BaseException:
            self._sock.close()
            raise

    def close(self) -> None:
        """Do without the answer."""
        self._sock.close()

    def answer(self) -> Response:
        """The answer, once. Raises OSError, TimeoutError or BadAnswerError."""
        try:
            return _head(Stream(self._sock), self._request)
        except BaseException:
            self._sock.close()
            raise


def send(path: str, request: Request, timeout_seconds: float | None) -> Response:
    """Send a request and wait for its answer. Raises OSError, TimeoutError or BadAnswerError."""
    return Sent(path, request, timeout_seconds).answer()


def _connect(sock: Socket, path: str, timeout_seconds: float | None) -> None:
    """Connect, also where many want to at the same time: a full queue is no refusal, though with a limit of time the
    kernel says so at once. Raises TimeoutError when it stays full.
    """
    deadline = time.monotonic() + (timeout_seconds or 0)
    while True:
        try:
            return sock.connect(path)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"too many are waiting at {path}") from error
            time.sleep(_QUEUE_SECONDS)


def _write(sock: Socket, request: Request) -> None:
    chunked = request.body is not None and not isinstance(request.body, bytes)
    lines = [f"{request.method} {request.target} HTTP/1.1", "Host: ds01", "User-Agent: ds01"]
    lines += [f"{name}: {value}" for name, value in (request.headers or {}).items()]
    lines.append(f"Connection: Upgrade\r\nUpgrade: {request.upgrade}" if request.upgrade else "Connection: close")
    if request.body is not None:
        lines.append(f"Content-Type: {request.content_type}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif request.method != "GET":
        lines.append(f"Content-Length: {len(request.body) if isinstance(request.body, bytes) else 0}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    if isinstance(request.body, bytes):
        sock.sendall(head + request.body)
        return
    sock.sendall(head)
    if request.body is not None:
        _write_chunks(sock, request.body)


def _write_chunks(sock: Socket, pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            if piece:
                sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        return  # refused half-way: the answer, which is already there, says why


def _head(stream: Stream, request: Request) -> Response:
    status = 100
    headers: dict[str, str] = {}
    while status == 100:
        status = _status(stream.line())
        headers = {}
        while line := stream.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
    bodiless = status in (101, 204, 304) or request.method == "HEAD"
    return Response(stream, status, headers, bodiless=bodiless)


def _status(line: bytes) -> int:
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise BadAnswerError(f"no HTTP: {line[:80]!r}")
    return int(parts[1])
