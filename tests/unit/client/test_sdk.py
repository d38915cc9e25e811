"""``from ds01 import connect`` is all a script needs."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ds01
from ds01 import connect
from ds01.domain.errors import DAEMON_DOWN, Ds01Error


def test_connect_opens_nothing_and_uses_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS01_SOCKET", "/elsewhere.sock")
    assert connect().client.socket == "/elsewhere.sock"
    assert connect("/here.sock").client.socket == "/here.sock"


def test_a_failure_is_a_sentence_with_a_kind() -> None:
    with pytest.raises(Ds01Error, match="ds01d does not answer") as caught:
        connect("/nonexistent.sock").list()
    assert caught.value.kind == DAEMON_DOWN
    assert "/nonexistent.sock" in caught.value.problem.reason


@pytest.mark.parametrize("status", ["200 OK", "409 Conflict"])
def test_an_answer_that_ends_in_the_middle_is_a_sentence(tmp_path: Path, status: str) -> None:
    half = f'HTTP/1.1 {status}\r\nContent-Length: 900\r\n\r\n{{"version": '.encode()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "d.sock"))
        door.listen()
        threading.Thread(target=_answer, args=(door, half), daemon=True).start()
        with pytest.raises(Ds01Error, match="ds01d does not answer") as caught:
            connect(str(tmp_path / "d.sock")).client.stop("thesis")
    assert caught.value.kind == DAEMON_DOWN
    assert "ended early" in caught.value.problem.reason


def _answer(door: socket.socket, answer: bytes) -> None:
    client, _ = door.accept()
    client.recv(65536)
    client.sendall(answer)
    client.close()


def test_the_client_is_loaded_when_it_is_asked_for() -> None:
    seen = "'ds01.sdk' in sys.modules"
    script = f"import sys, ds01; print({seen}); ds01.connect('/x'); print({seen})"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == (
        "False\nTrue\n"
    )
    with pytest.raises(AttributeError):
        _ = ds01.no_such_name
