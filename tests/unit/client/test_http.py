"""The little HTTP the client speaks, against servers that send exactly these bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ds01.client.http import BadAnswerError, Request, escaped, send, target

Server = Callable[[bytes], Path]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """``answering(b"HTTP/1.1 …")``: the path of a socket that answers so, once, and what it was asked."""
    threads: list[threading.Thread] = []

    def serve(*pieces: bytes) -> tuple[str, list[bytes]]:
        path = str(tmp_path / f"{len(threads)}.sock")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        asked: list[bytes] = []

        def answer() -> None:
            with listening, listening.accept()[0] as connection:
                asked.append(_whole(connection))
                for piece in pieces:
                    connection.sendall(piece)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return path, asked

    yield serve
    for thread in threads:
        thread.join(60)


def _whole(connection: socket.socket) -> bytes:
    """A request with the end of its body, if it says that it has one in pieces."""
    got = connection.recv(65536)
    while b"chunked" in got and not got.endswith(b"0\r\n\r\n"):
        got += connection.recv(65536)
    return got


GET = Request(method="GET", target="/x")


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",),
        (b"HTTP/1.1 200 OK\r\nContent-Len", b"gth: 5\r\n\r\nhe", b"llo"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", b"2;x=y\r\nlo\r\n0\r\n\r\n"),
        (b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello",),
    ],
    ids=["counted", "in pieces", "chunked", "until the end", "after a continue"],
)
def test_a_body_is_read_however_it_is_sent(
    answering: Callable[..., tuple[str, list[bytes]]], pieces: tuple[bytes, ...]
) -> None:
    path, _ = answering(*pieces)
    response = send(path, GET, 5)
    assert (response.status, response.read()) == (200, b"hello")


def crowded(path: str, listening: socket.socket) -> list[socket.socket]:
    """Those who fill the queue before a socket."""
    waiting: list[socket.socket] = []
    listening.bind(path)
    listening.listen(0)
    while True:
        waiting.append(socket.socket(socket.AF_UNIX))
        waiting[-1].setblocking(False)
        try:
            waiting[-1].connect(path)
        except BlockingIOError:
            return waiting


def test_a_full_queue_is_waited_in(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sock")
    with socket.socket(socket.AF_UNIX) as listening, ThreadPoolExecutor() as pool:
        waiting = crowded(path, listening)
        with pytest.raises(TimeoutError, match="too many"):
            send(path, GET, 0.05)
        asking = pool.submit(send, path, GET, 60)
        for each in waiting:
            each.close()
        while not asking.done():
            with listening.accept()[0] as connection:
                if connection.recv(65536):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                    break
        assert asking.result().read() == b"hi"


def test_lines_come_as_soon_as_they_are_there(answering: Callable[..., tuple[str, list[bytes]]]) -> None:
    path, _ = answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na\nbc\nd\r\n3\r\ne\n\n\r\n1\r\nf\r\n0\r\n\r\n"
    )
    assert list(send(path, GET, 5).lines()) == [b"a", b"bc", b"de", b"f"]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",), (b"HTTP/1.1 200 OK\r\n",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",),
        (b"SSH-2.0-x\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",), (b"a" * 70000,),
    ],
    ids=["nothing", "half a head", "a short body", "not HTTP", "half a chunk", "no end of line"],
)  # fmt: skip
def test_an_answer_that_is_none_is_told_apart(
    answering: Callable[..., tuple[str, list[bytes]]], pieces: tuple[bytes, ...]
) -> None:
    path, _ = answering(*pieces)
    with pytest.raises((BadAnswerError, ConnectionError)):
        send(path, GET, 5).read()


def test_what_follows_a_switch_is_the_stream(answering: Callable[..., tuple[str, list[bytes]]]) -> None:
    path, asked = answering(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n$ ")
    response = send(path, Request(method="POST", target="/exec/1/start", body=b"{}", upgrade="tcp"), 5)
    assert (response.status, response.stream.some()) == (101, b"$ ")
    assert b"Upgrade: tcp\r\n" in asked[0]
    assert b"Content-Length: 2\r\n" in asked[0]
    response.close()


def test_a_body_in_pieces_is_sent_chunked(answering: Callable[..., tuple[str, list[bytes]]]) -> None:
    path, asked = answering(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert send(path, Request(method="POST", target="/build", body=iter([b"ab", b"", b"c"])), 5).read() == b""
    assert asked[0].endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")


def test_targets_are_escaped() -> None:
    assert target("/v1/x", all=True, since="2026-01-01T00:00:00+00:00", limit=0, user="", t=["a", "b"]) == (
        "/v1/x?all=1&since=2026-01-01T00%3A00%3A00%2B00%3A00&t=a&t=b"
    )
    assert escaped("a/b c?é") == "a%2Fb%20c%3F%C3%A9"
    assert escaped("ds01-1/x:latest", keep=b"/:") == "ds01-1/x:latest"
