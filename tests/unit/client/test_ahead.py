"""Asking for what is read in a moment: one question where all goes well, and a second one where it does not."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.client.daemon import Client
from ds01.domain.errors import DAEMON_DOWN, Ds01Error

BODY = b'{"bases": [], "environment": {"MADE": "%d"}}'


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ds01t") as folder:
        yield Path(folder, "d.sock")


def serving(place: Path, *answers: bytes) -> list[bytes]:
    """A ds01d that answers so, one connection after the other; what it is asked."""
    asked: list[bytes] = []
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(place))
    door.listen()

    def serve() -> None:
        with door:
            for answer in answers:
                client, _ = door.accept()
                with client:
                    asked.append(client.recv(65536).partition(b"\r\n")[0])
                    client.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return asked


def whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_what_was_asked_ahead_is_asked_once_and_only_once_used(place: Path) -> None:
    asked = serving(place, whole(BODY % 1), whole(BODY % 2))
    client = Client(str(place))
    client.build_settings_ahead()
    assert client.build_settings(brief=True).environment == {"MADE": "1"}
    assert asked == [b"GET /v1/images/settings?brief=1 HTTP/1.1"]
    assert client.build_settings(brief=True).environment == {"MADE": "2"}


def test_other_settings_are_asked_for_by_themselves(place: Path) -> None:
    asked = serving(place, whole(BODY % 1), whole(BODY % 2))
    client = Client(str(place))
    client.build_settings_ahead()
    assert client.build_settings().environment == {"MADE": "2"}
    assert asked[1] == b"GET /v1/images/settings HTTP/1.1"
    client.forget_ahead()
    client.forget_ahead()


def test_a_ds01d_that_ended_in_between_is_asked_again(place: Path) -> None:
    serving(place, b"", whole(BODY % 2))
    client = Client(str(place))
    client.build_settings_ahead()
    assert client.build_settings(brief=True).environment == {"MADE": "2"}


def test_what_is_not_there_is_told_when_it_is_wanted(place: Path) -> None:
    client = Client(str(place))
    client.build_settings_ahead()
    with pytest.raises(Ds01Error) as told:
        client.build_settings(brief=True)
    assert told.value.kind is DAEMON_DOWN
